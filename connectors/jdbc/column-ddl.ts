import { DataError, type Schema } from '@millrace/sdk'
import type { DdlOptions, NewColumn } from './sink-dialect.ts'

/** The column types of a database that names ask for. */
export interface NamedTypes {
  /** Of the fields that are configured as timestamps. */
  readonly timestamp: string
  /** By the name of a schema of Kafka Connect, and of one of Debezium. */
  readonly logical: Readonly<Record<string, string>>
  readonly debezium: Readonly<Record<string, string>>
}

/** How a database writes the columns of its tables. */
export interface ColumnDdl {
  /** The column type. Throws DataError where there is none. */
  type(column: NewColumn, options: DdlOptions): string
  /** The default of the schema as SQL. */
  defaultOf(column: NewColumn, type: string, options: DdlOptions): string
}

/** The type that the name of a field or schema asks for, whatever the schema's own type is. */
export function namedType(
  { name, schema }: Pick<NewColumn, 'name' | 'schema'>,
  { timestamp, logical, debezium }: NamedTypes,
  { bind, debeziumTypes }: DdlOptions,
): string | undefined {
  if (bind.timestampFields.has(name) && (schema.type === 'INT64' || schema.type === 'STRING')) return timestamp
  if (schema.name === undefined) return undefined
  return logical[schema.name] ?? (debeziumTypes ? debezium[schema.name] : undefined)
}

/** What is said of a field that no column can hold. */
export function noColumnType(name: string, schema: Schema): DataError {
  return new DataError(
    `no column type for the field ${name} of type ${schema.type}; flatten or drop it with a transform`,
  )
}

/** `CREATE TABLE` for the columns; the keys make the primary key. */
export function createTableSql(
  table: string,
  columns: readonly NewColumn[],
  options: DdlOptions,
  ddl: ColumnDdl,
): string {
  const lines = columns.map((column) => columnSpec(column, options, ddl))
  const keys = columns.filter((column) => column.isKey).map(({ name }) => options.identifier(name))
  if (keys.length > 0) lines.push(`PRIMARY KEY(${keys.join(',')})`)
  return `CREATE TABLE ${table} (\n${lines.join(',\n')})`
}

/** One `ALTER TABLE` that adds the columns. */
export function addColumnsSql(
  table: string,
  columns: readonly NewColumn[],
  options: DdlOptions,
  ddl: ColumnDdl,
): string {
  return `ALTER TABLE ${table} ${columns.map((column) => `ADD ${columnSpec(column, options, ddl)}`).join(', ')}`
}

/** One column, as both statements have it. */
export function columnSpec(column: NewColumn, options: DdlOptions, ddl: ColumnDdl): string {
  const { name, schema, isKey } = column
  const type = ddl.type(column, options)
  const spec = `${options.identifier(name)} ${type}`
  if (schema.default !== undefined && schema.default !== null) {
    return `${spec} DEFAULT ${ddl.defaultOf(column, type, options)}`
  }
  return schema.optional && !isKey ? `${spec} NULL` : `${spec} NOT NULL`
}
