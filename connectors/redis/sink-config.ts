import { type ConfigDef, defineConfig, type Parsed } from '@millrace/sdk'
import { redisConnectionConfig } from '../_shared/redis/index.ts'
import { CHARSETS } from './charset.ts'

type All = Readonly<Record<string, unknown>>

export const SINK_TYPES = ['STREAM', 'STRING', 'HASH', 'JSON', 'LIST', 'SET', 'ZSET', 'TIMESERIES'] as const
export type SinkType = (typeof SINK_TYPES)[number]

const mapping = {
  'redis.type': {
    type: 'string',
    default: 'STREAM',
    oneOf: SINK_TYPES,
    ignoreCase: true,
    importance: 'high',
    doc:
      'Destination data structure: STREAM (XADD of the fields of the value), STRING (SET of the value), HASH (HSET of ' +
      'the fields of the value), JSON (JSON.SET of the value), LIST (RPUSH of the key), SET (SADD of the key), ZSET ' +
      '(ZADD of the key with the value as score), TIMESERIES (TS.ADD with the key as time and the value as sample). ' +
      'JSON and TIMESERIES need their module in Redis.',
    group: 'Mapping',
    displayName: 'Data structure',
  },
  'redis.keyspace': {
    type: 'string',
    default: '${topic}',
    importance: 'medium',
    doc:
      'The key of a collection (STREAM, LIST, SET, ZSET, TIMESERIES), or what stands before the key of the record in ' +
      'the key of a STRING, HASH or JSON; ${topic} is the topic. Empty takes the key of the record alone.',
    validate: (keyspace: string, all: All) =>
      keyspace === '' && !isKeyed(all['redis.type'])
        ? 'may be empty only for STRING, HASH and JSON; it names the collection'
        : undefined,
    group: 'Mapping',
    displayName: 'Keyspace',
  },
  'redis.separator': {
    type: 'string',
    default: ':',
    importance: 'medium',
    doc: 'Stands between keyspace and key of the record in the key of a STRING, HASH or JSON.',
    group: 'Mapping',
    displayName: 'Separator',
  },
  'redis.key.ttl': {
    type: 'long',
    default: -1,
    importance: 'medium',
    doc:
      'Time to live in seconds of the keys that are written; -1 for ever. A record header of the same name wins for ' +
      'its record.',
    group: 'Mapping',
    displayName: 'Time to live (s)',
  },
  'redis.charset': {
    type: 'string',
    default: 'UTF-8',
    oneOf: CHARSETS,
    ignoreCase: true,
    importance: 'low',
    doc: 'Character set to encode Redis key and value strings.',
    group: 'Mapping',
    displayName: 'Charset',
  },
  'behavior.on.null.values': {
    type: 'string',
    default: 'delete',
    oneOf: ['delete', 'ignore', 'fail'],
    ignoreCase: true,
    importance: 'medium',
    doc:
      'What a record without a value does. delete: DEL of its key for STRING, HASH and JSON, SREM and ZREM of its ' +
      'member for SET and ZSET; a STREAM, LIST or TIMESERIES has nothing to delete and leaves it out. ignore: nothing. ' +
      'fail: it counts as a record that cannot be written. An addition of Millrace.',
    group: 'Mapping',
    displayName: 'Null values',
  },
} as const satisfies ConfigDef

const writes = {
  'batch.size': {
    type: 'int',
    default: 1000,
    min: 1,
    max: 100_000,
    importance: 'medium',
    doc: 'The most records in one request. Redis serves nobody else while it carries one out. An addition of Millrace.',
    group: 'Writes',
    displayName: 'Batch size',
  },
  'linger.ms': {
    type: 'int',
    default: 5,
    min: 0,
    importance: 'low',
    doc: 'How long a record waits for company, in milliseconds. An addition of Millrace.',
    group: 'Writes',
    displayName: 'Linger (ms)',
  },
  'max.retries': {
    type: 'int',
    default: 60,
    min: 0,
    importance: 'medium',
    doc: 'How often a request is tried again before the task fails. An addition of Millrace.',
    group: 'Writes',
    displayName: 'Retries',
  },
  'retry.backoff.ms': {
    type: 'long',
    default: 100,
    min: 0,
    importance: 'medium',
    doc: 'The wait before the first retry; it doubles up to 5 seconds. An addition of Millrace.',
    group: 'Writes',
    displayName: 'Back-off (ms)',
  },
  'redis.multiexec': {
    type: 'boolean',
    default: false,
    importance: 'low',
    doc:
      'Accepted for configs that have it. A request always is one script, which Redis carries out with nothing in ' +
      'between.',
    group: 'Writes',
    displayName: 'Multi/exec',
  },
  'redis.wait.replicas': {
    type: 'int',
    default: 0,
    min: 0,
    importance: 'medium',
    doc: 'Number of replicas to wait for. Use 0 to disable waiting for replicas.',
    validate: (replicas: number, all: All) =>
      replicas > 0 && all['redis.cluster'] === true
        ? 'is not possible with redis.cluster, where writes go over many connections; set min-replicas-to-write instead'
        : undefined,
    group: 'Writes',
    displayName: 'Replicas to wait for',
  },
  'redis.wait.timeout': {
    type: 'long',
    default: 1000,
    min: 1,
    importance: 'low',
    doc: 'Timeout in millis for WAIT command. A request that fewer replicas have by then is tried again.',
    group: 'Writes',
    displayName: 'Wait timeout (ms)',
  },
  'exactly.once': {
    type: 'boolean',
    default: false,
    importance: 'high',
    doc:
      'Whether to keep the offsets in Redis, written together with the records, so that each record is written once ' +
      'whatever fails. An addition of Millrace.',
    validate: (once: boolean, all: All) =>
      once && all['redis.cluster'] === true
        ? 'is not possible with redis.cluster, where offsets and records are on different nodes'
        : undefined,
    group: 'Exactly once',
    displayName: 'Exactly once',
  },
  'exactly.once.offsets.keyspace': {
    type: 'string',
    default: 'com.redis.kafka.connect.sink.offset',
    nonEmpty: true,
    importance: 'low',
    doc: 'The keys for the offsets of exactly.once begin so; connector, topic and partition follow.',
    group: 'Exactly once',
    displayName: 'Keyspace of offsets',
  },
} as const satisfies ConfigDef

function isKeyed(type: unknown): boolean {
  return ['STRING', 'HASH', 'JSON'].includes(String(type).toUpperCase())
}

/** The configuration of the Redis sink. */
export const sinkConfig = defineConfig({ ...redisConnectionConfig, ...mapping, ...writes })

export type SinkConfig = Parsed<typeof sinkConfig>
