import { setTimeout as sleep } from 'node:timers/promises'
import { clientOf } from '../../integration/client/clusters.ts'
import { createTopic, type NewRecord, produce } from '../../integration/support/topics.ts'
import { debeziumJdbcPath } from '../../services/debezium-jdbc.ts'
import { startKafkaConnect } from '../../services/kafka-connect.ts'
import type { Postgres } from '../../services/postgres.ts'
import { cpuSeconds } from '../measure.ts'
import { ORIGINAL, originalPath, originalWorker } from '../originals.ts'
import type { BenchCase, Figures, Side, Target } from '../report.ts'
import { type Config, createConnector, deleteConnector, waitForConnector } from '../rest-client.ts'
import { type BrokerUnderTest, kafkaBroker, millraceBroker, millraceWorker } from '../systems.ts'
import { JSON_CONVERTER, jdbcUrl, RECORDS, startServer, TABLE } from './jdbc-table.ts'

const PARTITIONS = 4
export const TOPIC = 'bench-orders'

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

/** A row of the table of these cases. */
export const rowAt = (n: number) => ({
  id: n,
  customer: `customer ${n % 10_000}`,
  city: `City_${n % 97}`,
  amount: (n % 1000) / 8,
  created: 1_700_000_000_000 + n,
  note: 'a few words that are the same each time',
})

function* rows(count: number): Generator<NewRecord> {
  const head = `{"schema":${JSON.stringify(schema)},"payload":`
  for (let n = 0; n < count; n++) {
    yield { partition: n % PARTITIONS, key: null, value: Buffer.from(`${head}${JSON.stringify(rowAt(n))}}`) }
  }
}

export async function fillTopic(bootstrapServers: string, count = RECORDS): Promise<void> {
  const client = clientOf({ bootstrapServers })
  await createTopic(client, TOPIC, PARTITIONS)
  await produce(client, TOPIC, rows(count))
}

interface SinkStack {
  readonly name: string
  readonly role?: string
  readonly broker: BrokerUnderTest
  readonly worker: { readonly url: string; pid(): number; stop(): Promise<void> }
  config(table: string): Config
}

/** Upserts the topic into an empty table; rows are counted where they arrive. */
async function sinkRun(stack: SinkStack, postgres: Postgres, tasks: number, round: number): Promise<Figures> {
  const table = `t_${stack.name.replaceAll('-', '_')}_${round + 9}_${tasks}`
  await postgres.query(`create table ${table} ${TABLE}`)
  const [worker, broker] = [cpuSeconds(stack.worker.pid()), cpuSeconds(stack.broker.pid())]
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
  const areThere = async () => (await count()) >= RECORDS
  await waitForConnector(stack.worker.url, table, 'the rows are in the table', areThere)
  const seconds = (performance.now() - started) / 1000
  const cpu = cpuSeconds(stack.worker.pid()) - worker
  const brokerCpu = cpuSeconds(stack.broker.pid()) - broker
  await deleteConnector(stack.worker.url, table)
  await postgres.query(`drop table ${table}`)
  return { records: RECORDS / seconds, perCore: RECORDS / cpu, perCoreWithBroker: RECORDS / (cpu + brokerCpu) }
}

/** One config for both, as the original has it; Millrace takes it as it is. */
const sinkConfig = (postgres: Postgres, url: string, table: string): Config => ({
  'connection.url': url,
  'connection.user': postgres.user,
  'connection.password': postgres.password,
  'insert.mode': 'upsert',
  'pk.mode': 'record_value',
  'pk.fields': 'id',
  'batch.size': '3000',
  'table.name.format': table,
})

async function debeziumStack(broker: BrokerUnderTest, postgres: Postgres, url: string): Promise<SinkStack> {
  return {
    name: 'debezium',
    broker,
    worker: await startKafkaConnect({
      bootstrapServers: broker.bootstrapServers,
      group: 'bench-jdbc',
      properties: { 'plugin.path': await debeziumJdbcPath() },
    }),
    config: (table) => ({
      'connector.class': 'io.debezium.connector.jdbc.JdbcSinkConnector',
      'connection.url': url,
      'connection.username': postgres.user,
      'connection.password': postgres.password,
      'insert.mode': 'upsert',
      'primary.key.mode': 'record_value',
      'primary.key.fields': 'id',
      'batch.size': '3000',
      'schema.evolution': 'none',
      'collection.name.format': table,
    }),
  }
}

async function originalStack(
  broker: BrokerUnderTest,
  postgres: Postgres,
  url: string,
  path: string,
): Promise<SinkStack> {
  const worker = await originalWorker(broker.bootstrapServers, 'bench-jdbc-original', path)
  const connectorClass = worker.connectorClass('.JdbcSinkConnector')
  const config = (table: string) => ({ 'connector.class': connectorClass, ...sinkConfig(postgres, url, table) })
  return { name: worker.name, role: ORIGINAL, broker, worker, config }
}

/** Millrace's sink and others, the same JSON with its schema; the others share a log of Kafka, but no worker. */
function sinkSides(tasks: number): () => Promise<Side[]> {
  return async () => {
    const path = originalPath('JDBC_ORIGINAL')
    const postgres = await startServer()
    const url = jdbcUrl(postgres)
    // Their best: rows of one statement are sent together and written as one by the driver.
    const theirUrl = `${url}?reWriteBatchedInserts=true`
    const ours = await millraceBroker()
    const theirs = await kafkaBroker()
    const stacks: SinkStack[] = [
      {
        name: 'millrace',
        broker: ours,
        worker: await millraceWorker(ours.bootstrapServers, 'bench-jdbc'),
        config: (table) => ({
          'connector.class': 'io.confluent.connect.jdbc.JdbcSinkConnector',
          ...sinkConfig(postgres, url, table),
        }),
      },
      await debeziumStack(theirs, postgres, theirUrl),
      ...(path === null ? [] : [await originalStack(theirs, postgres, theirUrl, path)]),
    ]
    await fillTopic(ours.bootstrapServers)
    await fillTopic(theirs.bootstrapServers)
    return stacks.map((stack, index) => ({
      name: stack.name,
      ...(stack.role === undefined ? {} : { role: stack.role }),
      run: (round) => sinkRun(stack, postgres, tasks, round),
      async stop() {
        await stack.worker.stop()
        if (stack.broker === ours) await ours.stop()
        if (index < stacks.length - 1) return
        await theirs.stop()
        await postgres.stop()
      },
    }))
  }
}

const targets = ['debezium', ORIGINAL].flatMap((peer): Target[] => [
  { figure: 'records', unit: '1/s', better: 'more', peer },
  { figure: 'perCore', unit: '1/core-s', better: 'more', peer, ratio: 1.5 },
])

export const jdbcSinkCases: readonly BenchCase[] = [1, PARTITIONS].map((tasks) => ({
  name: tasks === 1 ? 'jdbc-sink' : `jdbc-sink-${tasks}`,
  title: `topic -> Postgres, upsert of ${RECORDS} records, ${tasks} task(s); peers: Debezium's JDBC sink, the original`,
  targets,
  sides: sinkSides(tasks),
}))
