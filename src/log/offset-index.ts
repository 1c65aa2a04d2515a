import type { Disk } from '../base/index.ts'
import { IndexFile } from './index-file.ts'

/*
 * Offset index: entries of int32 relativeOffset | int32 position. An entry names the last offset of a batch and the
 * position where that batch starts, as Kafka writes it.
 */
const ENTRY_SIZE = 8

/** The last offset of a batch and where the batch starts. */
export interface OffsetPosition {
  readonly lastOffset: number
  readonly position: number
}

/** Finds where in a segment to start looking for an offset. */
export class OffsetIndex {
  readonly file: IndexFile
  readonly #baseOffset: number
  #lastOffset: number

  constructor(disk: Disk, path: string, baseOffset: number) {
    this.file = new IndexFile(disk, path, ENTRY_SIZE)
    this.#baseOffset = baseOffset
    this.#lastOffset = baseOffset
  }

  /** Takes over an existing file; false when it cannot be an index of a segment of `logSize` bytes. */
  adopt(logSize: number): boolean {
    if (!this.file.adopt()) return false
    const count = this.file.entries
    if (count === 0) return true
    const last = this.file.entry(count - 1, readEntry)
    if (last.relativeOffset < 0 || last.position < 0 || last.position >= logSize) return false
    // A file that was left preallocated ends in zeros, and so in an entry that is not above the first one.
    if (count > 1 && last.relativeOffset <= this.file.entry(0, readEntry).relativeOffset) return false
    this.#lastOffset = this.#baseOffset + last.relativeOffset
    return true
  }

  reset(): void {
    this.file.reset()
    this.#lastOffset = this.#baseOffset
  }

  isFull(maxBytes: number): boolean {
    return (this.file.entries + 1) * ENTRY_SIZE > maxBytes
  }

  append(lastOffset: number, position: number): void {
    if (this.file.entries > 0 && lastOffset <= this.#lastOffset) return
    const place = this.file.grow()
    place.memory.writeInt32BE(lastOffset - this.#baseOffset, place.position)
    place.memory.writeInt32BE(position, place.position + 4)
    this.#lastOffset = lastOffset
  }

  /** The last entry at or below `offset`; the start of the segment when there is none. */
  lookup(offset: number): OffsetPosition {
    const relative = offset - this.#baseOffset
    const index = this.file.floor((buffer, position) => buffer.readInt32BE(position) <= relative)
    if (index < 0) return { lastOffset: this.#baseOffset - 1, position: 0 }
    const entry = this.file.entry(index, readEntry)
    return { lastOffset: this.#baseOffset + entry.relativeOffset, position: entry.position }
  }

  /** Position of the last indexed batch at or below a position, 0 when there is none. */
  positionBefore(limit: number): number {
    const index = this.file.floor((buffer, position) => buffer.readInt32BE(position + 4) <= limit)
    return index < 0 ? 0 : this.file.entry(index, readEntry).position
  }

  /** Position of the batch of the last entry, 0 in an empty index. */
  lastPosition(): number {
    const count = this.file.entries
    return count === 0 ? 0 : this.file.entry(count - 1, readEntry).position
  }
}

function readEntry(buffer: Buffer, position: number): { relativeOffset: number; position: number } {
  return { relativeOffset: buffer.readInt32BE(position), position: buffer.readInt32BE(position + 4) }
}
