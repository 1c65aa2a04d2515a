import { BATCH_FIELD, batchBaseOffset, batchLastOffset, completeBatchSize, isBatchCrcValid } from '../record/index.ts'
import { follows } from './scan.ts'
import type { Allocate, Segment } from './segment.ts'

const NO_RECORDS = Buffer.alloc(0)
const MAGIC_V2 = 2

export interface FoundBatches {
  readonly error: 'CORRUPT_MESSAGE' | undefined
  readonly records: Buffer
}

const CORRUPT: FoundBatches = { error: 'CORRUPT_MESSAGE', records: NO_RECORDS }

/** What is asked of the segments; see Log.read. */
export interface ReadQuery {
  readonly offset: number
  readonly maxBytes: number
  readonly limitOffset: number
  readonly minOneBatch: boolean
  /** Whether all offsets follow each other. */
  readonly contiguous: boolean
  /** The leader epoch that wrote an offset, -1 when that is not known. */
  readonly epochAt: (offset: number) => number
  readonly allocate: Allocate | undefined
}

/** Length of the whole, valid batches at the start of `bytes` that end below the limit and within maxBytes; -1 when the first is damaged. */
function validLength(bytes: Buffer, query: ReadQuery): number {
  const { offset, maxBytes, limitOffset, minOneBatch, contiguous, epochAt } = query
  let end = 0
  let nextOffset = -1
  for (;;) {
    const size = completeBatchSize(bytes, end)
    if (size === 0) break
    if (end + size > maxBytes && !(minOneBatch && end === 0)) break
    const baseOffset = batchBaseOffset(bytes, end)
    const lastOffset = batchLastOffset(bytes, end)
    // Invariant 8: bytes from the disk are served only when length and CRC hold, and when the fields outside the CRC
    // (offset and leader epoch) agree with the batch's place in the log.
    const epoch = epochAt(lastOffset)
    const valid =
      follows(baseOffset, nextOffset, contiguous) &&
      lastOffset >= offset &&
      bytes[end + BATCH_FIELD.magic] === MAGIC_V2 &&
      (epoch < 0 || epoch === bytes.readInt32BE(end + BATCH_FIELD.partitionLeaderEpoch)) &&
      isBatchCrcValid(bytes, end, size)
    if (!valid) return end === 0 ? -1 : end
    if (baseOffset >= limitOffset) break
    nextOffset = lastOffset + 1
    end += size
  }
  return end
}

/** Reads from the segment files. Answers from one segment only, the caller comes back for the next. */
export function readBatches(segments: readonly Segment[], query: ReadQuery): FoundBatches {
  let index = segments.findLastIndex((segment) => segment.baseOffset <= query.offset)
  for (; index >= 0 && index < segments.length; index++) {
    const segment = segments[index]!
    const position = segment.positionOf(query.offset)
    if (position < 0) return CORRUPT
    if (position === segment.size) {
      // Only compaction takes away the end of a segment; the next one has what follows.
      if (query.contiguous) return CORRUPT
      continue
    }
    const bytes = segment.readAt(position, query.maxBytes, query.minOneBatch, query.allocate)
    if (!bytes) return CORRUPT
    const length = validLength(bytes, query)
    return length < 0 ? CORRUPT : { error: undefined, records: bytes.subarray(0, length) }
  }
  return { error: undefined, records: NO_RECORDS }
}
