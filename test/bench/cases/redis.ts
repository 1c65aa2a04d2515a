import { Queue } from 'bullmq'
import { Redis } from 'ioredis'
import { clientOf } from '../../integration/client/clusters.ts'
import { type NewRecord, produce } from '../../integration/support/topics.ts'
import { type RedisServer, startRedis } from '../../services/redis.ts'
import { cpuSeconds, ownCpuSeconds, timed } from '../measure.ts'
import type { BenchCase, Figures, Side } from '../report.ts'
import { type Config, createConnector, deleteConnector, waitFor } from '../rest-client.ts'
import { type BrokerUnderTest, millraceBroker, millraceWorker, type WorkerUnderTest } from '../systems.ts'
import { createTopicReader } from '../topic-reader.ts'

const ENTRIES = 400_000
const JOBS = 100_000
const BATCH = 1000
const JSON_PLAIN = {
  'tasks.max': '1',
  'key.converter': 'org.apache.kafka.connect.storage.StringConverter',
  'value.converter': 'org.apache.kafka.connect.json.JsonConverter',
  'value.converter.schemas.enable': 'false',
}

const valueAt = (n: number) => ({
  id: String(n),
  name: `customer ${n % 10_000}`,
  city: `City_${n % 97}`,
  note: 'a few words that are the same each time',
})
const fieldsAt = (n: number): string[] => Object.entries(valueAt(n)).flat()

function* records(count: number): Generator<NewRecord> {
  for (let n = 0; n < count; n++) {
    yield { partition: 0, key: Buffer.from(`k${n}`), value: Buffer.from(JSON.stringify(valueAt(n))) }
  }
}

async function addEntries(client: Redis, stream: string): Promise<void> {
  for (let n = 0; n < ENTRIES; n += BATCH) {
    const pipeline = client.pipeline()
    for (let i = n; i < n + BATCH; i++) pipeline.xadd(stream, '*', ...fieldsAt(i))
    await pipeline.exec()
  }
}

interface Stack {
  readonly redis: RedisServer
  readonly client: Redis
  readonly broker: BrokerUnderTest
  readonly worker: WorkerUnderTest
  stop(): Promise<void>
}

async function startStack(): Promise<Stack> {
  const redis = await startRedis()
  const client = new Redis(redis.port, redis.host)
  const broker = await millraceBroker()
  const worker = await millraceWorker(broker.bootstrapServers, 'bench-redis')
  return {
    redis,
    client,
    broker,
    worker,
    async stop() {
      client.disconnect()
      await worker.stop()
      await broker.stop()
      await redis.stop()
    },
  }
}

/** One run of a connector, from its POST until the count at the destination is reached. */
async function runConnector(
  { worker, broker }: Stack,
  name: string,
  config: Config,
  count: number,
  arrived: () => Promise<number>,
): Promise<Figures> {
  const cpu = () => cpuSeconds(worker.pid()) + cpuSeconds(broker.pid())
  const figures = await timed(count, cpu, async () => {
    await createConnector(worker.url, name, { ...JSON_PLAIN, ...config })
    await waitFor(`${name} at the destination`, async () => (await arrived()) >= count)
  })
  await deleteConnector(worker.url, name)
  return figures
}

const none = async (): Promise<void> => undefined

async function sinkSides(): Promise<readonly Side[]> {
  const stack = await startStack()
  const { client, redis } = stack
  await produce(clientOf(stack.broker), 'entries', records(ENTRIES))
  const config = {
    'connector.class': 'com.redis.kafka.connect.RedisSinkConnector',
    topics: 'entries',
    'redis.uri': redis.url,
  }
  return [
    {
      name: 'millrace',
      async run(round) {
        await client.del('entries')
        return runConnector(stack, `sink-${round + 9}`, config, ENTRIES, () => client.xlen('entries'))
      },
      stop: () => stack.stop(),
    },
    {
      name: 'ioredis pipeline',
      async run() {
        await client.del('bare')
        return timed(ENTRIES, ownCpuSeconds, () => addEntries(client, 'bare'))
      },
      stop: none,
    },
  ]
}

