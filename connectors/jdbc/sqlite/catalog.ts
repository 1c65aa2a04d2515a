import type { ColumnDescription, TableDescription, TableFilter } from '../dialect.ts'
import type { SqlConnection } from '../sql.ts'
import { quoteAlways, type TableId } from '../table-id.ts'

const KIND = `CASE WHEN name LIKE 'sqlite\\_%' ESCAPE '\\' THEN 'SYSTEM TABLE' ELSE upper(type) END`

/** All tables of the asked types, in the order of their names. There are no schemas and no catalogs to choose from. */
export async function listTables(connection: SqlConnection, filter: TableFilter): Promise<readonly TableId[]> {
  const { rows } = await connection.run({
    text: `SELECT name FROM sqlite_master WHERE type IN ('table', 'view')
      AND ${KIND} IN (${filter.types.map(() => '?').join(', ')}) ORDER BY name`,
    values: filter.types,
  })
  return rows.map((row) => ({ schema: undefined, name: row[0] as string }))
}

const INTEGRAL = /INT/i
const TEMPORAL = /DATE|TIMESTAMP/i

/** Finds a table and its columns in order. Names differ in more than their case. */
export async function describeTable(connection: SqlConnection, table: TableId): Promise<TableDescription | null> {
  const schema = quoteAlways(table.schema ?? 'main')
  const found = await connection.run({
    text: `SELECT name, ${KIND} FROM ${schema}.sqlite_master WHERE type IN ('table', 'view') AND lower(name) = lower(?)`,
    values: [table.name],
  })
  const row = found.rows[0]
  if (row === undefined) return null
  const columns = await connection.run({
    text: `SELECT name, type, "notnull", pk, dflt_value IS NOT NULL FROM pragma_table_xinfo(?, ?)
      WHERE hidden <> 1 ORDER BY cid`,
    values: [row[0] as string, table.schema ?? 'main'],
  })
  const keys = columns.rows.filter((column) => column[3] !== '0').length
  const kind = row[1] as string
  return {
    table: { schema: table.schema, name: row[0] as string },
    kind: kind === 'TABLE' || kind === 'VIEW' ? kind : 'OTHER',
    columns: columns.rows.map((column) => describeColumn(column as readonly string[], keys)),
  }
}

function describeColumn(row: readonly (string | null)[], keys: number): ColumnDescription {
  const [name, declared, notNull, key, hasDefault] = row
  const type = declared ?? ''
  // The only column of the key, when it is INTEGER, is the number of the row: never null, and given by itself.
  const isRowNumber = key !== '0' && keys === 1 && type.toUpperCase() === 'INTEGER'
  return {
    name: name as string,
    type,
    isArray: false,
    nullable: notNull === '0' && !isRowNumber,
    primaryKey: key !== '0',
    autoIncrement: isRowNumber,
    hasDefault: hasDefault === '1' || isRowNumber,
    integral: INTEGRAL.test(type) || /^(NUMERIC|DECIMAL)\(\d+(,\s*0)?\)$/i.test(type),
    // Times are kept as text or numbers, in columns of any type but bytes and names without one.
    temporal: TEMPORAL.test(type) || /TEXT|CHAR|INT|NUMERIC/i.test(type),
  }
}

/** Why no table can be created. */
export async function createProblem(
  _connection: SqlConnection,
  schema: string | undefined,
): Promise<string | undefined> {
  if (schema === undefined || schema === 'main') return undefined
  return `SQLite has no schema ${schema}: leave it out of the table name`
}
