import pgClient from 'pg'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import connector from '../../connectors/postgres-cdc/source.ts'
import { type Postgres, type PostgresVersion, postgresMissing, startPostgres } from '../services/postgres.ts'
import { CdcRun, configFor, json, type OffsetStore, parseConfig, until } from './support/cdc-runner.ts'

let databases = 0

/** A database of its own, with a client. */
async function fresh(pg: Postgres): Promise<{ sql: pgClient.Client; database: string }> {
  const database = `db${++databases}`
  await pg.query(`create database ${database}`)
  const sql = new pgClient.Client({ host: pg.host, port: pg.port, user: pg.user, database })
  sql.on('error', () => undefined)
  await sql.connect()
  return { sql, database }
}

const ids = (run: CdcRun): unknown[] => run.seen.map((seen) => json(seen.key)?.id)
const operations = (run: CdcRun): unknown[] => run.seen.map((seen) => json(seen.value)?.op)

describe.each([15, 18] as const)('Postgres CDC on Postgres %i', (version: PostgresVersion) => {
  const skip = postgresMissing(version) !== null
  let server: Postgres | undefined
  const pg = (): Postgres => {
    if (server === undefined) throw new Error('no server')
    return server
  }
  beforeAll(async () => {
    if (!skip) server = await startPostgres({ version })
  })
  afterAll(async () => server?.stop())

  /** A configuration with slot and publication named after the database. */
  const config = (database: string, more: Record<string, string> = {}): Record<string, string> =>
    configFor({ ...pg(), database }, { 'slot.name': database, 'slot.drop.on.stop': 'true', ...more })

  const issues = async (raw: Record<string, string>): Promise<string> =>
    ((await connector.validate?.(parseConfig(raw), raw)) ?? [])
      .map(({ key, message }) => `${key}: ${message}`)
      .join('\n')

  test.skipIf(skip)('a change made while the snapshot runs comes once, after the snapshot', async () => {
    const { sql, database } = await fresh(pg())
    await sql.query(
      'create table a(id int primary key, v int); insert into a select g, 0 from generate_series(1, 20000) g',
    )
    const run = await CdcRun.start(config(database, { 'max.queue.size': '100', 'max.batch.size': '10' }))
    run.pause()
    // The snapshot stands still here: its queue is full and nobody takes from it.
    await run.logged('snapshot started')
    await sql.query('insert into a values (20001, 1); update a set v = 2 where id = 20000; delete from a where id = 1')
    run.resume()
    await run.records(20004)
    await run.stop()
    const snapshot = run.seen.slice(0, 20000)
    expect(new Set(snapshot.map((seen) => json(seen.key).id)).size).toBe(20000)
    expect(snapshot.every((seen) => json(seen.value).op === 'r' && json(seen.value).after.v === 0)).toBe(true)
    const rest = run.seen.slice(20000).map((seen) => `${json(seen.value)?.op} ${json(seen.key).id}`)
    expect(rest).toEqual(['c 20001', 'u 20000', 'd 1', 'undefined 1'])
    await sql.end()
  })

  test.skipIf(skip)('an unfinished snapshot starts again, and its slot serves although it exists', async () => {
    const { sql, database } = await fresh(pg())
    await sql.query('create table a(id int primary key); insert into a select generate_series(1, 3000)')
    const store: OffsetStore = { offset: null }
    const raw = config(database, { 'slot.drop.on.stop': 'false' })
    const first = await CdcRun.start(raw, { store, dieAfter: 1500 })
    await first.ended()
    await first.stop()
    expect(store.offset).toMatchObject({ snapshot: 'INITIAL', last_snapshot_record: false })
    await sql.query('insert into a values (3001)')
    const second = await CdcRun.start(raw, { store })
    await second.records(3001)
    await second.streaming()
    await sql.query('insert into a values (3002)')
    await second.records(3002)
    expect(ids(second)).toEqual(Array.from({ length: 3002 }, (_, index) => index + 1))
    expect(json(second.seen[3000]?.value ?? null).op).toBe('r')
    expect(json(second.seen[3001]?.value ?? null).op).toBe('c')
    await second.stop()

    const third = await CdcRun.start(config(database), { store })
    await third.streaming()
    await sql.query('insert into a values (3003)')
    await third.records(1)
    expect(ids(third)).toEqual([3003])
    await third.stop()
    await sql.end()
  })

  test.skipIf(skip)('snapshot.mode decides between snapshot and stream', async () => {
    const { sql, database } = await fresh(pg())
    await sql.query('create table a(id int primary key); insert into a values (1), (2)')
    const only = await CdcRun.start(config(database, { 'snapshot.mode': 'initial_only', 'slot.drop.on.stop': 'false' }))
    await only.ended()
    expect([only.finished, ids(only)]).toEqual([true, [1, 2]])
    const slots = await sql.query('select 1 from pg_replication_slots where slot_name = $1', [database])
    expect(slots.rowCount).toBe(0)
    const again = await CdcRun.start(
      config(database, { 'snapshot.mode': 'initial_only', 'slot.drop.on.stop': 'false' }),
      {
        store: only.store,
      },
    )
    await again.ended()
    expect([again.finished, again.seen]).toEqual([true, []])
    await again.stop()
    await only.stop()

    const none = await CdcRun.start(config(database, { 'snapshot.mode': 'no_data' }))
    await none.streaming()
    await sql.query('insert into a values (3)')
    await none.records(1)
    expect([ids(none), operations(none)]).toEqual([[3], ['c']])
    await none.stop()

    const store: OffsetStore = { offset: null }
    for (const round of [1, 2]) {
      const always = await CdcRun.start(config(database, { 'snapshot.mode': 'always', 'slot.drop.on.stop': 'false' }), {
        store,
      })
      await always.records(3)
      await always.streaming()
      expect([round, operations(always)]).toEqual([round, ['r', 'r', 'r']])
      await always.stop()
    }
    await sql.end()
  })

  test.skipIf(skip)('a slot that is gone stops the task, unless when_needed takes a new snapshot', async () => {
    const { sql, database } = await fresh(pg())
    await sql.query('create table a(id int primary key); insert into a values (1)')
    const store: OffsetStore = { offset: null }
    const first = await CdcRun.start(config(database), { store })
    await first.records(1)
    await first.streaming()
    await first.stop()
    await sql.query('insert into a values (2)')
    const stopped = await CdcRun.start(config(database), { store: { ...store } })
    await stopped.ended()
    expect(String(stopped.error)).toMatch(/slot "db\d+" does not exist.*no longer available on the server.*when_needed/)
    await stopped.stop()
    // A slot made anew stands behind the offset: that is the same gap.
    await sql.query(`select pg_create_logical_replication_slot($1, 'pgoutput')`, [database])
    const ahead = await CdcRun.start(config(database, { 'slot.drop.on.stop': 'false' }), { store: { ...store } })
    await ahead.ended()
    expect(String(ahead.error)).toMatch(/was confirmed up to .*, behind the stored offset .*trust_slot/)
    await ahead.stop()
    const trusting = await CdcRun.start(config(database, { 'offset.mismatch.strategy': 'trust_slot' }), {
      store: { ...store },
    })
    await trusting.streaming()
    await sql.query('insert into a values (3)')
    await trusting.records(1)
    expect(ids(trusting)).toEqual([3])
    await trusting.stop()
    const renewed = await CdcRun.start(config(database, { 'snapshot.mode': 'when_needed' }), { store: { ...store } })
    await renewed.records(3)
    expect(operations(renewed)).toEqual(['r', 'r', 'r'])
    await renewed.stop()
    await sql.end()
  })

  test.skipIf(skip)('a slot in use is named with its user', async () => {
    const { sql, database } = await fresh(pg())
    await sql.query('create table a(id int primary key)')
    const first = await CdcRun.start(config(database))
    await first.streaming()
    const second = await CdcRun.start(
      config(database, {
        'snapshot.mode': 'no_data',
        'slot.max.retries': '1',
        'slot.retry.delay.ms': '50',
        'slot.drop.on.stop': 'false',
      }),
    )
    await second.ended()
    expect(String(second.error)).toMatch(
      /slot "db\d+" is active for PID \d+ from 127\.0\.0\.1.*pg_terminate_backend\(\d+\)/,
    )
    await second.stop()
    await first.stop()
    await sql.end()
  })

  test.skipIf(skip)('publications follow publication.autocreate.mode', async () => {
    const { sql, database } = await fresh(pg())
    await sql.query('create table a(id int primary key); create table b(id int primary key)')
    expect(await issues(config(database, { 'publication.autocreate.mode': 'disabled' }))).toContain(
      'publication.autocreate.mode: publication "dbz_publication" does not exist and "publication.autocreate.mode" is "disabled". Run: CREATE PUBLICATION "dbz_publication" FOR ALL TABLES',
    )
    const filtered = { 'publication.autocreate.mode': 'filtered', 'snapshot.mode': 'no_data' }
    expect(await issues(config(database, { ...filtered, 'table.include.list': 'public.nothing' }))).toContain(
      'no table matches',
    )
    const tables = async (): Promise<string[]> =>
      (
        await sql.query(`select tablename from pg_publication_tables where pubname = 'dbz_publication' order by 1`)
      ).rows.map((row) => row.tablename)
    const one = await CdcRun.start(config(database, { ...filtered, 'table.include.list': 'public.a' }))
    await one.streaming()
    expect(await tables()).toEqual(['a'])
    await one.stop()
    const two = await CdcRun.start(config(database, { ...filtered, 'table.include.list': 'public.[ab]' }))
    await two.streaming()
    expect(await tables()).toEqual(['a', 'b'])
    await two.stop()
    await sql.query('drop publication dbz_publication')
    const all = await CdcRun.start(config(database, { 'snapshot.mode': 'no_data' }))
    await all.streaming()
    await sql.query('create table c(id int primary key); insert into c values (7)')
    await all.records(1)
    expect(all.seen[0]?.topic).toBe('pfx.public.c')
    await all.stop()
    expect(await issues(config(database, filtered))).toContain('is FOR ALL TABLES')
    await sql.end()
  })

  test.skipIf(skip)('validate names missing privileges with the SQL that grants them', async () => {
    const { sql, database } = await fresh(pg())
    await sql.query(`create schema s; create table s.a(id int); create role reader_${database} login password 'x'`)
    const raw = { ...config(database), 'database.user': `reader_${database}` }
    const found = await issues(raw)
    expect(found).toContain(`Run as superuser: ALTER ROLE "reader_${database}" REPLICATION;`)
    expect(found).toContain(`Run: GRANT USAGE ON SCHEMA "s" TO "reader_${database}";`)
    expect(found).toContain(`Run: GRANT SELECT ON "s"."a" TO "reader_${database}";`)
    await sql.query(
      `alter role reader_${database} replication; grant usage on schema s to reader_${database}; grant select on s.a to reader_${database}`,
    )
    expect(await issues(raw)).toContain('only a superuser may create a publication for all tables')
    const filtered = { ...raw, 'publication.autocreate.mode': 'filtered' }
    expect(await issues(filtered)).toContain(`GRANT CREATE ON DATABASE "${database}" TO "reader_${database}"`)
    await sql.query('create publication dbz_publication for table s.a')
    expect(await issues(filtered)).toBe('')
    const run = await CdcRun.start({ ...filtered, 'snapshot.mode': 'no_data' })
    await run.streaming()
    expect(run.log.map((line) => line.message).join('\n')).toContain(
      '"s"."a" has no primary key: its updates and deletes fail once it is published. Run: ALTER TABLE "s"."a" REPLICA IDENTITY FULL;',
    )
    await run.stop()
    await sql.end()
  })

  test.skipIf(skip)('validate names settings that are not supported and servers that cannot be reached', async () => {
    const base = configFor(pg())
    expect(await issues({ ...base, 'provide.transaction.metadata': 'true' })).toBe(
      'provide.transaction.metadata: "true" is not possible: the transaction topic is not supported yet; remove it or set it to "false"',
    )
    expect(await issues({ ...base, 'column.mask.with.5.chars': 'a.b.c' })).toContain(
      'column.mask.with.5.chars: masks are not supported yet',
    )
    expect(await issues({ ...base, 'table.include.list': 'a', 'table.exclude.list': 'b' })).toContain('set either')
    expect(await issues({ ...base, 'database.dbname': 'nowhere' })).toMatch(/^database.dbname: cannot connect: .*3D000/)
    expect(await issues({ ...base, 'database.port': '1' })).toMatch(/^database.hostname: cannot connect: .*127.0.0.1:1/)
    expect(await issues({ ...base, 'database.user': 'nobody' })).toMatch(/^database.user: cannot connect: .*28/)
    expect(await issues({ ...base, 'database.sslmode': 'require' })).toContain('offers no TLS')
    expect(connector.taskConfigs(parseConfig(base), 8, base, undefined as never)).toEqual([base])
  })

  test.skipIf(skip)('heartbeats come with an offset and run their query', async () => {
    const { sql, database } = await fresh(pg())
    await sql.query('create table a(id int primary key); create table beats(n int)')
    const run = await CdcRun.start(
      config(database, {
        'heartbeat.interval.ms': '20',
        'heartbeat.action.query': 'insert into beats values (1)',
        'table.include.list': 'public.a',
      }),
    )
    await run.until((seen) => seen.topic === '__debezium-heartbeat.pfx')
    const beat = run.seen.at(-1)
    expect([beat?.record.key, beat?.partition]).toEqual([{ serverName: 'pfx' }, 0])
    expect(beat?.offset).toHaveProperty('lsn_commit')
    await until(
      () => 'the query to run',
      async () => (await sql.query('select 1 from beats')).rowCount !== 0,
    )
    await run.stop()
    await sql.end()
  })

  test.skipIf(skip)('a transaction much larger than the queue passes through with a slow reader', async () => {
    const { sql, database } = await fresh(pg())
    await sql.query('create table a(id int primary key, v text)')
    const run = await CdcRun.start(
      config(database, { 'snapshot.mode': 'no_data', 'max.queue.size': '50', 'max.batch.size': '7' }),
    )
    await run.streaming()
    run.pause()
    await sql.query(`insert into a select g, repeat('x', 1000) from generate_series(1, 20000) g`)
    run.resume()
    await run.records(20000)
    expect(ids(run)).toEqual(Array.from({ length: 20000 }, (_, index) => index + 1))
    expect(run.seen.at(-1)?.offset).toMatchObject({ tx_changes: 0 })
    expect(run.seen.at(-2)?.offset).toMatchObject({ tx_changes: 19999 })
    await run.stop()
    await sql.end()
  })

  test.skipIf(skip)('passwords, encrypted and not, and what goes wrong with them', async () => {
    for (const auth of ['password', 'md5', 'scram-sha-256'] as const) {
      const closed = await startPostgres({ version, auth })
      try {
        await closed.query('create table a(id int primary key); insert into a values (1)')
        const run = await CdcRun.start(configFor(closed))
        await run.records(1)
        await run.stop()
        const wrong = { ...configFor(closed), 'database.password': 'sesame' }
        const found = await issues(wrong)
        expect(found).toMatch(/^database.user: cannot connect: password authentication failed/)
        expect(found).not.toContain('sesame')
        const without = configFor(closed)
        delete without['database.password']
        expect(await issues(without)).toContain('asks for a password of user "postgres", but none is configured')
      } finally {
        await closed.stop()
      }
    }
  })

  test.skipIf(skip)('a reader that stands still longer than wal_sender_timeout keeps its connection', async () => {
    const impatient = await startPostgres({ version, settings: { wal_sender_timeout: '8s' } })
    try {
      await impatient.query('create table a(id int primary key, v text)')
      const run = await CdcRun.start(
        configFor(impatient, {
          'snapshot.mode': 'no_data',
          'max.queue.size': '10',
          'status.update.interval.ms': '100',
        }),
      )
      await run.streaming()
      run.pause()
      await impatient.query(`insert into a select g, repeat('x', 1000) from generate_series(1, 10000) g`)
      const [before] = await impatient.query('select now() as at')
      await until(
        () => 'replies for longer than the time-out',
        async () => {
          const rows = await impatient.query(
            `select reply_time > $1::timestamptz + interval '10 s' as done from pg_stat_replication`,
            [before?.['at']],
          )
          return rows[0]?.['done'] === true
        },
      )
      run.resume()
      await run.records(10000)
      expect(run.log.filter((line) => line.message === 'streaming')).toHaveLength(1)
      await run.stop()
    } finally {
      await impatient.stop()
    }
  })

  test.skipIf(skip)('a snapshot that a crash of Postgres cuts off starts again, and nothing is missing', async () => {
    const crashing = await startPostgres({ version })
    try {
      await crashing.query('create table a(id int primary key, v text)')
      await crashing.query(`insert into a select g, repeat('x', 500) from generate_series(1, 20000) g`)
      const run = await CdcRun.start(configFor(crashing, { 'max.queue.size': '100' }))
      await run.records(1000)
      run.pause()
      await crashing.kill()
      await crashing.restart()
      run.resume()
      await run.streaming()
      await crashing.query(`insert into a values (20001, 'new')`)
      await run.until((seen) => json(seen.key).id === 20001)
      const second = run.seen.findLastIndex((seen) => json(seen.value).source.snapshot === 'first')
      expect(second).toBeGreaterThan(0)
      const rest = run.seen.slice(second).map((seen) => json(seen.key).id)
      expect(rest).toEqual(Array.from({ length: 20001 }, (_, index) => index + 1))
      await run.stop()
    } finally {
      await crashing.stop()
    }
  })

  test.skipIf(skip)('wal_level is reported with the line that mends it', async () => {
    const replica = await startPostgres({ version, wal: 'replica' })
    try {
      await replica.query('create table a(id int primary key); insert into a values (1)')
      const raw = configFor(replica)
      expect(await issues(raw)).toContain(`ALTER SYSTEM SET wal_level = 'logical'; then restart Postgres`)
      const run = await CdcRun.start(raw)
      await run.ended()
      expect(String(run.error)).toContain('wal_level is "replica"')
      await run.stop()
      const only = await CdcRun.start({ ...raw, 'snapshot.mode': 'initial_only' })
      await only.ended()
      expect([only.finished, only.seen.length]).toEqual([true, 1])
      await only.stop()
    } finally {
      await replica.stop()
    }
  })
})
