import {
  ConfigError,
  ConnectError,
  isConnectError,
  type PollResult,
  type SourceTask,
  type SourceTaskContext,
} from '@millrace/sdk'
import { pause } from '../_shared/retry/index.ts'
import { connectionSettings, type ConnectionSettings, quotingOf } from './connection-config.ts'
import { connectWithRetries } from './database-connect.ts'
import { type Dialect, dialectOf, type NumericMapping } from './dialect.ts'
import { type Position, positionOf, START } from './offset.ts'
import { Querier, type QuerierOptions, type QueryTarget } from './querier.ts'
import { queryColumns, tableColumns, usesTimestamp } from './source-columns.ts'
import type { SourceConfig } from './source-config.ts'
import type { SqlConnection } from './sql.ts'
import { parseTableId, plainName, type TableId } from './table-id.ts'
import { readTables } from './table-selection.ts'
import { instantOfMs } from './temporal.ts'
import { zoneOf } from './zone.ts'

/** A statement that is running when the task stops gets this long before its connection is cut. */
const ABORT_GRACE_MS = 500

interface Scheduled {
  readonly querier: Querier
  nextAtMs: number
  failures: number
}

/** Time for the schedule only; records carry the database's time. */
const nowMs = (): number => performance.now()

/** Polls a group of tables, or one query, over one connection. */
export class JdbcSourceTask implements SourceTask {
  readonly #config: SourceConfig
  readonly #context: SourceTaskContext
  readonly #settings: ConnectionSettings
  readonly #dialect: Dialect
  readonly #stop = new AbortController()
  #connection: SqlConnection | undefined
  #schedule: Scheduled[] = []

  constructor(config: SourceConfig, context: SourceTaskContext) {
    this.#config = config
    this.#context = context
    this.#settings = connectionSettings(config, context.raw)
    this.#dialect = dialectOf(this.#settings)
  }

