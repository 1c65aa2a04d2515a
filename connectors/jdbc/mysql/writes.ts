import type { OffsetStatements, WriteColumn, WriteStatements } from '../sink-dialect.ts'
import type { SqlStatement, TextRow } from '../sql.ts'

/** Below the smallest max_allowed_packet that servers come with. */
const STATEMENT_TEXT_MAX = 1024 * 1024
/** Stands for the rows in a statement; no name of a table or column can hold it. */
const ROWS = '\u0000'
/** Where a statement takes one row only. */
const CELL = '\u0001'
const cell = (at: number): string => `${CELL}${at}${CELL}`

/** Statements of many rows each; an update has a statement for each row. */
export function writeStatements(table: string, columns: readonly WriteColumn[]): WriteStatements {
  const names = columns.map(({ identifier }) => identifier)
  const keys = columns.flatMap((column, at) => (column.isKey ? [at] : []))
  const others = columns.flatMap((column, at) => (column.isKey ? [] : [at]))
  const insert = `INSERT INTO ${table} (${names.join(', ')}) VALUES ${ROWS}`
  // A row of nothing but its key has nothing to change; it is still found as the others are.
  const changed = others.length > 0 ? others : keys
  const same = keys.map((at) => `${names[at]} = ${cell(at)}`).join(' AND ')
  const keyNames = keys.map((at) => names[at]).join(', ')
  return {
    insert,
    upsert: `${insert} ON DUPLICATE KEY UPDATE ${changed.map((at) => `${names[at]} = VALUES(${names[at]})`).join(', ')}`,
    update: `UPDATE ${table} SET ${changed.map((at) => `${names[at]} = ${cell(at)}`).join(', ')} WHERE ${same}`,
    delete: `DELETE FROM ${table} WHERE (${keyNames}) IN (${ROWS})`,
  }
}

/** Puts rows, whose values are SQL already, into one of the statements; as many statements as their size asks for. */
export function bindRows(
  text: string,
  _name: string | undefined,
  columns: readonly WriteColumn[],
  rows: readonly TextRow[],
): readonly SqlStatement[] {
  if (!text.includes(ROWS)) {
    const parts = text.split(CELL)
    return rows.map((row) => ({
      text: parts.map((part, at) => (at % 2 === 0 ? part : (row[Number(part)] ?? 'NULL'))).join(''),
    }))
  }
  const [before, after] = text.split(ROWS) as [string, string]
  const statements: SqlStatement[] = []
  let list = ''
  for (const row of rows) {
    const tuple = tupleOf(row, columns.length)
    if (list !== '' && list.length + tuple.length > STATEMENT_TEXT_MAX) {
      statements.push({ text: before + list + after })
      list = ''
    }
    list += list === '' ? tuple : `,${tuple}`
  }
  if (list !== '') statements.push({ text: before + list + after })
  return statements
}

function tupleOf(row: TextRow, length: number): string {
  let text = '('
  for (let i = 0; i < length; i++) text += (i === 0 ? '' : ',') + (row[i] ?? 'NULL')
  return `${text})`
}

/** The statements over the offsets table of exactly-once sinks. `table` is ready for SQL. */
export function offsetStatements(table: string): OffsetStatements {
  const key = 'connector = ? AND topic = ? AND `partition` = ?'
  const read = (connector: string, topic: string, partition: number): SqlStatement => ({
    text: `SELECT next_offset, epoch FROM ${table} WHERE ${key}`,
    values: [connector, topic, partition],
  })
  return {
    create:
      `CREATE TABLE IF NOT EXISTS ${table} (connector VARCHAR(255), topic VARCHAR(249), \`partition\` INT, next_offset ` +
      'BIGINT, epoch BIGINT NOT NULL, PRIMARY KEY (connector, topic, `partition`)) ENGINE=InnoDB ' +
      'CHARACTER SET utf8mb4 COLLATE utf8mb4_bin',
    claim: (connector, { topic, partition }) => [
      {
        text: `INSERT INTO ${table} (connector, topic, \`partition\`, epoch) VALUES (?, ?, ?, 1)
          ON DUPLICATE KEY UPDATE epoch = epoch + 1`,
        values: [connector, topic, partition],
      },
      read(connector, topic, partition),
    ],
    read: (connector, { topic, partition }) => read(connector, topic, partition),
    // One statement for each: a search over several could wait for the rows of other tasks.
    advance: (connector, moves) =>
      moves.map(({ topic, partition, epoch, from, next }) => ({
        text: `UPDATE ${table} SET next_offset = ? WHERE ${key} AND epoch = ? AND COALESCE(next_offset, -1) = ?`,
        values: [next, connector, topic, partition, BigInt(epoch), from ?? -1],
      })),
  }
}
