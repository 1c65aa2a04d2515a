import { DataError, logicalNames, type Schema } from '@millrace/sdk'
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

function columnType(name: string, schema: Schema, options: DdlOptions): string {
  if (options.bind.timestampFields.has(name) && (schema.type === 'INT64' || schema.type === 'STRING')) {
    return 'TIMESTAMP'
  }
  const named =
    schema.name === undefined
      ? undefined
      : (LOGICAL[schema.name] ?? (options.debeziumTypes ? DEBEZIUM[schema.name] : undefined))
  const type = named ?? PLAIN[schema.type]
  if (type !== undefined) return type
  throw new DataError(
    `no column type for the field ${name} of type ${schema.type}; flatten or drop it with a transform`,
  )
}

/** `CREATE TABLE` for the columns; the keys make the primary key. */
export function createTable(table: string, columns: readonly NewColumn[], options: DdlOptions): string {
  const lines = columns.map((column) => columnSpec(column, options))
  const keys = columns.filter((column) => column.isKey).map(({ name }) => options.identifier(name))
  if (keys.length > 0) lines.push(`PRIMARY KEY(${keys.join(',')})`)
  return `CREATE TABLE ${table} (\n${lines.join(',\n')})`
}

/** One `ALTER TABLE` for each column: SQLite adds them one by one. */
export function addColumns(table: string, columns: readonly NewColumn[], options: DdlOptions): readonly string[] {
  return columns.map((column) => `ALTER TABLE ${table} ADD COLUMN ${columnSpec(column, options)}`)
}

function columnSpec({ name, schema, isKey }: NewColumn, options: DdlOptions): string {
  const type = columnType(name, schema, options)
  const spec = `${options.identifier(name)} ${type}`
  if (schema.default !== undefined && schema.default !== null) {
    return `${spec} DEFAULT ${literalOf(binderOf(name, schema, type, options.bind)(schema.default))}`
  }
  return schema.optional && !isKey ? `${spec} NULL` : `${spec} NOT NULL`
}
