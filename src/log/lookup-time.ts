import { readInt64 } from '../base/index.ts'
import { BATCH_FIELD, batchBaseOffset, RecordCursor, RecordError } from '../record/index.ts'
import type { Segment } from './segment.ts'

/** A record found by its time, with the leader epoch that wrote it. */
export interface FoundRecord {
  readonly offset: number
  readonly timestamp: number
  readonly leaderEpoch: number
}

/** The first record in a batch with a time at or after `timestamp` and an offset within the bounds. */
function findInBatch(
  segment: Segment,
  position: number,
  timestamp: number,
  minOffset: number,
): FoundRecord | undefined {
  const bytes = segment.readAt(position, 1, true)
  if (!bytes) return undefined
  const cursor = new RecordCursor()
  const header = cursor.open(bytes)
  while (cursor.next()) {
    if (cursor.timestamp >= timestamp && cursor.offset >= minOffset) {
      return { offset: cursor.offset, timestamp: cursor.timestamp, leaderEpoch: header.partitionLeaderEpoch }
    }
  }
  return undefined
}

/** The first record at or after a time: time index, offset index, then the records of the batches from there. Throws RecordError on damage. */
export function findByTimestamp(
  segments: readonly Segment[],
  timestamp: number,
  minOffset: number,
  limitOffset: number,
): FoundRecord | undefined {
  for (const segment of segments) {
    if (!segment.mayReach(timestamp)) continue
    const from = Math.max(segment.offsetBelow(timestamp), minOffset)
    let found: FoundRecord | undefined
    const intact = segment.scanFromOffset(from, (buffer, at, position) => {
      if (batchBaseOffset(buffer, at) >= limitOffset) return false
      if (readInt64(buffer, at + BATCH_FIELD.maxTimestamp) < timestamp) return true
      found = findInBatch(segment, position, timestamp, minOffset)
      return found === undefined
    })
    if (found) return found
    // Invariant 8: "not found" is an answer only when everything that could hold it was readable.
    if (!intact) throw new RecordError('CORRUPT_MESSAGE', `${segment.logPath} is damaged`)
  }
  return undefined
}
