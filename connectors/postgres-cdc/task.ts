import { randomUUID } from 'node:crypto'
import {
  type CommittedOffset,
  ConfigError,
  ConnectError,
  FINISHED,
  type Header,
  isConnectError,
  type PollResult,
  primitive,
  schemas,
  type SourceTask,
  type SourceTaskContext,
} from '@millrace/sdk'
import { PostgresConnection, PostgresError } from '../_shared/postgres-wire/index.ts'
import type { RecordSettings } from './change-record.ts'
import type { DecoderSettings } from './change-decoder.ts'
import type { Config } from './config.ts'
import { EnvelopeTail, type SourceNames } from './envelope-tail.ts'
import { messageValueSchema } from './envelope-schemas.ts'
import { makeFilters, parseKeyColumns, splitList } from './filters.ts'
import { JsonOutput } from '../_shared/json-output/index.ts'
import { type Lsn, parseLsn } from './lsn.ts'
import { heartbeatRecord } from './plain-records.ts'
import {
  completePosition,
  confirmableLsn,
  readOffset,
  sourcePartition,
  type StoredOffset,
  type StreamPosition,
  streamOffset,
} from './positions.ts'
import { preflight } from './preflight.ts'
import { ensurePublication, qualified } from './publication.ts'
import { type QueueItem, RecordQueue } from './record-queue.ts'
import { ReplicationStream, type StreamDependencies } from './replication-stream.ts'
import { connectionOptions, SqlSession } from './session.ts'
import { createSlot, dropSlot, isSlotInUse, readSlot, slotInUseError } from './slot.ts'
import { beginSnapshot, readTables } from './snapshot.ts'
import { planStart } from './start-plan.ts'
import { Tables } from './tables.ts'
import { type TopicNames, topicNames } from './topic-names.ts'
import type { TypeOptions } from './types/column-codec.ts'
import { VERSION } from './version.ts'

const QUEUE_BYTES = 16 * 1024 * 1024
const RETRY_FIRST_MS = 100
const SLOT_RETRY_MS = 250
const STOP_MS = 2000

/** The settings that choose representations. */
export function typeOptions(config: Config): TypeOptions {
  return {
    decimalMode: config['decimal.handling.mode'],
    timeMode: config['time.precision.mode'],
    intervalMode: config['interval.handling.mode'],
    binaryMode: config['binary.handling.mode'],
    hstoreMode: config['hstore.handling.mode'],
    moneyFractionDigits: config['money.fraction.digits'],
  }
}

export function filtersOf(config: Config): ReturnType<typeof makeFilters> {
  return makeFilters({
    schemaInclude: config['schema.include.list'],
    schemaExclude: config['schema.exclude.list'],
    tableInclude: config['table.include.list'],
    tableExclude: config['table.exclude.list'],
    columnInclude: config['column.include.list'],
    columnExclude: config['column.exclude.list'],
    messageInclude: config['message.prefix.include.list'],
    messageExclude: config['message.prefix.exclude.list'],
  })
}

const placeholderOf = (text: string): Buffer =>
  text.startsWith('hex:') ? Buffer.from(text.slice(4), 'hex') : Buffer.from(text, 'utf8')

function contextHeaders(config: Config, taskId: number): Header[] {
  if (!config['extended.headers.enabled']) return []
  const header = (name: string, value: string): Header => ({
    key: `__debezium.context.${name}`,
    value,
    schema: schemas.string,
  })
  return [
    header('connectorLogicalName', config['topic.prefix']),
    header('taskId', String(taskId)),
    header('connectorName', 'postgresql'),
    header('runId', randomUUID()),
  ]
}

/** Milliseconds with microseconds behind the point. */
const nowMs = (): number => performance.timeOrigin + performance.now()
const nowMicros = (): number => Math.floor(nowMs() * 1000)

