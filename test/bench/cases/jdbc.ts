import { spawn } from 'node:child_process'
import { setTimeout as sleep } from 'node:timers/promises'
import { silentLogger } from '../../../src/base/index.ts'
import { realClock, realNet, realRandom } from '../../../src/base/real/index.ts'
import { createClient } from '../../../src/client/index.ts'
import { debeziumJdbcPath } from '../../services/debezium-jdbc.ts'
import { startKafkaConnect } from '../../services/kafka-connect.ts'
import { type Postgres, startPostgres } from '../../services/postgres.ts'
import { cpuSeconds } from '../measure.ts'
import type { BenchCase, Figures, Side } from '../report.ts'
import { type Config, createConnector, deleteConnector, waitFor } from '../rest-client.ts'
import { type BrokerUnderTest, kafkaBroker, millraceBroker, millraceWorker } from '../systems.ts'
import { createTopicReader } from '../topic-reader.ts'

const RECORDS = 1_000_000
const PARTITIONS = 4
const TOPIC = 'bench-orders'
const JSON_CONVERTER = 'org.apache.kafka.connect.json.JsonConverter'

const field = (type: string, name: string) => ({ type, optional: false, field: name })
const schema = {
  type: 'struct',
  optional: false,
  name: 'order',
  fields: [
    field('int64', 'id'),
    field('string', 'customer'),
    field('string', 'city'),
    field('double', 'amount'),
    field('int64', 'created'),
    field('string', 'note'),
  ],
}

async function fillTopic(bootstrapServers: string): Promise<void> {
  const environment = { clock: realClock, net: realNet, random: realRandom, logger: silentLogger }
  const client = createClient({ bootstrapServers, ...environment })
  const admin = client.admin()
  await admin.topics.create([{ name: TOPIC, numPartitions: PARTITIONS, replicationFactor: 1 }])
  const producer = client.producer()
  const head = `{"schema":${JSON.stringify(schema)},"payload":`
  for (let n = 0; n < RECORDS; n++) {
    const room = producer.ready(TOPIC)
    if (room) await room
    const payload = {
      id: n,
      customer: `customer ${n % 10_000}`,
      city: `City_${n % 97}`,
      amount: (n % 1000) / 8,
      created: 1_700_000_000_000 + n,
      note: 'a few words that are the same each time',
    }
    producer.append({
      topic: TOPIC,
      partition: n % PARTITIONS,
      key: null,
      value: Buffer.from(`${head}${JSON.stringify(payload)}}`),
      headers: [],
      timestamp: Date.now(),
    })
  }
  await producer.flush()
  await producer.close()
}

const TABLE = `(id bigint primary key, customer text not null, city text not null, amount double precision not null,
  created bigint not null, note text not null)`

interface SinkStack {
  readonly name: string
  readonly broker: BrokerUnderTest
  readonly worker: { readonly url: string; pid(): number; stop(): Promise<void> }
  config(table: string): Config
}

/** Upserts the topic into an empty table; rows are counted where they arrive. */
async function sinkRun(stack: SinkStack, postgres: Postgres, tasks: number, round: number): Promise<Figures> {
  const table = `t_${stack.name.replaceAll('-', '_')}_${round + 9}_${tasks}`
  await postgres.query(`create table ${table} ${TABLE}`)
  const before = cpuSeconds(stack.worker.pid())
  const started = performance.now()
  await createConnector(stack.worker.url, table, {
    'tasks.max': String(tasks),
    topics: TOPIC,
    'value.converter': JSON_CONVERTER,
    'value.converter.schemas.enable': 'true',
    'key.converter': 'org.apache.kafka.connect.converters.ByteArrayConverter',
    'consumer.override.max.poll.records': '3000',
    'consumer.override.auto.offset.reset': 'earliest',
    ...stack.config(table),
  })
  const count = async () => {
    // Counting takes the server's time from the sink, so it is done now and then.
    await sleep(500)
    return Number((await postgres.query(`select count(*) as n from ${table}`))[0]?.['n'])
  }
  await waitFor('the rows are in the table', async () => (await count()) >= RECORDS, 600_000)
  const seconds = (performance.now() - started) / 1000
  const cpu = cpuSeconds(stack.worker.pid()) - before
  await deleteConnector(stack.worker.url, table)
  await postgres.query(`drop table ${table}`)
  return { records: RECORDS / seconds, perCore: RECORDS / cpu }
}

const startServer = (): Promise<Postgres> =>
  startPostgres({ version: 15, settings: { max_wal_size: '4GB', shared_buffers: '256MB' } })