  async start(): Promise<void> {
    const { raw } = this.#context
    // The list of tables was not known when the tasks were made; the connector makes them anew once it is.
    if (raw['tables.fetched'] === 'false') return
    const query = customQuery(this.#config)
    const tables = query === '' ? readTables(raw['tables'] ?? '', parseTableId) : []
    const connection = await this.#connect(this.#stop.signal)
    const targets =
      query === '' ? await this.#tableTargets(connection, tables) : [{ target: this.#queryTarget(query), old: [] }]
    await this.#checkTransactions(connection)
    const options = this.#querierOptions()
    const initial = await this.#initialPosition(connection)
    for (const { target, old } of targets) {
      const position = await this.#storedPosition(target, old)
      this.#schedule.push({ querier: new Querier(target, options, position ?? initial), nextAtMs: 0, failures: 0 })
    }
    if (usesTimestamp(this.#config.mode)) this.#checkZone(connection)
  }

  async poll(signal: AbortSignal): Promise<PollResult> {
    const lingerUntil = nowMs() + Math.max(this.#config['poll.linger.ms'], LINGER_MIN_MS)
    const stopping = AbortSignal.any([signal, this.#stop.signal])
    const cut = (): void => {
      setTimeout(() => void this.#disconnect(), ABORT_GRACE_MS).unref()
    }
    stopping.addEventListener('abort', cut, { once: true })
    try {
      while (!stopping.aborted) {
        const next = this.#nextDue()
        const waitMs = Math.max((next?.nextAtMs ?? Number.POSITIVE_INFINITY) - nowMs(), 0)
        const lingerMs = Math.max(lingerUntil - nowMs(), 0)
        if (waitMs > 0) await pause(Math.min(waitMs, lingerMs), stopping)
        if (stopping.aborted || next === undefined || waitMs > lingerMs) return null
        const records = await this.#run(next, stopping)
        if (records.length > 0) return records
      }
      return null
    } finally {
      stopping.removeEventListener('abort', cut)
    }
  }

  async stop(): Promise<void> {
    this.#stop.abort()
    await this.#disconnect()
  }

  /** A query that is half read goes on first, for it holds the connection's transaction. */
  #nextDue(): Scheduled | undefined {
    const open = this.#schedule.find(({ querier }) => querier.isOpen)
    if (open !== undefined) return open
    return this.#schedule.reduce<Scheduled | undefined>(
      (best, each) => (best === undefined || each.nextAtMs < best.nextAtMs ? each : best),
      undefined,
    )
  }

  async #run(scheduled: Scheduled, signal: AbortSignal): Promise<Awaited<ReturnType<Querier['next']>>> {
    const { querier } = scheduled
    const startedMs = nowMs()
    try {
      // A query that is half read finds out by itself that its connection is gone, so that its failures are counted.
      const open = querier.isOpen ? this.#connection : undefined
      const connection = open ?? (await this.#connect(signal))
      const records = await querier.next(connection, this.#config['batch.max.rows'])
      scheduled.failures = 0
      scheduled.nextAtMs = querier.isOpen ? 0 : startedMs + this.#config['poll.interval.ms']
      return records
    } catch (error) {
      const wasConnected = this.#connection !== undefined
      const wasBroken = this.#connection?.broken === true
      for (const each of this.#schedule) each.querier.reset()
      await this.#disconnect()
      if (signal.aborted) return []
      if (!wasConnected) throw error
      // Errors of our own reading, not of the database: no retry can help.
      if (!wasBroken && isOurs(error)) throw error
      this.#failed(scheduled, error)
      return []
    }
  }

  /** Schedules another try, or throws when there is none left or it could not help. */
  #failed(scheduled: Scheduled, error: unknown): void {
    const kind = this.#dialect.failureKind(error)
    const { label } = scheduled.querier.target
    const message = `the query of ${label} failed: ${this.#dialect.describeFailure(error, false)}`
    if (kind === 'permanent' || kind === 'data') throw new ConnectError(message, { cause: error })
    const limit = this.#config['query.retry.attempts']
    scheduled.failures++
    if (limit >= 0 && scheduled.failures > limit) {
      throw new ConnectError(`${message} (tried ${scheduled.failures} times)`, { cause: error })
    }
    this.#context.logger.warn({ table: label, failures: scheduled.failures }, message)
    scheduled.nextAtMs = nowMs() + Math.max(this.#config['poll.interval.ms'], RETRY_PAUSE_MS)
  }

  async #connect(signal: AbortSignal): Promise<SqlConnection> {
    if (this.#connection !== undefined && !this.#connection.broken) return this.#connection
    for (const each of this.#schedule) each.querier.reset()
    this.#connection = undefined
    const { logger } = this.#context
    const connection = await connectWithRetries(this.#dialect, this.#settings, { purpose: 'read', logger, signal })
    if (this.#stop.signal.aborted) {
      await connection.close()
      throw new ConnectError('the task stops')
    }
    this.#connection = connection
    return connection
  }

  async #disconnect(): Promise<void> {
    const connection = this.#connection
    this.#connection = undefined
    await connection?.close()
  }

  async #tableTargets(
    connection: SqlConnection,
    tables: readonly TableId[],
  ): Promise<{ target: QueryTarget; old: readonly Record<string, string>[] }[]> {
    const targets: { target: QueryTarget; old: readonly Record<string, string>[] }[] = []
    for (const table of tables) {
      const description = await this.#dialect.describeTable(connection, table)
      if (description === null) {
        // It was dropped since the tasks were made; the monitor of the connector will notice too.
        this.#context.logger.warn({ table: plainName(table) }, 'a table is gone')
        continue
      }
      const quoting = quotingOf(this.#config)
      const parts =
        this.#config['table.names.qualify'] && table.schema !== undefined ? [table.schema, table.name] : [table.name]
      targets.push({
        target: {
          label: plainName(table),
          select: `SELECT * FROM ${parts.map((part) => this.#dialect.identifier(part, quoting)).join('.')}`,
          suffix: this.#config['query.suffix'],
          topic: this.#config['topic.prefix'] + table.name,
          schemaName: table.name,
          partition: { protocol: '1', table: plainName(table) },
          columns: tableColumns(this.#config, description),
        },
        old: [{ table: table.name }],
      })
    }
    if (targets.length === 0) throw new ConnectError(`none of the tables exists: ${tables.map(plainName).join(', ')}`)
    return targets
  }

  #queryTarget(query: string): QueryTarget {
    const isBulk = this.#config.mode === 'bulk'
    const plain = query.replace(/;\s*$/, '')
    return {
      label: 'query',
      select: isBulk ? plain : `SELECT * FROM ${this.#dialect.wrapQuery(query)}`,
      suffix: this.#config['query.suffix'],
      topic: this.#config['topic.prefix'],
      schemaName: undefined,
      partition: { query: 'query' },
      columns: queryColumns(this.#config),
    }
  }

  #querierOptions(): QuerierOptions {
    const config = this.#config
    const portion = config['max.buffer.size']
    return {
      dialect: this.#dialect,
      read: {
        numericMapping: numericMapping(config),
        granularity: config['timestamp.granularity'],
        zone: zoneOf(config['db.timezone']),
        calendar: config['date.calendar.system'],
      },
      quoting: quotingOf(config),
      isolation: this.#dialect.isolationLevel(config['transaction.isolation.mode']),
      delayMs: config['timestamp.delay.interval.ms'],
      awaitsTransactions: config['timestamp.await.transactions'],
      portionRows: portion === 0 ? config['batch.max.rows'] : Math.min(portion, config['batch.max.rows']),
      incrementingStart: BigInt(config['incrementing.initial']),
      warn: (fields, message) => this.#context.logger.warn(fields, message),
    }
  }

  async #initialPosition(connection: SqlConnection): Promise<Position> {
    const initial = this.#config['timestamp.initial']
    if (initial === null || !usesTimestamp(this.#config.mode)) return START
    const timestamp = initial === -1 ? await this.#dialect.databaseTime(connection) : instantOfMs(initial)
    return { incrementing: undefined, timestamp }
  }

  async #storedPosition(target: QueryTarget, old: readonly Record<string, string>[]): Promise<Position | undefined> {
    if (this.#config.mode === 'bulk') return START
    const stored = await this.#context.offsets.offsets([target.partition, ...old])
    const found = stored.find((offset) => offset !== null)
    return found === undefined ? undefined : positionOf(found)
  }

  /** Without a view of the transactions of others rows would be lost silently. */
  async #checkTransactions(connection: SqlConnection): Promise<void> {
    if (!this.#config['timestamp.await.transactions']) return
    const problem = await this.#dialect.transactionsProblem(connection)
    if (problem === undefined) return
    throw new ConfigError(`timestamp.await.transactions: ${problem}`, { key: 'timestamp.await.transactions' })
  }

  /** Two clocks that disagree make rows late or early by hours, which is hard to see later. */
  #checkZone(connection: SqlConnection): void {
    const ours = zoneOf(this.#config['db.timezone'])
    const theirs = knownZone(connection.zone)
    const at = Date.now()
    if (theirs === undefined || theirs.offsetAt(at) === ours.offsetAt(at)) return
    this.#context.logger.warn(
      { 'db.timezone': ours.name, database: connection.zone },
      'db.timezone differs from the time zone of the database; timestamp columns without a time zone ' +
        'that are filled by now() are read with the wrong offset',
    )
  }
}

const RETRY_PAUSE_MS = 500
/** With no wait at all the runtime would ask without a pause. */
const LINGER_MIN_MS = 50

function isOurs(error: unknown): boolean {
  return [TypeError, RangeError, SyntaxError].some((kind) => error instanceof kind) || isConnectError(error)
}

function knownZone(name: string): ReturnType<typeof zoneOf> | undefined {
  try {
    return zoneOf(name)
  } catch {
    return undefined
  }
}

/** The query of the config, whether shown or masked; empty when tables are read. */
export function customQuery(config: Pick<SourceConfig, 'query' | 'query.masked'>): string {
  return (config.query === '' ? config['query.masked'] : config.query).trim()
}

function numericMapping(config: SourceConfig): NumericMapping {
  const mapping = config['numeric.mapping']
  if (mapping !== null) return mapping
  return config['numeric.precision.mapping'] ? 'precision_only' : 'none'
}
