import { BATCH_FIELD, batchBaseOffset, batchLastOffset, completeBatchSize, isBatchCrcValid } from '../record/index.ts'
import type { Segment } from './segment.ts'

const NO_RECORDS = Buffer.alloc(0)
const MAGIC_V2 = 2

export interface FoundBatches {
  readonly error: 'CORRUPT_MESSAGE' | undefined
  readonly records: Buffer
}

const CORRUPT: FoundBatches = { error: 'CORRUPT_MESSAGE', records: NO_RECORDS }

/** Length of the whole, valid batches at the start of `bytes` that end below `limitOffset` and within `maxBytes`; -1 when the first is damaged. */
function validLength(
  bytes: Buffer,
  offset: number,
  maxBytes: number,
  limitOffset: number,
  minOneBatch: boolean,
): number {
  let end = 0
  let nextOffset = 0
  for (;;) {
    const size = completeBatchSize(bytes, end)
    if (size === 0) break
    if (end + size > maxBytes && !(minOneBatch && end === 0)) break
    const baseOffset = batchBaseOffset(bytes, end)
    if (baseOffset >= limitOffset) break
    const lastOffset = batchLastOffset(bytes, end)
    // Invariant 8: bytes from the disk are served only when length, order and CRC hold. Fields outside the CRC are covered
    // by the order: an offset that does not follow is damage.
    const inOrder = end === 0 ? lastOffset >= offset : baseOffset >= nextOffset
    const valid = inOrder && bytes[end + BATCH_FIELD.magic] === MAGIC_V2 && isBatchCrcValid(bytes, end, size)
    if (!valid) return end === 0 ? -1 : end
    nextOffset = lastOffset + 1
    end += size
  }
  return end
}

/** Reads from the segment files; see Log.read. Answers from one segment only, the caller comes back for the next. */
export function readBatches(
  segments: readonly Segment[],
  offset: number,
  maxBytes: number,
  limitOffset: number,
  minOneBatch: boolean,
): FoundBatches {
  let index = segments.findLastIndex((segment) => segment.baseOffset <= offset)
  for (; index >= 0 && index < segments.length; index++) {
    const segment = segments[index]!
    const position = segment.positionOf(offset)
    if (position < 0) return CORRUPT
    // The offset was deleted by compaction at the end of this segment: the next one has what follows.
    if (position === segment.size) continue
    const bytes = segment.readAt(position, maxBytes, minOneBatch)
    if (!bytes) return CORRUPT
    const length = validLength(bytes, offset, maxBytes, limitOffset, minOneBatch)
    return length < 0 ? CORRUPT : { error: undefined, records: bytes.subarray(0, length) }
  }
  return { error: undefined, records: NO_RECORDS }
}
