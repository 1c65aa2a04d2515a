// kill -9 of the broker under produce load: after the restart everything acknowledged is there once, in order, and a
// producer that sends again what it is not sure of is recognised.
import { setTimeout as sleep } from 'node:timers/promises'
import { seededRandom } from '../../src/base/index.ts'
import { apis, ErrorCode } from '../../src/protocol/index.ts'
import { BatchBuilder, iterateBatches, RecordCursor } from '../../src/record/index.ts'
import { RawClient } from '../integration/broker/raw-client.ts'
import { DEADLINE_MS } from '../services/deadline.ts'
import { type MillraceBroker, startMillraceBroker } from '../services/millrace.ts'

const TOPIC = 'chaos'
const RECORDS_PER_BATCH = 10
const IN_FLIGHT = 5

export interface BrokerKillSummary {
  readonly rounds: number
  readonly ackedBatches: number
  /** Batches that were sent again after a kill. */
  readonly resentBatches: number
  /** Of those, the ones that were in the log already. */
  readonly recognised: number
  readonly records: number
}

interface Options {
  readonly rounds: number
  readonly seed: number
  readonly log: (line: string) => void
}

/** One idempotent producer of one partition; its batches are numbered from 0 and hold their number in every record. */
class CountingProducer {
  readonly partition: number
  readonly #producerId: number
  readonly #builder = new BatchBuilder()
  nextBatch = 0
  /** Batch -> base offset that was answered. */
  readonly acked = new Map<number, number>()
  resent = 0
  recognised = 0

  constructor(partition: number, producerId: number) {
    this.partition = partition
    this.#producerId = producerId
  }

  #batch(number: number): Buffer {
    for (let i = 0; i < RECORDS_PER_BATCH; i++) {
      this.#builder.append(
        1_700_000_000_000 + number,
        null,
        Buffer.from(`${this.partition}/${number}/${i}${'.'.repeat(500)}`),
      )
    }
    const baseSequence = number * RECORDS_PER_BATCH
    return this.#builder.build({ producerId: this.#producerId, producerEpoch: 0, baseSequence })
  }

  #send(client: RawClient, number: number): void {
    const partitionData = [{ index: this.partition, records: this.#batch(number) }]
    client.send(apis.produce, 9, { acks: -1, timeoutMs: 10_000, topicData: [{ name: TOPIC, partitionData }] })
  }

  async #acknowledge(client: RawClient, number: number): Promise<void> {
    const { message } = await client.receive(apis.produce, 9)
    const { errorCode, baseOffset } = message.responses[0]!.partitionResponses[0]!
    if (errorCode !== ErrorCode.NONE) throw new Error(`batch ${number} of ${this.partition} got error ${errorCode}`)
    const earlier = this.acked.get(number)
    if (earlier !== undefined && earlier !== baseOffset) {
      throw new Error(`batch ${number} of ${this.partition} was at ${earlier} and is at ${baseOffset} now`)
    }
    this.acked.set(number, baseOffset)
  }

  /** Sends as fast as it is answered until the connection breaks. */
  async run(port: number): Promise<void> {
    const client = await RawClient.open(port)
    const sent: number[] = []
    try {
      for (;;) {
        while (sent.length < IN_FLIGHT) {
          this.#send(client, this.nextBatch)
          sent.push(this.nextBatch++)
        }
        await this.#acknowledge(client, sent[0]!)
        sent.shift()
      }
    } catch (error) {
      // What had no answer may or may not be in the log: it is sent again, as a producer does.
      if (!(error instanceof Error && error.message === 'the connection was closed')) throw error
    } finally {
      client.close()
    }
  }

  /** Sends again what was acknowledged last and all that was not. */
  async resend(port: number): Promise<void> {
    const client = await RawClient.open(port)
    const before = await highWatermark(client, this.partition)
    for (let number = Math.max(0, this.nextBatch - IN_FLIGHT); number < this.nextBatch; number++) {
      const wasAcked = this.acked.has(number)
      this.#send(client, number)
      await this.#acknowledge(client, number)
      this.resent++
      const isOld = this.acked.get(number)! < before
      if (isOld) this.recognised++
      if (wasAcked && !isOld) throw new Error(`acknowledged batch ${number} of ${this.partition} was lost`)
    }
    client.close()
  }
}

