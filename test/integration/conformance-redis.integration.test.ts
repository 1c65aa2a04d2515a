// The acceptance suite for authors, over the Redis and BullMQ connectors on a real Redis.
import { describeSink, describeSource, type SinkOptions } from '@millrace/testkit'
import { Queue } from 'bullmq'
import { afterAll, beforeAll, describe } from 'vitest'
import { bullmqSinkManifest, bullmqSourceManifest } from '../../connectors/bullmq/manifest.ts'
import bullmqSink from '../../connectors/bullmq/sink.ts'
import bullmqSource from '../../connectors/bullmq/source.ts'
import keyValueSink from '../../connectors/redis/key-value-sink.ts'
import {
  redisKeyValueSinkManifest,
  redisSinkManifest,
  redisStreamSourceManifest,
} from '../../connectors/redis/manifest.ts'
import redisSink from '../../connectors/redis/sink.ts'
import streamSource from '../../connectors/redis/stream-source.ts'
import { redisMissing, type RedisServer, startRedis } from '../services/redis.ts'
import { connector } from './support/conformance.ts'

const limits = { events: 4, kills: 3, starts: 40, floodEvents: 400 }
/** More than the 64 MB that the batcher of these sinks holds. */
const FLOOD = { floodEvents: 1200, floodEventBytes: 128 * 1024 }
const BATCHER = 'its records wait in the same batcher as those of the Redis sink for streams, where this is looked at'
const OUTAGE = 'servers that go are in the tests of the connector, which kill one'

describe.skipIf(redisMissing())('connectors on Redis', () => {
  let redis: RedisServer
  let databases = 0

  beforeAll(async () => {
    // Each check has a database of its own.
    redis = await startRedis({ settings: ['databases 2000'] })
  })
  afterAll(() => redis?.stop())

  const open = () => {
    const database = ++databases
    const client = redis.client().duplicate({ db: database })
    return {
      database,
      client,
      uri: `${redis.url}/${database}`,
      close: async () => {
        await client.flushdb()
        client.disconnect()
      },
    }
  }

  describeSource(streamSource, {
    manifest: redisStreamSourceManifest,
    module: connector('redis/stream-source.ts'),
    limits,
    open() {
      const { client, uri, close } = open()
      return {
        config: {
          'redis.uri': uri,
          'redis.stream.name': 's',
          'redis.stream.block': '10',
          topic: 't',
          'batch.size': '3',
        },
        async produce(events) {
          const pipeline = client.pipeline()
          for (const { id, payload } of events) pipeline.xadd('s', '*', 'id', id, 'payload', payload)
          await pipeline.exec()
        },
        close,
      }
    },
    notApplicable: {
      outage: OUTAGE,
      tombstones: 'entries of a stream are never without fields',
      'schema-evolution': 'entries are maps of text',
    },
  })

  const bullmq = (database: number): Queue => {
    const queue = new Queue('events', { connection: { host: redis.host, port: redis.port, db: database } })
    queue.on('error', () => undefined)
    return queue
  }

  describeSource(bullmqSource, {
    manifest: bullmqSourceManifest,
    module: connector('bullmq/source.ts'),
    limits: { ...limits, starts: 20 },
    open() {
      const { database, uri, close } = open()
      const queue = bullmq(database)
      return {
        config: { 'redis.uri': uri, 'queue.name': 'events', topic: 't', 'lock.duration.ms': '1000' },
        produce: async (events) => {
          await queue.addBulk(events.map(({ id, payload }) => ({ name: 'event', data: { id, payload } })))
        },
        async close() {
          await queue.close()
          await close()
        },
      }
    },
    // A job of a worker that is gone goes to the front when its lock is over, behind those that were taken meanwhile.
    ordered: false,
    notApplicable: {
      outage: OUTAGE,
      tombstones: 'jobs are never without data',
      'schema-evolution': 'data of jobs has no schema',
    },
  })

  describeSink(bullmqSink, {
    manifest: bullmqSinkManifest,
    module: connector('bullmq/sink.ts'),
    limits: { ...limits, starts: 20 },
    guarantee: 'idempotent',
    tombstones: 'ignore',
    ordered: false,
    open() {
      const { database, uri, close } = open()
      const queue = bullmq(database)
      return {
        config: { 'redis.uri': uri, 'queue.name': 'events' },
        read: async () => (await queue.getJobs(['waiting'], 0, -1, true)).map((job) => job?.data as unknown),
        async close() {
          await queue.close()
          await close()
        },
      }
    },
    notApplicable: {
      outage: OUTAGE,
      'back-pressure': BATCHER,
      'bad-records': 'every value becomes the data of a job',
      'required-config': 'the queue is named by the topic where it is left out',
    },
  })

  const sink = (type: string): Pick<SinkOptions, 'open' | 'manifest' | 'module' | 'limits' | 'guarantee'> => ({
    manifest: redisSinkManifest,
    module: connector('redis/sink.ts'),
    limits,
    guarantee: 'exactly-once',
    open(topic) {
      const { client, uri, close } = open()
      return {
        config: { 'redis.uri': uri, 'redis.type': type, 'exactly.once': 'true', 'retry.backoff.ms': '10' },
        read: async () => {
          if (type === 'STREAM') return client.xrange(topic, '-', '+')
          const keys = await client.keys(`${topic}:*`)
          return Promise.all(keys.map((key) => client.hgetall(key)))
        },
        close,
      }
    },
  })

  describe('streams', () => {
    describeSink(redisSink, {
      ...sink('STREAM'),
      limits: { ...limits, ...FLOOD },
      tombstones: 'ignore',
      bad: ({ id }) => ({ value: id }),
      notApplicable: { outage: OUTAGE, 'required-config': 'every key has a default' },
    })
  })

  describe('hashes', () => {
    describeSink(redisSink, {
      ...sink('HASH'),
      target: 'latest',
      tombstones: 'delete',
      bad: ({ id }) => ({ key: 'k', value: id }),
      notApplicable: { outage: OUTAGE, 'back-pressure': BATCHER, 'required-config': 'every key has a default' },
    })
  })

  describeSink(keyValueSink, {
    manifest: redisKeyValueSinkManifest,
    module: connector('redis/key-value-sink.ts'),
    limits,
    guarantee: 'idempotent',
    target: 'latest',
    tombstones: 'delete',
    record: ({ id, key, payload }) => ({ key, value: `${id}${payload}` }),
    bad: ({ id }) => ({ value: id }),
    open() {
      const { client, database, close } = open()
      return {
        config: { 'redis.hosts': `${redis.host}:${redis.port}`, 'redis.database': String(database) },
        read: async () => {
          const keys = (await client.keys('key-*')).toSorted()
          return keys.length === 0 ? [] : client.mget(keys)
        },
        close,
      }
    },
    notApplicable: {
      outage: OUTAGE,
      'back-pressure': BATCHER,
      'schema-evolution': 'values are text',
      'required-config': 'every key has a default',
    },
  })
})
