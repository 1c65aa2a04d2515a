import { type ConfigKey, LONG_MAX } from './config-key.ts'

const REPLICATION = 'Accepted for compatibility: this broker is one node, so there is one replica of everything.'

/** Where the broker listens, what it takes in, and how much of it at once. */
const NETWORK_KEYS = [
  { name: 'node.id', type: 'int', default: '1', min: 0, doc: 'The id of this broker in metadata answers.' },
  { name: 'broker.id', type: 'int', default: null, min: 0, doc: 'Older name of node.id; used when node.id is absent.' },
  {
    name: 'broker.rack',
    type: 'string',
    default: null,
    doc: 'The rack shown for this broker in metadata answers.',
  },
  {
    name: 'cluster.id',
    type: 'string',
    default: null,
    doc: 'The cluster id of a new data directory: 22 characters of base64url. Without it a random one is made.',
  },
  {
    name: 'listeners',
    type: 'list',
    default: 'PLAINTEXT://127.0.0.1:9092',
    doc: 'Addresses to listen on, as NAME://host:port. Port 0 takes a free one. The default is this machine only, because PLAINTEXT asks nobody who he is.',
  },
  {
    name: 'advertised.listeners',
    type: 'list',
    default: null,
    doc: 'Addresses that clients are told, as NAME://host:port, where they differ from listeners.',
  },
  {
    name: 'listener.security.protocol.map',
    type: 'list',
    default: 'PLAINTEXT:PLAINTEXT',
    doc: 'Security protocol of each listener name, as NAME:PROTOCOL. Only PLAINTEXT is served by this version.',
  },
  {
    name: 'controller.listener.names',
    type: 'list',
    default: '',
    doc: 'Listeners of the KRaft controller in files written for Kafka; they are not opened, there is no controller.',
  },
  { name: 'inter.broker.listener.name', type: 'string', default: null, doc: REPLICATION },
  {
    name: 'socket.request.max.bytes',
    type: 'int',
    default: '104857600',
    min: 1,
    doc: 'The largest request; a connection that announces more is closed.',
  },
  {
    name: 'queued.max.request.bytes',
    type: 'long',
    default: '134217728',
    doc: 'How many bytes of requests may be held in memory; beyond it no socket is read until some are done. -1 is no limit (the default of Kafka).',
  },
  {
    name: 'max.connections',
    type: 'int',
    default: '10000',
    min: 1,
    doc: 'How many connections may be open at once; more are closed as they come.',
  },
  {
    name: 'connections.max.idle.ms',
    type: 'long',
    default: '600000',
    doc: 'Connections that are silent for so long are closed; -1 is never.',
  },
  {
    name: 'fetch.max.bytes',
    type: 'int',
    default: '57671680',
    min: 1024,
    doc: 'The most a fetch is answered with, whatever it asks for.',
  },
  {
    name: 'max.incremental.fetch.session.cache.slots',
    type: 'int',
    default: '1000',
    min: 0,
    doc: 'How many incremental fetch sessions (KIP-227) are kept.',
  },
] as const satisfies readonly ConfigKey[]

