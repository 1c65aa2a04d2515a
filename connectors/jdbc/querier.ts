import {
  ConnectError,
  type SourceOffset,
  type SourcePartition,
  type SourceRecord,
  struct,
  type Schema,
} from '@millrace/sdk'
import { buildCriteria, type CriteriaColumns } from './criteria.ts'
import { type ColumnReader, type Dialect, readRow, type ReadOptions } from './dialect.ts'
import { offsetOf, type Position, TIMESTAMP_START } from './offset.ts'
import { columnIndex, type OffsetColumns } from './source-columns.ts'
import type { ResultColumn, SqlConnection, SqlCursor, SqlResult, SqlRow } from './sql.ts'
import { compareInstants, type Instant, instantOfMs, parseInstant } from './temporal.ts'

/** What is read: a table or a query, already written as SQL. */
export interface QueryTarget {
  /** For messages: the table's plain name, or `query`. */
  readonly label: string
  /** `SELECT * FROM "public"."driver"`. */
  readonly select: string
  readonly suffix: string
  readonly topic: string
  readonly schemaName: string | undefined
  readonly partition: SourcePartition
  readonly columns: OffsetColumns
}

export interface QuerierOptions {
  readonly dialect: Dialect
  readonly read: ReadOptions
  readonly quoting: 'always' | 'never'
  readonly isolation: string | undefined
  readonly delayMs: number
  readonly awaitsTransactions: boolean
  readonly portionRows: number
  readonly incrementingStart: bigint
  readonly warn: (fields: object, message: string) => void
}

interface Shape {
  readonly signature: string
  readonly readers: readonly ColumnReader[]
  readonly schema: Schema
  readonly incrementingAt: number
  readonly timestampsAt: readonly number[]
  instantOf(text: string, at: number): Instant
}

/** A portion that has been asked for before it is needed. */
interface Ahead {
  readonly limit: number
  readonly result: Promise<SqlResult>
}

interface Row {
  readonly row: SqlRow
  readonly timestamp: Instant | undefined
}

/** Characters in one batch, of which one more is under way: large rows make smaller ones, so that memory stays bounded. */
const BATCH_TEXT_MAX = 8 * 1024 * 1024
const FIRST_PORTION_ROWS = 100

const NO_HEADERS: readonly never[] = []
const NO_OFFSET: SourceOffset = {}

/**
 * Runs the queries of one table and turns their rows into records. A failed query starts again behind the last
 * record given out.
 */
export class Querier {
  readonly target: QueryTarget
  readonly #options: QuerierOptions
  #position: Position
  #cursor: SqlCursor | undefined
  #ahead: Ahead | undefined
  #shape: Shape | undefined
  /** In timestamp mode, the last row of a portion: its offset depends on the row after it. */
  #held: Row | undefined
  #isFirstPortion = true
  /** Characters in a row, on average of the last portion. */
  #rowLength: number | undefined

  constructor(target: QueryTarget, options: QuerierOptions, position: Position) {
    this.target = target
    this.#options = options
    this.#position = position
  }

  get isOpen(): boolean {
    return this.#cursor !== undefined
  }

  /** Forgets a query whose connection is gone. */
  reset(): void {
    this.#cursor = undefined
    this.#ahead = undefined
    this.#held = undefined
  }

