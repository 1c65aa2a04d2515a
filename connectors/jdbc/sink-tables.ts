import { DataError } from '@millrace/sdk'
import { quotingOf } from './connection-config.ts'
import type { ColumnDescription, Dialect, TableDescription } from './dialect.ts'
import type { RowField } from './row-fields.ts'
import type { DdlOptions, NewColumn } from './sink-dialect.ts'
import type { SinkConfig } from './sink-config.ts'
import type { SqlConnection } from './sql.ts'
import { plainName, quotedName, readAs, type TableId } from './table-id.ts'

type TablesConfig = Pick<
  SinkConfig,
  'auto.create' | 'auto.evolve' | 'table.types' | 'quote.sql.identifiers' | 'sql.quote.identifiers'
>

/**
 * Thrown where the database would commit the open transaction for a change of a table: the transaction is given up, the
 * statement runs alone, and the records are written from the beginning.
 */
export class TableChange extends Error {
  override name = 'TableChange'
  readonly text: string

  constructor(text: string) {
    super(`a table has to be changed outside of the transaction: ${text}`)
    this.text = text
  }
}

/** Knows the target tables, and creates and widens them where that is allowed. */
export class SinkTables {
  readonly #dialect: Dialect
  readonly #config: TablesConfig
  readonly #ddl: DdlOptions
  readonly #known = new Map<string, TableDescription>()

  constructor(dialect: Dialect, config: TablesConfig, ddl: DdlOptions) {
    this.#dialect = dialect
    this.#config = config
    this.#ddl = ddl
  }

  /** What was learnt in a transaction that rolled back may not be so. */
  forget(): void {
    this.#known.clear()
  }

  /** `"schema"."table"` for SQL. */
  identifier(table: TableId): string {
    const parts = table.schema === undefined ? [table.name] : [table.schema, table.name]
    return parts.map((part) => this.#ddl.identifier(part)).join('.')
  }

  async exists(connection: SqlConnection, table: TableId): Promise<boolean> {
    return (await this.#describe(connection, table)) !== undefined
  }

  /** The table with a column for every field. Throws DataError when it lacks something and may not be changed. */
  async prepare(connection: SqlConnection, table: TableId, fields: readonly RowField[]): Promise<TableDescription> {
    let description = await this.#describe(connection, table)
    if (description === undefined) {
      if (!this.#config['auto.create']) {
        throw new DataError(`the table ${plainName(table)} is missing; create it or set auto.create=true`)
      }
      const columns = fields.map((field) => this.#newColumn(field))
      await this.#change(connection, this.#dialect.sink.createTable(this.identifier(table), columns, this.#ddl))
      description = await this.#describe(connection, table)
      if (description === undefined)
        throw new DataError(`the table ${plainName(table)} was created but is not visible: check search_path`)
    }
    const kinds = this.#config['table.types']
    if (!kinds.includes(description.kind)) {
      throw new DataError(`${plainName(table)} is a ${description.kind}, and table.types is ${kinds.join(', ')}`)
    }
    const missing = fields.filter((field) => this.columnOf(description as TableDescription, field.name) === undefined)
    return missing.length === 0 ? description : await this.#widen(connection, table, description, missing)
  }

  async #widen(
    connection: SqlConnection,
    table: TableId,
    description: TableDescription,
    missing: readonly RowField[],
  ): Promise<TableDescription> {
    const names = namesOf(missing)
    if (description.kind === 'VIEW')
      throw new DataError(`the view ${plainName(table)} has no column ${names}, and views are never altered`)
    if (!this.#config['auto.evolve']) {
      throw new DataError(
        `the table ${plainName(table)} has no column ${names}; add it, set auto.evolve=true, or ` +
          'leave the field out with fields.whitelist',
      )
    }
    const required = missing.filter(({ schema }) => !schema.optional && schema.default === undefined)
    if (required.length > 0) {
      throw new DataError(
        `the table ${plainName(table)} cannot get the column ${namesOf(required)}: the field is required and has no ` +
          'default, so the rows that exist would have no value',
      )
    }
    const columns = missing.map((field) => this.#newColumn(field))
    for (const text of this.#dialect.sink.addColumns(this.identifier(table), columns, this.#ddl)) {
      await this.#change(connection, text)
    }
    this.#known.delete(quotedName(table))
    const widened = await this.#describe(connection, table)
    const still = missing.filter((field) => widened === undefined || this.columnOf(widened, field.name) === undefined)
    if (widened === undefined || still.length > 0)
      throw new DataError(`the table ${plainName(table)} did not get the columns ${names}`)
    return widened
  }

  /** The column for a field: of its very name, else the only one that differs in case. */
  columnOf(table: TableDescription, field: string): ColumnDescription | undefined {
    const name = this.#dialect.sink.storedName(field)
    const exact = table.columns.find((column) => column.name === name)
    if (exact !== undefined) return exact
    const similar = table.columns.filter((column) => column.name.toLowerCase() === name.toLowerCase())
    return similar.length === 1 ? similar[0] : undefined
  }

  #newColumn({ name, schema, isKey }: RowField): NewColumn {
    return { name: this.#dialect.sink.storedName(name), schema, isKey }
  }

  /** Changes the schema inside the transaction; another task may do the same at this moment. */
  async #change(connection: SqlConnection, text: string): Promise<void> {
    // Invariant 2: what commits the transaction by itself would part the offsets from their rows.
    if (this.#dialect.sink.changesCommit) throw new TableChange(text)
    await connection.run('SAVEPOINT millrace_ddl')
    try {
      await connection.run(text)
      await connection.run('RELEASE SAVEPOINT millrace_ddl')
    } catch (error) {
      if (!this.#dialect.sink.isAlreadyThere(error)) throw error
      await connection.run('ROLLBACK TO SAVEPOINT millrace_ddl')
    }
  }

  async #describe(connection: SqlConnection, table: TableId): Promise<TableDescription | undefined> {
    const name = quotedName(table)
    let description = this.#known.get(name)
    if (description === undefined) {
      const found = await this.#dialect.describeTable(connection, readAs(this.#dialect, table, quotingOf(this.#config)))
      if (found === null) return undefined
      description = found
      this.#known.set(name, description)
    }
    return description
  }
}

const namesOf = (fields: readonly RowField[]): string => fields.map(({ name }) => name).join(', ')
