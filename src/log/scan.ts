import type { DiskFile } from '../base/index.ts'
import {
  BATCH_HEADER_SIZE,
  BATCH_OVERHEAD,
  batchBaseOffset,
  batchLastOffset,
  isBatchCrcValid,
} from '../record/index.ts'

const WINDOW_SIZE = 256 * 1024
const MAGIC_POSITION = 16
const LENGTH_POSITION = 8

/** Reads until `length` bytes are there or the file ends: a disk may answer with less than asked. */
export function readFully(
  file: DiskFile,
  target: Buffer,
  targetOffset: number,
  length: number,
  position: number,
): number {
  let total = 0
  while (total < length) {
    const count = file.read(target, targetOffset + total, length - total, position + total)
    if (count === 0) break
    total += count
  }
  return total
}

/**
 * Whether a batch may come where `expectedOffset` is due (-1: anything may). The base offset is outside the CRC, so that
 * its place in the row is all that guards it.
 */
export function follows(baseOffset: number, expectedOffset: number, contiguous: boolean): boolean {
  return contiguous && expectedOffset >= 0 ? baseOffset === expectedOffset : baseOffset >= expectedOffset
}

/** What a scan shows of each batch: `buffer` holds all of it at `at`. */
export type BatchVisitor = (buffer: Buffer, at: number, size: number, position: number) => boolean

export interface ScanOptions {
  /** Where the first batch starts. */
  readonly from: number
  /** Where the file ends. */
  readonly to: number
  /** The offset that is due first, -1 when that is not known. */
  readonly expectedOffset: number
  /** Offsets from this one on are wrong: they belong to the next segment. */
  readonly maxOffset: number
  /** Every offset follows the one before; compaction makes holes, nothing else does. */
  readonly contiguous: boolean
}

export interface ScanResult {
  /** Where the first byte lies that belongs to no valid batch; `to` when all is well. */
  readonly validTo: number
  /** The offset after the last valid batch. */
  readonly nextOffset: number
  /** Whether the visitor ended the scan. */
  readonly stopped: boolean
}

/**
 * Walks the batches of a segment file. It ends at the first batch that is cut, has a wrong magic, fails its CRC or does
 * not continue the offsets (invariant 8: nothing is trusted before its length and CRC hold), or where `visit` returns false.
 */
export function scanBatches(file: DiskFile, options: ScanOptions, visit: BatchVisitor): ScanResult {
  let window = Buffer.allocUnsafe(Math.min(WINDOW_SIZE, Math.max(options.to - options.from, BATCH_HEADER_SIZE)))
  let windowStart = options.from
  let windowLength = 0
  let position = options.from
  let nextOffset = options.expectedOffset
  const result = (stopped: boolean): ScanResult => ({ validTo: position, nextOffset, stopped })
  const load = (needed: number): boolean => {
    if (position + needed > options.to) return false
    if (position + needed <= windowStart + windowLength) return true
    if (needed > window.length) window = Buffer.allocUnsafe(needed)
    windowStart = position
    windowLength = readFully(file, window, 0, Math.min(window.length, options.to - position), position)
    return windowLength >= needed
  }
  while (position < options.to) {
    if (!load(BATCH_HEADER_SIZE)) return result(false)
    const size = window.readInt32BE(position - windowStart + LENGTH_POSITION) + BATCH_OVERHEAD
    if (size < BATCH_HEADER_SIZE || position + size > options.to) return result(false)
    if (!load(size)) return result(false)
    const at = position - windowStart
    if (window[at + MAGIC_POSITION] !== 2) return result(false)
    const baseOffset = batchBaseOffset(window, at)
    const lastOffset = batchLastOffset(window, at)
    if (!follows(baseOffset, nextOffset, options.contiguous) || lastOffset < baseOffset) return result(false)
    if (lastOffset >= options.maxOffset) return result(false)
    if (!isBatchCrcValid(window, at, size)) return result(false)
    if (!visit(window, at, size, position)) return result(true)
    nextOffset = lastOffset + 1
    position += size
  }
  return result(false)
}
