import { spawn } from 'node:child_process'
import type { Postgres } from '../../services/postgres.ts'
import { cpuSeconds } from '../measure.ts'
import { ORIGINAL, originalPath, originalWorker } from '../originals.ts'
import type { BenchCase, Figures, Side, Target } from '../report.ts'
import { type Config, createConnector, deleteConnector, waitForConnector } from '../rest-client.ts'
import { type BrokerUnderTest, kafkaBroker, millraceBroker, millraceWorker, type WorkerUnderTest } from '../systems.ts'
import { createTopicReader } from '../topic-reader.ts'
import { JSON_CONVERTER, jdbcUrl, RECORDS, startServer, TABLE } from './jdbc-table.ts'

interface SourceStack {
  readonly name: string
  readonly broker: BrokerUnderTest
  readonly worker: WorkerUnderTest
  readonly config: Config
}

/** Reads the table into a new topic, where its end is looked up with a foreign client. */
async function sourceRun(stack: SourceStack, postgres: Postgres, mode: Config, round: number): Promise<Figures> {
  const { broker, worker } = stack
  const name = `jdbc-source-${round + 9}-`
  const reader = await createTopicReader(broker.bootstrapServers)
  const [before, brokerBefore] = [cpuSeconds(worker.pid()), cpuSeconds(broker.pid())]
  const started = performance.now()
  await createConnector(worker.url, name, {
    'tasks.max': '1',
    'connection.user': postgres.user,
    'connection.password': postgres.password,
    'table.whitelist': 'orders',
    'topic.prefix': name,
    'poll.interval.ms': '3600000',
    'batch.max.rows': '1000',
    'value.converter': JSON_CONVERTER,
    'value.converter.schemas.enable': 'false',
    ...stack.config,
    ...mode,
  })
  const areThere = async () => (await reader.end(`${name}orders`)) >= RECORDS
  await waitForConnector(worker.url, name, 'the rows are in the topic', areThere)
  const seconds = (performance.now() - started) / 1000
  const cpu = cpuSeconds(worker.pid()) - before
  const brokerCpu = cpuSeconds(broker.pid()) - brokerBefore
  await reader.close()
  await deleteConnector(worker.url, name)
  return { rows: RECORDS / seconds, perCore: RECORDS / cpu, perCoreWithBroker: RECORDS / (cpu + brokerCpu) }
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

async function millraceStack(url: string): Promise<SourceStack> {
  const broker = await millraceBroker()
  const worker = await millraceWorker(broker.bootstrapServers, 'bench-jdbc-source')
  const config = { 'connector.class': 'io.confluent.connect.jdbc.JdbcSourceConnector', 'connection.url': url }
  return { name: 'millrace', broker, worker, config }
}

async function originalStack(url: string, path: string): Promise<SourceStack> {
  const broker = await kafkaBroker()
  const worker = await originalWorker(broker.bootstrapServers, 'bench-jdbc-source', path)
  return {
    name: worker.name,
    broker,
    worker,
    config: {
      'connector.class': worker.connectorClass('.JdbcSourceConnector'),
      // Its best: without this the driver first takes all rows into its memory.
      'connection.url': `${url}?defaultRowFetchSize=1000`,
    },
  }
}

function sourceSides(mode: Config): () => Promise<Side[]> {
  return async () => {
    const path = originalPath('JDBC_ORIGINAL')
    const postgres = await startServer()
    await postgres.query(
      `create table orders ${TABLE};
       insert into orders select n, 'customer ' || n % 10000, 'City_' || n % 97, (n % 1000) / 8.0, 1700000000000 + n,
         'a few words that are the same each time' from generate_series(1, ${RECORDS}) n; analyze orders`,
    )
    const url = jdbcUrl(postgres)
    const side = (stack: SourceStack): Side => ({
      name: stack.name,
      role: stack.name === 'millrace' ? stack.name : ORIGINAL,
      run: (round) => sourceRun(stack, postgres, mode, round),
      async stop() {
        await stack.worker.stop()
        await stack.broker.stop()
      },
    })
    return [
      side(await millraceStack(url)),
      ...(path === null ? [] : [side(await originalStack(url, path))]),
      { name: 'psql', run: () => psql(postgres), stop: () => postgres.stop() },
    ]
  }
}

/** psql converts nothing and writes nowhere: nothing is asked of how near we come to it. */
const targets: readonly Target[] = [
  { figure: 'rows', unit: '1/s', better: 'more', peer: ORIGINAL, ratio: 2 },
  { figure: 'perCore', unit: '1/core-s', better: 'more', peer: ORIGINAL },
  { figure: 'perCoreWithBroker', unit: '1/core-s', better: 'more', peer: ORIGINAL },
  { figure: 'rows', unit: '1/s', better: 'more', peer: 'psql' },
  { figure: 'perCore', unit: '1/core-s', better: 'more', peer: 'psql' },
]

export const jdbcSourceCases: readonly BenchCase[] = [
  {
    name: 'jdbc-source',
    title: `Postgres -> topic, ${RECORDS} rows of a table in bulk; peers: the original, psql that only reads them`,
    targets,
    sides: sourceSides({ mode: 'bulk' }),
  },
  {
    name: 'jdbc-source-incrementing',
    title: `Postgres -> topic, ${RECORDS} rows by their numbers; peers: the original, psql that only reads them`,
    targets,
    sides: sourceSides({ mode: 'incrementing', 'incrementing.column.name': 'id' }),
  },
]
