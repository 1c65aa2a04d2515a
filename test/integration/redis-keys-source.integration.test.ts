// The keyspace source on a real server: snapshot, changes, and what becomes of a lost connection.
import { parseConfigOrThrow, type SourceRecord } from '@millrace/sdk'
import { afterEach, describe, expect, test } from 'vitest'
import source from '../../connectors/redis/keys-source.ts'
import { redisMissing } from '../services/redis.ts'
import { RunningTasks } from './support/hooks.ts'
import { useRedis } from './support/redis-hooks.ts'
import { type RunningSource, startSource } from './support/redis-tasks.ts'
import { memoryLogger, type Raw } from './support/task-contract.ts'

const missing = redisMissing()

describe.skipIf(missing)('the Redis keys source', () => {
  const redis = useRedis({ isDurable: true, settings: ['notify-keyspace-events KEA'] })
  const running = new RunningTasks()
  afterEach(() => running.stop())

  const start = async (raw: Raw = {}): Promise<RunningSource> => {
    return running.add(await startSource(source, { 'redis.uri': redis().url, ...raw }))
  }
  const byKey = (records: readonly SourceRecord[]): Map<unknown, Record<string, unknown>> =>
    new Map(records.map(({ key, value }) => [key, value as Record<string, unknown>]))

  test('LIVE gives all keys of the pattern with their values, then those that change', async () => {
    const client = redis().client()
    await client.set('a:string', 'x', 'EX', 1000)
    await client.hset('a:hash', { f: 'v' })
    await client.rpush('a:list', '1', '2')
    await client.sadd('a:set', 'm')
    await client.zadd('a:zset', 1.5, 'm', 1.5, 'n')
    await client.set('b:other', 'x')
    const { take } = await start({ 'redis.keys.pattern': 'a:*', 'batch.size': '2' })
    const found = byKey(await take(5))
    expect(found.get('a:string')).toMatchObject({ type: 'string', string: 'x', hash: null })
    expect(Number(found.get('a:string')?.['ttl'])).toBeGreaterThan(Date.now())
    expect(found.get('a:hash')).toMatchObject({ type: 'hash', hash: new Map([['f', 'v']]), ttl: -1n })
    expect(found.get('a:list')).toMatchObject({ list: ['1', '2'] })
    expect(found.get('a:set')).toMatchObject({ set: ['m'] })
    const zset = new Map([
      ['m', 1.5],
      ['n', 1.5],
    ])
    expect(found.get('a:zset')).toMatchObject({ zset })
    await client.set('a:string', 'y')
    const [changed] = await take(1)
    expect(changed).toMatchObject({ topic: 'rediskeys', key: 'a:string', value: { string: 'y', ttl: -1n } })
    await client.del('a:list')
    expect((await take(1))[0]?.value).toMatchObject({ key: 'a:list', type: 'none', list: null })
  })

  test('LIVEONLY gives only what changes after the start', async () => {
    await redis().client().set('before', 'x')
    const { poll, take } = await start({ mode: 'LIVEONLY' })
    expect(await poll()).toEqual([])
    await redis().client().set('after', 'x')
    expect((await take(1)).map(({ key }) => key)).toEqual(['after'])
  })

  test('after a lost connection LIVE reads all again, and LIVEONLY says what it has lost', async () => {
    await redis().client().set('k', '1')
    const live = await start()
    const only = await start({ mode: 'LIVEONLY' })
    await live.take(1)
    await only.poll()
    await redis().kill()
    await redis().restart()
    await redis().client().set('k', '2')
    expect((await live.take(1)).at(-1)?.value).toMatchObject({ string: '2' })
    while (only.lines.length === 0) await only.poll()
    expect(only.lines.join()).toMatch(/changes since then are lost/)
  })

  test('the task is finished when nothing changed for the idle timeout', async () => {
    const raw = { 'redis.uri': redis().url, 'redis.keys.timeout': '1' }
    const task = source.createTask(parseConfigOrThrow(source.config, raw), {
      connectorName: 'keys',
      taskId: 0,
      logger: memoryLogger(),
      raw,
      offsets: { offset: async () => null, offsets: async () => [] },
    })
    const { FINISHED } = await import('@millrace/sdk')
    const { signal } = new AbortController()
    let result = await task.poll(signal)
    while (result !== FINISHED) result = await task.poll(signal)
    await task.stop?.()
  })

  test('a server that sends no events is refused, with the command that turns them on', async () => {
    await redis().client().config('SET', 'notify-keyspace-events', '')
    try {
      const raw = { 'redis.uri': redis().url }
      const issues = await source.validate?.(parseConfigOrThrow(source.config, raw), raw)
      expect(issues).toEqual([
        { key: 'redis.keys.pattern', message: expect.stringContaining('CONFIG SET notify-keyspace-events KEA') },
      ])
    } finally {
      await redis().client().config('SET', 'notify-keyspace-events', 'KEA')
    }
  })
})
