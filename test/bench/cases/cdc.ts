import { setTimeout as sleep } from 'node:timers/promises'
import type pg from 'pg'
import { createTopicReader } from '../topic-reader.ts'
import { type Postgres, startPostgres } from '../../services/postgres.ts'
import { cpuSeconds, percentile, pssMb } from '../measure.ts'
import type { BenchCase, Figures, Side } from '../report.ts'
import { type Config, createConnector, deleteConnector, runsWithin, waitFor } from '../rest-client.ts'
import {
  type BrokerUnderTest,
  kafkaBroker,
  kafkaWorker,
  millraceBroker,
  millraceWorker,
  type WorkerUnderTest,
} from '../systems.ts'

const ROWS = 1_000_000
const CHANGES = 500_000
const SINGLE = 100_000
const PAD = "rpad('', 80, 'abcdefghij')"

interface Stack {
  readonly broker: BrokerUnderTest
  readonly worker: WorkerUnderTest
  readonly postgres: Postgres
}

function connector(postgres: Postgres, prefix: string, table: string, extra: Config): Config {
  const slot = prefix.replaceAll('-', '_')
  return {
    'connector.class': 'io.debezium.connector.postgresql.PostgresConnector',
    'tasks.max': '1',
    'database.hostname': postgres.host,
    'database.port': String(postgres.port),
    'database.user': postgres.user,
    'database.password': postgres.password,
    'database.dbname': postgres.database,
    'topic.prefix': prefix,
    'table.include.list': table,
    'plugin.name': 'pgoutput',
    'slot.name': slot,
    'publication.name': slot,
    'publication.autocreate.mode': 'filtered',
    'slot.drop.on.stop': 'true',
    ...extra,
  }
}

async function drop(stack: Stack, prefix: string): Promise<void> {
  const slot = prefix.replaceAll('-', '_')
  await deleteConnector(stack.worker.url, prefix)
  // The end of a connector is not instant: its slot can be taken again after it was seen free.
  const dropped = async () => {
    const found = `from pg_replication_slots where slot_name = '${slot}'`
    const [state] = await stack.postgres.query(`select active ${found}`)
    if (state === undefined) return true
    if (state['active'] === true) return false
    const attempt = stack.postgres.query(`select pg_drop_replication_slot(slot_name) ${found}`)
    return await attempt.then(
      () => true,
      () => false,
    )
  }
  await waitFor('the slot is free', dropped)
  await stack.postgres.query(`drop publication if exists ${slot}`)
}

async function events(stack: Stack): Promise<void> {
  await stack.postgres.query('drop table if exists ev')
  await stack.postgres.query(
    'create table ev(id bigint primary key, k int, v text, ts timestamptz default clock_timestamp())',
  )
}

/** Rows or changes a second, and for each second of CPU that worker and hosts took. */
function rates(count: number, milliseconds: number, cpu: number): Figures {
  return { rows: count / (milliseconds / 1000), perCore: count / cpu }
}

async function snapshot(stack: Stack, round: number): Promise<Figures> {
  const prefix = `snap-${round + 9}-${stack.broker.name}`
  const topic = `${prefix}.public.accounts`
  const found = await stack.postgres.query("select to_regclass('public.accounts') is not null as found")
  if (found[0]?.found !== true) {
    await stack.postgres.query(
      `create table accounts(aid int primary key, bid int, abalance int, filler char(84));
       insert into accounts select n, n % 10, 0, '' from generate_series(1, ${ROWS}) n; analyze accounts`,
    )
  }
  const reader = await createTopicReader(stack.broker.bootstrapServers)
  const cpu = cpuSeconds(stack.worker.pid())
  const started = performance.now()
  await createConnector(
    stack.worker.url,
    prefix,
    connector(stack.postgres, prefix, 'public.accounts', { 'snapshot.mode': 'initial' }),
  )
  await waitFor('the snapshot is in the topic', async () => (await reader.end(topic)) >= ROWS, 300_000)
  const figures = rates(ROWS, performance.now() - started, cpuSeconds(stack.worker.pid()) - cpu)
  const memory = pssMb(stack.worker.pid()) + pssMb(stack.broker.pid())
  await reader.close()
  await drop(stack, prefix)
  return { ...figures, memory }
}

async function loadChanges(client: pg.Client, kind: 'thousand' | 'single'): Promise<number> {
  if (kind === 'thousand') {
    for (let i = 0; i < CHANGES; i += 1000) {
      await client.query(`insert into ev(id,k,v) select g, g%100, ${PAD} from generate_series(${i}, ${i + 999}) g`)
    }
    return CHANGES
  }
  await client.query('set synchronous_commit=off')
  await client.query(
    `do $$ begin for i in 0..${SINGLE - 1} loop insert into ev(id,k,v) values (i, i%100, ${PAD}); commit; end loop; end $$`,
  )
  return SINGLE
}

