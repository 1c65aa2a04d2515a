import {
  type Clock,
  type Disk,
  type DiskLock,
  DiskLockedError,
  type Logger,
  type Random,
  type Timer,
} from '../base/index.ts'
import { readOffsetCheckpoint, writeOffsetCheckpoint } from './checkpoint-file.ts'
import { CommitSyncer } from './commit-syncer.ts'
import { DirectorySyncer } from './directory-syncer.ts'
import { DEFAULT_LOG_CONFIG, type LogConfig } from './config.ts'
import { LogError } from './errors.ts'
import { isValidTopicName, parsePartitionDirectory } from './file-names.ts'
import { Log, type LogContext } from './log.ts'
import { type MetaProperties, openMetaProperties } from './meta-properties.ts'
import { CacheBudget } from './tail-cache.ts'

const LOCK_FILE = '.lock'
const CLEAN_SHUTDOWN_FILE = '.kafka_cleanshutdown'
const RECOVERY_POINT_FILE = 'recovery-point-offset-checkpoint'
const LOG_START_FILE = 'log-start-offset-checkpoint'
const CLEANER_FILE = 'cleaner-offset-checkpoint'
const HIGH_WATERMARK_FILE = 'replication-offset-checkpoint'
const DELETE_SUFFIX = '-delete'
/** Logs that are synced at once when all of them are closed; each has a file open for it. */
const MAX_CLOSING = 32
/** Longest name of a directory on the usual file systems. */
const NAME_LENGTH_MAX = 255

export interface LogManagerOptions {
  /** The data directory (log.dirs); made when it is missing. */
  readonly directory: string
  readonly nodeId: number
  /** For a new directory; an existing one must match. Random when left out. */
  readonly clusterId?: string
  readonly disk: Disk
  readonly clock: Clock
  readonly random: Random
  readonly logger: Logger
  /** Settings of the logs of a topic, asked when they are loaded. */
  readonly configFor?: (topic: string) => LogConfig
  /** log.retention.check.interval.ms */
  readonly retentionCheckMs?: number
  /** log.flush.offset.checkpoint.interval.ms */
  readonly checkpointMs?: number
  /** producer.id.expiration.ms */
  readonly producerExpirationMs?: number
  /** Memory for the newest batches of all logs. */
  readonly tailCacheBytes?: number
  /** Syncs of different logs that may run at once; each holds a thread of Node's pool. */
  readonly maxConcurrentSyncs?: number
}

/** What is needed for a new partition. */
export interface CreateLogOptions {
  readonly topic: string
  readonly partition: number
  /** 22 characters of base64url. */
  readonly topicId: string
  readonly config?: LogConfig
}

function keyOf(topic: string, partition: number): string {
  return `${topic}-${partition}`
}

/** A data directory with the logs in it. One process at a time. */
export class LogManager {
  readonly meta: MetaProperties
  /** Whether the last owner stopped cleanly. */
  readonly wasCleanShutdown: boolean
  readonly #options: LogManagerOptions
  readonly #context: LogContext
  readonly #logs = new Map<string, Log>()
  readonly #lock: DiskLock
  readonly #timers = new Set<Timer>()
  readonly #removals = new Set<Promise<void>>()
  readonly #names: DirectorySyncer
  /** Names that the checkpoint files may still have offsets of, although their logs are gone. */
  readonly #staleNames = new Set<string>()
  #closed = false
  #savingLogStarts = false

  /** Takes the directory and loads all logs in it; throws LogError when another process has it. */
  static open(options: LogManagerOptions): LogManager {
    const { disk, directory } = options
    const lock = acquire(disk, directory)
    try {
      return new LogManager(options, lock)
    } catch (error) {
      lock.release()
      throw error
    }
  }

