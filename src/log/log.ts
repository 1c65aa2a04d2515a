import { dirname } from 'node:path'
import { type Clock, type Disk, type Logger, type Random, type Timer } from '../base/index.ts'
import {
  type BatchErrorCode,
  type BatchHeader,
  decodeBatch,
  decodeControlRecord,
  MAX_DECOMPRESSED_BYTES,
  setBatchOffset,
  setLogAppendTime,
  validateBatch,
} from '../record/index.ts'
import { checkTopicRules, inTopicCodec } from './append-rules.ts'
import type { CommitSyncer, Syncable } from './commit-syncer.ts'
import type { LogConfig } from './config.ts'
import { Durability } from './durability.ts'
import { LogError } from './errors.ts'
import type { EpochEnd, LeaderEpochs } from './leader-epochs.ts'
import { type LoadedLog, loadLog, type RecoveryReport } from './log-loader.ts'
import { type FoundRecord, findByTimestamp } from './lookup-time.ts'
import { readTopicId, syncTopicId, writeTopicId } from './partition-metadata.ts'
import { removeSnapshots, syncSnapshot, syncSnapshotNow, writeSnapshot } from './producer-snapshot.ts'
import type { ProducerEntry, ProducerErrorCode, ProducerState } from './producer-state.ts'
import { readBatches } from './read-batches.ts'
import { expiredSegments } from './retention.ts'
import { Segment, type SegmentPlace } from './segment.ts'
import { type CacheBudget, TailCache } from './tail-cache.ts'

/** Names of Kafka's error table that an append can be answered with. */
export type AppendErrorCode = BatchErrorCode | ProducerErrorCode | 'RECORD_LIST_TOO_LARGE' | 'KAFKA_STORAGE_ERROR'

export interface AppendOptions {
  readonly leaderEpoch: number
  /** `client` (default) is held to every rule; `coordinator` is the broker itself, which may write control batches. */
  readonly origin?: 'client' | 'coordinator'
  /** zstd needs Produce version 7; default true. */
  readonly allowZstd?: boolean
}

/** The answer to an append. With an error nothing was written. */
export type AppendResult = AppendAccepted | AppendRefused

export interface AppendAccepted {
  readonly error: undefined
  readonly baseOffset: number
  readonly lastOffset: number
  /** -1 unless the topic stamps records with the time of the append. */
  readonly logAppendTime: number
  /** A batch that was here already; the offsets are those of the first time. */
  readonly duplicate: boolean
}

export interface AppendRefused {
  readonly error: AppendErrorCode
  readonly message: string
  readonly recordIndex?: number
}

export interface ReadOptions {
  /** Return the first batch even when it is larger than maxBytes (KIP-74); default true. */
  readonly minOneBatch?: boolean
  /** Readers see what is below it; default `highWatermark`. */
  readonly upTo?: 'highWatermark' | 'lastStableOffset' | 'logEnd'
  /**
   * Where memory for what has to come from the disk is taken from: a buffer of at least that size, of which the records
   * are a view. Garbage of a megabyte for each read costs more than the read; whoever knows when the records are sent
   * can use the memory again. Records from the tail cache never lie in it.
   */
  readonly allocate?: (size: number) => Buffer
}

export interface ReadResult {
  readonly error: 'OFFSET_OUT_OF_RANGE' | 'CORRUPT_MESSAGE' | 'KAFKA_STORAGE_ERROR' | undefined
  /** Whole batches as stored, from the one that holds the offset; empty at the end. Never written to again by the log. */
  readonly records: Buffer
  readonly highWatermark: number
  readonly lastStableOffset: number
  readonly logStartOffset: number
}

export type DeleteRecordsResult =
  | { readonly error: undefined; readonly lowWatermark: number }
  | { readonly error: 'OFFSET_OUT_OF_RANGE' | 'POLICY_VIOLATION'; readonly message: string }

