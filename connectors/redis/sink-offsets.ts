import { ConnectError, type SinkRecord, type TopicPartition, type TopicPartitionOffset } from '@millrace/sdk'
import type { RedisLink } from '../_shared/redis/index.ts'
import type { OffsetMove } from './write-script.ts'

interface Owned extends TopicPartition {
  readonly key: string
  /** Grows with every task that takes the partition; an older task's writes are refused. */
  readonly epoch: string
  /** The next offset to write; null while nothing was written. */
  next: number | null
}

const CLAIM = `redis.call('HINCRBY', KEYS[1], 'epoch', 1) return redis.call('HMGET', KEYS[1], 'epoch', 'offset')`

const idOf = (topic: string, partition: number): string => `${topic}\u0000${partition}`

/**
 * The offsets of exactly-once delivery, in Redis. They move in the script that writes the records, so both are there or
 * neither. A task takes its partitions by raising their epoch, and the script refuses any other (invariant 4).
 */
export class SinkOffsets {
  readonly #link: RedisLink
  readonly #keyspace: string
  readonly #owned = new Map<string, Owned>()
  #isStale = false

  constructor(link: RedisLink, keyspace: string, connectorName: string) {
    this.#link = link
    this.#keyspace = `${keyspace}.${connectorName}`
  }

  /** Takes partitions over, and gives the offsets to go on from where there are some. */
  async claim(partitions: readonly TopicPartition[]): Promise<readonly TopicPartitionOffset[]> {
    const found: TopicPartitionOffset[] = []
    for (const { topic, partition } of partitions) {
      const key = `${this.#keyspace}.${topic}.${partition}`
      const [epoch, offset] = (await this.#link.call('EVAL', CLAIM, 1, key)) as [string, string | null]
      const next = offset === null ? null : Number(offset)
      this.#owned.set(idOf(topic, partition), { topic, partition, key, epoch, next })
      if (next !== null) found.push({ topic, partition, offset: next })
    }
    return found
  }

  /** Gives partitions up. */
  release(partitions: readonly TopicPartition[]): void {
    for (const { topic, partition } of partitions) this.#owned.delete(idOf(topic, partition))
  }

  /** The answer to a write may have been lost: before the next one the offsets are read again. */
  doubt(): void {
    this.#isStale = true
  }

  /** The last write was answered. */
  trust(): void {
    this.#isStale = false
  }

  /** Reads the offsets again when they are in doubt. Throws when another task has the partitions, or Redis has lost data. */
  async refresh(): Promise<void> {
    if (!this.#isStale) return
    for (const owned of this.#owned.values()) {
      const [epoch, offset] = (await this.#link.call('HMGET', owned.key, 'epoch', 'offset')) as (string | null)[]
      const next = offset === null || offset === undefined ? null : Number(offset)
      const name = `${owned.topic}-${owned.partition}`
      if (epoch !== owned.epoch) {
        const isLost = epoch === null || epoch === undefined || Number(epoch) < Number(owned.epoch)
        throw new FencedError(
          isLost
            ? `Redis has lost what it had confirmed of ${name}; a restart of the task writes again from where it stands`
            : `another task has taken over ${name}; this one writes no more`,
        )
      }
      if ((next ?? -1) < (owned.next ?? -1)) {
        throw new FencedError(
          `the offset of ${name} in Redis went back from ${owned.next} to ${next ?? 'none'}: Redis has lost what it had ` +
            'confirmed; a restart of the task writes again from there',
        )
      }
      owned.next = next
    }
    this.#isStale = false
  }

  /** Begins a write. */
  begin(): OffsetSteps {
    return new OffsetSteps((record) => {
      const owned = this.#owned.get(idOf(record.originalTopic, record.originalPartition))
      if (owned !== undefined) return owned
      const name = `${record.originalTopic}-${record.originalPartition}`
      throw new ConnectError(`records of ${name} came without the partition being open`)
    })
  }
}

/** The offsets of one write: which records are new, and how far each partition gets with each command. */
export class OffsetSteps {
  readonly #ownerOf: (record: SinkRecord) => Owned
  readonly #moved = new Map<Owned, { place: number; next: number }>()
  #steps = ''

  constructor(ownerOf: (record: SinkRecord) => Owned) {
    this.#ownerOf = ownerOf
  }

  /** False for a record that was written before, or stands in this write already. */
  isNew(record: SinkRecord): boolean {
    const owned = this.#ownerOf(record)
    return record.originalOffset >= (this.#moved.get(owned)?.next ?? owned.next ?? 0)
  }

  /** The commands of a record count; only the last of them completes it. */
  take(record: SinkRecord, commands: number): void {
    const owned = this.#ownerOf(record)
    const { originalOffset: offset } = record
    let moved = this.#moved.get(owned)
    if (moved === undefined) this.#moved.set(owned, (moved = { place: this.#moved.size + 1, next: 0 }))
    moved.next = offset + 1
    for (let left = commands; left > 0; left--) this.#steps += ` ${moved.place} ${left === 1 ? offset + 1 : offset}`
  }

  get steps(): string {
    return this.#steps
  }

  get moves(): readonly OffsetMove[] {
    return [...this.#moved].map(([{ key, epoch, next }, moved]) => {
      return { key, epoch, from: next === null ? '' : String(next), next: moved.next }
    })
  }

  /** All of it was written. */
  done(): void {
    for (const [owned, { next }] of this.#moved) owned.next = next
  }
}

/** This task may not write any more; only a new start helps. */
export class FencedError extends ConnectError {
  override name = 'FencedError'
}
