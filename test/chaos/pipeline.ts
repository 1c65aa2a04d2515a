// The whole path under kill -9: Postgres -> topic -> reporting copy, with workers, broker and Postgres killed under load.
import { setTimeout as sleep } from 'node:timers/promises'
import { Consumer } from '@platformatic/kafka'
import type pg from 'pg'
import { seededRandom } from '../../src/base/index.ts'
import { createConnector, status } from '../bench/rest-client.ts'
import { DEADLINE_MS } from '../services/deadline.ts'
import {
  type MillraceBroker,
  type MillraceWorker,
  startMillraceBroker,
  startMillraceWorker,
} from '../services/millrace.ts'
import { type Postgres, startPostgres } from '../services/postgres.ts'

export interface ChaosOptions {
  readonly rounds: number
  readonly seed: number
  readonly log: (line: string) => void
}

export interface PipelineSummary {
  readonly kills: Readonly<Record<Victim, number>>
  readonly committedRows: number
  readonly recordsInTopics: number
  readonly repeatedInTopics: number
  readonly auditRows: number
}

type Victim = 'worker' | 'broker' | 'postgres'
const VICTIMS: readonly Victim[] = ['worker', 'broker', 'postgres']
const ACCOUNTS = 20
const SETTLE_MS = 2 * DEADLINE_MS

interface Stack {
  readonly postgres: Postgres
  readonly broker: MillraceBroker
  readonly workers: readonly MillraceWorker[]
}

const SCHEMA = `
create table ledger (id bigint generated always as identity primary key, account int not null, amount int not null);
create table accounts (id int primary key, seq int not null);
insert into accounts select n, 0 from generate_series(0, ${ACCOUNTS - 1}) n;
create schema reporting; create schema audit;
create table audit.ledger (id bigint, account int, amount int,
  "__connect_topic" text, "__connect_partition" int, "__connect_offset" bigint);
`

/** Adds entries and counts up accounts, one transaction after the other, through every crash of the server. */
class Load {
  readonly #postgres: Postgres
  readonly #random = seededRandom(7)
  #client: pg.Client | undefined
  #running: Promise<void> | undefined
  #stop = false

  constructor(postgres: Postgres) {
    this.#postgres = postgres
  }

  start(): void {
    this.#stop = false
    this.#running = this.#run()
  }

  async stop(): Promise<void> {
    this.#stop = true
    await this.#running
  }

  async #run(): Promise<void> {
    while (!this.#stop) {
      try {
        this.#client ??= await this.#postgres.connect()
        await this.#transaction(this.#client)
      } catch {
        // The server was killed: what was not committed is not expected anywhere.
        this.#client = undefined
        await sleep(20)
      }
      await sleep(2)
    }
  }

  async #transaction(client: pg.Client): Promise<void> {
    const account = Math.floor(this.#random.next() * ACCOUNTS)
    const entries = 1 + Math.floor(this.#random.next() * 5)
    await client.query('begin')
    await client.query(
      `insert into ledger (account, amount) select ${account}, n from generate_series(1, ${entries}) n`,
    )
    await client.query(`update accounts set seq = seq + 1 where id = ${account}`)
    await client.query('commit')
  }
}

async function createConnectors({ postgres, workers }: Stack): Promise<void> {
  const url = (workers[0] as MillraceWorker).url
  const json = { 'value.converter.schemas.enable': 'true', 'key.converter.schemas.enable': 'true' }
  const converters = {
    'key.converter': 'org.apache.kafka.connect.json.JsonConverter',
    'value.converter': 'org.apache.kafka.connect.json.JsonConverter',
    ...json,
    // A crash that lasts must not exhaust the attempts: what is tested is that nothing is lost meanwhile.
    'restart.max.attempts': '1000',
    'restart.backoff.ms': '100',
    'restart.backoff.max.ms': '1000',
  }
  await createConnector(url, 'source', {
    ...converters,
    'connector.class': 'io.debezium.connector.postgresql.PostgresConnector',
    'database.hostname': postgres.host,
    'database.port': String(postgres.port),
    'database.user': postgres.user,
    'database.password': postgres.password,
    'database.dbname': postgres.database,
    'topic.prefix': 'chaos',
    'table.include.list': 'public.ledger,public.accounts',
    'publication.autocreate.mode': 'filtered',
    'slot.name': 'chaos',
    'publication.name': 'chaos',
  })
  const sink = {
    ...converters,
    'connector.class': 'io.confluent.connect.jdbc.JdbcSinkConnector',
    'connection.url': `jdbc:postgresql://${postgres.host}:${postgres.port}/${postgres.database}`,
    'connection.user': postgres.user,
    'connection.password': postgres.password,
    'envelope.unwrap': 'debezium',
    'exactly.once': 'true',
    'consumer.override.metadata.max.age.ms': '500',
  }
  await createConnector(url, 'copy', {
    ...sink,
    topics: 'chaos.public.ledger,chaos.public.accounts',
    'table.name.format': 'reporting.${table}',
    'insert.mode': 'upsert',
    'pk.mode': 'record_key',
    'delete.enabled': 'true',
    'auto.create': 'true',
  })
  await createConnector(url, 'audit', {
    ...sink,
    topics: 'chaos.public.ledger',
    'table.name.format': 'audit.${table}',
    'insert.mode': 'insert',
    'pk.mode': 'kafka',
    'exactly.once.offsets.table': 'audit_offsets',
  })
}

