// The BullMQ sink on a real Redis: what a queue holds afterwards, and that repetitions add nothing.
import { parseConfigOrThrow, schemas, struct } from '@millrace/sdk'
import type { Job } from 'bullmq'
import { afterEach, describe, expect, test } from 'vitest'
import sink from '../../connectors/bullmq/sink.ts'
import { redisMissing } from '../services/redis.ts'
import { RunningTasks } from './support/hooks.ts'
import { useQueue, useRedis } from './support/redis-hooks.ts'
import { type RunningSink, type SinkOptions, sinkRecord, startSink } from './support/redis-tasks.ts'
import { type Raw } from './support/task-contract.ts'

const missing = redisMissing()

describe.skipIf(missing)('the BullMQ sink', () => {
  const redis = useRedis({ isDurable: true })
  const queue = useQueue('orders', redis)
  const running = new RunningTasks()
  afterEach(() => running.stop())

  const start = async (raw: Raw = {}, options: SinkOptions = {}): Promise<RunningSink> => {
    return running.add(await startSink(sink, { 'redis.uri': redis().url, ...raw }, options))
  }
  const jobs = async (): Promise<Job[]> =>
    ((await queue().getJobs(['waiting', 'prioritized', 'delayed'], 0, -1, true)) as Job[]).filter(Boolean)

  test('a record becomes a job with an id of its place, and a repetition adds none', async () => {
    const { put } = await start()
    const value = { id: 12n, tags: new Map([['a', 1]]), raw: Buffer.from('x') }
    const valueSchema = struct({ id: schemas.int64, raw: schemas.bytes })
    const records = [sinkRecord(0, 'a', value, { valueSchema }), sinkRecord(1, 'a', 'text'), sinkRecord(2, 'a', null)]
    await put(records)
    await put(records)
    const found = await jobs()
    expect(found.map(({ id, name, data }) => ({ id, name, data }))).toEqual([
      { id: 'orders-0-0', name: 'orders', data: { id: 12, tags: { a: 1 }, raw: 'eA==' } },
      { id: 'orders-0-1', name: 'orders', data: 'text' },
    ])
  })

  test('name, id, options and data come from the record', async () => {
    const { put } = await start({
      'job.name': 'header:kind',
      'job.id': 'field:order.id',
      'job.id.prefix': 'order-',
      'job.data': 'envelope',
      'job.opts.delay': 'field:wait',
      'job.opts.priority': '7',
      'job.opts.attempts': '3',
      'job.opts.backoff.type': 'exponential',
      'job.opts.backoff.delay': '50',
      'job.opts.removeOnComplete': '100',
      'job.opts.removeOnFail': 'false',
    })
    const headers = [{ key: 'kind', value: 'paid', schema: schemas.string }]
    await put([sinkRecord(5, 'k', { order: { id: 9 }, wait: 60_000 }, { headers })])
    const [job] = await jobs()
    expect(job).toMatchObject({ id: 'order-9', name: 'paid' })
    expect(job?.data).toMatchObject({ topic: 'orders', partition: 0, offset: 5, key: 'k', value: { wait: 60_000 } })
    expect(job?.opts).toMatchObject({
      delay: 60_000,
      priority: 7,
      attempts: 3,
      backoff: { type: 'exponential', delay: 50 },
      removeOnComplete: 100,
      removeOnFail: false,
    })
  })

  test('with job.id=key a tombstone removes the job of its key, in the order of the topic', async () => {
    const { put } = await start({ 'job.id': 'key', 'tombstone.behavior': 'remove' })
    await put([
      sinkRecord(0, 'a', { n: 0 }),
      sinkRecord(1, 'b', { n: 1 }),
      sinkRecord(2, 'a', null),
      sinkRecord(3, 'a', { n: 3 }),
      sinkRecord(4, 'b', null),
    ])
    expect((await jobs()).map(({ id, data }) => [id, data.n])).toEqual([['a', 3]])
  })

  test('jobs with one deduplication id are one', async () => {
    const { put } = await start({ 'deduplication.id': 'field:customer', 'deduplication.ttl': '60000' })
    await put([0, 1, 2].map((n) => sinkRecord(n, 'a', { customer: n < 2 ? 'x' : 'y' })))
    expect((await jobs()).map(({ id }) => id)).toEqual(['orders-0-0', 'orders-0-2'])
  })

  test('records whose id BullMQ refuses are reported with the fix, and the others are added', async () => {
    const { put, reported } = await start({ 'job.id': 'key' }, { tolerant: true })
    await put(['1', 'a:b', 'ok', null].map((key, offset) => sinkRecord(offset, key, { n: 1 })))
    expect((await jobs()).map(({ id }) => id)).toEqual(['ok'])
    expect(reported.map(({ error }) => error.message).join('\n')).toMatch(
      /only digits, which BullMQ refuses; set job\.id\.prefix[\s\S]*contains a colon[\s\S]*is missing/,
    )
  })

  test('a queue in Redis that is killed and comes back has each record once', async () => {
    const { put } = await start({ 'max.retries': '1000', 'batch.size': '20' })
    for (let round = 0; round < 3; round++) {
      const records = Array.from({ length: 200 }, (_, n) => sinkRecord(round * 200 + n, 'a', { n: round * 200 + n }))
      const writing = put(records)
      await redis().kill()
      await redis().restart()
      await writing
    }
    const found = (await jobs()).map(({ data }) => data.n as number)
    expect(found).toEqual(Array.from({ length: 600 }, (_, n) => n))
  })

  test('constants that are no options, and ids that are not of one record, are refused by name', async () => {
    const raw = { 'redis.uri': redis().url, 'job.opts.lifo': 'maybe', 'job.opts.delay': '-1' }
    expect(await sink.validate?.(parseConfigOrThrow(sink.config, raw), raw)).toEqual([
      { key: 'job.opts.delay', message: 'is no whole number of at least 0' },
      { key: 'job.opts.lifo', message: 'is neither true nor false' },
    ])
    const parse = (bad: Raw) => () => parseConfigOrThrow(sink.config, { 'redis.uri': redis().url, ...bad })
    expect(parse({ 'job.id': 'constant' })).toThrow(/job\.id.*different records would get one id/)
    expect(parse({ 'tombstone.behavior': 'remove' })).toThrow(/remove needs job\.id=key/)
  })

  test('a window that removeOnComplete=true leaves open is told', async () => {
    const { lines } = await start({ 'job.opts.removeOnComplete': 'true' })
    expect(lines.join()).toMatch(/makes a second job; keep some completed jobs/)
  })
})