  /** The next records, at least one unless the result is at its end; then the query is closed. */
  async next(connection: SqlConnection, rowsMax: number): Promise<readonly SourceRecord[]> {
    if (this.#cursor === undefined) await this.#open(connection)
    const cursor = this.#cursor as SqlCursor
    const rows: Row[] = this.#held === undefined ? [] : [this.#held]
    this.#held = undefined
    let isExhausted = false
    // A batch of one row still has to see the row behind it.
    const wanted = Math.max(rowsMax, this.#keepsGroups ? 2 : 1)
    let textLength = 0
    while (!isExhausted && rows.length < wanted && textLength < BATCH_TEXT_MAX) {
      const { limit, result: answer } = this.#ask(cursor, textLength, wanted - rows.length)
      const result = await answer
      isExhausted = result.rows.length < limit
      textLength += this.#measure(result.rows)
      if (result.rows.length > 0) await this.#prepareShape(connection, result.columns)
      for (const row of result.rows) rows.push({ row, timestamp: this.#timestampOf(row) })
    }
    if (isExhausted) {
      await cursor.close()
      this.#cursor = undefined
    } else {
      if (this.#keepsGroups) this.#held = rows.pop()
      // The database works on the next portion while this one is converted and sent.
      this.#ahead = this.#ask(cursor, 0, wanted - (this.#held === undefined ? 0 : 1))
      // Who asks for the portion is told; nobody may ask any more.
      this.#ahead.result.catch(() => undefined)
    }
    return rows.map((row, index) => this.#record(row, rows[index + 1] ?? this.#held))
  }

  /** The portion that was asked for already, else the next one. */
  #ask(cursor: SqlCursor, textLength: number, rowsMax: number): Ahead {
    const ahead = this.#ahead
    this.#ahead = undefined
    if (ahead !== undefined) return ahead
    const limit = Math.min(this.#portion(textLength), rowsMax)
    return { limit, result: cursor.fetch(limit) }
  }

  /** So many rows as are likely to stay below the limit of a batch; few before their size is known. */
  #portion(textLength: number): number {
    const { portionRows } = this.#options
    if (this.#rowLength === undefined) return Math.min(portionRows, FIRST_PORTION_ROWS)
    return Math.max(1, Math.min(portionRows, Math.floor((BATCH_TEXT_MAX - textLength) / this.#rowLength)))
  }

  #measure(rows: readonly SqlRow[]): number {
    let length = 0
    for (const row of rows) for (const text of row) length += text?.length ?? 0
    if (rows.length > 0) this.#rowLength = Math.max(length / rows.length, 1)
    return length
  }

  /** With timestamps alone, a position inside a group of equal timestamps cannot be expressed. */
  get #keepsGroups(): boolean {
    return this.target.columns.timestamps.length > 0 && this.target.columns.incrementing === undefined
  }

  async #open(connection: SqlConnection): Promise<void> {
    const { dialect, quoting, read, isolation } = this.#options
    const { columns, select, suffix } = this.target
    const names = columns.timestamps.map((name) => dialect.identifier(name, quoting))
    const comparison =
      names.length === 0 ? undefined : await dialect.timestampComparison(connection, select, names, read)
    const quoted: CriteriaColumns = {
      incrementing: columns.incrementing === undefined ? undefined : dialect.identifier(columns.incrementing, quoting),
      timestamps: comparison?.expressions ?? [],
    }
    const criteria = buildCriteria(
      quoted,
      {
        incrementing: dialect.numberValue(String(this.#position.incrementing ?? this.#options.incrementingStart)),
        begin: comparison?.value(this.#position.timestamp ?? TIMESTAMP_START),
        end: comparison?.value(await this.#end(connection)),
      },
      dialect.placeholder,
    )
    const text = `${select}${criteria.text}${suffix === '' ? '' : ` ${suffix}`}`
    this.#held = undefined
    this.#isFirstPortion = true
    this.#cursor = await dialect.openCursor(connection, { text, values: criteria.values }, isolation)
  }

  /** Rows before this instant are complete: what is still being written is younger. */
  async #end(connection: SqlConnection): Promise<Instant> {
    const { dialect, delayMs, awaitsTransactions } = this.#options
    const limit = earlier(await dialect.databaseTime(connection), delayMs)
    // Asked after the time and before the query's snapshot: a transaction that starts in between is younger than
    // the limit.
    const oldest = awaitsTransactions ? await dialect.oldestTransaction(connection) : undefined
    return oldest !== undefined && compareInstants(oldest, limit) < 0 ? oldest : limit
  }

  /** Chooses schema and readers; the schema object stays the same as long as the table does. */
  async #prepareShape(connection: SqlConnection, columns: readonly ResultColumn[]): Promise<void> {
    // Nullability is not part of a result's description, so each query asks the catalogue once.
    if (!this.#isFirstPortion) return
    this.#isFirstPortion = false
    const { dialect, read, warn } = this.#options
    const { readers, dropped } = await dialect.readers(connection, columns, read)
    const signature = JSON.stringify(readers.map(({ name, index, schema }) => [name, index, schema]))
    if (signature === this.#shape?.signature) return
    for (const column of dropped) {
      warn(
        { table: this.target.label, column: column.name, type: column.type },
        'a column is left out: no schema type holds its database type',
      )
    }
    const repeated = readers.find((reader, at) => readers.findIndex((other) => other.name === reader.name) !== at)
    if (repeated !== undefined) {
      throw new ConnectError(
        `${this.target.label}: the result has two columns named ${repeated.name}; give one an alias`,
      )
    }
    const { schemaName, columns: offsetColumns } = this.target
    this.#shape = {
      signature,
      readers,
      schema: struct(
        readers.map(({ name, schema }) => [name, schema] as const),
        schemaName === undefined ? {} : { name: schemaName },
      ),
      incrementingAt: offsetColumns.incrementing === undefined ? -1 : columnIndex(columns, offsetColumns.incrementing),
      timestampsAt: offsetColumns.timestamps.map((name) => columnIndex(columns, name)),
      instantOf(text, at) {
        const own = readers.find((reader) => reader.index === at)?.instant
        return own === undefined ? parseInstant(text, read.zone, read.calendar) : own(text)
      },
    }
  }

  #timestampOf(row: SqlRow): Instant | undefined {
    const { timestampsAt, instantOf } = this.#shape as Shape
    for (const at of timestampsAt) {
      const text = row[at]
      if (text === null || text === undefined) continue
      try {
        return instantOf(text, at)
      } catch (cause) {
        if (!(cause instanceof RangeError)) throw cause
        throw new ConnectError(`${this.target.label}: a value of a timestamp column cannot be used: ${cause.message}`, {
          cause,
        })
      }
    }
    return undefined
  }

  #record({ row, timestamp }: Row, next: Row | undefined): SourceRecord {
    const shape = this.#shape as Shape
    const { topic, partition } = this.target
    const value = this.#read(shape, row)
    this.#advance(shape, row, timestamp, next)
    return {
      topic,
      partition: null,
      key: null,
      keySchema: null,
      value,
      valueSchema: shape.schema,
      headers: NO_HEADERS,
      timestamp: null,
      sourcePartition: partition,
      sourceOffset: shape.incrementingAt < 0 && shape.timestampsAt.length === 0 ? NO_OFFSET : offsetOf(this.#position),
    }
  }

  #advance(shape: Shape, row: SqlRow, timestamp: Instant | undefined, next: Row | undefined): void {
    if (shape.incrementingAt < 0) {
      if (timestamp === undefined) return
      // Invariant 1: a stop inside a group of equal timestamps reads the whole group again, so the offset stays
      // behind it.
      const isLastOfGroup = next?.timestamp === undefined || compareInstants(next.timestamp, timestamp) > 0
      if (isLastOfGroup) this.#position = { incrementing: undefined, timestamp }
      return
    }
    const text = row[shape.incrementingAt]
    if (text === null || text === undefined) return
    this.#position = { incrementing: BigInt(text.replace(/\.0*$/, '')), timestamp }
  }

  #read(shape: Shape, row: SqlRow): Record<string, unknown> {
    try {
      return readRow(shape.readers, row)
    } catch (cause) {
      if (!(cause instanceof RangeError || cause instanceof SyntaxError)) throw cause
      const culprit = shape.readers.find((reader) => fails(reader, row[reader.index]))
      // The value stays out of the message: it may be anything.
      throw new ConnectError(`${this.target.label}: a value of the column ${culprit?.name ?? '?'} cannot be read`, {
        cause,
      })
    }
  }
}

function fails(reader: ColumnReader, text: string | null | undefined): boolean {
  if (text === null || text === undefined) return false
  try {
    reader.read(text)
    return false
  } catch {
    return true
  }
}

function earlier(now: Instant, delayMs: number): Instant {
  const whole = instantOfMs(now.ms - delayMs)
  return { ms: whole.ms, nanos: whole.nanos + (now.nanos % 1_000_000) }
}
