// What the Redis connectors claim, under kill -9 of task hosts and of a server that keeps what it has confirmed.
import { describe, expect, test } from 'vitest'
import { seededRandom } from '../../src/base/index.ts'
import { redisMissing, startRedis } from '../services/redis.ts'
import { impatientConsumer, patient, useKills } from './support/kills.ts'
import { committedBy, endOf, topicValues } from './support/topic-values.ts'
import { createTopic, type NewRecord, produce } from './support/topics.ts'
import { until } from './worker-harness.ts'

const RECORDS = 6000
const PARTITIONS = 3
const KEYS = 200

const missing = redisMissing()
const retries = { 'retry.backoff.ms': '20', 'max.retries': '1000' }
const sinkOptions = {
  ...patient,
  ...impatientConsumer,
  ...retries,
  'connector.class': 'com.redis.kafka.connect.RedisSinkConnector',
  // Small batches, each of them synced: the copy cannot be complete before the kills.
  'batch.size': '10',
  'consumer.override.max.poll.records': '100',
  'errors.tolerance': 'all',
  'errors.deadletterqueue.topic.replication.factor': '1',
}

describe.skipIf(missing)('Redis under kill -9', () => {
  const kills = useKills(() => startRedis({ isDurable: true }))
  const redis = () => kills.server.client()

  /** Random changes of keys, and what must be there in the end. */
  class Changes {
    readonly last = new Map<string, string>()
    /** The numbers of each partition's good records, in order. */
    readonly order: number[][] = Array.from({ length: PARTITIONS }, () => [])
    readonly #topic: string
    readonly #random
    #n = 0

    constructor(topic: string, seed: number) {
      this.#topic = topic
      this.#random = seededRandom(seed)
    }

    write(): Promise<void> {
      return produce(kills.client, this.#topic, this.#next())
    }

    *#next(): Generator<NewRecord> {
      for (const end = this.#n + RECORDS / 3; this.#n < end; this.#n++) {
        const number = Math.floor(this.#random.next() * KEYS)
        const key = `k${number}`
        const partition = number % PARTITIONS
        const kind = this.#random.next()
        // Values without fields can be no entry of a stream and no hash: they go to the dead letter queue.
        const value = kind < 0.2 ? null : kind < 0.22 ? {} : { n: this.#n }
        if (value === null) this.last.delete(key)
        else if (value.n !== undefined) {
          this.last.set(key, String(value.n))
          this.order[partition]?.push(value.n)
        }
        yield { partition, key: Buffer.from(key), value: value && Buffer.from(JSON.stringify(value)) }
      }
    }
  }

  test('exactly.once writes each record to the stream once and in order, while hosts and Redis are killed', async () => {
    await createTopic(kills.client, 'entries', PARTITIONS)
    const changes = new Changes('entries', 20_261_121)
    await kills.worker.create(
      {
        ...sinkOptions,
        name: 'once',
        topics: 'entries',
        'redis.uri': kills.server.url,
        'redis.type': 'STREAM',
        'exactly.once': 'true',
        'errors.deadletterqueue.topic.name': 'entries-errors',
      },
      2,
    )
    await kills.between(
      () => changes.write(),
      () => redis().xlen('entries'),
    )
    await until('all offsets are at the end', async () => (await committedBy(kills.client, 'once')) === RECORDS)
    const numbers = (await redis().xrange('entries', '-', '+')).map(([, fields]) => Number(fields[1]))
    const { order } = changes
    expect(numbers).toHaveLength(order.flat().length)
    const place = new Map(order.flatMap((each, partition) => each.map((n) => [n, partition] as const)))
    const found: number[][] = Array.from({ length: PARTITIONS }, () => [])
    for (const n of numbers) found[place.get(n) ?? 0]?.push(n)
    expect(found).toEqual(order)
  })

  test('hashes equal their topic after hosts and Redis were killed', async () => {
    await createTopic(kills.client, 'changes', PARTITIONS)
    const changes = new Changes('changes', 20_261_122)
    await kills.worker.create(
      {
        ...sinkOptions,
        name: 'hashes',
        topics: 'changes',
        'redis.uri': kills.server.url,
        'redis.type': 'HASH',
        'errors.deadletterqueue.topic.name': 'changes-errors',
      },
      2,
    )
    const writes = async (): Promise<number> =>
      Number(/cmdstat_hset:calls=(\d+)/.exec(await redis().info('commandstats'))?.[1] ?? 0)
    await kills.between(() => changes.write(), writes)
    await until(
      'everything is delivered and committed',
      async () => (await committedBy(kills.client, 'hashes')) === RECORDS,
    )
    const found = new Map<string, string>()
    for (const key of await redis().keys('changes:*')) {
      found.set(key.slice('changes:'.length), (await redis().hget(key, 'n')) ?? '')
    }
    expect(found).toEqual(changes.last)
  })

  test('the topic has every entry of a stream, while hosts and Redis are killed', async () => {
    let n = 0
    const add = async (): Promise<void> => {
      const pipeline = redis().pipeline()
      for (const end = n + RECORDS / 3; n < end; n++) pipeline.xadd('orders', '*', 'n', String(n))
      await pipeline.exec()
    }
    await createTopic(kills.client, 'orders', 1)
    const config = {
      ...patient,
      name: 'stream',
      'connector.class': 'com.redis.kafka.connect.RedisStreamSourceConnector',
      'redis.uri': kills.server.url,
      'redis.stream.name': 'orders',
      'batch.size': '20',
      'producer.override.linger.ms': '0',
    }
    await kills.worker.create(config)
    await kills.between(add, () => endOf(kills.client, 'orders'))
    const done = async (): Promise<boolean> => {
      const [group] = (await redis().call('XINFO', 'GROUPS', 'orders')) as unknown[][]
      const of = (name: string): unknown => group?.[group.indexOf(name) + 1]
      return of('pending') === 0 && of('lag') === 0
    }
    await until('every entry is acknowledged', done)
    const seen = new Set((await topicValues(kills.broker, 'orders')).map((text) => Number(JSON.parse(text).body.n)))
    // First sights are in the order of the stream; repetitions come behind.
    expect([...seen]).toEqual(Array.from({ length: RECORDS }, (_, n) => n))
  })
})
