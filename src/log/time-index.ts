import { type Disk, readInt64, writeInt64 } from '../base/index.ts'
import { IndexFile } from './index-file.ts'

/*
 * Time index: entries of int64 timestamp | int32 relativeOffset, both strictly growing. An entry says: the largest
 * timestamp so far is `timestamp`, reached by the batch that ends at the offset. All later timestamps have later offsets.
 */
const ENTRY_SIZE = 12

export interface TimestampOffset {
  readonly timestamp: number
  readonly offset: number
}

/** Finds where in a segment the first record of a time may be. */
export class TimeIndex {
  readonly file: IndexFile
  readonly #baseOffset: number
  #last: TimestampOffset | undefined

  constructor(disk: Disk, path: string, baseOffset: number) {
    this.file = new IndexFile(disk, path, ENTRY_SIZE)
    this.#baseOffset = baseOffset
  }

  /** The newest entry: the largest timestamp of the segment once it is complete. */
  get last(): TimestampOffset | undefined {
    return this.#last
  }

  /** Takes over an existing file; false when it cannot be a time index of a segment. */
  adopt(): boolean {
    if (!this.file.adopt()) return false
    const count = this.file.entries
    if (count === 0) return true
    const last = this.#entry(count - 1)
    const first = this.#entry(0)
    if (last.offset < this.#baseOffset || (count > 1 && last.timestamp <= first.timestamp)) return false
    this.#last = last
    return true
  }

  isFull(maxBytes: number): boolean {
    // One place is kept for the entry that closes the segment.
    return (this.file.entries + 2) * ENTRY_SIZE > maxBytes
  }

  /** Adds an entry when the timestamp has grown. */
  append(timestamp: number, offset: number): void {
    if (timestamp < 0 || (this.#last && (timestamp <= this.#last.timestamp || offset <= this.#last.offset))) return
    const place = this.file.grow()
    writeInt64(place.memory, timestamp, place.position)
    place.memory.writeInt32BE(offset - this.#baseOffset, place.position + 8)
    this.#last = { timestamp, offset }
  }

  reset(): void {
    this.file.reset()
    this.#last = undefined
  }

  /** The last entry whose timestamp is below `timestamp`: everything before its offset is older. */
  lookupBelow(timestamp: number): TimestampOffset | undefined {
    const index = this.file.floor((buffer, position) => readInt64(buffer, position) < timestamp)
    return index < 0 ? undefined : this.#entry(index)
  }

  /** The last entry of a batch that ends below `offset`. */
  lookupOffsetBelow(offset: number): TimestampOffset | undefined {
    const relative = offset - this.#baseOffset
    const index = this.file.floor((buffer, position) => buffer.readInt32BE(position + 8) < relative)
    return index < 0 ? undefined : this.#entry(index)
  }

  #entry(index: number): TimestampOffset {
    return this.file.entry(index, (buffer, position) => ({
      timestamp: readInt64(buffer, position),
      offset: this.#baseOffset + buffer.readInt32BE(position + 8),
    }))
  }
}
