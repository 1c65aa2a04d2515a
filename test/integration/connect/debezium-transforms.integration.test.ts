// Configurations of Debezium that carry its transformations, on our own change capture and a real worker.
import { afterAll, beforeAll, expect, test } from 'vitest'
import {
  type MillraceBroker,
  type MillraceWorker,
  startMillraceBroker,
  startMillraceWorker,
} from '../../services/millrace.ts'
import { type Postgres, postgresMissing, startPostgres } from '../../services/postgres.ts'
import { clientOf } from '../client/clusters.ts'
import { rest, until } from './connect-cluster.ts'

const it = test.skipIf(postgresMissing(15) !== null)
let postgres: Postgres
let broker: MillraceBroker
let worker: MillraceWorker

beforeAll(async () => {
  if (postgresMissing(15) !== null) return
  ;[postgres, broker] = await Promise.all([startPostgres({ version: 15 }), startMillraceBroker()])
  worker = await startMillraceWorker(broker.bootstrapServers, 'debezium-transforms')
})

afterAll(async () => {
  await worker?.stop()
  await Promise.all([broker?.stop(), postgres?.stop()])
})

interface Found {
  readonly key: unknown
  readonly value: any
  readonly headers: Readonly<Record<string, string | undefined>>
  readonly timestamp: number
}

const parsed = (bytes: Buffer | null): unknown => (bytes === null ? null : JSON.parse(bytes.toString()))

/** The records of a topic with one partition, once there are so many. */
async function contentOf(topic: string, count: number): Promise<Found[]> {
  const consumer = clientOf(broker).consumer()
  const found: Found[] = []
  try {
    consumer.assign([{ topic, partition: 0 }])
    consumer.seekToBeginning()
    const read = async () => {
      for (const { key, value, headers, timestamp } of await consumer.poll(500)) {
        const texts = headers.map((header) => [header.key, header.value?.toString()] as const)
        found.push({ key: parsed(key), value: parsed(value), headers: Object.fromEntries(texts), timestamp })
      }
      return found
    }
    return await until(`${topic} has ${count} records`, read, ({ length }) => length >= count)
  } finally {
    await consumer.close()
  }
}

/** Creates a connector of Debezium's class for one table, and waits until it runs. */
async function capture(name: string, table: string, more: Readonly<Record<string, string>>): Promise<void> {
  const config = {
    'connector.class': 'io.debezium.connector.postgresql.PostgresConnector',
    'plugin.name': 'pgoutput',
    'database.hostname': postgres.host,
    'database.port': String(postgres.port),
    'database.user': postgres.user,
    'database.password': postgres.password,
    'database.dbname': postgres.database,
    'topic.prefix': name,
    'slot.name': name,
    'publication.name': name,
    'publication.autocreate.mode': 'filtered',
    'table.include.list': table,
    ...more,
  }
  expect(await rest(worker.url, 'POST', '/connectors', { name, config })).toMatchObject({ status: 201 })
  const status = () => rest(worker.url, 'GET', `/connectors/${name}/status`)
  await until(`${name} runs`, status, ({ body }) => body.tasks?.[0]?.state === 'RUNNING')
  // What is deleted before the slot exists was never there.
  const slot = () => postgres.query(`select active from pg_replication_slots where slot_name = '${name}'`)
  await until(`${name} streams`, slot, (rows) => JSON.stringify(rows).includes('true'))
}

it('rows are taken out of change events, deletes are marked, and what goes by the old topic name goes by the new', async () => {
  await postgres.query('create table people_1 (id int primary key, name text not null, city text default null)')
  await postgres.query('alter table people_1 replica identity full')
  await postgres.query("insert into people_1 values (1, 'Ada', 'London')")
  await capture('unwrapped', 'public.people_1', {
    'tombstones.on.delete': 'true',
    transforms: 'route,unwrap,title',
    'transforms.route.type': 'io.debezium.transforms.ByLogicalTableRouter',
    'transforms.route.topic.regex': '(.*)people_\\d+',
    'transforms.route.topic.replacement': '$1people',
    'transforms.unwrap.type': 'io.debezium.transforms.ExtractNewRecordState',
    'transforms.unwrap.delete.tombstone.handling.mode': 'rewrite-with-tombstone',
    'transforms.unwrap.add.fields': 'op,table,source.snapshot:snap',
    'transforms.unwrap.add.headers': 'op,db',
    'transforms.title.type': 'org.apache.kafka.connect.transforms.ReplaceField$Value',
    'transforms.title.renames': 'name:title',
  })
  const topic = 'unwrapped.public.people'
  await contentOf(topic, 1)
  await postgres.query("update people_1 set name = 'Ada L.', city = null")
  await postgres.query('delete from people_1')
  const found = await contentOf(topic, 4)
  const key = { id: 1, __dbz__physicalTableIdentifier: 'unwrapped.public.people_1' }
  expect(found.map((one) => one.key)).toEqual([key, key, key, key])
  const marks = { __table: 'people_1', __snap: 'false' }
  expect(found.map((one) => one.value)).toEqual([
    { id: 1, title: 'Ada', city: 'London', __deleted: 'false', __op: 'r', __table: 'people_1', __snap: 'last' },
    { id: 1, title: 'Ada L.', city: null, __deleted: 'false', __op: 'u', ...marks },
    { id: 1, title: 'Ada L.', city: null, __deleted: 'true', __op: 'd', ...marks },
    null,
  ])
  expect(found.map(({ headers }) => headers['__op'])).toEqual(['r', 'u', 'd', 'd'])
  expect(found[0]?.headers['__db']).toBe(postgres.database)
})

