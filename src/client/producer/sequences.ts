import { assert, writeInt64 } from '../../base/index.ts'
import { BATCH_FIELD, crc32c } from '../../record/index.ts'
import type { ProducerBatch } from './producer-batch.ts'

export interface ProducerIdentity {
  readonly producerId: number
  readonly producerEpoch: number
}

/** How many batches of a producer a broker compares a new one with. */
const REMEMBERED_BATCHES = 5

/** Sequences wrap from 2^31 - 1 to 0. */
export function addSequence(sequence: number, count: number): number {
  return (sequence + count) % 0x8000_0000
}

/**
 * The idempotent producer's book of one partition. Invariant 6: every batch has a sequence from its first send until
 * it is acked or has failed, so a retry can neither reorder nor duplicate.
 */
export class PartitionSequences {
  #identity: ProducerIdentity | undefined
  #next = 0
  #lastAcked = -1
  /** Batches that ever got a sequence. */
  #assigned = 0
  /** Batches with a sequence that have not ended, in order. */
  readonly #open: ProducerBatch[] = []
  /** A batch ended without us knowing whether it was written: its sequences may be in the log or not. */
  #unresolved = false
  /** A batch that is certainly not in the log ended: those behind it have to move up. */
  #gap = false
  #needsEpoch = false

  get openCount(): number {
    return this.#open.length
  }

  /** Whether nothing may be sent until the wire is empty and `settle` was called. */
  get isBlocked(): boolean {
    return this.#gap || this.needsNewEpoch
  }

  /** Whether the partition must `restart` with a newer epoch. */
  get needsNewEpoch(): boolean {
    return this.#needsEpoch || (this.#unresolved && this.#open.length === 0)
  }

  /**
   * Whether a batch without a sequence may get one now. A broker remembers the last five batches of a producer to
   * recognise one that comes again, so the oldest one without an ack is at most the fifth last. And one that does not
   * know the producer takes whatever sequence comes first, so until the first ack there is one batch at a time.
   */
  get acceptsNew(): boolean {
    const oldest = this.#open[0]
    const limit = this.#lastAcked < 0 ? 1 : REMEMBERED_BATCHES
    const isNear = !oldest || this.#assigned - oldest.sequenceNumber < limit
    return !this.#unresolved && !this.isBlocked && isNear
  }

  /** Gives a sealed batch its place. A partition without open batches takes over the producer's newest identity. */
  assign(batch: ProducerBatch, current: ProducerIdentity): void {
    assert(this.acceptsNew && batch.baseSequence === -1, 'a batch gets its sequence once')
    if (this.#open.length === 0) this.#adopt(current)
    assert(this.#identity, 'an identity was adopted')
    stamp(batch, this.#identity, this.#next)
    this.#next = addSequence(this.#next, batch.recordCount)
    batch.sequenceNumber = this.#assigned++
    this.#open.push(batch)
  }

  #adopt(current: ProducerIdentity): void {
    const same =
      this.#identity?.producerId === current.producerId && this.#identity.producerEpoch === current.producerEpoch
    if (same) return
    this.#identity = current
    this.#next = 0
    this.#lastAcked = -1
  }

  acked(batch: ProducerBatch): void {
    this.#remove(batch)
    this.#lastAcked = addSequence(batch.baseSequence, batch.recordCount - 1)
  }

  /** The batch is given up. */
  failed(batch: ProducerBatch): void {
    if (!this.#remove(batch)) return
    if (batch.maybeWritten) this.#unresolved = true
    else this.#gap = true
  }

  /** The broker expects another sequence than this batch's. */
  outOfOrder(batch: ProducerBatch): void {
    if (batch.baseSequence === addSequence(this.#lastAcked, 1)) this.requestNewEpoch()
    else if (this.#unresolved && batch === this.#open[0]) {
      // Had the batch before it been written, this one would have fitted: so there is a plain gap to close.
      this.#unresolved = false
      this.#gap = true
    }
  }

  /** The broker has lost its memory of us: start again from 0 in a new epoch once nothing is on the wire. */
  requestNewEpoch(): void {
    this.#needsEpoch = true
  }

  /** Moves the open batches up to close the gap of a failed one. Only while nothing is on the wire. */
  settle(): void {
    if (!this.#gap) return
    this.#gap = false
    // After an unknown outcome the broker's next sequence is unknown too: the old numbers stay until all have ended.
    if (!this.#unresolved) this.#renumber(addSequence(this.#lastAcked, 1))
  }

  /** Starts again from sequence 0 with a newer identity; open batches keep their order. Only while nothing is on the wire. */
  restart(identity: ProducerIdentity): void {
    this.#identity = identity
    this.#lastAcked = -1
    this.#unresolved = false
    this.#gap = false
    this.#needsEpoch = false
    this.#renumber(0)
  }

  #renumber(from: number): void {
    this.#next = from
    for (const batch of this.#open) {
      assert(this.#identity, 'open batches have an identity')
      stamp(batch, this.#identity, this.#next)
      this.#next = addSequence(this.#next, batch.recordCount)
    }
  }

  #remove(batch: ProducerBatch): boolean {
    const index = this.#open.indexOf(batch)
    if (index >= 0) this.#open.splice(index, 1)
    return index >= 0
  }
}

/** Writes identity and sequence into the encoded batch. Only batches that are not on the wire are stamped. */
function stamp(batch: ProducerBatch, identity: ProducerIdentity, baseSequence: number): void {
  batch.producerId = identity.producerId
  batch.producerEpoch = identity.producerEpoch
  batch.baseSequence = baseSequence
  const bytes = batch.bytes
  assert(bytes, 'a batch is sealed before it gets a sequence')
  writeInt64(bytes, identity.producerId, BATCH_FIELD.producerId)
  bytes.writeInt16BE(identity.producerEpoch, BATCH_FIELD.producerEpoch)
  bytes.writeInt32BE(baseSequence, BATCH_FIELD.baseSequence)
  bytes.writeUInt32BE(crc32c(bytes, BATCH_FIELD.attributes), BATCH_FIELD.crc)
}
