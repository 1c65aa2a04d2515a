import { logicalNames, type Schema } from '@millrace/sdk'
import {
  addColumnsSql,
  type ColumnDdl,
  createTableSql,
  namedType,
  type NamedTypes,
  noColumnType,
} from '../column-ddl.ts'
import type { DdlOptions, NewColumn } from '../sink-dialect.ts'
import { textBinderOf } from './binders.ts'

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

const NAMED: NamedTypes = { timestamp: 'TIMESTAMP', logical: LOGICAL, debezium: DEBEZIUM }

function columnType(name: string, schema: Schema, options: DdlOptions): string {
  const named = namedType({ name, schema }, NAMED, options)
  if (named !== undefined) return named
  if (schema.type === 'ARRAY') return `${columnType(name, schema.valueSchema as Schema, options)}[]`
  const plain = PLAIN[schema.type]
  if (plain !== undefined) return plain
  throw noColumnType(name, schema)
}

const DDL: ColumnDdl = {
  type: ({ name, schema }, options) => columnType(name, schema, options),
  defaultOf: ({ name, schema }, type, { bind }) =>
    literal(textBinderOf(name, schema, type.toLowerCase(), bind)(schema.default)),
}

/** `CREATE TABLE` for the columns; the keys make the primary key. */
export function createTable(table: string, columns: readonly NewColumn[], options: DdlOptions): string {
  return createTableSql(table, columns, options, DDL)
}

/** One `ALTER TABLE` that adds the columns. */
export function addColumns(table: string, columns: readonly NewColumn[], options: DdlOptions): string {
  return addColumnsSql(table, columns, options, DDL)
}

/** A text literal that no value can end early, whatever the server thinks of backslashes. */
export function literal(text: string): string {
  const quoted = `'${text.replaceAll("'", "''")}'`
  return text.includes('\\') ? ` E${quoted.replaceAll('\\', '\\\\')}` : quoted
}
