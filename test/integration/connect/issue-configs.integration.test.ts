// Configurations as users of Kafka Connect have them, posted to a worker: only the addresses are the test's.
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import {
  type MillraceBroker,
  type MillraceWorker,
  startMillraceBroker,
  startMillraceWorker,
} from '../../services/millrace.ts'
import { type Postgres, postgresMissing, startPostgres } from '../../services/postgres.ts'
import { clientOf } from '../client/clusters.ts'
import { rest, until } from './connect-cluster.ts'

describe.each([15, 18] as const)('configurations of Debezium and the JDBC source on Postgres %i', (version) => {
  const missing = postgresMissing(version)
  const it = test.skipIf(missing !== null)
  let postgres: Postgres
  let broker: MillraceBroker
  let worker: MillraceWorker

  beforeAll(async () => {
    if (missing !== null) return
    ;[postgres, broker] = await Promise.all([startPostgres({ version }), startMillraceBroker()])
    worker = await startMillraceWorker(broker.bootstrapServers, `issue-${version}`)
  })

  afterAll(async () => {
    await worker?.stop()
    await Promise.all([broker?.stop(), postgres?.stop()])
  })

  /** Keys and values of a topic with one partition, once there are so many. */
  async function contentOf(topic: string, count: number): Promise<{ readonly key: any; readonly value: any }[]> {
    const consumer = clientOf(broker).consumer()
    const parse = (bytes: Buffer | null) => (bytes === null ? null : (JSON.parse(bytes.toString()) as unknown))
    const found: { key: any; value: any }[] = []
    try {
      consumer.assign([{ topic, partition: 0 }])
      consumer.seekToBeginning()
      const read = async () => {
        for (const { key, value } of await consumer.poll(500)) found.push({ key: parse(key), value: parse(value) })
        return found
      }
      return await until(`${topic} has ${count} records`, read, ({ length }) => length >= count)
    } finally {
      await consumer.close()
    }
  }

  async function create(name: string, config: Record<string, string>): Promise<void> {
    const created = await rest(worker.url, 'POST', '/connectors', { name, config })
    // Invariant 10: what is marked as a password is never shown.
    const shown = Object.keys(config).includes('database.password') ? { 'database.password': '[hidden]' } : {}
    const body = { name, config: { ...config, ...shown, name }, tasks: [], type: 'source' }
    expect(created).toMatchObject({ status: 201, body })
    const status = () => rest(worker.url, 'GET', `/connectors/${name}/status`)
    const running = await until(`${name} runs`, status, (seen) => {
      return seen.body.connector?.state === 'RUNNING' && seen.body.tasks?.[0]?.state === 'RUNNING'
    })
    expect(running.body.tasks).toHaveLength(1)
  }

  it("Debezium's class captures what was there and every change after it", async () => {
    await postgres.query('create schema inventory')
    await postgres.query('create table inventory.customers (id serial primary key, name text not null)')
    await postgres.query("insert into inventory.customers (name) values ('Ada')")
    await create('inventory-connector', {
      'connector.class': 'io.debezium.connector.postgresql.PostgresConnector',
      'tasks.max': '1',
      'plugin.name': 'pgoutput',
      'database.hostname': postgres.host,
      'database.port': String(postgres.port),
      'database.user': postgres.user,
      'database.password': postgres.password,
      'database.dbname': postgres.database,
      'topic.prefix': 'fulfillment',
      'table.include.list': 'inventory.customers',
    })
    await contentOf('fulfillment.inventory.customers', 1)
    await postgres.query("update inventory.customers set name = 'Ada L.'")
    await postgres.query('delete from inventory.customers')
    const found = await contentOf('fulfillment.inventory.customers', 4)
    expect(found.map(({ key }) => key)).toEqual([{ id: 1 }, { id: 1 }, { id: 1 }, { id: 1 }])
    expect(found.map(({ value }) => value?.op ?? null)).toEqual(['r', 'u', 'd', null])
    expect(found[1]?.value).toMatchObject({
      after: { id: 1, name: 'Ada L.' },
      source: { connector: 'postgresql', name: 'fulfillment', schema: 'inventory', table: 'customers' },
    })
  })

  it('the JDBC source runs as written but for the host', async () => {
    await postgres.query(
      'create table driver (id serial primary key, name text, rating numeric(5, 0), "timestamp" timestamp not null)',
    )
    const insert = (name: string) =>
      postgres.query(
        `insert into driver (name, rating, "timestamp") values ('${name}', 4, now() at time zone 'utc' - interval '1 s')`,
      )
    await insert('Niki')
    await create('Driver-Connector', {
      'connector.class': 'io.confluent.connect.jdbc.JdbcSourceConnector',
      'connection.url': `jdbc:postgresql://${postgres.host}:${postgres.port}/postgres`,
      'connection.user': 'postgres',
      'table.whitelist': 'driver',
      'topic.prefix': '',
      mode: 'timestamp+incrementing',
      'incrementing.column.name': 'id',
      'timestamp.column.name': 'timestamp',
      'table.types': 'TABLE',
      'numeric.mapping': 'best_fit',
    })
    await contentOf('driver', 1)
    await insert('Alain')
    const found = await contentOf('driver', 2)
    expect(found.map(({ value: { id, name, rating } }) => ({ id, name, rating }))).toEqual([
      { id: 1, name: 'Niki', rating: 4 },
      { id: 2, name: 'Alain', rating: 4 },
    ])
  })
})
