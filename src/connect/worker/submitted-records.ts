import type { CommittedOffset, SourceOffset, SourcePartition } from '@millrace/sdk'

/** The part of a sent batch that decides whether offsets may pass it. */
interface Outcome {
  readonly state: 'pending' | 'acked' | 'failed'
}

/** A record or a bare position. */
interface Submitted {
  readonly sourcePartition: SourcePartition
  readonly sourceOffset: SourceOffset
}

interface Entry {
  /** Null: nothing was produced for the offset, so there is nothing to wait for. */
  batch: Outcome | null
  /**
   * The newest of the entry. It is asked for its offset once, when another entry follows or the offset is committed:
   * sources build offsets on demand, and a record must not be kept until its batch is acknowledged.
   */
  newest: { readonly sourceOffset: SourceOffset }
}

/** What was submitted for one source partition, in the order of submission. */
class PartitionQueue {
  readonly partition: SourcePartition
  entries: Entry[] = []
  /** Entries before this index are done; they are cut off now and then, not one at a time. */
  head = 0

  constructor(partition: SourcePartition) {
    this.partition = partition
  }
}

const COMPACT_AT = 1024

/**
 * The offsets of records on their way into the log. An offset may be committed when every record of its source
 * partition up to it is acknowledged; records that were dropped and bare positions count as acknowledged.
 * Records of one produced batch share an entry, so the memory follows the batches and not the records.
 */
export class SubmittedRecords {
  readonly #queues = new Map<string, PartitionQueue>()
  /** Whether a failed batch may be passed: errors.tolerance=all skips its records (KIP-779). */
  readonly #passFailed: boolean
  #last: PartitionQueue | undefined
  #lastPartition: SourcePartition | undefined

  constructor(options: { passFailed: boolean }) {
    this.#passFailed = options.passFailed
  }

  /** A record was appended to this batch; null when it was dropped or is a bare position. */
  submit(item: Submitted, batch: Outcome | null): void {
    const partition = item.sourcePartition
    const queue = partition === this.#lastPartition ? this.#last! : this.#queueOf(partition)
    const { entries } = queue
    const tail = entries.length > queue.head ? entries[entries.length - 1] : undefined
    // A dropped record is done when everything before it is, so it moves the newest entry on instead of adding one.
    if (tail && (batch === null || tail.batch === batch)) tail.newest = item
    else {
      if (tail) tail.newest = { sourceOffset: tail.newest.sourceOffset }
      entries.push({ batch, newest: item })
    }
  }

  /**
   * Takes the newest committable offset of each partition that moved since the last call.
   * Invariant 1: the prefix ends at the first batch that is not acknowledged.
   */
  takeCommittable(): CommittedOffset[] {
    const result: CommittedOffset[] = []
    for (const queue of this.#queues.values()) {
      const { entries } = queue
      let newest: Entry['newest'] | undefined
      while (queue.head < entries.length && this.#isDone(entries[queue.head]!.batch)) {
        newest = entries[queue.head]!.newest
        queue.head++
      }
      if (queue.head >= COMPACT_AT || queue.head === entries.length) {
        entries.splice(0, queue.head)
        queue.head = 0
      }
      if (newest) result.push({ sourcePartition: queue.partition, sourceOffset: newest.sourceOffset })
    }
    return result
  }

  /** Entries that wait for an acknowledgement or for being taken. */
  get size(): number {
    let size = 0
    for (const queue of this.#queues.values()) size += queue.entries.length - queue.head
    return size
  }

  #isDone(batch: Outcome | null): boolean {
    return batch === null || batch.state === 'acked' || (this.#passFailed && batch.state === 'failed')
  }

  #queueOf(partition: SourcePartition): PartitionQueue {
    let queue = this.#last
    if (!queue || !sameMap(queue.partition, partition)) {
      const key = partitionKey(partition)
      queue = this.#queues.get(key)
      if (!queue) {
        queue = new PartitionQueue(partition)
        this.#queues.set(key, queue)
      }
      this.#last = queue
    }
    this.#lastPartition = partition
    return queue
  }
}

function sameMap(a: SourcePartition, b: SourcePartition): boolean {
  let count = 0
  for (const key in a) {
    if (a[key] !== b[key]) return false
    count++
  }
  for (const _ in b) count--
  return count === 0
}

/** Partitions are equal as maps are: the order of their keys does not matter. */
export function partitionKey(partition: SourcePartition): string {
  const entries = Object.keys(partition).toSorted()
  return JSON.stringify(entries.map((key) => [key, keyPart(partition[key]!)]))
}

function keyPart(value: SourcePartition[string]): unknown {
  return typeof value === 'bigint' ? value.toString() : value
}
