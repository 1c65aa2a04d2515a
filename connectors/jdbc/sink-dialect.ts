import type { Schema, TopicPartition } from '@millrace/sdk'
import type { BoundRow, SqlConnection, SqlStatement, SqlValue } from './sql.ts'
import type { CalendarSystem } from './temporal.ts'
import type { Zone } from './zone.ts'

/** Makes of a value that is not null what the dialect's `bindRows` takes for the column. */
export type Binder = (value: unknown) => SqlValue
/** The same in a dialect that makes text of every value. */
export type TextBinder = (value: unknown) => string

export interface BindOptions {
  readonly zone: Zone
  readonly dateZone: Zone
  readonly calendar: CalendarSystem
  /** Fields that hold a time since the epoch, and how many of their units make a second. */
  readonly timestampFields: ReadonlySet<string>
  readonly timestampUnitsPerSecond: number
}

/** One column to create. */
export interface NewColumn {
  readonly name: string
  readonly schema: Schema
  readonly isKey: boolean
}

export interface DdlOptions {
  readonly identifier: (name: string) => string
  /** Whether Debezium's semantic types become the column types that they stand for. */
  readonly debeziumTypes: boolean
  readonly bind: BindOptions
}

/** One column of a write. */
export interface WriteColumn {
  /** Ready for SQL. */
  readonly identifier: string
  /** The column's type as SQL writes it. */
  readonly type: string
  readonly isArray: boolean
  readonly isKey: boolean
  /** How values travel, where there is a choice: what `formOf` of the same dialect says. */
  readonly form: string
}

/**
 * The statements for one table and set of columns, as `bindRows` of the same dialect takes them. Their text does not
 * depend on the number of rows.
 */
export interface WriteStatements {
  readonly insert: string
  readonly upsert: string
  readonly update: string
  readonly delete: string
}

/** A partition whose offset moves, as the task with this epoch. */
export interface OffsetMove extends TopicPartition {
  readonly epoch: string
  /** Where the task believes the offset to be; null while nothing was written. */
  readonly from: number | null
  readonly next: number
}

/** Statements over the offsets table of exactly-once delivery. */
export interface OffsetStatements {
  readonly create: string
  /** Raises the epoch; the last that gives a row gives next offset or null, and epoch. Several run in a transaction. */
  claim(connector: string, partition: TopicPartition): readonly SqlStatement[]
  /** Gives the same row, or none. */
  read(connector: string, partition: TopicPartition): SqlStatement
  /** Moves the offsets of the partitions that still have their epoch and are where the task believes, and locks their rows. */
  advance(connector: string, moves: readonly OffsetMove[]): readonly SqlStatement[]
}

/** What writing needs of a database. */
export interface SinkDialect {
  /**
   * Chooses how values of a schema are written into a column of this type. Throws DataError for a type that has
   * no form.
   */
  binder(name: string, schema: Schema, columnType: string, options: BindOptions): Binder
  /** How values of a schema travel to a column of this type; the binder gives what suits. */
  formOf?(name: string, schema: Schema, columnType: string, options: BindOptions): string
  createTable(table: string, columns: readonly NewColumn[], options: DdlOptions): string
  /** As many statements as it takes. */
  addColumns(table: string, columns: readonly NewColumn[], options: DdlOptions): readonly string[]
  /** A name as the database keeps it: some cut long ones. */
  storedName(name: string): string
  /** Begins a transaction that writes. */
  readonly begin: string
  /** Checks the constraints that would otherwise be checked at the commit. */
  readonly checkConstraints: string | undefined
  /** Whether a change of a table commits the transaction that is open. */
  readonly changesCommit: boolean
  writeStatements(table: string, columns: readonly WriteColumn[]): WriteStatements
  bindRows(
    text: string,
    name: string | undefined,
    columns: readonly WriteColumn[],
    rows: readonly BoundRow[],
  ): readonly SqlStatement[]
  offsetStatements(table: string): OffsetStatements
  /**
   * Why no table can be created in the schema (undefined: the first of the search path), with the fix;
   * undefined when one can.
   */
  createProblem(connection: SqlConnection, schema: string | undefined): Promise<string | undefined>
  /** Somebody else created the table or column in the meantime. */
  isAlreadyThere(error: unknown): boolean
  /** A failure that the rows can be blamed for, one of them alone or two together. */
  isRowFault(error: unknown): boolean
}
