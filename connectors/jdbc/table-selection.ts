import { ConfigError, ConnectError } from '@millrace/sdk'
import type { Dialect } from './dialect.ts'
import { compilePattern } from './patterns.ts'
import type { SourceConfig } from './source-config.ts'
import type { SqlConnection } from './sql.ts'
import { plainName, quotedName, splitQuoted, type TableId } from './table-id.ts'

/** Whether a list entry means the table: by its bare, qualified or quoted name. */
function names(entry: string, table: TableId): boolean {
  return entry === table.name || entry === plainName(table) || entry === quotedName(table)
}

/** Applies the white, black, include and exclude lists. Throws ConfigError for a list that excludes another. */
export function selectTables(config: SourceConfig, tables: readonly TableId[]): readonly TableId[] {
  const white = config['table.whitelist']
  const black = config['table.blacklist']
  const include = config['table.include.list'].map((pattern) => compilePattern('table.include.list', pattern))
  const exclude = config['table.exclude.list'].map((pattern) => compilePattern('table.exclude.list', pattern))
  if (white.length > 0) return tables.filter((table) => white.some((entry) => names(entry, table)))
  if (black.length > 0) return tables.filter((table) => !black.some((entry) => names(entry, table)))
  if (include.length === 0) return tables
  return tables
    .filter((table) => include.some((pattern) => pattern.test(plainName(table))))
    .filter((table) => !exclude.some((pattern) => pattern.test(plainName(table))))
}

/** Tables of one name in several schemas would share a topic. */
export function duplicateNames(tables: readonly TableId[]): readonly string[] {
  const seen = new Map<string, number>()
  for (const { name } of tables) seen.set(name, (seen.get(name) ?? 0) + 1)
  return [...seen].filter(([, count]) => count > 1).map(([name]) => name)
}

/** Lists the tables that the config selects. */
export async function findTables(
  dialect: Dialect,
  connection: SqlConnection,
  config: SourceConfig,
): Promise<readonly TableId[]> {
  const tables = await dialect.listTables(connection, {
    schemaPattern: config['schema.pattern'],
    catalogPattern: config['catalog.pattern'],
    types: config['table.types'],
  })
  const selected = selectTables(config, tables)
  const duplicates = duplicateNames(selected)
  if (duplicates.length > 0) {
    throw new ConfigError(
      `several selected tables are named ${duplicates.join(', ')} and would share a topic; select ` +
        'one by schema.table or set schema.pattern',
      { key: 'table.whitelist' },
    )
  }
  return selected
}

/** Splits a list into at most `groups` neighbouring groups of nearly equal size, the larger ones first. */
export function groupContiguous<T>(list: readonly T[], groups: number): readonly (readonly T[])[] {
  const count = Math.min(groups, list.length)
  const size = Math.floor(list.length / count)
  const larger = list.length - size * count
  const result: T[][] = []
  for (let i = 0, at = 0; i < count; i++) {
    const end = at + size + (i < larger ? 1 : 0)
    result.push(list.slice(at, end))
    at = end
  }
  return result
}

/** Writes tables into the `tables` key of a task config. */
export function writeTables(tables: readonly TableId[]): string {
  return tables.map(quotedName).join(',')
}

/** Reads the `tables` key of a task config. */
export function readTables(text: string, parse: (name: string) => TableId): readonly TableId[] {
  const names = splitQuoted(text, ',')
  if (names.length === 0) {
    throw new ConnectError(
      'no table matches the config: check table.whitelist, table.include.list, schema.pattern, ' +
        'table.types and the rights of the user; the task starts by itself once one appears',
    )
  }
  return names.map(parse)
}
