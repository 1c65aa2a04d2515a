import { ConfigError, defineConfig, type Parsed, parseConfig, type RawConfig } from '@millrace/sdk'
import { taskHostConfig } from '../worker/task-host-config.ts'
import { workerLabelsConfig } from './worker-labels.ts'

const SIGNATURE_ALGORITHMS = ['HmacSHA1', 'HmacSHA224', 'HmacSHA256', 'HmacSHA384', 'HmacSHA512'] as const

/** Where and how REST is served. */
export const restConfig = defineConfig({
  listeners: {
    type: 'list',
    default: ['http://:8083'],
    importance: 'low',
    doc: 'URLs on which the REST API listens; an empty host means all interfaces.',
    validate: (value: readonly string[]) => value.map(listenerProblem).find((problem) => problem !== undefined),
  },
  'admin.listeners': {
    type: 'list',
    default: null,
    importance: 'low',
    doc: 'URLs for /admin alone; left out, it is on the other listeners, empty it is off.',
    validate: (value: readonly string[]) => value.map(listenerProblem).find((problem) => problem !== undefined),
  },
  'rest.advertised.host.name': {
    type: 'string',
    default: null,
    importance: 'low',
    doc: 'The host by which other workers reach this one.',
  },
  'rest.advertised.port': {
    type: 'int',
    default: null,
    min: 1,
    max: 65_535,
    importance: 'low',
    doc: 'The port by which other workers reach this one.',
  },
  'rest.advertised.listener': {
    type: 'string',
    default: null,
    oneOf: ['http'],
    importance: 'low',
    doc: 'Which protocol other workers use when there are listeners of both.',
  },
  'access.control.allow.origin': {
    type: 'string',
    default: '',
    importance: 'low',
    doc: 'Origins that browsers may call the REST API from: * or a list separated by commas; empty for none.',
  },
  'access.control.allow.methods': {
    type: 'string',
    default: '',
    importance: 'low',
    doc: 'Methods that such calls may use; empty for GET, POST and HEAD.',
  },
  'response.http.headers.config': {
    type: 'string',
    default: '',
    importance: 'low',
    doc: 'Headers on every answer of the REST API: set|add|setDate|addDate Name:Value, separated by commas.',
  },
})

/** The worker's properties in both modes: names, types and defaults of Kafka Connect 4.3. */
export const commonWorkerConfig = defineConfig({
  'bootstrap.servers': {
    type: 'list',
    importance: 'high',
    nonEmpty: true,
    doc: 'Where the log is: host:port pairs of the built-in broker or of any Kafka cluster.',
    example: 'localhost:9092',
  },
  'client.id': {
    type: 'string',
    default: '',
    importance: 'low',
    doc: 'Name of this worker in the logs of the brokers.',
  },
  'key.converter': {
    type: 'class',
    importance: 'high',
    doc: 'Converter between keys in records and keys in the log, for connectors that set none; options as key.converter.<option>.',
    example: 'org.apache.kafka.connect.json.JsonConverter',
  },
  'value.converter': {
    type: 'class',
    importance: 'high',
    doc: 'Converter between values in records and values in the log, for connectors that set none; options as value.converter.<option>.',
    example: 'org.apache.kafka.connect.json.JsonConverter',
  },
  'header.converter': {
    type: 'class',
    default: 'org.apache.kafka.connect.storage.SimpleHeaderConverter',
    importance: 'low',
    doc: 'Converter of header values.',
  },
  'task.shutdown.graceful.timeout.ms': {
    type: 'long',
    default: 5000,
    min: 0,
    importance: 'low',
    doc: 'How long tasks get to stop, all together; then they are stopped by force.',
  },
  'offset.flush.interval.ms': {
    type: 'long',
    default: 60_000,
    min: 1,
    importance: 'low',
    doc: 'How often the offsets of sources and sinks are committed.',
  },
  'offset.flush.timeout.ms': {
    type: 'long',
    default: 5000,
    min: 1,
    importance: 'low',
    doc: 'How long one commit of offsets may take before it is given up and tried again with the next.',
  },
  'plugin.path': {
    type: 'list',
    default: null,
    importance: 'low',
    doc: 'Folders with plugins as npm packages.',
    example: '/opt/plugins',
  },
  'connector.client.config.override.policy': {
    type: 'string',
    default: 'All',
    importance: 'low',
    doc: 'Which producer.override., consumer.override. and admin.override. keys connectors may set: All, None, Principal or Allowlist.',
  },
  'connector.client.config.override.allowlist': {
    type: 'list',
    default: [],
    importance: 'low',
    doc: 'The keys that the policy Allowlist lets connectors set.',
  },
  'config.providers': {
    type: 'list',
    default: [],
    importance: 'low',
    doc: 'Aliases of config providers, each set up by config.providers.<alias>.class and .param.*.',
  },
  'topic.creation.enable': {
    type: 'boolean',
    default: true,
    importance: 'low',
    doc: "Whether source tasks may create topics that are missing: by the connector's topic.creation.* settings, without them with the broker's defaults.",
  },
  'topic.tracking.enable': {
    type: 'boolean',
    default: true,
    importance: 'low',
    doc: 'Whether the topics that each connector uses are remembered (KIP-558).',
  },
  'topic.tracking.allow.reset': {
    type: 'boolean',
    default: true,
    importance: 'low',
    doc: 'Whether the remembered topics of a connector may be reset.',
  },
  ...restConfig,
  ...workerLabelsConfig,
  ...taskHostConfig,
})

