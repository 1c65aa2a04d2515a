import type { WriteColumn, WriteStatements } from '../sink-dialect.ts'
import type { SqlStatement } from '../sql.ts'
import type { TextRow } from '../table-buffer.ts'
import { quoteElement } from './binders.ts'

/**
 * Rows travel as one array for each column and are put together by unnest: a statement takes any number of rows, and
 * each value is read by the input function of its column's own type (json, uuid, enum, ...), which is the cast.
 */
export function writeStatements(table: string, columns: readonly WriteColumn[]): WriteStatements {
  const names = columns.map(({ identifier }) => identifier)
  // unnest would flatten an array of arrays, so those travel as text.
  const arrays = columns.map((column, at) => `$${at + 1}::${column.isArray ? 'text' : column.type}[]`)
  const aliases = columns.map((_, at) => `c${at}`)
  const values = columns.map((column, at) => (column.isArray ? `u.c${at}::${column.type}` : `u.c${at}`))
  const from = `unnest(${arrays.join(', ')}) AS u(${aliases.join(', ')})`
  const insert = `INSERT INTO ${table} (${names.join(', ')}) SELECT ${values.join(', ')} FROM ${from}`
  const keys = columns.flatMap((column, at) => (column.isKey ? [at] : []))
  const others = columns.flatMap((column, at) => (column.isKey ? [] : [at]))
  const conflict = keys.map((at) => names[at]).join(', ')
  const assignments = others.map((at) => `${names[at]} = EXCLUDED.${names[at]}`).join(', ')
  const same = keys.map((at) => `t.${names[at]} = ${values[at]}`).join(' AND ')
  // A row of nothing but its key has nothing to change; it is still found and locked as the others are.
  const changed = (others.length > 0 ? others : keys).map((at) => `${names[at]} = ${values[at]}`).join(', ')
  return {
    insert,
    upsert: `${insert} ON CONFLICT (${conflict}) DO ${others.length > 0 ? `UPDATE SET ${assignments}` : 'NOTHING'}`,
    update: `UPDATE ${table} AS t SET ${changed} FROM ${from} WHERE ${same}`,
    delete: `DELETE FROM ${table} AS t USING ${from} WHERE ${same}`,
  }
}

/** Binds rows to one of the statements. */
export function bindRows(
  text: string,
  name: string | undefined,
  columns: readonly WriteColumn[],
  rows: readonly TextRow[],
): readonly SqlStatement[] {
  const values = columns.map((column, at) => columnArray(rows, at, column.isBare))
  return [name === undefined ? { text, values } : { text, values, name }]
}

function columnArray(rows: readonly TextRow[], at: number, isBare: boolean): string {
  let text = '{'
  for (let i = 0; i < rows.length; i++) {
    const value = (rows[i] as TextRow)[at]
    if (i > 0) text += ','
    if (value === null || value === undefined) text += 'NULL'
    else text += isBare ? value : quoteElement(value)
  }
  return `${text}}`
}
