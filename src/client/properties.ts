import { CODECS, type Codec } from '../record/index.ts'
import type { ClientOverrides } from './client.ts'
import { configError } from './client-config.ts'
import type { AssignorName, ConsumerOptions } from './consumer/consumer-config.ts'
import type { ProducerOptions } from './producer/producer-config.ts'

/** Options read from Kafka's property names, and the keys that mean nothing to this client. */
export interface PropertyOptions<T> {
  readonly options: T
  readonly unknown: readonly string[]
}

type Reader = (key: string, value: string) => readonly [option: string, value: unknown]
type Table = Readonly<Record<string, Reader>>

const int =
  (option: string): Reader =>
  (key, value) => {
    if (!/^\s*-?\d+\s*$/.test(value)) throw configError(key, value, 'Not a number of type INT')
    return [option, Number(value)]
  }

const text =
  (option: string): Reader =>
  (_, value) => [option, value]

const bool =
  (option: string): Reader =>
  (key, value) => {
    const word = value.trim().toLowerCase()
    if (word !== 'true' && word !== 'false') throw configError(key, value, 'Expected value to be either true or false')
    return [option, word === 'true']
  }

const oneOf =
  (option: string, values: readonly string[]): Reader =>
  (key, value) => {
    if (!values.includes(value)) throw configError(key, value, `must be one of: ${values.join(', ')}`)
    return [option, value]
  }

/** Java names its assignors by class. */
const ASSIGNOR_CLASSES: Readonly<Record<string, AssignorName>> = {
  RangeAssignor: 'range',
  RoundRobinAssignor: 'roundrobin',
  StickyAssignor: 'sticky',
  CooperativeStickyAssignor: 'cooperative-sticky',
}

const assignors: Reader = (_, value) => {
  const names = value.split(',').map((name) => name.trim().replace(/^org\.apache\.kafka\.clients\.consumer\./, ''))
  return ['partitionAssignmentStrategy', names.map((name) => ASSIGNOR_CLASSES[name] ?? name)]
}

const acks: Reader = (key, value) => {
  const known = ({ all: -1, '-1': -1, '0': 0, '1': 1 } as Readonly<Record<string, number>>)[value.trim()]
  if (known === undefined) throw configError(key, value, 'must be one of: all, -1, 0, 1')
  return ['acks', known]
}

const plaintext: Reader = (key, value) => {
  // Sending in the clear what was meant to be encrypted would be worse than not starting.
  if (value !== 'PLAINTEXT') throw configError(key, value, 'this client speaks PLAINTEXT only so far')
  return ['', undefined]
}

const bytesOnly: Reader = () => ['', undefined]

const COMMON: Table = {
  'bootstrap.servers': text('bootstrapServers'),
  'client.id': text('clientId'),
  'request.timeout.ms': int('requestTimeoutMs'),
  'default.api.timeout.ms': int('defaultApiTimeoutMs'),
  'socket.connection.setup.timeout.ms': int('connectTimeoutMs'),
  'reconnect.backoff.ms': int('reconnectBackoffMs'),
  'reconnect.backoff.max.ms': int('reconnectBackoffMaxMs'),
  'retry.backoff.ms': int('retryBackoffMs'),
  'retry.backoff.max.ms': int('retryBackoffMaxMs'),
  'metadata.max.age.ms': int('metadataMaxAgeMs'),
  'metadata.recovery.strategy': oneOf('metadataRecoveryStrategy', ['rebootstrap', 'none']),
  'connections.max.idle.ms': int('connectionsMaxIdleMs'),
  'security.protocol': plaintext,
}

const PRODUCER: Table = {
  ...COMMON,
  acks,
  'batch.size': int('batchSize'),
  'linger.ms': int('lingerMs'),
  'buffer.memory': int('bufferMemory'),
  'compression.type': oneOf('compressionType', CODECS satisfies readonly Codec[]),
  'delivery.timeout.ms': int('deliveryTimeoutMs'),
  'max.block.ms': int('maxBlockMs'),
  'max.in.flight.requests.per.connection': int('maxInFlightRequestsPerConnection'),
  'max.request.size': int('maxRequestSize'),
  'enable.idempotence': bool('enableIdempotence'),
  'key.serializer': bytesOnly,
  'value.serializer': bytesOnly,
}

const CONSUMER: Table = {
  ...COMMON,
  'group.id': text('groupId'),
  'group.instance.id': text('groupInstanceId'),
  'session.timeout.ms': int('sessionTimeoutMs'),
  'heartbeat.interval.ms': int('heartbeatIntervalMs'),
  'max.poll.interval.ms': int('maxPollIntervalMs'),
  'max.poll.records': int('maxPollRecords'),
  'partition.assignment.strategy': assignors,
  'auto.offset.reset': oneOf('autoOffsetReset', ['earliest', 'latest', 'none']),
  'enable.auto.commit': bool('enableAutoCommit'),
  'auto.commit.interval.ms': int('autoCommitIntervalMs'),
  'isolation.level': oneOf('isolationLevel', ['read_uncommitted', 'read_committed']),
  'fetch.min.bytes': int('fetchMinBytes'),
  'fetch.max.bytes': int('fetchMaxBytes'),
  'fetch.max.wait.ms': int('fetchMaxWaitMs'),
  'max.partition.fetch.bytes': int('maxPartitionFetchBytes'),
  'check.crcs': bool('checkCrcs'),
  'allow.auto.create.topics': bool('allowAutoCreateTopics'),
  'group.protocol': oneOf('', ['classic']),
  'key.deserializer': bytesOnly,
  'value.deserializer': bytesOnly,
}

/** The names that each kind of client reads, for the reference. */
export const PROPERTY_NAMES: Readonly<Record<'common' | 'producer' | 'consumer', readonly string[]>> = {
  common: Object.keys(COMMON),
  producer: Object.keys(PRODUCER).filter((name) => !(name in COMMON)),
  consumer: Object.keys(CONSUMER).filter((name) => !(name in COMMON)),
}

function read(table: Table, properties: Readonly<Record<string, string>>): PropertyOptions<Record<string, unknown>> {
  const options: Record<string, unknown> = {}
  const unknown: string[] = []
  for (const [key, value] of Object.entries(properties)) {
    const reader = Object.hasOwn(table, key) ? table[key] : undefined
    if (!reader) {
      unknown.push(key)
      continue
    }
    const [option, parsed] = reader(key, value)
    if (option !== '') options[option] = parsed
  }
  return { options, unknown }
}

/** Options of clients from Kafka's names, such as `request.timeout.ms`; throws CLIENT_CONFIG naming a bad key. */
export function clientOptionsFrom(properties: Readonly<Record<string, string>>): PropertyOptions<ClientOverrides> {
  return read(COMMON, properties)
}

/** Producer options from Kafka's names, such as `linger.ms`. */
export function producerOptionsFrom(
  properties: Readonly<Record<string, string>>,
): PropertyOptions<ProducerOptions & ClientOverrides> {
  return read(PRODUCER, properties)
}

/** Consumer options from Kafka's names, such as `max.poll.records`. */
export function consumerOptionsFrom(
  properties: Readonly<Record<string, string>>,
): PropertyOptions<ConsumerOptions & ClientOverrides> {
  return read(CONSUMER, properties)
}
