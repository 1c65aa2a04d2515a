import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { DatabaseSync } from 'node:sqlite'
import { setTimeout as sleep } from 'node:timers/promises'
import { startMariaDb } from '../../services/mariadb.ts'
import { scaled } from '../measure.ts'
import type { BenchCase, Figures, Side } from '../report.ts'
import { type Config, createConnector, deleteConnector, waitFor, waitForConnector } from '../rest-client.ts'
import { millraceBroker, millraceWorker } from '../systems.ts'
import { createTopicReader } from '../topic-reader.ts'
import { fillTopic, rowAt, TOPIC } from './jdbc-sink.ts'
import { JSON_CONVERTER } from './jdbc-table.ts'

/** The databases beside Postgres, each with its driver alone as the peer. */
const ROWS = scaled(200_000)
const BATCH = 3000
const COLUMNS = ['id', 'customer', 'city', 'amount', 'created', 'note'] as const
const LIST = COLUMNS.join(', ')
const table = (text: string): string =>
  `(id bigint not null primary key, customer ${text} not null, city ${text} not null, amount double not null, ` +
  `created bigint not null, note ${text} not null)`

interface Database {
  readonly name: string
  readonly driver: string
  readonly connection: Config
  execute(sql: string): Promise<void>
  count(name: string): Promise<number>
  /** Upserts so many rows at a time, as fast as the driver can. */
  write(name: string): Promise<void>
  /** Reads all rows. */
  read(name: string): Promise<number>
  stop(): Promise<void>
}

async function mariadb(): Promise<Database> {
  const server = await startMariaDb(['--innodb-buffer-pool-size=256M', '--innodb-log-file-size=256M'])
  const client = await server.connect()
  const updates = COLUMNS.slice(1).map((column) => `${column} = values(${column})`)
  return {
    name: 'mariadb',
    driver: 'mysql2',
    connection: {
      'connection.url': `jdbc:mariadb://${server.host}:${server.port}/${server.database}`,
      'connection.user': server.user,
      'connection.password': server.password,
    },
    execute: async (sql) => void (await server.query(sql)),
    count: async (name) => Number((await server.query(`select count(*) as n from ${name}`))[0]?.['n']),
    async write(name) {
      for (let from = 0; from < ROWS; from += BATCH) {
        const rows = Array.from({ length: Math.min(BATCH, ROWS - from) }, (_, at) => Object.values(rowAt(from + at)))
        await client.query(`insert into ${name} (${LIST}) values ? on duplicate key update ${updates.join(', ')}`, [
          rows,
        ])
      }
    },
    read: async (name) => ((await client.query(`select * from ${name}`))[0] as unknown[]).length,
    stop: () => server.stop(),
  }
}

async function sqlite(): Promise<Database> {
  const folder = await mkdtemp(join(tmpdir(), 'millrace-bench-sqlite-'))
  const file = join(folder, 'bench.db')
  const database = new DatabaseSync(file)
  database.exec('pragma journal_mode = wal')
  database.exec('pragma busy_timeout = 30000')
  const updates = COLUMNS.slice(1).map((column) => `${column} = excluded.${column}`)
  return {
    name: 'sqlite',
    driver: 'node:sqlite',
    connection: { 'connection.url': `jdbc:sqlite:${file}` },
    execute: async (sql) => database.exec(sql),
    count: async (name) => Number(database.prepare(`select count(*) as n from ${name}`).get()?.['n']),
    async write(name) {
      const values = COLUMNS.map(() => '?').join(', ')
      const upsert = `insert into ${name} (${LIST}) values (${values}) on conflict (id) do update set ${updates.join(', ')}`
      const statement = database.prepare(upsert)
      for (let from = 0; from < ROWS; from += BATCH) {
        database.exec('begin')
        for (let n = from; n < Math.min(from + BATCH, ROWS); n++) statement.run(...Object.values(rowAt(n)))
        database.exec('commit')
      }
    },
    async read(name) {
      let found = 0
      for (const _ of database.prepare(`select * from ${name}`).iterate()) found++
      return found
    },
    async stop() {
      database.close()
      await rm(folder, { recursive: true, force: true })
    },
  }
}

async function seconds(work: () => Promise<unknown>): Promise<number> {
  const started = performance.now()
  await work()
  return (performance.now() - started) / 1000
}

async function sides(start: () => Promise<Database>): Promise<readonly Side[]> {
  const database = await start()
  const broker = await millraceBroker()
  const worker = await millraceWorker(broker.bootstrapServers, `bench-${database.name}`)
  const reader = await createTopicReader(broker.bootstrapServers)
  await fillTopic(broker.bootstrapServers, ROWS)
  const text = database.name === 'mariadb' ? 'varchar(100)' : 'text'

  async function ours(round: number): Promise<Figures> {
    const name = `t_${database.name}_${round + 9}`
    await database.execute(`create table ${name} ${table(text)}`)
    const sink = await seconds(async () => {
      await createConnector(worker.url, `${name}-sink`, {
        'connector.class': 'io.confluent.connect.jdbc.JdbcSinkConnector',
        'tasks.max': '1',
        topics: TOPIC,
        'value.converter': JSON_CONVERTER,
        'value.converter.schemas.enable': 'true',
        'key.converter': 'org.apache.kafka.connect.converters.ByteArrayConverter',
        'consumer.override.max.poll.records': String(BATCH),
        'consumer.override.auto.offset.reset': 'earliest',
        'insert.mode': 'upsert',
        'pk.mode': 'record_value',
        'pk.fields': 'id',
        'batch.size': String(BATCH),
        'table.name.format': name,
        ...database.connection,
      })
      await waitForConnector(worker.url, `${name}-sink`, 'the rows are in the table', async () => {
        await sleep(100)
        return (await database.count(name)) >= ROWS
      })
    })
    await deleteConnector(worker.url, `${name}-sink`)
    const source = await seconds(async () => {
      await createConnector(worker.url, `${name}-source`, {
        'connector.class': 'io.confluent.connect.jdbc.JdbcSourceConnector',
        'tasks.max': '1',
        mode: 'incrementing',
        'incrementing.column.name': 'id',
        'table.whitelist': name,
        'topic.prefix': 'read-',
        'value.converter': JSON_CONVERTER,
        'value.converter.schemas.enable': 'false',
        ...database.connection,
      })
      await waitFor('the rows are in the topic', async () => (await reader.end(`read-${name}`)) >= ROWS)
    })
    await deleteConnector(worker.url, `${name}-source`)
    return { written: ROWS / sink, read: ROWS / source }
  }

  async function alone(round: number): Promise<Figures> {
    const name = `alone_${round + 9}`
    await database.execute(`create table ${name} ${table(text)}`)
    const written = ROWS / (await seconds(() => database.write(name)))
    const read = ROWS / (await seconds(() => database.read(name)))
    return { written, read }
  }

  return [
    {
      name: 'millrace',
      run: ours,
      async stop() {
        await reader.close()
        await worker.stop()
        await broker.stop()
      },
    },
    { name: database.driver, run: alone, stop: () => database.stop() },
  ]
}

const targets = [
  { figure: 'written', unit: '1/s', better: 'more' },
  { figure: 'read', unit: '1/s', better: 'more' },
] as const

export const jdbcOtherCases: readonly BenchCase[] = [
  { name: 'jdbc-mariadb', start: mariadb },
  { name: 'jdbc-sqlite', start: sqlite },
].map(({ name, start }) => ({
  name,
  title: `topic -> table -> topic, ${ROWS} upserts and rows; the peer is the driver alone`,
  targets,
  sides: () => sides(start),
}))
