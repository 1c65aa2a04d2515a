import { getEventListeners } from 'node:events'
import { describe, expect, test } from 'vitest'
import { seededRandom } from '../../../src/base/index.ts'
import { Consumer } from '../../../src/client/consumer/consumer.ts'
import type { ConsumerOptions } from '../../../src/client/consumer/consumer-config.ts'
import { ErrorCode } from '../../../src/protocol/index.ts'
import { SimClock } from '../../simulation/sim-clock.ts'
import { FakeBroker, type ProduceFault } from './fake-broker.ts'

const at = (partition: number) => ({ topic: 't', partition })
const numbers = (count: number): number[] => Array.from({ length: count }, (_, i) => i)

function setUp(options: ConsumerOptions = {}, seed = 1, partitions = 1) {
  const clock = new SimClock()
  const random = seededRandom(seed)
  const broker = new FakeBroker(clock, random, partitions)
  const consumer = new Consumer(broker.config, { autoOffsetReset: 'earliest', ...options })
  consumer.assign(numbers(partitions).map(at))
  return { clock, random, broker, consumer }
}

/** Polls until `count` records came. */
async function read(clock: SimClock, consumer: Consumer, count: number): Promise<string[]> {
  const values: string[] = []
  for (let polls = 0; values.length < count; polls++) {
    if (polls > 1000) throw new Error(`only ${values.length} of ${count}`)
    const records = await clock.settle(consumer.poll(1000))
    values.push(...records.map(({ value }) => value!.toString()))
  }
  return values
}

describe('reading', () => {
  test('starts where the reset policy says and goes on with what is new', async () => {
    const { clock, broker, consumer } = setUp()
    broker.write(0, ['a', 'b'])
    expect(await read(clock, consumer, 2)).toEqual(['a', 'b'])
    expect(await clock.settle(consumer.poll(500))).toEqual([])
    broker.write(0, ['c'])
    expect(await read(clock, consumer, 1)).toEqual(['c'])
    await clock.settle(consumer.close())
  })

  test('a poll waits as long as it is told and no longer', async () => {
    const { clock, consumer } = setUp()
    await clock.settle(consumer.poll(100))
    const started = clock.monotonicMs()
    expect(await clock.settle(consumer.poll(700))).toEqual([])
    expect(clock.monotonicMs() - started).toBeCloseTo(700, 0)
    await clock.settle(consumer.close())
  })

  test('what is fetched ahead is bounded', async () => {
    const { clock, broker, consumer } = setUp({ maxPartitionFetchBytes: 2000, maxPollRecords: 1 })
    for (const n of numbers(200)) broker.write(0, [`${n} ${'x'.repeat(200)}`])
    await read(clock, consumer, 1)
    await clock.advance(10_000)
    const fetches = broker.requests.filter((name) => name === 'Fetch').length
    await clock.advance(10_000)
    expect(broker.requests.filter((name) => name === 'Fetch').length).toBe(fetches)
    expect(fetches).toBeLessThan(5)
    expect((await read(clock, consumer, 199)).length).toBe(199)
    await clock.settle(consumer.close())
  })

  test('a seek makes an answer that is under way worthless', async () => {
    const { clock, broker, consumer } = setUp()
    broker.write(0, ['a', 'b', 'c'])
    await read(clock, consumer, 3)
    broker.latencyMs = () => 50
    consumer.seek(at(0), 0)
    await clock.advance(10)
    consumer.seek(at(0), 2)
    expect(await read(clock, consumer, 1)).toEqual(['c'])
    await clock.settle(consumer.close())
  })

  test('leaves nothing behind on the signal of an application that polls for ever', async () => {
    const { clock, consumer } = setUp()
    const abort = new AbortController()
    for (let polls = 0; polls < 20; polls++) await clock.settle(consumer.poll(10, { signal: abort.signal }))
    expect(getEventListeners(abort.signal, 'abort')).toHaveLength(0)
    await clock.settle(consumer.close())
  })

  test('partitions take turns', async () => {
    const { clock, broker, consumer } = setUp({ maxPollRecords: 5 }, 1, 3)
    for (const partition of numbers(3))
      broker.write(
        partition,
        numbers(50).map((n) => `${partition}:${n}`),
      )
    const first = await read(clock, consumer, 60)
    expect(new Set(first.map((value) => value.split(':')[0]))).toEqual(new Set(['0', '1', '2']))
    await clock.settle(consumer.close())
  })
})

