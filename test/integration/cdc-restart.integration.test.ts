import pgClient from 'pg'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { type Postgres, type PostgresVersion, postgresMissing, startPostgres } from '../services/postgres.ts'
import { CdcRun, configFor, json, type OffsetStore, type Seen, until } from './support/cdc-runner.ts'

/** What identifies a record but for the time it was made. */
const identity = (seen: Seen): string => {
  const value = json(seen.value)
  const header = seen.headers.find(({ key }) => /__debezium\.(new|old)key/.test(key))?.key ?? ''
  const what =
    value === null ? 'tombstone' : `${value.op} ${JSON.stringify(value.before)} ${JSON.stringify(value.after)}`
  return `${seen.topic} ${seen.key} ${what} ${value?.source.lsn ?? ''} ${header}`
}

async function client(pg: Postgres, database: string): Promise<pgClient.Client> {
  const connection = new pgClient.Client({ host: pg.host, port: pg.port, user: pg.user, database })
  connection.on('error', () => undefined)
  await connection.connect()
  return connection
}

const TRANSACTION = `
begin;
insert into a select g, 'v' || g from generate_series(1, 3) g;
insert into hidden values (1);
update a set id = 10 where id = 1;
delete from a where id = 2;
select pg_logical_emit_message(true, 'note', 'within');
truncate a, b;
insert into b values (1, 'last');
insert into hidden values (2);
commit;
insert into a values (100, 'next');
select pg_logical_emit_message(false, 'note', 'between');
insert into b values (2, 'after');
`

