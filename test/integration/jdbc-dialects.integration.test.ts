// What the JDBC connectors promise whatever the database: the same test on Postgres, MariaDB and SQLite.
import {
  dateSchema,
  Decimal,
  decimalSchema,
  parseConfigOrThrow,
  schemas,
  type SinkRecord,
  type SourceRecord,
  struct,
  timeSchema,
  timestampSchema,
  withOptions,
} from '@millrace/sdk'
import fc from 'fast-check'
import { afterAll, afterEach, beforeAll, describe, expect, test } from 'vitest'
import sinkPlugin from '../../connectors/jdbc/sink.ts'
import sourcePlugin from '../../connectors/jdbc/source.ts'
import { databases, type TestDatabase } from './support/jdbc-databases.ts'
import {
  connectorContext,
  type RunningSink,
  type RunningSource,
  type SinkOptions,
  sinkRecord,
  startSink,
  startSource,
  taskConfigs,
} from './support/jdbc-tasks.ts'
import { Offsets, type Raw } from './support/task-contract.ts'

const key = struct({ id: schemas.int64 })
const value = struct({ id: schemas.int64, name: schemas.optional.string })
const open = [{ topic: 'orders', partition: 0 }]

/** A record of the usual shape; a name of undefined is a delete. */
function order(offset: number, id: number, name?: string, topic = 'orders'): SinkRecord {
  const row = name === undefined ? null : { schema: value, value: { id: BigInt(id), name } }
  return sinkRecord(offset, { schema: key, value: { id: BigInt(id) } }, row, topic)
}

