import { ConfigError, ConnectError } from '@millrace/sdk'
import type { ColumnDescription, TableDescription } from './dialect.ts'
import { mappedColumns, parseColumnMapping } from './patterns.ts'
import type { SourceConfig } from './source-config.ts'
import { plainName } from './table-id.ts'

/** The columns by which new rows of a table are told. */
export interface OffsetColumns {
  readonly incrementing: string | undefined
  readonly timestamps: readonly string[]
}

export const usesIncrementing = (mode: SourceConfig['mode']): boolean =>
  mode === 'incrementing' || mode === 'timestamp+incrementing'
export const usesTimestamp = (mode: SourceConfig['mode']): boolean =>
  mode === 'timestamp' || mode === 'timestamp+incrementing'

/** The columns of a query, as the config names them: nothing can be looked up. */
export function queryColumns(config: SourceConfig): OffsetColumns {
  const incrementing = config['incrementing.column.name']
  if (usesIncrementing(config.mode) && incrementing === '') {
    throw new ConfigError('incrementing.column.name: a query needs it, for there is no table to look it up in', {
      key: 'incrementing.column.name',
    })
  }
  return {
    incrementing: usesIncrementing(config.mode) ? incrementing : undefined,
    timestamps: usesTimestamp(config.mode) ? config['timestamp.column.name'] : [],
  }
}

/** Finds the offset columns of a table and checks them. Throws ConfigError with the table, the column and the fix. */
export function tableColumns(config: SourceConfig, table: TableDescription): OffsetColumns {
  const name = plainName(table.table)
  return {
    incrementing: usesIncrementing(config.mode) ? incrementingColumn(config, table, name) : undefined,
    timestamps: usesTimestamp(config.mode) ? timestampColumns(config, table, name) : [],
  }
}

function incrementingColumn(config: SourceConfig, table: TableDescription, name: string): string {
  const mapping = config['incrementing.column.mapping'].map((entry) =>
    parseColumnMapping('incrementing.column.mapping', entry),
  )
  let wanted = config['incrementing.column.name']
  if (mapping.length > 0) wanted = mappedColumns('incrementing.column.mapping', mapping, name)[0] as string
  const column = wanted === '' ? autoIncrement(table, name) : findColumn(table, wanted, 'incrementing.column.name')
  if (config['validate.non.null'] && column.nullable) {
    throw new ConfigError(
      `incrementing.column.name: the column ${column.name} of ${name} may be null, so rows could be ` +
        'missed; make it NOT NULL or set validate.non.null=false',
      { key: 'incrementing.column.name' },
    )
  }
  if (!column.integral) {
    throw new ConfigError(
      `incrementing.column.name: the column ${column.name} of ${name} is ${column.type}, not a whole number`,
      {
        key: 'incrementing.column.name',
      },
    )
  }
  return column.name
}

function autoIncrement(table: TableDescription, name: string): ColumnDescription {
  const found = table.columns.filter((column) => column.autoIncrement)
  if (found.length === 1) return found[0] as ColumnDescription
  throw new ConfigError(
    `incrementing.column.name: ${name} has ${found.length === 0 ? 'no' : 'more than one'} identity ` +
      'or serial column; name the column to use',
    { key: 'incrementing.column.name' },
  )
}

function timestampColumns(config: SourceConfig, table: TableDescription, name: string): readonly string[] {
  const mapping = config['timestamp.columns.mapping'].map((entry) =>
    parseColumnMapping('timestamp.columns.mapping', entry),
  )
  const wanted =
    mapping.length > 0 ? mappedColumns('timestamp.columns.mapping', mapping, name) : config['timestamp.column.name']
  if (wanted.length === 0) {
    throw new ConfigError(`timestamp.column.name: the mode ${config.mode} needs it`, { key: 'timestamp.column.name' })
  }
  const columns = wanted.map((each) => findColumn(table, each, 'timestamp.column.name'))
  if (config['validate.non.null'] && columns.every((column) => column.nullable)) {
    throw new ConfigError(
      `timestamp.column.name: ${columns.map((column) => column.name).join(', ')} of ${name} may be ` +
        'null, so rows could be missed; make one NOT NULL or set validate.non.null=false',
      { key: 'timestamp.column.name' },
    )
  }
  const other = columns.find((column) => !column.temporal)
  if (other !== undefined) {
    throw new ConfigError(
      `timestamp.column.name: the column ${other.name} of ${name} is ${other.type}, not a timestamp`,
      {
        key: 'timestamp.column.name',
      },
    )
  }
  return columns.map((column) => column.name)
}

/** Takes the exact name, else the only one that differs in case. */
function findColumn(table: TableDescription, wanted: string, key: string): ColumnDescription {
  const exact = table.columns.find((column) => column.name === wanted)
  if (exact !== undefined) return exact
  const similar = table.columns.filter((column) => column.name.toLowerCase() === wanted.toLowerCase())
  if (similar.length === 1) return similar[0] as ColumnDescription
  const known = table.columns.map((column) => column.name).join(', ')
  if (similar.length === 0) {
    throw new ConfigError(`${key}: ${plainName(table.table)} has no column ${wanted}; it has ${known}`, { key })
  }
  throw new ConfigError(
    `${key}: ${wanted} may mean ${similar.map((column) => column.name).join(' or ')} of ` +
      `${plainName(table.table)}; write the exact case`,
    { key },
  )
}

/** Finds the places of the offset columns in a result. */
export function columnIndex(columns: readonly { readonly name: string }[], wanted: string): number {
  const exact = columns.findIndex((column) => column.name === wanted)
  if (exact >= 0) return exact
  const similar = columns.flatMap((column, index) =>
    column.name.toLowerCase() === wanted.toLowerCase() ? [index] : [],
  )
  if (similar.length === 1) return similar[0] as number
  throw new ConnectError(
    `the result has no column ${wanted}; it has ${columns.map((column) => column.name).join(', ')}`,
  )
}
