// Exactly-once delivery of the JDBC sink: what is in the table when clients die, commits are lost and tasks are replaced.
import { type SinkRecord, schemas, struct } from '@millrace/sdk'
import { afterEach, describe, expect, test } from 'vitest'
import { startAnswerEater } from '../services/answer-eater.ts'
import { postgresMissing, startPostgres } from '../services/postgres.ts'
import { RunningTasks, useService } from './support/hooks.ts'
import {
  connectionOf,
  type RunningSink,
  type SinkOptions,
  sinkRecord,
  startSink,
  startSource,
} from './support/jdbc-tasks.ts'
import { type Raw } from './support/task-contract.ts'

const value = struct({ id: schemas.int64, name: schemas.optional.string })
const partition = { topic: 'orders', partition: 0 }

function order(offset: number, id: number, name: string): SinkRecord {
  return sinkRecord(offset, null, { schema: value, value: { id: BigInt(id), name } })
}

/** A worker would start the task again when it cannot claim its partitions. */
async function startAgain(start: () => Promise<RunningSink>): Promise<RunningSink> {
  for (let attempt = 1; ; attempt++) {
    try {
      return await start()
    } catch (error) {
      if (attempt === 50) throw error
    }
  }
}

const commits = {
  isRequest: (bytes: Buffer) => bytes.includes('COMMIT'),
  isAnswer: (bytes: Buffer) => bytes.includes('COMMIT'),
}