/** What a log needs from its surroundings. */
export interface LogContext {
  readonly disk: Disk
  readonly clock: Clock
  readonly random: Random
  readonly logger: Logger
  readonly syncer: CommitSyncer
  readonly cacheBudget: CacheBudget
  /** producer.id.expiration.ms */
  readonly producerExpirationMs: number
  /** Called after the start of a log moved, so that it is written down. */
  readonly onLogStartMoved?: () => void
  /** Makes the names of partition directories durable; many logs at once share one sync. */
  readonly syncParent?: () => Promise<void>
}

export interface LogOptions {
  readonly topic: string
  readonly partition: number
  /** The partition's own directory, which exists. */
  readonly directory: string
  readonly config: LogConfig
  /** Written to partition.metadata when the directory has none. */
  readonly topicId?: string
  readonly recoveryPoint?: number
  readonly logStartOffset?: number
  readonly cleanShutdown?: boolean
  /** Whether the log was ever compacted, by whomever; a topic with compaction now counts anyway. */
  readonly wasCompacted?: boolean
}

const NO_RECORDS = Buffer.alloc(0)

/** The log of one partition, in a directory of Kafka's format. Owned by one thread; all calls but the awaited ones finish at once. */
export class Log implements Syncable {
  readonly topic: string
  readonly partition: number
  readonly topicId: string | undefined
  /** What opening the directory had to repair. */
  readonly recovery: RecoveryReport
  #directory: string
  #config: LogConfig
  readonly #context: LogContext
  readonly #segments: Segment[]
  readonly #place: SegmentPlace
  readonly #producers: ProducerState
  readonly #epochs: LeaderEpochs
  readonly #cache: TailCache
  readonly #durability: Durability
  readonly #epochAt = (offset: number): number => this.#epochs.epochAt(offset)
  readonly #listeners = new Set<() => void>()
  /** Closed segments that are not synced yet, oldest first. */
  #unsynced: Segment[] = []
  #namesUnsynced: boolean
  #isNew = false
  /** Whether the files are anything but what the last clean stop left: if not, closing has nothing to write. */
  #isTouched: boolean
  #logStartOffset: number
  #logEndOffset: number
  #highWatermark: number
  #flushBarrier = 0
  #segmentJitterMs = 0
  #flushTimer: Timer | undefined
  #deletions = new Set<Timer>()
  #failure: LogError | undefined
  #closing = false
  #closed = false
  #syncDone: Promise<void> | undefined

  /** Opens or creates the log in its directory; recovers it unless it was closed cleanly. */
  static open(options: LogOptions, context: LogContext): Log {
    const { disk, clock, logger } = context
    const { directory, config } = options
    const loaded = loadLog({
      disk,
      directory,
      config,
      logger,
      nowMs: clock.now(),
      recoveryPoint: options.recoveryPoint ?? 0,
      logStartOffset: options.logStartOffset ?? 0,
      cleanShutdown: options.cleanShutdown ?? false,
      producerExpirationMs: context.producerExpirationMs,
      mayHaveGaps: options.wasCompacted === true || config.cleanupPolicy.includes('compact'),
    })
    return new Log(options, context, loaded)
  }

  private constructor(options: LogOptions, context: LogContext, loaded: LoadedLog) {
    this.topic = options.topic
    this.partition = options.partition
    this.recovery = loaded.report
    this.#directory = options.directory
    this.#config = options.config
    this.#context = context
    this.#segments = loaded.segments
    this.#place = loaded.place
    this.#producers = loaded.producers
    this.#epochs = loaded.epochs
    this.#logStartOffset = loaded.logStartOffset
    this.#logEndOffset = loaded.logEndOffset
    // One node: what survived is the log. Recovery has synced it where the flush policy promises that.
    this.#highWatermark = loaded.logEndOffset
    this.#durability = new Durability(loaded.durableOffset)
    this.#unsynced = loaded.unsynced
    this.#namesUnsynced = options.cleanShutdown !== true
    this.#isTouched = options.cleanShutdown !== true || loaded.report.scannedSegments > 0
    this.#cache = new TailCache(context.cacheBudget)
    this.#drawJitter()
    this.topicId = readTopicId(context.disk, options.directory) ?? options.topicId
    if (options.topicId !== undefined) this.#adoptTopicId(options.topicId)
  }

