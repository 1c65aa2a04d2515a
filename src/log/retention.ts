import type { LogConfig } from './config.ts'

/** What retention looks at of a segment. */
interface RetainedSegment {
  readonly baseOffset: number
  readonly size: number
  readonly newestMs: number
}

interface LogOffsets {
  readonly logStartOffset: number
  readonly highWatermark: number
  readonly logEndOffset: number
}

/**
 * How many of the oldest segments may go. Whole segments only: by time when even the newest record of a segment is too
 * old (records dated in the future pin it), by size until what stays is within retention.bytes, and always what lies
 * below the start of the log. Nothing at or above the high watermark goes; the active segment only when it is not empty.
 */
export function expiredSegments(
  segments: readonly RetainedSegment[],
  config: LogConfig,
  nowMs: number,
  { logStartOffset, highWatermark, logEndOffset }: LogOffsets,
): number {
  let excess = segments.reduce((sum, segment) => sum + segment.size, 0) - config.retentionBytes
  let count = 0
  for (const segment of segments) {
    const next = segments[count + 1]
    const isActive = next === undefined
    if ((next?.baseOffset ?? logEndOffset) > highWatermark || (isActive && segment.size === 0)) break
    const tooOld = nowMs - segment.newestMs > config.retentionMs
    const tooMuch = !isActive && excess >= segment.size
    const belowStart = !isActive && next.baseOffset <= logStartOffset
    if (!tooOld && !tooMuch && !belowStart) break
    excess -= segment.size
    count++
  }
  return count
}
