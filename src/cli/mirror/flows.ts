import type { RawConfig } from '@millrace/sdk'
import { clientKeys, connectorKeys, workerPrefixes } from './known-keys.ts'

/** A connector as MirrorMaker 2 configures it for a flow; values of config providers are left as they are written. */
export interface FlowConnector {
  readonly name: string
  readonly config: RawConfig
}

/** Mirroring from one cluster to another: a group of workers on the target. */
export interface Flow {
  readonly source: string
  readonly target: string
  /** `source->target`. */
  readonly name: string
  /** False when only heartbeats are written, which a flow in the other direction copies. */
  readonly isEnabled: boolean
  /** Worker properties as of `connect-distributed`. */
  readonly worker: RawConfig
  readonly connectors: readonly FlowConnector[]
}

const JAVA = 'org.apache.kafka.connect.mirror'
const BYTES = 'org.apache.kafka.connect.converters.ByteArrayConverter'
const PROVIDERS = 'config.providers'
/** The three connectors of each flow, by the names that MirrorMaker gives them. */
const CONNECTORS = ['MirrorSourceConnector', 'MirrorHeartbeatConnector', 'MirrorCheckpointConnector']
const CONNECTOR_KEYS = new Set([...clientKeys, ...connectorKeys].filter((key) => key !== 'bootstrap.servers'))

export function flowName(source: string, target: string): string {
  return `${source}->${target}`
}

/** The aliases of `clusters`, each once. */
export function clusterAliases(properties: RawConfig): readonly string[] {
  const names = (properties.clusters ?? '').split(',').map((name) => name.trim())
  return [...new Set(names.filter((name) => name !== ''))]
}

export function isTrue(text: string | undefined): boolean {
  return text?.trim().toLowerCase() === 'true'
}

/**
 * The flows of a file: all between two clusters that are enabled or write heartbeats. `raw` is the file as it is written,
 * `values` with the values of config providers: they decide what runs, but connectors get what is written.
 */
export function flowsOf(raw: RawConfig, values: RawConfig = raw): readonly Flow[] {
  const aliases = clusterAliases(values)
  const pairs = aliases.flatMap((source) => aliases.map((target) => ({ source, target })))
  return pairs.filter(({ source, target }) => source !== target && runs(values, source, target)).map(flow)

  function flow({ source, target }: { readonly source: string; readonly target: string }): Flow {
    const name = flowName(source, target)
    return {
      source,
      target,
      name,
      isEnabled: isTrue(values[`${name}.enabled`]),
      worker: workerProperties(raw, source, target),
      connectors: CONNECTORS.map((connector) => ({
        name: connector,
        config: connectorConfig(raw, source, target, connector),
      })),
    }
  }
}

/** Also what is not enabled runs for its heartbeats, as long as nobody switches these off. */
function runs(values: RawConfig, source: string, target: string): boolean {
  const name = flowName(source, target)
  const heartbeats = values[`${name}.emit.heartbeats.enabled`] ?? values['emit.heartbeats.enabled'] ?? 'true'
  return isTrue(values[`${name}.enabled`]) || isTrue(heartbeats)
}

/** The entries whose key begins with a prefix, the key that is the prefix among them. */
function startingWith(raw: RawConfig, prefix: string): RawConfig {
  return Object.fromEntries(Object.entries(raw).filter(([key]) => key.startsWith(prefix)))
}

/** The entries below a prefix, by the rest of their keys. */
function below(raw: RawConfig, prefix: string): RawConfig {
  const entries = Object.entries(raw).filter(([key]) => key.startsWith(prefix) && key.length > prefix.length)
  return Object.fromEntries(entries.map(([key, value]) => [key.slice(prefix.length), value]))
}

/** The settings of a cluster: its own, and those of clients from the top, for each kind of client too. */
function clusterProperties(raw: RawConfig, alias: string): RawConfig {
  const own = below(raw, `${alias}.`)
  const forClients = (from: RawConfig): RawConfig => {
    const given = clientKeys.flatMap((key): [string, string][] => {
      const value = from[key]
      return value === undefined ? [] : [[key, value]]
    })
    return Object.fromEntries(
      given.flatMap(([key, value]) => [
        [key, value],
        ...['producer', 'consumer', 'admin'].map((client) => [`${client}.${key}`, value]),
      ]),
    )
  }
  // What is said of a kind of client wins over the cluster, and the cluster over the top.
  return { ...forClients(raw), ...forClients(own), ...own }
}

function workerProperties(raw: RawConfig, source: string, target: string): RawConfig {
  const internal = (store: string) => `mm2-${store}.${source}.internal`
  const properties: Record<string, string> = {
    'client.id': flowName(source, target),
    'group.id': `${source}-mm2`,
    'offset.storage.topic': internal('offsets'),
    'status.storage.topic': internal('status'),
    'config.storage.topic': internal('configs'),
    'key.converter': BYTES,
    'value.converter': BYTES,
    'header.converter': BYTES,
    ...clusterProperties(raw, target),
  }
  for (const prefix of [...workerPrefixes, PROVIDERS]) Object.assign(properties, startingWith(raw, prefix))
  return properties
}

/** Kinds of clients by their prefix, as loosely as MirrorMaker takes it. */
const OF_A_CLIENT = /^(consumer|producer|admin)/

/** The settings of a cluster as a connector takes them for its source or target. */
function sideProperties(cluster: RawConfig, side: 'source' | 'target'): RawConfig {
  const prefixed = (key: string) => (OF_A_CLIENT.test(key) ? `${side}.${key}` : `${side}.cluster.${key}`)
  return Object.fromEntries(Object.entries(cluster).map(([key, value]) => [prefixed(key), value]))
}

function connectorConfig(raw: RawConfig, source: string, target: string, connector: string): RawConfig {
  return {
    name: connector,
    'connector.class': `${JAVA}.${connector}`,
    'source.cluster.alias': source,
    'target.cluster.alias': target,
    enabled: 'false',
    ...Object.fromEntries(Object.entries(raw).filter(([key]) => CONNECTOR_KEYS.has(key))),
    ...startingWith(raw, PROVIDERS),
    ...startingWith(raw, 'replication.policy'),
    ...sideProperties(clusterProperties(raw, source), 'source'),
    ...sideProperties(clusterProperties(raw, target), 'target'),
    ...below(raw, `${flowName(source, target)}.`),
  }
}
