import { ConnectError } from '@millrace/sdk'
import type pg from 'pg'
import type { ConnectionSettings } from '../connection-config.ts'
import type { SqlConnection, SqlCursor, SqlResult, SqlStatement, SqlText } from '../sql.ts'
import type { HostPort } from '../url.ts'
import { ArraysQuery } from './arrays-query.ts'
import { type DriverProperties, driverProperties } from './driver-properties.ts'
import { describeFailure, sqlState } from './failures.ts'
import { columnOf, RowsQuery } from './rows-query.ts'
import { WireBuffer } from './wire-buffer.ts'

/** Values stay text: the readers of this connector know the types better than the driver's parsers. */
const TEXT_ONLY = { getTypeParser: () => (value: unknown) => value } as unknown as pg.CustomTypesConfig

/** Makes text forms independent of the server's settings, and lets a server notice that we are gone. */
const SESSION = [
  "set datestyle = 'ISO, YMD'",
  "set timezone = 'UTC'",
  "set client_encoding = 'UTF8'",
  "set lc_monetary = 'C'",
  "set bytea_output = 'hex'",
  'set extra_float_digits = 3',
  "set intervalstyle = 'postgres'",
  'set standard_conforming_strings = on',
].join('; ')

/** Keeps a transaction of a task that hangs or was cut off from blocking its successor for ever. */
const IDLE_LIMIT = "set idle_in_transaction_session_timeout = '1min'"

/** A reader's transaction may idle as long as the log pushes back; a writer's must not outlive its task. */
export type ConnectionPurpose = 'read' | 'write'

type Shuffle = <T>(list: readonly T[]) => readonly T[]

class PostgresConnection implements SqlConnection {
  readonly #client: pg.Client
  readonly #wire = new WireBuffer()
  #broken = false
  zone = 'UTC'

  constructor(client: pg.Client) {
    this.#client = client
    // A connection that ends between two statements says so here; the next statement would fail anyway.
    client.on('error', () => {
      this.#broken = true
    })
    client.on('end', () => {
      this.#broken = true
    })
  }

  get broken(): boolean {
    return this.#broken
  }

  async run(statement: SqlStatement | string): Promise<SqlResult> {
    const { text, values, arrays, name }: SqlStatement = typeof statement === 'string' ? { text: statement } : statement
    try {
      if (arrays !== undefined) {
        return await this.#submit((done) => new ArraysQuery({ text, name, arrays }, this.#wire, done))
      }
      if (values === undefined && name === undefined) return await this.#submit((done) => new RowsQuery(text, done))
      const { fields, rows, rowCount, command } = await this.#client.query<SqlText[]>({
        text,
        rowMode: 'array',
        types: TEXT_ONLY,
        ...(values === undefined ? {} : { values: values as SqlText[] }),
        ...(name === undefined ? {} : { name }),
      })
      return { columns: fields.map(columnOf), rows, affected: rowCount ?? 0, command }
    } catch (error) {
      if (sqlState(error) === undefined || /^(08|57P0)/.test(sqlState(error) ?? '')) this.#broken = true
      throw error
    }
  }

  #submit(make: (done: (error: Error | null, result?: SqlResult) => void) => pg.Submittable): Promise<SqlResult> {
    return new Promise((resolve, reject) => {
      const query = make((error, result) => {
        if (error === null) resolve(result as SqlResult)
        else reject(error)
      })
      this.#client.query(query)
    })
  }

  async close(): Promise<void> {
    this.#broken = true
    // An open statement ends with its socket; there is nobody left to tell about a failure to close.
    await this.#client.end().catch(() => undefined)
  }
}

