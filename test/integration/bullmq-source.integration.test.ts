// The BullMQ source on a real Redis: no job is completed before its record is in the log, and none is lost.
import { FINISHED, parseConfigOrThrow, type SourceRecord } from '@millrace/sdk'
import { afterEach, describe, expect, test } from 'vitest'
import source from '../../connectors/bullmq/source.ts'
import { redisMissing } from '../services/redis.ts'
import { RunningTasks } from './support/hooks.ts'
import { useQueue, useRedis } from './support/redis-hooks.ts'
import { type RunningSource, startSource } from './support/redis-tasks.ts'
import { memoryLogger, Offsets, type Raw } from './support/task-contract.ts'

const missing = redisMissing()
const valueOf = (record: SourceRecord | undefined) => record?.value as Record<string, unknown>
const numbers = (records: readonly SourceRecord[]) =>
  records.map((record) => (valueOf(record)['data'] as { n: number }).n)
const upTo = (count: number) => Array.from({ length: count }, (_, n) => n)

describe.skipIf(missing)('the BullMQ source', () => {
  const redis = useRedis({ isDurable: true })
  const queue = useQueue('orders', redis)
  const running = new RunningTasks()
  afterEach(() => running.stop())

  const start = async (raw: Raw = {}, offsets = new Offsets()): Promise<RunningSource> => {
    return running.add(await startSource(source, { 'redis.uri': redis().url, 'queue.name': 'orders', ...raw }, offsets))
  }
  const add = (from: number, count: number) =>
    queue().addBulk(upTo(count).map((n) => ({ name: 'job', data: { n: from + n } })))
  const counts = () => queue().getJobCounts('waiting', 'active', 'completed', 'failed')

  test('a job becomes a record, and is completed only when the record is in the log', async () => {
    await add(0, 3)
    const { take, poll, acknowledge } = await start({ topic: 'from-${queue}' })
    const records = await take(3)
    expect(records[0]).toMatchObject({ topic: 'from-orders', key: '1', sourcePartition: { queue: 'bull:orders' } })
    expect(valueOf(records[0])).toMatchObject({ id: '1', name: 'job', data: { n: 0 }, attemptsMade: 0 })
    expect(await poll()).toEqual([])
    expect(await counts()).toMatchObject({ active: 3, completed: 0 })
    await acknowledge(records.slice(0, 2))
    expect(await counts()).toMatchObject({ active: 1, completed: 2 })
    expect((await queue().getJob('1'))?.returnvalue).toEqual({ topic: 'from-orders', partition: 0, offset: 0 })
  })

  test('a task that stops gives back what is not in the log', async () => {
    await add(0, 5)
    const first = await start()
    const records = await first.take(5)
    await first.acknowledge(records.slice(0, 2))
    await running.stop()
    expect(await counts()).toMatchObject({ active: 0, waiting: 3, completed: 2 })
    expect(numbers(await (await start()).take(3)).toSorted((a, b) => a - b)).toEqual([2, 3, 4])
  })

  test('jobs of a worker that died come back when their locks end, however often that happens', async () => {
    await add(0, 3)
    // Locks that were taken and never extended, more often than BullMQ lets a job stall by itself.
    for (let died = 0; died < 3; died++) {
      const dead = await start({ 'lock.duration.ms': '1000' })
      await dead.take(3)
      for (const { id } of await queue().getJobs(['active'])) await redis().client().del(`bull:orders:${id}:lock`)
    }
    const heir = await start({ 'lock.duration.ms': '1000' })
    // On a machine that stands still for a second a job is not its own any more, and comes once more.
    while ((await counts())['completed'] !== 3) await heir.acknowledge(await heir.poll())
    expect(await counts()).toMatchObject({ waiting: 0, active: 0, completed: 3, failed: 0 })
  })

  test('no more jobs are taken than may be in flight', async () => {
    await add(0, 10)
    const { take, poll, acknowledge } = await start({ 'max.in.flight.jobs': '4' })
    const records = await take(4)
    expect(await poll()).toEqual([])
    expect(await counts()).toMatchObject({ active: 4, waiting: 6 })
    await acknowledge(records)
    expect(numbers(await take(4))).toEqual([4, 5, 6, 7])
  })

  test('a server that is killed and comes back loses no job, and each is completed once', async () => {
    const task = await start({ 'lock.duration.ms': '1000', 'batch.size': '20' })
    const seen = new Set<number>()
    for (let round = 0; round < 3; round++) {
      await add(round * 100, 100)
      const records = await task.take(40)
      for (const n of numbers(records)) seen.add(n)
      await task.acknowledge(records.slice(0, 25))
      await redis().kill()
      await redis().restart()
      await task.acknowledge(records.slice(25)).catch(() => undefined)
    }
    while ((await counts())['completed'] !== 300) {
      const records = await task.poll()
      for (const n of numbers(records)) seen.add(n)
      await task.acknowledge(records).catch(() => undefined)
    }
    expect([...seen].toSorted((a, b) => a - b)).toEqual(upTo(300))
  })

  test('events are read without taking jobs, from where the last task stopped', async () => {
    const offsets = new Offsets()
    const raw = { mode: 'events', topic: 'events' }
    await queue().add('job', { n: 1 }, { jobId: 'a1' })
    const first = await start(raw, offsets)
    const records = await first.take(2)
    expect(records.map((record) => valueOf(record)['event'])).toEqual(['added', 'waiting'])
    expect(records[1]).toMatchObject({ key: 'a1', sourceOffset: { id: valueOf(records[1])['id'] } })
    await first.acknowledge(records.slice(0, 1))
    expect(await counts()).toMatchObject({ waiting: 1, active: 0 })
    const second = await start(raw, offsets)
    expect((await second.take(1)).map((record) => valueOf(record)['event'])).toEqual(['waiting'])
    expect(second.lines).toEqual([])
  })

  test('events that were trimmed before they were read are told', async () => {
    const offsets = new Offsets()
    const raw = { mode: 'events' }
    await add(0, 2)
    const first = await start(raw, offsets)
    await first.acknowledge(await first.take(1))
    await redis().client().xtrim('bull:orders:events', 'MAXLEN', 0)
    await add(2, 1)
    const second = await start(raw, offsets)
    await second.take(1)
    expect(second.lines.join()).toMatch(/events were trimmed while nobody read them/)
  })

  test('a snapshot gives the jobs of its states once, goes on where it was, and ends', async () => {
    await add(0, 6)
    const consumer = await start()
    await consumer.acknowledge((await consumer.take(6)).slice(0, 4))
    await running.stop()
    const offsets = new Offsets()
    const raw = { mode: 'snapshot', 'snapshot.states': 'completed,waiting', 'batch.size': '2' }
    const first = await start(raw, offsets)
    const half = await first.take(3)
    await first.acknowledge(half.slice(0, 3))
    const full: Raw = { 'redis.uri': redis().url, 'queue.name': 'orders', ...raw }
    const task = source.createTask(parseConfigOrThrow(source.config, full), {
      connectorName: 'snapshot',
      taskId: 0,
      logger: memoryLogger(),
      raw: full,
      offsets: { offset: async (partition) => offsets.get(partition), offsets: async () => [] },
    })
    const rest: SourceRecord[] = []
    const { signal } = new AbortController()
    for (let result = await task.poll(signal); result !== FINISHED; result = await task.poll(signal)) {
      rest.push(...((result ?? []) as SourceRecord[]))
    }
    await task.stop?.()
    const found = [...half.slice(0, 3), ...rest]
    expect(numbers(found).toSorted((a, b) => a - b)).toEqual(upTo(6))
    expect(found.filter((record) => valueOf(record)['state'] === 'completed')).toHaveLength(4)
    expect(found.filter((record) => valueOf(record)['state'] === 'waiting')).toHaveLength(2)
  })

  test('queues are spread over the tasks', async () => {
    const raw = { 'redis.uri': redis().url, 'queue.name': 'a,b,c' }
    const context = {
      connectorName: 'c',
      logger: memoryLogger(),
      requestTaskReconfiguration: () => undefined,
      raiseError: () => undefined,
    }
    const configs = await source.taskConfigs(parseConfigOrThrow(source.config, raw), 2, raw, context)
    expect(configs.map((config) => config['queue.name'])).toEqual(['a,c', 'b'])
  })
})
