import { type ConfigDef, defineConfig, parseConfigOrThrow, type RawConfig } from '@millrace/sdk'
import type { ClientOptions, ConsumerOptions, ProducerOptions } from '../../client/index.ts'

/** What clients need of the world around them. */
export type ClientEnvironment = Pick<ClientOptions, 'net' | 'clock' | 'random' | 'logger'>

type Kind = 'int' | 'long' | 'string' | 'list' | 'boolean'

/** Kafka's names of settings, and those of the client's options. Other names are settings the client does not have. */
const COMMON = {
  'client.id': ['clientId', 'string'],
  'request.timeout.ms': ['requestTimeoutMs', 'int'],
  'default.api.timeout.ms': ['defaultApiTimeoutMs', 'int'],
  'socket.connection.setup.timeout.ms': ['connectTimeoutMs', 'long'],
  'reconnect.backoff.ms': ['reconnectBackoffMs', 'long'],
  'reconnect.backoff.max.ms': ['reconnectBackoffMaxMs', 'long'],
  'retry.backoff.ms': ['retryBackoffMs', 'long'],
  'retry.backoff.max.ms': ['retryBackoffMaxMs', 'long'],
  'metadata.max.age.ms': ['metadataMaxAgeMs', 'long'],
  'metadata.recovery.strategy': ['metadataRecoveryStrategy', 'string'],
  'connections.max.idle.ms': ['connectionsMaxIdleMs', 'long'],
  'allow.auto.create.topics': ['allowAutoCreateTopics', 'boolean'],
} as const satisfies Mapping

const PRODUCER = {
  acks: ['acks', 'string'],
  'batch.size': ['batchSize', 'int'],
  'linger.ms': ['lingerMs', 'long'],
  'buffer.memory': ['bufferMemory', 'long'],
  'compression.type': ['compressionType', 'string'],
  'delivery.timeout.ms': ['deliveryTimeoutMs', 'int'],
  'max.block.ms': ['maxBlockMs', 'long'],
  'max.in.flight.requests.per.connection': ['maxInFlightRequestsPerConnection', 'int'],
  'max.request.size': ['maxRequestSize', 'int'],
  'enable.idempotence': ['enableIdempotence', 'boolean'],
} as const satisfies Mapping

const CONSUMER = {
  'group.id': ['groupId', 'string'],
  'group.instance.id': ['groupInstanceId', 'string'],
  'session.timeout.ms': ['sessionTimeoutMs', 'int'],
  'heartbeat.interval.ms': ['heartbeatIntervalMs', 'int'],
  'max.poll.interval.ms': ['maxPollIntervalMs', 'int'],
  'max.poll.records': ['maxPollRecords', 'int'],
  'auto.offset.reset': ['autoOffsetReset', 'string'],
  'enable.auto.commit': ['enableAutoCommit', 'boolean'],
  'isolation.level': ['isolationLevel', 'string'],
  'fetch.min.bytes': ['fetchMinBytes', 'int'],
  'fetch.max.bytes': ['fetchMaxBytes', 'int'],
  'fetch.max.wait.ms': ['fetchMaxWaitMs', 'int'],
  'max.partition.fetch.bytes': ['maxPartitionFetchBytes', 'int'],
  'check.crcs': ['checkCrcs', 'boolean'],
  'partition.assignment.strategy': ['partitionAssignmentStrategy', 'list'],
} as const satisfies Mapping

type Mapping = Readonly<Record<string, readonly [option: string, kind: Kind]>>

/** Java's assignor classes by the names the client knows. */
const ASSIGNORS: Readonly<Record<string, string>> = {
  RangeAssignor: 'range',
  RoundRobinAssignor: 'roundrobin',
  StickyAssignor: 'sticky',
  CooperativeStickyAssignor: 'cooperative-sticky',
}

/** Reads the settings of a mapping; throws a ConfigError that names each wrong key. Absent ones stay the client's default. */
function read(mapping: Mapping, properties: RawConfig): Record<string, unknown> {
  const key = (kind: Kind) => ({ type: kind, default: null, importance: 'low', doc: '' })
  const definition = defineConfig(
    Object.fromEntries(Object.entries(mapping).map(([name, [, kind]]) => [name, key(kind)])) as unknown as ConfigDef,
  )
  const parsed = parseConfigOrThrow(definition, properties) as Readonly<Record<string, unknown>>
  const entries = Object.entries(mapping).map(([name, [option]]) => [option, parsed[name]] as const)
  return Object.fromEntries(entries.filter(([, value]) => value !== null && value !== undefined))
}

/** The client's options from Kafka's properties. */
export function clientOptions(properties: RawConfig, environment: ClientEnvironment): ClientOptions {
  const { clock, random, net, logger } = environment
  const own = read(COMMON, properties)
  return { ...own, bootstrapServers: properties['bootstrap.servers'] ?? '', clock, random, net, logger }
}

/** A producer's options from Kafka's properties. */
export function producerOptions(properties: RawConfig): ProducerOptions {
  const { acks, ...rest } = read(PRODUCER, properties)
  const count = acks === undefined || acks === 'all' ? acks : Number(acks)
  return { ...rest, ...(count === undefined ? {} : { acks: count }) } as ProducerOptions
}

/** A consumer's options from Kafka's properties. */
export function consumerOptions(properties: RawConfig): ConsumerOptions {
  const options = read(CONSUMER, properties)
  const strategy = options['partitionAssignmentStrategy'] as readonly string[] | undefined
  const names = strategy?.map((name) => ASSIGNORS[name.slice(name.lastIndexOf('.') + 1)] ?? name)
  return { ...options, ...(names ? { partitionAssignmentStrategy: names } : {}) } as ConsumerOptions
}