/** Connects to the first server that answers and is of the asked kind. One attempt; the caller repeats. */
export async function connectPostgres(
  settings: ConnectionSettings,
  purpose: ConnectionPurpose,
  shuffle: Shuffle,
): Promise<SqlConnection> {
  const properties = driverProperties(settings, purpose)
  const hosts = properties.shuffleHosts ? shuffle(settings.url.hosts) : settings.url.hosts
  const failures: string[] = []
  let last: unknown
  const wanted: readonly (boolean | undefined)[] =
    properties.target === 'any'
      ? [undefined]
      : properties.target === 'primary' || properties.target === 'secondary'
        ? [properties.target === 'primary']
        : [properties.target === 'preferPrimary', undefined]
  for (const primary of wanted) {
    for (const host of hosts) {
      try {
        const connection = await connectHost(host, properties, purpose, primary)
        if (connection !== undefined) return connection
        failures.push(`${host.host}:${host.port}: is no ${primary === true ? 'primary' : 'secondary'}`)
      } catch (error) {
        last = error
        failures.push(`${host.host}:${host.port}: ${describeFailure(error, false)}`)
      }
    }
  }
  if (hosts.length === 1 && last !== undefined) throw last
  throw new ConnectError(failures.join('; '), { cause: last })
}

async function connectHost(
  host: HostPort,
  properties: DriverProperties,
  purpose: ConnectionPurpose,
  primary: boolean | undefined,
): Promise<SqlConnection | undefined> {
  const client = await connectClient(host, properties)
  const connection = new PostgresConnection(client)
  try {
    connection.zone = (await connection.run("select current_setting('TimeZone')")).rows[0]?.[0] ?? 'UTC'
    const path = properties.searchPath
    const searchPath = path === undefined ? '' : `; set search_path = ${path.split(',').map(quoteName).join(', ')}`
    await connection.run(`${SESSION}${purpose === 'write' ? `; ${IDLE_LIMIT}` : ''}${searchPath}`)
    await connection.run(
      "select set_config('client_connection_check_interval', '1s', false) where " +
        "current_setting('server_version_num')::int >= 140000",
    )
    if (primary === undefined) return connection
    const recovering = (await connection.run('select pg_is_in_recovery()')).rows[0]?.[0] === 't'
    if (recovering !== primary) return connection
  } catch (error) {
    await connection.close()
    throw error
  }
  await connection.close()
  return undefined
}

const quoteName = (name: string): string =>
  `"${name
    .trim()
    .replace(/^"(.*)"$/, '$1')
    .replaceAll('"', '""')}"`

/** Walks through the ways that sslmode allows, encrypted or plain. */
async function connectClient(host: HostPort, properties: DriverProperties): Promise<pg.Client> {
  // Loaded here, so that only a process in which a task runs pays for the driver.
  const { default: driver } = await import('pg')
  const attempt = async (encrypted: boolean): Promise<pg.Client> => {
    const ssl = encrypted ? (properties.tls(host) ?? true) : false
    const client = new driver.Client({ ...properties.client, host: host.host, port: host.port, ssl })
    // Without a listener an error that arrives while connecting would end the process.
    client.on('error', () => undefined)
    try {
      await client.connect()
      return client
    } catch (error) {
      await client.end().catch(() => undefined)
      throw error
    }
  }
  if (properties.sslMode === 'prefer') {
    return attempt(true).catch((error: unknown) => {
      if (/does not support SSL/i.test((error as Error).message) || sqlState(error)?.startsWith('28') === true) {
        return attempt(false)
      }
      throw error
    })
  }
  if (properties.sslMode === 'allow') {
    return attempt(false).catch((error: unknown) => {
      if (sqlState(error)?.startsWith('28') === true) return attempt(true)
      throw error
    })
  }
  return attempt(properties.sslMode !== 'disable')
}

const CURSOR = 'millrace_rows'

/** Opens a server-side cursor in a transaction of its own. */
export async function openPostgresCursor(
  connection: SqlConnection,
  statement: SqlStatement,
  isolation: string | undefined,
): Promise<SqlCursor> {
  await connection.run(isolation === undefined ? 'begin' : `begin isolation level ${isolation}`)
  try {
    await connection.run({ ...statement, text: `declare ${CURSOR} no scroll cursor for ${statement.text}` })
  } catch (error) {
    if (!connection.broken) await connection.run('rollback')
    throw error
  }
  return {
    fetch: (limit) => connection.run(`fetch forward ${limit} from ${CURSOR}`),
    async close() {
      if (!connection.broken) await connection.run('commit')
    },
  }
}
