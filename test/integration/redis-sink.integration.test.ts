// The Redis sink on a real server: what each data structure holds afterwards, and in which order it was written.
import { schemas, struct } from '@millrace/sdk'
import { afterEach, describe, expect, test } from 'vitest'
import sink from '../../connectors/redis/sink.ts'
import { redisMissing, startRedis } from '../services/redis.ts'
import { RunningTasks } from './support/hooks.ts'
import { useRedis } from './support/redis-hooks.ts'
import { type RunningSink, type SinkOptions, sinkRecord, startSink } from './support/redis-tasks.ts'
import { type Raw } from './support/task-contract.ts'

const missing = redisMissing()
const order = struct({ id: schemas.int64, name: schemas.optional.string, price: schemas.optional.float64 })

describe.skipIf(missing)('the Redis sink', () => {
  const redis = useRedis()
  const running = new RunningTasks()
  afterEach(() => running.stop())

  const start = async (raw: Raw, options: SinkOptions = {}): Promise<RunningSink> => {
    return running.add(await startSink(sink, { 'redis.uri': redis().url, ...raw }, options))
  }

  test('a stream gets one entry a record with the fields of the value, and tombstones are left out', async () => {
    const { put } = await start({ 'redis.keyspace': 'in:${topic}' })
    const value = { id: 1n, name: null, price: 2 }
    await put([
      sinkRecord(0, 'a', value, { valueSchema: order }),
      sinkRecord(1, 'a', null),
      sinkRecord(2, 'b', { n: 7, deep: { x: [1, 'é'] } }),
    ])
    const entries = await redis().client().xrange('in:orders', '-', '+')
    expect(entries.map(([, fields]) => fields)).toEqual([
      ['id', '1', 'price', '2.0'],
      ['n', '7', 'deep', '{"x":[1,"é"]}'],
    ])
  })

  test('in one batch SET, DEL and SET of a key keep their order', async () => {
    const { put } = await start({ 'redis.type': 'STRING' })
    const steps = [
      sinkRecord(0, 'k', 'first'),
      sinkRecord(1, 'k', null),
      sinkRecord(2, 'j', 'first'),
      sinkRecord(3, 'j', null),
      sinkRecord(4, 'j', 'second'),
    ]
    await put(steps)
    expect(await redis().client().get('orders:k')).toBeNull()
    expect(await redis().client().get('orders:j')).toBe('second')
  })

  test('keys and values of bytes are written as they are, with an empty keyspace too', async () => {
    const bytes = Buffer.from([0, 255, 10, 128])
    const bare = await start({ 'redis.type': 'STRING', 'redis.keyspace': '' })
    await bare.put([sinkRecord(0, bytes, bytes)])
    expect(await redis().client().getBuffer(bytes)).toEqual(bytes)
    const spaced = await start({ 'redis.type': 'STRING' })
    await spaced.put([sinkRecord(0, bytes, 'x'), sinkRecord(1, 12n, 'y')])
    expect(
      await redis()
        .client()
        .get(Buffer.concat([Buffer.from('orders:'), bytes])),
    ).toBe('x')
    expect(await redis().client().get('orders:12')).toBe('y')
  })

  test('a hash has the fields of the last record, those that are null are gone, and a tombstone deletes it', async () => {
    const { put } = await start({ 'redis.type': 'hash' })
    await put([
      sinkRecord(0, '1', { id: 1n, name: 'x', price: 1.5 }, { valueSchema: order }),
      sinkRecord(1, '1', { id: 1n, name: null, price: 3 }, { valueSchema: order }),
      sinkRecord(2, '2', new Map([['a', 'b']])),
      sinkRecord(3, '2', null),
    ])
    expect(await redis().client().hgetall('orders:1')).toEqual({ id: '1', price: '3.0' })
    expect(await redis().client().exists('orders:2')).toBe(0)
  })

  test('a hash may have more fields than one command takes', async () => {
    const { put } = await start({ 'redis.type': 'HASH' })
    const fields = Object.fromEntries(Array.from({ length: 9000 }, (_, i) => [`f${i}`, i]))
    await put([sinkRecord(0, 'wide', fields)])
    expect(await redis().client().hlen('orders:wide')).toBe(9000)
  })

  test('lists, sets and sorted sets hold the keys of the records', async () => {
    const list = await start({ 'redis.type': 'LIST', 'redis.keyspace': 'list' })
    await list.put(['b', 'a', 'b'].map((key, offset) => sinkRecord(offset, key, 1)))
    expect(await redis().client().lrange('list', 0, -1)).toEqual(['b', 'a', 'b'])
    const set = await start({ 'redis.type': 'SET', 'redis.keyspace': 'set' })
    await set.put([sinkRecord(0, 'a', 1), sinkRecord(1, 'b', 1), sinkRecord(2, 'a', null)])
    expect(await redis().client().smembers('set')).toEqual(['b'])
    const zset = await start({ 'redis.type': 'ZSET', 'redis.keyspace': 'zset' })
    await zset.put([sinkRecord(0, 'a', 2), sinkRecord(1, 'b', 1.5), sinkRecord(2, 'c', 9n), sinkRecord(3, 'c', null)])
    expect(await redis().client().call('ZRANGE', 'zset', '0', '-1', 'WITHSCORES')).toEqual(['b', '1.5', 'a', '2'])
  })

  test('the time to live is that of the config, or of the header of the record', async () => {
    const { put } = await start({ 'redis.type': 'STRING', 'redis.key.ttl': '1000' })
    const headers = [{ key: 'redis.key.ttl', value: '5000', schema: schemas.string }]
    await put([sinkRecord(0, 'a', 'x'), sinkRecord(1, 'b', 'x', { headers })])
    expect(await redis().client().ttl('orders:a')).toBeGreaterThan(900)
    expect(await redis().client().ttl('orders:a')).toBeLessThanOrEqual(1000)
    expect(await redis().client().ttl('orders:b')).toBeGreaterThan(4900)
  })

  test.each(['false', 'true'])(
    'a record that cannot be written is reported, what stands around it is written (exactly.once=%s)',
    async (once) => {
      await redis().client().lpush('orders:list', 'x')
      const raw = { 'redis.type': 'HASH', 'exactly.once': once }
      const { put, reported } = await start(raw, { tolerant: true, open: [{ topic: 'orders', partition: 0 }] })
      const [committed] = await put([
        sinkRecord(0, 'a', { n: 1 }),
        sinkRecord(1, 'list', { n: 2 }),
        sinkRecord(2, null, { n: 3 }),
        sinkRecord(3, 'b', 'no fields'),
        sinkRecord(4, 'c', { n: 5 }),
      ])
      expect(committed?.offset).toBe(5)
      expect(reported.map(({ record }) => record.offset).toSorted((a, b) => a - b)).toEqual([1, 2, 3])
      expect(reported.map(({ error }) => error.message).join('\n')).toMatch(/WRONGTYPE/)
      expect((await redis().client().keys('orders:*')).toSorted()).toEqual(['orders:a', 'orders:c', 'orders:list'])
    },
  )

  test('without somebody who takes it, a record that cannot be written fails the task, and nothing passes it', async () => {
    await redis().client().lpush('orders:list', 'x')
    const { put } = await start({ 'redis.type': 'HASH' })
    await expect(put([sinkRecord(0, 'a', { n: 1 }), sinkRecord(1, 'list', { n: 2 })])).rejects.toThrow(
      /partition=0,offset=1\) cannot be written: .*WRONGTYPE/,
    )
  })

  test.each(['JSON', 'TIMESERIES'])('%s is refused where its module is missing, with the fix', async (type) => {
    await expect(start({ 'redis.type': type })).rejects.toThrow(/needs the module .* load the module or choose/)
    const raw = { 'redis.uri': redis().url, 'redis.type': type }
    const { parseConfigOrThrow } = await import('@millrace/sdk')
    expect(await sink.validate?.(parseConfigOrThrow(sink.config, raw), raw)).toEqual([
      { key: 'redis.type', message: expect.stringContaining('needs the module') },
    ])
  })

  test('a password that is wrong fails the task and is not told', async () => {
    const locked = await startRedis({ settings: ['requirepass right'] })
    try {
      const raw = { 'redis.uri': `redis://:wrong@127.0.0.1:${locked.port}` }
      const failure = startSink(sink, raw).catch((error: Error) => error.message)
      expect(await failure).toMatch(/cannot connect to Redis at 127\.0\.0\.1:\d+: WRONGPASS/)
      expect(await failure).not.toContain('wrong@')
      const named = { 'redis.host': '127.0.0.1', 'redis.port': String(locked.port), 'redis.password': 'right' }
      const right = running.add(await startSink(sink, named))
      await right.put([sinkRecord(0, 'a', { n: 1 })])
    } finally {
      await locked.stop()
    }
  })

  test('more replicas than there are keep offsets from being committed', async () => {
    const raw = { 'redis.wait.replicas': '1', 'redis.wait.timeout': '10', 'max.retries': '2' }
    const { put } = await start(raw)
    await expect(put([sinkRecord(0, 'a', { n: 1 })])).rejects.toThrow(/only 0 of 1 replicas/)
  })
})
