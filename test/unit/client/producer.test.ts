import { describe, expect, test } from 'vitest'
import { seededRandom } from '../../../src/base/index.ts'
import { Producer } from '../../../src/client/producer/producer.ts'
import type { ProducerBatch } from '../../../src/client/producer/producer-batch.ts'
import type { ProducerOptions } from '../../../src/client/producer/producer-config.ts'
import { ErrorCode } from '../../../src/protocol/index.ts'
import { drain, SimClock } from '../../simulation/sim-clock.ts'
import { FakeBroker, type ProduceFault } from './fake-broker.ts'

function setUp(options: ProducerOptions = {}, seed = 1, partitions = 1) {
  const clock = new SimClock()
  const random = seededRandom(seed)
  const broker = new FakeBroker(clock, random, partitions)
  const producer = new Producer(broker.config, options)
  return { clock, random, broker, producer }
}

async function append(producer: Producer, value: string, partition: number | undefined = 0): Promise<ProducerBatch> {
  for (let wait = producer.ready('t'); wait; wait = producer.ready('t')) await wait
  return producer.append({ topic: 't', partition, key: null, value: Buffer.from(value) })
}

const numbers = (count: number): string[] => Array.from({ length: count }, (_, i) => String(i))

describe('appending', () => {
  test('all records of a batch share it, and its offsets count on from the first', async () => {
    const { clock, broker, producer } = setUp()
    const first = await clock.settle(append(producer, 'a'))
    const second = await clock.settle(append(producer, 'b'))
    expect(second).toBe(first)
    expect(first.state).toBe('pending')
    await clock.settle(producer.flush())
    expect(first).toMatchObject({ state: 'acked', baseOffset: 0, recordCount: 2 })
    const sent = await clock.settle(producer.send({ topic: 't', key: null, value: Buffer.from('c') }))
    expect(sent).toEqual({ topic: 't', partition: 0, offset: 2, logAppendTimeMs: -1 })
    expect(broker.values(0)).toEqual(['a', 'b', 'c'])
  })

  test('a record waits linger.ms for others, unless the batch is full', async () => {
    const { clock, broker, producer } = setUp({ lingerMs: 100, batchSize: 300 })
    await clock.settle(append(producer, 'a'))
    await clock.advance(60)
    expect(broker.values(0)).toEqual([])
    await clock.advance(100)
    expect(broker.values(0)).toEqual(['a'])
    for (const value of numbers(40)) await clock.settle(append(producer, value))
    await clock.advance(30)
    expect(broker.values(0).length).toBeGreaterThan(20)
  })

  test('what comes while all requests are out follows as one batch, also without linger.ms', async () => {
    const { clock, broker, producer } = setUp({ lingerMs: 0 })
    await clock.settle(append(producer, 'first'))
    await clock.settle(producer.flush())
    broker.latencyMs = () => 1000
    const batches = new Set<ProducerBatch>()
    for (const value of numbers(50)) {
      batches.add(producer.append({ topic: 't', partition: 0, key: null, value: Buffer.from(value) }))
      await drain()
    }
    // Five requests may be out; the other records wait together.
    expect(batches.size).toBe(6)
    await clock.advance(10_000)
    expect([...batches].map(({ state }) => state)).toEqual(Array(6).fill('acked'))
    expect(broker.values(0)).toEqual(['first', ...numbers(50)])
  })

  test('a full buffer.memory holds the application back until batches are acked', async () => {
    const { clock, producer } = setUp({ bufferMemory: 2000, batchSize: 500, lingerMs: 0 })
    await clock.settle(append(producer, 'x'))
    await clock.settle(producer.flush())
    while (!producer.ready()) producer.append({ topic: 't', key: null, value: Buffer.alloc(300) })
    expect(() => producer.append({ topic: 't', key: null, value: null })).toThrow(
      expect.objectContaining({ code: 'CLIENT_BUFFER_FULL' }),
    )
    expect(producer.bufferedBytes).toBeLessThan(2600)
    await clock.settle(producer.ready()!)
    expect(producer.bufferedBytes).toBeLessThan(2000)
  })

  test('a record beyond max.request.size is refused with its sizes and key', async () => {
    const { clock, producer } = setUp({ maxRequestSize: 1000 })
    await clock.settle(producer.ready('t')!)
    const record = { topic: 't', key: Buffer.from('user-7'), value: Buffer.alloc(2000) }
    expect(() => producer.append(record)).toThrow(
      expect.objectContaining({
        code: 'MESSAGE_TOO_LARGE',
        message: expect.stringMatching(
          /max\.request\.size of 1000: topic t, key 'user-7' of 6 bytes, value of 2000 bytes/,
        ),
      }),
    )
  })

  test('a partition that does not exist is refused', async () => {
    const { clock, producer } = setUp()
    await clock.settle(producer.ready('t')!)
    const record = { topic: 't', partition: 1, key: null, value: null }
    expect(() => producer.append(record)).toThrow('Partition 1 of topic t does not exist, it has 1 partitions')
  })

  test('a topic that does not exist is given up after max.block.ms', async () => {
    const { clock, producer } = setUp({ maxBlockMs: 3000 })
    const started = clock.monotonicMs()
    const record = { topic: 'other', key: null, value: null }
    await expect(clock.settle(producer.send(record))).rejects.toMatchObject({ code: 'CLIENT_TIMED_OUT' })
    expect(clock.monotonicMs() - started).toBeLessThan(4000)
  })
})

