import { PutObjectCommand } from '@aws-sdk/client-s3'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { DEADLINE_MS } from '../services/deadline.ts'
import { type S3Server, s3Missing, startS3 } from '../services/s3.ts'
import { patient } from './support/kills.ts'
import { aivenConnectionOf, connectionOf, jsonOf } from './support/s3-tasks.ts'
import { keyOf, type Row, SinkKills } from './support/sink-kills.ts'
import { createTopic } from './support/topics.ts'

const FLUSH_SIZE = 50

const missing = s3Missing()

describe('a topic and its objects', () => {
  let kills: SinkKills
  let server: S3Server

  beforeAll(async () => {
    if (missing !== null) return
    ;[kills, server] = await Promise.all([SinkKills.start(), startS3()])
  })
  afterAll(async () => {
    await kills?.stop()
    await server?.stop()
  })

  async function killServer(): Promise<void> {
    if (!server.keepsObjects) return
    await server.kill()
    await server.restart()
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
      const rows = await kills.store({ topic, config, stored: async () => (await load()).length, killServer })
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
    const rows = await kills.store({
      topic: 'changelog',
      config,
      stored: async () => new Set((await load()).map(({ id }) => id)).size,
      killServer,
    })
    // At least once: a row that is there again is the same row.
    const stored = new Map((await load()).map((row) => [row.id, row]))
    expect([...stored.values()].toSorted((a, b) => a.id - b.id)).toEqual(rows)
  })

  test.skipIf(missing !== null)('named by keys, with the latest record of each, after the same', async () => {
    const load = async () => (await jsonOf(server, 'latest/')) as Row[]
    const config = { ...templates('latest/{{key}}.json'), 'file.compression.type': 'none' }
    const rows = await kills.store({
      topic: 'latest',
      config,
      stored: async () => Math.max(0, ...(await load()).map(({ id }) => id)),
      killServer,
    })
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
      const { client, worker } = kills
      await createTopic(client, topic)
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
        ...patient,
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
        worker.killHosts()
        await killServer()
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