describe.each([15, 18] as const)('restart on Postgres %i', (version: PostgresVersion) => {
  let pg: Postgres | undefined
  const skip = postgresMissing(version) !== null
  const server = (): Postgres => {
    if (pg === undefined) throw new Error('no server')
    return pg
  }
  beforeAll(async () => {
    if (!skip) pg = await startPostgres({ version, settings: { max_replication_slots: '60', max_wal_senders: '60' } })
  })
  afterAll(async () => pg?.stop())

  const config = (database: string, slot: string, more: Record<string, string> = {}): Record<string, string> =>
    configFor(
      { ...server(), database },
      {
        'snapshot.mode': 'no_data',
        'slot.name': slot,
        'publication.autocreate.mode': 'disabled',
        'publication.name': 'p',
        'table.exclude.list': 'public.hidden',
        'skipped.operations': 'none',
        ...more,
      },
    )

  test.skipIf(skip)('a task killed behind any record goes on with the very next one', async () => {
    await server().query('create database kill_points')
    const sql = await client(server(), 'kill_points')
    await sql.query(
      'create table a(id int primary key, v text); create table b(id int primary key, v text); create table hidden(x int)',
    )
    await sql.query('create publication p for all tables')
    const slots = Array.from({ length: 20 }, (_, index) => `slot_${index}`)
    for (const slot of slots) await sql.query(`select pg_create_logical_replication_slot($1, 'pgoutput')`, [slot])
    await sql.query(TRANSACTION)

    const whole = await CdcRun.start(config('kill_points', 'slot_0'))
    await whole.until((seen) => seen.topic === 'pfx.public.b' && json(seen.value)?.after?.id === 2)
    await whole.stop()
    const expected = whole.seen.map(identity)
    expect(expected.length).toBe(15)

    for (let records = 1; records < expected.length; records++) {
      const store: OffsetStore = { offset: null }
      const slot = slots[records] as string
      const first = await CdcRun.start(config('kill_points', slot), { store, dieAfter: records })
      await first.ended()
      await first.stop()
      const second = await CdcRun.start(config('kill_points', slot), { store })
      await second.records(expected.length - records)
      await second.stop()
      expect([...first.seen, ...second.seen].map(identity), `killed behind record ${records}`).toEqual(expected)
    }
    await sql.end()
  })

  test.skipIf(skip)('an offset that Debezium stored within a transaction is continued exactly', async () => {
    await server().query('create database handover')
    const sql = await client(server(), 'handover')
    await sql.query('create table a(id int primary key, v text); create publication p for all tables')
    await sql.query(`select pg_create_logical_replication_slot('h1', 'pgoutput')`)
    await sql.query(`select pg_create_logical_replication_slot('h2', 'pgoutput')`)
    await sql.query(`insert into a values (0, 'before')`)
    await sql.query(`insert into a select g, 'v' from generate_series(1, 5) g`)
    const whole = await CdcRun.start(config('handover', 'h1'))
    await whole.records(6)
    await whole.stop()
    const third = json(whole.seen[3]?.value ?? null).source
    const [previousCommit] = JSON.parse(third.sequence)
    const offset = {
      lsn_proc: third.lsn,
      lsn_events_processed: 1,
      messageType: 'INSERT',
      lsn_commit: Number(previousCommit),
      lsn: third.lsn,
      txId: third.txId,
      ts_usec: third.ts_us,
    }
    const next = await CdcRun.start(config('handover', 'h2'), { store: { offset } })
    await next.records(2)
    await next.stop()
    expect(next.seen.map(identity)).toEqual(whole.seen.slice(4).map(identity))
    await sql.end()
  })

  test.skipIf(skip)('kill -9 of Postgres under load loses and repeats nothing', async () => {
    await server().query('create database crash')
    const sql = await client(server(), 'crash')
    await sql.query('create table a(id int primary key, v int); create publication p for all tables')
    await sql.end()
    const run = await CdcRun.start(config('crash', 'crash'))
    await run.streaming()
    let next = 1
    for (let round = 0; round < 3; round++) {
      const writer = await client(server(), 'crash')
      let writing = true
      const write = async (): Promise<void> => {
        while (writing) {
          await writer.query(`insert into a select g, 0 from generate_series($1::int, $1::int + 9) g`, [next])
          next += 10
        }
      }
      const written = write().catch(() => undefined)
      const start = next
      await until(
        () => 'some transactions',
        () => next > start + 200,
      )
      await server().kill()
      writing = false
      await written
      await server().restart()
      await writer.end().catch(() => undefined)
      // Whether the transaction that was cut off is there only the server knows.
      const rest = await client(server(), 'crash')
      next = Number((await rest.query('select coalesce(max(id), 0) + 1 as next from a')).rows[0].next)
      await rest.end()
    }
    const check = await client(server(), 'crash')
    const { rows } = await check.query('select id from a order by id')
    await run.records(rows.length)
    expect(run.seen.map((seen) => json(seen.key).id)).toEqual(rows.map((row) => row.id))
    await check.end()
    await run.stop()
  })

  test.skipIf(skip)('a shutdown in good order does not wait for offsets that are not durable', async () => {
    await server().query('create database shutdown')
    const sql = await client(server(), 'shutdown')
    await sql.query('create table a(id int primary key); create publication p for all tables')
    const run = await CdcRun.start(config('shutdown', 'shutdown'))
    await run.streaming()
    await sql.query('insert into a values (1)')
    await run.records(1)
    run.commits = false
    await sql.query('insert into a values (2)')
    await run.records(2)
    await sql.end()
    await server().restart()
    const again = await client(server(), 'shutdown')
    await again.query('insert into a values (3)')
    await run.records(3)
    expect(run.seen.map((seen) => json(seen.key).id)).toEqual([1, 2, 3])
    await run.stop()
    await again.end()
  })

  test.skipIf(skip)(
    'the slot is confirmed only up to durable offsets, and follows them while the database is idle',
    async () => {
      await server().query('create database confirm')
      await server().query('create database elsewhere')
      const sql = await client(server(), 'confirm')
      await sql.query('create table a(id int primary key); create publication p for all tables')
      const confirmed = async (): Promise<string> =>
        (await sql.query(`select confirmed_flush_lsn as lsn from pg_replication_slots where slot_name = 'confirm'`))
          .rows[0].lsn
      const isBehind = async (lsn: string): Promise<boolean> =>
        (await sql.query('select $1::pg_lsn < $2::pg_lsn as behind', [await confirmed(), lsn])).rows[0].behind

      const store: OffsetStore = { offset: null }
      const first = await CdcRun.start(config('confirm', 'confirm', { 'status.update.interval.ms': '100' }), {
        store,
        commit: false,
      })
      await first.streaming()
      await sql.query('insert into a values (1)')
      const afterInsert = (await sql.query('select pg_current_wal_lsn() as lsn')).rows[0].lsn
      await first.records(1)
      // The server has surely got a status behind the insert once it knows that it was received.
      await until(
        () => 'a status behind the insert',
        async () =>
          (
            await sql.query(
              `select write_lsn >= $1::pg_lsn as done from pg_stat_replication s
             join pg_replication_slots r on r.active_pid = s.pid where r.slot_name = 'confirm'`,
              [afterInsert],
            )
          ).rows[0]?.done === true,
      )
      expect(await isBehind(afterInsert)).toBe(true)
      await first.stop()

      const second = await CdcRun.start(config('confirm', 'confirm', { 'status.update.interval.ms': '100' }), { store })
      await second.streaming()
      const other = await client(server(), 'elsewhere')
      await other.query('create table busy(x int)')
      await other.query('insert into busy select generate_series(1, 1000)')
      const target = (await other.query('select pg_current_wal_lsn() as lsn')).rows[0].lsn
      await until(
        () => `the slot to pass ${target}`,
        async () => !(await isBehind(target)),
      )
      expect(second.seen).toEqual([])
      expect(second.positions).toBeGreaterThan(0)
      await second.stop()
      await other.end()
      await sql.end()
    },
  )
})