describe.each([15, 18] as const)('exactly once on Postgres %i', (version) => {
  const missing = postgresMissing(version)
  const postgres = useService(() => startPostgres({ version }), missing === null)
  const running = new RunningTasks()
  afterEach(() => running.stop())

  const it = test.skipIf(missing !== null)
  const start = async (raw: Raw, options: SinkOptions = {}): Promise<RunningSink> => {
    return running.add(await startSink({ ...connectionOf(postgres()), ...raw }, options))
  }
  const rows = (table: string) => postgres().query(`select * from ${table} order by 1, 2`)
  const once = { 'auto.create': 'true', 'exactly.once': 'true' }
  const open = [partition]
  const next = async (name: string) =>
    (await postgres().query('select next_offset from millrace_sink_offsets where connector = $1', [name]))[0]?.[
      'next_offset'
    ] as string | undefined

  it('refuses records that do not come in their order, and writes nothing of them', async () => {
    const raw = { ...once, 'table.name.format': 'eo_order' }
    const { put } = await start(raw, { name: 'eo-order', open })
    await put([order(0, 1, 'a')])
    await expect(put([order(5, 2, 'b'), order(2, 3, 'c')])).rejects.toThrow(
      /offset 2 of orders-0 came after the one at 5/,
    )
    expect(await next('eo-order')).toBe('1')
    expect(await rows('eo_order')).toHaveLength(1)
  })
  it('writes nothing from an offset that has moved behind its back, and goes on from where it is', async () => {
    const raw = { ...once, 'table.name.format': 'eo_moved', 'retry.backoff.ms': '0' }
    const { put } = await start(raw, { name: 'eo-moved', open })
    await put([order(0, 1, 'a')])
    // As a commit does whose answer was lost and that came through late.
    await postgres().query("update millrace_sink_offsets set next_offset = 2 where connector = 'eo-moved'")
    await put([order(1, 2, 'b'), order(2, 3, 'c')])
    expect((await rows('eo_moved')).map(({ name }) => name)).toEqual(['a', 'c'])
    expect(await next('eo-moved')).toBe('3')
  })
  it('keeps offsets with the rows and leaves out what was written', async () => {
    const raw = { ...once, 'table.name.format': 'eo_a' }
    const first = await start(raw, { name: 'eo-a', open })
    expect(first.sought).toEqual([])
    await first.put([order(0, 1, 'a'), order(1, 2, 'b')])
    await first.put([order(1, 2, 'b'), order(2, 3, 'c')])
    const second = await start(raw, { name: 'eo-a', open })
    expect(second.sought).toEqual([{ ...partition, offset: 3 }])
    await second.put([order(0, 1, 'a'), order(3, 4, 'd')])
    expect((await rows('eo_a')).map(({ name }) => name)).toEqual(['a', 'b', 'c', 'd'])
    expect(await next('eo-a')).toBe('4')
  })

  it('a client that dies before the commit has written nothing, after it everything', async () => {
    const url = `${connectionOf(postgres())['connection.url']}?ApplicationName=eo-dies`
    const raw = { ...once, 'table.name.format': 'eo_b', 'connection.url': url, 'max.retries': '0' }
    await postgres().query('create table eo_b (id bigint, name text)')
    // The lock keeps the batch in the middle of its transaction, where its connection is cut.
    const locker = await postgres().connect()
    const cut = async (): Promise<void> => {
      for (;;) {
        const found = await postgres().query(
          'select pg_terminate_backend(pid) from pg_stat_activity where application_name = ' +
            "'eo-dies' and wait_event_type = 'Lock'",
        )
        if (found.length > 0) return
      }
    }
    await locker.query('begin; lock table eo_b in exclusive mode')
    const first = await start(raw, { name: 'eo-b', open })
    const failed = expect(first.put([order(0, 1, 'a'), order(1, 2, 'b')])).rejects.toThrow()
    await cut()
    await failed
    await locker.query('commit')
    expect(await rows('eo_b')).toEqual([])
    const second = await start(raw, { name: 'eo-b', open })
    expect(second.sought).toEqual([])
    await second.put([order(0, 1, 'a'), order(1, 2, 'b')])
    // It dies with the offset not yet committed to the group, so the same records come to its successor again.
    await second.task.stop?.()
    const third = await start(raw, { name: 'eo-b', open })
    expect(third.sought).toEqual([{ ...partition, offset: 2 }])
    await third.put([order(0, 1, 'a'), order(1, 2, 'b'), order(2, 3, 'c')])
    expect((await rows('eo_b')).map(({ name }) => name)).toEqual(['a', 'b', 'c'])
  })

  it('a commit whose answer is lost is not repeated', async () => {
    const proxy = await startAnswerEater(postgres().port, commits)
    try {
      const url = `jdbc:postgresql://127.0.0.1:${proxy.port}/postgres?sslmode=disable`
      const lose = async (raw: Raw): Promise<number> => {
        const task = await start({ 'auto.create': 'true', 'connection.url': url, ...raw }, { name: 'eo-lost', open })
        await task.put([order(0, 1, 'a')])
        proxy.eat(1)
        await task.put([order(1, 2, 'b'), order(2, 3, 'c')])
        await task.put([order(3, 4, 'd')])
        return (await rows(raw['table.name.format'] as string)).length
      }
      expect(await lose({ 'table.name.format': 'lost_plain' }), 'without it the records come twice').toBe(6)
      expect(await lose({ 'table.name.format': 'lost_once', 'exactly.once': 'true' })).toBe(4)
      expect(proxy.eaten()).toBe(2)
    } finally {
      await proxy.stop()
    }
  })

  it('connections that are cut at any moment lead to no loss and no duplicate', async () => {
    const url = `${connectionOf(postgres())['connection.url']}?ApplicationName=eo-cut`
    const raw = {
      ...once,
      'table.name.format': 'eo_cut',
      'connection.url': url,
      'max.retries': '1000',
      'retry.backoff.ms': '1',
    }
    let isRunning = true
    let cuts = 0
    const killer = (async () => {
      while (isRunning) {
        const cut =
          'select pg_terminate_backend(pid) from pg_stat_activity where application_name = ' +
          "'eo-cut' and random() < 0.01"
        cuts += (await postgres().query(cut)).length
      }
    })()
    let offset = 0
    try {
      for (let round = 0; round < 8 || cuts < 10; round++) {
        // Each round is a new task that is given the last ten records of its predecessor again.
        const task = await startAgain(() => start(raw, { name: 'eo-cut', open }))
        for (let batch = 0; batch < 5; batch++) {
          const from = Math.max(offset - 10, 0)
          await task.put(Array.from({ length: offset + 20 - from }, (_, i) => order(from + i, from + i, 'x')))
          offset += 20
        }
      }
    } finally {
      isRunning = false
      await killer
    }
    const found = await postgres().query('select count(*)::int as all, count(distinct id)::int as ids from eo_cut')
    expect(found).toEqual([{ all: offset, ids: offset }])
  })

  it('a task that was replaced writes no more', async () => {
    const raw = { ...once, 'table.name.format': 'eo_c' }
    const zombie = await start(raw, { name: 'eo-c', open, tolerant: true })
    await zombie.put([order(0, 1, 'a')])
    const heir = await start(raw, { name: 'eo-c', open })
    await expect(zombie.put([order(1, 2, 'zombie')])).rejects.toThrow(/another task has taken over orders-0/)
    await heir.put([order(1, 2, 'heir')])
    await expect(zombie.put([order(2, 3, 'zombie')])).rejects.toThrow(/another task has taken over/)
    expect((await rows('eo_c')).map(({ name }) => name)).toEqual(['a', 'heir'])
    expect(zombie.reported).toEqual([])
  })

  it('a task waits for the transaction of the one it replaces, and goes on behind it', async () => {
    const raw = { ...once, 'table.name.format': 'eo_d' }
    await postgres().query('create table eo_d (id bigint, name text)')
    const locker = await postgres().connect()
    const old = await start(raw, { name: 'eo-d', open })
    await locker.query('begin; lock table eo_d in exclusive mode')
    const slow = old.put([order(0, 1, 'slow')])
    while (
      (await postgres().query("select 1 from pg_stat_activity where wait_event_type = 'Lock' and query like 'INSERT%'"))
        .length === 0
    );
    const heir = start(raw, { name: 'eo-d', open })
    while (
      (await postgres().query("select 1 from pg_stat_activity where wait_event_type = 'Lock' and query like '%AS o%'"))
        .length === 0
    );
    await locker.query('commit')
    await slow
    expect((await heir).sought).toEqual([{ ...partition, offset: 1 }])
    await (await heir).put([order(0, 1, 'slow'), order(1, 2, 'next')])
    expect((await rows('eo_d')).map(({ name }) => name)).toEqual(['slow', 'next'])
  })

  it('records of the dead letter queue count as done', async () => {
    await postgres().query('create table eo_e (id bigint, name varchar(3))')
    const raw = { ...once, 'table.name.format': 'eo_e' }
    const task = await start(raw, { name: 'eo-e', open, tolerant: true })
    await task.put([order(0, 1, 'a'), order(1, 2, 'long'), order(2, 3, 'c')])
    await task.put([order(0, 1, 'a'), order(1, 2, 'long'), order(2, 3, 'c')])
    expect(task.reported).toHaveLength(1)
    expect((await rows('eo_e')).map(({ name }) => name)).toEqual(['a', 'c'])
    expect(await next('eo-e')).toBe('3')
  })

  it('closed partitions are given up', async () => {
    const task = await start({ ...once, 'table.name.format': 'eo_f', 'max.retries': '0' }, { name: 'eo-f', open })
    await task.task.close?.(open)
    await expect(task.put([order(0, 1, 'a')])).rejects.toThrow(/without the partition being opened/)
  })

  it('a database that crashes and comes back is read and written on without loss or repetition', async () => {
    await postgres().query(
      'create table crash_source (id int primary key); insert into crash_source select generate_series(1, 40)',
    )
    const patient = { 'connection.attempts': '100', 'max.retries': '100' }
    const sink = await start({ ...once, ...patient, 'table.name.format': 'crash_copy' }, { name: 'crash', open })
    const reading = { mode: 'incrementing', 'incrementing.column.name': 'id', 'table.whitelist': 'crash_source' }
    const source = await startSource({
      ...connectionOf(postgres()),
      ...patient,
      ...reading,
      'batch.max.rows': '5',
      'poll.interval.ms': '20',
    })
    const seen: number[] = []
    try {
      for (let round = 0; round < 4; round++) {
        const records = await source.take(10)
        seen.push(...records.map((record) => (record.value as { id: number }).id))
        const batch = seen.map((id, offset) => order(offset, id, String(id)))
        if (round % 2 === 0) {
          const down = postgres()
            .kill()
            .then(() => postgres().restart())
          await Promise.all([sink.put(batch), down])
        } else await sink.put(batch)
      }
    } finally {
      await source.task.stop?.()
    }
    const expected = Array.from({ length: 40 }, (_, i) => i + 1)
    expect(seen).toEqual(expected)
    expect((await postgres().query('select id::int from crash_copy order by id')).map(({ id }) => id)).toEqual(expected)
  })
})
