import { DataError, logicalNames, type Schema } from '@millrace/sdk'
import {
  addColumnsSql,
  type ColumnDdl,
  createTableSql,
  namedType,
  type NamedTypes,
  noColumnType,
} from '../column-ddl.ts'
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

const NAMED: NamedTypes = { timestamp: 'DATETIME(6)', logical: LOGICAL, debezium: DEBEZIUM }

function decimalType(name: string, schema: Schema): string {
  const scale = Number(schema.parameters?.['scale'] ?? 0)
  if (scale >= 0 && scale <= SCALE_MAX) return `DECIMAL(${DIGITS_MAX},${scale})`
  throw new DataError(
    `no column type for the field ${name}: a DECIMAL has 0 to ${SCALE_MAX} digits after the point, not ${scale}`,
  )
}

const DDL: ColumnDdl = {
  type(column, options) {
    const { name, schema, isKey } = column
    const type = namedType(column, NAMED, options)
    if (type !== undefined) return type
    if (schema.name === logicalNames.decimal) return decimalType(name, schema)
    const plain = (isKey ? KEYS[schema.type] : undefined) ?? PLAIN[schema.type]
    if (plain !== undefined) return plain
    throw noColumnType(name, schema)
  },
  defaultOf({ name, schema }, type, { bind }) {
    const bare = (/^[A-Z]+/.exec(type) as RegExpExecArray)[0].toLowerCase()
    const text = binderOf(name, schema, bare, bind)(schema.default)
    // Long texts take an expression only, and all that take a literal would take both in new versions only.
    return /^(LONG|JSON)/.test(type) ? `(${text})` : text
  },
}

/** `CREATE TABLE` for the columns; the keys make the primary key. */
export function createTable(table: string, columns: readonly NewColumn[], options: DdlOptions): string {
  return `${createTableSql(table, columns, options, DDL)} DEFAULT CHARACTER SET utf8mb4`
}

/** One `ALTER TABLE` that adds the columns. */
export function addColumns(table: string, columns: readonly NewColumn[], options: DdlOptions): string {
  return addColumnsSql(table, columns, options, DDL)
}
