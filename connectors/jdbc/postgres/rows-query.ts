import type pg from 'pg'
import type { ResultColumn, SqlResult, SqlRow } from '../sql.ts'

/** A column as the wire protocol describes it. */
export interface PostgresColumn extends ResultColumn {
  /** The number and modifier (length, precision) of its type. */
  readonly typeId: number
  readonly typeModifier: number
  /** Where the column comes from; 0 for an expression. */
  readonly tableId: number
  readonly columnNumber: number
}

export const columnOf = (field: pg.FieldDef): PostgresColumn => ({
  name: field.name,
  typeId: field.dataTypeID,
  typeModifier: field.dataTypeModifier,
  tableId: field.tableID,
  columnNumber: field.columnID,
})

/** `SELECT 5`, `INSERT 0 5`, `CREATE TABLE`: what was done and, as the last number, with how many rows. */
const COMMAND = /^([A-Za-z]+)(?:.* (\d+)$)?/

/**
 * Statements without parameters, whose rows are taken as the driver parses them: its own query makes a second array of
 * each row and looks for a parser of each value, which costs as much as the parsing. The result is that of the last.
 */
export class RowsQuery implements pg.Submittable {
  readonly #text: string
  #columns: readonly PostgresColumn[] = []
  #rows: SqlRow[] = []
  #result: SqlResult = { columns: [], rows: [], affected: 0, command: '' }
  /** Called by the driver too, which puts its time limit around it. */
  callback: (error: Error | null, result?: SqlResult) => void

  constructor(text: string, callback: (error: Error | null, result?: SqlResult) => void) {
    this.#text = text
    this.callback = callback
  }

  submit(connection: pg.Connection): void {
    connection.query(this.#text)
  }

  handleRowDescription({ fields }: { fields: readonly pg.FieldDef[] }): void {
    this.#columns = fields.map(columnOf)
  }

  handleDataRow({ fields }: { fields: SqlRow }): void {
    this.#rows.push(fields)
  }

  handleCommandComplete({ text }: { text: string }): void {
    const [, command = '', affected] = COMMAND.exec(text) ?? []
    this.#result = { columns: this.#columns, rows: this.#rows, affected: Number(affected ?? 0), command }
    this.#columns = []
    this.#rows = []
  }

  handleEmptyQuery(): void {
    this.#result = { columns: [], rows: [], affected: 0, command: '' }
  }

  handleReadyForQuery(): void {
    this.callback(null, this.#result)
  }

  handleError(error: Error): void {
    this.callback(error)
  }
}
