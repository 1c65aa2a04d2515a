import { PutObjectCommand } from '@aws-sdk/client-s3'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { seededRandom, silentLogger } from '../../src/base/index.ts'
import { realClock, realNet, realRandom } from '../../src/base/real/index.ts'
import { type Client, createClient } from '../../src/client/index.ts'
import { isAlive } from '../services/alive.ts'
import { DEADLINE_MS } from '../services/deadline.ts'
import { type MillraceBroker, startMillraceBroker } from '../services/millrace.ts'
import { type S3Server, s3Missing, startS3 } from '../services/s3.ts'
import { aivenConnectionOf, connectionOf, jsonOf } from './support/s3-tasks.ts'
import { startTestWorker, type TestWorker, until } from './worker-harness.ts'

const ROUNDS = 3
const RECORDS_A_ROUND = 3000
const PARTITIONS = 2
const FLUSH_SIZE = 50

const missing = s3Missing()

interface Row {
  readonly id: number
  readonly partition: number
  readonly color: string
}

const keyOf = ({ partition, color }: Row): string => `${partition}-${color}`

describe('a topic and its objects', () => {
  let broker: MillraceBroker
  let server: S3Server
  let worker: TestWorker
  let client: Client

  beforeAll(async () => {
    if (missing !== null) return
    ;[broker, server] = await Promise.all([startMillraceBroker(), startS3()])
    const environment = { clock: realClock, net: realNet, random: realRandom, logger: silentLogger }
    client = createClient({ bootstrapServers: broker.bootstrapServers, ...environment })
    worker = await startTestWorker(broker.bootstrapServers, {
      'value.converter': 'org.apache.kafka.connect.json.JsonConverter',
      'value.converter.schemas.enable': 'false',
      'offset.flush.interval.ms': '1000',
    })
  })
  afterAll(async () => {
    await worker?.stop()
    await broker?.stop()
    await server?.stop()
  })

  /** Writes rows with numbers that go on from those before. */
  async function produce(topic: string, rows: readonly Row[]): Promise<void> {
    const producer = client.producer()
    for (const row of rows) {
      const room = producer.ready(topic)
      if (room) await room
      const value = Buffer.from(JSON.stringify(row))
      const key = Buffer.from(keyOf(row))
      producer.append({ topic, partition: row.partition, key, value, headers: [], timestamp: Date.now() })
    }
    await producer.flush()
    await producer.close()
  }

  /** Records of the topic that the connector has not committed. */
  async function lag(topic: string, group: string): Promise<number> {
    const partitions = Array.from({ length: PARTITIONS }, (_, partition) => ({ topic, partition }))
    const consumer = client.consumer()
    const admin = client.admin()
    try {
      const ends = await consumer.endOffsets(partitions)
      const committed = await admin.groups.offsets(group)
      const at = new Map(committed.map((each) => [`${each.topic}-${each.partition}`, each.offset]))
      return ends.reduce((sum, end, partition) => sum + end - (at.get(`${topic}-${partition}`) ?? 0), 0)
    } finally {
      await consumer.close()
      await admin.close()
    }
  }

  /**
   * Writes rows to a new topic while a sink stores them and is killed, its hosts and the server, once in each round but the
   * last: what is repeated has been by then. Gives the rows when all are committed.
   */
  async function storeWithKills(
    topic: string,
    config: Record<string, string>,
    stored: () => Promise<number>,
  ): Promise<readonly Row[]> {
    const random = seededRandom(20_261_121)
    const admin = client.admin()
    await admin.topics.create([{ name: topic, numPartitions: PARTITIONS, replicationFactor: 1 }])
    await admin.close()
    const connector = `${topic}-sink`
    await worker.create(
      {
        name: connector,
        topics: topic,
        'consumer.override.auto.offset.reset': 'earliest',
        'consumer.override.max.poll.records': '200',
        'consumer.override.session.timeout.ms': '6000',
        'consumer.override.heartbeat.interval.ms': '500',
        'restart.policy': 'always',
        'restart.backoff.ms': '10',
        'restart.max.attempts': '1000',
        ...config,
      },
      PARTITIONS,
    )
    const rows: Row[] = []
    for (let round = 0; round < ROUNDS; round++) {
      const added = Array.from({ length: RECORDS_A_ROUND }, (_, index) => ({
        id: round * RECORDS_A_ROUND + index,
        partition: index % PARTITIONS,
        color: random.next() < 0.5 ? 'red' : random.next() < 0.5 ? 'green' : 'blue',
      }))
      rows.push(...added)
      const producing = produce(topic, added)
      if (round < ROUNDS - 1) {
        const before = round * RECORDS_A_ROUND + RECORDS_A_ROUND / 4
        await until('some of the round is stored', async () => (await stored()) > before)
        for (const pid of worker.hosts.filter(isAlive)) process.kill(pid, 'SIGKILL')
        if (server.keepsObjects) {
          await server.kill()
          await server.restart()
        }
      }
      await producing
      await until('everything is committed', async () => (await lag(topic, `connect-${connector}`)) === 0)
    }
    await worker.worker.stopTasks(Array.from({ length: PARTITIONS }, (_, task) => ({ connector, task })))
    await worker.worker.stopConnector(connector)
    return rows
  }

  const layouts: [string, Record<string, string>][] = [
    ['by partition', {}],
    [
      'by a field',
      {
        'partitioner.class': 'io.confluent.connect.storage.partitioner.FieldPartitioner',
        'partition.field.name': 'color',
        's3.compression.type': 'gzip',
      },
    ],
    [
      'by partition and the clock, with conditional writes',
      { 'rotate.schedule.interval.ms': '50', timezone: 'UTC', 'flush.size': '1000000' },
    ],
  ]

  test.skipIf(missing !== null).each(layouts)(
    '%s are equal, each record once, after kill -9 of task hosts and of the server',
    async (_name, layout) => {
      const topic = `rows-${layouts.findIndex(([, each]) => each === layout)}`
      const config = {
        ...connectionOf(server),
        'connector.class': 'io.confluent.connect.s3.S3SinkConnector',
        'format.class': 'io.confluent.connect.s3.format.json.JsonFormat',
        'flush.size': String(FLUSH_SIZE),
        'retry.backoff.ms': '100',
        ...layout,
      }
      const load = async () => (await jsonOf(server, `topics/${topic}/`)) as Row[]
      const rows = await storeWithKills(topic, config, async () => (await load()).length)
      const stored = await load()
      expect(stored.length).toBe(rows.length)
      expect(stored.toSorted((a, b) => a.id - b.id)).toEqual(rows)
    },
  )

  /** As users of the Aiven connector name their objects. */
  const templates = (name: string) => ({
    ...aivenConnectionOf(server),
    'connector.class': 'io.aiven.kafka.connect.s3.AivenKafkaConnectS3SinkConnector',
    'file.name.template': name,
    'format.output.type': 'jsonl',
    'format.output.envelope': 'false',
    'kafka.retry.backoff.ms': '100',
    'key.converter': 'org.apache.kafka.connect.storage.StringConverter',
  })

  test.skipIf(missing !== null)('named by templates, with nothing lost and whole, after the same', async () => {
    const load = async () => (await jsonOf(server, 'changelog/')) as Row[]
    const config = templates('changelog/{{topic}}/{{partition}}-{{start_offset:padding=true}}.gz')
    const rows = await storeWithKills('changelog', config, async () => new Set((await load()).map(({ id }) => id)).size)
    // At least once: a row that is there again is the same row.
    const stored = new Map((await load()).map((row) => [row.id, row]))
    expect([...stored.values()].toSorted((a, b) => a.id - b.id)).toEqual(rows)
  })

  test.skipIf(missing !== null)('named by keys, with the latest record of each, after the same', async () => {
    const load = async () => (await jsonOf(server, 'latest/')) as Row[]
    const config = { ...templates('latest/{{key}}.json'), 'file.compression.type': 'none' }
    const rows = await storeWithKills('latest', config, async () => Math.max(0, ...(await load()).map(({ id }) => id)))
    const latest = new Map(rows.map((row) => [keyOf(row), row]))
    expect((await load()).toSorted((a, b) => a.id - b.id)).toEqual([...latest.values()].toSorted((a, b) => a.id - b.id))
  })

  test.skipIf(missing !== null)(
    'objects and their topic are equal, in order and with nothing lost, after kill -9 of task hosts and of the server',
    async () => {
      const topic = 'restored'
      const objects = 40
      const lines = 250
      for (let object = 0; object < objects; object++) {
        const ids = Array.from({ length: lines }, (_, line) => object * lines + line)
        await server.client.send(
          new PutObjectCommand({
            Bucket: server.bucket,
            Key: `backup/${topic}/partition=0/${topic}+0+${String(object * lines).padStart(10, '0')}.json`,
            Body: ids.map((id) => `{"id":${id}}\n`).join(''),
          }),
        )
      }
      const admin = client.admin()
      await admin.topics.create([{ name: topic, numPartitions: 1, replicationFactor: 1 }])
      await admin.close()
      const connector = 'restore'
      await worker.create({
        ...connectionOf(server),
        name: connector,
        'connector.class': 'io.confluent.connect.s3.source.S3SourceConnector',
        'topics.dir': 'backup',
        'format.class': 'io.confluent.connect.s3.format.json.JsonFormat',
        's3.poll.interval.ms': '100',
        's3.part.retries': '0',
        'record.batch.max.size': '50',
        'restart.policy': 'always',
        'restart.backoff.ms': '10',
        'restart.max.attempts': '1000',
      })
      const partition = { topic, partition: 0 }
      const consumer = client.consumer()
      consumer.assign([partition])
      consumer.seekToBeginning()
      const ids: number[] = []
      const read = async (until: () => boolean): Promise<void> => {
        for (const deadline = performance.now() + DEADLINE_MS; !until(); ) {
          if (performance.now() > deadline) throw new Error(`only ${ids.length} records came: ${ids.at(-1)}`)
          for (const { value } of await consumer.poll(100)) ids.push(JSON.parse(String(value)).id)
        }
      }
      for (const part of [0.2, 0.6]) {
        await read(() => ids.length > part * objects * lines)
        for (const pid of worker.hosts.filter(isAlive)) process.kill(pid, 'SIGKILL')
        if (server.keepsObjects) {
          await server.kill()
          await server.restart()
        }
      }
      const seen = new Set<number>()
      await read(() => {
        for (const id of ids) seen.add(id)
        return seen.size === objects * lines
      })
      // In the order in which they first came nothing is missing; what a kill repeated came in order too.
      expect([...seen]).toEqual(Array.from({ length: objects * lines }, (_, id) => id))
      await consumer.close()
      await worker.worker.stopTasks([{ connector, task: 0 }])
      await worker.worker.stopConnector(connector)
    },
  )
})
