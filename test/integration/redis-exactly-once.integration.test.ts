// Exactly-once delivery of the Redis sink: lost answers, replaced tasks, and a server that has lost what it confirmed.
import { afterEach, describe, expect, test } from 'vitest'
import sink from '../../connectors/redis/sink.ts'
import { startAnswerEater } from '../services/answer-eater.ts'
import { redisMissing } from '../services/redis.ts'
import { RunningTasks } from './support/hooks.ts'
import { useRedis } from './support/redis-hooks.ts'
import { type RunningSink, sinkRecord, startSink } from './support/redis-tasks.ts'
import { type Raw } from './support/task-contract.ts'

const missing = redisMissing()
const open = [{ topic: 'orders', partition: 0 }]
const OFFSETS = 'com.redis.kafka.connect.sink.offset.redis-sink-test.orders.0'
const entry = (offset: number) => sinkRecord(offset, `k${offset}`, { n: offset })

/** Once a script was sent, all that comes back is its answer. */
const scripts = {
  isRequest: (bytes: Buffer) => /EVALSHA/i.test(bytes.toString('latin1')),
  isAnswer: () => true,
}

describe.skipIf(missing)('exactly once in Redis', () => {
  const redis = useRedis()
  const running = new RunningTasks()
  afterEach(() => running.stop())

  const start = async (raw: Raw = {}): Promise<RunningSink> => {
    return running.add(await startSink(sink, { 'redis.uri': redis().url, 'exactly.once': 'true', ...raw }, { open }))
  }
  const numbers = async (): Promise<number[]> =>
    (await redis().client().xrange('orders', '-', '+')).map(([, fields]) => Number(fields[1]))

  test('offsets move with the records, and what was written is left out', async () => {
    const first = await start()
    expect(first.sought).toEqual([])
    await first.put([entry(0), entry(1)])
    await first.put([entry(1), entry(2)])
    expect(await redis().client().hget(OFFSETS, 'offset')).toBe('3')
    const second = await start()
    expect(second.sought).toEqual([{ ...open[0], offset: 3 }])
    await second.put([entry(0), entry(1), entry(2), entry(3)])
    expect(await numbers()).toEqual([0, 1, 2, 3])
  })

  test('a write whose answer is lost is not repeated', async () => {
    const proxy = await startAnswerEater(redis().port, scripts)
    try {
      const lose = async (raw: Raw): Promise<number[]> => {
        await redis().client().flushall()
        const { put } = await start({ 'redis.uri': `redis://127.0.0.1:${proxy.port}`, ...raw })
        await put([entry(0)])
        proxy.eat(1)
        await put([entry(1), entry(2)])
        await put([entry(3)])
        return await numbers()
      }
      expect(await lose({ 'exactly.once': 'false' }), 'without it the records come twice').toEqual([0, 1, 2, 1, 2, 3])
      expect(await lose({})).toEqual([0, 1, 2, 3])
      expect(proxy.eaten()).toBe(2)
    } finally {
      await proxy.stop()
    }
  })

  test('a task that was replaced writes no more', async () => {
    const zombie = await start()
    await zombie.put([entry(0)])
    const heir = await start()
    await expect(zombie.put([entry(1)])).rejects.toThrow(/another task has taken over orders-0/)
    await heir.put([entry(1)])
    await expect(zombie.put([entry(2)])).rejects.toThrow(/another task has taken over/)
    expect(await numbers()).toEqual([0, 1])
  })

  test('a server that has lost what it confirmed is noticed, and the next start writes it again', async () => {
    const task = await start()
    await task.put([entry(0), entry(1), entry(2)])
    // As a replica that lacks the last write has it, after it became the master.
    await redis().client().xtrim('orders', 'MAXLEN', 1)
    await redis().client().hset(OFFSETS, 'offset', '1')
    await expect(task.put([entry(3)])).rejects.toThrow(/went back from 3 to 1/)
    expect((await start()).sought).toEqual([{ ...open[0], offset: 1 }])
    await redis().client().flushall()
    await expect(task.put([entry(3)])).rejects.toThrow()
  })

  test.each([
    ['that Redis refuses', sinkRecord(1, 'bad', { n: 1 })],
    ['that has no form in Redis', sinkRecord(1, null, { n: 1 })],
  ])('offsets stop before a record %s and that nobody takes', async (_, bad) => {
    await redis().client().set('orders:bad', 'a string')
    const { put } = await start({ 'redis.type': 'HASH' })
    await expect(put([entry(0), bad, entry(2)])).rejects.toThrow(/offset=1\) cannot be written/)
    expect(await redis().client().hget(OFFSETS, 'offset')).toBe('1')
    expect(await redis().client().exists('orders:k2')).toBe(0)
  })

  test('partitions that were given up are not written', async () => {
    const { task, put } = await start()
    await task.close?.(open)
    await expect(put([entry(0)])).rejects.toThrow(/without the partition being open/)
  })
})
