import type { OffsetMove, OffsetStatements } from '../sink-dialect.ts'
import { arrayLiteral } from './catalog.ts'

/** The statements over the offsets table of exactly-once sinks. `table` is ready for SQL. */
export function offsetStatements(table: string): OffsetStatements {
  const key = 'connector = $1 AND topic = $2 AND partition = $3'
  return {
    create:
      `CREATE TABLE IF NOT EXISTS ${table} (connector TEXT, topic TEXT, partition INT, next_offset ` +
      'BIGINT, epoch BIGINT NOT NULL, PRIMARY KEY (connector, topic, partition))',
    claim: (connector, { topic, partition }) => [
      {
        text: `INSERT INTO ${table} AS o (connector, topic, partition, epoch) VALUES ($1, $2, $3, 1)
        ON CONFLICT (connector, topic, partition) DO UPDATE SET epoch = o.epoch + 1 RETURNING next_offset, epoch`,
        values: [connector, topic, String(partition)],
      },
    ],
    read: (connector, { topic, partition }) => ({
      text: `SELECT next_offset, epoch FROM ${table} WHERE ${key}`,
      values: [connector, topic, String(partition)],
    }),
    advance: (connector, moves) => [
      {
        name: 'millrace_offsets',
        text: `UPDATE ${table} AS o SET next_offset = u.next
        FROM unnest($2::text[], $3::int[], $4::bigint[], $5::bigint[], $6::bigint[])
          AS u(topic, partition, epoch, next, origin)
        WHERE o.connector = $1 AND o.topic = u.topic AND o.partition = u.partition AND o.epoch = u.epoch
          AND coalesce(o.next_offset, -1) = u.origin`,
        values: [
          connector,
          column(moves, ({ topic }) => topic),
          column(moves, ({ partition }) => String(partition)),
          column(moves, ({ epoch }) => epoch),
          column(moves, ({ next }) => String(next)),
          column(moves, ({ from }) => String(from ?? -1)),
        ],
      },
    ],
  }
}

function column(moves: readonly OffsetMove[], pick: (move: OffsetMove) => string): string {
  return arrayLiteral(moves.map(pick))
}
