import { logicalNames } from '@millrace/sdk'
import { type ColumnDdl, columnSpec, createTableSql, namedType, type NamedTypes, noColumnType } from '../column-ddl.ts'
import type { DdlOptions, NewColumn } from '../sink-dialect.ts'
import { binderOf, literalOf } from './binders.ts'

const PLAIN: Readonly<Record<string, string>> = {
  INT8: 'INTEGER',
  INT16: 'INTEGER',
  INT32: 'INTEGER',
  INT64: 'INTEGER',
  FLOAT32: 'REAL',
  FLOAT64: 'REAL',
  BOOLEAN: 'INTEGER',
  STRING: 'TEXT',
  BYTES: 'BLOB',
}

const LOGICAL: Readonly<Record<string, string>> = {
  [logicalNames.decimal]: 'NUMERIC',
  [logicalNames.date]: 'NUMERIC',
  [logicalNames.time]: 'NUMERIC',
  [logicalNames.timestamp]: 'NUMERIC',
}

const DEBEZIUM: Readonly<Record<string, string>> = {
  'io.debezium.time.Date': 'DATE',
  'io.debezium.time.Time': 'TIME',
  'io.debezium.time.MicroTime': 'TIME',
  'io.debezium.time.NanoTime': 'TIME',
  'io.debezium.time.Timestamp': 'TIMESTAMP',
  'io.debezium.time.MicroTimestamp': 'TIMESTAMP',
  'io.debezium.time.NanoTimestamp': 'TIMESTAMP',
  'io.debezium.time.ZonedTimestamp': 'TIMESTAMP',
  'io.debezium.data.VariableScaleDecimal': 'NUMERIC',
}

const NAMED: NamedTypes = { timestamp: 'TIMESTAMP', logical: LOGICAL, debezium: DEBEZIUM }

const DDL: ColumnDdl = {
  type(column, options) {
    const type = namedType(column, NAMED, options) ?? PLAIN[column.schema.type]
    if (type !== undefined) return type
    throw noColumnType(column.name, column.schema)
  },
  defaultOf: ({ name, schema }, type, { bind }) => literalOf(binderOf(name, schema, type, bind)(schema.default)),
}

/** `CREATE TABLE` for the columns; the keys make the primary key. */
export function createTable(table: string, columns: readonly NewColumn[], options: DdlOptions): string {
  return createTableSql(table, columns, options, DDL)
}

/** One `ALTER TABLE` for each column: SQLite adds them one by one. */
export function addColumns(table: string, columns: readonly NewColumn[], options: DdlOptions): readonly string[] {
  return columns.map((column) => `ALTER TABLE ${table} ADD COLUMN ${columnSpec(column, options, DDL)}`)
}
