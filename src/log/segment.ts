import { assert, type Disk, type DiskFile, readInt64 } from '../base/index.ts'
import {
  BATCH_FIELD,
  BATCH_HEADER_SIZE,
  BATCH_OVERHEAD,
  batchBaseOffset,
  batchLastOffset,
  completeBatchSize,
} from '../record/index.ts'
import { offsetFileName, SUFFIX } from './file-names.ts'
import { OffsetIndex, type OffsetPosition } from './offset-index.ts'
import { follows, readFully, type ScanResult, scanBatches } from './scan.ts'
import { TimeIndex, type TimestampOffset } from './time-index.ts'

/** Headers on the way to a batch are read in pieces of this size; a walk ends before the next one begins. */
const HOP_WINDOW = 4096
const hopWindow = Buffer.allocUnsafeSlow(HOP_WINDOW)
const NO_BYTES = Buffer.alloc(0)
const MAX_INT32 = 0x7fffffff
const UNKNOWN_OFFSET = -1

/** Where the segments of a log are, and whether all offsets in them follow each other. */
export interface SegmentPlace {
  readonly disk: Disk
  readonly directory: string
  /** False for a log that was ever compacted. */
  readonly contiguous: boolean
  /** index.interval.bytes, which may change while the log is open. */
  indexIntervalBytes: number
}

/** Gives memory of at least this many bytes. */
export type Allocate = (size: number) => Buffer

/** Called for every batch while indexes are rebuilt. */
export type BatchObserver = (buffer: Buffer, at: number, size: number) => void

/** One segment: a file of batches and its two indexes. Only the newest segment of a log is active, that is, appended to. */
export class Segment {
  readonly baseOffset: number
  readonly offsetIndex: OffsetIndex
  readonly timeIndex: TimeIndex
  readonly #place: SegmentPlace
  #file: DiskFile | undefined
  #size: number
  #firstTimestamp = -1
  #max: TimestampOffset = { timestamp: -1, offset: -1 }
  #bytesSinceIndexEntry = 0
  #pendingSyncs = 0
  #closeRequested = false
  #isActive = false
  #isDamaged = false
  /** Wall-clock time of the last change, for segments whose records have no timestamps. */
  modifiedMs: number

