import type { WriteColumn, WriteStatements } from '../sink-dialect.ts'
import type { BoundRow, SqlStatement } from '../sql.ts'

/**
 * Rows travel as one array for each column and are put together by unnest: a statement takes any number of rows, and
 * each value is read by its column's own type (json, uuid, enum, ...), which is the cast.
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
  rows: readonly BoundRow[],
): readonly SqlStatement[] {
  const arrays = { rows, forms: columns.map(({ form }) => form) }
  return [name === undefined ? { text, arrays } : { text, arrays, name }]
}