/** What a standalone worker has in addition. */
export const standaloneWorkerConfig = defineConfig({
  ...commonWorkerConfig,
  'offset.storage.file.filename': {
    type: 'string',
    importance: 'high',
    nonEmpty: true,
    doc: 'The file that keeps the offsets of sources.',
    example: '/var/lib/millrace/connect.offsets',
  },
})

/** What a distributed worker has in addition. */
export const distributedWorkerConfig = defineConfig({
  ...commonWorkerConfig,
  'group.id': {
    type: 'string',
    importance: 'high',
    nonEmpty: true,
    doc: 'The name of the Connect cluster; must not be the consumer group of a sink.',
    example: 'connect-cluster',
  },
  'session.timeout.ms': {
    type: 'int',
    default: 10_000,
    min: 1,
    importance: 'high',
    doc: 'A worker that is not heard of for so long is out of the group; cut off from the log it stops its own work as long after.',
  },
  'heartbeat.interval.ms': {
    type: 'int',
    default: 500,
    min: 1,
    importance: 'high',
    doc: 'How often a worker asks whether a rebalance is due. Kafka: 3000. Lower here, because this bounds how long the work of a lost worker stands still.',
  },
  'rebalance.timeout.ms': {
    type: 'int',
    default: 60_000,
    min: 1,
    importance: 'high',
    doc: 'How long a worker may take to join a rebalance.',
  },
  'exactly.once.source.support': {
    type: 'string',
    default: 'disabled',
    oneOf: ['disabled', 'preparing', 'enabled'],
    ignoreCase: true,
    importance: 'high',
    doc: 'Whether sources may write records and offsets in one transaction (KIP-618): disabled only, because transactions come in a later version.',
    validate: (value: string) =>
      value === 'disabled'
        ? undefined
        : 'sources write at least once, because transactions come in a later version; leave it out or set it to disabled',
  },
  'worker.sync.timeout.ms': {
    type: 'int',
    default: 3000,
    min: 1,
    importance: 'low',
    doc: 'How long a worker may lag behind the configuration that its group works with; then it stops its work and leaves the group.',
  },
  'worker.unsync.backoff.ms': {
    type: 'int',
    default: 300_000,
    min: 1,
    importance: 'low',
    doc: 'How long a worker that could not catch up in worker.sync.timeout.ms stays out of the group before it joins again.',
  },
  'config.storage.topic': {
    type: 'string',
    importance: 'high',
    nonEmpty: true,
    doc: 'The compacted topic of the configuration; it has one partition.',
    example: 'connect-configs',
  },
  'config.storage.replication.factor': replicationFactor('config'),
  'offset.storage.topic': {
    type: 'string',
    importance: 'high',
    nonEmpty: true,
    doc: 'The compacted topic of the offsets of sources.',
    example: 'connect-offsets',
  },
  'offset.storage.partitions': partitions('offset', 25),
  'offset.storage.replication.factor': replicationFactor('offset'),
  'status.storage.topic': {
    type: 'string',
    importance: 'high',
    nonEmpty: true,
    doc: 'The compacted topic of the statuses of connectors and tasks.',
    example: 'connect-status',
  },
  'status.storage.partitions': partitions('status', 5),
  'status.storage.replication.factor': replicationFactor('status'),
  'connect.protocol': {
    type: 'string',
    default: 'sessioned',
    oneOf: ['sessioned', 'compatible', 'eager'],
    ignoreCase: true,
    importance: 'low',
    doc: 'The newest group protocol that this worker speaks.',
  },
  'scheduled.rebalance.max.delay.ms': {
    type: 'int',
    default: 0,
    min: 0,
    importance: 'low',
    doc: 'How long the work of a worker that left waits for its return. Kafka: 300000. Nothing here by default, because moving a task costs well under a second.',
  },
  'inter.worker.key.generation.algorithm': {
    type: 'string',
    default: 'HmacSHA256',
    oneOf: SIGNATURE_ALGORITHMS,
    importance: 'low',
    doc: 'The kind of key that workers sign their requests to each other with.',
  },
  'inter.worker.key.size': {
    type: 'int',
    default: null,
    min: 8,
    importance: 'low',
    doc: 'Bits of the key; left out, what suits the algorithm.',
  },
  'inter.worker.key.ttl.ms': {
    type: 'int',
    default: 3_600_000,
    min: 0,
    importance: 'low',
    doc: 'How long a key is used before the leader makes a new one.',
  },
  'inter.worker.signature.algorithm': {
    type: 'string',
    default: 'HmacSHA256',
    oneOf: SIGNATURE_ALGORITHMS,
    importance: 'low',
    doc: 'How requests between workers are signed.',
  },
  'inter.worker.verification.algorithms': {
    type: 'list',
    default: ['HmacSHA256'],
    oneOf: SIGNATURE_ALGORITHMS,
    nonEmpty: true,
    importance: 'low',
    doc: 'Signatures that are accepted from other workers.',
  },
})