  private constructor(place: SegmentPlace, baseOffset: number, size: number, modifiedMs: number) {
    const { disk } = place
    this.#place = place
    this.baseOffset = baseOffset
    this.#size = size
    this.modifiedMs = modifiedMs
    this.offsetIndex = new OffsetIndex(disk, this.#path(SUFFIX.offsetIndex), baseOffset)
    this.timeIndex = new TimeIndex(disk, this.#path(SUFFIX.timeIndex), baseOffset)
  }

  /** Starts an empty segment. */
  static create(place: SegmentPlace, baseOffset: number, nowMs: number): Segment {
    const { disk } = place
    const segment = new Segment(place, baseOffset, 0, nowMs)
    if (disk.exists(segment.logPath)) disk.unlink(segment.logPath)
    segment.#file = disk.open(segment.logPath, 'create')
    segment.offsetIndex.reset()
    segment.timeIndex.reset()
    segment.#isActive = true
    return segment
  }

  /** Opens what is on disk; the indexes are adopted or rebuilt afterwards. */
  static open(place: SegmentPlace, baseOffset: number): Segment {
    const { size, modifiedMs } = place.disk.stat(`${place.directory}/${offsetFileName(baseOffset, SUFFIX.log)}`)
    return new Segment(place, baseOffset, size, modifiedMs)
  }

  #path(suffix: string): string {
    return `${this.#place.directory}/${offsetFileName(this.baseOffset, suffix)}`
  }

  get logPath(): string {
    return this.#path(SUFFIX.log)
  }

  get size(): number {
    return this.#size
  }

  /** Largest timestamp of the segment, -1 without one. */
  get maxTimestamp(): number {
    return this.#max.timestamp
  }

  /** Whether a record at or after `timestamp` may be here; behind damage nobody knows. */
  mayReach(timestamp: number): boolean {
    return this.#isDamaged || this.#max.timestamp >= timestamp
  }

  /** Time of the newest record as far as it is known, for retention: of the file where records have none. */
  get newestMs(): number {
    return this.#isDamaged || this.#max.timestamp < 0 ? this.modifiedMs : this.#max.timestamp
  }

  /** Largest timestamp of the first batch, from which segment.ms counts; -1 in an empty segment. */
  get firstTimestamp(): number {
    return this.#firstTimestamp
  }

  get file(): DiskFile {
    this.#file ??= this.#place.disk.open(this.logPath, 'read-write')
    return this.#file
  }

  /** Whether offsets up to `offset` can be written relative to the base offset, as the indexes do. */
  canHold(offset: number): boolean {
    return offset - this.baseOffset <= MAX_INT32
  }

  isIndexFull(maxBytes: number): boolean {
    return this.offsetIndex.isFull(maxBytes) || this.timeIndex.isFull(maxBytes)
  }

  /** Appends one batch whose offsets are set. On a failed write the file is as it was. */
  append(batch: Buffer, lastOffset: number, maxTimestamp: number, nowMs: number): void {
    const position = this.#size
    try {
      this.file.write([batch], position)
    } catch (error) {
      // A torn batch must not be followed by another one: the next append would make it a hole in the log.
      this.file.truncate(position)
      throw error
    }
    this.#note(position, batch.length, lastOffset, maxTimestamp)
    this.#size = position + batch.length
    this.modifiedMs = nowMs
  }

  #note(position: number, size: number, lastOffset: number, maxTimestamp: number): void {
    if (position === 0) this.#firstTimestamp = maxTimestamp
    if (maxTimestamp > this.#max.timestamp) this.#max = { timestamp: maxTimestamp, offset: lastOffset }
    if (this.#bytesSinceIndexEntry > this.#place.indexIntervalBytes) {
      this.offsetIndex.append(lastOffset, position)
      this.timeIndex.append(this.#max.timestamp, this.#max.offset)
      this.#bytesSinceIndexEntry = 0
    }
    this.#bytesSinceIndexEntry += size
  }

  /** Takes over the index files; false when one is missing or damaged and both must be rebuilt. */
  adoptIndexes(): boolean {
    if (!this.offsetIndex.adopt(this.#size) || !this.timeIndex.adopt()) return false
    const last = this.timeIndex.last
    if (!last) return true
    this.#max = last
    return this.#isTrue(last)
  }

  /** Scans all batches with their CRC and makes the indexes anew. Nothing is cut. */
  rebuild(maxOffset: number, observe?: BatchObserver): ScanResult {
    this.offsetIndex.reset()
    this.timeIndex.reset()
    this.#max = { timestamp: -1, offset: -1 }
    this.#firstTimestamp = -1
    this.#bytesSinceIndexEntry = 0
    const result = this.#scanFrom(0, this.baseOffset, maxOffset, observe)
    this.#isDamaged = result.validTo < this.#size
    return result
  }

  /** Reads what follows the last index entry, with CRC, to learn end and times of the newest segment after a clean stop. */
  resume(observe?: BatchObserver): ScanResult {
    this.#bytesSinceIndexEntry = 0
    const first = this.readHeader(0)
    const from = this.offsetIndex.lastPosition()
    const expected = from === 0 ? this.baseOffset : UNKNOWN_OFFSET
    const result = this.#scanFrom(from, expected, Number.MAX_SAFE_INTEGER, observe)
    if (first) this.#firstTimestamp = readInt64(first, BATCH_FIELD.maxTimestamp)
    return result
  }

  #scanFrom(from: number, expectedOffset: number, maxOffset: number, observe?: BatchObserver): ScanResult {
    const contiguous = this.#place.contiguous
    const options = { from, to: this.#size, expectedOffset, maxOffset, contiguous }
    return scanBatches(this.file, options, (buffer, at, size, position) => {
      const maxTimestamp = readInt64(buffer, at + BATCH_FIELD.maxTimestamp)
      this.#note(position, size, batchLastOffset(buffer, at), maxTimestamp)
      observe?.(buffer, at, size)
      return true
    })
  }

  /**
   * Walks the batches that end at or after `offset`. False when it met damage before `visit` had enough.
   */
  scanFromOffset(offset: number, visit: (buffer: Buffer, at: number, position: number) => boolean): boolean {
    const from = this.positionOf(offset)
    if (from < 0) return false
    const contiguous = this.#place.contiguous
    const options = {
      from,
      to: this.#size,
      expectedOffset: UNKNOWN_OFFSET,
      maxOffset: Infinity,
      contiguous,
    }
    const result = scanBatches(this.file, options, (buffer, at, _size, position) => visit(buffer, at, position))
    return result.stopped || result.validTo === this.#size
  }

  /** Walks the batches in the last `bytes` bytes or so, from a batch that the index knows. */
  scanTail(bytes: number, visit: (buffer: Buffer, at: number) => void): void {
    const from = this.#size <= bytes ? 0 : Math.max(0, this.offsetIndex.positionBefore(this.#size - bytes))
    const contiguous = this.#place.contiguous
    const options = {
      from,
      to: this.#size,
      expectedOffset: UNKNOWN_OFFSET,
      maxOffset: Infinity,
      contiguous,
    }
    scanBatches(this.file, options, (buffer, at) => {
      visit(buffer, at)
      return true
    })
  }

  /** An offset before which all records of the segment are older than `timestamp`. */
  offsetBelow(timestamp: number): number {
    const entry = this.timeIndex.lookupBelow(timestamp)
    return entry && this.#isTrue(entry) ? entry.offset : this.baseOffset
  }

  /** Largest timestamp of the batches below `limitOffset`, -1 without one. */
  maxTimestampBelow(limitOffset: number): number {
    if (limitOffset <= this.baseOffset) return -1
    const entry = this.timeIndex.lookupOffsetBelow(limitOffset)
    let largest = entry?.timestamp ?? -1
    this.scanFromOffset(entry?.offset ?? this.baseOffset, (buffer, at) => {
      if (batchBaseOffset(buffer, at) >= limitOffset) return false
      largest = Math.max(largest, readInt64(buffer, at + BATCH_FIELD.maxTimestamp))
      return true
    })
    return largest
  }

  /** Invariant 8: the index files have no CRC, so an entry is believed when the batch that it names agrees. */
  #isTrue(entry: TimestampOffset): boolean {
    const position = this.positionOf(entry.offset)
    const header = position < 0 ? undefined : this.readHeader(position)
    return (
      header !== undefined &&
      batchLastOffset(header, 0) === entry.offset &&
      readInt64(header, BATCH_FIELD.maxTimestamp) === entry.timestamp
    )
  }

  /** The header at a position, or undefined at the end of the segment. */
  readHeader(position: number): Buffer | undefined {
    const header = Buffer.allocUnsafe(BATCH_HEADER_SIZE)
    if (position + BATCH_HEADER_SIZE > this.#size) return undefined
    return readFully(this.file, header, 0, BATCH_HEADER_SIZE, position) === BATCH_HEADER_SIZE ? header : undefined
  }

  /**
   * Position of the batch that holds `offset`, or of the first later one; the size of the segment when there is none,
   * -1 when the bytes on the way are no batches of this log. A damaged index costs time, not data: then the walk starts at
   * the first batch and the index is made anew.
   */
  positionOf(offset: number): number {
    const entry = this.offsetIndex.lookup(offset)
    const position = this.#walkTo(offset, entry)
    if (position >= 0 || entry.position === 0) return position
    const found = this.#walkTo(offset, { lastOffset: UNKNOWN_OFFSET, position: 0 })
    if (found >= 0 && !this.#isActive) {
      this.rebuild(Number.MAX_SAFE_INTEGER)
      this.closeRebuilt(true)
    }
    return found
  }

  #walkTo(offset: number, entry: OffsetPosition): number {
    if (entry.position < 0 || entry.position > this.#size) return -1
    const window = hopWindow
    let start = entry.position
    let position = start
    let length = 0
    let expected = position === 0 ? this.baseOffset : UNKNOWN_OFFSET
    while (position + BATCH_HEADER_SIZE <= this.#size) {
      if (position + BATCH_HEADER_SIZE > start + length) {
        start = position
        length = readFully(this.file, window, 0, Math.min(HOP_WINDOW, this.#size - position), position)
        if (length < BATCH_HEADER_SIZE) return -1
      }
      const at = position - start
      const lastOffset = batchLastOffset(window, at)
      const size = window.readInt32BE(at + BATCH_FIELD.batchLength) + BATCH_OVERHEAD
      // Invariant 8: a damaged offset must not lead past the batch that is looked for.
      const baseOffset = batchBaseOffset(window, at)
      if (!follows(baseOffset, expected, this.#place.contiguous)) return -1
      if (lastOffset < baseOffset || size < BATCH_HEADER_SIZE) return -1
      if (position === entry.position && lastOffset > entry.lastOffset && entry.position > 0) return -1
      if (lastOffset >= offset) return position
      expected = lastOffset + 1
      position += size
    }
    return position === this.#size ? position : -1
  }

  /** Up to `maxBytes` at a position; with `minOneBatch` at least the whole first batch. Undefined when the disk has less than the size says. */
  readAt(
    position: number,
    maxBytes: number,
    minOneBatch: boolean,
    allocate: Allocate = Buffer.allocUnsafeSlow,
  ): Buffer | undefined {
    const available = this.#size - position
    if (available <= 0) return NO_BYTES
    const length = Math.min(Math.max(maxBytes, BATCH_HEADER_SIZE), available)
    const buffer = allocate(length).subarray(0, length)
    if (readFully(this.file, buffer, 0, buffer.length, position) < buffer.length) return undefined
    if (!minOneBatch || completeBatchSize(buffer, 0) > 0) return buffer
    const size = buffer.readInt32BE(BATCH_FIELD.batchLength) + BATCH_OVERHEAD
    if (size <= buffer.length || size > available) return undefined
    const whole = allocate(size).subarray(0, size)
    buffer.copy(whole)
    const rest = size - buffer.length
    return readFully(this.file, whole, buffer.length, rest, position + buffer.length) === rest ? whole : undefined
  }

  /** Cuts the file at the first bad byte. */
  truncate(size: number): void {
    assert(size <= this.#size, 'a segment is only ever cut')
    if (size < this.#size) this.file.truncate(size)
    this.#size = size
    this.#isDamaged = false
  }

  /** Opens the newest segment for appends: its indexes stay in memory from now on. */
  activate(): void {
    this.offsetIndex.file.activate()
    this.timeIndex.file.activate()
    this.#isActive = true
  }

  /**
   * Closes the segment for appends: the last timestamp gets its index entry and the index files are written. They are
   * durable after `syncAll` or `syncIndexes`.
   */
  deactivate(): void {
    this.#isActive = false
    this.timeIndex.append(this.#max.timestamp, this.#max.offset)
    this.offsetIndex.file.deactivate(false)
    this.timeIndex.file.deactivate(false)
  }

  /**
   * Closes a segment whose indexes were made anew, and writes them. Behind damage they are not complete, and a full disk
   * may refuse them: then they live in memory only, and the next start, which finds no files, makes them again.
   */
  closeRebuilt(mayFail: boolean = false): void {
    this.#isActive = false
    this.timeIndex.append(this.#max.timestamp, this.#max.offset)
    const files = [this.offsetIndex.file, this.timeIndex.file]
    try {
      if (!this.#isDamaged) {
        for (const file of files) file.deactivate(true)
        return
      }
    } catch (error) {
      if (!mayFail) throw error
    }
    for (const file of files) file.keepInMemory()
  }

  /** Writes the index files as they are, so that they can be read from outside. */
  flushIndexes(): void {
    this.offsetIndex.file.flush()
    this.timeIndex.file.flush()
  }

  /** Makes the batches durable, off the main thread. The file stays open until it is done. */
  async sync(): Promise<void> {
    if (this.#closeRequested) return
    const file = this.file
    this.#pendingSyncs++
    try {
      await file.sync()
    } finally {
      this.#pendingSyncs--
      if (this.#closeRequested) this.close()
    }
  }

  /** Makes batches and indexes durable, in that order. */
  async syncAll(): Promise<void> {
    await this.sync()
    await this.syncIndexes()
  }

  /** Makes the index files durable as they were last written. */
  async syncIndexes(): Promise<void> {
    // Retention may take the segment away meanwhile.
    if (!this.#closeRequested) await this.offsetIndex.file.sync()
    if (!this.#closeRequested) await this.timeIndex.file.sync()
  }

  /** Closes the file, after a sync that is under way. */
  close(): void {
    this.#closeRequested = true
    if (this.#pendingSyncs > 0) return
    this.#file?.close()
    this.#file = undefined
  }

  /** Takes the files out of the log under the names that are deleted later; returns those names. */
  markDeleted(): string[] {
    this.close()
    const marked: string[] = []
    for (const suffix of [SUFFIX.log, SUFFIX.offsetIndex, SUFFIX.timeIndex, SUFFIX.txnIndex]) {
      const path = this.#path(suffix)
      if (!this.#place.disk.exists(path)) continue
      this.#place.disk.rename(path, `${path}${SUFFIX.deleted}`)
      marked.push(`${path}${SUFFIX.deleted}`)
    }
    return marked
  }
}
