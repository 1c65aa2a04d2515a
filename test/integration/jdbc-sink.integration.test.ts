import {
  arrayOf,
  dateSchema,
  Decimal,
  decimalSchema,
  parseConfigOrThrow,
  primitive,
  type Schema,
  schemas,
  type SinkRecord,
  struct,
  timeSchema,
  timestampSchema,
  withOptions,
} from '@millrace/sdk'
import fc from 'fast-check'
import { afterEach, describe, expect, test } from 'vitest'
import sink from '../../connectors/jdbc/sink.ts'
import { postgresMissing, startPostgres } from '../services/postgres.ts'
import { RunningTasks, useService } from './support/hooks.ts'
import { connectionOf, type RunningSink, type SinkOptions, sinkRecord, startSink } from './support/jdbc-tasks.ts'
import { type Raw } from './support/task-contract.ts'

const key = struct({ id: schemas.int64 })
const value = struct({ id: schemas.int64, name: schemas.optional.string })

/** A record of the usual shape; a name of undefined is a delete. */
function order(offset: number, id: number, name?: string, topic = 'orders'): SinkRecord {
  const row = name === undefined ? null : { schema: value, value: { id: BigInt(id), name } }
  return sinkRecord(offset, { schema: key, value: { id: BigInt(id) } }, row, topic)
}

/** Digits that Postgres reads; a minus before a zero is kept. */
const digitsOf = (value: number | null): string => (Object.is(value, -0) ? '-0' : String(value))

