import { readFileSync } from 'node:fs'
import { fileURLToPath } from 'node:url'

/** The connectors of the quick start, in the order in which they are created. */
const FILES = ['shop-cdc', 'driver-source', 'reporting-sink'] as const

export interface ConnectorRequest {
  readonly name: string
  readonly config: Readonly<Record<string, string>>
}

/** Connector requests from docker/quickstart, with the coordinates of this database in place of those in the files. */
export function quickstartConnectors(databaseUrl: string): ConnectorRequest[] {
  const url = new URL(databaseUrl)
  const [user, password] = [decodeURIComponent(url.username), decodeURIComponent(url.password)]
  const database = url.pathname.slice(1) || user
  const port = url.port || '5432'
  return FILES.map((name) => {
    // The same depth below src/ and below dist/src/, so that the path holds for both.
    const file = fileURLToPath(new URL(`../../../docker/quickstart/${name}.json`, import.meta.url))
    const request = JSON.parse(readFileSync(file, 'utf8')) as ConnectorRequest
    const own: Record<string, string> =
      'database.hostname' in request.config
        ? { 'database.hostname': url.hostname, 'database.port': port, 'database.dbname': database }
        : { 'connection.url': `jdbc:postgresql://${url.hostname}:${port}/${database}` }
    const prefix = 'database.hostname' in request.config ? 'database' : 'connection'
    const sslmode = url.searchParams.get('sslmode')
    if (sslmode && prefix === 'database') own['database.sslmode'] = sslmode
    if (sslmode && prefix === 'connection') own['connection.url'] += `?sslmode=${encodeURIComponent(sslmode)}`
    return { name, config: { ...request.config, ...own, [`${prefix}.user`]: user, [`${prefix}.password`]: password } }
  })
}

/** Creates a connector through REST; throws with the worker's own words when it is refused. */
export async function createConnector(restUrl: string, request: ConnectorRequest): Promise<void> {
  const response = await fetch(`${restUrl}/connectors`, {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify(request),
  })
  if (response.status !== 201) throw new Error(`${request.name} is refused: ${await response.text()}`)
  await response.body?.cancel()
}
