import {
  BATCH_FIELD,
  batchLastOffset,
  completeBatchSize,
  decodeControlRecord,
  RecordCursor,
  type RecordHeader,
} from '../../record/index.ts'
import { KafkaError } from '../errors.ts'

/** Who set the timestamps of a batch: the producer, or the broker of a topic with `message.timestamp.type=LogAppendTime`. */
export type TimestampType = 'CreateTime' | 'LogAppendTime'

/** A record as `poll` gives it. Key, value and header values are views of the fetched bytes. */
export interface ConsumerRecord {
  readonly topic: string
  readonly partition: number
  readonly offset: number
  readonly timestamp: number
  readonly timestampType: TimestampType
  /** Leader epoch of the record's batch. */
  readonly leaderEpoch: number
  readonly key: Buffer | null
  readonly value: Buffer | null
  readonly headers: readonly RecordHeader[]
}

export interface AbortedTransaction {
  readonly producerId: number
  readonly firstOffset: number
}

interface Chunk {
  readonly bytes: Buffer
  readonly end: number
  /** By first offset; empty for read_uncommitted. */
  readonly aborted: AbortedTransaction[]
  /** Where fetching goes on after this chunk. */
  readonly nextOffset: number
}

const NO_HEADERS: readonly RecordHeader[] = []

/** Fetched bytes of one partition that `poll` has not taken yet, decoded record by record as it takes them. */
export class PartitionReader {
  readonly topic: string
  readonly partition: number
  readonly #checkCrcs: boolean
  readonly #chunks: Chunk[] = []
  readonly #cursor = new RecordCursor()
  #inBatch = false
  /** Of the open batch. */
  #timestampType: TimestampType = 'CreateTime'
  #at = 0
  #batchEnd = 0
  #abortedProducers = new Set<number>()
  /** Set by bytes that cannot be read; only `reset` gets past it. */
  #failure: KafkaError | undefined
  /** Offset of the next record to give out. */
  position = 0
  /** Leader epoch of the batch read last, -1 before the first one. */
  leaderEpoch = -1
  bufferedBytes = 0

  constructor(topic: string, partition: number, checkCrcs: boolean) {
    this.topic = topic
    this.partition = partition
    this.#checkCrcs = checkCrcs
  }

  /** Forgets what is buffered and starts at an offset. */
  reset(position: number): void {
    this.#chunks.length = 0
    this.#inBatch = false
    this.#at = 0
    this.#abortedProducers.clear()
    this.#failure = undefined
    this.bufferedBytes = 0
    this.position = position
    this.leaderEpoch = -1
  }

  /** Adds a fetch answer; returns the offset to fetch next, or `from` when there is no complete batch in it. */
  add(bytes: Buffer, from: number, aborted: readonly AbortedTransaction[]): number {
    let end = 0
    let nextOffset = from
    for (let size = completeBatchSize(bytes, 0); size > 0; size = completeBatchSize(bytes, end)) {
      nextOffset = batchLastOffset(bytes, end) + 1
      end += size
    }
    if (end === 0) return from
    const sorted = aborted.toSorted((a, b) => a.firstOffset - b.firstOffset)
    this.#chunks.push({ bytes, end, aborted: sorted, nextOffset })
    this.bufferedBytes += bytes.length
    return nextOffset
  }

  /** Moves up to `limit` records into `out`; returns how many. Throws when the very next record cannot be read. */
  take(out: ConsumerRecord[], limit: number): number {
    let taken = 0
    try {
      if (this.#failure) throw this.#failure
      while (taken < limit && (this.#inBatch || this.#openNext())) {
        if (this.#next(out)) taken++
      }
    } catch (error) {
      // What was read before is given out first; the next call reports the failure.
      this.#failure ??= this.#corrupt(error)
      if (taken === 0) throw this.#failure
    }
    return taken
  }

  /** Gives out the next record of the open batch, if there is one at or after the position. */
  #next(out: ConsumerRecord[]): boolean {
    const cursor = this.#cursor
    if (!cursor.next()) {
      this.#closeBatch()
      return false
    }
    const { offset } = cursor
    // The first batch may begin before the offset that was asked for.
    if (offset < this.position) return false
    out.push({
      topic: this.topic,
      partition: this.partition,
      offset,
      timestamp: cursor.timestamp,
      timestampType: this.#timestampType,
      leaderEpoch: this.leaderEpoch,
      key: cursor.key(),
      value: cursor.value(),
      headers: cursor.headerCount === 0 ? NO_HEADERS : cursor.headers(),
    })
    this.position = offset + 1
    return true
  }

  #closeBatch(): void {
    const chunk = this.#chunks[0]!
    this.#inBatch = false
    this.position = Math.max(this.position, batchLastOffset(chunk.bytes, this.#at) + 1)
    this.#at = this.#batchEnd
  }

  /** Opens the next batch whose records are to be given out; false when nothing is buffered. */
  #openNext(): boolean {
    for (;;) {
      const chunk = this.#chunks[0]
      if (!chunk) return false
      if (this.#at >= chunk.end) {
        this.position = Math.max(this.position, chunk.nextOffset)
        this.#chunks.shift()
        this.#at = 0
        this.bufferedBytes -= chunk.bytes.length
        continue
      }
      this.#batchEnd = this.#at + completeBatchSize(chunk.bytes, this.#at, chunk.end)
      if (this.#isVisible(chunk)) {
        this.#inBatch = true
        return true
      }
      this.#closeBatch()
    }
  }

  #isVisible(chunk: Chunk): boolean {
    const { bytes } = chunk
    const at = this.#at
    // Compaction leaves empty batches to remember a producer.
    if (bytes.readInt32BE(at + BATCH_FIELD.recordCount) === 0) return false
    const header = this.#cursor.open(bytes, at, { checkCrc: this.#checkCrcs })
    this.leaderEpoch = header.partitionLeaderEpoch
    this.#timestampType = header.isLogAppendTime ? 'LogAppendTime' : 'CreateTime'
    if (!header.isTransactional && !header.isControl) return true
    while (chunk.aborted[0] && chunk.aborted[0].firstOffset <= header.lastOffset) {
      this.#abortedProducers.add(chunk.aborted.shift()!.producerId)
    }
    if (!header.isControl) return !this.#abortedProducers.has(header.producerId)
    this.#onControl(header.producerId)
    return false
  }

  /** The end of a transaction: what its producer writes after it is visible again. */
  #onControl(producerId: number): void {
    const cursor = this.#cursor
    if (!cursor.next()) return
    const control = decodeControlRecord(cursor.key(), cursor.value())
    if (control?.type === 'abort') this.#abortedProducers.delete(producerId)
  }

  #corrupt(cause: unknown): KafkaError {
    const where = `${this.topic}-${this.partition} at offset ${this.position}`
    return new KafkaError(
      'CORRUPT_MESSAGE',
      `The batch of ${where} cannot be read: ${(cause as Error).message}. Seek past it to go on.`,
      { cause },
    )
  }
}
