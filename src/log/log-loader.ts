import type { Disk, Logger } from '../base/index.ts'
import {
  BATCH_FIELD,
  type BatchHeader,
  batchBaseOffset,
  batchLastOffset,
  BATCH_HEADER_SIZE,
  peekBatchHeader,
  decodeBatch,
  decodeControlRecord,
} from '../record/index.ts'
import type { LogConfig } from './config.ts'
import type { EpochStart } from './checkpoint-file.ts'
import { LEADER_EPOCH_FILE, offsetOfFileName, SUFFIX } from './file-names.ts'
import { LeaderEpochs } from './leader-epochs.ts'
import { ProducerState } from './producer-state.ts'
import { loadNewestSnapshot, removeSnapshots } from './producer-snapshot.ts'
import { type BatchObserver, Segment, type SegmentPlace } from './segment.ts'

/** What is known of a log before its files are looked at. */
export interface LoadOptions {
  readonly disk: Disk
  readonly directory: string
  readonly config: LogConfig
  readonly logger: Logger
  readonly nowMs: number
  /** Everything below was durable when it was written down (recovery-point-offset-checkpoint). */
  readonly recoveryPoint: number
  /** From log-start-offset-checkpoint. */
  readonly logStartOffset: number
  /** Whether the last owner of the data directory stopped cleanly. */
  readonly cleanShutdown: boolean
  readonly producerExpirationMs: number
  /** Whether compaction may have made holes in the offsets. */
  readonly mayHaveGaps: boolean
}

/** What recovery had to do. */
export interface RecoveryReport {
  /** Segments that were scanned batch by batch. */
  readonly scannedSegments: number
  /** Bytes cut off at the end of the log. */
  readonly truncatedBytes: number
  /** Complete batches with a valid CRC that lay behind the damage and were cut with it: more than a torn tail. */
  readonly lostBatches: number
}

export interface LoadedLog {
  /** Oldest first, at least one; the last one is active. */
  readonly segments: Segment[]
  readonly producers: ProducerState
  readonly epochs: LeaderEpochs
  readonly logStartOffset: number
  readonly logEndOffset: number
  /** Closed segments whose bytes may only be in the page cache: to be synced before anything later counts as durable. */
  readonly unsynced: Segment[]
  /** Everything below is on disk. */
  readonly durableOffset: number
  readonly report: RecoveryReport
  readonly place: SegmentPlace
}

/** Removes what a crash left half done and returns the base offsets of the segments, ascending. */
function tidyDirectory(disk: Disk, directory: string): number[] {
  for (const name of disk.list(directory)) {
    const path = `${directory}/${name}`
    if (name.endsWith(SUFFIX.deleted) || name.endsWith(SUFFIX.cleaned) || name.endsWith('.tmp')) disk.unlink(path)
    else if (name.endsWith(SUFFIX.swap)) disk.rename(path, path.slice(0, -SUFFIX.swap.length))
  }
  const names = disk.list(directory)
  const bases = new Set(names.map((name) => offsetOfFileName(name, SUFFIX.log)).filter((base) => base !== undefined))
  for (const name of names) {
    const base = offsetOfFileName(name, SUFFIX.offsetIndex) ?? offsetOfFileName(name, SUFFIX.timeIndex)
    if (base !== undefined && !bases.has(base)) disk.unlink(`${directory}/${name}`)
  }
  return [...bases].sort((a, b) => a - b)
}

/** Bytes at the end of the log that are searched for the batches that producers may repeat. */
const REFILL_BYTES = 8 * 1024 * 1024
/** Most bytes behind the damage that are searched for batches. */
const DAMAGE_SEARCH_BYTES = 64 * 1024 * 1024

/** How many whole, valid batches lie in the bytes after `from`: finds out whether damage hit more than a torn tail. */
function countBatchesAfter(segment: Segment, from: number): number {
  const bytes = segment.readAt(from, Math.min(segment.size - from, DAMAGE_SEARCH_BYTES), false)
  if (!bytes) return 0
  let count = 0
  for (let position = 0; position + BATCH_HEADER_SIZE <= bytes.length; position++) {
    if (bytes[position + BATCH_FIELD.magic] !== 2) continue
    const header = peekBatchHeader(bytes, position)!
    if (header.sizeInBytes < BATCH_HEADER_SIZE || header.sizeInBytes > bytes.length - position) continue
    if (header.baseOffset < segment.baseOffset || header.lastOffsetDelta < 0 || header.recordCount < 0) continue
    try {
      decodeBatch(bytes, position)
    } catch {
      continue
    }
    count++
    position += header.sizeInBytes - 1
  }
  return count
}

