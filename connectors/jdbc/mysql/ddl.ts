import { DataError, logicalNames, type Schema } from '@millrace/sdk'
import type { DdlOptions, NewColumn } from '../sink-dialect.ts'
import { binderOf } from './binders.ts'

/** Text and bytes of any length, where the drivers' own types would end at 64 KiB. */
const PLAIN: Readonly<Record<string, string>> = {
  INT8: 'TINYINT',
  INT16: 'SMALLINT',
  INT32: 'INT',
  INT64: 'BIGINT',
  FLOAT32: 'FLOAT',
  FLOAT64: 'DOUBLE',
  BOOLEAN: 'TINYINT',
  STRING: 'LONGTEXT',
  BYTES: 'LONGBLOB',
}

/** A key has to end somewhere, and keys that differ in case or accents must stay two. */
const KEYS: Readonly<Record<string, string>> = {
  STRING: 'VARCHAR(256) CHARACTER SET utf8mb4 COLLATE utf8mb4_bin',
  BYTES: 'VARBINARY(256)',
}

const LOGICAL: Readonly<Record<string, string>> = {
  [logicalNames.date]: 'DATE',
  [logicalNames.time]: 'TIME(3)',
  [logicalNames.timestamp]: 'DATETIME(3)',
}

const DEBEZIUM: Readonly<Record<string, string>> = {
  'io.debezium.time.Date': 'DATE',
  'io.debezium.time.Time': 'TIME(3)',
  'io.debezium.time.MicroTime': 'TIME(6)',
  'io.debezium.time.NanoTime': 'TIME(6)',
  'io.debezium.time.Timestamp': 'DATETIME(3)',
  'io.debezium.time.MicroTimestamp': 'DATETIME(6)',
  'io.debezium.time.NanoTimestamp': 'DATETIME(6)',
  'io.debezium.time.ZonedTimestamp': 'DATETIME(6)',
  'io.debezium.data.Json': 'JSON',
  'io.debezium.data.VariableScaleDecimal': 'DECIMAL(65,30)',
}

/** The most digits that a DECIMAL has, and the most of them after the point. */
const DIGITS_MAX = 65
const SCALE_MAX = 30

function columnType({ name, schema, isKey }: NewColumn, options: DdlOptions): string {
  if (options.bind.timestampFields.has(name) && (schema.type === 'INT64' || schema.type === 'STRING')) {
    return 'DATETIME(6)'
  }
  if (schema.name === logicalNames.decimal) return decimalType(name, schema)
  const named =
    schema.name === undefined
      ? undefined
      : (LOGICAL[schema.name] ?? (options.debeziumTypes ? DEBEZIUM[schema.name] : undefined))
  const type = named ?? (isKey ? KEYS[schema.type] : undefined) ?? PLAIN[schema.type]
  if (type !== undefined) return type
  throw new DataError(
    `no column type for the field ${name} of type ${schema.type}; flatten or drop it with a transform`,
  )
}

function decimalType(name: string, schema: Schema): string {
  const scale = Number(schema.parameters?.['scale'] ?? 0)
  if (scale >= 0 && scale <= SCALE_MAX) return `DECIMAL(${DIGITS_MAX},${scale})`
  throw new DataError(
    `no column type for the field ${name}: a DECIMAL has 0 to ${SCALE_MAX} digits after the point, not ${scale}`,
  )
}

/** `CREATE TABLE` for the columns; the keys make the primary key. */
export function createTable(table: string, columns: readonly NewColumn[], options: DdlOptions): string {
  const lines = columns.map((column) => columnSpec(column, options))
  const keys = columns.filter((column) => column.isKey).map(({ name }) => options.identifier(name))
  if (keys.length > 0) lines.push(`PRIMARY KEY(${keys.join(',')})`)
  return `CREATE TABLE ${table} (\n${lines.join(',\n')}) DEFAULT CHARACTER SET utf8mb4`
}

/** One `ALTER TABLE` that adds the columns. */
export function addColumns(table: string, columns: readonly NewColumn[], options: DdlOptions): string {
  return `ALTER TABLE ${table} ${columns.map((column) => `ADD ${columnSpec(column, options)}`).join(', ')}`
}

function columnSpec(column: NewColumn, options: DdlOptions): string {
  const { name, schema, isKey } = column
  const type = columnType(column, options)
  const spec = `${options.identifier(name)} ${type}`
  if (schema.default !== undefined && schema.default !== null) {
    const bare = (/^[A-Z]+/.exec(type) as RegExpExecArray)[0].toLowerCase()
    const text = binderOf(name, schema, bare, options.bind)(schema.default)
    // Long texts take an expression only, and all that take a literal would take both in new versions only.
    return `${spec} DEFAULT ${/^(LONG|JSON)/.test(type) ? `(${text})` : text}`
  }
  return schema.optional && !isKey ? `${spec} NULL` : `${spec} NOT NULL`
}
