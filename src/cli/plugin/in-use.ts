import type { RawConfig } from '@millrace/sdk'
import { realClock, realNet, realRandom } from '../../base/real/index.ts'
import { silentLogger } from '../../base/index.ts'
import { createClient } from '../../client/index.ts'
import {
  clientOptions,
  parseListener,
  type Plugin,
  type PluginRegistry,
  pluginReferences,
} from '../../connect/index.ts'
import { readPropertiesFile } from '../properties-file.ts'
import { UsageError } from '../usage-error.ts'

/** A connector of a cluster, as far as its plugins go. */
export interface UsedBy {
  readonly name: string
  readonly config: RawConfig
  /** The versions of the connector and its tasks that run; none where that is not known. */
  readonly running: readonly string[]
}

/** Whom to ask for the connectors. */
export interface WorkerOptions {
  /** The address of a worker's REST API. */
  readonly worker?: string
  readonly workerConfig?: string
}

const REQUEST_TIMEOUT_MS = 30_000
const POLL_MS = 500

/**
 * Which connectors use a version of a package: those that run it, perhaps since before a newer one came, and, where nobody knows
 * what runs, those whose classes resolve to it. Each is told with the key that names the class. Pure.
 */
export function usesOf(
  registry: PluginRegistry,
  { name, version }: { readonly name: string; readonly version: string },
  connectors: readonly UsedBy[],
): readonly string[] {
  return connectors.flatMap((connector) => {
    const uses = pluginReferences(connector.config).filter(({ key, className, range }) => {
      const isIt = (plugin: Plugin | undefined) => plugin?.package === name && plugin.packageVersion === version
      const isRunning = ({ manifest }: Plugin) => connector.running.includes(manifest.version)
      const running = key === 'connector.class' ? registry.versions(className).filter(isRunning) : []
      return running.length > 0 ? running.some(isIt) : isIt(registry.find(className, undefined, range))
    })
    return uses.map(({ key, className }) => `${connector.name} (${key}=${className})`)
  })
}

/**
 * The connectors of the cluster of a worker: by its REST API, or, when the file of its properties is given and it does not
 * answer, from the config topic. Null when nobody was named.
 */
export async function connectorsOf({ worker, workerConfig }: WorkerOptions): Promise<readonly UsedBy[] | null> {
  if (worker === undefined && workerConfig === undefined) return null
  const properties = workerConfig === undefined ? {} : readPropertiesFile(workerConfig)
  const url = worker ?? restUrl(properties)
  // Its own converters are those of connectors that name none.
  const itself: UsedBy = { name: 'the worker itself', config: properties, running: [] }
  try {
    return [itself, ...(await askWorker(url))]
  } catch (error) {
    const { 'config.storage.topic': topic } = properties
    if (topic === undefined) throw error
    return [itself, ...(await readConfigTopic(properties, topic))]
  }
}

function restUrl(properties: RawConfig): string {
  const [first = 'http://:8083'] = (properties['listeners'] ?? 'http://:8083').split(',')
  const listener = parseListener(first)
  const host = properties['rest.advertised.host.name'] ?? listener?.host ?? '127.0.0.1'
  return `http://${host}:${properties['rest.advertised.port'] ?? listener?.port ?? 8083}`
}

/** What `GET /connectors?expand=info&expand=status` says of a connector, as far as it is used here. */
interface ExpandedConnector {
  readonly info: { readonly config?: RawConfig }
  readonly status: { readonly connector?: Versioned; readonly tasks?: readonly Versioned[] }
}

interface Versioned {
  readonly version?: string
}

async function askWorker(url: string): Promise<readonly UsedBy[]> {
  let answer: Record<string, Partial<ExpandedConnector>>
  try {
    const address = new URL('connectors?expand=info&expand=status', url.endsWith('/') ? url : `${url}/`)
    const response = await fetch(address, { signal: AbortSignal.timeout(REQUEST_TIMEOUT_MS) })
    if (!response.ok) throw new Error(`it answers ${response.status}`)
    answer = (await response.json()) as typeof answer
  } catch (error) {
    const cause = error instanceof Error ? ((error.cause as Error | undefined) ?? error).message : String(error)
    throw new UsageError(
      `the worker at ${url} cannot say whether the plugin is in use: ${cause}; start it, or remove with --force`,
    )
  }
  return Object.entries(answer).map(([name, { info, status }]) => ({
    name,
    config: info?.config ?? {},
    running: [status?.connector, ...(status?.tasks ?? [])].flatMap((one) => one?.version ?? []),
  }))
}

/** The connectors whose newest record in the config topic is no tombstone. */
async function readConfigTopic(properties: RawConfig, topic: string): Promise<readonly UsedBy[]> {
  const world = { clock: realClock, net: realNet, random: realRandom, logger: silentLogger }
  const consumer = createClient(clientOptions(properties, world)).consumer({
    enableAutoCommit: false,
    autoOffsetReset: 'earliest',
    isolationLevel: 'read_committed',
  })
  const connectors = new Map<string, RawConfig>()
  try {
    const partitions = (await consumer.partitionsFor(topic)).map(({ partition }) => ({ topic, partition }))
    const ends = await consumer.endOffsets(partitions)
    consumer.assign(partitions)
    consumer.seekToBeginning()
    const isBehind = async () => {
      const positions = await Promise.all(partitions.map((partition) => consumer.position(partition)))
      return positions.some((position, index) => position < (ends[index] ?? 0))
    }
    while (await isBehind()) {
      for (const { key, value } of await consumer.poll(POLL_MS)) {
        const [, name] = /^connector-(.*)$/s.exec(key?.toString() ?? '') ?? []
        if (name === undefined) continue
        if (value === null) connectors.delete(name)
        else connectors.set(name, (JSON.parse(value.toString()) as { properties?: RawConfig }).properties ?? {})
      }
    }
  } finally {
    await consumer.close()
  }
  return [...connectors].map(([name, config]) => ({ name, config, running: [] }))
}