/** Makes the captured tables of a configuration. */
export function makeTables(
  config: Config,
  names: SourceNames,
  topics: TopicNames,
  logger: SourceTaskContext['logger'],
): Tables {
  const settings = {
    types: typeOptions(config),
    includeUnknown: config['include.unknown.datatypes'],
    placeholder: placeholderOf(config['unavailable.value.placeholder']),
    filters: filtersOf(config),
    keyRules: parseKeyColumns(config['message.key.columns']),
    topics,
    tail: (schema: string, table: string) => new EnvelopeTail(names, schema, table),
  }
  return new Tables(config, settings, logger)
}

/** Reads one database: a snapshot where one is due, then the stream. */
export class PostgresCdcTask implements SourceTask {
  readonly #config: Config
  readonly #context: SourceTaskContext
  readonly #queue: RecordQueue
  readonly #sql: SqlSession
  readonly #tables: Tables
  readonly #records: RecordSettings
  readonly #topics: TopicNames
  readonly #abort = new AbortController()
  #stream: ReplicationStream | undefined
  #stored: StoredOffset = { kind: 'none' }
  #isFirst = true
  #lastCommitLsn: Lsn | null = null
  #durableLsn: Lsn = 0
  #running: Promise<void> = Promise.resolve()
  #attempts = 0