async function sourceSides(): Promise<readonly Side[]> {
  const stack = await startStack()
  const { client, redis, broker } = stack
  await addEntries(client, 'entries')
  const reader = await createTopicReader(broker.bootstrapServers)
  return [
    {
      name: 'millrace',
      async run(round) {
        const topic = `copy-${round + 9}`
        const config = {
          'connector.class': 'com.redis.kafka.connect.RedisStreamSourceConnector',
          'redis.uri': redis.url,
          'redis.stream.name': 'entries',
          'redis.stream.consumer.group': topic,
          'batch.size': String(BATCH),
          topic,
        }
        return runConnector(stack, topic, config, ENTRIES, () => reader.end(topic))
      },
      async stop() {
        await reader.close()
        await stack.stop()
      },
    },
    {
      name: 'ioredis pipeline',
      async run(round) {
        const group = `bare-${round}`
        await client.xgroup('CREATE', 'entries', group, '0')
        return timed(ENTRIES, ownCpuSeconds, () => readEntries(client, group))
      },
      stop: none,
    },
  ]
}

async function readEntries(client: Redis, group: string): Promise<void> {
  let ids: string[] = []
  for (let seen = 0; seen < ENTRIES; seen += ids.length) {
    const pipeline = client.pipeline()
    if (ids.length > 0) pipeline.xack('entries', group, ...ids)
    pipeline.xreadgroup('GROUP', group, 'c', 'COUNT', BATCH, 'STREAMS', 'entries', '>')
    const last = (await pipeline.exec())!.at(-1)!
    const [[, entries]] = last[1] as [[string, [string, string[]][]]]
    ids = entries.map(([id]) => id)
  }
  await client.xack('entries', group, ...ids)
}

async function queueSides(): Promise<readonly Side[]> {
  const stack = await startStack()
  const { client, redis } = stack
  await produce(clientOf(stack.broker), 'jobs', records(JOBS))
  const waiting = (name: string) => client.llen(`bull:${name}:wait`)
  return [
    {
      name: 'millrace',
      async run(round) {
        const queue = `ours-${round + 9}`
        const config = {
          'connector.class': 'BullMQSinkConnector',
          topics: 'jobs',
          'redis.uri': redis.url,
          'queue.name': queue,
        }
        return runConnector(stack, queue, config, JOBS, () => waiting(queue))
      },
      stop: () => stack.stop(),
    },
    {
      name: 'addBulk',
      async run(round) {
        const queue = new Queue(`bare-${round + 9}`, { connection: { host: redis.host, port: redis.port } })
        const figures = await timed(JOBS, ownCpuSeconds, async () => {
          for (let n = 0; n < JOBS; n += 500) {
            const jobs = Array.from({ length: 500 }, (_, i) => {
              return { name: 'jobs', data: valueAt(n + i), opts: { jobId: `jobs-0-${n + i}` } }
            })
            await queue.addBulk(jobs)
          }
        })
        if ((await waiting(queue.name)) !== JOBS) throw new Error(`${queue.name} lacks jobs`)
        await queue.close()
        return figures
      },
      stop: none,
    },
  ]
}

const targets: BenchCase['targets'] = [{ figure: 'records', unit: '1/s', better: 'more', ratio: 0.8 }]

export const redisCases: readonly BenchCase[] = [
  {
    name: 'redis-stream-sink',
    title: `topic -> Redis stream, ${ENTRIES} entries; the peer is a bare ioredis pipeline of XADD`,
    targets,
    sides: sinkSides,
  },
  {
    name: 'redis-stream-source',
    title: `Redis stream -> topic, ${ENTRIES} entries; the peer only reads and acknowledges them with ioredis`,
    targets,
    sides: sourceSides,
  },
  {
    name: 'bullmq-sink',
    title: `topic -> BullMQ, ${JOBS} jobs; the peer is addBulk with the same ids`,
    targets,
    sides: queueSides,
  },
]
