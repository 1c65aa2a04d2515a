// What the Redis connectors claim, under kill -9 of task hosts and of a server that keeps what it has confirmed.
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from 'vitest'
import { seededRandom, silentLogger } from '../../src/base/index.ts'
import { realClock, realNet, realRandom } from '../../src/base/real/index.ts'
import { type Client, createClient } from '../../src/client/index.ts'
import { isAlive } from '../services/alive.ts'
import { type MillraceBroker, startMillraceBroker } from '../services/millrace.ts'
import { redisMissing, type RedisServer, startRedis } from '../services/redis.ts'
import { committedBy, endOf, topicValues } from './support/topic-values.ts'
import { startTestWorker, type TestWorker, until } from './worker-harness.ts'

const RECORDS = 6000
const PARTITIONS = 3
const KEYS = 200

const missing = redisMissing()
const patient = {
  'restart.policy': 'always',
  'restart.backoff.ms': '10',
  'restart.max.attempts': '1000',
  'retry.backoff.ms': '20',
  'max.retries': '1000',
}
const sinkOptions = {
  ...patient,
  'connector.class': 'com.redis.kafka.connect.RedisSinkConnector',
  // Small batches, each of them synced: the copy cannot be complete before the kills.
  'batch.size': '10',
  'consumer.override.max.poll.records': '100',
  'consumer.override.session.timeout.ms': '6000',
  'consumer.override.heartbeat.interval.ms': '500',
  'errors.tolerance': 'all',
  'errors.deadletterqueue.topic.replication.factor': '1',
}

describe.skipIf(missing)('Redis under kill -9', () => {
  let broker: MillraceBroker
  let redis: RedisServer
  let worker: TestWorker
  let client: Client

  beforeAll(async () => {
    broker = await startMillraceBroker()
    const environment = { clock: realClock, net: realNet, random: realRandom, logger: silentLogger }
    client = createClient({ bootstrapServers: broker.bootstrapServers, ...environment })
  })
  afterAll(async () => {
    await broker?.stop()
  })
  beforeEach(async () => {
    redis = await startRedis({ isDurable: true })
    worker = await startTestWorker(broker.bootstrapServers, {
      'value.converter': 'org.apache.kafka.connect.json.JsonConverter',
      'value.converter.schemas.enable': 'false',
      'offset.flush.interval.ms': '300',
    })
  })
  afterEach(async () => {
    await worker?.stop()
    await redis?.stop()
  })

  /** Adds work in three parts; after the first two, as soon as there is progress, hosts and server are killed. */
  async function killTwice(add: () => Promise<void>, progress: () => Promise<number>): Promise<void> {
    for (let killed = 0; killed < 2; killed++) {
      const before = await progress()
      await add()
      await until('there is progress', async () => (await progress()) > before)
      for (const pid of worker.hosts.filter(isAlive)) process.kill(pid, 'SIGKILL')
      await redis.kill()
      await redis.restart()
    }
    await add()
  }

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

    async write(): Promise<void> {
      const producer = client.producer()
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
        const text = value && Buffer.from(JSON.stringify(value))
        const record = { topic: this.#topic, partition, key: Buffer.from(key), value: text }
        const room = producer.ready(this.#topic)
        if (room) await room
        producer.append({ ...record, headers: [], timestamp: Date.now() })
      }
      await producer.flush()
      await producer.close()
    }
  }

  async function createTopic(name: string, numPartitions: number): Promise<void> {
    const admin = client.admin()
    await admin.topics.create([{ name, numPartitions, replicationFactor: 1 }])
    await admin.close()
  }

  test('exactly.once writes each record to the stream once and in order, while hosts and Redis are killed', async () => {
    await createTopic('entries', PARTITIONS)
    const changes = new Changes('entries', 20_261_121)
    await worker.create(
      {
        ...sinkOptions,
        name: 'once',
        topics: 'entries',
        'redis.uri': redis.url,
        'redis.type': 'STREAM',
        'exactly.once': 'true',
        'errors.deadletterqueue.topic.name': 'entries-errors',
      },
      2,
    )
    await killTwice(
      () => changes.write(),
      () => redis.client().xlen('entries'),
    )
    await until('all offsets are at the end', async () => (await committedBy(client, 'once')) === RECORDS)
    const numbers = (await redis.client().xrange('entries', '-', '+')).map(([, fields]) => Number(fields[1]))
    const { order } = changes
    expect(numbers).toHaveLength(order.flat().length)
    const place = new Map(order.flatMap((each, partition) => each.map((n) => [n, partition] as const)))
    const found: number[][] = Array.from({ length: PARTITIONS }, () => [])
    for (const n of numbers) found[place.get(n) ?? 0]?.push(n)
    expect(found).toEqual(order)
  })

  test('hashes equal their topic after hosts and Redis were killed', async () => {
    await createTopic('changes', PARTITIONS)
    const changes = new Changes('changes', 20_261_122)
    await worker.create(
      {
        ...sinkOptions,
        name: 'hashes',
        topics: 'changes',
        'redis.uri': redis.url,
        'redis.type': 'HASH',
        'errors.deadletterqueue.topic.name': 'changes-errors',
      },
      2,
    )
    const writes = async (): Promise<number> =>
      Number(/cmdstat_hset:calls=(\d+)/.exec(await redis.client().info('commandstats'))?.[1] ?? 0)
    await killTwice(() => changes.write(), writes)
    await until('everything is delivered and committed', async () => (await committedBy(client, 'hashes')) === RECORDS)
    const found = new Map<string, string>()
    for (const key of await redis.client().keys('changes:*')) {
      found.set(key.slice('changes:'.length), (await redis.client().hget(key, 'n')) ?? '')
    }
    expect(found).toEqual(changes.last)
  })

  test('the topic has every entry of a stream, while hosts and Redis are killed', async () => {
    let n = 0
    const add = async (): Promise<void> => {
      const pipeline = redis.client().pipeline()
      for (const end = n + RECORDS / 3; n < end; n++) pipeline.xadd('orders', '*', 'n', String(n))
      await pipeline.exec()
    }
    await createTopic('orders', 1)
    const config = {
      ...patient,
      name: 'stream',
      'connector.class': 'com.redis.kafka.connect.RedisStreamSourceConnector',
      'redis.uri': redis.url,
      'redis.stream.name': 'orders',
      'batch.size': '20',
      'producer.override.linger.ms': '0',
    }
    await worker.create(config)
    await killTwice(add, () => endOf(client, 'orders'))
    const done = async (): Promise<boolean> => {
      const [group] = (await redis.client().call('XINFO', 'GROUPS', 'orders')) as unknown[][]
      const of = (name: string): unknown => group?.[group.indexOf(name) + 1]
      return of('pending') === 0 && of('lag') === 0
    }
    await until('every entry is acknowledged', done)
    const seen = new Set((await topicValues(broker, 'orders')).map((text) => Number(JSON.parse(text).body.n)))
    // First sights are in the order of the stream; repetitions come behind.
    expect([...seen]).toEqual(Array.from({ length: RECORDS }, (_, n) => n))
  })
})