/** Where and how the log is kept; the second half are the defaults of topic configurations. */
const LOG_KEYS = [
  { name: 'log.dirs', type: 'list', default: null, doc: 'The data directory. One is supported.' },
  { name: 'log.dir', type: 'string', default: '/tmp/kafka-logs', doc: 'The data directory when log.dirs is absent.' },
  {
    name: 'log.flush',
    type: 'string',
    default: 'commit',
    oneOf: ['commit', 'os'],
    doc: 'commit: acks=all is answered after a sync to disk that many producers share. os: after the write, as Kafka does; a crash of the machine may lose what the system had not written yet.',
  },
  {
    name: 'log.flush.interval.messages',
    type: 'long',
    default: LONG_MAX,
    min: 1,
    doc: 'Sync a log after this many records.',
  },
  { name: 'log.flush.interval.ms', type: 'long', default: null, min: 0, doc: 'Sync a log at least this often.' },
  {
    name: 'log.flush.scheduler.interval.ms',
    type: 'long',
    default: LONG_MAX,
    min: 0,
    doc: 'How often is looked for logs to sync.',
  },
  { name: 'log.segment.bytes', type: 'int', default: '1073741824', min: 1024, doc: 'Default of segment.bytes.' },
  { name: 'log.roll.ms', type: 'long', default: null, min: 1, doc: 'Default of segment.ms.' },
  { name: 'log.roll.hours', type: 'int', default: '168', min: 1, doc: 'Default of segment.ms, in hours.' },
  { name: 'log.roll.jitter.ms', type: 'long', default: null, min: 0, doc: 'Default of segment.jitter.ms.' },
  { name: 'log.roll.jitter.hours', type: 'int', default: '0', min: 0, doc: 'Default of segment.jitter.ms, in hours.' },
  { name: 'log.retention.bytes', type: 'long', default: '-1', doc: 'Default of retention.bytes.', dynamic: true },
  { name: 'log.retention.ms', type: 'long', default: null, min: -1, doc: 'Default of retention.ms.', dynamic: true },
  { name: 'log.retention.minutes', type: 'int', default: null, doc: 'Default of retention.ms, in minutes.' },
  { name: 'log.retention.hours', type: 'int', default: '168', doc: 'Default of retention.ms, in hours.' },
  {
    name: 'log.retention.check.interval.ms',
    type: 'long',
    default: '300000',
    min: 1,
    doc: 'How often is looked for segments to remove.',
  },
  {
    name: 'log.segment.delete.delay.ms',
    type: 'long',
    default: '60000',
    min: 0,
    doc: 'Default of file.delete.delay.ms.',
    dynamic: true,
  },
  {
    name: 'log.cleanup.policy',
    type: 'list',
    default: 'delete',
    oneOf: ['compact', 'delete'],
    doc: 'Default of cleanup.policy.',
    dynamic: true,
  },
  { name: 'log.index.interval.bytes', type: 'int', default: '4096', min: 0, doc: 'Default of index.interval.bytes.' },
  {
    name: 'log.index.size.max.bytes',
    type: 'int',
    default: '10485760',
    min: 4,
    doc: 'Default of segment.index.bytes.',
  },
  {
    name: 'log.message.timestamp.type',
    type: 'string',
    default: 'CreateTime',
    oneOf: ['CreateTime', 'LogAppendTime'],
    doc: 'Default of message.timestamp.type.',
    dynamic: true,
  },
  {
    name: 'log.message.timestamp.after.max.ms',
    type: 'long',
    default: '3600000',
    min: 0,
    doc: 'Default of message.timestamp.after.max.ms.',
    dynamic: true,
  },
  {
    name: 'log.message.timestamp.before.max.ms',
    type: 'long',
    default: LONG_MAX,
    min: 0,
    doc: 'Default of message.timestamp.before.max.ms.',
    dynamic: true,
  },
  { name: 'log.preallocate', type: 'boolean', default: 'false', doc: 'Default of preallocate.' },
  {
    name: 'log.cleaner.delete.retention.ms',
    type: 'long',
    default: '86400000',
    min: 0,
    doc: 'Default of delete.retention.ms.',
    dynamic: true,
  },
  {
    name: 'log.cleaner.min.cleanable.ratio',
    type: 'double',
    default: '0.5',
    min: 0,
    max: 1,
    doc: 'Default of min.cleanable.dirty.ratio.',
    dynamic: true,
  },
  {
    name: 'log.cleaner.min.compaction.lag.ms',
    type: 'long',
    default: '0',
    min: 0,
    doc: 'Default of min.compaction.lag.ms.',
    dynamic: true,
  },
  {
    name: 'log.cleaner.max.compaction.lag.ms',
    type: 'long',
    default: LONG_MAX,
    min: 1,
    doc: 'Default of max.compaction.lag.ms.',
    dynamic: true,
  },
  { name: 'log.local.retention.bytes', type: 'long', default: '-2', doc: 'Default of local.retention.bytes.' },
  { name: 'log.local.retention.ms', type: 'long', default: '-2', doc: 'Default of local.retention.ms.' },
  {
    name: 'compression.type',
    type: 'string',
    default: 'producer',
    oneOf: ['uncompressed', 'zstd', 'lz4', 'snappy', 'gzip', 'producer'],
    doc: 'Default of the topic configuration of the same name.',
    dynamic: true,
  },
  { name: 'compression.gzip.level', type: 'int', default: '-1', doc: 'Default for topics.' },
  { name: 'compression.lz4.level', type: 'int', default: '9', doc: 'Default for topics.' },
  { name: 'compression.zstd.level', type: 'int', default: '3', doc: 'Default for topics.' },
  {
    name: 'message.max.bytes',
    type: 'int',
    default: '1048588',
    min: 0,
    doc: 'Default of max.message.bytes.',
    dynamic: true,
  },
  { name: 'min.insync.replicas', type: 'int', default: '1', min: 1, doc: 'Default for topics.', dynamic: true },
  { name: 'unclean.leader.election.enable', type: 'boolean', default: 'false', doc: REPLICATION },
] as const satisfies readonly ConfigKey[]

