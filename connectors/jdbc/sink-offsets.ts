import {
  ConnectError,
  RetriableError,
  type SinkRecord,
  type TopicPartition,
  type TopicPartitionOffset,
} from '@millrace/sdk'
import type { Dialect } from './dialect.ts'
import type { OffsetStatements } from './sink-dialect.ts'
import type { SqlConnection, SqlStatement, SqlText } from './sql.ts'
import { parseTableId } from './table-id.ts'

interface Owned {
  readonly topic: string
  readonly partition: number
  /** Grows with every task that takes the partition; an older task's writes are refused. */
  readonly epoch: string
  /** The next offset to write; null while nothing was written. */
  next: number | null
}

const idOf = (topic: string, partition: number): string => `${topic}\u0000${partition}`

/**
 * The offsets of exactly-once delivery, in a table of the target. They move in the transaction of the rows, so rows and
 * offsets are there together or not at all. A task takes its partitions by raising their epoch; each transaction of it
 * checks the epoch while it locks the row, so of two tasks only the newer one writes (invariant 4).
 */
export class SinkOffsets {
  readonly #dialect: Dialect
  readonly #connectorName: string
  readonly #sql: OffsetStatements
  readonly #owned = new Map<string, Owned>()
  #isTableReady = false

  constructor(dialect: Dialect, connectorName: string, table: string, quoting: 'always' | 'never') {
    this.#dialect = dialect
    this.#connectorName = connectorName
    const { schema, name } = parseTableId(table)
    const parts = schema === undefined ? [name] : [schema, name]
    this.#sql = dialect.sink.offsetStatements(parts.map((part) => dialect.identifier(part, quoting)).join('.'))
  }

  /**
   * Takes partitions over and gives the offsets to go on from. Waits for a transaction of the previous owner
   * that is under way.
   */
  async claim(
    connection: SqlConnection,
    partitions: readonly TopicPartition[],
  ): Promise<readonly TopicPartitionOffset[]> {
    await this.#createTable(connection)
    const found: TopicPartitionOffset[] = []
    // One order for all tasks: two that claim the same partitions then cannot lock each other out.
    const sorted = [...partitions].sort((a, b) => (idOf(a.topic, a.partition) < idOf(b.topic, b.partition) ? -1 : 1))
    for (const { topic, partition } of sorted) {
      const [next, epoch] = await this.#raise(connection, { topic, partition })
      const offset = next === null || next === undefined ? null : Number(next)
      this.#owned.set(idOf(topic, partition), { topic, partition, epoch: epoch as string, next: offset })
      if (offset !== null) found.push({ topic, partition, offset })
    }
    return found
  }

  /** Raises the epoch and reads the row, as one step. */
  async #raise(connection: SqlConnection, partition: TopicPartition): Promise<readonly SqlText[]> {
    const statements = this.#sql.claim(this.#connectorName, partition)
    if (statements.length === 1) {
      return (await connection.run(statements[0] as SqlStatement)).rows[0] as readonly SqlText[]
    }
    await connection.run(this.#dialect.sink.begin)
    try {
      let row: readonly SqlText[] | undefined
      for (const statement of statements) row = (await connection.run(statement)).rows[0] ?? row
      await connection.run('COMMIT')
      return row as readonly SqlText[]
    } catch (error) {
      if (!connection.broken) await connection.run('ROLLBACK')
      throw error
    }
  }

  /** Gives partitions up. */
  release(partitions: readonly TopicPartition[]): void {
    for (const { topic, partition } of partitions) this.#owned.delete(idOf(topic, partition))
  }

  isOwned(record: SinkRecord): boolean {
    return this.#owned.has(idOf(record.originalTopic, record.originalPartition))
  }

  /** Reads the offsets again after a failure: a commit whose answer was lost may have happened. */
  async refresh(connection: SqlConnection): Promise<void> {
    for (const owned of this.#owned.values()) {
      const { rows } = await connection.run(this.#sql.read(this.#connectorName, owned))
      const row = rows[0]
      if (row === undefined || row[1] !== owned.epoch) throw fenced([owned])
      owned.next = row[0] === null || row[0] === undefined ? null : Number(row[0])
    }
  }

  /**
   * The records that were not written before. One offset stands for all before it, so records that are not in their
   * order are refused: taking them would leave out, later, what lies between.
   */
  fresh(records: readonly SinkRecord[]): readonly SinkRecord[] {
    const last = new Map<Owned, number>()
    return records.filter((record) => {
      const { originalTopic, originalPartition, originalOffset } = record
      const owned = this.#owned.get(idOf(originalTopic, originalPartition))
      if (owned === undefined) return true
      const before = last.get(owned)
      if (before !== undefined && before >= originalOffset) {
        throw new OrderError(
          `the record at offset ${originalOffset} of ${originalTopic}-${originalPartition} came after the one at ` +
            `${before}; nothing of the batch is written, and a restart of the task reads it again in its order`,
        )
      }
      last.set(owned, originalOffset)
      return owned.next === null || originalOffset >= owned.next
    })
  }

  /**
   * Moves the offsets inside the open transaction, and locks them until its end. Returns what to call once it
   * is committed.
   */
  async advance(connection: SqlConnection, records: readonly SinkRecord[]): Promise<() => void> {
    const moved = new Map<Owned, number>()
    for (const record of records) {
      const owned = this.#owned.get(idOf(record.originalTopic, record.originalPartition))
      if (owned === undefined)
        throw new ConnectError(
          `records of ${record.originalTopic}-${record.originalPartition} without the partition being open`,
        )
      moved.set(owned, Math.max(moved.get(owned) ?? 0, record.originalOffset + 1))
    }
    // In one order for all tasks, for rows that are locked one after the other.
    const moves = [...moved]
      .map(([{ topic, partition, epoch, next: from }, next]) => ({ topic, partition, epoch, from, next }))
      .sort((a, b) => (idOf(a.topic, a.partition) < idOf(b.topic, b.partition) ? -1 : 1))
    // Invariants 2 and 4: a partition that is not found with our epoch has a new owner.
    let affected = 0
    for (const statement of this.#sql.advance(this.#connectorName, moves)) {
      affected += (await connection.run(statement)).affected
    }
    if (affected !== moves.length) {
      await this.refresh(connection)
      throw new RetriableError('the offsets in the target have moved: a commit without an answer came through late')
    }
    return () => {
      for (const [owned, next] of moved) owned.next = next
    }
  }

  async #createTable(connection: SqlConnection): Promise<void> {
    if (this.#isTableReady) return
    try {
      await connection.run(this.#sql.create)
    } catch (error) {
      // Another task created it in the same moment, or the user may write to a table that somebody made for it.
      if (!this.#dialect.sink.isAlreadyThere(error) && this.#dialect.failureKind(error) !== 'permanent') throw error
    }
    this.#isTableReady = true
  }
}

/** The records did not come in their order; only reading them again helps. */
export class OrderError extends ConnectError {
  override name = 'OrderError'
}

/** This task was replaced; no retry can help it. */
export class FencedError extends ConnectError {
  override name = 'FencedError'
}

function fenced(partitions: readonly TopicPartition[]): FencedError {
  const names = partitions.map(({ topic, partition }) => `${topic}-${partition}`).join(', ')
  return new FencedError(`another task has taken over ${names}; this one writes no more`)
}
