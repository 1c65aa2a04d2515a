// What is MySQL's and MariaDB's own in the JDBC connectors: types, zones, rights, names.
import { parseConfigOrThrow, primitive, schemas, struct } from '@millrace/sdk'
import { afterEach, describe, expect, test } from 'vitest'
import sinkPlugin from '../../connectors/jdbc/sink.ts'
import sourcePlugin from '../../connectors/jdbc/source.ts'
import { mariadbMissing, startMariaDb } from '../services/mariadb.ts'
import { RunningTasks, useService } from './support/hooks.ts'
import {
  connectorContext,
  type RunningSink,
  type RunningSource,
  sinkRecord,
  startSink,
  startSource,
  taskConfigs,
} from './support/jdbc-tasks.ts'
import { Offsets, type Raw } from './support/task-contract.ts'

const missing = mariadbMissing()

describe('JDBC on MariaDB, in its own ways', () => {
  const server = useService(() => startMariaDb(), !missing)
  const running = new RunningTasks()
  afterEach(() => running.stop())

  const it = test.skipIf(missing)
  const connection = (properties = ''): Raw => ({
    'connection.url': `jdbc:mysql://${server().host}:${server().port}/${server().database}${properties}`,
    'connection.user': server().user,
    'connection.password': server().password,
    'connection.backoff.ms': '100',
    'connection.attempts': '1',
  })
  const source = async (raw: Raw, offsets?: Offsets): Promise<RunningSource> => {
    const quick = { 'poll.interval.ms': '20', 'poll.linger.ms': '50' }
    return running.add(await startSource({ ...connection(), ...quick, ...raw }, offsets))
  }
  const sink = async (raw: Raw): Promise<RunningSink> => {
    return running.add(await startSink({ ...connection(), ...raw }))
  }
  const run = async (...statements: string[]): Promise<void> => {
    for (const sql of statements) await server().query(sql)
  }
  const typesOf = (schema: { fields: readonly { name: string; schema: { type: string; name?: string } }[] }) =>
    Object.fromEntries(schema.fields.map(({ name, schema: { type, name: logical } }) => [name, logical ?? type]))

  it('each column type has its schema, and its value arrives', async () => {
    await run(
      `create table kinds (id int unsigned not null auto_increment primary key, b1 tinyint(1), ub tinyint unsigned,
         us smallint unsigned, m mediumint, big bigint unsigned, f float, d double, dec1 decimal(6,2), bit1 bit(1),
         bits bit(12), c char(3), v varchar(10), bin varbinary(4), blb blob, txt mediumtext, e enum('x','y'),
         st set('p','q'), js json, da date, ti time(3), dt datetime(6), ts timestamp(6) null, y year, uu uuid, g point)`,
      `insert into kinds values (1, 1, 255, 65535, -8388608, 9223372036854775807, 1.5, 2.5, 12.30, b'1', b'100000000001',
         'abc', 'žluť', x'00ff', x'0102', 'long', 'y', 'p,q', '{"a":1}', '2024-02-29', '12:34:56.789',
         '2024-02-29 12:34:56.123456', '2024-02-29 12:34:56.654321', 2024, '123e4567-e89b-12d3-a456-426614174000',
         point(1, 2))`,
    )
    const task = await source({ mode: 'bulk', 'table.whitelist': 'kinds', 'timestamp.granularity': 'micros_string' })
    const [record] = await task.take(1)
    expect(typesOf(record?.valueSchema as never)).toEqual({
      id: 'INT64',
      b1: 'INT8',
      ub: 'INT16',
      us: 'INT32',
      m: 'INT32',
      big: 'INT64',
      f: 'FLOAT32',
      d: 'FLOAT64',
      dec1: 'org.apache.kafka.connect.data.Decimal',
      bit1: 'INT8',
      bits: 'BYTES',
      c: 'STRING',
      v: 'STRING',
      bin: 'BYTES',
      blb: 'BYTES',
      txt: 'STRING',
      e: 'STRING',
      st: 'STRING',
      js: 'STRING',
      da: 'org.apache.kafka.connect.data.Date',
      ti: 'org.apache.kafka.connect.data.Time',
      dt: 'STRING',
      ts: 'STRING',
      y: 'org.apache.kafka.connect.data.Date',
      uu: 'STRING',
    })
    const value = record?.value as Record<string, unknown>
    expect(value).toMatchObject({
      id: 1n,
      b1: 1,
      ub: 255,
      us: 65_535,
      m: -8_388_608,
      big: 9_223_372_036_854_775_807n,
      f: 1.5,
      d: 2.5,
      bit1: 1,
      c: 'abc',
      v: 'žluť',
      txt: 'long',
      e: 'y',
      st: 'p,q',
      js: '{"a":1}',
      da: new Date('2024-02-29'),
      ti: 45_296_789,
      dt: '1709210096123456',
      ts: '1709210096654321',
      y: new Date('2024-01-01'),
      uu: '123e4567-e89b-12d3-a456-426614174000',
    })
    expect(String(value['dec1'])).toBe('12.30')
    const bytes = (name: string) => Buffer.from(value[name] as Uint8Array).toString('hex')
    expect([bytes('bits'), bytes('bin'), bytes('blb')]).toEqual(['0801', '00ff', '0102'])
    expect(record?.valueSchema?.field('id')?.schema.optional).toBe(false)
    expect(record?.valueSchema?.field('v')?.schema.optional).toBe(true)
    expect(task.lines.join()).toMatch(/a column is left out.*"column":"g"/)
  })

  it('the only auto_increment column is the incrementing one, and numeric.mapping is for DECIMAL', async () => {
    await run(
      'create table auto_t (n decimal(9,0) not null, id int not null auto_increment primary key)',
      'insert into auto_t (n) values (5), (6)',
    )
    const task = await source({ mode: 'incrementing', 'table.whitelist': 'auto_t', 'numeric.mapping': 'best_fit' })
    expect((await task.take(2)).map(({ value }) => value)).toEqual([
      { n: 5, id: 1 },
      { n: 6, id: 2 },
    ])
  })

  it('TIMESTAMP is a point in time and DATETIME a wall clock of db.timezone, in values and conditions', async () => {
    await run(
      'create table zones (id int not null primary key, ts timestamp(3) not null, dt datetime(3) not null)',
      // The session of the test is in UTC.
      "insert into zones values (1, '2024-07-01 10:00:00.5', '2024-07-01 12:00:00.5')",
    )
    const at = new Date('2024-07-01T10:00:00.500Z')
    for (const column of ['ts', 'dt']) {
      const offsets = new Offsets()
      const raw = {
        mode: 'timestamp+incrementing',
        'incrementing.column.name': 'id',
        'timestamp.column.name': column,
        'table.whitelist': 'zones',
        'db.timezone': 'Europe/Berlin',
      }
      const records = await (await source(raw, offsets)).take(1)
      expect(records[0]?.value).toEqual({ id: 1, ts: at, dt: at })
      expect(records[0]?.sourceOffset).toMatchObject({ timestamp: at.getTime() })
      offsets.commit(records)
      // One row just before and one just after the offset, on the clock of the column.
      const task = await source(raw, offsets)
      expect(await task.poll()).toEqual([])
      await run("insert into zones values (2, '2024-07-01 10:00:00.6', '2024-07-01 12:00:00.6')")
      expect((await task.take(1)).map(({ value }) => (value as { id: number }).id)).toEqual([2])
      await run('delete from zones where id = 2')
    }
    const both = { mode: 'timestamp', 'timestamp.column.name': 'ts,dt', 'table.whitelist': 'zones' }
    const mixed = await source({ ...both, 'db.timezone': 'Europe/Berlin' })
    await expect(mixed.take(1)).rejects.toThrow(/TIMESTAMP and DATETIME/)
  })

  it('the sink writes both kinds of columns so that they read as the same instant', async () => {
    await run('create table zones_out (id bigint primary key, ts timestamp(3) null, dt datetime(3))')
    const timestamp = primitive('INT64', { name: 'org.apache.kafka.connect.data.Timestamp', version: 1 })
    const value = struct({ id: schemas.int64, ts: timestamp, dt: timestamp })
    const at = new Date('2024-07-01T10:00:00.500Z')
    const task = await sink({ 'table.name.format': 'zones_out', 'db.timezone': 'Europe/Berlin' })
    await task.put([sinkRecord(0, null, { schema: value, value: { id: 1n, ts: at, dt: at } })])
    expect(await server().query('select ts, dt from zones_out')).toEqual([
      { ts: '2024-07-01 10:00:00.500', dt: '2024-07-01 12:00:00.500' },
    ])
  })

  it('zero dates fail with what to do, or become null or the first day', async () => {
    const admin = await server().connect()
    await admin.query("set sql_mode = ''")
    await admin.query('create table zeros (id int primary key, d date not null)')
    await admin.query("insert into zeros values (1, '0000-00-00')")
    const read = async (properties: string) => {
      const task = await source({ ...connection(properties), mode: 'bulk', 'table.whitelist': 'zeros' })
      const [record] = await task.take(1)
      return (record?.value as { d: Date | null } | undefined)?.d
    }
    await expect(read('')).rejects.toThrow(/column d cannot be read/)
    expect(await read('?zeroDateTimeBehavior=CONVERT_TO_NULL')).toBeNull()
    expect((await read('?zeroDateTimeBehavior=round&characterEncoding=UTF-8'))?.toISOString()).toMatch(
      /^0000-12-30|^0001-01-0/,
    )
  })

  it('a value that does not fit is refused, whatever sql_mode the server has', async () => {
    await run("set global sql_mode = ''", 'create table strict_t (id tinyint primary key)')
    try {
      const task = await sink({ 'table.name.format': 'strict_t', 'max.retries': '0' })
      const value = struct({ id: schemas.int64 })
      const record = sinkRecord(0, null, { schema: value, value: { id: 1000n } })
      await expect(task.put([record])).rejects.toThrow(/Out of range value/)
      expect(await server().query('select * from strict_t')).toEqual([])
    } finally {
      await run('set global sql_mode = default')
    }
  })

  it('keys of text that differ in case or accents stay apart', async () => {
    const key = struct({ code: schemas.string })
    const value = struct({ code: schemas.string, n: schemas.int32 })
    const task = await sink({ 'insert.mode': 'upsert', 'pk.mode': 'record_key', 'auto.create': 'true' })
    const codes = ['a', 'A', 'á']
    await task.put(
      codes.map((code, n) =>
        sinkRecord(n, { schema: key, value: { code } }, { schema: value, value: { code, n } }, 'codes'),
      ),
    )
    expect(await server().query('select count(*) as n from codes')).toEqual([{ n: 3 }])
  })

  it('catalog.pattern looks into other databases; without it the one of the URL counts', async () => {
    await run('create database other_shop', 'create table other_shop.far (id int primary key)')
    const tables = async (raw: Raw) =>
      (await taskConfigs({ ...connection(), mode: 'bulk', ...raw }, 1, connectorContext()))[0]?.['tables']
    expect(await tables({ 'table.include.list': '.*\\.far' })).toBe('')
    expect(await tables({ 'catalog.pattern': 'other%' })).toBe('"other_shop"."far"')
    expect(await tables({ 'catalog.pattern': 'mysql', 'table.types': 'SYSTEM TABLE', 'table.whitelist': 'user' })).toBe(
      '',
    )
    await run('insert into other_shop.far values (1)')
    const task = await source({ mode: 'bulk', 'catalog.pattern': 'other%' })
    const [record] = await task.take(1)
    expect([record?.topic, record?.sourcePartition]).toEqual(['far', { protocol: '1', table: 'other_shop.far' }])
  })

  it('validation tells which right is missing', async () => {
    await run(
      'create table guarded (id int primary key)',
      "create user reader identified by 'r'",
      'grant select on shop.* to reader',
    )
    const raw = { ...connection(), 'connection.user': 'reader', 'connection.password': 'r', topics: 'guarded' }
    const issues = await sinkPlugin.validate?.(parseConfigOrThrow(sinkPlugin.config, raw), raw)
    expect(issues).toMatchObject([{ key: 'connection.user', message: expect.stringContaining('no right to INSERT') }])
    const reading = { ...raw, mode: 'bulk', 'table.whitelist': 'guarded' }
    expect(await sourcePlugin.validate?.(parseConfigOrThrow(sourcePlugin.config, reading), reading)).toEqual([])
    const wrong = { ...reading, 'connection.password': 'topsecret' }
    const refused = await sourcePlugin.validate?.(parseConfigOrThrow(sourcePlugin.config, wrong), wrong)
    expect(JSON.stringify(refused)).toMatch(/Access denied/)
    expect(JSON.stringify(refused)).not.toContain('topsecret')
  })

  it('what belongs to other databases is refused by name', async () => {
    const refuse = async (raw: Raw) => {
      const all = { ...connection(), mode: 'timestamp', 'timestamp.column.name': 'x', ...raw }
      return JSON.stringify(await sourcePlugin.validate?.(parseConfigOrThrow(sourcePlugin.config, all), all))
    }
    expect(await refuse({ 'timestamp.await.transactions': 'true' })).toMatch(/belongs to PostgreSQL/)
    expect(await refuse(connection('?socketFactory=a.B'))).toMatch(/socketFactory is refused: a Java class/)
    const config = () =>
      parseConfigOrThrow(sourcePlugin.config, { ...connection(), mode: 'bulk', 'dialect.name': 'sqlite' })
    expect(config).toThrow(/sqlite is not the dialect of jdbc:mysql/)
  })
})