/** Topics, groups and producers. */
const COORDINATION_KEYS = [
  { name: 'num.partitions', type: 'int', default: '1', min: 1, doc: 'Partitions of a topic that names no number.' },
  { name: 'default.replication.factor', type: 'int', default: '1', min: 1, max: 1, doc: REPLICATION },
  {
    name: 'auto.create.topics.enable',
    type: 'boolean',
    default: 'false',
    doc: 'Whether asking for a topic that does not exist creates it. Off here; Kafka has it on.',
  },
  { name: 'delete.topic.enable', type: 'boolean', default: 'true', doc: 'Whether topics may be deleted.' },
  {
    name: 'group.min.session.timeout.ms',
    type: 'int',
    default: '6000',
    min: 0,
    doc: 'The shortest session timeout a group member may ask for.',
  },
  {
    name: 'group.max.session.timeout.ms',
    type: 'int',
    default: '1800000',
    min: 0,
    doc: 'The longest session timeout a group member may ask for.',
  },
  {
    name: 'group.initial.rebalance.delay.ms',
    type: 'int',
    default: '3000',
    min: 0,
    doc: 'How long an empty group waits for more members after the first.',
  },
  { name: 'group.max.size', type: 'int', default: '2147483647', min: 1, doc: 'The most members of one group.' },
  {
    name: 'group.connect.connection.loss.grace.ms',
    type: 'int',
    default: '1000',
    min: 0,
    doc: 'How long a Connect worker whose connection dropped without LeaveGroup may take to come back before its tasks move. Applied to protocol type connect only.',
  },
  {
    name: 'offsets.topic.num.partitions',
    type: 'int',
    default: '8',
    min: 1,
    doc: 'Partitions of __consumer_offsets when it is created. Kafka has 50; one node needs fewer files.',
  },
  { name: 'offsets.topic.replication.factor', type: 'int', default: '1', min: 1, doc: REPLICATION },
  {
    name: 'offsets.topic.segment.bytes',
    type: 'int',
    default: '16777216',
    min: 1024,
    doc: 'segment.bytes of __consumer_offsets when it is created.',
  },
  {
    name: 'offset.metadata.max.bytes',
    type: 'int',
    default: '4096',
    min: 0,
    doc: 'The longest metadata string of an offset commit.',
  },
  {
    name: 'offsets.retention.minutes',
    type: 'int',
    default: '10080',
    min: 1,
    doc: 'How long the offsets of a group without members are kept.',
  },
  {
    name: 'offsets.retention.check.interval.ms',
    type: 'long',
    default: '600000',
    min: 1,
    doc: 'How often is looked for offsets that are to go.',
  },
  {
    name: 'producer.id.expiration.ms',
    type: 'int',
    default: '86400000',
    min: 1,
    doc: 'How long an idle idempotent producer is remembered for deduplication.',
  },
  {
    name: 'transaction.max.timeout.ms',
    type: 'int',
    default: '900000',
    min: 1,
    doc: 'The longest transaction timeout a producer may ask for.',
  },
] as const satisfies readonly ConfigKey[]

const KEYS = [...NETWORK_KEYS, ...LOG_KEYS, ...COORDINATION_KEYS]

export type BrokerConfigName = (typeof KEYS)[number]['name']

export const BROKER_CONFIG_KEYS: readonly ConfigKey[] = KEYS.toSorted((a, b) => (a.name < b.name ? -1 : 1))
const byName = new Map<string, ConfigKey>(KEYS.map((key) => [key.name, key]))

/** The definition of a broker configuration; undefined for one that is not used here. */
export function brokerConfigKey(name: string): ConfigKey | undefined {
  return byName.get(name)
}
