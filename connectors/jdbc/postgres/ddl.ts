import { DataError, logicalNames, type Schema } from '@millrace/sdk'
import type { DdlOptions, NewColumn } from '../sink-dialect.ts'
import { binderOf } from './binders.ts'

const PLAIN: Readonly<Record<string, string>> = {
  INT8: 'SMALLINT',
  INT16: 'SMALLINT',
  INT32: 'INT',
  INT64: 'BIGINT',
  FLOAT32: 'REAL',
  FLOAT64: 'DOUBLE PRECISION',
  BOOLEAN: 'BOOLEAN',
  STRING: 'TEXT',
  BYTES: 'BYTEA',
}

const LOGICAL: Readonly<Record<string, string>> = {
  [logicalNames.decimal]: 'DECIMAL',
  [logicalNames.date]: 'DATE',
  [logicalNames.time]: 'TIME',
  [logicalNames.timestamp]: 'TIMESTAMP',
}

const DEBEZIUM: Readonly<Record<string, string>> = {
  'io.debezium.time.Date': 'DATE',
  'io.debezium.time.Time': 'TIME',
  'io.debezium.time.MicroTime': 'TIME',
  'io.debezium.time.NanoTime': 'TIME',
  'io.debezium.time.ZonedTime': 'TIMETZ',
  'io.debezium.time.Timestamp': 'TIMESTAMP',
  'io.debezium.time.MicroTimestamp': 'TIMESTAMP',
  'io.debezium.time.NanoTimestamp': 'TIMESTAMP',
  'io.debezium.time.ZonedTimestamp': 'TIMESTAMPTZ',
  'io.debezium.time.MicroDuration': 'INTERVAL',
  'io.debezium.time.Interval': 'INTERVAL',
  'io.debezium.data.Json': 'JSON',
  'io.debezium.data.Uuid': 'UUID',
  'io.debezium.data.Xml': 'XML',
  'io.debezium.data.Bits': 'BIT VARYING',
  'io.debezium.data.VariableScaleDecimal': 'DECIMAL',
}

/** The column type for a schema. Throws DataError where there is none. */
export function columnType(name: string, schema: Schema, options: Pick<DdlOptions, 'debeziumTypes' | 'bind'>): string {
  if (options.bind.timestampFields.has(name) && (schema.type === 'INT64' || schema.type === 'STRING'))
    return 'TIMESTAMP'
  const logical =
    schema.name === undefined
      ? undefined
      : (LOGICAL[schema.name] ?? (options.debeziumTypes ? DEBEZIUM[schema.name] : undefined))
  if (logical !== undefined) return logical
  if (schema.type === 'ARRAY') return `${columnType(name, schema.valueSchema as Schema, options)}[]`
  const plain = PLAIN[schema.type]
  if (plain !== undefined) return plain
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

/** One `ALTER TABLE` that adds the columns. */
export function addColumns(table: string, columns: readonly NewColumn[], options: DdlOptions): string {
  return `ALTER TABLE ${table} ${columns.map((column) => `ADD ${columnSpec(column, options)}`).join(', ')}`
}

function columnSpec({ name, schema, isKey }: NewColumn, options: DdlOptions): string {
  const type = columnType(name, schema, options)
  const spec = `${options.identifier(name)} ${type}`
  if (schema.default !== undefined && schema.default !== null) {
    const text = binderOf(name, schema, type.toLowerCase(), options.bind)(schema.default)
    return `${spec} DEFAULT ${literal(text)}`
  }
  return schema.optional && !isKey ? `${spec} NULL` : `${spec} NOT NULL`
}

/** A text literal that no value can end early, whatever the server thinks of backslashes. */
export function literal(text: string): string {
  const quoted = `'${text.replaceAll("'", "''")}'`
  return text.includes('\\') ? ` E${quoted.replaceAll('\\', '\\\\')}` : quoted
}