/** A streaming connector on an empty table, warmed by one row. */
async function streaming(stack: Stack, prefix: string): Promise<void> {
  await events(stack)
  await createConnector(
    stack.worker.url,
    prefix,
    connector(stack.postgres, prefix, 'public.ev', { 'snapshot.mode': 'no_data' }),
  )
  await runsWithin(stack.worker.url, prefix)
  const slot = prefix.replaceAll('-', '_')
  const active = async () =>
    (await stack.postgres.query(`select 1 from pg_replication_slots where slot_name = '${slot}' and active`)).length > 0
  await waitFor('the slot is active', active)
  await stack.postgres.query("insert into ev select -1, 1, 'warm'")
}

function stream(kind: 'thousand' | 'single') {
  return async (stack: Stack, round: number): Promise<Figures> => {
    const prefix = `${kind}-${round + 9}-${stack.broker.name}`
    const topic = `${prefix}.public.ev`
    const reader = await createTopicReader(stack.broker.bootstrapServers)
    await streaming(stack, prefix)
    await waitFor('the warm-up row', async () => (await reader.end(topic)) >= 1)
    const client = await stack.postgres.connect()
    const cpu = cpuSeconds(stack.worker.pid())
    const started = performance.now()
    const count = await loadChanges(client, kind)
    await waitFor('the changes are in the topic', async () => (await reader.end(topic)) > count, 300_000)
    const figures = rates(count, performance.now() - started, cpuSeconds(stack.worker.pid()) - cpu)
    const memory = pssMb(stack.worker.pid()) + pssMb(stack.broker.pid())
    await reader.close()
    await client.end()
    await drop(stack, prefix)
    return { ...figures, memory }
  }
}

const RATE = 1000
const SECONDS = 10

/** Single-row transactions at a steady rate: commit returned to record seen by a consumer, default configuration. */
async function latency(stack: Stack, round: number): Promise<Figures> {
  const prefix = `latency-${round + 9}-${stack.broker.name}`
  const topic = `${prefix}.public.ev`
  const reader = await createTopicReader(stack.broker.bootstrapServers)
  await streaming(stack, prefix)
  await waitFor('the warm-up row', async () => (await reader.end(topic)) >= 1)
  const total = RATE * SECONDS
  const seen = reader.arrivals(topic, 1, total)
  const client = await stack.postgres.connect()
  const sent: number[] = []
  const started = performance.now()
  for (let i = 0; i < total; i++) {
    const due = started + (i * 1000) / RATE
    if (due - performance.now() > 1) await sleep(due - performance.now())
    await client.query({ name: 'insert', text: 'insert into ev(id,k,v) values ($1,1,$2)', values: [i, 'x'.repeat(80)] })
    sent.push(performance.now())
  }
  const arrived = await seen
  // The first second is not counted: both sides warm up.
  const delays = arrived.map((at, i) => at - (sent[i] as number)).slice(RATE)
  await reader.close()
  await client.end()
  await drop(stack, prefix)
  return { p50: percentile(delays, 0.5), p99: percentile(delays, 0.99) }
}

function sidesOf(run: (stack: Stack, round: number) => Promise<Figures>, group: string): () => Promise<Side[]> {
  return async () => {
    const postgres = await startPostgres({
      version: 15,
      wal: 'logical',
      settings: { fsync: 'on', max_wal_size: '4GB', shared_buffers: '256MB' },
    })
    const stacks: Stack[] = []
    const ours = await millraceBroker()
    stacks.push({ broker: ours, worker: await millraceWorker(ours.bootstrapServers, group), postgres })
    const theirs = await kafkaBroker()
    stacks.push({ broker: theirs, worker: await kafkaWorker(theirs.bootstrapServers, group), postgres })
    return stacks.map((stack, index) => ({
      name: stack.broker.name === 'kafka' ? 'debezium' : stack.broker.name,
      run: (round) => run(stack, round),
      async stop() {
        await stack.worker.stop()
        await stack.broker.stop()
        if (index === stacks.length - 1) await postgres.stop()
      },
    }))
  }
}

const throughput = [
  { figure: 'rows', unit: '1/s', better: 'more', ratio: 2 },
  { figure: 'perCore', unit: '1/core-s', better: 'more', ratio: 4 },
  { figure: 'memory', unit: 'MB', better: 'less', absolute: 400 },
] as const

export const cdcCases: readonly BenchCase[] = [
  {
    name: 'cdc-snapshot',
    title: 'snapshot of 1 M rows',
    targets: throughput,
    sides: sidesOf(snapshot, 'bench-snapshot'),
  },
  {
    name: 'cdc-stream',
    title: '500 k changes in 1,000-row transactions',
    targets: throughput,
    sides: sidesOf(stream('thousand'), 'bench-stream'),
  },
  {
    name: 'cdc-single',
    title: '100 k single-row transactions',
    targets: throughput,
    sides: sidesOf(stream('single'), 'bench-single'),
  },
  {
    name: 'cdc-latency',
    title: '1,000 changes a second, commit to consumer, default configuration',
    targets: [
      { figure: 'p50', unit: 'ms', better: 'less', absolute: 10 },
      { figure: 'p99', unit: 'ms', better: 'less', absolute: 50, ratio: 0.2 },
    ],
    sides: sidesOf(latency, 'bench-latency'),
  },
]