async function highWatermark(client: RawClient, partition: number): Promise<number> {
  const partitions = [{ partitionIndex: partition, timestamp: -1, currentLeaderEpoch: -1 }]
  const answer = await client.call(apis.listOffsets, 5, { replicaId: -1, topics: [{ name: TOPIC, partitions }] })
  return answer.topics[0]!.partitions[0]!.offset
}

/** Reads a whole partition: every record of every batch once, in order. */
async function verify(port: number, producer: CountingProducer): Promise<number> {
  const client = await RawClient.open(port)
  const end = await highWatermark(client, producer.partition)
  const cursor = new RecordCursor()
  let offset = 0
  let expected = 0
  while (offset < end) {
    const answer = await client.call(apis.fetch, 11, {
      maxWaitMs: 1000,
      minBytes: 1,
      maxBytes: 8 << 20,
      sessionEpoch: -1,
      topics: [
        {
          topic: TOPIC,
          partitions: [{ partition: producer.partition, fetchOffset: offset, partitionMaxBytes: 8 << 20 }],
        },
      ],
    })
    const { errorCode, records } = answer.responses[0]!.partitions[0]!
    if (errorCode !== ErrorCode.NONE || records === null) throw new Error(`fetch at ${offset} got error ${errorCode}`)
    for (const header of iterateBatches(records)) {
      cursor.open(records, header.position)
      while (cursor.next()) {
        const name = `${producer.partition}/${Math.floor(expected / RECORDS_PER_BATCH)}/${expected % RECORDS_PER_BATCH}`
        const value = cursor.value()!.toString()
        if (value.slice(0, value.indexOf('.')) !== name) {
          throw new Error(`offset ${cursor.offset} of ${producer.partition} holds ${value.slice(0, 40)}, not ${name}`)
        }
        if (cursor.offset !== expected) throw new Error(`record ${expected} is at offset ${cursor.offset}`)
        expected++
      }
      offset = header.lastOffset + 1
    }
  }
  client.close()
  if (expected !== producer.nextBatch * RECORDS_PER_BATCH) {
    throw new Error(
      `partition ${producer.partition} has ${expected} of ${producer.nextBatch * RECORDS_PER_BATCH} records`,
    )
  }
  return expected
}

async function setUp(broker: MillraceBroker, partitions: number): Promise<CountingProducer[]> {
  const client = await RawClient.open(broker.port)
  // Small segments, so that kills also hit the moment between two of them.
  const configs = [{ name: 'segment.bytes', value: '300000' }]
  const topics = [{ name: TOPIC, numPartitions: partitions, replicationFactor: -1, configs }]
  await client.call(apis.createTopics, 5, { topics, timeoutMs: 10_000 })
  const producers: CountingProducer[] = []
  for (let partition = 0; partition < partitions; partition++) {
    const request = { transactionalId: null, transactionTimeoutMs: 60_000 }
    producers.push(new CountingProducer(partition, (await client.call(apis.initProducerId, 4, request)).producerId))
  }
  client.close()
  return producers
}

/** Kills the broker again and again while it is written to; throws when a promise was broken. */
export async function brokerKillChaos({ rounds, seed, log }: Options): Promise<BrokerKillSummary> {
  const random = seededRandom(seed)
  const broker = await startMillraceBroker()
  try {
    const producers = await setUp(broker, 3)
    for (let round = 0; round < rounds; round++) {
      const running = Promise.all(producers.map((producer) => producer.run(broker.port)))
      const ackedBefore = producers.map((producer) => producer.acked.size)
      const deadline = Date.now() + DEADLINE_MS
      while (producers.some((producer, i) => producer.acked.size < ackedBefore[i]! + 20)) {
        if (Date.now() > deadline) throw new Error('the broker acknowledges too little')
        await sleep(5)
      }
      await sleep(random.next() * 200)
      await broker.kill()
      await running
      await broker.restart()
      for (const producer of producers) await producer.resend(broker.port)
      log(
        `round ${round + 1}: ${producers.reduce((sum, producer) => sum + producer.acked.size, 0)} batches acknowledged`,
      )
    }
    let records = 0
    for (const producer of producers) records += await verify(broker.port, producer)
    const sum = (of: (producer: CountingProducer) => number) => producers.reduce((total, p) => total + of(p), 0)
    return {
      rounds,
      ackedBatches: sum((producer) => producer.acked.size),
      resentBatches: sum((producer) => producer.resent),
      recognised: sum((producer) => producer.recognised),
      records,
    }
  } finally {
    await broker.stop()
  }
}
