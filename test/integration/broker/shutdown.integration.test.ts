// SIGTERM of a broker that is written to and read from: it ends by itself, loses and repeats nothing, and leaves a data
// directory that needs no recovery. (kill -9: test/integration/client/kill.integration.test.ts and test/chaos.)
import { existsSync } from 'node:fs'
import { join } from 'node:path'
import { afterAll, beforeAll, expect, test } from 'vitest'
import type { Client, Producer, ProducerBatch } from '../../../src/client/index.ts'
import { type MillraceBroker, startMillraceBroker } from '../../services/millrace.ts'
import { clientOf, newTopic, until } from '../client/clusters.ts'

const PARTITIONS = 3
const PRODUCERS = 2
const STOPS = 3

let broker: MillraceBroker
let client: Client

beforeAll(async () => {
  broker = await startMillraceBroker()
  client = clientOf(broker)
})
afterAll(() => broker?.stop())

/** Sends records that name their producer and number to all partitions in turn, until it is told to stop. */
class Writer {
  readonly #producer: Producer
  readonly #name: string
  readonly #topic: string
  readonly #batches = new Set<ProducerBatch>()
  readonly sent: string[][] = Array.from({ length: PARTITIONS }, () => [])
  #stopping = false

  constructor(producer: Producer, name: string, topic: string) {
    this.#producer = producer
    this.#name = name
    this.#topic = topic
  }

  async run(): Promise<void> {
    const topic = this.#topic
    for (let i = 0; !this.#stopping; i++) {
      for (let wait = this.#producer.ready(topic); wait; wait = this.#producer.ready(topic)) await wait
      const partition = i % PARTITIONS
      const value = `${this.#name}/${i}`
      this.#batches.add(this.#producer.append({ topic, partition, key: null, value: Buffer.from(value) }))
      this.sent[partition]!.push(value)
      // Leaves the machine to the broker, which shares it.
      if (i % 100 === 0) await new Promise((resolve) => setTimeout(resolve, 2))
    }
    await this.#producer.flush()
  }

  stop(): void {
    this.#stopping = true
  }

  get acked(): number {
    return [...this.#batches].filter(({ state }) => state === 'acked').length
  }

  get unacked(): number {
    return this.#batches.size - this.acked
  }
}

test('SIGTERM under load ends the broker with code 0; what was acknowledged is there once, without a recovery', async () => {
  const topic = await newTopic(client, PARTITIONS)
  const partitions = Array.from({ length: PARTITIONS }, (_, partition) => ({ topic, partition }))
  await using first = client.producer({ batchSize: 4096 })
  await using second = client.producer({ batchSize: 4096 })
  const writers = [first, second].map((producer, i) => new Writer(producer, String.fromCodePoint(97 + i), topic))
  expect(writers).toHaveLength(PRODUCERS)
  const writing = Promise.all(writers.map((writer) => writer.run()))
  // A reader whose fetches wait in the broker while it is told to stop.
  await using consumer = client.consumer({ autoOffsetReset: 'earliest', maxPollRecords: 100_000 })
  consumer.assign(partitions)
  const read: string[][] = partitions.map(() => [])
  const readMore = async () => {
    for (const { partition, value } of await consumer.poll(200)) read[partition]!.push(value!.toString())
  }

  for (let stop = 1; stop <= STOPS; stop++) {
    const before = writers.map(({ acked }) => acked)
    await until('more is acknowledged', async () => {
      await readMore()
      return writers.every(({ acked }, i) => acked > before[i]! + 5)
    })
    expect(await broker.end()).toBe(0)
    expect(existsSync(join(broker.dataDirectory, '.kafka_cleanshutdown'))).toBe(true)
    await broker.restart()
    // The mark is for one start: a kill after it must be noticed.
    expect(existsSync(join(broker.dataDirectory, '.kafka_cleanshutdown'))).toBe(false)
  }
  for (const writer of writers) writer.stop()
  await writing
  expect(writers.map(({ unacked }) => unacked)).toEqual([0, 0])

  const count = (partition: number) => writers.reduce((sum, { sent }) => sum + sent[partition]!.length, 0)
  expect(await consumer.endOffsets(partitions)).toEqual(partitions.map(({ partition }) => count(partition)))
  const total = partitions.reduce((sum, { partition }) => sum + count(partition), 0)
  await until('all is read', async () => {
    await readMore()
    return read.reduce((sum, list) => sum + list.length, 0) >= total
  })
  for (const [i, { sent }] of writers.entries()) {
    const ofWriter = read.map((list) => list.filter((value) => value.startsWith(String.fromCodePoint(97 + i))))
    expect(ofWriter).toEqual(sent)
  }
  const loads = broker.output().matchAll(/"cleanShutdown":(true|false).*"logs loaded"/g)
  // The first start found an empty directory; what is logged is cut to its end.
  expect([...loads].map((match) => match[1]).slice(-STOPS)).toEqual(Array(STOPS).fill('true'))
  expect(broker.output()).not.toMatch(/torn tail|made anew|damaged/)
})
