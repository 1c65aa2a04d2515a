// The Redis streams source on a real server: nothing is lost when tasks, connections or servers end in the middle.
import type { SourceRecord } from '@millrace/sdk'
import { afterEach, describe, expect, test } from 'vitest'
import source from '../../connectors/redis/stream-source.ts'
import { redisMissing } from '../services/redis.ts'
import { RunningTasks } from './support/hooks.ts'
import { useRedis } from './support/redis-hooks.ts'
import { type RunningSource, startSource } from './support/redis-tasks.ts'
import { until } from './worker-harness.ts'
import { Offsets, type Raw } from './support/task-contract.ts'

const missing = redisMissing()
const GROUP = 'kafka-consumer-group'

describe.skipIf(missing)('the Redis streams source', () => {
  const redis = useRedis({ isDurable: true })
  const running = new RunningTasks()
  afterEach(() => running.stop())

  const start = async (raw: Raw = {}, offsets = new Offsets()): Promise<RunningSource> => {
    const all = { 'redis.uri': redis().url, 'redis.stream.name': 's', 'redis.stream.block': '10', ...raw }
    return running.add(await startSource(source, all, offsets))
  }
  const add = async (from: number, count: number): Promise<void> => {
    const pipeline = redis().client().pipeline()
    for (let i = from; i < from + count; i++) pipeline.xadd('s', '*', 'n', String(i))
    await pipeline.exec()
  }
  const numbers = (records: readonly SourceRecord[]): number[] =>
    records.map(({ value }) => Number((value as { body: Map<string, string> }).body.get('n')))
  const upTo = (count: number): number[] => Array.from({ length: count }, (_, i) => i)
  const pendingCount = async (): Promise<number> => Number((await redis().client().xpending('s', GROUP))[0])

  test('an entry becomes a record with its id as key and its fields as body', async () => {
    const id = await redis().client().xadd('s', '*', 'a', '1', 'b', 'é')
    const { take } = await start({ topic: 'redis_${stream}' })
    const [record] = await take(1)
    expect(record).toMatchObject({ topic: 'redis_s', key: id, sourceOffset: { offset: id } })
    expect(record?.sourcePartition).toEqual({ stream: 's', group: GROUP, consumer: 'consumer-0' })
    const body = new Map([
      ['a', '1'],
      ['b', 'é'],
    ])
    expect(record?.value).toEqual({ id, body, stream: 's' })
    expect(record?.valueSchema?.name).toBe('com.redis.kafka.connect.stream.Value')
  })

  test('entries are acknowledged only when their records are in the log', async () => {
    await add(0, 10)
    const { take, poll, acknowledge } = await start()
    const records = await take(10)
    expect(await poll()).toEqual([])
    expect(await pendingCount()).toBe(10)
    await acknowledge(records.slice(0, 4))
    expect(await pendingCount()).toBe(6)
  })

  test('what was read ahead and not taken is read again, in order, before anything new', async () => {
    await add(0, 25)
    const first = await start({ 'batch.size': '5' })
    expect(numbers(await first.take(5))).toEqual(upTo(5))
    await until('a read was sent ahead', async () => (await pendingCount()) === 10)
    await first.task.stop?.()
    const second = await start({ 'batch.size': '5' })
    expect(numbers(await second.take(25))).toEqual(upTo(25))
  })

  test('a task that died leaves what it had to its successor, in order, before anything new', async () => {
    await add(0, 10)
    const first = await start()
    const records = await first.take(10)
    await first.acknowledge(records.slice(0, 3))
    await add(10, 5)
    const second = await start({ 'batch.size': '2' })
    expect(numbers(await second.take(12))).toEqual([3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14])
  })

  test('what another consumer was given and left is taken over', async () => {
    await add(0, 10)
    const dead = await start({ 'redis.stream.consumer.name': 'gone' })
    expect(await dead.take(10)).toHaveLength(10)
    const heir = await start({ 'redis.stream.claim.idle.ms': '1', 'batch.size': '4' })
    const records = await heir.take(10)
    expect(numbers(records)).toEqual(upTo(10))
    await heir.acknowledge(records)
    expect(await pendingCount()).toBe(0)
  })

  test('a task does not take over from itself what is on its way into the log', async () => {
    await add(0, 10)
    const { take, poll } = await start({ 'redis.stream.claim.idle.ms': '1' })
    await take(10)
    await add(10, 1)
    expect(numbers(await take(1))).toEqual([10])
    expect(await poll()).toEqual([])
  })

  test('two tasks share a stream', async () => {
    const tasks = await Promise.all([
      start({ 'task.id': '0', 'task.count': '2', 'batch.size': '10' }),
      start({ 'task.id': '1', 'task.count': '2', 'batch.size': '10' }),
    ])
    await Promise.all(tasks.map(({ poll }) => poll()))
    await add(0, 200)
    const seen: number[][] = [[], []]
    while (seen.flat().length < 200) {
      for (const [index, { poll }] of tasks.entries()) seen[index]?.push(...numbers(await poll()))
    }
    expect(seen.map((each) => each.length).every((length) => length > 0)).toBe(true)
    expect(seen.flat().sort((a, b) => a - b)).toEqual(upTo(200))
  })

  test('at-most-once leaves nothing pending', async () => {
    await add(0, 3)
    const { take } = await start({ 'redis.stream.delivery': 'at-most-once' })
    expect(numbers(await take(3))).toEqual([0, 1, 2])
    expect(await pendingCount()).toBe(0)
  })

  test('$ begins with what comes after the start', async () => {
    await add(0, 3)
    const { poll, take } = await start({ 'redis.stream.offset': '$' })
    await poll()
    await add(3, 2)
    expect(numbers(await take(2))).toEqual([3, 4])
  })

  test('a group that is deleted is made again where the tasks have committed', async () => {
    await add(0, 10)
    const offsets = new Offsets()
    const { take, acknowledge } = await start({}, offsets)
    const records = await take(10)
    await acknowledge(records.slice(0, 6))
    await redis().client().xgroup('DESTROY', 's', GROUP)
    await add(10, 1)
    // 6 to 9 are on their way into the log already and are not given again by the same task.
    expect(numbers(await take(1))).toEqual([10])
    const next = await start({}, offsets)
    expect(numbers(await next.take(5))).toEqual([6, 7, 8, 9, 10])
  })

  test('entries that were deleted while they were pending do not come back', async () => {
    await add(0, 3)
    const first = await start()
    const records = await first.take(3)
    await redis()
      .client()
      .xdel('s', records[1]?.key as string)
    const second = await start()
    expect(numbers(await second.take(2))).toEqual([0, 2])
    await second.acknowledge([])
    expect(await pendingCount()).toBe(2)
  })

  test('a server that is killed and comes back loses nothing of the stream', async () => {
    const offsets = new Offsets()
    const task = await start({ 'batch.size': '50' }, offsets)
    const seen = new Set<number>()
    for (let round = 0; round < 3; round++) {
      await add(round * 200, 200)
      const records = await task.take(100)
      for (const number of numbers(records)) seen.add(number)
      await task.acknowledge(records.slice(0, 70))
      await redis().kill()
      await redis().restart()
      await task.acknowledge(records.slice(70)).catch(() => undefined)
    }
    while (seen.size < 600) for (const number of numbers(await task.take(1))) seen.add(number)
    expect([...seen]).toHaveLength(600)
  })
})
