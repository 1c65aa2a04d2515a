// What is SQLite's own in the JDBC connectors: types by declaration, times as text and numbers, one writer at a time.
import { mkdtempSync } from 'node:fs'
import { rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { DatabaseSync } from 'node:sqlite'
import {
  dateSchema,
  Decimal,
  decimalSchema,
  parseConfigOrThrow,
  schemas,
  struct,
  timeSchema,
  timestampSchema,
} from '@millrace/sdk'
import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import sourcePlugin from '../../connectors/jdbc/source.ts'
import { RunningTasks } from './support/hooks.ts'
import { type RunningSink, type RunningSource, sinkRecord, startSink, startSource } from './support/jdbc-tasks.ts'
import { Offsets, type Raw } from './support/task-contract.ts'

describe('JDBC on SQLite, in its own ways', () => {
  let folder: string
  let file: string
  let database: DatabaseSync
  const running = new RunningTasks()

  beforeEach(() => {
    folder = mkdtempSync(join(tmpdir(), 'millrace-sqlite-'))
    file = join(folder, 'a b.db')
    database = new DatabaseSync(file, { timeout: 60_000 })
    // Without it a reader that is half through holds writers up.
    database.exec('pragma journal_mode = wal')
  })
  afterEach(async () => {
    await running.stop()
    database.close()
    await rm(folder, { recursive: true, force: true })
  })

  const connection = (properties = ''): Raw => ({
    'connection.url': `jdbc:sqlite:${file}${properties}`,
    'connection.backoff.ms': '10',
    'connection.attempts': '1',
  })
  const source = async (raw: Raw, offsets?: Offsets): Promise<RunningSource> => {
    const quick = { 'poll.interval.ms': '20', 'poll.linger.ms': '50' }
    return running.add(await startSource({ ...connection(), ...quick, ...raw }, offsets))
  }
  const sink = async (raw: Raw): Promise<RunningSink> => {
    return running.add(await startSink({ ...connection(), ...raw }))
  }

  test('each declared type has its schema, whatever SQLite stores', async () => {
    database.exec(
      `create table kinds (id integer primary key, flag boolean not null, tiny tinyint, small smallint, big bigint,
         r real, n numeric(9,2), free numeric, name varchar(10), data blob, day date, t time, at timestamp, dt datetime,
         anything);
       insert into kinds values (1, 1, 1, 2, 9223372036854775807, 1.5, 12.3, 1e-7, 'x', x'00ff', '2024-02-29',
         '12:34:56.789', '2024-02-29 12:34:56.789', 1709210096789, 'any')`,
    )
    const [record] = await (await source({ mode: 'bulk', 'table.whitelist': 'kinds' })).take(1)
    const at = new Date('2024-02-29T12:34:56.789Z')
    const value = record?.value as Record<string, unknown>
    expect(value).toMatchObject({
      id: 1n,
      flag: true,
      tiny: 1,
      small: 2,
      big: 9_223_372_036_854_775_807n,
      r: 1.5,
      name: 'x',
      day: new Date('2024-02-29'),
      t: 45_296_789,
      at,
      dt: at,
      anything: 'any',
    })
    expect(String(value['n'])).toBe('12.30')
    expect(String(value['free'])).toMatch(/^0\.00000010+$/)
    expect(Buffer.from(value['data'] as Uint8Array).toString('hex')).toBe('00ff')
    const optional = (name: string) => record?.valueSchema?.field(name)?.schema.optional
    expect([optional('id'), optional('flag'), optional('tiny')]).toEqual([false, false, true])
  })

  test('an expression has the type of its first value', async () => {
    database.exec('create table e (id integer primary key); insert into e values (1), (2)')
    const task = await source({
      mode: 'bulk',
      query: 'select count(*) as n, 1.5 as r, null as empty from e',
      'topic.prefix': 'q',
    })
    expect((await task.take(1))[0]?.value).toEqual({ n: 2n, r: 1.5, empty: null })
  })

  test('a value that its declared type cannot hold fails with the column, and without the value', async () => {
    database.exec("create table odd (id integer primary key, n int); insert into odd values (1, 'secret')")
    const reading = (await source({ mode: 'bulk', 'table.whitelist': 'odd' })).take(1)
    await expect(reading).rejects.toThrow(/^odd: a value of the column n cannot be read$/)
  })

  test('times are found whether they are text or numbers, with T and without', async () => {
    database.exec(
      `create table times (id integer primary key, at timestamp not null);
       insert into times values (1, '2024-01-01 00:00:00'), (2, '2024-01-01T00:00:00.001'), (3, 1704067200002)`,
    )
    const raw = {
      mode: 'timestamp+incrementing',
      'incrementing.column.name': 'id',
      'timestamp.column.name': 'at',
      'table.whitelist': 'times',
      'batch.max.rows': '1',
    }
    const offsets = new Offsets()
    const times: number[] = []
    for (let round = 0; round < 3; round++) {
      const records = (await (await source(raw, offsets)).take(1)).slice(0, 1)
      offsets.commit(records)
      times.push(Number(records[0]?.sourceOffset['timestamp']))
    }
    expect(times).toEqual([1_704_067_200_000, 1_704_067_200_001, 1_704_067_200_002])
    const last = await source(raw, offsets)
    expect(await last.poll()).toEqual([])
    database.exec("insert into times values (4, '2024-01-01 00:00:00.0035')")
    await expect(last.take(1)).rejects.toThrow(/finer than milliseconds/)
  })

  test('the sink writes times as numbers where it makes the table, and as text where the column is declared so', async () => {
    database.exec('create table declared (id integer primary key, at datetime, day date, t text)')
    const value = struct({ id: schemas.int64, at: timestampSchema(), day: dateSchema(), t: timeSchema() })
    const row = { id: 1n, at: new Date('2024-02-29T12:34:56.789Z'), day: new Date('2024-02-29'), t: 45_296_789 }
    for (const table of ['declared', 'made']) {
      const task = await sink({ 'table.name.format': table, 'auto.create': 'true' })
      await task.put([sinkRecord(0, null, { schema: value, value: row }, table)])
    }
    const find = (table: string) => ({ ...database.prepare(`select at, day, t from ${table}`).get() })
    expect(find('declared')).toEqual({ at: '2024-02-29 12:34:56.789', day: '2024-02-29', t: '12:34:56.789' })
    expect(find('made')).toEqual({ at: row.at.getTime(), day: row.day.getTime(), t: 45_296_789 })
  })

  test('a decimal keeps all its digits in a column of text', async () => {
    database.exec('create table exact (price text)')
    const value = struct({ price: decimalSchema(2) })
    const task = await sink({ 'table.name.format': 'exact' })
    await task.put([sinkRecord(0, null, { schema: value, value: { price: Decimal.parse('9007199254740993.25') } })])
    expect({ ...database.prepare('select price from exact').get() }).toEqual({ price: '9007199254740993.25' })
  })

  test('a sink waits for another writer, and goes on when that is done', async () => {
    database.exec('create table busy (id integer primary key)')
    const value = struct({ id: schemas.int64 })
    const task = await sink({ 'table.name.format': 'busy', ...connection('?busy_timeout=60000') })
    database.exec('begin immediate')
    const written = task.put([sinkRecord(0, null, { schema: value, value: { id: 1n } })])
    // The thread is not held: this turn of the event loop would not come.
    await new Promise((resolve) => setImmediate(resolve))
    database.exec('insert into busy values (2)')
    database.exec('commit')
    await written
    expect(database.prepare('select count(*) as n from busy').get()).toMatchObject({ n: 2 })
  })

  test('what cannot be honoured is refused by name', async () => {
    const issues = async (raw: Raw) => {
      const all = { ...connection(), mode: 'bulk', 'table.whitelist': 'x', ...raw }
      return JSON.stringify(await sourcePlugin.validate?.(parseConfigOrThrow(sourcePlugin.config, all), all))
    }
    expect(await issues({ 'connection.url': `jdbc:sqlite:${folder}/none.db` })).toMatch(/cannot be opened/)
    const other = join(folder, 'other.txt')
    await writeFile(other, 'this is no database, but it is long enough to be looked at as if it were one. '.repeat(20))
    expect(await issues({ 'connection.url': `jdbc:sqlite:${other}` })).toMatch(/not a database/)
    expect(await issues(connection('?date_class=TEXT'))).toMatch(/date_class is refused/)
    expect(await issues(connection('?cipher=aes'))).toMatch(/encrypted files are not supported/)
    expect(await issues({ 'transaction.isolation.mode': 'READ_COMMITTED' })).toMatch(/SQLite is always SERIALIZABLE/)
  })
})
