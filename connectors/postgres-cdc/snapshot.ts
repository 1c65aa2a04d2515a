import { type PostgresConnection, quoteIdentifier, quoteLiteral } from '../_shared/postgres-wire/index.ts'
import type { TableName } from './catalogue.ts'
import type { CapturedTable } from './captured-table.ts'
import { ChangeRecord, type RecordSettings } from './change-record.ts'
import type { ChangeContext } from './envelope-tail.ts'
import type { Lsn } from './lsn.ts'
import type { RecordQueue } from './record-queue.ts'
import { qualified } from './publication.ts'

const ROWS_PER_TICK = 256

/** How a snapshot is read. */
export interface SnapshotDependencies {
  readonly connection: PostgresConnection
  readonly queue: RecordQueue
  readonly records: RecordSettings
  readonly nowMicros: () => number
  readonly signal: AbortSignal
  readonly onTable: (table: string, rows: number) => void
}

/** Starts the transaction that sees exactly what the slot does not. */
export async function beginSnapshot(connection: PostgresConnection, snapshotName: string | undefined): Promise<number> {
  await connection.query('BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY')
  if (snapshotName !== undefined) await connection.query(`SET TRANSACTION SNAPSHOT ${quoteLiteral(snapshotName)}`)
  const [row] = await connection.rows('select txid_snapshot_xmax(txid_current_snapshot()) as xid')
  return Number(BigInt(row?.['xid'] ?? '0') & 0xffffffffn)
}

/** Reads all rows of the tables, marked by their place, into the queue. */
export async function readTables(
  deps: SnapshotDependencies,
  tables: readonly { name: TableName; table: CapturedTable; columns: readonly string[] }[],
  at: { lsn: Lsn; xid: number; micros: number },
): Promise<number> {
  const context: ChangeContext = {
    xid: at.xid,
    micros: at.micros,
    lastCommitLsn: null,
    origin: null,
    originLsn: null,
  }
  const reader = new SnapshotReader(deps, context, at.lsn)
  for (const { name, table, columns } of tables) {
    deps.signal.throwIfAborted()
    const list = columns.map(quoteIdentifier).join(', ')
    const from = qualified(name.schema, name.table)
    // COPY of a partitioned table needs a query; columns by name keep out what was added meanwhile.
    const source = name.kind === 'p' ? `(SELECT ${list} FROM ${from})` : `(SELECT ${list} FROM ONLY ${from})`
    await reader.table(table, `COPY ${source} TO STDOUT`)
    deps.onTable(`${name.schema}.${name.table}`, reader.tableRows)
  }
  reader.end()
  return reader.rows
}

/** Holds back one row: only the next one, or the end, says whether it is the last. */
class SnapshotReader {
  readonly #deps: SnapshotDependencies
  readonly #context: ChangeContext
  readonly #lsn: Lsn
  #held: ChangeRecord | undefined
  #ticks = 0
  #nowMicros = 0
  rows = 0
  tableRows = 0

  constructor(deps: SnapshotDependencies, context: ChangeContext, lsn: Lsn) {
    this.#deps = deps
    this.#context = context
    this.#lsn = lsn
  }

  async table(table: CapturedTable, sql: string): Promise<void> {
    const { connection, queue } = this.#deps
    this.tableRows = 0
    const stop = (): void => connection.destroy()
    this.#deps.signal.addEventListener('abort', stop, { once: true })
    queue.onRoom = () => connection.resume()
    try {
      await connection.copyOut(sql, (buffer, start, end) => {
        this.#row(table, buffer, start, end)
        if (queue.isFull) connection.pause()
      })
    } finally {
      queue.onRoom = undefined
      this.#deps.signal.removeEventListener('abort', stop)
    }
    if (this.#held !== undefined && this.tableRows > 0 && this.#held.marker !== 'first') {
      this.#held.marker = 'last_in_data_collection'
    }
  }

  #row(table: CapturedTable, buffer: Buffer, start: number, end: number): void {
    if (--this.#ticks < 0) {
      this.#ticks = ROWS_PER_TICK
      this.#nowMicros = this.#deps.nowMicros()
    }
    const isFirst = this.rows === 0
    const isFirstOfTable = this.tableRows === 0
    this.rows++
    this.tableRows++
    this.#release()
    this.#held = new ChangeRecord(this.#deps.records, table, {
      operation: 'r',
      context: this.#context,
      lsn: this.#lsn,
      processedMicros: this.#nowMicros,
      buffer,
      beforeStart: -1,
      afterStart: start,
      end,
      isTombstone: false,
      isOldFull: false,
      headers: null,
      marker: isFirst ? 'first' : isFirstOfTable ? 'first_in_data_collection' : 'true',
      position: null,
    })
  }

  #release(): void {
    if (this.#held === undefined) return
    this.#deps.queue.push(this.#held, this.#held.bytes)
    this.#deps.queue.wake()
    this.#held = undefined
  }

  end(): void {
    if (this.#held !== undefined) this.#held.marker = 'last'
    this.#release()
  }
}
