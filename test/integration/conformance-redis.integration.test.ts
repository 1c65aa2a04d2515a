// The acceptance suite for authors, over the Redis and BullMQ connectors on a real Redis.
import { describeSink, describeSource, type SinkOptions } from '@millrace/testkit'
import { Queue } from 'bullmq'
import { afterAll, beforeAll, describe } from 'vitest'
import { bullmqSinkManifest, bullmqSourceManifest } from '../../connectors/bullmq/manifest.ts'
import bullmqSink from '../../connectors/bullmq/sink.ts'
import bullmqSource from '../../connectors/bullmq/source.ts'
import keyValueSink from '../../connectors/redis/key-value-sink.ts'
import keysSource from '../../connectors/redis/keys-source.ts'
import {
  redisKeysSourceManifest,
  redisKeyValueSinkManifest,
  redisSinkManifest,
  redisStreamSourceManifest,
} from '../../connectors/redis/manifest.ts'
import redisSink from '../../connectors/redis/sink.ts'
import streamSource from '../../connectors/redis/stream-source.ts'
import { redisMissing, type RedisServer, startRedis } from '../services/redis.ts'
import { connector, type Gate, startGate, throughGate } from './support/conformance.ts'

const limits = { events: 4, kills: 3, starts: 40, floodEvents: 400 }
/** More than the 64 MB that the batcher of these sinks holds. */
const FLOOD = { floodEvents: 1200, floodEventBytes: 128 * 1024 }
const BATCHER = 'its records wait in the same batcher as those of the Redis sink for streams, where this is looked at'

describe.skipIf(redisMissing())('connectors on Redis', () => {
  let redis: RedisServer
  let gate: Gate
  let databases = 0

  beforeAll(async () => {
    // Each check has a database of its own.
    redis = await startRedis({ settings: ['databases 2000', 'notify-keyspace-events KEA'] })
    gate = await startGate(redis.port)
  })
  afterAll(async () => {
    await gate?.shut()
    await redis?.stop()
  })

  const open = () => {
    const database = ++databases
    const client = redis.client().duplicate({ db: database })
    return {
      database,
      client,
      uri: `redis://127.0.0.1:${gate.port}/${database}`,
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
        ...throughGate(gate),
        close,
      }
    },
    notApplicable: {
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
        ...throughGate(gate),
        async close() {
          await queue.close()
          await close()
        },
      }
    },
    // A job of a worker that is gone goes to the front when its lock is over, behind those that were taken meanwhile.
    ordered: false,
    notApplicable: {
      tombstones: 'jobs are never without data',
      'schema-evolution': 'data of jobs has no schema',
    },
  })

  describe('events', () => {
    describeSource(bullmqSource, {
      manifest: bullmqSourceManifest,
      module: connector('bullmq/source.ts'),
      limits: { ...limits, starts: 10 },
      open() {
        const { database, uri, close } = open()
        const queue = bullmq(database)
        return {
          config: { 'redis.uri': uri, 'queue.name': 'events', topic: 't', mode: 'events', 'batch.size': '3' },
          produce: async (events) => {
            await queue.addBulk(events.map(({ id }) => ({ name: 'event', data: {}, opts: { jobId: id } })))
          },
          ...throughGate(gate),
          async close() {
            await queue.close()
            await close()
          },
        }
      },
      notApplicable: {
        'back-pressure': 'events have no data that could fill anything',
        tombstones: 'events are never without a value',
        'schema-evolution': 'events keep their shape',
      },
    })
  })

  describe('a snapshot', () => {
    describeSource(bullmqSource, {
      manifest: bullmqSourceManifest,
      module: connector('bullmq/source.ts'),
      limits: { ...limits, starts: 10 },
      open() {
        const { database, uri, close } = open()
        const queue = bullmq(database)
        const mode = { mode: 'snapshot', 'snapshot.states': 'waiting', 'batch.size': '3' }
        return {
          config: { 'redis.uri': uri, 'queue.name': 'events', topic: 't', ...mode },
          produce: async (events) => {
            await queue.addBulk(events.map(({ id, payload }) => ({ name: 'event', data: { id, payload } })))
          },
          async close() {
            await queue.close()
            await close()
          },
        }
      },
      ordered: false,
      notApplicable: {
        outage: 'it reads once, and is over then',
        tombstones: 'jobs are never without data',
        'schema-evolution': 'data of jobs has no schema',
      },
    })
  })

  describeSource(keysSource, {
    manifest: redisKeysSourceManifest,
    module: connector('redis/keys-source.ts'),
    limits: { ...limits, starts: 20 },
    // Keys are read when they change, in no order.
    ordered: false,
    open() {
      const { client, uri, close } = open()
      return {
        config: { 'redis.uri': uri, topic: 't', mode: 'LIVEONLY', 'batch.size': '3' },
        async produce(events) {
          for (const { id, payload } of events) await client.set(id, payload)
        },
        ...throughGate(gate),
        close,
      }
    },
    notApplicable: {
      'required-config': 'every key has a default',
      tombstones: 'keys that are gone come as records of the type none',
      'schema-evolution': 'all keys have one schema',
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
        ...throughGate(gate),
        async close() {
          await queue.close()
          await close()
        },
      }
    },
    notApplicable: {
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
        ...throughGate(gate),
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
      notApplicable: { 'required-config': 'every key has a default' },
    })
  })

  describe('hashes', () => {
    describeSink(redisSink, {
      ...sink('HASH'),
      target: 'latest',
      tombstones: 'delete',
      bad: ({ id }) => ({ key: 'k', value: id }),
      notApplicable: { 'back-pressure': BATCHER, 'required-config': 'every key has a default' },
    })
  })

  describeSink(keyValueSink, {
    manifest: redisKeyValueSinkManifest,
    module: connector('redis/key-value-sink.ts'),
    limits,
    target: 'latest',
    tombstones: 'delete',
    record: ({ id, key, payload }) => ({ key, value: `${id}${payload}` }),
    bad: ({ id }) => ({ value: id }),
    open() {
      const { client, database, close } = open()
      return {
        config: {
          'redis.hosts': `127.0.0.1:${gate.port}`,
          'redis.database': String(database),
          'exactly.once': 'true',
        },
        read: async () => {
          const keys = (await client.keys('key-*')).toSorted()
          return keys.length === 0 ? [] : client.mget(keys)
        },
        ...throughGate(gate),
        close,
      }
    },
    notApplicable: {
      'back-pressure': BATCHER,
      'schema-evolution': 'values are text',
      'required-config': 'every key has a default',
    },
  })
})