  constructor(config: Config, context: SourceTaskContext) {
    this.#config = config
    this.#context = context
    this.#queue = new RecordQueue(config['max.queue.size'], config['max.queue.size.in.bytes'] || QUEUE_BYTES)
    this.#sql = new SqlSession(config)
    this.#topics = topicNames({
      prefix: config['topic.prefix'],
      delimiter: config['topic.delimiter'],
      heartbeatPrefix: config['topic.heartbeat.prefix'],
    })
    const names = { version: VERSION, prefix: config['topic.prefix'], database: config['database.dbname'] }
    this.#records = {
      names,
      sourcePartition: sourcePartition(config['topic.prefix']),
      headers: contextHeaders(config, context.taskId),
      keyOutput: new JsonOutput(),
      valueOutput: new JsonOutput(),
    }
    this.#tables = makeTables(config, names, this.#topics, context.logger)
  }

  async start(): Promise<void> {
    this.#stored = readOffset(await this.#context.offsets.offset(this.#records.sourcePartition))
    if (this.#stored.kind === 'stream') {
      this.#durableLsn = this.#stored.position.endLsn
      this.#lastCommitLsn = this.#stored.position.endLsn
    }
    this.#running = this.#run()
  }

  async poll(signal: AbortSignal): Promise<PollResult> {
    const heartbeatMs = this.#config['heartbeat.interval.ms'] || Number.POSITIVE_INFINITY
    await this.#queue.waitForData(Math.min(this.#config['poll.interval.ms'], heartbeatMs), signal)
    const items = this.#queue.take(this.#config['max.batch.size'])
    if (items === 'finished') return FINISHED
    const heartbeat = this.#heartbeat()
    if (heartbeat !== undefined) return [...items, heartbeat]
    return items.length === 0 ? null : items
  }

  commit(offsets: readonly CommittedOffset[]): void {
    for (const { sourcePartition: partition, sourceOffset } of offsets) {
      if (partition['server'] !== this.#config['topic.prefix']) continue
      const lsn = confirmableLsn(sourceOffset)
      if (lsn === undefined || lsn <= this.#durableLsn) continue
      // Invariant 11: the slot is confirmed only up to what is durable in the log together with its offset.
      this.#durableLsn = lsn
      this.#stream?.confirm(lsn)
    }
  }

  async stop(): Promise<void> {
    this.#abort.abort(new ConnectError('the task stops'))
    this.#stream?.stop()
    // A server that does not answer must not hold up the stop; what still runs ends by itself and changes nothing.
    await Promise.race([this.#running, new Promise((resolve) => setTimeout(resolve, STOP_MS).unref())])
    if (this.#config['slot.drop.on.stop']) await this.#dropSlot()
    this.#sql.close()
  }

  #heartbeat(): QueueItem | undefined {
    const stream = this.#stream
    if (stream === undefined || this.#queue.length > 0 || !stream.heartbeatDue()) return undefined
    const offset = stream.completeOffset
    if (offset === undefined) return undefined
    void this.#heartbeatQuery()
    const settings = {
      topic: this.#topics.heartbeat,
      prefix: this.#config['topic.prefix'],
      sourcePartition: this.#records.sourcePartition,
    }
    return heartbeatRecord(settings, Math.floor(nowMs()), offset)
  }

  async #heartbeatQuery(): Promise<void> {
    const query = this.#config['heartbeat.action.query']
    if (query === null) return
    try {
      await (await this.#sql.get()).query(query)
    } catch (error) {
      this.#context.logger.warn({ error: String(error) }, 'heartbeat.action.query failed')
    }
  }

  /** Connects again as long as that can help; any other error ends the task. */
  async #run(): Promise<void> {
    const { signal } = this.#abort
    while (!signal.aborted) {
      try {
        await this.#session()
        return
      } catch (error) {
        this.#leave()
        if (signal.aborted) return
        const retriesMax = this.#config['errors.max.retries']
        this.#attempts++
        if (!isTransient(error) || (retriesMax >= 0 && this.#attempts > retriesMax)) {
          this.#queue.fail(describe(error))
          return
        }
        const longest = this.#config['retriable.restart.connector.wait.ms']
        const waitMs = Math.min(longest, RETRY_FIRST_MS * 2 ** Math.min(this.#attempts - 1, 10))
        const reason = (error as Error).message
        this.#context.logger.warn(
          { reason, attempt: this.#attempts, waitMs },
          'connection to Postgres lost; connecting again',
        )
        await this.#sleep(waitMs)
      }
    }
  }

  /** Keeps the position of a stream that ended. */
  #leave(): void {
    const stream = this.#stream
    if (stream === undefined) return
    this.#stored = { kind: 'stream', position: stream.finalPosition() }
    this.#lastCommitLsn = stream.lastCommitLsn
    stream.stop()
    this.#stream = undefined
  }

  async #session(): Promise<void> {
    const config = this.#config
    const sql = await this.#sql.get()
    this.#abort.signal.throwIfAborted()
    const captured = await this.#tables.captured(sql)
    if (this.#isFirst) {
      const found = await preflight(sql, config, captured)
      const [issue] = found.issues
      if (issue !== undefined) throw new ConfigError(`${issue.key}: ${issue.message}`, { key: issue.key })
      for (const warning of found.warnings) this.#context.logger.warn({}, warning)
    }
    const slot = await readSlot(sql, config['slot.name'])
    const plan = planStart(config, this.#stored, slot, this.#isFirst)
    if (plan.kind === 'error') throw plan.error
    if (plan.kind === 'finished') {
      this.#queue.finish()
      return
    }
    if (config['snapshot.mode'] !== 'initial_only') {
      const names = captured.map((table) => qualified(table.schema, table.table))
      await ensurePublication(sql, config, names)
    }
    let from: StreamPosition
    if (plan.kind === 'snapshot') from = await this.#snapshot(slot !== undefined)
    else if (plan.kind === 'stream') from = plan.from
    else from = completePosition(slot?.confirmedLsn ?? (await this.#createSlot()))
    this.#isFirst = false
    this.#stored = { kind: 'stream', position: from }
    if (config['snapshot.mode'] === 'initial_only') {
      this.#queue.finish()
      return
    }
    await this.#streamFrom(from)
  }

  async #createSlot(): Promise<Lsn> {
    const connection = await PostgresConnection.connect(connectionOptions(this.#config, true))
    try {
      const options = { temporary: false, failover: this.#config['slot.failover'] }
      return (await createSlot(connection, this.#config['slot.name'], options)).consistentLsn
    } finally {
      await connection.close()
    }
  }

  /**
   * Reads the tables as of the slot's starting point. A slot that exists already exports no snapshot any more, so a
   * temporary one beside it does: both see the same WAL, and streaming goes on from the temporary one's point.
   */
  async #snapshot(hasSlot: boolean): Promise<StreamPosition> {
    const config = this.#config
    await this.#sleep(config['snapshot.delay.ms'])
    const replication = await PostgresConnection.connect(connectionOptions(config, true))
    const connection = await PostgresConnection.connect(connectionOptions(config, false))
    try {
      this.#abort.signal.throwIfAborted()
      const needsSlot = config['snapshot.mode'] !== 'initial_only'
      const name = hasSlot
        ? `${config['slot.name'].slice(0, 40)}_snapshot_${replication.backendPid}`
        : config['slot.name']
      const options = { temporary: hasSlot, failover: config['slot.failover'] }
      const slot = needsSlot ? await createSlot(replication, name, options) : undefined
      const micros = nowMicros()
      const xid = await beginSnapshot(connection, slot?.snapshotName)
      await replication.close()
      const lsn = slot?.consistentLsn ?? (await currentLsn(connection))
      await this.#readSnapshot(connection, { lsn, xid, micros })
      // All is read: a connection that breaks now must not bring every row again.
      await connection.query('COMMIT').catch(() => undefined)
      return completePosition(lsn)
    } catch (error) {
      throw tableChanged(error)
        ? new PostgresError(
            `${(error as Error).message}: a table was altered during the snapshot, which starts again`,
            { sqlstate: '40001' },
            { cause: error },
          )
        : error
    } finally {
      replication.destroy()
      await connection.close()
    }
  }

  async #readSnapshot(connection: PostgresConnection, at: { lsn: Lsn; xid: number; micros: number }): Promise<void> {
    const { logger } = this.#context
    const captured = await this.#tables.captured(connection)
    const wanted = captured.filter((table) => this.#isInSnapshot(table.schema, table.table))
    const described = await this.#tables.describe(connection, wanted)
    const tables = wanted.flatMap((name) => {
      const table = described.get(name.oid)
      return table === undefined ? [] : [{ name, ...table }]
    })
    logger.info({ tables: tables.length, lsn: at.lsn }, 'snapshot started')
    const rows = await readTables(
      {
        connection,
        queue: this.#queue,
        records: this.#records,
        nowMicros,
        signal: this.#abort.signal,
        onTable: (table, count) => logger.debug({ table, rows: count }, 'table read'),
      },
      tables,
      at,
    )
    logger.info({ rows }, 'snapshot finished')
    // Also without any row the snapshot is done; the offset must say so.
    const details = { lsn: at.lsn, xid: at.xid, micros: at.micros, messageType: 'READ' }
    const sourceOffset = streamOffset(completePosition(at.lsn), details)
    this.#queue.push({ topic: null, sourcePartition: this.#records.sourcePartition, sourceOffset }, 100)
    this.#queue.wake()
  }

  #isInSnapshot(schema: string, table: string): boolean {
    const list = this.#config['snapshot.include.collection.list']
    return list === null || makeFilters({ ...NO_FILTERS, tableInclude: list }).table(schema, table)
  }

  async #streamFrom(start: StreamPosition): Promise<void> {
    await this.#sleep(this.#config['streaming.delay.ms'])
    this.#abort.signal.throwIfAborted()
    const stream = await this.#startStream(start)
    this.#stream = stream
    this.#attempts = 0
    if (this.#abort.signal.aborted) stream.stop()
    this.#context.logger.info({ slot: this.#config['slot.name'], lsn: start.endLsn }, 'streaming')
    await stream.ended
    throw new PostgresError('the server ended the replication stream', { sqlstate: '08006' })
  }

  /** Tries again while another connection, often our own before it, still has the slot. */
  async #startStream(start: StreamPosition): Promise<ReplicationStream> {
    const config = this.#config
    const deadline = nowMs() + config['slot.max.retries'] * config['slot.retry.delay.ms']
    for (;;) {
      try {
        const from = { start, lastCommitLsn: this.#lastCommitLsn, durableLsn: this.#durableLsn }
        return await ReplicationStream.start(this.#streamDependencies(), from)
      } catch (error) {
        if (!isSlotInUse(error)) throw error
        this.#abort.signal.throwIfAborted()
        if (nowMs() >= deadline) {
          throw slotInUseError(config['slot.name'], await readSlot(await this.#sql.get(), config['slot.name']))
        }
        await this.#sleep(Math.min(SLOT_RETRY_MS, config['slot.retry.delay.ms']))
      }
    }
  }

  #streamDependencies(): StreamDependencies {
    return {
      config: this.#config,
      logger: this.#context.logger,
      queue: this.#queue,
      sourcePartition: this.#records.sourcePartition,
      loadTable: async (relation, xid) => this.#tables.relation(await this.#sql.get(), relation, xid),
      decoder: this.#decoderSettings(),
      nowMs,
    }
  }

  #decoderSettings(): Omit<DecoderSettings, 'emit' | 'onUnexpectedTransaction'> {
    const config = this.#config
    const binaryMode = config['binary.handling.mode']
    return {
      ...this.#records,
      tombstones: config['tombstones.on.delete'],
      skipped: new Set(splitList(config['skipped.operations'])),
      messages: {
        topic: this.#topics.message,
        schema: messageValueSchema(primitive(binaryMode === 'bytes' ? 'BYTES' : 'STRING')),
        binaryMode,
        accepts: filtersOf(config).messagePrefix,
      },
      nowMicros,
    }
  }

  async #dropSlot(): Promise<void> {
    const sql = await this.#sql.get()
    for (let attempt = 0; ; attempt++) {
      try {
        await dropSlot(sql, this.#config['slot.name'])
        return
      } catch (error) {
        // The server needs a moment to notice that the stream is gone.
        if (!isSlotInUse(error) || attempt === 20) throw error
        await new Promise((resolve) => setTimeout(resolve, SLOT_RETRY_MS))
      }
    }
  }

  async #sleep(ms: number): Promise<void> {
    const { signal } = this.#abort
    if (ms <= 0 || signal.aborted) return
    await new Promise<void>((resolve) => {
      const done = (): void => {
        clearTimeout(timer)
        signal.removeEventListener('abort', done)
        resolve()
      }
      const timer = setTimeout(done, ms)
      signal.addEventListener('abort', done, { once: true })
    })
  }
}

const NO_FILTERS = {
  schemaInclude: null,
  schemaExclude: null,
  tableInclude: null,
  tableExclude: null,
  columnInclude: null,
  columnExclude: null,
  messageInclude: null,
  messageExclude: null,
}

async function currentLsn(connection: PostgresConnection): Promise<Lsn> {
  const [row] = await connection.rows('select pg_current_wal_lsn() as lsn')
  return parseLsn(row?.['lsn'] ?? '')
}

/** An undefined column or table: the catalogue was read before somebody altered it. */
const tableChanged = (error: unknown): boolean =>
  error instanceof PostgresError && (error.sqlstate === '42703' || error.sqlstate === '42P01')

const isTransient = (error: unknown): boolean => error instanceof PostgresError && error.transient

/** An error of the server with what the user can do about it; errors of ours stay as they are. */
function describe(error: unknown): Error {
  if (isConnectError(error)) return error as Error
  if (error instanceof PostgresError) {
    const hint = [error.detail, error.hint].filter(Boolean).join('. ')
    return new ConnectError(hint ? `${error.message}. ${hint}` : error.message, { cause: error })
  }
  return error as Error
}
