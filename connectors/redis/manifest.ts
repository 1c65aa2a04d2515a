import { defineManifest } from '@millrace/sdk'

const version = '0.1.0'

/** Writes topics into streams, strings, hashes and the other data structures. */
export const redisSinkManifest = defineManifest({
  kind: 'sink',
  name: 'RedisSink',
  aliases: [
    'RedisSinkConnector',
    'com.redis.kafka.connect.RedisSinkConnector',
    'com.redislabs.kafka.connect.RedisSinkConnector',
  ],
  version,
  title: 'Redis sink',
  summary:
    'Writes records into Redis streams, strings, hashes, JSON documents, lists, sets, sorted sets and time series, in ' +
    'the order of the topic; exactly once with offsets kept in Redis. Takes the JSON of the Redis Kafka connector.',
  stability: 'stable',
  delivery: 'exactly-once',
  load: () => import('./sink.ts'),
})

/** The sink of other configs: SET and DEL of keys and values as they are. */
export const redisKeyValueSinkManifest = defineManifest({
  kind: 'sink',
  name: 'RedisKeyValueSink',
  aliases: ['com.github.jcustenborder.kafka.connect.redis.RedisSinkConnector'],
  version,
  title: 'Redis key-value sink',
  summary:
    'Sets keys to values and deletes those without one, in the order of the topic; exactly once with offsets kept in ' +
    'Redis. Takes the JSON of the jcustenborder connector; the Redis sink can do more.',
  stability: 'stable',
  delivery: 'exactly-once',
  load: () => import('./key-value-sink.ts'),
})

/** Reads a stream as a consumer group. */
export const redisStreamSourceManifest = defineManifest({
  kind: 'source',
  name: 'RedisStreamSource',
  aliases: ['RedisStreamSourceConnector', 'com.redis.kafka.connect.RedisStreamSourceConnector'],
  version,
  title: 'Redis streams source',
  summary:
    'Reads a Redis stream as a consumer group: several tasks share it, entries are acknowledged when their records are ' +
    'in the log, and those of a dead consumer are taken over. Takes the JSON of the Redis Kafka connector.',
  stability: 'stable',
  delivery: 'at-least-once',
  load: () => import('./stream-source.ts'),
})

/** Reads keys when they change. */
export const redisKeysSourceManifest = defineManifest({
  kind: 'source',
  name: 'RedisKeysSource',
  aliases: ['RedisKeysSourceConnector', 'com.redis.kafka.connect.RedisKeysSourceConnector'],
  version,
  title: 'Redis keys source',
  summary:
    'Reads keys and their values when Redis tells that they changed, after a snapshot of all. Lossy: Redis tells of a ' +
    'change once and only to those who listen. Takes the JSON of the Redis Kafka connector.',
  stability: 'stable',
  delivery: 'at-most-once',
  load: () => import('./keys-source.ts'),
})

/** All of Redis. */
export const redisManifests = [
  redisSinkManifest,
  redisKeyValueSinkManifest,
  redisStreamSourceManifest,
  redisKeysSourceManifest,
]
