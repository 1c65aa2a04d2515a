import { peekBatchHeader } from '../../src/record/index.ts'
import { check } from './simulation.ts'

/** A batch that the log said it had appended. */
export interface ModelBatch {
  readonly baseOffset: number
  readonly lastOffset: number
  /** As stored, offset and epoch included. */
  readonly bytes: Buffer
  readonly timestamps: readonly number[]
  readonly producer: string
  /** Acknowledged to acks=all. */
  acked: boolean
}

/** What the log must hold: an array of batches. */
export class LogModel {
  batches: ModelBatch[] = []
  /** The largest high watermark that a reader has seen. */
  maxHighWatermark = 0

  #emptyAt = 0

  get endOffset(): number {
    return this.batches.length === 0 ? this.#emptyAt : this.batches.at(-1)!.lastOffset + 1
  }

  add(batch: ModelBatch): void {
    check(batch.baseOffset === this.endOffset, `appended at ${batch.baseOffset}, the end was ${this.endOffset}`)
    this.batches.push(batch)
  }

  /** Index of the batch that holds `offset`, -1 without one. */
  indexOf(offset: number): number {
    let low = 0
    let high = this.batches.length - 1
    while (low < high) {
      const middle = (low + high) >>> 1
      if (this.batches[middle]!.lastOffset < offset) low = middle + 1
      else high = middle
    }
    const batch = this.batches[low]
    return batch && batch.baseOffset <= offset && offset <= batch.lastOffset ? low : -1
  }

  /** Checks that `records` are the batches from the one that holds `offset`, byte for byte, and whole; returns the next offset. */
  checkRead(offset: number, records: Buffer, limitOffset: number): number {
    let index = this.indexOf(offset)
    check(index >= 0, `read at ${offset} gave ${records.length} bytes, the model has no such offset`)
    let position = 0
    let next = offset
    while (position < records.length) {
      const batch = this.batches[index++]
      const got = peekBatchHeader(records, position)
      check(batch, `read at ${offset} gave bytes beyond the end of the model`)
      const part = records.subarray(position, position + batch.bytes.length)
      // Invariant 5 and 8: what is read is what was acknowledged, never something else.
      check(part.equals(batch.bytes), `batch at ${batch.baseOffset} reads differently (base offset ${got?.baseOffset})`)
      check(
        batch.baseOffset < limitOffset,
        `batch at ${batch.baseOffset} was served at or above the limit ${limitOffset}`,
      )
      position += batch.bytes.length
      next = batch.lastOffset + 1
    }
    return next
  }

  /** First offset with a timestamp at or after `timestamp` within the bounds, -1 without one. */
  offsetForTimestamp(timestamp: number, startOffset: number, limitOffset: number): number {
    for (const batch of this.batches) {
      if (batch.lastOffset < startOffset || batch.baseOffset >= limitOffset) continue
      for (const [delta, value] of batch.timestamps.entries()) {
        if (value >= timestamp && batch.baseOffset + delta >= startOffset) return batch.baseOffset + delta
      }
    }
    return -1
  }

  /** After a crash: forgets what is not in the log any more, which must not have been promised. */
  cutTo(endOffset: number, startOffset: number, isPromised: (batch: ModelBatch) => boolean): void {
    const kept = this.batches.filter((batch) => batch.lastOffset < endOffset)
    const last = kept.at(-1)
    const end = last ? last.lastOffset + 1 : Math.min(this.#emptyAt, endOffset)
    // What lies below the start of the log is nobody's any more: cut down to there, the log goes on empty.
    const restarts = endOffset === startOffset && end < endOffset
    check(
      restarts || end === endOffset,
      `after the crash the log ends at ${endOffset}, inside or behind what was appended (${end})`,
    )
    // Invariant 9: nothing acknowledged is lost.
    const lost = this.batches.slice(kept.length).find(isPromised)
    check(!lost, `batch at ${lost?.baseOffset} was acknowledged and is lost: the log ends at ${endOffset}`)
    this.batches = restarts ? [] : kept
    if (restarts) this.#emptyAt = endOffset
  }
}
