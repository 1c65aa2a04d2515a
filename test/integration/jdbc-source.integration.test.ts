import { readFileSync } from 'node:fs'
import { Decimal, parseConfigOrThrow, type SourceRecord } from '@millrace/sdk'
import { afterEach, describe, expect, test } from 'vitest'
import source from '../../connectors/jdbc/source.ts'
import { DEADLINE_MS } from '../services/deadline.ts'
import { postgresMissing, startPostgres } from '../services/postgres.ts'
import { RunningTasks, useService } from './support/hooks.ts'
import {
  connectionOf,
  connectorContext,
  type RunningSource,
  startSource,
  startSourceTask,
  taskConfigs,
} from './support/jdbc-tasks.ts'
import { Offsets, type Raw } from './support/task-contract.ts'

async function until(condition: () => boolean | Promise<boolean>): Promise<void> {
  for (
    const deadline = Date.now() + DEADLINE_MS;
    !(await condition());
    await new Promise((done) => setTimeout(done, 10))
  ) {
    if (Date.now() > deadline) throw new Error('not in time')
  }
}

describe.each([15, 18] as const)('JDBC source on Postgres %i', (version) => {
  const missing = postgresMissing(version)
  const postgres = useService(() => startPostgres({ version }), missing === null)
  const running = new RunningTasks()
  afterEach(() => running.stop())

  const start = async (raw: Raw, offsets?: Offsets): Promise<RunningSource> => {
    return running.add(
      await startSource(
        { ...connectionOf(postgres()), 'poll.interval.ms': '20', 'poll.linger.ms': '50', ...raw },
        offsets,
      ),
    )
  }
  const ids = (records: readonly SourceRecord[]) =>
    records.map((record) => Number((record.value as { id: unknown }).id))
  const it = test.skipIf(missing !== null)

  it('runs the example config as written, but for the host', async () => {
    await postgres().query(
      'create table driver (id serial primary key, name varchar(50) not null, rating numeric(3,1), ' +
        `timestamp timestamp not null default '2024-01-01')`,
    )
    await postgres().query(
      `insert into driver (name, rating, timestamp) values ('Ann', 4.5, '2024-01-01 ` +
        `00:00:00.000001'), ('Bob', null, '2024-01-01 00:00:00.000002')`,
    )
    const file = new URL('../../connectors/jdbc/examples/driver-source.json', import.meta.url)
    const { config } = JSON.parse(readFileSync(file, 'utf8')) as { config: Raw }
    const { 'connection.url': url } = connectionOf(postgres())
    const records = await (await start({ ...config, 'connection.url': url as string })).take(2)
    expect(records.map(({ topic, key, value, partition }) => ({ topic, key, value, partition }))).toEqual([
      {
        topic: 'driver',
        key: null,
        partition: null,
        value: { id: 1, name: 'Ann', rating: 4.5, timestamp: new Date('2024-01-01') },
      },
      {
        topic: 'driver',
        key: null,
        partition: null,
        value: { id: 2, name: 'Bob', rating: null, timestamp: new Date('2024-01-01') },
      },
    ])
    expect(records[1]?.sourcePartition).toEqual({ protocol: '1', table: 'public.driver' })
    expect(records[1]?.sourceOffset).toEqual({
      incrementing: 2,
      timestamp: Date.UTC(2024, 0, 1),
      timestamp_nanos: 2000,
    })
    expect(records[0]?.valueSchema?.name).toBe('driver')
    expect(records[0]?.valueSchema?.fields.map(({ name, schema }) => [name, schema.type, schema.optional])).toEqual([
      ['id', 'INT32', false],
      ['name', 'STRING', false],
      ['rating', 'FLOAT64', true],
      ['timestamp', 'INT64', false],
    ])
  })

  it('bulk reads the whole table again each time', async () => {
    await postgres().query('create table bulky (id int); insert into bulky select generate_series(1, 5)')
    const task = await start({ mode: 'bulk', 'table.whitelist': 'bulky', 'batch.max.rows': '2' })
    expect(ids(await task.take(10))).toEqual([1, 2, 3, 4, 5, 1, 2, 3, 4, 5])
  })

  it('incrementing finds the serial column by itself, and goes on from stored offsets, the old form too', async () => {
    await postgres().query(
      'create table grows (id bigserial primary key, note text); insert into grows (note) select ' +
        '$$n$$ from generate_series(1, 25)',
    )
    const raw = { mode: 'incrementing', 'table.whitelist': 'grows', 'batch.max.rows': '10' }
    const offsets = new Offsets()
    const first = await start(raw, offsets)
    offsets.commit(await first.poll())
    await first.task.stop?.()
    const second = await start(raw, offsets)
    expect(ids(await second.take(15))).toEqual(Array.from({ length: 15 }, (_, i) => i + 11))
    await postgres().query("insert into grows (note) values ('late')")
    expect(ids(await second.take(1))).toEqual([26])

    const old = new Offsets()
    old.set({ table: 'grows' }, { incrementing: 24 })
    expect(ids(await (await start(raw, old)).take(2))).toEqual([25, 26])
  })

  it('incrementing.initial reaches numbers below zero', async () => {
    await postgres().query('create table negative (id bigint primary key); insert into negative values (-7), (-1), (3)')
    const raw = { mode: 'incrementing', 'table.whitelist': 'negative', 'incrementing.column.name': 'id' }
    expect(ids(await (await start(raw)).take(1))).toEqual([3])
    expect(ids(await (await start({ ...raw, 'incrementing.initial': '-8' })).take(3))).toEqual([-7, -1, 3])
  })

  it('timestamp sees updates, keeps microseconds, and skips nulls', async () => {
    await postgres().query('create table touched (id int primary key, at timestamp, seen timestamptz)')
    await postgres().query(
      `insert into touched values (1, '2024-01-01 00:00:00.000001', null), (2, null, '2024-01-01 ` +
        `00:00:00.000002+00'), (3, null, null), (4, '2024-01-01 00:00:00.000003', '2020-01-01')`,
    )
    const task = await start({
      mode: 'timestamp',
      'table.whitelist': 'touched',
      'timestamp.column.name': 'at,seen',
      'validate.non.null': 'false',
    })
    const records = await task.take(3)
    expect(ids(records)).toEqual([1, 2, 4])
    expect(records.map(({ sourceOffset }) => sourceOffset['timestamp_nanos'])).toEqual([1000, 2000, 3000])
    await postgres().query("update touched set at = '2024-01-02' where id = 1")
    expect(ids(await task.take(1))).toEqual([1])
  })

  it('a stop inside a group of equal timestamps loses no row', async () => {
    await postgres().query(
      'create table ties (id int primary key, at timestamp not null); insert into ties select g, ' +
        "timestamp '2024-01-01' + (g / 10) * interval '1 second' from generate_series(1, 45) g",
    )
    const raw = { mode: 'timestamp', 'table.whitelist': 'ties', 'timestamp.column.name': 'at', 'batch.max.rows': '7' }
    const offsets = new Offsets()
    const seen = new Set<number>()
    while (seen.size < 45) {
      // Every batch is committed, then the task is replaced.
      const task = await start(raw, offsets)
      const records = [...(await task.take(1)), ...(await task.poll())]
      offsets.commit(records)
      for (const id of ids(records)) seen.add(id)
      await task.task.stop?.()
    }
    expect([...seen].sort((a, b) => a - b)).toEqual(Array.from({ length: 45 }, (_, i) => i + 1))
  })

  it('timestamp+incrementing restarted after every batch gives each row once', async () => {
    await postgres().query(
      'create table once (id int primary key, at timestamptz not null); insert into once select g, ' +
        "timestamptz '2024-01-01' + (g / 10) * interval '1 microsecond' from generate_series(1, 40) g",
    )
    const raw = {
      mode: 'timestamp+incrementing',
      'table.whitelist': 'once',
      'timestamp.column.name': 'AT',
      'incrementing.column.name': 'ID',
      'batch.max.rows': '7',
    }
    const offsets = new Offsets()
    const seen: number[] = []
    while (seen.length < 40) {
      const task = await start(raw, offsets)
      const records = await task.take(1)
      offsets.commit(records)
      seen.push(...ids(records))
      await task.task.stop?.()
    }
    expect(seen).toEqual(Array.from({ length: 40 }, (_, i) => i + 1))
  })

  it('the delay keeps rows back that are too young, so that a late transaction is not missed', async () => {
    await postgres().query('create table delayed (id int primary key, at timestamptz not null)')
    const raw = { mode: 'timestamp', 'table.whitelist': 'delayed', 'timestamp.column.name': 'at' }
    const late = await postgres().connect()
    await late.query('begin')
    await late.query("insert into delayed values (1, now() - interval '60 minutes')")
    await postgres().query("insert into delayed values (2, now() - interval '59 minutes')")
    const hasty = await start({ ...raw, 'timestamp.delay.interval.ms': String(30 * 60_000) })
    expect(ids(await hasty.take(1))).toEqual([2])
    const careful = await start({ ...raw, 'timestamp.delay.interval.ms': String(120 * 60_000) })
    expect(await careful.poll()).toEqual([])
    await late.query('commit')
    expect(await hasty.poll()).toEqual([])
    // Later, when both rows are older than the delay.
    expect(ids(await (await start({ ...raw, 'timestamp.delay.interval.ms': '1000' })).take(2))).toEqual([1, 2])
  })

  it('timestamp.await.transactions misses no row of a transaction that commits late', async () => {
    await postgres().query('create table awaited (id int primary key, at timestamptz not null default now())')
    const raw = { mode: 'timestamp', 'table.whitelist': 'awaited', 'timestamp.column.name': 'at' }
    await postgres().query('insert into awaited values (1)')
    const late = await postgres().connect()
    await late.query('begin')
    await late.query('insert into awaited values (2)')
    await postgres().query('insert into awaited values (3)')
    const careful = await start({ ...raw, 'timestamp.await.transactions': 'true' })
    const hasty = await start(raw)
    expect(ids(await hasty.take(2))).toEqual([1, 3])
    expect(ids(await careful.take(1))).toEqual([1])
    expect(await careful.poll()).toEqual([])
    await late.query('commit')
    expect(ids(await careful.take(2))).toEqual([2, 3])
    expect(await hasty.poll()).toEqual([])
    await late.end()
  })

  it('timestamp.initial starts in the middle or now, but not when an offset is stored', async () => {
    await postgres().query(
      'create table initial (id int primary key, at timestamp not null); insert into initial values ' +
        "(1, '2024-01-01'), (2, '2024-01-03')",
    )
    const raw = { mode: 'timestamp', 'table.whitelist': 'initial', 'timestamp.column.name': 'at' }
    const middle = await start({ ...raw, 'timestamp.initial': String(Date.UTC(2024, 0, 2)) })
    expect(ids(await middle.take(1))).toEqual([2])
    const now = await start({ ...raw, 'timestamp.initial': '-1' })
    expect(await now.poll()).toEqual([])
    const offsets = new Offsets()
    offsets.set({ protocol: '1', table: 'public.initial' }, { timestamp: 0, timestamp_nanos: 0 })
    expect(ids(await (await start({ ...raw, 'timestamp.initial': '-1' }, offsets)).take(2))).toEqual([1, 2])
  })

  it('db.timezone is the wall clock of columns without a zone', async () => {
    await postgres().query(
      'create table berlin (id int primary key, at timestamp not null); insert into berlin values ' +
        "(1, '2024-07-01 02:00:00')",
    )
    const task = await start({
      mode: 'timestamp',
      'table.whitelist': 'berlin',
      'timestamp.column.name': 'at',
      'db.timezone': 'Europe/Berlin',
    })
    const [record] = await task.take(1)
    expect((record?.value as { at: Date } | undefined)?.at.toISOString()).toBe('2024-07-01T00:00:00.000Z')
    expect(record?.sourceOffset).toEqual({ timestamp: Date.UTC(2024, 6, 1), timestamp_nanos: 0 })
    expect(task.lines.join()).toContain('db.timezone differs')
  })

  it('a query is wrapped, so it may have conditions, an order and a comment at its end', async () => {
    await postgres().query(
      'create table base (id int primary key, kind text); insert into base select g, case when g % 2 ' +
        '= 0 then $$even$$ else $$odd$$ end from generate_series(1, 6) g',
    )
    const raw = {
      mode: 'incrementing',
      query: "select id, upper(kind) as kind from base where kind = 'even' order by id desc -- all",
      'incrementing.column.name': 'id',
      'topic.prefix': 'evens',
    }
    const records = await (await start(raw)).take(3)
    expect(records.map(({ topic, value, sourcePartition }) => ({ topic, value, sourcePartition }))).toEqual(
      [2, 4, 6].map((id) => ({ topic: 'evens', value: { id, kind: 'EVEN' }, sourcePartition: { query: 'query' } })),
    )
    expect(records[0]?.valueSchema?.name).toBeUndefined()
    expect(records[0]?.valueSchema?.field('kind')?.schema.optional).toBe(true)
  })

  it('query.suffix ends every query', async () => {
    await postgres().query(
      'create table suffixed (id int primary key); insert into suffixed select generate_series(1, 9)',
    )
    const task = await start({
      mode: 'incrementing',
      'incrementing.column.name': 'id',
      'table.whitelist': 'suffixed',
      'query.suffix': 'LIMIT 4',
    })
    expect(ids(await task.poll())).toEqual([1, 2, 3, 4])
    expect(ids(await task.take(5))).toEqual([5, 6, 7, 8, 9])
  })

  it('every type has its schema, and columns without one are dropped with a warning', async () => {
    await postgres().query("create type mood as enum ('sad', 'ok')")
    await postgres().query('create domain positive as int not null check (value > 0)')
    await postgres().query(
      'create table kinds (a smallint, b int not null, c bigint, d real, e double precision, f ' +
        'numeric(10,2), g boolean, h text, i varchar(9), j char(3), k bytea, l date, m time, n timetz, ' +
        'o timestamp, p timestamptz, q uuid, r json, s jsonb, t mood, u positive, v bit, w bit(4), x ' +
        'xml, y money, skip_array int[], skip_inet inet, skip_interval interval)',
    )
    await postgres().query(
      `insert into kinds values (-1, 2, 9007199254740993, 0.5, 1e100, 12.50, true, 'ü"x', 'v', 'c', ` +
        `'\\x00ff', '2024-02-29', '01:02:03.004', '01:00:00+01', '2024-01-01 00:00:00.123456', ` +
        `'2024-01-01 00:00:00+00', 'a0eebc99-9c0b-4ef8-bb6d-6bb9bd380a11', '{"a": 1}', '{"a":1}', ` +
        `'ok', 5, B'1', B'0101', '<a/>', '12.34', '{1}', '::1', '1 day')`,
    )
    const task = await start({ mode: 'bulk', 'table.whitelist': 'kinds' })
    const [record] = await task.take(1)
    expect(record?.value).toEqual({
      a: -1,
      b: 2,
      c: 9_007_199_254_740_993n,
      d: 0.5,
      e: 1e100,
      f: new Decimal(1250n, 2),
      g: true,
      h: 'ü"x',
      i: 'v',
      j: 'c  ',
      k: Buffer.from([0, 255]),
      l: new Date('2024-02-29'),
      m: 3_723_004,
      n: 0,
      o: new Date('2024-01-01T00:00:00.123Z'),
      p: new Date('2024-01-01'),
      q: 'a0eebc99-9c0b-4ef8-bb6d-6bb9bd380a11',
      r: '{"a": 1}',
      s: '{"a": 1}',
      t: 'ok',
      u: 5,
      v: true,
      w: 5,
      x: '<a/>',
      y: 12.34,
    })
    expect(record?.valueSchema?.fields.filter(({ schema }) => !schema.optional).map(({ name }) => name)).toEqual([
      'b',
      'u',
    ])
    for (const name of ['skip_array', 'skip_inet', 'skip_interval']) expect(task.lines.join()).toContain(name)
  })

  it('a changed table gives a new schema in the next query', async () => {
    await postgres().query('create table evolving (id int primary key); insert into evolving values (1)')
    const task = await start({ mode: 'incrementing', 'incrementing.column.name': 'id', 'table.whitelist': 'evolving' })
    const [before] = await task.take(1)
    await postgres().query('alter table evolving add extra text; insert into evolving values (2, $$x$$)')
    const [after] = await task.take(1)
    expect(after?.value).toEqual({ id: 2, extra: 'x' })
    expect(after?.valueSchema).not.toBe(before?.valueSchema)
    await postgres().query('insert into evolving values (3, null)')
    const [same] = await task.take(1)
    expect(same?.valueSchema).toBe(after?.valueSchema)
  })

  it('names that need quotes, or try to break out of them, are only names', async () => {
    await postgres().query('create schema "Odd; --"')
    await postgres().query(`create table "Odd; --"."sel""ect, x" ("id'" int primary key, "ti me" timestamp not null)`)
    await postgres().query(`insert into "Odd; --"."sel""ect, x" values (1, '2024-01-01')`)
    await postgres().query('create table other_one (id int primary key)')
    const task = await start({
      mode: 'timestamp+incrementing',
      'schema.pattern': 'Odd%',
      'incrementing.column.name': "id'",
      'timestamp.column.name': 'ti me',
    })
    const [record] = await task.take(1)
    expect(record?.topic).toBe('sel"ect, x')
    expect(record?.value).toEqual({ "id'": 1, 'ti me': new Date('2024-01-01') })
    expect(record?.sourcePartition).toEqual({ protocol: '1', table: 'Odd; --.sel"ect, x' })
    await expect(start({ mode: 'bulk', 'schema.pattern': 'Odd%', 'quote.sql.identifiers': 'never' })).rejects.toThrow(
      /quote.sql.identifiers/,
    )
  })

  it('problems of columns name the table, the column and the fix', async () => {
    await postgres().query('create table flawed (id int, at timestamp, note text, "Note" text)')
    const raw = { 'table.whitelist': 'flawed' }
    const issues = async (more: Raw) => {
      const full = { ...connectionOf(postgres()), ...raw, ...more }
      return (await source.validate?.(parseConfigOrThrow(source.config, full), full))
        ?.map(({ key, message }) => `${key}: ${message}`)
        .join()
    }
    expect(await issues({ mode: 'incrementing', 'incrementing.column.name': 'id' })).toMatch(
      /^incrementing.column.name: the column id of public.flawed may be null/,
    )
    expect(await issues({ mode: 'incrementing' })).toMatch(/public.flawed has no identity or serial column/)
    expect(await issues({ mode: 'timestamp', 'timestamp.column.name': 'at' })).toMatch(
      /^timestamp.column.name: at of public.flawed may be null/,
    )
    expect(await issues({ mode: 'timestamp', 'timestamp.column.name': 'gone' })).toMatch(
      /has no column gone; it has id, at, note, Note/,
    )
    expect(await issues({ mode: 'timestamp', 'timestamp.column.name': 'NOTE' })).toMatch(/may mean note or Note/)
    expect(await issues({ mode: 'timestamp', 'timestamp.column.name': 'note', 'validate.non.null': 'false' })).toMatch(
      /is text, not a timestamp/,
    )
    await postgres().query('create user poor')
    const awaits = { mode: 'timestamp', 'timestamp.column.name': 'at', 'timestamp.await.transactions': 'true' }
    expect(await issues({ ...awaits, 'validate.non.null': 'false', 'connection.user': 'poor' })).toContain(
      'GRANT pg_read_all_stats TO "poor"',
    )
    expect(await issues({ mode: 'bulk', 'connection.user': 'poor' })).toMatch(
      /^connection.user: the user poor has no right to SELECT on public.flawed: GRANT SELECT/,
    )
    expect(await issues({ mode: 'timestamp' })).toMatch(/^timestamp.column.name: the mode timestamp needs it/)
    expect(await issues({ mode: 'incrementing', 'incrementing.column.name': 'id', 'validate.non.null': 'false' })).toBe(
      '',
    )
    expect(await issues({ mode: 'bulk', 'table.whitelist': '', query: 'selec', 'topic.prefix': 'x' })).toMatch(
      /^query: syntax error/,
    )
    expect(await issues({ mode: 'bulk', 'connection.url': 'jdbc:postgresql://127.0.0.1:1/x' })).toMatch(
      /^connection.url: cannot connect.*ECONNREFUSED/,
    )
    expect(
      await issues({
        mode: 'bulk',
        'connection.url': `jdbc:postgresql://127.0.0.1:1,127.0.0.1:${postgres().port}/postgres`,
      }),
    ).toBe('')
  })

  it('tables are split into contiguous groups; none at all is a task that says why', async () => {
    await postgres().query(
      'create schema split; create table split.a (id int); create table split.b (id int); create ' +
        'table split.c (id int); create view split.d as select 1 as id',
    )
    const raw = { ...connectionOf(postgres()), mode: 'bulk', 'schema.pattern': 'split' }
    const configs = await taskConfigs(raw, 2, connectorContext())
    expect(configs.map((config) => config['tables'])).toEqual(['"split"."a","split"."b"', '"split"."c"'])
    const views = await taskConfigs({ ...raw, 'table.types': 'VIEW' }, 2, connectorContext())
    expect(views.map((config) => config['tables'])).toEqual(['"split"."d"'])
    const [none] = await taskConfigs({ ...raw, 'table.whitelist': 'nothing' }, 2, connectorContext())
    await expect(startSourceTask(none as Raw)).rejects.toThrow(/no table matches/)
  })

  it('a new table and a dropped one bring a reconfiguration', async () => {
    await postgres().query('create schema watched; create table watched.a (id int)')
    let asked = 0
    const context = connectorContext({ reconfigure: () => asked++ })
    const raw = {
      ...connectionOf(postgres()),
      mode: 'bulk',
      'schema.pattern': 'watched',
      'table.poll.interval.ms': '20',
    }
    await taskConfigs(raw, 1, context)
    const monitor = await source.monitor?.(parseConfigOrThrow(source.config, raw), raw, context)
    try {
      await postgres().query('create table watched.b (id int)')
      await until(() => asked === 1)
      expect((await taskConfigs(raw, 5, context)).map((config) => config['tables'])).toEqual([
        '"watched"."a"',
        '"watched"."b"',
      ])
      await postgres().query('drop table watched.a')
      await until(() => asked === 2)
    } finally {
      await monitor?.stop()
    }
    expect(context.logger.lines.join()).toContain('the tables changed')
  })

  it('a database that is away gives an idle task until the monitor finds the tables', async () => {
    const raw: Raw = {
      ...connectionOf(postgres()),
      'connection.url': 'jdbc:postgresql://127.0.0.1:1/x',
      'connection.backoff.ms': '1',
      mode: 'bulk',
    }
    const [config] = await taskConfigs(raw, 3, connectorContext())
    expect(config?.['tables.fetched']).toBe('false')
    const idle = await startSourceTask({ ...(config as Raw), 'poll.linger.ms': '10' })
    running.add(idle)
    expect(await idle.poll()).toEqual([])
  })

  it('a lost connection is made again, and no row is lost or repeated with numbers', async () => {
    await postgres().query('create table cut (id int primary key); insert into cut select generate_series(1, 30)')
    const task = await start({
      mode: 'incrementing',
      'incrementing.column.name': 'id',
      'table.whitelist': 'cut',
      'batch.max.rows': '10',
      'connection.url': `${connectionOf(postgres())['connection.url']}?ApplicationName=cut-me`,
    })
    const first = await task.take(10)
    await postgres().query("select pg_terminate_backend(pid) from pg_stat_activity where application_name = 'cut-me'")
    expect(ids([...first, ...(await task.take(20))])).toEqual(Array.from({ length: 30 }, (_, i) => i + 1))
  })

  it('a table that is dropped does not stop the others', async () => {
    await postgres().query(
      'create schema partly; create table partly.a (id int); create table partly.b (id int); insert ' +
        'into partly.b values (1)',
    )
    const task = await start({ mode: 'bulk', 'schema.pattern': 'partly' })
    await postgres().query('drop table partly.a')
    expect(ids(await task.take(2))).toEqual([1, 1])
  })

  it('query.retry.attempts ends the retries', async () => {
    await postgres().query('create table retried (id int)')
    const task = await start({ mode: 'bulk', 'table.whitelist': 'retried', 'query.retry.attempts': '0' })
    await postgres().query('drop table retried')
    await expect(task.poll()).rejects.toThrow(/public.retried failed.*42P01/)
  })

  it('poll ends soon after it is aborted, also inside a long query', async () => {
    const url = `${connectionOf(postgres())['connection.url']}?ApplicationName=long`
    const task = await start({
      mode: 'bulk',
      query: 'select pg_sleep(10000) is null as slept',
      'topic.prefix': 'x',
      'connection.url': url,
    })
    const isActive = async (): Promise<boolean> => {
      const activity =
        "select 1 from pg_stat_activity where application_name = 'long' and query like 'fetch%' and state = 'active'"
      return (await postgres().query(activity)).length > 0
    }
    const abort = new AbortController()
    const polled = Promise.resolve(task.task.poll(abort.signal))
    await until(isActive)
    abort.abort()
    expect((await polled) ?? []).toEqual([])
    // The server notices by itself that nobody waits for the answer.
    await until(async () => !(await isActive()))
  })

  it('an isolation level is used', async () => {
    await postgres().query('create table isolated (id int); insert into isolated values (1)')
    const task = await start({
      mode: 'bulk',
      query: "select current_setting('transaction_isolation') as level",
      'topic.prefix': 'x',
      'transaction.isolation.mode': 'SERIALIZABLE',
    })
    expect((await task.take(1))[0]?.value).toEqual({ level: 'serializable' })
  })
})