describe('failures', () => {
  test('an error that only the application can answer is told once, and reading goes on', async () => {
    const { clock, broker, consumer } = setUp()
    broker.write(0, ['a'])
    broker.fault = () => ({ type: 'error', errorCode: ErrorCode.TOPIC_AUTHORIZATION_FAILED })
    await expect(clock.settle(consumer.poll(5000))).rejects.toMatchObject({ code: 'TOPIC_AUTHORIZATION_FAILED' })
    broker.fault = () => ({ type: 'none' })
    await clock.settle(consumer.poll(0).catch(() => []))
    expect(await read(clock, consumer, 1)).toEqual(['a'])
    await clock.settle(consumer.close())
  })

  test('a position beyond the end goes back by the reset policy', async () => {
    const { clock, broker, consumer } = setUp()
    broker.write(0, ['a', 'b'])
    consumer.seek(at(0), 99)
    expect(await read(clock, consumer, 2)).toEqual(['a', 'b'])
    await clock.settle(consumer.close())
  })

  test('a partition that is not assigned, a second poll and a closed consumer are refused', async () => {
    const { clock, consumer } = setUp()
    expect(() => consumer.seek(at(7), 0)).toThrow(expect.objectContaining({ code: 'CLIENT_NOT_ASSIGNED' }))
    expect(() => consumer.subscribe(['t'])).toThrow('group.id')
    const polling = consumer.poll(100)
    await expect(consumer.poll(100)).rejects.toThrow('one call at a time')
    await clock.settle(polling)
    await clock.settle(consumer.close())
    await expect(consumer.poll(100)).rejects.toMatchObject({ code: 'CLIENT_CLOSED' })
  })

  test('close ends a poll that is under way', async () => {
    const { clock, consumer } = setUp()
    const polling = consumer.poll(60_000)
    const both = Promise.allSettled([polling, clock.advance(100).then(() => consumer.close())])
    expect(await clock.settle(both)).toMatchObject([{ reason: { code: 'CLIENT_CLOSED' } }, { status: 'fulfilled' }])
    expect(clock.monotonicMs()).toBeLessThan(1000)
  })

  const retriable = [
    ErrorCode.NOT_LEADER_OR_FOLLOWER,
    ErrorCode.UNKNOWN_TOPIC_OR_PARTITION,
    ErrorCode.FENCED_LEADER_EPOCH,
    ErrorCode.KAFKA_STORAGE_ERROR,
    ErrorCode.UNKNOWN_SERVER_ERROR,
  ]

  function randomFault(next: () => number): ProduceFault {
    const dice = next()
    if (dice < 0.1) return { type: 'error', errorCode: retriable[Math.floor(next() * retriable.length)]! }
    if (dice < 0.15) return { type: 'lost-answer' }
    if (dice < 0.16) return { type: 'silence' }
    return { type: 'none' }
  }

  test.each(numbers(30))('every record is read once and in order under faults, seed %i', async (seed) => {
    const { clock, random, broker, consumer } = setUp({ maxPartitionFetchBytes: 300, maxPollRecords: 7 }, seed + 1, 2)
    broker.fault = () => randomFault(() => random.next())
    const read: string[][] = [[], []]
    let written = 0
    for (let polls = 0; written < 150 || read[0]!.length + read[1]!.length < 150; polls++) {
      expect(polls).toBeLessThan(3000)
      if (written < 150) {
        const values = numbers(Math.min(150 - written, 1 + Math.floor(random.next() * 8))).map((n) =>
          String(written + n),
        )
        broker.write(random.next() < 0.5 ? 0 : 1, values)
        written += values.length
      }
      for (const { partition, offset, value } of await clock.settle(consumer.poll(200))) {
        expect(offset).toBe(read[partition]!.length)
        read[partition]!.push(value!.toString())
      }
    }
    expect(read).toEqual([broker.values(0), broker.values(1)])
    await clock.settle(consumer.close())
  })
})
