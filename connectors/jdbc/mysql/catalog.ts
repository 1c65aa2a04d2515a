import type { ColumnDescription, TableDescription, TableFilter } from '../dialect.ts'
import type { SqlConnection } from '../sql.ts'
import { plainName, type TableId } from '../table-id.ts'
import { isOfServer } from './failures.ts'
import { quoteName } from './literals.ts'

/** The kinds of relations by the names that the JDBC drivers give them. */
const KIND = `CASE
  WHEN TABLE_TYPE = 'SYSTEM VIEW' THEN 'SYSTEM VIEW'
  WHEN TABLE_SCHEMA IN ('mysql', 'performance_schema', 'sys', 'information_schema') THEN
    IF(TABLE_TYPE = 'VIEW', 'SYSTEM VIEW', 'SYSTEM TABLE')
  WHEN TABLE_TYPE IN ('TEMPORARY', 'LOCAL TEMPORARY') THEN 'LOCAL TEMPORARY'
  WHEN TABLE_TYPE IN ('BASE TABLE', 'SYSTEM VERSIONED') THEN 'TABLE'
  ELSE TABLE_TYPE END`

const INTEGRAL = new Set(['tinyint', 'smallint', 'mediumint', 'int', 'bigint'])
const TEMPORAL = new Set(['timestamp', 'datetime', 'date'])

/**
 * All tables of the asked types that the user may see, in the order of their names. A database is what other systems
 * call a catalog or a schema, so both patterns are for it; without a pattern it is the one of the URL.
 */
export async function listTables(connection: SqlConnection, filter: TableFilter): Promise<readonly TableId[]> {
  const { catalogPattern, schemaPattern, types } = filter
  const pattern = catalogPattern === null || catalogPattern === '' ? null : catalogPattern
  const found = await connection.run({
    text: `SELECT TABLE_SCHEMA, TABLE_NAME FROM information_schema.TABLES
      WHERE (${KIND}) IN (${types.map(() => '?').join(', ')})
        AND (${pattern === null ? 'DATABASE() IS NULL OR TABLE_SCHEMA = DATABASE()' : 'TABLE_SCHEMA LIKE ?'})
        ${schemaPattern === null ? '' : 'AND TABLE_SCHEMA LIKE ?'}
      ORDER BY 1, 2`,
    values: [...types, ...(pattern === null ? [] : [pattern]), ...(schemaPattern === null ? [] : [schemaPattern])],
  })
  return found.rows.map((row) => ({ schema: row[0] as string, name: row[1] as string }))
}

/** Finds a table, in the database of the URL when none is named, and its columns in order. */
export async function describeTable(connection: SqlConnection, table: TableId): Promise<TableDescription | null> {
  const place = 'TABLE_SCHEMA = COALESCE(?, DATABASE()) AND TABLE_NAME = ?'
  const values = [table.schema ?? null, table.name]
  const found = await connection.run({
    text: `SELECT TABLE_SCHEMA, TABLE_NAME, ${KIND} FROM information_schema.TABLES WHERE ${place}`,
    values,
  })
  const row = found.rows[0]
  if (row === undefined) return null
  const columns = await connection.run({
    text: `SELECT COLUMN_NAME, DATA_TYPE, IS_NULLABLE, COLUMN_KEY, EXTRA, COLUMN_DEFAULT IS NOT NULL, NUMERIC_SCALE
      FROM information_schema.COLUMNS WHERE ${place} ORDER BY ORDINAL_POSITION`,
    values,
  })
  const kind = row[2] as string
  return {
    table: { schema: row[0] as string, name: row[1] as string },
    kind: kind === 'TABLE' || kind === 'VIEW' ? kind : 'OTHER',
    columns: columns.rows.map((column) => describeColumn(column as readonly string[])),
  }
}

function describeColumn(row: readonly (string | null)[]): ColumnDescription {
  const [name, dataType, nullable, key, extra, hasDefault, scale] = row
  const type = (dataType as string).toLowerCase()
  const autoIncrement = (extra ?? '').toLowerCase().includes('auto_increment')
  return {
    name: name as string,
    type,
    isArray: false,
    nullable: nullable === 'YES',
    primaryKey: key === 'PRI',
    autoIncrement,
    hasDefault: hasDefault === '1' || autoIncrement,
    integral: INTEGRAL.has(type) || (type === 'decimal' && scale === '0'),
    temporal: TEMPORAL.has(type),
  }
}

/** Why no table can be created in the database, with the fix. */
export async function createProblem(
  connection: SqlConnection,
  schema: string | undefined,
): Promise<string | undefined> {
  const { rows } = await connection.run({
    text: `SELECT COALESCE(?, DATABASE()), (SELECT COUNT(*) FROM information_schema.SCHEMATA
      WHERE SCHEMA_NAME = COALESCE(?, DATABASE()))`,
    values: [schema ?? null, schema ?? null],
  })
  const [name, found] = rows[0] as readonly (string | null)[]
  if (name === null || name === undefined) return 'no database is named; put one into connection.url'
  if (found !== '0') return undefined
  return `there is no database ${name} that the user may see: CREATE DATABASE ${quoteName(name)}`
}

/** Statements that need a right and do nothing, for rights come by roles and patterns that no table lists. */
function probe(privilege: string, table: string, column: string): string {
  switch (privilege) {
    case 'INSERT':
      return `EXPLAIN INSERT INTO ${table} () VALUES ()`
    case 'UPDATE':
      return `EXPLAIN UPDATE ${table} SET ${column} = ${column} WHERE FALSE`
    case 'DELETE':
      return `EXPLAIN DELETE FROM ${table} WHERE FALSE`
    default:
      return `SELECT ${column} FROM ${table} LIMIT 0`
  }
}

/** Errors that say a right is missing: on the database, the table, a column or a routine. */
const DENIED = new Set([1044, 1142, 1143, 1370])

/** Which of the rights on the table the user lacks, with the SQL that helps. */
export async function privilegeProblem(
  connection: SqlConnection,
  table: TableId,
  privileges: readonly string[],
): Promise<string | undefined> {
  const name = (table.schema === undefined ? [table.name] : [table.schema, table.name]).map(quoteName).join('.')
  const description = await describeTable(connection, table)
  const column = quoteName(description?.columns[0]?.name ?? '')
  const lacking: string[] = []
  for (const privilege of privileges) {
    try {
      await connection.run(probe(privilege, name, column))
    } catch (error) {
      // A statement that fails for another reason was allowed.
      if (!isOfServer(error)) throw error
      if (DENIED.has(error.errno)) lacking.push(privilege)
    }
  }
  if (lacking.length === 0) return undefined
  const user = (await connection.run('SELECT CURRENT_USER()')).rows[0]?.[0]
  return (
    `the user ${user} has no right to ${lacking.join(', ')} on ${plainName(table)}: ` +
    `GRANT ${lacking.join(', ')} ON ${name} TO the user`
  )
}