describe.each(databases)('JDBC on $name', (kind) => {
  let database: TestDatabase
  let sinks: RunningSink[] = []
  let sources: RunningSource[] = []

  beforeAll(async () => {
    if (!kind.isMissing) database = await kind.start()
  })
  afterAll(async () => {
    await database?.stop()
  })
  afterEach(async () => {
    for (const { task } of [...sinks, ...sources]) await task.stop?.()
    sinks = []
    sources = []
  })

  const it = test.skipIf(kind.isMissing)
  const sink = async (raw: Raw, options: SinkOptions = {}): Promise<RunningSink> => {
    const started = await startSink({ ...database.connection, ...raw }, options)
    sinks.push(started)
    return started
  }
  const source = async (raw: Raw, offsets?: Offsets): Promise<RunningSource> => {
    const quick = { 'poll.interval.ms': '20', 'poll.linger.ms': '50' }
    const started = await startSource({ ...database.connection, ...quick, ...raw }, offsets)
    sources.push(started)
    return started
  }
  const rows = (table: string) => database.query(`select * from ${table} order by 1, 2`)
  const plain = async (table: string) =>
    (await rows(table)).map((row) => Object.values(row).map((each) => (each === null ? null : String(each))))
  const run = async (...statements: string[]): Promise<void> => {
    for (const sql of statements) await database.query(sql)
  }
  const ids = (records: readonly SourceRecord[]) =>
    records.map((record) => Number((record.value as { id: unknown }).id))
  const upsert = { 'insert.mode': 'upsert', 'pk.mode': 'record_key', 'auto.create': 'true' }
  const { text, key: bigint, timestamp } = kind.types

  it('insert writes every record, over several statements and tables', async () => {
    const task = await sink({ 'auto.create': 'true', 'batch.size': '2' })
    await task.put([
      order(0, 1, 'a', 'ins_a'),
      order(1, 1, 'b', 'ins_a'),
      order(0, 2, 'c', 'ins_b'),
      order(2, 3, 'd', 'ins_a'),
    ])
    expect(await plain('ins_a')).toEqual([
      ['1', 'a'],
      ['1', 'b'],
      ['3', 'd'],
    ])
    expect(await plain('ins_b')).toEqual([['2', 'c']])
  })

  it('upsert leaves the last value of each key, also when one batch holds a key many times', async () => {
    const task = await sink({ ...upsert, 'table.name.format': 'ups' })
    await task.put([order(0, 1, 'a'), order(1, 2, 'b'), order(2, 1, 'c'), order(3, 1, 'd')])
    await task.put([order(4, 2, 'e')])
    expect(await plain('ups')).toEqual([
      ['1', 'd'],
      ['2', 'e'],
    ])
  })

  it('upsert of keys alone keeps the row', async () => {
    await run(`create table only_key (id ${bigint} primary key, kept ${text})`, "insert into only_key values (1, 'x')")
    const task = await sink({ ...upsert, 'table.name.format': 'only_key', 'fields.whitelist': 'id' })
    await task.put([order(0, 1, 'a'), order(1, 2, 'b')])
    expect(await plain('only_key')).toEqual([
      ['1', 'x'],
      ['2', null],
    ])
  })

  it('update changes rows that exist and adds none', async () => {
    await run(`create table upd (id ${bigint} primary key, name ${text})`, "insert into upd values (1, 'old')")
    const task = await sink({ 'insert.mode': 'update', 'pk.mode': 'record_key', 'table.name.format': 'upd' })
    await task.put([order(0, 1, 'new'), order(1, 2, 'none')])
    expect(await plain('upd')).toEqual([['1', 'new']])
  })

  it('a null deletes, and what comes after it in the same batch survives', async () => {
    const task = await sink({ ...upsert, 'table.name.format': 'del', 'delete.enabled': 'true' })
    await task.put([order(0, 1, 'a'), order(1, 2, 'b')])
    await task.put([order(2, 1), order(3, 1, 'again'), order(4, 2, 'gone'), order(5, 2), order(6, 3), order(7, 3)])
    expect(await plain('del')).toEqual([['1', 'again']])
  })

  it('a delete of a key of several columns, one of them text and one a decimal', async () => {
    const columns = { code: schemas.string, size: decimalSchema(2) }
    const item = struct({ ...columns, quantity: schemas.int32 })
    const itemKey = struct(columns)
    const task = await sink({ ...upsert, 'table.name.format': 'del_items', 'delete.enabled': 'true' })
    const at = (code: string, size: string) => ({ schema: itemKey, value: { code, size: Decimal.parse(size) } })
    const row = (code: string, size: string) => ({
      schema: item,
      value: { code, size: Decimal.parse(size), quantity: 1 },
    })
    // SQLite makes a floating point number of a decimal in a column of numbers.
    const digits = kind.name === 'SQLite' ? '12' : '9007199254740993'
    const sizes = [`${digits}.25`, `${digits}.26`]
    await task.put(sizes.map((size, offset) => sinkRecord(offset, at("o'clock\\", size), row("o'clock\\", size))))
    await task.put([sinkRecord(2, at("o'clock\\", sizes[0] as string), null)])
    expect((await plain('del_items')).map(([code, size]) => [code, size])).toEqual([["o'clock\\", sizes[1]]])
  })

  it('texts of all kinds arrive as they are', async () => {
    const task = await sink({ ...upsert, 'table.name.format': 'texts' })
    const names = ["'", '"', '\\', '\\\\', "a'b\\'c", '?', '$1', '\n\r\t', '日本語 😀', "'; drop table texts; --", '`']
    await task.put(names.map((name, id) => order(id, id, name)))
    expect((await rows('texts')).map(({ name }) => name)).toEqual(names)
  })

  it('creates a table with a column type for each schema, and writes values that read back as they were', async () => {
    const all = struct({
      id: schemas.int64,
      tiny: schemas.int8,
      short: schemas.int16,
      int: schemas.int32,
      double: schemas.float64,
      flag: schemas.boolean,
      label: schemas.optional.string,
      bytes: schemas.bytes,
      price: decimalSchema(2),
      day: dateSchema(),
      time: timeSchema(),
      at: timestampSchema(),
      note: withOptions(schemas.string, { default: "it's \\ none" }),
    })
    const at = new Date('2024-02-29T12:34:56.789Z')
    const record = {
      id: 9_223_372_036_854_775_807n,
      tiny: -128,
      short: -32_768,
      int: -2_147_483_648,
      double: 1.7976931348623157e308,
      flag: true,
      label: null,
      bytes: Buffer.from([0, 39, 92, 255]),
      price: Decimal.parse('12345678901.25'),
      day: new Date('1969-12-31T00:00:00Z'),
      time: 45_296_789,
      at,
      note: 'x',
    }
    const task = await sink({ ...upsert, 'table.name.format': 'all_types', 'db.timezone': 'Asia/Kolkata' })
    await task.put([sinkRecord(0, { schema: key, value: { id: record.id } }, { schema: all, value: record })])
    const reading = await source({
      mode: 'bulk',
      'table.whitelist': 'all_types',
      ...(kind.name === 'SQLite' ? {} : { 'db.timezone': 'Asia/Kolkata' }),
    })
    const [read] = await reading.take(1)
    const found = read?.value as Record<string, unknown>
    expect({ ...found, bytes: Buffer.from(found['bytes'] as Uint8Array).toString('hex') }).toMatchObject({
      id: record.id,
      double: record.double,
      label: null,
      bytes: '00275cff',
      note: 'x',
    })
    expect(Number(found['tiny'])).toBe(-128)
    expect(Number(found['flag'])).toBe(1)
    if (kind.name !== 'SQLite') {
      // SQLite's own forms of these are in its own test.
      expect(found['at']).toEqual(at)
      expect(String(found['price'])).toMatch(/^12345678901\.250*$/)
    }
  })

  it('widens a table for optional fields, in the middle of a batch too', async () => {
    const task = await sink({ ...upsert, 'auto.evolve': 'true', 'table.name.format': 'evolved' })
    const wider = struct({
      id: schemas.int64,
      name: schemas.optional.string,
      extra: schemas.optional.int32,
      note: withOptions(schemas.string, { default: 'none' }),
    })
    await task.put([
      order(0, 1, 'a'),
      sinkRecord(
        1,
        { schema: key, value: { id: 2n } },
        { schema: wider, value: { id: 2n, name: 'b', extra: 7, note: 'x' } },
      ),
      order(2, 3, 'c'),
    ])
    expect(await plain('evolved')).toEqual([
      ['1', 'a', null, 'none'],
      ['2', 'b', '7', 'x'],
      ['3', 'c', null, 'none'],
    ])
  })

  it('two tasks create and widen one table at the same time', async () => {
    const raw = { ...upsert, 'auto.evolve': 'true', 'table.name.format': 'both_t' }
    const tasks = await Promise.all([sink(raw), sink(raw)])
    await Promise.all(tasks.map((task, at) => task.put([order(0, at, 'x')])))
    expect(await rows('both_t')).toHaveLength(2)
  })

  it('a required field without default cannot widen a table, and the reason names it', async () => {
    const task = await sink({ ...upsert, 'auto.evolve': 'true', 'table.name.format': 'narrow', 'max.retries': '0' })
    await task.put([order(0, 1, 'a')])
    const wider = struct({ id: schemas.int64, must: schemas.int32 })
    const record = sinkRecord(1, { schema: key, value: { id: 2n } }, { schema: wider, value: { id: 2n, must: 1 } })
    await expect(task.put([record])).rejects.toThrow(/cannot get the column must/)
  })

  it('bad records go to the reporter one by one, and the good ones of the batch are written', async () => {
    await run(`create table checked (id ${bigint} primary key, name varchar(20) not null)`)
    const nullable = struct({ id: schemas.int64, name: schemas.optional.string })
    const task = await sink({ 'table.name.format': 'checked' }, { tolerant: true })
    const bad = (offset: number, id: number) =>
      sinkRecord(offset, null, { schema: nullable, value: { id: BigInt(id), name: null } })
    await task.put([order(0, 1, 'a'), bad(1, 2), order(2, 3, 'c'), order(3, 1, 'twice'), order(4, 5, 'e')])
    expect(await plain('checked')).toEqual([
      ['1', 'a'],
      ['3', 'c'],
      ['5', 'e'],
    ])
    expect(task.reported.map(({ record }) => record.offset)).toEqual([1, 3])
  })

  it('a table that is missing fails with what to do', async () => {
    const task = await sink({ 'table.name.format': 'nowhere', 'max.retries': '0' })
    await expect(task.put([order(0, 1, 'a')])).rejects.toThrow(/table nowhere is missing; create it or set auto.create/)
  })

  it('validation tells what is missing, in the connector’s own words', async () => {
    const raw = { ...database.connection, topics: 'not_there', 'connection.attempts': '1' }
    const issues = await sinkPlugin.validate?.(parseConfigOrThrow(sinkPlugin.config, raw), raw)
    expect(issues).toMatchObject([{ key: 'auto.create', message: expect.stringContaining('not_there') }])
    await run(`create table val (id ${bigint} not null primary key, name ${text})`)
    const good = { ...raw, topics: 'val' }
    expect(await sinkPlugin.validate?.(parseConfigOrThrow(sinkPlugin.config, good), good)).toEqual([])
    const reading = {
      ...database.connection,
      mode: 'timestamp',
      'timestamp.column.name': 'nope',
      'table.whitelist': 'val',
    }
    const found = await sourcePlugin.validate?.(parseConfigOrThrow(sourcePlugin.config, reading), reading)
    expect(found).toMatchObject([
      { key: 'timestamp.column.name', message: expect.stringContaining('has no column nope') },
    ])
  })

  it('bulk reads the whole table, again and again', async () => {
    await run(`create table bulk_t (id ${bigint} primary key)`, `insert into bulk_t ${kind.series(7)}`)
    const task = await source({ mode: 'bulk', 'table.whitelist': 'bulk_t', 'batch.max.rows': '3' })
    expect(ids(await task.take(14))).toEqual([1, 2, 3, 4, 5, 6, 7, 1, 2, 3, 4, 5, 6, 7])
  })

  it('incrementing finds new rows only, and goes on from its offset', async () => {
    await run(`create table inc_t (id ${bigint} not null primary key)`, `insert into inc_t ${kind.series(5)}`)
    const raw = { mode: 'incrementing', 'incrementing.column.name': 'id', 'table.whitelist': 'inc_t' }
    const offsets = new Offsets()
    const first = await (await source({ ...raw, 'batch.max.rows': '2' }, offsets)).take(2)
    expect(ids(first)).toEqual([1, 2])
    offsets.commit(first)
    await run('insert into inc_t values (9223372036854775807)')
    const rest = await (await source(raw, offsets)).take(4)
    expect(rest.map(({ sourceOffset }) => String(sourceOffset['incrementing']))).toEqual([
      '3',
      '4',
      '5',
      '9223372036854775807',
    ])
    offsets.commit(rest)
    expect(await (await source(raw, offsets)).poll()).toEqual([])
  })

  it('timestamp and number together find updates, and lose none of an equal time', async () => {
    await run(
      `create table ts_t (id ${bigint} not null primary key, changed ${timestamp} not null)`,
      `insert into ts_t select g, ${kind.at('g / 3')} from (${kind.series(9)}) s`,
    )
    const raw = {
      mode: 'timestamp+incrementing',
      'incrementing.column.name': 'id',
      'timestamp.column.name': 'changed',
      'table.whitelist': 'ts_t',
    }
    const offsets = new Offsets()
    let seen: number[] = []
    // Each round is a new task that goes on from the offset of the last.
    for (let round = 0; round < 9; round++) {
      const records = (await (await source({ ...raw, 'batch.max.rows': '1' }, offsets)).take(1)).slice(0, 1)
      offsets.commit(records)
      seen = [...seen, ...ids(records)]
    }
    expect([...seen].sort((a, b) => a - b)).toEqual([1, 2, 3, 4, 5, 6, 7, 8, 9])
    const last = await source(raw, offsets)
    expect(await last.poll()).toEqual([])
    await run(`update ts_t set changed = ${kind.at('60000')} where id = 4`)
    expect(ids(await last.take(1))).toEqual([4])
  })

  it('timestamps alone read a group of equal times again after a stop in its middle', async () => {
    await run(
      `create table grp_t (id ${bigint} not null primary key, changed ${timestamp} not null)`,
      `insert into grp_t select g, ${kind.at('g / 4')} from (${kind.series(11)}) s`,
    )
    const raw = { mode: 'timestamp', 'timestamp.column.name': 'changed', 'table.whitelist': 'grp_t' }
    const offsets = new Offsets()
    const seen = new Set<number>()
    const first = await (await source({ ...raw, 'batch.max.rows': '5' }, offsets)).take(1)
    for (const id of ids(first)) seen.add(id)
    offsets.commit(first)
    for (const id of ids(await (await source(raw, offsets)).take(8))) seen.add(id)
    expect(seen.size).toBe(11)
  })

  it('a custom query is read in the incremental modes too, with its comments and its own question marks', async () => {
    await run(`create table q_t (id ${bigint} not null primary key, name ${text})`, "insert into q_t values (1, '?')")
    const task = await source({
      mode: 'incrementing',
      'incrementing.column.name': 'id',
      query: "select id, name from q_t where name = '?' -- what?",
      'topic.prefix': 'q',
    })
    expect((await task.take(1)).map(({ topic, value }) => [topic, (value as { name: string }).name])).toEqual([
      ['q', '?'],
    ])
  })

  it('finds its tables, of the asked types, and groups them for the tasks', async () => {
    await run(
      `create table lists_a (id ${bigint} not null primary key)`,
      `create table lists_b (id ${bigint} not null primary key)`,
      'create view lists_view as select * from lists_a',
    )
    const tables = async (raw: Raw): Promise<string[]> => {
      const all = { ...database.connection, mode: 'bulk', 'table.include.list': '(.*\\.)?lists_.*', ...raw }
      return (await taskConfigs(all, 5, connectorContext())).map(({ tables }) => (tables ?? '').replace(/^.*\./, ''))
    }
    expect(await tables({})).toEqual(['"lists_a"', '"lists_b"'])
    expect(await tables({ 'table.types': 'VIEW' })).toEqual(['"lists_view"'])
    expect(await tables({ 'table.types': 'TABLE,VIEW', 'table.exclude.list': '.*_b' })).toEqual([
      '"lists_a"',
      '"lists_view"',
    ])
    expect(await tables({ 'catalog.pattern': 'no_such_%' })).toEqual(
      kind.name === 'SQLite' ? ['"lists_a"', '"lists_b"'] : [''],
    )
  })

  it('exactly once keeps offsets with the rows, and leaves out what was written', async () => {
    const raw = { 'auto.create': 'true', 'exactly.once': 'true', 'table.name.format': 'eo_a' }
    const first = await sink(raw, { name: 'eo-a', open })
    expect(first.sought).toEqual([])
    await first.put([order(0, 1, 'a'), order(1, 2, 'b')])
    await first.put([order(1, 2, 'b'), order(2, 3, 'c')])
    const second = await sink(raw, { name: 'eo-a', open })
    expect(second.sought).toEqual([{ ...open[0], offset: 3 }])
    await second.put([order(0, 1, 'a'), order(3, 4, 'd')])
    expect((await rows('eo_a')).map(({ name }) => name)).toEqual(['a', 'b', 'c', 'd'])
  })

  it('exactly once moves no offset when a table is changed before the rows fail', async () => {
    const raw = { ...upsert, 'auto.evolve': 'true', 'exactly.once': 'true', 'table.name.format': 'eo_ddl' }
    const task = await sink({ ...raw, 'max.retries': '0' }, { name: 'eo-ddl', open })
    const bad = sinkRecord(1, { schema: key, value: { id: 2n } }, null)
    await expect(task.put([order(0, 1, 'a'), bad])).rejects.toThrow(/delete.enabled/)
    const again = await sink(raw, { name: 'eo-ddl', open })
    expect(again.sought, 'an offset of rows that were not written').toEqual([])
    await again.put([order(0, 1, 'a')])
    expect(await plain('eo_ddl')).toEqual([['1', 'a']])
  })

  it('a task that was replaced writes no more', async () => {
    const raw = { 'auto.create': 'true', 'exactly.once': 'true', 'table.name.format': 'eo_c' }
    const zombie = await sink(raw, { name: 'eo-c', open, tolerant: true })
    await zombie.put([order(0, 1, 'a')])
    const heir = await sink(raw, { name: 'eo-c', open })
    await expect(zombie.put([order(1, 2, 'zombie')])).rejects.toThrow(/another task has taken over orders-0/)
    await heir.put([order(1, 2, 'heir')])
    expect((await rows('eo_c')).map(({ name }) => name)).toEqual(['a', 'heir'])
    expect(zombie.reported).toEqual([])
  })

  it('a database that crashes and comes back is written on without loss or repetition', async () => {
    const patient = { 'connection.attempts': '1000', 'max.retries': '1000' }
    const raw = { ...patient, 'auto.create': 'true', 'exactly.once': 'true', 'table.name.format': 'eo_crash' }
    const task = await sink(raw, { name: 'eo-crash', open })
    for (let round = 0; round < 6; round++) {
      // Each batch begins with records of the one before.
      const from = Math.max(round * 10 - 5, 0)
      const batch = Array.from({ length: round * 10 + 10 - from }, (_, i) => order(from + i, from + i, 'x'))
      await Promise.all([task.put(batch), round % 2 === 1 ? database.crash() : undefined])
    }
    expect((await plain('eo_crash')).map(([id]) => Number(id))).toEqual(Array.from({ length: 60 }, (_, i) => i))
  })

  it('after any changes in any batches the table is what the topic says', async () => {
    const operation = fc.record({
      id: fc.integer({ min: 0, max: 5 }),
      name: fc.option(fc.string(), { nil: undefined }),
    })
    let table = 0
    await fc.assert(
      fc.asyncProperty(fc.array(fc.array(operation, { maxLength: 12 }), { maxLength: 4 }), async (batches) => {
        const format = `model_${table++}`
        const task = await sink({ ...upsert, 'delete.enabled': 'true', 'table.name.format': format, 'batch.size': '5' })
        const expected = new Map<number, string>()
        let offset = 0
        for (const batch of batches) {
          const records = batch.map(({ id, name }) => order(offset++, id, name?.replaceAll('\0', '')))
          for (const { id, name } of batch) {
            if (name === undefined) expected.delete(id)
            else expected.set(id, name.replaceAll('\0', ''))
          }
          await task.put(records)
        }
        await task.task.stop?.()
        if (!batches.flat().some(({ name }) => name !== undefined)) return
        const found = (await rows(format)).map(({ id, name }) => [Number(id), name])
        expect(found).toEqual([...expected].sort(([a], [b]) => a - b))
      }),
      { numRuns: 15, seed: 20_261_121 },
    )
  })
})