  #adoptTopicId(topicId: string): void {
    const { disk } = this.#context
    if (readTopicId(disk, this.#directory) !== undefined) return
    writeTopicId(disk, this.#directory, topicId)
    this.#isNew = true
    this.#namesUnsynced = true
    this.#isTouched = true
  }

  get config(): LogConfig {
    return this.#config
  }

  get directory(): string {
    return this.#directory
  }

  /** First offset that can be read. */
  get logStartOffset(): number {
    return this.#logStartOffset
  }

  /** The offset that the next record gets. */
  get logEndOffset(): number {
    return this.#logEndOffset
  }

  /** Readers see what is below: everything with flush `os`, what is on disk with flush `commit`. */
  get highWatermark(): number {
    return this.#highWatermark
  }

  /** Readers of committed records see what is below. The high watermark until there are transactions. */
  get lastStableOffset(): number {
    return this.#highWatermark
  }

  /** Everything below is on disk. */
  get recoveryPoint(): number {
    return this.#durability.durableOffset
  }

  get latestEpoch(): number {
    return this.#epochs.latest
  }

  get sizeInBytes(): number {
    return this.#segments.reduce((sum, segment) => sum + segment.size, 0)
  }

  get segmentCount(): number {
    return this.#segments.length
  }

  /** Set after a failed sync or a disk that cannot be repaired: appends are refused from then on. */
  get failure(): LogError | undefined {
    return this.#failure
  }

  get #active(): Segment {
    return this.#segments[this.#segments.length - 1]!
  }

  /** The idempotent producers that the log remembers (DescribeProducers). */
  activeProducers(): ProducerEntry[] {
    return [...this.#producers.entries()]
  }

  /** Calls `listener` when the high watermark or the log start offset moved, and at the end; returns how to stop that. */
  onAdvance(listener: () => void): () => void {
    this.#listeners.add(listener)
    return () => this.#listeners.delete(listener)
  }

  /**
   * Appends one batch as a client sent it and gives it its offset. The buffer is changed in place (offset, leader epoch)
   * and not kept. Under flush `commit` it is acknowledged when `whenCommitted` says so.
   */
  append(batch: Buffer, options: AppendOptions): AppendResult {
    if (this.#closing || this.#closed || this.#failure) {
      return { error: 'KAFKA_STORAGE_ERROR', message: this.#failure?.message ?? 'the log is closed' }
    }
    const fromClient = options.origin !== 'coordinator'
    const validation = validateBatch(batch, {
      maxBytes: this.#config.maxMessageBytes,
      allowControl: !fromClient,
      allowZstd: options.allowZstd ?? true,
    })
    if (validation.error) return validation
    const { header } = validation
    const nowMs = this.#context.clock.now()
    const refusal = checkTopicRules(batch, header, this.#config, nowMs, MAX_DECOMPRESSED_BYTES)
    if (refusal) return refusal
    if (header.producerId >= 0) {
      const check = this.#producers.check(header)
      if (check.kind === 'refuse') return { error: check.error, message: check.message }
      if (check.kind === 'duplicate') {
        const { lastOffset, offsetDelta, timestamp } = check.batch
        const logAppendTime = this.#config.timestampType === 'LogAppendTime' ? timestamp : -1
        return { error: undefined, baseOffset: lastOffset - offsetDelta, lastOffset, logAppendTime, duplicate: true }
      }
    }
    const stored = inTopicCodec(batch, header, this.#config, MAX_DECOMPRESSED_BYTES)
    if (!Buffer.isBuffer(stored)) return stored
    if (stored.length > this.#config.segmentBytes) {
      const message = `batch of ${stored.length} bytes; segment.bytes is ${this.#config.segmentBytes}`
      return { error: 'RECORD_LIST_TOO_LARGE', message }
    }
    return this.#write(stored, header, options.leaderEpoch, nowMs)
  }

  #write(batch: Buffer, header: BatchHeader, leaderEpoch: number, nowMs: number): AppendResult {
    const stamped = this.#config.timestampType === 'LogAppendTime'
    if (stamped) setLogAppendTime(batch, nowMs)
    const maxTimestamp = stamped ? nowMs : header.maxTimestamp
    const baseOffset = this.#logEndOffset
    const lastOffset = baseOffset + header.lastOffsetDelta
    setBatchOffset(batch, baseOffset, leaderEpoch)
    try {
      if (this.#mustRoll(batch.length, maxTimestamp, lastOffset, nowMs)) this.roll()
      if (leaderEpoch > this.#epochs.latest) this.#epochs.assign(leaderEpoch, baseOffset)
      this.#active.append(batch, lastOffset, maxTimestamp, nowMs)
    } catch (error) {
      return this.#refuseForStorage(error)
    }
    // Invariant 5: from here on the batch is in the file; offsets move only after the write has succeeded.
    this.#logEndOffset = lastOffset + 1
    this.#isTouched = true
    if (header.producerId >= 0) {
      this.#producers.apply(header, baseOffset, lastOffset, nowMs, coordinatorEpochOf(batch, header))
    }
    this.#cache.append(batch, baseOffset, lastOffset)
    this.#afterAppend()
    return { error: undefined, baseOffset, lastOffset, logAppendTime: stamped ? nowMs : -1, duplicate: false }
  }

  #refuseForStorage(error: unknown): AppendRefused {
    const { logger } = this.#context
    logger.error({ directory: this.#directory, error }, 'the disk refused an append')
    // The segment has cut off what was written in part. If even that failed, nothing may follow the torn bytes.
    if (!this.#isActiveWhole()) this.#fail('an append failed in the middle', error)
    return { error: 'KAFKA_STORAGE_ERROR', message: error instanceof Error ? error.message : String(error) }
  }

  #isActiveWhole(): boolean {
    try {
      return this.#active.file.size() === this.#active.size
    } catch {
      return false
    }
  }

  #afterAppend(): void {
    const { flush, flushMessages, flushMs } = this.#config
    if (flush === 'commit') {
      this.#context.syncer.request(this)
      return
    }
    if (this.#logEndOffset - this.recoveryPoint >= flushMessages) this.#requestFlush()
    else if (flushMs !== Number.POSITIVE_INFINITY && !this.#flushTimer) {
      this.#flushTimer = this.#context.clock.setTimer(flushMs, () => this.#context.syncer.request(this), {
        unref: true,
      })
    }
    this.#moveHighWatermark(this.#logEndOffset)
  }

  #requestFlush(): void {
    this.#flushBarrier = this.#logEndOffset
    this.#context.syncer.request(this)
  }

  #moveHighWatermark(offset: number): void {
    if (offset <= this.#highWatermark) return
    this.#highWatermark = offset
    this.#notify()
  }

  #notify(): void {
    for (const listener of this.#listeners) listener()
  }

  /**
   * Resolves when what lies below `offset` may be acknowledged to `acks=all`; undefined when it may be at once. Rejects
   * with LogError when the sync failed. All producers of one sync share one promise.
   */
  whenCommitted(offset: number): Promise<void> | undefined {
    if (this.#failure) return Promise.reject(this.#failure)
    if (this.#config.flush === 'os' && offset > this.#flushBarrier) return undefined
    return this.#whenDurable(offset)
  }

  /** Makes everything appended so far durable, whatever the flush policy. */
  async flush(): Promise<void> {
    await this.#whenDurable(this.#logEndOffset)
  }

  #whenDurable(offset: number): Promise<void> | undefined {
    const waiting = this.#durability.reaches(offset)
    if (waiting && !this.#durability.isUnderWay(offset)) this.#context.syncer.request(this)
    return waiting
  }

  /** One group commit, called by the syncer: old segments first, then the active one, then the names of new files. */
  syncOnce(): Promise<void> {
    this.#syncDone = this.#sync()
    return this.#syncDone
  }

  async #sync(): Promise<void> {
    if (this.#closed || this.#failure) return
    const target = this.#logEndOffset
    this.#durability.begin(target)
    this.#flushTimer?.cancel()
    this.#flushTimer = undefined
    try {
      await this.#syncFiles()
    } catch (error) {
      this.#fail('a sync failed', error)
      return
    }
    if (this.#closed) return
    // Invariant 5: only now is the data safe, so only now do acknowledgements and readers get it.
    this.#durability.succeed()
    this.#moveHighWatermark(Math.max(target, this.#highWatermark))
  }

  async #syncFiles(): Promise<void> {
    const { disk, syncParent } = this.#context
    const active = this.#active
    while (this.#unsynced.length > 0) {
      const segment = this.#unsynced[0]!
      await segment.syncAll()
      const after = this.#segments[this.#segments.indexOf(segment) + 1]
      if (after) await syncSnapshot(disk, this.#directory, after.baseOffset)
      this.#unsynced = this.#unsynced.filter((other) => other !== segment)
    }
    if (this.#logEndOffset > this.#durability.durableOffset) await active.sync()
    if (!this.#namesUnsynced) return
    this.#namesUnsynced = false
    await disk.syncDirectoryLater(this.#directory)
    if (!this.#isNew) return
    // The first sync of a new log makes its directory durable too, so that creating many partitions costs no syncs.
    this.#isNew = false
    await syncTopicId(disk, this.#directory)
    await (syncParent?.() ?? disk.syncDirectoryLater(dirname(this.#directory)))
  }

  #fail(what: string, cause: unknown): void {
    if (this.#failure || this.#closed) return
    this.#failure = this.#storageFailed(what, cause)
    this.#durability.fail(this.#failure)
    this.#notify()
  }

  #storageFailed(what: string, cause: unknown): LogError {
    const reason = cause instanceof Error ? cause.message : String(cause)
    const message = `log ${this.topic}-${this.partition}: ${what} (${reason}); restart to recover it from the disk`
    this.#context.logger.error({ directory: this.#directory, error: cause }, what)
    return new LogError('LOG_STORAGE_FAILED', message, { cause })
  }

  #mustRoll(batchSize: number, maxTimestamp: number, lastOffset: number, nowMs: number): boolean {
    const active = this.#active
    const { segmentBytes, segmentMs, segmentIndexBytes } = this.#config
    if (!active.canHold(lastOffset)) return true
    if (active.size === 0) return false
    if (active.size + batchSize > segmentBytes || active.isIndexFull(segmentIndexBytes)) return true
    const byRecords = active.firstTimestamp >= 0 && maxTimestamp >= 0
    const waited = byRecords ? maxTimestamp - active.firstTimestamp : nowMs - active.modifiedMs
    return waited > segmentMs - this.#segmentJitterMs
  }

  #drawJitter(): void {
    this.#segmentJitterMs = Math.floor(
      this.#context.random.next() * Math.min(this.#config.segmentJitterMs, this.#config.segmentMs),
    )
  }

  /** Closes the active segment and starts the next one. The closed one is synced in the background before anything after it counts as durable. */
  roll(): void {
    const { disk, clock, syncer } = this.#context
    const closed = this.#active
    const base = this.#logEndOffset
    if (closed.size === 0 && closed.baseOffset === base) return
    this.#isTouched = true
    closed.deactivate()
    writeSnapshot(disk, this.#directory, base, this.#producers, false)
    this.#segments.push(Segment.create(this.#place, base, clock.now()))
    this.#unsynced.push(closed)
    this.#namesUnsynced = true
    this.#drawJitter()
    syncer.request(this)
  }

  /** Reads whole batches from the one that holds `offset`. */
  read(offset: number, maxBytes: number, options: ReadOptions = {}): ReadResult {
    const limit = options.upTo === 'logEnd' ? this.#logEndOffset : this.#highWatermark
    if (offset < this.#logStartOffset || offset > this.#logEndOffset)
      return this.#readResult('OFFSET_OUT_OF_RANGE', NO_RECORDS)
    if (offset >= limit || this.#closed) return this.#readResult(undefined, NO_RECORDS)
    const minOneBatch = options.minOneBatch ?? true
    const cached = this.#cache.read(offset, maxBytes, limit, minOneBatch)
    if (cached) return this.#readResult(undefined, cached)
    try {
      const found = readBatches(this.#segments, {
        offset,
        maxBytes,
        limitOffset: limit,
        minOneBatch,
        contiguous: this.#place.contiguous,
        epochAt: this.#epochAt,
        allocate: options.allocate,
      })
      return this.#readResult(found.error, found.records)
    } catch (error) {
      this.#context.logger.error({ directory: this.#directory, offset, error }, 'the disk refused a read')
      return this.#readResult('KAFKA_STORAGE_ERROR', NO_RECORDS)
    }
  }

  #readResult(error: ReadResult['error'], records: Buffer): ReadResult {
    return {
      error,
      records,
      highWatermark: this.#highWatermark,
      lastStableOffset: this.lastStableOffset,
      logStartOffset: this.#logStartOffset,
    }
  }

  /** The first record at or after a time, below the high watermark (ListOffsets); undefined when there is none. */
  offsetForTimestamp(timestamp: number): FoundRecord | undefined {
    return findByTimestamp(this.#segments, timestamp, this.#logStartOffset, this.#highWatermark)
  }

  /** The first record with the largest timestamp (ListOffsets -3). */
  offsetOfMaxTimestamp(): FoundRecord | undefined {
    const limit = this.#highWatermark
    const ends = this.#segments.map((_, index) => this.#segments[index + 1]?.baseOffset ?? this.#logEndOffset)
    // What is not visible yet must not hide the largest timestamp that is.
    const largest = Math.max(
      ...this.#segments.map((segment, index) =>
        ends[index]! <= limit ? segment.maxTimestamp : segment.maxTimestampBelow(limit),
      ),
    )
    return largest < 0 ? undefined : this.offsetForTimestamp(largest)
  }

  /** Where a leader epoch ends (OffsetForLeaderEpoch). */
  endOffsetForEpoch(epoch: number): EpochEnd {
    return this.#epochs.endOffsetFor(epoch, this.#logEndOffset)
  }

  /** The leader epoch that wrote `offset`, -1 when unknown. */
  epochAt(offset: number): number {
    return this.#epochs.epochAt(offset)
  }

  /**
   * Moves the start of the log up to `offset` (-1: the high watermark) and deletes whole segments below (DeleteRecords).
   * The coordinator may do so in a compacted topic too, once it has written again what it still needs.
   */
  deleteRecords(offset: number, options: { origin?: 'client' | 'coordinator' } = {}): DeleteRecordsResult {
    const target = offset === -1 ? this.#highWatermark : offset
    if (options.origin !== 'coordinator' && !this.#config.cleanupPolicy.includes('delete')) {
      return { error: 'POLICY_VIOLATION', message: `cleanup.policy of ${this.topic} does not contain delete` }
    }
    if (target < 0 || target > this.#highWatermark) {
      return { error: 'OFFSET_OUT_OF_RANGE', message: `offset ${target} is not within 0 and ${this.#highWatermark}` }
    }
    if (target > this.#logStartOffset) {
      this.#moveStart(target)
      const gone = this.#segments.findLastIndex((segment) => segment.baseOffset <= target)
      this.#deleteSegments(Math.max(0, gone))
    }
    return { error: undefined, lowWatermark: this.#logStartOffset }
  }

  /** Deletes the segments that retention.ms and retention.bytes do not keep; returns how many. */
  applyRetention(): number {
    const { clock } = this.#context
    this.#producers.expire(clock.now() - this.#context.producerExpirationMs)
    if (!this.#config.cleanupPolicy.includes('delete') || this.#failure) return 0
    const count = expiredSegments(this.#segments, this.#config, clock.now(), this)
    if (count === 0) return 0
    if (count === this.#segments.length) this.roll()
    this.#deleteSegments(count)
    if (this.#segments[0]!.baseOffset > this.#logStartOffset) this.#moveStart(this.#segments[0]!.baseOffset)
    return count
  }

  #moveStart(offset: number): void {
    this.#logStartOffset = offset
    this.#epochs.truncateFromStart(offset)
    this.#context.onLogStartMoved?.()
    this.#notify()
  }

  #deleteSegments(count: number): void {
    const { disk, clock, logger } = this.#context
    const gone = this.#segments.splice(0, count)
    if (gone.length === 0) return
    this.#isTouched = true
    if (this.#unsynced.some((segment) => gone.includes(segment))) {
      // The snapshot is all that is left of the producers in what goes, and its sync was still to come.
      syncSnapshotNow(disk, this.#directory, this.#segments[0]!.baseOffset)
      this.#unsynced = this.#unsynced.filter((segment) => !gone.includes(segment))
    }
    const paths = gone.flatMap((segment) => segment.markDeleted())
    this.#removeOldSnapshots()
    const timer = clock.setTimer(
      this.#config.fileDeleteDelayMs,
      () => {
        this.#deletions.delete(timer)
        for (const path of paths) {
          disk.removeLater(path).catch((error: unknown) => {
            // The next start removes what is left.
            logger.warn({ path, error }, 'a deleted segment could not be removed')
          })
        }
      },
      { unref: true },
    )
    this.#deletions.add(timer)
  }

  #removeOldSnapshots(): void {
    const first = this.#segments[0]!.baseOffset
    removeSnapshots(this.#context.disk, this.#directory, (offset) => offset >= first)
  }

  /** Applies changed settings to what comes next. */
  updateConfig(config: LogConfig): void {
    this.#config = config
    this.#place.indexIntervalBytes = config.indexIntervalBytes
    this.#drawJitter()
    if (config.flush === 'os') this.#moveHighWatermark(this.#logEndOffset)
  }

  /** Writes the index files up to now, for tools that look at a running log. */
  flushIndexes(): void {
    if (!this.#closed) this.#active.flushIndexes()
  }

  /** Waits for the disk, writes snapshot and indexes and closes the files. Afterwards the log can be opened as cleanly stopped. */
  async close(): Promise<void> {
    await this.beginClose()
    await this.finishClose()
  }

  /**
   * The first half of closing: waits for the disk and writes snapshot and indexes, without a sync of them. Whoever closes
   * many logs lets all of them write before any of them syncs, since the journal of a file system takes all files that
   * were written so far to the disk together.
   */
  async beginClose(): Promise<void> {
    if (this.#closed) return
    this.#closing = true
    if (!this.#failure) await this.flush().catch(() => {})
    await this.#syncDone
    this.#release()
    if (this.#failure) throw this.#failure
    if (!this.#isTouched) return
    this.#active.deactivate()
    // Without a record there is nothing that a snapshot would save reading.
    if (!this.#isUnused) writeSnapshot(this.#context.disk, this.#directory, this.#logEndOffset, this.#producers, false)
  }

  /** The second half: makes durable what `beginClose` has written, and closes the files. */
  async finishClose(): Promise<void> {
    try {
      // A partition without a record is made again when a crash of the machine takes it.
      if (this.#isTouched && !this.#isUnused) await this.#syncForClose()
    } catch (error) {
      this.#failure ??= this.#storageFailed('a sync failed', error)
      throw this.#failure
    } finally {
      for (const segment of this.#segments) segment.close()
    }
  }

  get #isUnused(): boolean {
    return this.#logEndOffset === 0
  }

  async #syncForClose(): Promise<void> {
    const { disk } = this.#context
    this.#namesUnsynced = true
    await this.#active.syncIndexes()
    await syncSnapshot(disk, this.#directory, this.#logEndOffset)
    // A segment that was rolled last has no later data whose sync would have taken its index files along.
    await this.#syncFiles()
  }

  #release(): void {
    this.#closed = true
    this.#flushTimer?.cancel()
    for (const timer of this.#deletions) timer.cancel()
    this.#cache.clear()
    this.#notify()
  }

  /** Closes the files without a trace of a clean stop, for a log whose directory is about to be deleted. */
  async abandon(): Promise<void> {
    if (this.#closed) return
    this.#release()
    this.#durability.fail(new LogError('LOG_CLOSED', `log ${this.topic}-${this.partition} is deleted`))
    await this.#syncDone
    for (const segment of this.#segments) segment.close()
  }
}

function coordinatorEpochOf(batch: Buffer, header: BatchHeader): number {
  if (!header.isControl) return -1
  const record = decodeBatch(batch, 0, { checkCrc: false }).records[0]
  return (record && decodeControlRecord(record.key, record.value)?.coordinatorEpoch) ?? -1
}