describe('failures', () => {
  test('a batch that the broker refuses for good fails alone and those behind it keep their order', async () => {
    const { clock, broker, producer } = setUp({ batchSize: 100, lingerMs: 0 })
    broker.fault = (_, values) =>
      values.includes('3') ? { type: 'error', errorCode: ErrorCode.INVALID_RECORD } : { type: 'none' }
    const batches: ProducerBatch[] = []
    for (const value of numbers(9)) {
      batches.push(await clock.settle(append(producer, value)))
      // One batch each, several of them in flight.
      await clock.advance(0.5)
    }
    await clock.settle(producer.flush())
    const failed = batches.filter(({ state }) => state === 'failed')
    expect(failed[0]!.error).toMatchObject({ code: 'INVALID_RECORD', retriable: false })
    expect(new Set(failed).size).toBe(1)
    expect(broker.values(0)).toEqual(numbers(9).filter((_, i) => batches[i]!.state === 'acked'))
  })

  test('a batch that is not acked within delivery.timeout.ms fails as retriable', async () => {
    const { clock, broker, producer } = setUp({ deliveryTimeoutMs: 31_000 })
    broker.fault = () => ({ type: 'error', errorCode: ErrorCode.NOT_LEADER_OR_FOLLOWER })
    const batch = await clock.settle(append(producer, 'a'))
    const started = clock.monotonicMs()
    await clock.settle(batch.done)
    expect(batch.state).toBe('failed')
    expect(batch.error).toMatchObject({ code: 'CLIENT_TIMED_OUT', retriable: true })
    expect(clock.monotonicMs() - started).toBeGreaterThan(30_000)
    expect(clock.monotonicMs() - started).toBeLessThan(33_000)
  })

  test('a broker that does not answer is left after request.timeout.ms, and the batch arrives once', async () => {
    const { clock, broker, producer } = setUp()
    let silent = true
    broker.fault = () => ({ type: silent ? 'silence' : 'none' })
    const batch = await clock.settle(append(producer, 'a'))
    await clock.advance(29_000)
    silent = false
    expect(broker.values(0)).toEqual([])
    await clock.settle(batch.done)
    expect(batch.state).toBe('acked')
    expect(broker.values(0)).toEqual(['a'])
  })

  test('a broker that forgot the producer gets the batches again in a new epoch', async () => {
    const { clock, broker, producer } = setUp({ lingerMs: 0 })
    for (const value of ['a', 'b']) await clock.settle(append(producer, value))
    await clock.settle(producer.flush())
    // The state is there again but behind: what a broker answers after it lost the tail of its log.
    broker.forgetProducers()
    broker.fault = () => {
      broker.fault = () => ({ type: 'none' })
      return { type: 'error', errorCode: ErrorCode.OUT_OF_ORDER_SEQUENCE_NUMBER }
    }
    const batch = await clock.settle(append(producer, 'c'))
    await clock.settle(batch.done)
    expect(batch).toMatchObject({ state: 'acked', producerEpoch: 1, baseSequence: 0 })
    expect(broker.values(0)).toEqual(['a', 'b', 'c'])
  })

  test('an answer that no retry changes to the request for a producer id ends the producer', async () => {
    const { clock, broker, producer } = setUp()
    broker.answer = (api) =>
      api === 'InitProducerId' ? { errorCode: ErrorCode.CLUSTER_AUTHORIZATION_FAILED } : undefined
    const batch = await clock.settle(append(producer, 'a'))
    await clock.settle(batch.done)
    expect(batch.error).toMatchObject({ code: 'CLUSTER_AUTHORIZATION_FAILED' })
    expect(() => producer.append({ topic: 't', key: null, value: null })).toThrow('CLUSTER_AUTHORIZATION_FAILED')
  })

  test('close fails what is not acked in time and nothing is accepted after it', async () => {
    const { clock, broker, producer } = setUp()
    broker.fault = () => ({ type: 'silence' })
    const batch = await clock.settle(append(producer, 'a'))
    await clock.settle(producer.close({ timeoutMs: 1000 }))
    expect(batch).toMatchObject({ state: 'failed', error: { code: 'CLIENT_CLOSED' } })
    expect(() => producer.append({ topic: 't', key: null, value: null })).toThrow('The producer is closed')
    await expect(producer.ready('t')).rejects.toMatchObject({ code: 'CLIENT_CLOSED' })
  })
})

