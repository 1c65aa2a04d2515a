import {
  ConnectError,
  DataError,
  isConnectError,
  RetriableError,
  type SinkRecord,
  type SinkTask,
  type SinkTaskContext,
  type TopicPartition,
} from '@millrace/sdk'
import { connectionSettings, type ConnectionSettings, quotingOf } from './connection-config.ts'
import { connectWithRetries } from './database-connect.ts'
import { type Dialect, dialectOf } from './dialect.ts'
import type { SinkConfig } from './sink-config.ts'
import { FencedError, OrderError, SinkOffsets } from './sink-offsets.ts'
import { TableChange } from './sink-tables.ts'
import { placeOf, SinkWriter } from './sink-writer.ts'
import type { SqlConnection } from './sql.ts'

type Work = (connection: SqlConnection, fresh: readonly SinkRecord[]) => Promise<void>

/** Writes batches of records, each in one transaction. */
export class JdbcSinkTask implements SinkTask {
  readonly #config: SinkConfig
  readonly #context: SinkTaskContext
  readonly #settings: ConnectionSettings
  readonly #dialect: Dialect
  readonly #writer: SinkWriter
  readonly #offsets: SinkOffsets | undefined
  readonly #stop = new AbortController()
  #connection: SqlConnection | undefined
  #retriesLeft: number
  #offsetsAreStale = false

  constructor(config: SinkConfig, context: SinkTaskContext) {
    this.#config = config
    this.#context = context
    this.#settings = connectionSettings(config, context.raw)
    this.#dialect = dialectOf(this.#settings)
    this.#writer = new SinkWriter(this.#dialect, config, context.connectorName)
    this.#retriesLeft = config['max.retries']
    this.#offsets = config['exactly.once']
      ? new SinkOffsets(this.#dialect, context.connectorName, config['exactly.once.offsets.table'], quotingOf(config))
      : undefined
  }

  async open(partitions: readonly TopicPartition[]): Promise<void> {
    if (this.#offsets === undefined || partitions.length === 0) return
    const found = await this.#offsets.claim(await this.#connect(), partitions)
    // Invariant 2: what the target says was written is the truth, whatever the group has committed.
    if (found.length > 0) this.#context.offset(found)
  }

  close(partitions: readonly TopicPartition[]): void {
    this.#offsets?.release(partitions)
  }

  async put(records: readonly SinkRecord[]): Promise<void> {
    if (records.length === 0) return
    try {
      await this.#write(records, (connection, fresh) => this.#writer.write(connection, fresh))
    } catch (error) {
      await this.#recover(records, error)
    }
    this.#retriesLeft = this.#config['max.retries']
  }

  async stop(): Promise<void> {
    this.#stop.abort()
    if (this.#writer.skipped > 0) {
      this.#context.logger.info({ skipped: this.#writer.skipped }, 'change events that change no row were skipped')
    }
    await this.#disconnect()
  }

  /** Decides between another try, trying the records apart, and failing. */
  async #recover(records: readonly SinkRecord[], error: unknown): Promise<void> {
    if (error instanceof FencedError || error instanceof OrderError) throw error
    const isRowFault = this.#isRowFault(error)
    // Trying the same rows again cannot help when the values are to blame; a missing parent row or table may
    // still come.
    const isHopeless = isConnectError(error)
      ? isRowFault
      : ['data', 'permanent'].includes(this.#dialect.failureKind(error))
    if (!isHopeless && this.#retriesLeft > 0) {
      this.#retriesLeft--
      const backoffMs = this.#config['retry.backoff.ms']
      this.#context.timeout(backoffMs)
      throw new RetriableError(`the write failed and is tried again: ${this.#describe(error)}`, {
        cause: error,
        retryAfterMs: backoffMs,
      })
    }
    // A database that is away is no fault of the records: they must not drain into the dead letter queue.
    if (!isRowFault) {
      this.#retriesLeft = this.#config['max.retries']
      throw new ConnectError(`the write failed: ${this.#describe(error)}`, { cause: error })
    }
    await this.#writeApart(records)
  }

  /**
   * Writes in one transaction all that can be written; what cannot goes to the reporter, or fails the task with
   * its place named.
   */
  async #writeApart(records: readonly SinkRecord[]): Promise<void> {
    try {
      await this.#write(records, (connection, fresh) => this.#halve(connection, fresh))
    } catch (error) {
      if (isConnectError(error)) throw error
      throw new RetriableError(`the write failed: ${this.#describe(error)}`, {
        cause: error,
        retryAfterMs: this.#config['retry.backoff.ms'],
      })
    }
  }

  /** Finds the records at fault by halving: the good ones still go in few statements, in their order. */
  async #halve(connection: SqlConnection, records: readonly SinkRecord[]): Promise<void> {
    if (records.length === 0) return
    await connection.run('SAVEPOINT millrace_part')
    try {
      await this.#writer.write(connection, records)
      // A constraint that is checked at the commit would otherwise blame the whole batch.
      const { checkConstraints } = this.#dialect.sink
      if (checkConstraints !== undefined) await connection.run(checkConstraints)
      await connection.run('RELEASE SAVEPOINT millrace_part')
      return
    } catch (error) {
      this.#writer.reset()
      if (!this.#isRowFault(error)) throw error
      await connection.run('ROLLBACK TO SAVEPOINT millrace_part')
      await connection.run('RELEASE SAVEPOINT millrace_part')
      if (records.length === 1) {
        await this.#report(records[0] as SinkRecord, error)
        return
      }
    }
    const middle = records.length >> 1
    await this.#halve(connection, records.slice(0, middle))
    await this.#halve(connection, records.slice(middle))
  }

  /** Invariant 3: a record that is not written is reported durably before the transaction ends, or the task fails. */
  async #report(record: SinkRecord, error: unknown): Promise<void> {
    const reason = new DataError(`the record ${placeOf(record)} cannot be written: ${this.#describe(error)}`, {
      cause: error,
    })
    const reporter = this.#context.errantRecordReporter
    if (reporter === null) throw reason
    await reporter.report(record, reason)
  }