export type RestConfig = Parsed<typeof restConfig>
export type CommonWorkerConfig = Parsed<typeof commonWorkerConfig>
export type StandaloneWorkerConfig = Parsed<typeof standaloneWorkerConfig>
export type DistributedWorkerConfig = Parsed<typeof distributedWorkerConfig>

function replicationFactor(store: string) {
  return {
    type: 'short',
    default: 3,
    importance: 'low',
    doc: `Replicas of the ${store} topic when it is created; -1 takes the broker's default. Left out on a smaller cluster, the broker's default is taken too.`,
    validate: (value: number) =>
      value === -1 || value > 0 ? undefined : 'Value must be at least 1, or -1 to use the default of the broker',
  } as const
}

function partitions(store: string, count: number) {
  return {
    type: 'int',
    default: count,
    importance: 'low',
    doc: `Partitions of the ${store} topic when it is created; -1 takes the broker's default.`,
    validate: (value: number) =>
      value === -1 || value > 0 ? undefined : 'Value must be at least 1, or -1 to use the default of the broker',
  } as const
}

/** A URL on which REST listens; the host is null for all interfaces. */
export interface RestListener {
  readonly host: string | null
  readonly port: number
}

/** Reads a listener such as `http://:8083`; null when it is none that can be served. */
export function parseListener(text: string): RestListener | null {
  const match = /^http:\/\/(?:\[([^\]]+)\]|([^:/[\]]*)):(\d+)\/?$/i.exec(text.trim())
  const port = Number(match?.[3])
  if (!match || port > 65_535) return null
  return { host: match[1] ?? (match[2] === '' ? null : (match[2] ?? null)), port }
}

function listenerProblem(text: string): string | undefined {
  if (parseListener(text)) return undefined
  const https = /^https:/i.test(text.trim())
  return https
    ? `${text} asks for https, which the REST API does not serve; put a proxy in front of it or use http`
    : `${text} is no listener; write http://host:port, with an empty host for all interfaces`
}

function parseAll<const D extends typeof restConfig | typeof standaloneWorkerConfig | typeof distributedWorkerConfig>(
  definition: D,
  raw: RawConfig,
): Parsed<D> {
  const { values, issues } = parseConfig(definition, raw)
  // Every problem at once, so that a file is right after one round of corrections.
  if (issues.length > 0) throw new ConfigError(issues.map((issue) => issue.message).join('\n'))
  return values
}

/** Parses the properties of a REST server alone; throws with every problem at once. */
export function parseRestConfig(raw: RawConfig): RestConfig {
  return parseAll(restConfig, raw)
}

/** Parses the properties of a standalone worker; throws with every problem at once. */
export function parseStandaloneConfig(raw: RawConfig): StandaloneWorkerConfig {
  return parseAll(standaloneWorkerConfig, raw)
}

/** Parses the properties of a distributed worker; throws with every problem at once. */
export function parseDistributedConfig(raw: RawConfig): DistributedWorkerConfig {
  const config = parseAll(distributedWorkerConfig, raw)
  const names = [config['config.storage.topic'], config['offset.storage.topic'], config['status.storage.topic']]
  if (new Set(names).size < names.length) {
    throw new ConfigError(
      'config.storage.topic, offset.storage.topic and status.storage.topic must be three different topics, ' +
        `but are ${names.join(', ')}`,
    )
  }
  if (config['heartbeat.interval.ms'] >= config['session.timeout.ms']) {
    throw new ConfigError(
      `Invalid value ${config['heartbeat.interval.ms']} for configuration heartbeat.interval.ms: ` +
        `must be lower than session.timeout.ms (${config['session.timeout.ms']}), best a third of it`,
    )
  }
  return config
}

/** Settings of an internal topic that `<store>.storage.<setting>` passes on. */
export function topicSettings(raw: RawConfig, store: 'config' | 'offset' | 'status'): Readonly<Record<string, string>> {
  const prefix = `${store}.storage.`
  const own = new Set(['topic', 'partitions', 'replication.factor', 'file.filename'])
  return Object.fromEntries(
    Object.entries(raw)
      .filter(([key]) => key.startsWith(prefix) && !own.has(key.slice(prefix.length)))
      .map(([key, value]) => [key.slice(prefix.length), value]),
  )
}