class LogLoader {
  readonly #options: LoadOptions
  readonly #epochs: LeaderEpochs
  readonly #place: SegmentPlace
  #segments: Segment[] = []
  #unsynced: Segment[] = []
  /** Epochs of the last two batches that were seen. */
  #lastEpochs: [number, number] = [-1, -1]
  readonly #noteEpoch: BatchObserver = (buffer, at) => {
    this.#lastEpochs = [this.#lastEpochs[1], buffer.readInt32BE(at + BATCH_FIELD.partitionLeaderEpoch)]
  }
  #syncedSegments = 0
  #scanned = 0
  #truncatedBytes = 0
  #lostBatches = 0

  constructor(options: LoadOptions) {
    const { disk, directory, mayHaveGaps, config } = options
    this.#options = options
    this.#place = { disk, directory, contiguous: !mayHaveGaps, indexIntervalBytes: config.indexIntervalBytes }
    this.#epochs = new LeaderEpochs(disk, `${directory}/${LEADER_EPOCH_FILE}`)
  }

  load(): LoadedLog {
    const { disk, directory, nowMs } = this.#options
    let logStartOffset = this.#options.logStartOffset
    const bases = tidyDirectory(disk, directory)
    const recoverFrom = this.#firstUnflushed(bases)
    let end = logStartOffset
    for (const [index, base] of bases.entries()) {
      const segment = Segment.open(this.#place, base)
      const nextBase = bases[index + 1] ?? Number.MAX_SAFE_INTEGER
      this.#segments.push(segment)
      const done = base >= recoverFrom ? this.#recover(segment, nextBase) : this.#adopt(segment, nextBase)
      end = done.nextOffset
      if (done.cut) {
        this.#dropFrom(bases.slice(index + 1))
        break
      }
    }
    if (end < logStartOffset) {
      this.#dropFrom(this.#segments.map((segment) => segment.baseOffset))
      this.#segments = []
    }
    if (this.#segments.length === 0) {
      this.#segments.push(Segment.create(this.#place, logStartOffset, nowMs))
      end = logStartOffset
    }
    logStartOffset = Math.max(logStartOffset, this.#segments[0]!.baseOffset)
    const active = this.#segments.at(-1)!
    active.activate()
    // The names of recovered files may be in the page cache only, too.
    if (this.#syncedSegments > 0) disk.syncDirectory(directory)
    this.#epochs.truncateFromEnd(end)
    this.#epochs.truncateFromStart(logStartOffset)
    if (end > logStartOffset && !this.#epochsAreTrue(logStartOffset, end)) this.#rebuildEpochs(logStartOffset)
    const producers = this.#loadProducers(Math.min(recoverFrom, end), end)
    removeSnapshots(disk, directory, (offset) => offset <= end)
    const report = {
      scannedSegments: this.#scanned,
      truncatedBytes: this.#truncatedBytes,
      lostBatches: this.#lostBatches,
    }
    this.#report(report, end)
    const durableOffset = this.#unsynced.length > 0 ? Math.min(this.#options.recoveryPoint, end) : end
    return {
      segments: this.#segments,
      producers,
      epochs: this.#epochs,
      logStartOffset,
      logEndOffset: end,
      unsynced: this.#unsynced.filter((segment) => segment !== active),
      durableOffset,
      report,
      place: this.#place,
    }
  }

  /**
   * Base offset of the segment where the durable part ends; from there on the log is scanned after a crash. A segment that
   * ends exactly at the recovery point is scanned too: its index files are durable only once something after it is.
   */
  #firstUnflushed(bases: readonly number[]): number {
    if (this.#options.cleanShutdown) return Number.MAX_SAFE_INTEGER
    return bases.findLast((base) => base < this.#options.recoveryPoint) ?? bases[0] ?? 0
  }

  /** Takes a segment that was closed properly; its batches are checked when they are read. */
  #adopt(segment: Segment, nextBase: number): { nextOffset: number; cut: boolean } {
    const isActive = nextBase === Number.MAX_SAFE_INTEGER
    if (!segment.adoptIndexes()) {
      // A partition without a record has index files only once it was closed, and nothing in them to miss.
      if (isActive && segment.size === 0) return this.#recover(segment, nextBase)
      this.#options.logger.warn({ segment: segment.logPath }, 'index files are missing or damaged and made anew')
      if (isActive) return this.#recover(segment, nextBase)
      this.#scanned++
      // Damage in a segment that was closed long ago costs its batch, not all that came after: nothing is cut here.
      segment.rebuild(nextBase)
      segment.closeRebuilt()
      return { nextOffset: nextBase, cut: false }
    }
    if (!isActive) return { nextOffset: nextBase, cut: false }
    const result = segment.resume(this.#noteEpoch)
    if (result.validTo === segment.size) return { nextOffset: result.nextOffset, cut: false }
    return this.#recover(segment, nextBase)
  }

  /** Scans a segment, cuts it at the first bad byte and makes its indexes anew. */
  #recover(segment: Segment, nextBase: number): { nextOffset: number; cut: boolean } {
    this.#scanned++
    const isActive = nextBase === Number.MAX_SAFE_INTEGER
    const result = segment.rebuild(nextBase, this.#noteEpoch)
    // Whole batches may be missing at the end of a closed segment when its pages were never written: what follows in the
    // next one was not acknowledged then, and a hole must not stay.
    const hole = this.#place.contiguous && !isActive && result.nextOffset !== nextBase
    const cut = result.validTo < segment.size || hole
    if (cut) {
      this.#lostBatches += countBatchesAfter(segment, result.validTo)
      this.#truncatedBytes += segment.size - result.validTo
      segment.truncate(result.validTo)
    }
    if (!isActive && !cut) segment.closeRebuilt()
    // A cut that is not on disk lets old batches come back behind new ones after the next power failure.
    if (cut) segment.file.syncNow()
    // What only the page cache holds may be gone after the next power failure: readers get it once it is on disk.
    // An empty file has nothing to lose, and what lies below the recovery point was synced before that was written down.
    if (segment.size > 0 && result.nextOffset > this.#options.recoveryPoint) this.#keepRecovered(segment)
    return { nextOffset: result.nextOffset, cut }
  }

  #keepRecovered(segment: Segment): void {
    if (this.#options.config.flush !== 'commit') {
      this.#unsynced.push(segment)
      return
    }
    segment.file.syncNow()
    this.#syncedSegments++
  }

  /** Removes segments behind a cut: their batches would leave a hole in the offsets. */
  #dropFrom(bases: readonly number[]): void {
    const { disk } = this.#options
    for (const base of bases) {
      const segment = this.#segments.find((other) => other.baseOffset === base) ?? Segment.open(this.#place, base)
      this.#truncatedBytes += segment.size
      this.#lostBatches += countBatchesAfter(segment, 0)
      for (const path of segment.markDeleted()) disk.unlink(path)
    }
  }

  #loadProducers(snapshotLimit: number, end: number): ProducerState {
    const { disk, directory, nowMs, producerExpirationMs } = this.#options
    const producers = new ProducerState()
    // Batches below the start of the log count too as long as their segment is there: a client may repeat them.
    const snapshot = loadNewestSnapshot(disk, directory, snapshotLimit, producers)
    const from = this.#segments[0]!.baseOffset <= snapshot ? snapshot : this.#segments[0]!.baseOffset
    // Between an older snapshot and the first segment batches are missing: knowing nothing of a producer is right, knowing
    // an old sequence would refuse its next batch.
    if (snapshot < from) producers.clear()
    for (const segment of this.#segments) {
      const next = this.#segments[this.#segments.indexOf(segment) + 1]
      if (from >= end || (next && next.baseOffset <= from)) continue
      segment.scanFromOffset(from, (buffer, at, position) => {
        const header = peekBatchHeader(buffer, at)!
        if (header.producerId >= 0) {
          const coordinatorEpoch = coordinatorEpochOf(header, segment, position)
          producers.apply(header, header.baseOffset, header.lastOffset, nowMs, coordinatorEpoch)
        }
        return true
      })
    }
    this.#refillWindows(producers)
    producers.expire(nowMs - producerExpirationMs)
    return producers
  }

  /**
   * A snapshot has the newest batch of each producer only, but a client may repeat any of its last five after a restart.
   * Those that were in flight lie near the end of the log: the headers there bring them back.
   */
  #refillWindows(producers: ProducerState): void {
    if (producers.size === 0) return
    const recent = new ProducerState()
    let first = this.#segments.length - 1
    for (let bytes = this.#segments[first]!.size; first > 0 && bytes < REFILL_BYTES; first--) {
      bytes += this.#segments[first - 1]!.size
    }
    for (const segment of this.#segments.slice(first)) {
      segment.scanTail(REFILL_BYTES, (buffer, at) => {
        const header = peekBatchHeader(buffer, at)!
        if (header.producerId >= 0) recent.apply(header, header.baseOffset, header.lastOffset, this.#options.nowMs)
      })
    }
    producers.refill(recent)
  }

  /**
   * Whether the epoch checkpoint agrees with the batches: it is text without a CRC. A single batch that disagrees is
   * damaged itself (its epoch is outside the CRC too) and fails when it is read; two of them prove the file wrong.
   */
  #epochsAreTrue(logStartOffset: number, end: number): boolean {
    const { entries } = this.#epochs
    if (entries.length === 0 || entries[0]!.startOffset > logStartOffset) return false
    if (Math.min(...this.#lastEpochs) > this.#epochs.latest) return false
    return entries.every(({ epoch, startOffset }, index) => {
      const first = this.#epochOfBatchAt(startOffset)
      if (!first) return true
      if (index > 0 && first.baseOffset !== startOffset) return false
      if (index > 0 && this.#epochOfBatchAt(startOffset - 1)?.epoch === epoch) return false
      const second =
        first.nextOffset < (entries[index + 1]?.startOffset ?? end) && this.#epochOfBatchAt(first.nextOffset)
      return first.epoch === epoch || !second || second.epoch === epoch
    })
  }

  #epochOfBatchAt(offset: number): { epoch: number; baseOffset: number; nextOffset: number } | undefined {
    const segment = this.#segments.findLast((other) => other.baseOffset <= offset)
    const position = segment?.positionOf(offset) ?? -1
    const header = position < 0 ? undefined : segment!.readHeader(position)
    if (!header) return undefined
    const epoch = header.readInt32BE(BATCH_FIELD.partitionLeaderEpoch)
    return { epoch, baseOffset: batchBaseOffset(header, 0), nextOffset: batchLastOffset(header, 0) + 1 }
  }

  #rebuildEpochs(logStartOffset: number): void {
    const entries: EpochStart[] = []
    let candidate: EpochStart | undefined
    for (const segment of this.#segments) {
      segment.scanFromOffset(Math.max(segment.baseOffset, logStartOffset), (buffer, at) => {
        const epoch = buffer.readInt32BE(at + BATCH_FIELD.partitionLeaderEpoch)
        // Epochs never go back: one that the next batch does not confirm is damage.
        if (candidate && epoch >= candidate.epoch) entries.push(candidate)
        candidate = undefined
        const startOffset = Math.max(batchBaseOffset(buffer, at), logStartOffset)
        if (epoch > (entries.at(-1)?.epoch ?? -1)) candidate = { epoch, startOffset }
        return true
      })
    }
    if (candidate) entries.push(candidate)
    this.#options.logger.warn(
      { directory: this.#options.directory },
      'leader-epoch-checkpoint is damaged and made anew',
    )
    this.#epochs.replace(entries)
  }

  #report(report: RecoveryReport, end: number): void {
    const { logger, directory } = this.#options
    if (report.lostBatches > 0) {
      logger.error(
        { directory, ...report, logEndOffset: end },
        'the log was damaged and whole batches behind the damage were cut off',
      )
    } else if (report.truncatedBytes > 0) {
      logger.warn({ directory, ...report, logEndOffset: end }, 'a torn tail was cut off the log')
    }
  }
}

/** The coordinator epoch that a transaction marker carries, -1 for other batches. */
function coordinatorEpochOf(header: BatchHeader, segment: Segment, position: number): number {
  if (!header.isControl) return -1
  const bytes = segment.readAt(position, header.sizeInBytes, true)
  const record = bytes && decodeBatch(bytes).records[0]
  return (record && decodeControlRecord(record.key, record.value)?.coordinatorEpoch) ?? -1
}

/** Opens the files of a log as they are after a clean stop or a crash (broker.md, 2.5). */
export function loadLog(options: LoadOptions): LoadedLog {
  return new LogLoader(options).load()
}
