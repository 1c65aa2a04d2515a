import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import type { Client, ProducerBatch } from '../../../src/client/index.ts'
import { kafkaMissing, startKafka } from '../../services/kafka.ts'
import { startMillraceBroker } from '../../services/millrace.ts'
import { clientOf, newTopic, until } from './clusters.ts'

const PARTITIONS = 3

interface Killable {
  readonly bootstrapServers: string
  kill(): Promise<void>
  restart(): Promise<void>
  stop(): Promise<void>
}

const kinds: readonly { name: string; missing: boolean; kills: number; start: () => Promise<Killable> }[] = [
  { name: 'Millrace', missing: false, kills: 3, start: () => startMillraceBroker() },
  { name: 'Apache Kafka 4.3.1', missing: kafkaMissing('4.3.1') !== null, kills: 1, start: () => startKafka() },
]

describe.each(kinds)('kill -9 of $name', (kind) => {
  let broker: Killable & { restart(): Promise<void> }
  let client: Client
  beforeAll(async () => {
    if (kind.missing) return
    broker = await kind.start()
    client = clientOf(broker)
  })
  afterAll(() => broker?.stop())

  test.skipIf(kind.missing)('every record is in the log once and in order (Invariants 6 and 9)', async () => {
    const topic = await newTopic(client, PARTITIONS)
    await using producer = client.producer({ batchSize: 4096 })
    const sent: string[][] = Array.from({ length: PARTITIONS }, () => [])
    const batches = new Set<ProducerBatch>()
    let stopping = false
    const producing = (async () => {
      for (let i = 0; !stopping; i++) {
        for (let wait = producer.ready(topic); wait; wait = producer.ready(topic)) await wait
        const partition = i % PARTITIONS
        batches.add(producer.append({ topic, partition, key: null, value: Buffer.from(String(i)) }))
        sent[partition]!.push(String(i))
        // Leaves the machine to the broker, which shares it.
        if (i % 100 === 0) await new Promise((resolve) => setTimeout(resolve, 5))
      }
    })()
    const acked = () => [...batches].filter(({ state }) => state === 'acked').length
    for (let kill = 0; kill < kind.kills; kill++) {
      const before = acked()
      await until('more is acked', () => acked() > before + 5)
      await broker.kill()
      await broker.restart()
    }
    stopping = true
    await producing
    await producer.flush()
    expect([...batches].filter(({ state }) => state !== 'acked')).toEqual([])

    await using consumer = client.consumer({ autoOffsetReset: 'earliest', maxPollRecords: 100_000 })
    consumer.assign(sent.map((_, partition) => ({ topic, partition })))
    const read: string[][] = sent.map(() => [])
    const total = sent.reduce((sum, list) => sum + list.length, 0)
    await until('all is read', async () => {
      for (const { partition, value } of await consumer.poll(200)) read[partition]!.push(value!.toString())
      return read.reduce((sum, list) => sum + list.length, 0) >= total
    })
    expect(read).toEqual(sent)
    expect(await consumer.endOffsets(consumer.assignment())).toEqual(sent.map((list) => list.length))
  })
})