describe('order (Invariant 6)', () => {
  const retriable = [
    ErrorCode.NOT_LEADER_OR_FOLLOWER,
    ErrorCode.NOT_ENOUGH_REPLICAS,
    ErrorCode.REQUEST_TIMED_OUT,
    ErrorCode.KAFKA_STORAGE_ERROR,
  ]

  function randomFault(next: () => number): ProduceFault {
    const dice = next()
    if (dice < 0.1) return { type: 'error', errorCode: retriable[Math.floor(next() * retriable.length)]! }
    if (dice < 0.15) return { type: 'lost-request' }
    if (dice < 0.2) return { type: 'lost-answer' }
    if (dice < 0.21) return { type: 'silence' }
    return { type: 'none' }
  }

  test.each(numbers(60).map(Number))('every record arrives once and in order under faults, seed %i', async (seed) => {
    const options = { batchSize: 120, lingerMs: seed % 3, bufferMemory: 4000, deliveryTimeoutMs: 10_000_000 }
    const { clock, random, broker, producer } = setUp(options, seed + 1, 2)
    broker.fault = () => randomFault(() => random.next())
    const sent: string[][] = [[], []]
    for (const value of numbers(200)) {
      const partition = random.next() < 0.5 ? 0 : 1
      const batch = await clock.settle(append(producer, value, partition))
      sent[batch.partition]!.push(value)
      if (random.next() < 0.3) await clock.advance(random.next() * 5)
    }
    await clock.settle(producer.flush())
    expect(broker.values(0)).toEqual(sent[0])
    expect(broker.values(1)).toEqual(sent[1])
    await clock.settle(producer.close())
  })

  test.each(numbers(30).map(Number))('failed batches leave neither gaps nor disorder behind, seed %i', async (seed) => {
    const options = { batchSize: 120, lingerMs: 0, deliveryTimeoutMs: 10_000_000 }
    const { clock, random, broker, producer } = setUp(options, seed + 100)
    const poison = new Set(numbers(100).filter(() => random.next() < 0.1))
    broker.fault = (_, values) =>
      values.some((value) => poison.has(value))
        ? { type: 'error', errorCode: ErrorCode.INVALID_RECORD }
        : { type: random.next() < 0.1 ? 'lost-request' : 'none' }
    const batches: ProducerBatch[] = []
    for (const value of numbers(100)) {
      batches.push(await clock.settle(append(producer, value)))
      if (random.next() < 0.5) await clock.advance(random.next() * 3)
    }
    await clock.settle(producer.flush())
    const acked = numbers(100).filter((_, i) => batches[i]!.state === 'acked')
    expect(broker.values(0)).toEqual(acked)
    expect(acked.some((value) => poison.has(value))).toBe(false)
    await clock.settle(producer.close())
  })
})

describe('without acknowledgements', () => {
  test('acks=0 counts as done when it is written to the socket', async () => {
    const { clock, broker, producer } = setUp({ acks: 0 })
    const batch = await clock.settle(append(producer, 'a'))
    await clock.settle(batch.done)
    expect(batch).toMatchObject({ state: 'acked', baseOffset: -1, producerId: -1 })
    await clock.advance(100)
    expect(broker.values(0)).toEqual(['a'])
    expect(broker.requests.filter((name) => name === 'Produce')).toHaveLength(1)
  })

  test('the idempotent producer insists on acks=all and at most five requests in flight', () => {
    expect(() => setUp({ acks: 1, enableIdempotence: true })).toThrow('Invalid value 1 for configuration acks')
    expect(() => setUp({ maxInFlightRequestsPerConnection: 6 })).toThrow('must be at most 5')
    expect(() => setUp({ deliveryTimeoutMs: 1000 })).toThrow('delivery.timeout.ms')
  })
})
