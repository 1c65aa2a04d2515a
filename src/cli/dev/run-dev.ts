import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import pg from 'pg'
import { silentLogger, sleep } from '../../base/index.ts'
import { realClock, realNet, realRandom } from '../../base/real/index.ts'
import { type Admin, createClient } from '../../client/index.ts'
import { type ConnectServer, startBrokerProcess, startConnect } from '../../server.ts'
import { createConnectLogger } from '../connect-logger.ts'
import { recordsIn, recordsPut, SHOP_TOPICS } from './counts.ts'
import { liveLine, welcome } from './live-screen.ts'
import { memoryMb } from './memory.ts'
import { startOwnPostgres } from './own-postgres.ts'
import { requireFreePort } from './ports.ts'
import { createConnector, quickstartConnectors } from './quickstart.ts'
import { Running } from './running.ts'
import { compareCopies, createShop, dropShop, ShopWriter } from './shop.ts'
import { agrees, type Summary, summaryText } from './summary.ts'

export interface DevOptions {
  readonly kafkaPort: number
  readonly restPort: number
  /** Stops by itself after this time; null runs until it is told to stop. */
  readonly durationMs: number | null
  /** Business events a second. */
  readonly rate: number
  /** An existing database; null starts one. */
  readonly databaseUrl: string | null
  /** Aborts on Ctrl-C. */
  readonly signal: AbortSignal
  readonly print: (text: string) => void
}

/** How long the copy may take to catch up after the last change. */
const SETTLE_MS = 30_000

/** The quick start: runs everything until the time is over or the signal aborts, then sums up. True when the counts agree. */
export async function runDev(options: DevOptions): Promise<boolean> {
  await requireFreePort(options.kafkaPort, '--kafka-port')
  await requireFreePort(options.restPort, '--rest-port')
  const running = new Running()
  try {
    const [database, log] = await Promise.all([openDatabase(options, running), openLog(options, running)])
    const client = new pg.Client({ connectionString: database.url })
    await client.connect()
    running.add(() => client.end())
    await createShop(client)
    const writer = new ShopWriter(client, realRandom)
    const environment = { net: realNet, clock: realClock, random: realRandom, logger: silentLogger }
    const admin = createClient({ ...environment, bootstrapServers: [log.bootstrapServers] }).admin()
    running.add(() => admin.close())
    for (const request of quickstartConnectors(database.url)) await createConnector(log.restUrl, request)
    options.print(welcome({ ...options, databaseUrl: database.url }))
    const shop = { client, writer, admin, restUrl: log.restUrl, leaveOut: database.pids }
    await snapshotTaken(shop, options.signal)
    await work(options, shop)
    const summary = await settle(shop)
    options.print(summaryText(summary))
    // In somebody's database we leave no slot that keeps WAL and no schema; ours goes away with its data.
    await log.connect.stop()
    if (!database.own) await dropShop(client)
    return agrees(summary)
  } finally {
    await running.close()
  }
}

interface Database {
  readonly url: string
  readonly own: boolean
  readonly pids: readonly number[]
}

async function openDatabase({ databaseUrl }: DevOptions, running: Running): Promise<Database> {
  if (databaseUrl !== null) return { url: databaseUrl, own: false, pids: [] }
  const postgres = await startOwnPostgres()
  running.add(() => postgres.stop())
  return { url: postgres.url, own: true, pids: [postgres.pid] }
}

interface RunningLog {
  readonly bootstrapServers: string
  readonly restUrl: string
  readonly connect: ConnectServer
}

async function openLog({ kafkaPort, restPort }: DevOptions, running: Running): Promise<RunningLog> {
  const folder = await mkdtemp(join(tmpdir(), 'millrace-log-'))
  running.add(() => rm(folder, { recursive: true, force: true }))
  const broker = await startBrokerProcess({
    properties: {
      listeners: `PLAINTEXT://127.0.0.1:${kafkaPort}`,
      'log.dirs': folder,
      'group.initial.rebalance.delay.ms': '0',
      'auto.create.topics.enable': 'true',
    },
  })
  running.add(() => broker.stop())
  const bootstrapServers = `127.0.0.1:${kafkaPort}`
  const { logger, levels } = createConnectLogger()
  const connect = await startConnect({
    mode: 'distributed',
    logger,
    logLevels: levels,
    properties: workerProperties(bootstrapServers, restPort),
  })
  running.add(() => connect.stop())
  return { bootstrapServers, restUrl: `http://127.0.0.1:${restPort}`, connect }
}

function workerProperties(bootstrapServers: string, restPort: number): Record<string, string> {
  return {
    'bootstrap.servers': bootstrapServers,
    'group.id': 'millrace',
    'key.converter': 'org.apache.kafka.connect.json.JsonConverter',
    'value.converter': 'org.apache.kafka.connect.json.JsonConverter',
    'config.storage.topic': 'connect-configs',
    'offset.storage.topic': 'connect-offsets',
    'status.storage.topic': 'connect-status',
    listeners: `http://127.0.0.1:${restPort}`,
    'rest.advertised.host.name': '127.0.0.1',
    'rest.advertised.port': String(restPort),
    'offset.flush.interval.ms': '5000',
  }
}

interface Shop {
  readonly client: pg.Client
  readonly writer: ShopWriter
  readonly admin: Admin
  readonly restUrl: string
  /** Processes whose memory is not Millrace's. */
  readonly leaveOut: readonly number[]
}

/** Rows that change before the snapshot would be fewer events than changes, so the writer waits for it. */
async function snapshotTaken({ writer, admin }: Shop, signal: AbortSignal): Promise<void> {
  const started = realClock.monotonicMs()
  while (!signal.aborted && (await recordsIn(admin, SHOP_TOPICS)) < writer.changes) {
    if (realClock.monotonicMs() - started > SETTLE_MS) {
      throw new Error(`no snapshot in ${SETTLE_MS} ms; look at the status of the connector shop-cdc`)
    }
    await sleep(realClock, 50)
  }
}

/** Writes and shows a line each second until the end. */
async function work({ rate, durationMs, signal, print }: DevOptions, shop: Shop): Promise<void> {
  const started = realClock.monotonicMs()
  const elapsed = () => realClock.monotonicMs() - started
  const ended = () => signal.aborted || (durationMs !== null && elapsed() >= durationMs)
  let shown = 0
  let steps = 0
  while (!ended()) {
    if (steps <= (elapsed() / 1000) * rate) {
      await shop.writer.step()
      steps++
    } else {
      await sleep(realClock, 1000 / rate, signal).catch(() => undefined)
    }
    if (elapsed() >= (shown + 1) * 1000) {
      shown = Math.floor(elapsed() / 1000)
      print(await line(shown, shop))
    }
  }
}

async function line(seconds: number, { writer, admin, restUrl, leaveOut }: Shop): Promise<string> {
  const [captured, delivered] = await Promise.all([recordsIn(admin, SHOP_TOPICS), recordsPut(restUrl)])
  return liveLine({ seconds, changes: writer.changes, captured, delivered, memoryMb: memoryMb(process.pid, leaveOut) })
}

/** Waits until everything has arrived, or says what has not. */
async function settle({ client, writer, admin }: Shop): Promise<Summary> {
  const started = realClock.monotonicMs()
  for (;;) {
    const [copies, events, drivers] = await Promise.all([
      compareCopies(client),
      recordsIn(admin, SHOP_TOPICS),
      recordsIn(admin, ['driver']),
    ])
    const summary = { changes: writer.changes, events, copies, drivers }
    if (agrees(summary) || realClock.monotonicMs() - started > SETTLE_MS) return summary
    await sleep(realClock, 100)
  }
}