describe.each([15, 18] as const)('JDBC sink on Postgres %i', (version) => {
  const missing = postgresMissing(version)
  const postgres = useService(() => startPostgres({ version }), missing === null)
  const running = new RunningTasks()
  afterEach(() => running.stop())

  const it = test.skipIf(missing !== null)
  const start = async (raw: Raw, options: SinkOptions = {}): Promise<RunningSink> => {
    return running.add(await startSink({ ...connectionOf(postgres()), ...raw }, options))
  }
  const rows = (table: string, order = '1, 2') => postgres().query(`select * from ${table} order by ${order}`)
  const upsert = { 'insert.mode': 'upsert', 'pk.mode': 'record_key', 'auto.create': 'true' }

  it('insert writes every record, over several statements and tables', async () => {
    const task = await start({ 'auto.create': 'true', 'batch.size': '2' })
    await task.put([
      order(0, 1, 'a', 'ins_a'),
      order(1, 1, 'b', 'ins_a'),
      order(0, 2, 'c', 'ins_b'),
      order(2, 3, 'd', 'ins_a'),
    ])
    expect((await rows('ins_a')).map(({ name }) => name)).toEqual(['a', 'b', 'd'])
    expect((await rows('ins_b')).map(({ name }) => name)).toEqual(['c'])
  })

  it('upsert leaves the last value of each key, also when one batch holds a key many times', async () => {
    const task = await start({ ...upsert, 'table.name.format': 'ups' })
    await task.put([order(0, 1, 'a'), order(1, 2, 'b'), order(2, 1, 'c'), order(3, 1, 'd')])
    await task.put([order(4, 2, 'e')])
    expect(await rows('ups')).toEqual([
      { id: '1', name: 'd' },
      { id: '2', name: 'e' },
    ])
  })

  it('upsert of keys alone keeps the row', async () => {
    await postgres().query(
      'create table only_key (id bigint primary key, kept text); insert into only_key values (1, $$x$$)',
    )
    const task = await start({ ...upsert, 'table.name.format': 'only_key', 'fields.whitelist': 'id' })
    await task.put([order(0, 1, 'a'), order(1, 2, 'b')])
    expect(await rows('only_key')).toEqual([
      { id: '1', kept: 'x' },
      { id: '2', kept: null },
    ])
  })

  it('update changes rows that exist and adds none', async () => {
    await postgres().query("create table upd (id bigint primary key, name text); insert into upd values (1, 'old')")
    const task = await start({ 'insert.mode': 'update', 'pk.mode': 'record_key', 'table.name.format': 'upd' })
    await task.put([order(0, 1, 'new'), order(1, 2, 'none')])
    expect(await rows('upd')).toEqual([{ id: '1', name: 'new' }])
  })

  it('a null deletes, and what comes after it in the same batch survives', async () => {
    const task = await start({ ...upsert, 'table.name.format': 'del', 'delete.enabled': 'true' })
    await task.put([order(0, 1, 'a'), order(1, 2, 'b')])
    await task.put([order(2, 1), order(3, 1, 'again'), order(4, 2, 'gone'), order(5, 2), order(6, 3), order(7, 3)])
    expect(await rows('del')).toEqual([{ id: '1', name: 'again' }])
  })

  it('a delete before its table exists deletes nothing', async () => {
    const task = await start({ ...upsert, 'table.name.format': 'not_yet', 'delete.enabled': 'true' })
    await task.put([order(0, 1)])
    await task.put([order(1, 1, 'a')])
    expect(await rows('not_yet')).toEqual([{ id: '1', name: 'a' }])
  })

  it('a row and its delete in one batch are of one key, whatever the order of the columns of the key', async () => {
    const columns = { order_id: schemas.int64, line: schemas.int32 }
    const item = struct({ ...columns, quantity: schemas.int32 })
    for (const [table, key] of [
      ['items_a', struct(columns)],
      ['items_b', struct({ line: schemas.int32, order_id: schemas.int64 })],
    ] as const) {
      const task = await start({ ...upsert, 'table.name.format': table, 'delete.enabled': 'true' })
      const at = (order: bigint, line: number) => ({ schema: key, value: { order_id: order, line } })
      const row = (order: bigint, line: number) => ({ schema: item, value: { order_id: order, line, quantity: 1 } })
      await task.put([
        sinkRecord(0, at(7n, 1), row(7n, 1)),
        sinkRecord(1, at(7n, 1), null),
        // Both plans are known now: what follows is collected and written at the end.
        sinkRecord(2, at(1n, 2), row(1n, 2)),
        sinkRecord(3, at(2n, 1), row(2n, 1)),
        sinkRecord(4, at(1n, 2), null),
      ])
      expect(await rows(table)).toEqual([{ order_id: '2', line: 1, quantity: 1 }])
    }
  })

  it('insert and delete of one key in one batch happen in order', async () => {
    await postgres().query('create table insdel (id bigint primary key, name text)')
    const task = await start({ 'pk.mode': 'record_key', 'table.name.format': 'insdel', 'delete.enabled': 'true' })
    await task.put([order(0, 1, 'a'), order(1, 1), order(2, 1, 'b'), order(3, 2, 'c'), order(4, 2)])
    expect(await rows('insdel')).toEqual([{ id: '1', name: 'b' }])
  })

  it('pk.mode=kafka makes redelivery harmless', async () => {
    const task = await start({
      'insert.mode': 'upsert',
      'pk.mode': 'kafka',
      'auto.create': 'true',
      'table.name.format': 'kafkapk',
    })
    for (let i = 0; i < 2; i++) await task.put([order(0, 1, 'a'), order(1, 1, 'a')])
    expect(await rows('kafkapk', '3')).toEqual(
      [0, 1].map((offset) => ({
        __connect_topic: 'orders',
        __connect_partition: 0,
        __connect_offset: String(offset),
        id: '1',
        name: 'a',
      })),
    )
  })

  it('a primitive key and a text value have their columns', async () => {
    const task = await start({
      ...upsert,
      'pk.fields': 'k',
      'table.name.format': 'texts',
      'string.output.value.column.name': 'line',
    })
    await task.put([sinkRecord(0, { schema: schemas.string, value: 'a' }, { schema: schemas.string, value: 'hello' })])
    expect(await rows('texts')).toEqual([{ k: 'a', line: 'hello' }])
  })

  it('every type is created and written exactly', async () => {
    const all = struct({
      i8: schemas.int8,
      i16: schemas.int16,
      i32: schemas.int32,
      i64: schemas.int64,
      f32: schemas.float32,
      f64: schemas.float64,
      b: schemas.boolean,
      s: schemas.string,
      y: schemas.bytes,
      d: decimalSchema(4),
      date: dateSchema(),
      time: timeSchema(),
      ts: timestampSchema(),
      list: arrayOf(schemas.string),
      nothing: schemas.optional.int32,
      dflt: withOptions(schemas.int32, { optional: true, default: 7 }),
    })
    const row = {
      i8: -128,
      i16: 32_767,
      i32: -2_147_483_648,
      i64: 9_223_372_036_854_775_807n,
      f32: Math.fround(0.1),
      f64: 1e-300,
      b: true,
      s: 'ü "quoted" \\ {,} NULL \n',
      y: new Uint8Array([0, 92, 34, 255]),
      d: new Decimal(123_456_789_012_345_678_901_234n, 4),
      date: new Date('2024-02-29'),
      time: 3_723_004,
      ts: new Date('2024-01-01T00:00:00.123Z'),
      list: ['a"b', '', 'c,d'],
      nothing: null,
      dflt: null,
    }
    const task = await start({ 'auto.create': 'true', 'table.name.format': 'alltypes' })
    await task.put([sinkRecord(0, null, { schema: all, value: row })])
    const types = await postgres().query(
      "select column_name, data_type from information_schema.columns where table_name = 'alltypes' " +
        'order by ordinal_position',
    )
    expect(types.map(({ data_type }) => data_type)).toEqual([
      'smallint',
      'smallint',
      'integer',
      'bigint',
      'real',
      'double precision',
      'boolean',
      'text',
      'bytea',
      'numeric',
      'date',
      'time without time zone',
      'timestamp without time zone',
      'ARRAY',
      'integer',
      'integer',
    ])
    const [found] = await postgres().query('select *, date::text as date_text, ts::text as ts_text from alltypes')
    expect(found).toMatchObject({
      i8: -128,
      i16: 32_767,
      i32: -2_147_483_648,
      i64: '9223372036854775807',
      f64: 1e-300,
      b: true,
      s: row.s,
      y: Buffer.from(row.y),
      d: '12345678901234567890.1234',
      date_text: '2024-02-29',
      time: '01:02:03.004',
      ts_text: '2024-01-01 00:00:00.123',
      list: row.list,
      nothing: null,
      dflt: 7,
    })
    expect(Math.fround(found?.['f32'] as number)).toBe(row.f32)
  })

  it('any text, bytes and arrays come back as they were', async () => {
    const schema = struct({
      n: schemas.int32,
      s: schemas.optional.string,
      y: schemas.bytes,
      list: arrayOf(schemas.optional.string),
    })
    const text = fc.string({ unit: fc.constantFrom(...Array.from('ab{}[](),;"\'\\$ \n\t\u00e9\u{1f600}%_NULL')) })
    const row = fc.record({ s: fc.option(text), y: fc.uint8Array(), list: fc.array(fc.option(text), { minLength: 1 }) })
    const samples = fc.sample(row, { numRuns: 300, seed: 7 })
    const task = await start({ 'auto.create': 'true', 'table.name.format': 'anything' })
    await task.put(samples.map((value, n) => sinkRecord(n, null, { schema, value: { n, ...value } })))
    const found = await postgres().query('select s, y, list from anything order by n')
    expect(found).toEqual(samples.map(({ s, y, list }) => ({ s, y: Buffer.from(y), list })))
  })

  it('numbers and long text are in each kind of column what Postgres reads in their digits and letters', async () => {
    const schema = struct({
      n: schemas.int32,
      i: schemas.optional.int64,
      digits: schemas.optional.int64,
      f: schemas.optional.float64,
      single: schemas.optional.float64,
      s: schemas.optional.string,
      v: schemas.optional.string,
      y: schemas.optional.bytes,
    })
    await postgres().query(
      'create table kinds (n int, i bigint, digits numeric, f float8, single float4, s text, v varchar(400), y bytea)',
    )
    const wide = fc.oneof(fc.bigInt({ min: -(2n ** 63n), max: 2n ** 63n - 1n }), fc.maxSafeInteger().map(BigInt))
    const special = fc.constantFrom(Number.NaN, Number.POSITIVE_INFINITY, Number.NEGATIVE_INFINITY, -0, 5e-324)
    const text = fc.string({
      unit: fc.constantFrom('a', 'b', '"', '\\', '\u00e9', '\u{1f600}'),
      maxLength: 200,
      size: 'max',
    })
    const row = fc.record({
      i: fc.option(fc.oneof(wide, fc.constantFrom(2n ** 63n - 1n, -(2n ** 63n), 2n ** 32n, -1n))),
      digits: fc.option(wide),
      f: fc.option(fc.oneof(fc.double(), special)),
      single: fc.option(fc.float({ noDefaultInfinity: true })),
      s: fc.option(text),
      v: fc.option(text),
      y: fc.option(fc.uint8Array({ maxLength: 300, size: 'max' })),
    })
    const samples = fc.sample(row, { numRuns: 500, seed: 11 })
    const task = await start({ 'table.name.format': 'kinds' })
    await task.put(samples.map((value, n) => sinkRecord(n, null, { schema, value: { n, ...value } })))
    const found = await postgres().query(
      'select i::text, digits::text, f::text, single::text, s, v, y from kinds order by n',
    )
    const read = await postgres().query(
      `select i::text, digits::text, f::text, single::text from unnest(
        array[${samples.map(({ i }) => `'${i}'::bigint`).join()}], array[${samples.map(({ digits }) => `'${digits}'::numeric`).join()}],
        array[${samples.map(({ f }) => `'${digitsOf(f)}'::float8`).join()}],
        array[${samples.map(({ single }) => `'${digitsOf(single)}'::float4`).join()}]) with ordinality as u(i, digits, f, single, n)
      order by n`.replaceAll("'null'", 'null'),
    )
    expect(found).toEqual(
      samples.map(({ s, v, y }, at) => ({ ...read[at], s, v, y: y === null ? null : Buffer.from(y) })),
    )
  })

  it('what no column can hold is reported alone: a zero in text, text and numbers that are too long', async () => {
    const schema = struct({ id: schemas.int64, small: schemas.optional.int64, s: schemas.optional.string })
    await postgres().query('create table bounds (id bigint, small int, s varchar(4))')
    const task = await start({ 'table.name.format': 'bounds' }, { tolerant: true })
    const records = [
      { id: 1n, small: 1n, s: 'abcd' },
      { id: 2n, small: 2n ** 31n, s: '' },
      { id: 3n, small: null, s: 'a\u0000b' },
      { id: 4n, small: null, s: 'abcde' },
      { id: 2n ** 63n, small: null, s: null },
      { id: 6n, small: -(2n ** 31n), s: null },
    ]
    await task.put(records.map((value, n) => sinkRecord(n, null, { schema, value })))
    expect(await rows('bounds', 'id')).toEqual([
      { id: '1', small: 1, s: 'abcd' },
      { id: '6', small: -(2 ** 31), s: null },
    ])
    expect(task.reported.map(({ record: { offset } }) => offset)).toEqual([1, 2, 3, 4])
  })

  it('text is cast to json, uuid, enum and other types of existing columns', async () => {
    await postgres().query(
      "create type colour as enum ('red', 'blue'); create table casts (j json, b jsonb, u uuid, c " +
        'colour, n inet, a int[], t timestamptz, v varchar(3), f char(4))',
    )
    const names = ['j', 'b', 'u', 'c', 'n', 'a', 't', 'v', 'f']
    const schema = struct(names.map((name) => [name, schemas.string] as const))
    const texts = [
      '{"a": [1]}',
      '{"a": [1]}',
      'a0eebc99-9c0b-4ef8-bb6d-6bb9bd380a11',
      'red',
      '10.0.0.1',
      '{1,2}',
      '2024-01-01T00:00:00Z',
      'abc',
      'ab',
    ]
    const record = (offset: number, v: string) =>
      sinkRecord(offset, null, {
        schema,
        value: Object.fromEntries(names.map((name, i) => [name, name === 'v' ? v : texts[i]])),
      })
    const task = await start({ 'table.name.format': 'casts' }, { tolerant: true })
    await task.put([record(0, 'abc'), record(1, 'too long')])
    expect(await postgres().query('select c, n, a, v, f from casts')).toEqual([
      { c: 'red', n: '10.0.0.1', a: [1, 2], v: 'abc', f: 'ab  ' },
    ])
    expect(task.reported.map(({ record: { offset } }) => offset)).toEqual([1])
  })

  it('auto.evolve adds optional columns and refuses required ones', async () => {
    const task = await start({ ...upsert, 'auto.evolve': 'true', 'table.name.format': 'evo' }, { tolerant: true })
    const wider = struct({
      id: schemas.int64,
      name: schemas.optional.string,
      note: schemas.optional.string,
      n: withOptions(schemas.int32, { default: 3 }),
    })
    const required = struct({ id: schemas.int64, must: schemas.string })
    await task.put([
      order(0, 1, 'a'),
      sinkRecord(
        1,
        { schema: key, value: { id: 2n } },
        { schema: wider, value: { id: 2n, name: 'b', note: 'x', n: 4 } },
      ),
    ])
    await task.put([
      sinkRecord(2, { schema: key, value: { id: 3n } }, { schema: required, value: { id: 3n, must: 'x' } }),
      order(3, 4, 'd'),
    ])
    expect(await rows('evo')).toEqual([
      { id: '1', name: 'a', note: null, n: 3 },
      { id: '2', name: 'b', note: 'x', n: 4 },
      { id: '4', name: 'd', note: null, n: 3 },
    ])
    expect(task.reported.map(({ error }) => error.message).join()).toMatch(/cannot get the column must/)
  })

  it('a missing table or column is told with the fix, and views are not altered', async () => {
    await postgres().query('create table narrow (id bigint); create view seen as select id from narrow')
    const put = async (raw: Raw) => (await start({ 'max.retries': '0', ...raw })).put([order(0, 1, 'a')])
    await expect(put({ 'table.name.format': 'absent' })).rejects.toThrow(
      /table absent is missing; create it or set auto.create=true/,
    )
    await expect(put({ 'table.name.format': 'narrow' })).rejects.toThrow(
      /has no column name; add it, set auto.evolve=true/,
    )
    await expect(put({ 'table.name.format': 'seen' })).rejects.toThrow(/seen is a VIEW, and table.types is TABLE/)
    await expect(
      put({ 'table.name.format': 'seen', 'table.types': 'TABLE,VIEW', 'auto.evolve': 'true' }),
    ).rejects.toThrow(/views are never altered/)
    await put({ 'table.name.format': 'seen', 'table.types': 'VIEW', 'fields.whitelist': 'id' })
    expect(await rows('narrow', '1')).toEqual([{ id: '1' }])
  })

  it('two tasks that create the same table at once both succeed', async () => {
    const tasks = await Promise.all([1, 2, 3].map(() => start({ ...upsert, 'table.name.format': 'raced' })))
    await Promise.all(tasks.map((task, i) => task.put([order(i, i, String(i))])))
    expect(await rows('raced')).toHaveLength(3)
  })

  it('bad records go to the reporter one by one, the good ones are written in order', async () => {
    await postgres().query('create table strict (id bigint primary key, name text check (name <> $$bad$$))')
    const task = await start(
      { 'insert.mode': 'upsert', 'pk.mode': 'record_key', 'table.name.format': 'strict' },
      { tolerant: true },
    )
    const wrong = sinkRecord(50, { schema: key, value: { id: 50n } }, { schema: value, value: { id: 50n, name: 5 } })
    const records = Array.from({ length: 100 }, (_, i) =>
      i === 50 ? wrong : order(i, i, i % 30 === 7 ? 'bad' : `name ${i}`),
    )
    await task.put(records)
    expect(task.reported.map(({ record }) => record.offset)).toEqual([7, 37, 50, 67, 97])
    expect(task.reported[0]?.error.message).toMatch(/topic='orders',partition=0,offset=7.*strict_name_check/)
    expect(await rows('strict')).toHaveLength(95)
    expect((task.reported[0]?.error as { code?: string } | undefined)?.code).toBe('DATA')
  })

  it('a constraint that is checked at the commit is blamed on its record', async () => {
    await postgres().query(
      'create table parent (id bigint primary key); insert into parent values (1); create table ' +
        'child (id bigint references parent deferrable initially deferred, name text)',
    )
    const task = await start({ 'table.name.format': 'child', 'max.retries': '1' }, { tolerant: true })
    await task.put([order(0, 1, 'a'), order(1, 2, 'orphan'), order(2, 1, 'c')])
    expect(task.reported.map(({ record }) => record.offset)).toEqual([1])
    expect((await rows('child')).map(({ name }) => name)).toEqual(['a', 'c'])
  })

  it('without a reporter the task fails, names the record, and writes nothing of the batch', async () => {
    await postgres().query('create table unforgiving (id bigint primary key, name varchar(3))')
    const task = await start({ 'table.name.format': 'unforgiving' })
    await expect(task.put([order(0, 1, 'a'), order(1, 2, 'long'), order(2, 3, 'c')])).rejects.toThrow(
      /offset=1,.*varying\(3\)/,
    )
    expect(await rows('unforgiving')).toEqual([])
  })

  it('trim.sensitive.log keeps values of the row out of errors', async () => {
    await postgres().query('create table secret (id bigint primary key, name text)')
    const task = await start({ 'table.name.format': 'secret', 'trim.sensitive.log': 'true' })
    await task.put([order(0, 424_242, 'a')])
    const failed = task.put([order(1, 424_242, 'b')])
    await expect(failed).rejects.toThrow(/duplicate key/)
    await expect(failed).rejects.not.toThrow(/424242/)
  })

  it('a schemaless record and a delete without delete.enabled are refused with their place', async () => {
    await postgres().query('create table places (id bigint primary key, name text)')
    const task = await start({ 'table.name.format': 'places', 'pk.mode': 'record_key' })
    const schemaless: SinkRecord = { ...order(7, 1, 'a'), value: { id: 1 }, valueSchema: null }
    await expect(task.put([schemaless])).rejects.toThrow(
      /topic='orders',partition=0,offset=7,timestamp=1700000000000\) with a HashMap value and null value schema/,
    )
    await expect(task.put([order(8, 1)])).rejects.toThrow(/offset=8.*delete.enabled=true/)
  })

  it('names cannot break out of their quotes', async () => {
    const odd = `x"; drop table places; --`
    const schema = struct([
      [odd, schemas.string],
      ["it's", schemas.string],
    ])
    const task = await start({
      'auto.create': 'true',
      'auto.evolve': 'true',
      'table.name.format': '"T; drop table places; --"',
    })
    await task.put([sinkRecord(0, null, { schema, value: { [odd]: 'a', "it's": 'b' } })])
    expect(await rows('"T; drop table places; --"')).toEqual([{ [odd]: 'a', "it's": 'b' }])
    expect(await rows('places')).toEqual([])
    const select = await start({ ...upsert, 'table.name.format': 'select' })
    await select.put([order(0, 1, 'a')])
    expect(await rows('"select"')).toHaveLength(1)
  })

  it('a long table name is cut as the server does', async () => {
    const name = `t${'x'.repeat(80)}`
    const task = await start({ ...upsert, 'table.name.format': name })
    await task.put([order(0, 1, 'a')])
    const second = await start({ ...upsert, 'table.name.format': name })
    await second.put([order(1, 1, 'b')])
    expect(await rows(name.slice(0, 63))).toEqual([{ id: '1', name: 'b' }])
  })

  it('quote.sql.identifiers=never writes to lower-case names', async () => {
    const task = await start({ ...upsert, 'table.name.format': 'LowerCase', 'quote.sql.identifiers': 'never' })
    await task.put([order(0, 1, 'a')])
    await task.put([order(1, 1, 'b')])
    expect(await rows('lowercase')).toEqual([{ id: '1', name: 'b' }])
  })

  it('a lost connection is retried and nothing is written twice', async () => {
    const url = `${connectionOf(postgres())['connection.url']}?ApplicationName=sink-cut`
    const task = await start({ ...upsert, 'table.name.format': 'retried', 'connection.url': url })
    await task.put([order(0, 1, 'a')])
    await postgres().query("select pg_terminate_backend(pid) from pg_stat_activity where application_name = 'sink-cut'")
    await task.put([order(1, 2, 'b')])
    expect(await rows('retried')).toHaveLength(2)
  })

  it('a database that is away fails the task after its retries and reports no record', async () => {
    const task = await start(
      {
        ...upsert,
        'max.retries': '2',
        'connection.attempts': '1',
        'connection.url': 'jdbc:postgresql://127.0.0.1:1/x',
      },
      { tolerant: true },
    )
    await expect(task.put([order(0, 1, 'a')])).rejects.toThrow(/ECONNREFUSED/)
    expect(task.reported).toEqual([])
  })

  it('a missing constraint fails the task with the fix and reports no record', async () => {
    await postgres().query('create table keyless (id bigint, name text)')
    const raw = { 'insert.mode': 'upsert', 'pk.mode': 'record_key', 'table.name.format': 'keyless' }
    const task = await start(raw, { tolerant: true })
    await expect(task.put([order(0, 1, 'a')])).rejects.toThrow(/42P10.*upsert needs a primary key/)
    expect(task.reported).toEqual([])
  })

  it('change events of Debezium make a copy of their table', async () => {
    await postgres().query('create schema reporting')
    const semantic = (schema: Schema, name: string) => withOptions(schema, { name, version: 1 })
    const row = struct({
      id: schemas.int32,
      doc: schemas.optional.string,
      created: semantic(schemas.optional.int64, 'io.debezium.time.MicroTimestamp'),
      day: semantic(schemas.optional.int32, 'io.debezium.time.Date'),
      ref: semantic(schemas.optional.string, 'io.debezium.data.Uuid'),
      info: semantic(schemas.optional.string, 'io.debezium.data.Json'),
      at: semantic(schemas.optional.string, 'io.debezium.time.ZonedTimestamp'),
    })
    const envelope = struct(
      { before: withOptions(row, { optional: true }), after: withOptions(row, { optional: true }), op: schemas.string },
      { name: 'shop.public.items.Envelope' },
    )
    const idKey = struct({ id: schemas.int32 })
    let offset = 0
    const event = (op: string, id: number, after: object | null): SinkRecord =>
      sinkRecord(
        offset++,
        { schema: idKey, value: { id } },
        { schema: envelope, value: { op, before: null, after } },
        'shop.public.items',
      )
    const tombstone = (id: number) => sinkRecord(offset++, { schema: idKey, value: { id } }, null, 'shop.public.items')
    const full = (id: number, doc: string) => ({
      id,
      doc,
      created: 1_700_000_000_123_456n,
      day: 19_782,
      ref: 'a0eebc99-9c0b-4ef8-bb6d-6bb9bd380a11',
      info: '{"a":1}',
      at: '2024-01-01T00:00:00.5Z',
    })
    const task = await start(
      {
        ...upsert,
        'envelope.unwrap': 'debezium',
        'table.name.format': 'reporting.${table}',
        'delete.enabled': 'true',
        'auto.evolve': 'true',
        'exactly.once': 'true',
      },
      { name: 'copy', open: [{ topic: 'shop.public.items', partition: 0 }] },
    )
    await task.put([event('r', 1, full(1, 'long')), event('c', 2, full(2, 'b')), event('c', 3, full(3, 'c'))])
    await task.put([
      event('u', 1, { ...full(1, '__debezium_unavailable_value'), day: 19_783 }),
      event('d', 2, null),
      tombstone(2),
      event('d', 3, null),
      tombstone(3),
      event('c', 3, full(3, 'again')),
      event('t', 0, null),
    ])
    expect(
      await postgres().query(
        'select id, doc, created::text, day::text, ref, info, at = ' +
          '$$2024-01-01T00:00:00.5Z$$::timestamptz as same from reporting.items order by id',
      ),
    ).toEqual([
      {
        id: 1,
        doc: 'long',
        created: '2023-11-14 22:13:20.123456',
        day: '2024-03-01',
        ref: 'a0eebc99-9c0b-4ef8-bb6d-6bb9bd380a11',
        info: { a: 1 },
        same: true,
      },
      {
        id: 3,
        doc: 'again',
        created: '2023-11-14 22:13:20.123456',
        day: '2024-02-29',
        ref: 'a0eebc99-9c0b-4ef8-bb6d-6bb9bd380a11',
        info: { a: 1 },
        same: true,
      },
    ])
  })

  it('validate names what is wrong with the target and the SQL that helps', async () => {
    await postgres().query(
      "create user weak password 'weak'; revoke create on schema public from public; create view v as select 1 as id",
    )
    const issues = async (raw: Raw) => {
      const full = { ...connectionOf(postgres()), ...raw }
      return (await sink.validate?.(parseConfigOrThrow(sink.config, full), full))?.map(
        ({ key: name, message }) => `${name}: ${message}`,
      )
    }
    await postgres().query('create table mine (id bigint primary key, name text); grant usage on schema public to weak')
    const weak = { 'connection.user': 'weak', 'connection.password': 'weak' }
    expect(await issues({ topics: 'nowhere' })).toEqual([
      expect.stringMatching(/^auto.create: the table nowhere for the topic nowhere is missing/),
    ])
    expect(await issues({ topics: 'nowhere', 'auto.create': 'true' })).toEqual([])
    expect(await issues({ topics: 'nowhere', 'auto.create': 'true', ...weak })).toEqual([
      expect.stringMatching(/GRANT CREATE ON SCHEMA "public" TO "weak"/),
    ])
    expect(await issues({ topics: 'x', 'auto.create': 'true', 'table.name.format': 'nope.${topic}' })).toEqual([
      expect.stringMatching(/CREATE SCHEMA "nope"/),
    ])
    expect(await issues({ topics: 'mine', 'insert.mode': 'upsert', 'pk.mode': 'record_key', ...weak })).toEqual([
      expect.stringMatching(/GRANT INSERT, UPDATE, SELECT ON "public"."mine" TO "weak"/),
    ])
    expect(await issues({ topics: 'v' })).toEqual([
      expect.stringMatching(/^table.types: v is a VIEW|^table.types: public.v is a VIEW/),
    ])
    expect(await issues({ 'connection.url': 'jdbc:postgresql://127.0.0.1:1/x' })).toEqual([
      expect.stringMatching(/^connection.url: cannot connect/),
    ])
    expect(
      await issues({ 'connection.url': `${connectionOf(postgres())['connection.url']}?kerberosServerName=x` }),
    ).toEqual([expect.stringMatching(/kerberosServerName is refused/)])
  })

  it('an unsupported schema is refused by the name of the field', async () => {
    const nested = struct({ id: schemas.int64, inner: struct({ a: primitive('STRING') }) })
    const task = await start({ 'auto.create': 'true', 'table.name.format': 'nested' })
    await expect(
      task.put([sinkRecord(0, null, { schema: nested, value: { id: 1n, inner: { a: 'x' } } })]),
    ).rejects.toThrow(/field inner/)
  })
})
