import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { isAlive } from '../services/alive.ts'
import { type MillraceBroker, startMillraceBroker } from '../services/millrace.ts'
import { type Postgres, postgresMissing, startPostgres } from '../services/postgres.ts'
import { connectionOf } from './support/jdbc-tasks.ts'
import { startTestWorker, type TestWorker, until } from './worker-harness.ts'

const ROWS = 20_000
const JSON_CONVERTER = 'org.apache.kafka.connect.json.JsonConverter'

const missing = postgresMissing(18)

describe('table to topic to table on a real worker', () => {
  let broker: MillraceBroker
  let postgres: Postgres
  let worker: TestWorker

  beforeAll(async () => {
    if (missing !== null) return
    ;[broker, postgres] = await Promise.all([startMillraceBroker(), startPostgres({ version: 18 })])
    worker = await startTestWorker(broker.bootstrapServers, {
      'key.converter': JSON_CONVERTER,
      'value.converter': JSON_CONVERTER,
      'offset.flush.interval.ms': '500',
    })
  })
  afterAll(async () => {
    await worker?.stop()
    await broker?.stop()
    await postgres?.stop()
  })

  const counts = async (table: string) => {
    const [row] = await postgres.query(`select count(*)::int as all, count(distinct id)::int as ids from ${table}`)
    return row as { all: number; ids: number }
  }

  test.skipIf(missing !== null)('exactly.once writes each record once though its host is killed, twice', async () => {
    await postgres.query(
      `create table events (id bigint primary key, name text, price numeric(12,2), at timestamptz not null)`,
    )
    await postgres.query(
      `insert into events select g, 'event ' || g, g / 7.0, timestamptz '2024-01-01' + g * ` +
        `interval '1 microsecond' from generate_series(1, ${ROWS}) g`,
    )
    await worker.create({
      ...connectionOf(postgres),
      name: 'events-source',
      'connector.class': 'io.confluent.connect.jdbc.JdbcSourceConnector',
      mode: 'timestamp+incrementing',
      'incrementing.column.name': 'id',
      'timestamp.column.name': 'at',
      'timestamp.granularity': 'micros_long',
      'table.whitelist': 'events',
      'topic.prefix': 'db-',
      'poll.interval.ms': '50',
    })
    await until(
      'the source has written all rows',
      () => worker.metric('source-record-write-total', 'events-source') >= ROWS,
    )
    // Each statement takes so long that the copy cannot be complete before the kills.
    await postgres.query(
      `create table copy (id bigint, name text, price numeric, at bigint);
       create function dawdle() returns trigger language plpgsql as
         'begin perform pg_sleep(0.03); return null; end';
       create trigger dawdle before insert on copy for each statement execute function dawdle()`,
    )
    await worker.create({
      ...connectionOf(postgres),
      name: 'events-sink',
      'connector.class': 'io.confluent.connect.jdbc.JdbcSinkConnector',
      topics: 'db-events',
      'table.name.format': 'copy',
      'exactly.once': 'true',
      'batch.size': '100',
      'consumer.override.max.poll.records': '250',
      'consumer.override.session.timeout.ms': '6000',
      'consumer.override.heartbeat.interval.ms': '500',
      'restart.policy': 'always',
      'restart.backoff.ms': '10',
    })
    for (let killed = 0; killed < 2; killed++) {
      await until('the copy grows', async () => (await counts('copy')).all > killed * 1000)
      expect((await counts('copy')).ids).toBeLessThan(ROWS)
      for (const pid of worker.hosts.filter(isAlive)) process.kill(pid, 'SIGKILL')
    }
    await until('the copy is complete', async () => (await counts('copy')).ids === ROWS)
    // One more row passes through everything: whatever could still be repeated has been by then.
    await postgres.query(`insert into events values (${ROWS + 1}, 'last', 1, '2024-06-01')`)
    await until('the last row arrives', async () => (await counts('copy')).ids === ROWS + 1)
    // Killing the source's host may repeat records in the topic; the copy holds exactly what the topic holds.
    const [offsets] = await postgres.query(
      "select next_offset::int as next from millrace_sink_offsets where topic = 'db-events'",
    )
    expect((await counts('copy')).all).toBe(offsets?.['next'])
    const different = await postgres.query(
      'select e.id from events e join copy c on c.id = e.id where (c.name, c.price) is distinct ' +
        'from (e.name, e.price) or c.at <> extract(epoch from e.at) * 1000000',
    )
    expect(different).toEqual([])
  })
})