/** Kills one process, and starts it again after a while. */
async function strike(stack: Stack, victim: Victim, pause: number, which: number): Promise<void> {
  const process =
    victim === 'worker'
      ? stack.workers[which % stack.workers.length]
      : victim === 'broker'
        ? stack.broker
        : stack.postgres
  await process?.kill()
  await sleep(pause)
  await process?.restart()
}

interface TopicRecord {
  readonly value: string | null
}

/** Everything in a topic, by a client that is not ours. */
async function readTopic(bootstrapServers: string, topic: string): Promise<TopicRecord[]> {
  const consumer = new Consumer({
    clientId: 'chaos',
    groupId: `chaos-${topic}`,
    bootstrapBrokers: [bootstrapServers],
    strict: true,
    autocommit: false,
    maxWaitTime: 50,
    retries: 20,
  })
  try {
    const end = Number((await consumer.listOffsets({ topics: [topic] })).get(topic)?.[0] ?? 0n)
    const records: TopicRecord[] = []
    if (end === 0) return records
    const stream = await consumer.consume({
      topics: [topic],
      mode: 'manual',
      offsets: [{ topic, partition: 0, offset: 0n }],
    })
    for await (const message of stream) {
      records.push({ value: message.value === null ? null : message.value.toString() })
      if (Number(message.offset) >= end - 1) break
    }
    return records
  } finally {
    await consumer.close(true)
  }
}

interface Change {
  readonly op: string
  readonly after: Readonly<Record<string, number>>
}

const changesOf = (records: readonly TopicRecord[]): Change[] =>
  records
    .filter((record) => record.value !== null)
    .map((record) => JSON.parse(record.value as string).payload as Change)

/** Says what is wrong with the order of an account's counts: repeats of an earlier run are fine, gaps are not. */
export function orderProblems(counts: ReadonlyMap<number, readonly number[]>): string[] {
  const problems: string[] = []
  for (const [account, seqs] of counts) {
    let highest = seqs[0] ?? 0
    for (const seq of seqs.slice(1)) {
      if (seq > highest + 1) problems.push(`account ${account}: ${highest} is followed by ${seq}`)
      highest = Math.max(highest, seq)
    }
  }
  return problems
}

interface Checked {
  readonly problems: string[]
  readonly records: number
  readonly repeated: number
  readonly rows: number
  readonly audit: number
}

/** Compares topics and copies with the source, which does not change meanwhile. */
async function check({ postgres, broker }: Stack): Promise<Checked> {
  const problems: string[] = []
  const ledger = await postgres.query('select id::int as id from ledger')
  const accounts = await postgres.query('select id, seq from accounts')
  const ledgerRecords = changesOf(await readTopic(broker.bootstrapServers, 'chaos.public.ledger'))
  const accountRecords = changesOf(await readTopic(broker.bootstrapServers, 'chaos.public.accounts'))
  const inTopic = new Set(ledgerRecords.map((change) => change.after['id']))
  const lost = ledger.filter((row) => !inTopic.has(row['id']))
  if (lost.length > 0) problems.push(`${lost.length} of ${ledger.length} rows are not in the topic`)
  const counts = new Map<number, number[]>()
  for (const { after } of accountRecords) {
    const account = after['id'] as number
    counts.set(account, [...(counts.get(account) ?? []), after['seq'] as number])
  }
  problems.push(...orderProblems(counts))
  for (const { id, seq } of accounts) {
    const last = counts.get(id as number)?.at(-1)
    if (last !== seq) problems.push(`account ${id}: the topic ends with ${last}, the table with ${seq}`)
  }
  problems.push(...(await differences(postgres, 'ledger', 'id, account, amount')))
  problems.push(...(await differences(postgres, 'accounts', 'id, seq')))
  const [audit] = await postgres.query(
    `select count(*)::int as rows, count(distinct ("__connect_partition", "__connect_offset"))::int as distinct from audit.ledger`,
  )
  if (audit?.['rows'] !== audit?.['distinct'])
    problems.push(`${audit?.['rows'] - audit?.['distinct']} duplicates in the audit`)
  if (audit?.['distinct'] !== ledgerRecords.length) {
    problems.push(`the audit has ${audit?.['distinct']} of ${ledgerRecords.length} records`)
  }
  return {
    problems,
    records: ledgerRecords.length + accountRecords.length,
    repeated: ledgerRecords.length - inTopic.size,
    rows: ledger.length,
    audit: (audit?.['rows'] as number) ?? 0,
  }
}

