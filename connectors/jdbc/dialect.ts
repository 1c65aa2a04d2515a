import { ConfigError, type Schema } from '@millrace/sdk'
import type { ConnectionSettings } from './connection-config.ts'
import { postgresDialect } from './postgres/dialect.ts'
import type { SinkDialect } from './sink-dialect.ts'
import type { FailureKind, ResultColumn, SqlConnection, SqlCursor, SqlRow, SqlStatement } from './sql.ts'
import type { TableId } from './table-id.ts'
import type { CalendarSystem, Instant } from './temporal.ts'
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
}

export interface ReaderPlan {
  readonly readers: readonly ColumnReader[]
  /** Columns that no schema type holds, with the name of their database type. */
  readonly dropped: readonly { readonly name: string; readonly type: string }[]
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

/** All that differs between databases. MySQL, MariaDB and SQLite come as further implementations. */
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
  /** `$1`, `$2`, ... */
  placeholder(index: number): string
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

/** The dialect for a URL. */
export function dialectOf(settings: ConnectionSettings): Dialect {
  if (settings.url.subprotocol === 'postgresql') return postgresDialect
  throw new ConfigError(`connection.url: no dialect for ${settings.url.subprotocol as string}`, {
    key: 'connection.url',
  })
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
