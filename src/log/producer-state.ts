import type { BatchHeader } from '../record/index.ts'

/** Kafka remembers this many batches of a producer to recognise a repetition. */
const REMEMBERED_BATCHES = 5
const SEQUENCE_MAX = 0x7fffffff

/** A batch of an idempotent producer that was appended. */
export interface ProducedBatch {
  readonly lastSequence: number
  readonly lastOffset: number
  /** Offset of the last record less that of the first. */
  readonly offsetDelta: number
  readonly timestamp: number
}

/** What a log knows of one producer. */
export interface ProducerEntry {
  readonly producerId: number
  epoch: number
  coordinatorEpoch: number
  /**
   * When the producer was last heard of, by the wall clock. Kafka takes the time of the records, and so forgets at once a
   * producer whose records are old.
   */
  lastTimestamp: number
  /** First offset of the open transaction, -1 without one. */
  currentTxnFirstOffset: number
  /** The newest batches, oldest first. */
  batches: ProducedBatch[]
}

export type ProducerErrorCode = 'INVALID_PRODUCER_EPOCH' | 'OUT_OF_ORDER_SEQUENCE_NUMBER' | 'INVALID_TXN_STATE'

export type ProducerCheck =
  | { readonly kind: 'accept' }
  | { readonly kind: 'duplicate'; readonly batch: ProducedBatch }
  | { readonly kind: 'refuse'; readonly error: ProducerErrorCode; readonly message: string }

const ACCEPT: ProducerCheck = { kind: 'accept' }

/** Sequence numbers wrap from 2^31-1 to 0. */
export function addToSequence(sequence: number, delta: number): number {
  return sequence > SEQUENCE_MAX - delta ? delta - (SEQUENCE_MAX - sequence) - 1 : sequence + delta
}

function firstSequence(batch: ProducedBatch): number {
  const { lastSequence, offsetDelta } = batch
  return lastSequence < offsetDelta ? SEQUENCE_MAX - (offsetDelta - lastSequence) + 1 : lastSequence - offsetDelta
}

/** The idempotent producers of one log (KIP-98): which sequence comes next, and what a repeated batch was answered with. */
export class ProducerState {
  readonly #entries = new Map<number, ProducerEntry>()

  get size(): number {
    return this.#entries.size
  }

  entries(): IterableIterator<ProducerEntry> {
    return this.#entries.values()
  }

  /** Decides about a client's batch before it is appended. Invariant 6: a retry is neither repeated nor reordered. */
  check(header: BatchHeader): ProducerCheck {
    const entry = this.#entries.get(header.producerId)
    if (!entry) return ACCEPT
    const { producerId, producerEpoch, baseSequence } = header
    if (producerEpoch < entry.epoch) {
      const message = `epoch ${producerEpoch} of producer ${producerId} is older than ${entry.epoch}`
      return { kind: 'refuse', error: 'INVALID_PRODUCER_EPOCH', message }
    }
    if (header.isControl) return ACCEPT
    if (producerEpoch === entry.epoch) {
      const lastSequence = addToSequence(baseSequence, header.lastOffsetDelta)
      for (const batch of entry.batches) {
        if (batch.lastSequence === lastSequence && firstSequence(batch) === baseSequence) {
          return { kind: 'duplicate', batch }
        }
      }
    }
    if (entry.currentTxnFirstOffset >= 0 && !header.isTransactional) {
      const message = `producer ${producerId} has an open transaction`
      return { kind: 'refuse', error: 'INVALID_TXN_STATE', message }
    }
    const expected = nextSequence(entry, producerEpoch)
    if (expected !== undefined && baseSequence !== expected) {
      const message = `sequence ${baseSequence} of producer ${producerId}, ${expected} expected`
      return { kind: 'refuse', error: 'OUT_OF_ORDER_SEQUENCE_NUMBER', message }
    }
    return ACCEPT
  }

  /** Takes an appended batch into account. `coordinatorEpoch` is that of a transaction marker. */
  apply(
    header: BatchHeader,
    baseOffset: number,
    lastOffset: number,
    nowMs: number,
    coordinatorEpoch: number = -1,
  ): void {
    let entry = this.#entries.get(header.producerId)
    if (!entry) {
      entry = {
        producerId: header.producerId,
        epoch: header.producerEpoch,
        coordinatorEpoch: -1,
        lastTimestamp: -1,
        currentTxnFirstOffset: -1,
        batches: [],
      }
      this.#entries.set(header.producerId, entry)
    }
    if (header.producerEpoch !== entry.epoch) {
      entry.epoch = header.producerEpoch
      entry.batches = []
    }
    entry.lastTimestamp = nowMs
    if (header.isControl) {
      entry.coordinatorEpoch = coordinatorEpoch
      entry.currentTxnFirstOffset = -1
      return
    }
    entry.batches.push({
      lastSequence: addToSequence(header.baseSequence, header.lastOffsetDelta),
      lastOffset,
      offsetDelta: lastOffset - baseOffset,
      timestamp: header.isLogAppendTime ? header.maxTimestamp : nowMs,
    })
    if (entry.batches.length > REMEMBERED_BATCHES) entry.batches.shift()
    if (header.isTransactional && entry.currentTxnFirstOffset < 0) entry.currentTxnFirstOffset = baseOffset
  }

  /** Puts in an entry of a snapshot. */
  load(entry: ProducerEntry): void {
    this.#entries.set(entry.producerId, entry)
  }

  clear(): void {
    this.#entries.clear()
  }

  /** Adds batches before the newest one that a snapshot did not keep. */
  refill(recent: ProducerState): void {
    for (const entry of this.#entries.values()) {
      const other = recent.#entries.get(entry.producerId)
      const sameEnd =
        other?.epoch === entry.epoch && other.batches.at(-1)?.lastOffset === entry.batches.at(-1)?.lastOffset
      if (other && sameEnd) entry.batches = other.batches
    }
  }

  /** Forgets producers that were silent since `beforeMs` and have no open transaction. */
  expire(beforeMs: number): void {
    for (const entry of this.#entries.values()) {
      if (entry.currentTxnFirstOffset < 0 && entry.lastTimestamp < beforeMs) this.#entries.delete(entry.producerId)
    }
  }
}

/** The sequence that must come next, undefined where any will do. */
function nextSequence(entry: ProducerEntry, epoch: number): number | undefined {
  if (epoch !== entry.epoch) return 0
  const last = entry.batches.at(-1)
  // After a marker alone nothing is known of the sequence within this epoch.
  return last ? addToSequence(last.lastSequence, 1) : undefined
}
