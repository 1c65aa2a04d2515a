import { type ConfigKey, configValueError, LONG_MAX, splitList } from './config-key.ts'

const DAY_MS = 86_400_000
const NOT_TIERED = 'Accepted for compatibility: this broker has no tiered storage.'
const NOT_REPLICATED = 'Accepted for compatibility: this broker is one node and does not replicate.'

/** The 33 topic configurations of Kafka 4.3, in the order DescribeConfigs answers them. */
const KEYS = [
  {
    name: 'cleanup.policy',
    type: 'list',
    default: 'delete',
    oneOf: ['compact', 'delete'],
    doc: 'What happens to old log: delete removes whole segments by age and size, compact keeps the newest record of every key; both may be given.',
  },
  {
    name: 'compression.gzip.level',
    type: 'int',
    default: '-1',
    min: -1,
    max: 9,
    doc: 'Level used when the broker itself compresses with gzip; -1 is the default of zlib.',
  },
  {
    name: 'compression.lz4.level',
    type: 'int',
    default: '9',
    min: 1,
    max: 17,
    doc: 'Level used when the broker itself compresses with lz4.',
  },
  {
    name: 'compression.type',
    type: 'string',
    default: 'producer',
    oneOf: ['uncompressed', 'zstd', 'lz4', 'snappy', 'gzip', 'producer'],
    doc: 'Codec the topic is stored in; producer keeps what the producer sent, without opening the batch.',
  },
  {
    name: 'compression.zstd.level',
    type: 'int',
    default: '3',
    min: -131072,
    max: 22,
    doc: 'Level used when the broker itself compresses with zstd.',
  },
  {
    name: 'delete.retention.ms',
    type: 'long',
    default: String(DAY_MS),
    min: 0,
    doc: 'How long a tombstone of a compacted topic stays readable after the cleaning that saw it first.',
  },
  {
    name: 'file.delete.delay.ms',
    type: 'long',
    default: '60000',
    min: 0,
    doc: 'How long the files of a removed segment are kept for readers that still use them.',
  },
  {
    name: 'flush.messages',
    type: 'long',
    default: LONG_MAX,
    min: 1,
    doc: 'Sync the log to disk after this many records. The broker setting log.flush=commit already syncs before every acknowledgement of acks=all.',
  },
  {
    name: 'flush.ms',
    type: 'long',
    default: LONG_MAX,
    min: 0,
    doc: 'Sync the log to disk at least this often.',
  },
  { name: 'follower.replication.throttled.replicas', type: 'list', default: '', doc: NOT_REPLICATED },
  {
    name: 'index.interval.bytes',
    type: 'int',
    default: '4096',
    min: 0,
    doc: 'How many bytes of log lie between two entries of the offset index.',
  },
  { name: 'leader.replication.throttled.replicas', type: 'list', default: '', doc: NOT_REPLICATED },
  { name: 'local.retention.bytes', type: 'long', default: '-2', min: -2, doc: NOT_TIERED },
  { name: 'local.retention.ms', type: 'long', default: '-2', min: -2, doc: NOT_TIERED },
  {
    name: 'max.compaction.lag.ms',
    type: 'long',
    default: LONG_MAX,
    min: 1,
    doc: 'The longest a record of a compacted topic stays uncleaned.',
  },
  {
    name: 'max.message.bytes',
    type: 'int',
    default: '1048588',
    min: 0,
    doc: 'The largest record batch the topic takes, measured as it was sent, that is compressed.',
  },
  {
    name: 'message.timestamp.after.max.ms',
    type: 'long',
    default: '3600000',
    min: 0,
    doc: 'How far a record timestamp may be ahead of the clock of the broker before the batch is refused; not used with LogAppendTime.',
  },
  {
    name: 'message.timestamp.before.max.ms',
    type: 'long',
    default: LONG_MAX,
    min: 0,
    doc: 'How far a record timestamp may be behind the clock of the broker before the batch is refused; not used with LogAppendTime.',
  },
  {
    name: 'message.timestamp.type',
    type: 'string',
    default: 'CreateTime',
    oneOf: ['CreateTime', 'LogAppendTime'],
    doc: 'Whether records keep the timestamp of their producer or get that of their arrival.',
  },
  {
    name: 'min.cleanable.dirty.ratio',
    type: 'double',
    default: '0.5',
    min: 0,
    max: 1,
    doc: 'How large the uncleaned part of a compacted log must be, relative to the whole, before it is cleaned.',
  },
  {
    name: 'min.compaction.lag.ms',
    type: 'long',
    default: '0',
    min: 0,
    doc: 'How long a record of a compacted topic stays uncleaned at least.',
  },
  {
    name: 'min.insync.replicas',
    type: 'int',
    default: '1',
    min: 1,
    doc: 'How many replicas must have a batch before acks=all is answered. One node has one replica: a larger value refuses such writes.',
  },
  {
    name: 'preallocate',
    type: 'boolean',
    default: 'false',
    doc: 'Whether segment files are allocated in full when they are created.',
  },
  { name: 'remote.log.copy.disable', type: 'boolean', default: 'false', doc: NOT_TIERED },
  { name: 'remote.log.delete.on.disable', type: 'boolean', default: 'false', doc: NOT_TIERED },
  { name: 'remote.storage.enable', type: 'boolean', default: 'false', oneOf: ['false'], doc: NOT_TIERED },
  {
    name: 'retention.bytes',
    type: 'long',
    default: '-1',
    doc: 'The size a partition may reach before its oldest segments go; -1 is no limit. Used with cleanup.policy delete.',
  },
  {
    name: 'retention.ms',
    type: 'long',
    default: String(7 * DAY_MS),
    min: -1,
    doc: 'The age at which a segment is removed, by its newest record; -1 is never. Used with cleanup.policy delete.',
  },
  {
    name: 'segment.bytes',
    type: 'int',
    default: '1073741824',
    min: 1024,
    doc: 'The size at which a new segment file is begun; retention and compaction work on whole segments.',
  },
  {
    name: 'segment.index.bytes',
    type: 'int',
    default: '10485760',
    min: 4,
    doc: 'The largest size of the index files of one segment.',
  },
  {
    name: 'segment.jitter.ms',
    type: 'long',
    default: '0',
    min: 0,
    doc: 'A random part of segment.ms that is taken off, so that many partitions do not roll at once.',
  },
  {
    name: 'segment.ms',
    type: 'long',
    default: String(7 * DAY_MS),
    min: 1,
    doc: 'The age at which a new segment is begun although the old one is not full.',
  },
  { name: 'unclean.leader.election.enable', type: 'boolean', default: 'false', doc: NOT_REPLICATED },
] as const satisfies readonly ConfigKey[]

