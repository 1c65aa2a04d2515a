/**
 * One column of a result. Each dialect's columns say more in that dialect's own terms, and only that dialect reads
 * them.
 */
export interface ResultColumn {
  readonly name: string
}

/** A value as the database's text protocol carries it: nothing is rounded by a driver on the way. */
export type SqlText = string | null
export type SqlRow = readonly SqlText[]

/** A parameter of a statement. Postgres takes text where it knows the type of each place. */
export type SqlValue = string | bigint | number | Uint8Array | null

export interface SqlResult {
  readonly columns: readonly ResultColumn[]
  readonly rows: readonly SqlRow[]
  /** Rows that a statement changed. */
  readonly affected: number
  /** What the server says it did: INSERT, COMMIT, ROLLBACK, ... */
  readonly command: string
}

/** Values of one row, in the order of the columns that are written. */
export type BoundRow = readonly SqlValue[]

/** The same in a dialect that makes text of every value. */
export type TextRow = readonly (string | null)[]

/** Parameters that are arrays, one for each column with its value of each row. */
export interface ColumnArrays {
  readonly rows: readonly BoundRow[]
  /** How the values of each column travel, in the dialect's own words. */
  readonly forms: readonly string[]
}

export interface SqlStatement {
  readonly text: string
  readonly values?: readonly SqlValue[]
  /** Instead of `values`, for Postgres. */
  readonly arrays?: ColumnArrays
  /** Instead of `values`: the statement runs once for each of these rows, for databases in our own process. */
  readonly batch?: readonly (readonly SqlValue[])[]
  /** Statements with a name are prepared once per connection. */
  readonly name?: string
}

/** One connection. Calls never overlap. */
export interface SqlConnection {
  run(statement: SqlStatement | string): Promise<SqlResult>
  /** The time zone that the database gives to sessions of this user, before we set our own. */
  readonly zone: string
  /** True once the connection cannot be used any more. */
  readonly broken: boolean
  /** Closes at once, also in the middle of a statement. Safe to call twice. */
  close(): Promise<void>
}

/** A result read in portions, so that memory holds one portion whatever the size of the table. */
export interface SqlCursor {
  /** The next rows, at most `limit`; fewer than that only at the end. */
  fetch(limit: number): Promise<SqlResult>
  close(): Promise<void>
}

/** What a failure means for the task. */
export type FailureKind =
  /** The connection or the server had a problem; the same statement may succeed later. */
  | 'transient'
  /** A value or row is refused by the database; trying the same again cannot help. */
  | 'data'
  /** A table or column is missing. */
  | 'missing'
  /** Anything else: a wrong statement, no permission. */
  | 'permanent'
