import type { Schema } from '@millrace/sdk'
import type { ConnectionSettings } from './connection-config.ts'
import { mysqlDialect } from './mysql/dialect.ts'
import { postgresDialect } from './postgres/dialect.ts'
import type { SinkDialect } from './sink-dialect.ts'
import { sqliteDialect } from './sqlite/dialect.ts'
import type { FailureKind, ResultColumn, SqlConnection, SqlCursor, SqlRow, SqlStatement, SqlValue } from './sql.ts'
import type { TableId } from './table-id.ts'
import type { CalendarSystem, Instant } from './temporal.ts'
import type { JdbcUrl } from './url.ts'
import type { Zone } from './zone.ts'

export type NumericMapping = 'none' | 'precision_only' | 'best_fit' | 'best_fit_eager_double'

export type TimestampGranularity =
  | 'connect_logical'
  | 'micros_long'
  | 'micros_string'
  | 'micros_iso_datetime_string'
  | 'nanos_long'
  | 'nanos_string'
  | 'nanos_iso_datetime_string'

/** How values are read. */
export interface ReadOptions {
  readonly numericMapping: NumericMapping
  readonly granularity: TimestampGranularity
  readonly zone: Zone
  readonly calendar: CalendarSystem
}

/** How one result column becomes a field. */
export interface ColumnReader {
  readonly name: string
  /** Its place in the row. */
  readonly index: number
  readonly schema: Schema
  /** Turns the text of a value that is not null into the field's value. Throws RangeError when it does not fit. */
  read(text: string): unknown
  /** The instant that a value of a timestamp column stands for; left out: as the zone of the config reads it. */
  instant?(text: string): Instant
}

export interface ReaderPlan {
  readonly readers: readonly ColumnReader[]
  /** Columns that no schema type holds, with the name of their database type. */
  readonly dropped: readonly { readonly name: string; readonly type: string }[]
}

/** How timestamps are compared in a WHERE. */
export interface TimestampComparison {
  /** The columns, or expressions of them. */
  readonly expressions: readonly string[]
  value(instant: Instant): SqlValue
}

/** A table as the catalogue has it. */
export interface TableDescription {
  readonly table: TableId
  readonly kind: 'TABLE' | 'PARTITIONED TABLE' | 'VIEW' | 'OTHER'
  readonly columns: readonly ColumnDescription[]
}

export interface ColumnDescription {
  readonly name: string
  /** The type as SQL writes it, without length: the type that values are cast to. */
  readonly type: string
  /** Whether it holds points in time or dates: a timestamp column must. */
  readonly temporal: boolean
  readonly isArray: boolean
  readonly nullable: boolean
  readonly primaryKey: boolean
  readonly autoIncrement: boolean
  readonly hasDefault: boolean
  /** Whether the type holds whole numbers only: an incrementing column must. */
  readonly integral: boolean
}

export interface TableFilter {
  readonly schemaPattern: string | null
  readonly catalogPattern: string | null
  readonly types: readonly string[]
}

/** All that differs between databases. */
export interface Dialect {
  readonly name: string
  connect(settings: ConnectionSettings, purpose: 'read' | 'write'): Promise<SqlConnection>
  /** Says which connection settings cannot be honoured, by throwing ConfigError. Pure. */
  checkSettings(settings: ConnectionSettings): void
  failureKind(error: unknown): FailureKind
  describeFailure(error: unknown, withValues: boolean): string
  isolationLevel(mode: string): string | undefined
  openCursor(connection: SqlConnection, statement: SqlStatement, isolation: string | undefined): Promise<SqlCursor>
  /** Quotes or, when asked never to, checks that the identifier needs no quotes. */
  identifier(name: string, quoting: 'always' | 'never'): string
  /** How the name is read when it is written without quotes. */
  foldName(name: string): string
  /** `$1`, `$2`, ..., or always the same where places have no numbers. */
  placeholder(index: number): string
  /** A whole number as a parameter. */
  numberValue(text: string): SqlValue
  /**
   * How the timestamp columns of a query are compared with instants. `select` is the query without conditions, `names`
   * are the columns as SQL writes them.
   */
  timestampComparison(
    connection: SqlConnection,
    select: string,
    names: readonly string[],
    options: Pick<ReadOptions, 'zone' | 'calendar'>,
  ): Promise<TimestampComparison>
  /** Makes a custom query usable in a FROM clause. */
  wrapQuery(query: string): string
  databaseTime(connection: SqlConnection): Promise<Instant>
  /** When the oldest transaction of others began that is still open; undefined when there is none. */
  oldestTransaction(connection: SqlConnection): Promise<Instant | undefined>
  /** Why the user cannot see the transactions of others, with the SQL that helps; undefined when it can. */
  transactionsProblem(connection: SqlConnection): Promise<string | undefined>
  listTables(connection: SqlConnection, filter: TableFilter): Promise<readonly TableId[]>
  describeTable(connection: SqlConnection, table: TableId): Promise<TableDescription | null>
  /** Which of the rights on a table that exists the user lacks, with the SQL that helps; undefined when none. */
  privilegeProblem(
    connection: SqlConnection,
    table: TableId,
    privileges: readonly string[],
  ): Promise<string | undefined>
  readers(connection: SqlConnection, columns: readonly ResultColumn[], options: ReadOptions): Promise<ReaderPlan>
  readonly sink: SinkDialect
}

const DIALECTS: Readonly<Record<JdbcUrl['subprotocol'], Dialect>> = {
  postgresql: postgresDialect,
  mysql: mysqlDialect,
  mariadb: mysqlDialect,
  sqlite: sqliteDialect,
}

/** The dialect for a URL. */
export function dialectOf(settings: ConnectionSettings): Dialect {
  return DIALECTS[settings.url.subprotocol]
}

/** Reads one row with a plan. */
export function readRow(readers: readonly ColumnReader[], row: SqlRow): Record<string, unknown> {
  const value: Record<string, unknown> = {}
  for (const reader of readers) {
    const text = row[reader.index]
    value[reader.name] = text === null || text === undefined ? null : reader.read(text)
  }
  return value
}