/** Millrace's sink and Debezium's, the same JSON with its schema, each worker with its own log. */
function sinkSides(tasks: number): () => Promise<Side[]> {
  return async () => {
    const postgres = await startServer()
    const url = `jdbc:postgresql://${postgres.host}:${postgres.port}/${postgres.database}`
    const ours = await millraceBroker()
    const theirs = await kafkaBroker()
    const plugins = await debeziumJdbcPath()
    const stacks: SinkStack[] = [
      {
        name: 'millrace',
        broker: ours,
        worker: await millraceWorker(ours.bootstrapServers, 'bench-jdbc'),
        config: (table) => ({
          'connector.class': 'io.confluent.connect.jdbc.JdbcSinkConnector',
          'connection.url': url,
          'connection.user': postgres.user,
          'connection.password': postgres.password,
          'insert.mode': 'upsert',
          'pk.mode': 'record_value',
          'pk.fields': 'id',
          'batch.size': '3000',
          'table.name.format': table,
        }),
      },
      {
        name: 'debezium',
        broker: theirs,
        worker: await startKafkaConnect({
          bootstrapServers: theirs.bootstrapServers,
          group: 'bench-jdbc',
          properties: { 'plugin.path': plugins },
        }),
        config: (table) => ({
          'connector.class': 'io.debezium.connector.jdbc.JdbcSinkConnector',
          // Its best: rows of one statement are sent together and written as one by the driver.
          'connection.url': `${url}?reWriteBatchedInserts=true`,
          'connection.username': postgres.user,
          'connection.password': postgres.password,
          'insert.mode': 'upsert',
          'primary.key.mode': 'record_value',
          'primary.key.fields': 'id',
          'batch.size': '3000',
          'schema.evolution': 'none',
          'collection.name.format': table,
        }),
      },
    ]
    await fillTopic(ours.bootstrapServers)
    await fillTopic(theirs.bootstrapServers)
    return stacks.map((stack, index) => ({
      name: stack.name,
      run: (round) => sinkRun(stack, postgres, tasks, round),
      async stop() {
        await stack.worker.stop()
        await stack.broker.stop()
        if (index === stacks.length - 1) await postgres.stop()
      },
    }))
  }
}

/** The server's own client reading the same rows, with nothing behind it. */
async function psql(postgres: Postgres): Promise<Figures> {
  const started = performance.now()
  // The shell reckons up what the client took.
  const script = 'psql "$0" -qAt -v FETCH_COUNT=1000 -c "select * from orders order by id" >/dev/null; times'
  const child = spawn('/bin/sh', ['-c', script, postgres.url], { stdio: ['ignore', 'pipe', 'inherit'] })
  let said = ''
  child.stdout.on('data', (chunk) => (said += String(chunk)))
  await new Promise((resolve) => child.once('close', resolve))
  const [user, system] = [...(said.trim().split('\n').at(-1) ?? '').matchAll(/(\d+)m([\d.]+)s/g)].map(
    ([, minutes, seconds]) => Number(minutes) * 60 + Number(seconds),
  ) as [number, number]
  return { rows: RECORDS / ((performance.now() - started) / 1000), perCore: RECORDS / (user + system) }
}

function sourceSides(mode: Config): () => Promise<Side[]> {
  return async () => {
    const postgres = await startServer()
    await postgres.query(
      `create table orders ${TABLE};
       insert into orders select n, 'customer ' || n % 10000, 'City_' || n % 97, (n % 1000) / 8.0, 1700000000000 + n,
         'a few words that are the same each time' from generate_series(1, ${RECORDS}) n; analyze orders`,
    )
    const broker = await millraceBroker()
    const worker = await millraceWorker(broker.bootstrapServers, 'bench-jdbc-source')
    return [
      {
        name: 'millrace',
        async run(round) {
          const name = `jdbc-source-${round + 9}-`
          const reader = await createTopicReader(broker.bootstrapServers)
          const before = cpuSeconds(worker.pid())
          const started = performance.now()
          await createConnector(worker.url, name, {
            'connector.class': 'io.confluent.connect.jdbc.JdbcSourceConnector',
            'tasks.max': '1',
            'connection.url': `jdbc:postgresql://${postgres.host}:${postgres.port}/${postgres.database}`,
            'connection.user': postgres.user,
            'connection.password': postgres.password,
            'table.whitelist': 'orders',
            'topic.prefix': name,
            'poll.interval.ms': '3600000',
            'value.converter': JSON_CONVERTER,
            'value.converter.schemas.enable': 'false',
            ...mode,
          })
          await waitFor(
            'the rows are in the topic',
            async () => (await reader.end(`${name}orders`)) >= RECORDS,
            600_000,
          )
          const seconds = (performance.now() - started) / 1000
          const cpu = cpuSeconds(worker.pid()) - before
          await reader.close()
          await deleteConnector(worker.url, name)
          return { rows: RECORDS / seconds, perCore: RECORDS / cpu }
        },
        async stop() {
          await worker.stop()
          await broker.stop()
        },
      },
      { name: 'psql', run: () => psql(postgres), stop: () => postgres.stop() },
    ]
  }
}

const sinkTargets = [
  { figure: 'records', unit: '1/s', better: 'more' },
  { figure: 'perCore', unit: '1/core-s', better: 'more', ratio: 1.5 },
] as const
/** The original's jar is on no public repository, so the ratio is to the server's client, which converts nothing. */
const sourceTargets = [
  { figure: 'rows', unit: '1/s', better: 'more' },
  { figure: 'perCore', unit: '1/core-s', better: 'more' },
] as const

export const jdbcCases: readonly BenchCase[] = [
  {
    name: 'jdbc-sink',
    title: 'topic -> Postgres, upsert of 1 M records by one task; the peer is the JDBC sink of Debezium',
    targets: sinkTargets,
    sides: sinkSides(1),
  },
  {
    name: 'jdbc-sink-4',
    title: 'topic -> Postgres, upsert of 1 M records by four tasks; the peer is the JDBC sink of Debezium',
    targets: sinkTargets,
    sides: sinkSides(PARTITIONS),
  },
  {
    name: 'jdbc-source',
    title: 'Postgres -> topic, 1 M rows of a table in bulk; the peer is psql, which reads them and does nothing else',
    targets: sourceTargets,
    sides: sourceSides({ mode: 'bulk' }),
  },
  {
    name: 'jdbc-source-incrementing',
    title: 'Postgres -> topic, 1 M rows by their numbers; the peer is psql, which reads them and does nothing else',
    targets: sourceTargets,
    sides: sourceSides({ mode: 'incrementing', 'incrementing.column.name': 'id' }),
  },
]