it('rows of an outbox become events of their aggregates', async () => {
  await postgres.query(`create table outbox (
    id uuid primary key, aggregatetype text not null, aggregateid text not null, type text not null,
    payload jsonb, at timestamp not null)`)
  await capture('shop', 'public.outbox', {
    'snapshot.mode': 'no_data',
    transforms: 'outbox',
    'transforms.outbox.type': 'io.debezium.transforms.outbox.EventRouter',
    'transforms.outbox.table.field.event.timestamp': 'at',
    'transforms.outbox.table.fields.additional.placement': 'type:header:eventType',
    'transforms.outbox.table.expand.json.payload': 'true',
    'transforms.outbox.route.tombstone.on.empty.payload': 'true',
  })
  const [order, gone, user] = [1, 2, 3].map((n) => `00000000-0000-0000-0000-00000000000${n}`)
  // As services do it: the row is deleted at once, in the transaction that wrote it.
  await postgres.query(`begin;
    insert into outbox values
      ('${order}', 'order', '7', 'created', '{"total": 12.5, "lines": [{"sku": "a", "count": 2}]}', '2026-11-21 01:02:03.5'),
      ('${gone}', 'order', '7', 'removed', null, '2026-11-21 01:02:04'),
      ('${user}', 'user', 'u1', 'created', '{"name": "Ada"}', '2026-11-21 01:02:05');
    delete from outbox;
    commit`)
  const [orders, users] = [await contentOf('outbox.event.order', 2), await contentOf('outbox.event.user', 1)]
  expect(orders).toMatchObject([
    {
      key: '7',
      value: { total: 12.5, lines: [{ sku: 'a', count: 2 }] },
      headers: { id: order, eventType: 'created' },
      timestamp: Date.UTC(2026, 10, 21, 1, 2, 3, 500),
    },
    { key: '7', value: null, headers: { id: gone, eventType: 'removed' } },
  ])
  expect(users).toMatchObject([{ key: 'u1', value: { name: 'Ada' }, headers: { id: user, eventType: 'created' } }])
})

/** Lines of the worker's log with this text; of the last one only a part may have come. */
function logged(text: string): any[] {
  const lines = worker
    .output()
    .split('\n')
    .slice(0, -1)
    .filter((line) => line.includes(text))
  return lines.map((line) => JSON.parse(line))
}

it('what a transformation drops is in the log of the worker, by connector and without a line for each record', async () => {
  await postgres.query(`create table noisy (
    id text primary key, aggregatetype text not null, aggregateid text not null, payload text)`)
  await postgres.query("insert into noisy values ('early', 'x', '1', 'secret payload')")
  await capture('noisy', 'public.noisy', {
    'snapshot.mode': 'no_data',
    transforms: 'events',
    'transforms.events.type': 'EventRouter',
  })
  const updates = Array.from({ length: 200 }, (_, n) => `update noisy set aggregateid = '${n}' where id = 'early'`)
  await postgres.query([...updates, "insert into noisy values ('late', 'noisy', '2', 'x')"].join(';'))
  await contentOf('outbox.event.noisy', 1)
  const text = 'an update of the outbox table was dropped'
  const [first] = await until(
    'the first line is written',
    async () => logged(text),
    ({ length }) => length > 0,
  )
  expect(first).toMatchObject({ level: 40, connector: 'noisy', task: 0, transformation: 'events' })
  expect(first.topic).toBe('noisy.public.noisy')

  // The others are counted, at the latest when the task ends.
  expect((await rest(worker.url, 'DELETE', '/connectors/noisy')).status).toBe(204)
  const all = await until(
    'all dropped records are told of',
    async () => logged(text),
    (lines) => lines.reduce((sum, { repeated = 1 }) => sum + repeated, 0) === updates.length,
  )
  expect(all.length).toBeLessThan(20)
  expect(worker.output()).not.toContain('secret payload')
})

it('what a transformation cannot do is refused when the connector is created', async () => {
  const config = {
    'connector.class': 'io.debezium.connector.postgresql.PostgresConnector',
    'database.hostname': postgres.host,
    transforms: 'outbox',
    'transforms.outbox.type': 'io.debezium.transforms.outbox.EventRouter',
    'transforms.outbox.table.op.invalid.behavior': 'ignore',
  }
  const answer = await rest(worker.url, 'POST', '/connectors', { name: 'refused', config })
  expect(answer.status).toBe(400)
  expect(JSON.stringify(answer.body)).toContain('transforms.outbox.table.op.invalid.behavior')
})
