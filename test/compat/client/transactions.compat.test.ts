import { spawnSync } from 'node:child_process'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import type { Client, ConsumerOptions } from '../../../src/client/index.ts'
import { clientOf, newTopic, until } from '../../integration/client/clusters.ts'
import { type Kafka, kafkaJars, kafkaMissing, startKafka } from '../../services/kafka.ts'

/** Aborted, marker, committed, marker, open, behind, marker. */
const END = 7

const missing = kafkaMissing('4.3.1') !== null

describe('transactions of Kafka’s producer', () => {
  let kafka: Kafka
  let client: Client
  let topic: string
  beforeAll(async () => {
    if (missing) return
    kafka = await startKafka()
    client = clientOf(kafka)
    topic = await newTopic(client)
    const program = join(import.meta.dirname, 'Transactions.java')
    const args = ['-cp', join(await kafkaJars('4.3.1'), '*'), program, kafka.bootstrapServers, topic]
    const java = spawnSync('java', args, { encoding: 'utf8' })
    if (java.status !== 0) throw new Error(java.stderr)
    // A commit is answered before its marker is in the log.
    await using consumer = client.consumer()
    await until('the last marker is there', async () => {
      return (await consumer.endOffsets([{ topic, partition: 0 }]))[0] === END
    })
  })
  afterAll(() => kafka?.stop())

  /** Everything there is to read, and how far the reader got. */
  async function readAll(options: ConsumerOptions): Promise<{ values: string[]; end: number }> {
    const at = { topic, partition: 0 }
    await using consumer = client.consumer({ autoOffsetReset: 'earliest', ...options })
    consumer.assign([at])
    const [end] = await consumer.endOffsets([at])
    const values: string[] = []
    await until('all is read', async () => {
      values.push(...(await consumer.poll(100)).map(({ value }) => value!.toString()))
      return (await consumer.position(at)) >= end!
    })
    expect(await consumer.poll(600)).toEqual([])
    return { values, end: end! }
  }

  test.skipIf(missing)('read_committed ends before the first open one and leaves out what was aborted', async () => {
    expect(await readAll({ isolationLevel: 'read_committed' })).toEqual({ values: ['committed'], end: 4 })
  })

  test.skipIf(missing)('read_uncommitted gives everything but the markers', async () => {
    const { values, end } = await readAll({ isolationLevel: 'read_uncommitted' })
    expect(values).toEqual(['aborted', 'committed', 'open', 'behind'])
    expect(end).toBe(END)
  })
})
