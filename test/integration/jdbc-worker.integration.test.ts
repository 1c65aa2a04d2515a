import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { type MillraceBroker, startMillraceBroker } from '../services/millrace.ts'
import { databases, type TestDatabase } from './support/jdbc-databases.ts'
import { startTestWorker, type TestWorker, until } from './worker-harness.ts'

const ROWS = 6000
const JSON_CONVERTER = 'org.apache.kafka.connect.json.JsonConverter'

describe.each(databases)('table to topic to table on a real worker and $name', (kind) => {
  const missing = kind.isMissing
  let broker: MillraceBroker
  let database: TestDatabase
  let worker: TestWorker

  beforeAll(async () => {
    if (missing) return
    ;[broker, database] = await Promise.all([startMillraceBroker(), kind.start()])
    worker = await startTestWorker(broker.bootstrapServers, {
      'key.converter': JSON_CONVERTER,
      'value.converter': JSON_CONVERTER,
      'offset.flush.interval.ms': '500',
    })
  })
  afterAll(async () => {
    await worker?.stop()
    await broker?.stop()
    await database?.stop()
  })

  const counts = async (table: string) => {
    const [row] = await database.query(`select count(*) as total, count(distinct id) as ids from ${table}`)
    return { all: Number(row?.['total']), ids: Number(row?.['ids']) }
  }

  test.skipIf(missing)('exactly.once writes each record once though its host is killed, twice', async () => {
    const { key, text, timestamp, decimal } = kind.types
    await database.query(
      `create table events (id ${key} not null primary key, name ${text}, price ${decimal}, at ${timestamp} not null)`,
    )
    await database.query(
      `insert into events select g, 'event', round(g / 7.0, 2), ${kind.at('g')} from (${kind.series(ROWS)}) s`,
    )
    await worker.create({
      ...database.connection,
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
    // Each row takes so long that the copy cannot be complete before the kills.
    await database.query(
      `create table copied (id ${key === 'integer' ? 'int' : key}, name ${text}, price ${decimal}, at bigint)`,
    )
    for (const sql of kind.slowInserts('copied')) await database.query(sql)
    await worker.create({
      ...database.connection,
      name: 'events-sink',
      'connector.class': 'io.confluent.connect.jdbc.JdbcSinkConnector',
      topics: 'db-events',
      'table.name.format': 'copied',
      'exactly.once': 'true',
      'batch.size': '100',
      'consumer.override.max.poll.records': '250',
      'consumer.override.session.timeout.ms': '6000',
      'consumer.override.heartbeat.interval.ms': '500',
      'restart.policy': 'always',
      'restart.backoff.ms': '10',
    })
    for (let killed = 0; killed < 2; killed++) {
      await until('the copy grows', async () => (await counts('copied')).all > killed * 1000)
      expect((await counts('copied')).ids).toBeLessThan(ROWS)
      worker.killHosts()
    }
    await until('the copy is complete', async () => (await counts('copied')).ids === ROWS)
    // One more row passes through everything: whatever could still be repeated has been by then.
    await database.query(`insert into events values (${ROWS + 1}, 'last', 1, ${kind.at('1e9')})`)
    await until('the last row arrives', async () => (await counts('copied')).ids === ROWS + 1)
    // Killing the source's host may repeat records in the topic; the copy holds exactly what the topic holds.
    const [offsets] = await database.query(
      "select next_offset as upto from millrace_sink_offsets where topic = 'db-events'",
    )
    expect((await counts('copied')).all).toBe(Number(offsets?.['upto']))
    const different = await database.query(
      'select e.id from events e join copied c on c.id = e.id where c.name <> e.name or c.price <> e.price ' +
        `or c.at <> 1704067200000000 + e.id * 1000 and e.id <= ${ROWS}`,
    )
    expect(different).toEqual([])
  })
})