  private constructor(options: LogManagerOptions, lock: DiskLock) {
    this.#options = options
    this.#lock = lock
    const { disk, clock, random, logger, directory } = options
    this.meta = openMetaProperties(disk, directory, random, options)
    this.#names = new DirectorySyncer(disk, directory)
    this.#context = {
      disk,
      clock,
      random,
      logger,
      syncer: new CommitSyncer(options.maxConcurrentSyncs),
      cacheBudget: new CacheBudget(options.tailCacheBytes ?? 32 * 1024 * 1024),
      producerExpirationMs: options.producerExpirationMs ?? 24 * 3600 * 1000,
      onLogStartMoved: () => this.#saveLogStarts(),
      syncParent: () => this.syncNames(),
    }
    const cleanFile = `${directory}/${CLEAN_SHUTDOWN_FILE}`
    this.wasCleanShutdown = disk.exists(cleanFile)
    this.#load()
    // Removed only now: a crash while loading leaves the logs as cleanly stopped as they were.
    if (this.wasCleanShutdown) {
      disk.unlink(cleanFile)
      disk.syncDirectory(directory)
    }
    this.#every(options.retentionCheckMs ?? 300_000, () => this.applyRetention())
    this.#every(options.checkpointMs ?? 60_000, () => this.checkpoint())
  }

  #every(intervalMs: number, action: () => void): void {
    const timer = this.#options.clock.setTimer(
      intervalMs,
      () => {
        this.#timers.delete(timer)
        if (this.#closed) return
        try {
          action()
        } catch (error) {
          this.#options.logger.error(
            { directory: this.#options.directory, error },
            'periodic work on the data directory failed',
          )
        }
        this.#every(intervalMs, action)
      },
      { unref: true },
    )
    this.#timers.add(timer)
  }

  #load(): void {
    const { disk, directory, logger } = this.#options
    const recoveryPoints = this.#readCheckpoint(RECOVERY_POINT_FILE)
    const logStarts = this.#readCheckpoint(LOG_START_FILE)
    const compacted = this.#readCheckpoint(CLEANER_FILE)
    for (const name of disk.list(directory)) {
      const path = `${directory}/${name}`
      if (name.endsWith(DELETE_SUFFIX)) {
        this.#removeLater(path)
        continue
      }
      const partition = parsePartitionDirectory(name)
      if (!partition || !disk.isDirectory(path)) continue
      const log = Log.open(
        {
          ...partition,
          directory: path,
          config: this.#configFor(partition.topic),
          recoveryPoint: recoveryPoints.get(name) ?? 0,
          logStartOffset: logStarts.get(name) ?? 0,
          cleanShutdown: this.wasCleanShutdown,
          wasCompacted: compacted.has(name),
        },
        this.#context,
      )
      this.#logs.set(name, log)
    }
    for (const name of [...recoveryPoints.keys(), ...logStarts.keys()])
      if (!this.#logs.has(name)) this.#staleNames.add(name)
    // Damage may have cut a log below its recovery point; what is written next must not count as synced by it.
    if ([...this.#logs].some(([name, log]) => (recoveryPoints.get(name) ?? 0) > log.logEndOffset))
      this.#writeCheckpoints()
    logger.info({ directory, logs: this.#logs.size, cleanShutdown: this.wasCleanShutdown }, 'logs loaded')
  }

  #readCheckpoint(file: string): Map<string, number> {
    const { disk, directory } = this.#options
    // Without a checkpoint everything is scanned, which is slower and just as right.
    return readOffsetCheckpoint(disk, `${directory}/${file}`) ?? new Map<string, number>()
  }

  #configFor(topic: string): LogConfig {
    return this.#options.configFor?.(topic) ?? DEFAULT_LOG_CONFIG
  }

  get directory(): string {
    return this.#options.directory
  }

  logs(): IterableIterator<Log> {
    return this.#logs.values()
  }

  get(topic: string, partition: number): Log | undefined {
    return this.#logs.get(keyOf(topic, partition))
  }

  /** Makes the directory of a new partition and opens its log. */
  create(options: CreateLogOptions): Log {
    const { disk, directory } = this.#options
    const { topic, partition, topicId } = options
    const name = keyOf(topic, partition)
    const nameFits = name.length + DELETE_SUFFIX.length + 1 + topicId.length <= NAME_LENGTH_MAX
    if (!isValidTopicName(topic) || !Number.isInteger(partition) || partition < 0 || !nameFits) {
      throw new LogError('LOG_DIRECTORY_INVALID', `"${name}" cannot be the name of a partition`)
    }
    if (this.#logs.has(name)) throw new LogError('LOG_EXISTS', `the log ${name} exists`)
    // After a crash a new log must not be taken for as long, or as late in its offsets, as an older one of its name.
    if (this.#staleNames.has(name)) this.#writeCheckpoints()
    const path = `${directory}/${name}`
    disk.mkdir(path)
    const config = options.config ?? this.#configFor(topic)
    const log = Log.open({ topic, partition, directory: path, topicId, config, cleanShutdown: true }, this.#context)
    this.#logs.set(name, log)
    return log
  }

  /** Makes the names of new and of removed partitions durable; those who ask at the same time share a sync. */
  syncNames(): Promise<void> {
    return this.#names.sync()
  }

  /** Takes a log out of service at once and deletes its files after file.delete.delay.ms. */
  async delete(topic: string, partition: number): Promise<void> {
    const { disk, directory, clock } = this.#options
    const name = keyOf(topic, partition)
    const log = this.#logs.get(name)
    if (!log) return
    this.#logs.delete(name)
    this.#staleNames.add(name)
    // Closed for callers at once; what is on its way to the disk is waited for below.
    const abandoned = log.abandon()
    // The name gets free for a new topic at once, as in Kafka: `topic-0.<unique id>-delete`.
    const renamed = `${directory}/${name}.${this.#uniqueSuffix()}${DELETE_SUFFIX}`
    disk.rename(log.directory, renamed)
    await abandoned
    await this.syncNames()
    const timer = clock.setTimer(
      log.config.fileDeleteDelayMs,
      () => {
        this.#timers.delete(timer)
        if (!this.#closed) this.#removeLater(renamed)
      },
      { unref: true },
    )
    this.#timers.add(timer)
  }

  #removeLater(path: string): void {
    const { disk, logger } = this.#options
    const removal = disk.removeLater(path).catch((error: unknown) => {
      // The next start tries again.
      logger.warn({ path, error }, 'a deleted partition could not be removed')
    })
    this.#removals.add(removal)
    void removal.then(() => this.#removals.delete(removal))
  }

  #uniqueSuffix(): string {
    return this.#options.random.uuid().replaceAll('-', '').slice(0, 16)
  }

  /** New settings for all partitions of a topic. */
  updateConfig(topic: string, config: LogConfig): void {
    for (const log of this.#logs.values()) {
      if (log.topic === topic) log.updateConfig(config)
    }
  }

  /** Deletes what retention does not keep, in all logs; returns the number of segments. */
  applyRetention(): number {
    let deleted = 0
    for (const log of this.#logs.values()) deleted += log.applyRetention()
    return deleted
  }

  /** Writes down recovery points, log starts and high watermarks. */
  checkpoint(): void {
    for (const log of this.#logs.values()) log.flushIndexes()
    this.#writeCheckpoints()
  }

  /** After DeleteRecords a crash must not bring the records back; many deletions at once share one write. */
  #saveLogStarts(): void {
    if (this.#savingLogStarts) return
    this.#savingLogStarts = true
    queueMicrotask(() => {
      this.#savingLogStarts = false
      if (!this.#closed) this.#checkpointLogStarts()
    })
  }

  #checkpointLogStarts(): void {
    this.#writeCheckpoint(LOG_START_FILE, (log) => log.logStartOffset)
  }

  #writeCheckpoint(file: string, offsetOf: (log: Log) => number): void {
    const { disk, directory } = this.#options
    const entries = [...this.#logs.values()].map((log) => ({
      topic: log.topic,
      partition: log.partition,
      offset: offsetOf(log),
    }))
    writeOffsetCheckpoint(disk, `${directory}/${file}`, entries)
  }

  /**
   * Stops cleanly: everything on disk, snapshots and checkpoints written, then the mark that says so. Rejects when a log
   * could not be closed; the mark is missing then and the next start recovers.
   */
  async close(): Promise<void> {
    if (this.#closed) return
    this.#closed = true
    for (const timer of this.#timers) timer.cancel()
    const { disk, directory, logger } = this.#options
    try {
      const logs = [...this.#logs.values()]
      const begun = await Promise.allSettled(logs.map((log) => log.beginClose()))
      const finished = await settleSome(logs, MAX_CLOSING, (log) => log.finishClose())
      this.#writeCheckpoints()
      await Promise.all(this.#removals)
      const failed = [...begun, ...finished].find((result) => result.status === 'rejected')
      if (failed) throw failed.reason
      // Invariant 9: the mark comes last. Without it the next start scans, with it nothing is left to find.
      disk.replaceFile(`${directory}/${CLEAN_SHUTDOWN_FILE}`, '{"version":0,"brokerEpoch":-1}')
      logger.info({ directory }, 'logs closed')
    } finally {
      this.#lock.release()
    }
  }

  /** Lets go of the directory as it is, without a mark of a clean stop: for a process that must end at once. */
  async abandon(): Promise<void> {
    if (this.#closed) return
    this.#closed = true
    for (const timer of this.#timers) timer.cancel()
    await Promise.all([...this.#logs.values()].map((log) => log.abandon()))
    await Promise.all(this.#removals)
    this.#lock.release()
  }

  #writeCheckpoints(): void {
    this.#staleNames.clear()
    this.#writeCheckpoint(RECOVERY_POINT_FILE, (log) => log.recoveryPoint)
    this.#checkpointLogStarts()
    this.#writeCheckpoint(HIGH_WATERMARK_FILE, (log) => log.highWatermark)
  }
}

/** Runs `action` for all items, at most `limit` at a time, and answers how each went. */
async function settleSome<T>(
  items: readonly T[],
  limit: number,
  action: (item: T) => Promise<void>,
): Promise<PromiseSettledResult<void>[]> {
  const results: PromiseSettledResult<void>[] = []
  const queue = items.values()
  const work = async (): Promise<void> => {
    for (const item of queue) results.push(...(await Promise.allSettled([action(item)])))
  }
  await Promise.all(Array.from({ length: limit }, work))
  return results
}

function acquire(disk: Disk, directory: string): DiskLock {
  try {
    disk.mkdir(directory)
    return disk.lock(`${directory}/${LOCK_FILE}`)
  } catch (error) {
    if (!(error instanceof DiskLockedError)) {
      const reason = error instanceof Error ? error.message : String(error)
      throw new LogError(
        'LOG_DIRECTORY_UNUSABLE',
        `the data directory ${directory} cannot be made or written to (${reason}); set log.dirs to a folder that can`,
        { cause: error },
      )
    }
    throw new LogError(
      'LOG_DIRECTORY_LOCKED',
      `the data directory ${directory} is in use by process ${error.pid}; stop it or use another log.dirs`,
      { cause: error },
    )
  }
}