async function differences(postgres: Postgres, table: string, columns: string): Promise<string[]> {
  const [found] = await postgres.query(`select to_regclass('reporting.${table}') is not null as found`)
  if (found?.['found'] !== true) return [`there is no reporting.${table}`]
  const [missing] = await postgres.query(
    `select count(*)::int as n from (select ${columns} from ${table} except select ${columns} from reporting.${table}) d`,
  )
  const [extra] = await postgres.query(
    `select count(*)::int as n from (select ${columns} from reporting.${table} except select ${columns} from ${table}) d`,
  )
  return [
    ...(missing?.['n'] === 0 ? [] : [`reporting.${table} lacks ${missing?.['n']} rows`]),
    ...(extra?.['n'] === 0 ? [] : [`reporting.${table} has ${extra?.['n']} rows that the source has not`]),
  ]
}

/** Checks again and again until all is where it belongs; throws with what is missing when it does not come. */
async function settle(stack: Stack): Promise<Checked> {
  for (const deadline = Date.now() + SETTLE_MS; ; await sleep(250)) {
    const checked = await check(stack).catch((error: unknown): Checked => {
      return { problems: [`cannot check: ${String(error)}`], records: 0, repeated: 0, rows: 0, audit: 0 }
    })
    if (checked.problems.length === 0) return checked
    if (Date.now() > deadline) {
      const statuses = await Promise.all(
        ['source', 'copy', 'audit'].map((name) => status((stack.workers[0] as MillraceWorker).url, name).catch(String)),
      )
      throw new Error(`${checked.problems.join('\n')}\n${JSON.stringify(statuses, null, 1)}`)
    }
  }
}

/** Kills a random process under load in each round, and after each round everything must be in its place. */
export async function pipelineChaos({ rounds, seed, log }: ChaosOptions): Promise<PipelineSummary> {
  const random = seededRandom(seed)
  const kills: Record<Victim, number> = { worker: 0, broker: 0, postgres: 0 }
  const postgres = await startPostgres({ version: 18, wal: 'logical' })
  const broker = await startMillraceBroker()
  const workers: MillraceWorker[] = []
  const stack = { postgres, broker, workers }
  const load = new Load(postgres)
  try {
    await postgres.query(SCHEMA)
    for (let i = 0; i < 2; i++) {
      workers.push(await startMillraceWorker(broker.bootstrapServers, 'chaos', { 'offset.flush.interval.ms': '500' }))
    }
    await createConnectors(stack)
    load.start()
    await settleStart(stack)
    let last: Checked = { problems: [], records: 0, repeated: 0, rows: 0, audit: 0 }
    for (let round = 0; round < rounds; round++) {
      // Each kind comes in turn before chance decides, so that a short run has them all.
      const victim = (round < VICTIMS.length ? VICTIMS[round] : VICTIMS[Math.floor(random.next() * 3)]) as Victim
      await sleep(300 + random.next() * 1500)
      await strike(stack, victim, random.next() * 500, Math.floor(random.next() * workers.length))
      kills[victim]++
      await sleep(random.next() * 500)
      await load.stop()
      last = await settle(stack)
      log(`round ${round + 1}: killed ${victim}; ${last.rows} rows, ${last.records} records, ${last.repeated} repeated`)
      load.start()
    }
    return {
      kills,
      committedRows: last.rows,
      recordsInTopics: last.records,
      repeatedInTopics: last.repeated,
      auditRows: last.audit,
    }
  } finally {
    await load.stop()
    for (const worker of workers) await worker.stop()
    await broker.stop()
    await postgres.stop()
  }
}

/** The first kill comes when data flows through to the copies. */
async function settleStart({ postgres }: Stack): Promise<void> {
  const flows = async () => {
    const [found] = await postgres.query("select to_regclass('reporting.ledger') is not null as found")
    return found?.['found'] === true
  }
  for (const deadline = Date.now() + SETTLE_MS; !(await flows()); await sleep(100)) {
    if (Date.now() > deadline) throw new Error('nothing reaches the reporting copy')
  }
}
