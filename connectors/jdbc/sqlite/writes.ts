import type { OffsetStatements, WriteColumn, WriteStatements } from '../sink-dialect.ts'
import type { SqlStatement, TextRow } from '../sql.ts'
import { valueOf } from './binders.ts'

/** One row each: the database runs in our process, so there is no way to save by sending many at once. */
export function writeStatements(table: string, columns: readonly WriteColumn[]): WriteStatements {
  const names = columns.map(({ identifier }) => identifier)
  const places = columns.map((_, at) => `?${at + 1}`)
  const keys = columns.flatMap((column, at) => (column.isKey ? [at] : []))
  const others = columns.flatMap((column, at) => (column.isKey ? [] : [at]))
  const insert = `INSERT INTO ${table} (${names.join(', ')}) VALUES (${places.join(', ')})`
  const conflict = keys.map((at) => names[at]).join(', ')
  const assignments = others.map((at) => `${names[at]} = excluded.${names[at]}`).join(', ')
  const same = keys.map((at) => `${names[at]} = ${places[at]}`).join(' AND ')
  const changed = (others.length > 0 ? others : keys).map((at) => `${names[at]} = ${places[at]}`).join(', ')
  return {
    insert,
    upsert: `${insert} ON CONFLICT (${conflict}) DO ${others.length > 0 ? `UPDATE SET ${assignments}` : 'NOTHING'}`,
    update: `UPDATE ${table} SET ${changed} WHERE ${same}`,
    delete: `DELETE FROM ${table} WHERE ${same}`,
  }
}

/** Binds rows to one of the statements. */
export function bindRows(
  text: string,
  _name: string | undefined,
  _columns: readonly WriteColumn[],
  rows: readonly TextRow[],
): readonly SqlStatement[] {
  return [{ text, batch: rows.map((row) => row.map(valueOf)) }]
}

/** The statements over the offsets table of exactly-once sinks. `table` is ready for SQL. */
export function offsetStatements(table: string): OffsetStatements {
  const key = 'connector = ? AND topic = ? AND partition = ?'
  return {
    create:
      `CREATE TABLE IF NOT EXISTS ${table} (connector TEXT, topic TEXT, partition INTEGER, next_offset INTEGER, ` +
      'epoch INTEGER NOT NULL, PRIMARY KEY (connector, topic, partition))',
    claim: (connector, { topic, partition }) => [
      {
        text: `INSERT INTO ${table} (connector, topic, partition, epoch) VALUES (?, ?, ?, 1)
          ON CONFLICT (connector, topic, partition) DO UPDATE SET epoch = epoch + 1 RETURNING next_offset, epoch`,
        values: [connector, topic, partition],
      },
    ],
    read: (connector, { topic, partition }) => ({
      text: `SELECT next_offset, epoch FROM ${table} WHERE ${key}`,
      values: [connector, topic, partition],
    }),
    advance: (connector, moves) =>
      moves.map(({ topic, partition, epoch, from, next }) => ({
        text: `UPDATE ${table} SET next_offset = ? WHERE ${key} AND epoch = ? AND coalesce(next_offset, -1) = ?`,
        values: [next, connector, topic, partition, BigInt(epoch), from ?? -1],
      })),
  }
}