export type TopicConfigName = (typeof KEYS)[number]['name']

export const TOPIC_CONFIG_KEYS: readonly ConfigKey[] = KEYS
const byName = new Map<string, ConfigKey>(KEYS.map((key) => [key.name, key]))

/** The definition of a topic configuration; undefined for a name that Kafka does not know either. */
export function topicConfigKey(name: string): ConfigKey | undefined {
  return byName.get(name)
}

/** The broker configurations that give a topic configuration its default, most specific first. */
export const BROKER_SYNONYMS: Readonly<Record<TopicConfigName, readonly string[]>> = {
  'cleanup.policy': ['log.cleanup.policy'],
  'compression.gzip.level': ['compression.gzip.level'],
  'compression.lz4.level': ['compression.lz4.level'],
  'compression.type': ['compression.type'],
  'compression.zstd.level': ['compression.zstd.level'],
  'delete.retention.ms': ['log.cleaner.delete.retention.ms'],
  'file.delete.delay.ms': ['log.segment.delete.delay.ms'],
  'flush.messages': ['log.flush.interval.messages'],
  'flush.ms': ['log.flush.interval.ms'],
  'follower.replication.throttled.replicas': [],
  'index.interval.bytes': ['log.index.interval.bytes'],
  'leader.replication.throttled.replicas': [],
  'local.retention.bytes': ['log.local.retention.bytes'],
  'local.retention.ms': ['log.local.retention.ms'],
  'max.compaction.lag.ms': ['log.cleaner.max.compaction.lag.ms'],
  'max.message.bytes': ['message.max.bytes'],
  'message.timestamp.after.max.ms': ['log.message.timestamp.after.max.ms'],
  'message.timestamp.before.max.ms': ['log.message.timestamp.before.max.ms'],
  'message.timestamp.type': ['log.message.timestamp.type'],
  'min.cleanable.dirty.ratio': ['log.cleaner.min.cleanable.ratio'],
  'min.compaction.lag.ms': ['log.cleaner.min.compaction.lag.ms'],
  'min.insync.replicas': ['min.insync.replicas'],
  preallocate: ['log.preallocate'],
  'remote.log.copy.disable': [],
  'remote.log.delete.on.disable': [],
  'remote.storage.enable': [],
  'retention.bytes': ['log.retention.bytes'],
  'retention.ms': ['log.retention.ms', 'log.retention.minutes', 'log.retention.hours'],
  'segment.bytes': ['log.segment.bytes'],
  'segment.index.bytes': ['log.index.size.max.bytes'],
  'segment.jitter.ms': ['log.roll.jitter.ms', 'log.roll.jitter.hours'],
  'segment.ms': ['log.roll.ms', 'log.roll.hours'],
  'unclean.leader.election.enable': ['unclean.leader.election.enable'],
}

const BROKER_FAMILIES = [
  ...Object.values(BROKER_SYNONYMS),
  ['log.flush.interval.ms', 'log.flush.scheduler.interval.ms'],
]

/** The broker configurations that mean the same as this one, in other units for instance; itself among them. */
export function brokerSynonyms(name: string): readonly string[] {
  return BROKER_FAMILIES.find((names) => names.length > 1 && names.includes(name)) ?? [name]
}

/** The first thing wrong with a topic's configuration as a whole; undefined when it can be used. */
export function topicConfigError(configs: ReadonlyMap<string, string | null>): string | undefined {
  for (const [name, value] of configs) {
    const key = byName.get(name)
    if (key === undefined) return `Unknown topic config name: ${name}`
    if (value === null) return `Null value not supported for topic configs: ${name}`
    const error = configValueError(key, value)
    if (error !== undefined) return error
    if (name === 'cleanup.policy' && new Set(splitList(value)).size !== splitList(value).length) {
      return `Invalid value ${value} for configuration ${name}: values must be unique`
    }
  }
  return undefined
}
