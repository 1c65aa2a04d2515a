// What the BullMQ connectors claim, under kill -9 of task hosts and of a server that keeps what it has confirmed.
import { type Job, Queue } from 'bullmq'
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from 'vitest'
import { silentLogger } from '../../src/base/index.ts'
import { realClock, realNet, realRandom } from '../../src/base/real/index.ts'
import { type Client, createClient } from '../../src/client/index.ts'
import { isAlive } from '../services/alive.ts'
import { type MillraceBroker, startMillraceBroker } from '../services/millrace.ts'
import { redisMissing, type RedisServer, startRedis } from '../services/redis.ts'
import { topicValues } from './support/topic-values.ts'
import { startTestWorker, type TestWorker, until } from './worker-harness.ts'

const PART = 600
const PARTS = 3
const patient = {
  'restart.policy': 'always',
  'restart.backoff.ms': '10',
  'restart.max.attempts': '1000',
}

describe.skipIf(redisMissing())('BullMQ under kill -9', () => {
  let broker: MillraceBroker
  let redis: RedisServer
  let worker: TestWorker
  let client: Client
  let queue: Queue

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
    queue = new Queue('work', { connection: { host: redis.host, port: redis.port } })
    queue.on('error', () => undefined)
  })
  afterEach(async () => {
    await worker?.stop()
    await queue?.close()
    await redis?.stop()
  })

  /** Adds work in parts; after each but the last, as soon as there is progress, hosts and server are killed. */
  async function killBetween(add: (from: number) => Promise<void>, progress: () => Promise<number>): Promise<void> {
    for (let part = 0; part < PARTS; part++) {
      const before = await progress()
      await add(part * PART)
      if (part === PARTS - 1) return
      await until('there is progress', async () => (await progress()) > before)
      for (const pid of worker.hosts.filter(isAlive)) process.kill(pid, 'SIGKILL')
      await redis.kill()
      await redis.restart()
    }
  }

  const all = Array.from({ length: PART * PARTS }, (_, n) => n)

  test('a queue has one job for each record of the topic, in its order', async () => {
    const admin = client.admin()
    await admin.topics.create([{ name: 'work', numPartitions: 1, replicationFactor: 1 }])
    await admin.close()
    await worker.create({
      ...patient,
      name: 'to-queue',
      'connector.class': 'BullMQSinkConnector',
      topics: 'work',
      'redis.uri': redis.url,
      'batch.size': '10',
      'retry.backoff.ms': '20',
      'max.retries': '1000',
      'consumer.override.max.poll.records': '50',
      'consumer.override.session.timeout.ms': '6000',
      'consumer.override.heartbeat.interval.ms': '500',
    })
    const add = async (from: number): Promise<void> => {
      const producer = client.producer()
      for (let n = from; n < from + PART; n++) {
        const room = producer.ready('work')
        if (room) await room
        const value = Buffer.from(JSON.stringify({ n }))
        producer.append({ topic: 'work', partition: 0, key: null, value, headers: [], timestamp: Date.now() })
      }
      await producer.flush()
      await producer.close()
    }
    const count = (): Promise<number> => queue.getWaitingCount()
    await killBetween(add, count)
    await until('each record has its job', async () => (await count()) >= all.length)
    const jobs = (await queue.getJobs(['waiting'], 0, -1, true)) as Job<{ n: number }>[]
    expect(jobs.map(({ data }) => data.n)).toEqual(all)
  })

  test('every job is in the topic before it is completed, and all are completed', async () => {
    await worker.create({
      ...patient,
      name: 'from-queue',
      'connector.class': 'BullMQSourceConnector',
      'queue.name': 'work',
      topic: 'from-work',
      'redis.uri': redis.url,
      'lock.duration.ms': '1000',
      'batch.size': '20',
      'producer.override.linger.ms': '0',
    })
    const add = async (from: number): Promise<void> => {
      await queue.addBulk(Array.from({ length: PART }, (_, n) => ({ name: 'job', data: { n: from + n } })))
    }
    const completed = (): Promise<number> => queue.getCompletedCount()
    await killBetween(add, completed)
    await until('all jobs are completed', async () => (await completed()) === all.length)
    expect(await queue.getFailedCount()).toBe(0)
    const values = await topicValues(broker, 'from-work')
    const seen = new Set(values.map((text) => (JSON.parse(text) as { data: { n: number } }).data.n))
    expect([...seen].toSorted((a, b) => a - b)).toEqual(all)
    // What BullMQ keeps as the result of a job is where its record is.
    const [job] = (await queue.getJobs(['completed'], 0, 0)) as Job<{ n: number }>[]
    const { offset } = job!.returnvalue as { offset: number }
    expect(JSON.parse(values[offset] ?? '{}')).toMatchObject({ id: job!.id })
  })
})