  /** Writes in one transaction, and begins it again for each change of a table that cannot happen inside of one. */
  async #write(records: readonly SinkRecord[], work: Work): Promise<void> {
    const done = new Set<string>()
    for (;;) {
      try {
        await this.#writeOnce(records, work)
        return
      } catch (error) {
        if (!(error instanceof TableChange)) throw error
        if (done.has(error.text)) throw new DataError(`the table is not as it was made: ${error.text}`)
        done.add(error.text)
        await this.#changeTable(error.text)
      }
    }
  }

  async #changeTable(text: string): Promise<void> {
    try {
      await (await this.#connect()).run(text)
    } catch (error) {
      // Another task did the same in the meantime.
      if (!this.#dialect.sink.isAlreadyThere(error)) throw error
    }
  }

  async #writeOnce(records: readonly SinkRecord[], work: Work): Promise<void> {
    const connection = await this.#connect()
    try {
      const fresh = await this.#freshOf(connection, records)
      if (fresh.length === 0) return
      await connection.run(this.#dialect.sink.begin)
      const committed = await this.#offsets?.advance(connection, fresh)
      await work(connection, fresh)
      const { command } = await connection.run('COMMIT')
      // Postgres answers a commit after a failed statement with a rollback, and without an error.
      if (command === 'ROLLBACK') throw new RetriableError('the database rolled the transaction back at its commit')
      committed?.()
    } catch (error) {
      this.#writer.reset()
      this.#offsetsAreStale = true
      await this.#rollback(connection)
      throw error
    }
  }

  /** With exactly once, leaves out what is written already. */
  async #freshOf(connection: SqlConnection, records: readonly SinkRecord[]): Promise<readonly SinkRecord[]> {
    const offsets = this.#offsets
    if (offsets === undefined) return records
    const unknown = records.find((record) => !offsets.isOwned(record))
    if (unknown !== undefined) {
      throw new ConnectError(
        `records of ${unknown.originalTopic}-${unknown.originalPartition} came without the partition being opened`,
      )
    }
    if (this.#offsetsAreStale) await offsets.refresh(connection)
    this.#offsetsAreStale = false
    return offsets.fresh(records)
  }

  async #rollback(connection: SqlConnection): Promise<void> {
    try {
      if (!connection.broken) await connection.run('ROLLBACK')
    } catch {
      // The connection that failed first says why; this one is closed next.
    }
    if (connection.broken) await this.#disconnect()
  }

  async #connect(): Promise<SqlConnection> {
    if (this.#connection !== undefined && !this.#connection.broken) return this.#connection
    await this.#disconnect()
    this.#connection = await connectWithRetries(this.#dialect, this.#settings, {
      purpose: 'write',
      logger: this.#context.logger,
      signal: this.#stop.signal,
    })
    return this.#connection
  }

  async #disconnect(): Promise<void> {
    const connection = this.#connection
    this.#connection = undefined
    await connection?.close()
  }

  #isRowFault(error: unknown): boolean {
    if (isConnectError(error)) return error.code === 'DATA'
    return this.#dialect.sink.isRowFault(error)
  }

  #describe(error: unknown): string {
    return this.#dialect.describeFailure(error, !this.#config['trim.sensitive.log'])
  }
}
