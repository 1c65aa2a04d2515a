import {
  ConnectError,
  DataError,
  isConnectError,
  type SinkRecord,
  type SinkTask,
  type SinkTaskContext,
  type TopicPartition,
  type TopicPartitionOffset,
} from '@millrace/sdk'
import { isTimeBased, type StorageConfig } from './config.ts'
import { configuredPartitioner } from './configured-partitioner.ts'
import type { FileLayout } from './open-file.ts'
import { PartitionWriter, type WriterSettings } from './partition-writer.ts'
import { hasValue } from './record-field.ts'
import { safeFolders } from './safe-folders.ts'
import { type FileTarget, Uploader } from './uploader.ts'
import { zoneOffset } from './zone.ts'

const keyOf = ({ topic, partition }: TopicPartition): string => `${topic}\u0000${partition}`

/** What of a task is the matter of the place where its files go. */
export interface StorageOptions {
  readonly layout: FileLayout
  readonly target: FileTarget
  /** Whether folders are more than beginnings of names: no record may lead out of them then. */
  readonly hasFolders: boolean
  /** How many files are stored at once. */
  readonly concurrency: number
  readonly retryBackoffMs: number
  /**
   * Where files that are there already stay: the task then waits for each, and reads on behind what it holds, of at most so
   * many files in a row. Null where they are replaced.
   */
  readonly keepsStored: { readonly conflictsMax: number } | null
  readonly nullValues: 'fail' | 'ignore' | 'write'
  /** Whether records without a value that are left out go to the dead letter queue. */
  readonly reportsNullValues: boolean
  /** The folder of records without a value where those are written. */
  readonly tombstoneFolder: string
  readonly maxWriteMs: number
  close(): void | Promise<void>
}

/** Writes records into files. Offsets are committed only over records that are stored. */
export class StorageSinkTask implements SinkTask {
  readonly #o: StorageOptions
  readonly #context: SinkTaskContext
  readonly #writers = new Map<string, PartitionWriter>()
  readonly #settings: WriterSettings
  readonly #rotateIntervalMs: number
  readonly #uploader: Uploader
  /** Of the last record: batches come partition by partition. */
  #lastWriter: PartitionWriter | undefined
  /** The last put ended in the middle: the same records come again, and some were taken. */
  #resuming = false

  constructor(config: StorageConfig, options: StorageOptions, context: SinkTaskContext) {
    this.#o = options
    this.#context = context
    this.#rotateIntervalMs = config['rotate.interval.ms']
    const now = Date.now
    const { target, concurrency, retryBackoffMs } = options
    this.#uploader = new Uploader({ target, concurrency, retryBackoffMs, now })
    this.#settings = {
      partitioner: options.hasFolders ? safeFolders(configuredPartitioner(config)) : configuredPartitioner(config),
      layout: options.layout,
      compatibility: config['schema.compatibility'],
      flushSize: config['flush.size'],
      rotateIntervalMs: config['rotate.interval.ms'],
      scheduleIntervalMs: config['rotate.schedule.interval.ms'],
      zone: zoneOffset(config.timezone === '' ? 'UTC' : config.timezone),
      rotateOnPartitionChange: config['rotate.file.on.partition.change'] && isTimeBased(config['partitioner.class']),
      maxOpenFiles: config['partitioner.max.open.files'],
      tombstoneFolder: options.tombstoneFolder,
      conflictsMax: options.keepsStored?.conflictsMax ?? 0,
      now,
      submit: (group) => this.#uploader.submit(group),
    }
  }

  open(partitions: readonly TopicPartition[]): void {
    this.#lastWriter = undefined
    for (const partition of partitions)
      this.#writers.set(keyOf(partition), new PartitionWriter(partition, this.#settings))
  }

  async put(records: readonly SinkRecord[]): Promise<void> {
    const startedMs = Date.now()
    const isAgain = this.#resuming
    this.#resuming = true
    this.#uploader.check()
    const rewound = new Set<PartitionWriter>()
    // A put that ended while it waited for uploads goes on with waiting.
    for (const writer of isAgain && this.#o.keepsStored !== null ? this.#writers.values() : []) {
      if (await this.#await(writer)) rewound.add(writer)
    }
    for (const record of records) {
      const writer = this.#writerOf(record)
      if (rewound.has(writer)) continue
      if (writer.nextOffset !== null && record.originalOffset < writer.nextOffset) {
        if (isAgain) continue
        const { topic, partition } = writer.topicPartition
        this.#context.logger.warn({ topic, partition }, 'offsets went back; open files end here')
        writer.startOver()
      }
      const handling = this.#write(writer, record)
      if (handling) await handling
      if (this.#settings.layout.memory.used > this.#settings.layout.memory.limit) await this.#makeRoom()
      if (this.#o.keepsStored !== null && writer.isWaiting && (await this.#await(writer))) rewound.add(writer)
    }
    await this.#tick()
    if (Date.now() - startedMs > this.#o.maxWriteMs) {
      throw new ConnectError(
        'a batch took longer than max.write.duration.ms; its partitions may belong to another task',
      )
    }
    this.#resuming = false
  }

  /** Invariant 2: only what is stored may be committed. */
  async preCommit(offsets: readonly TopicPartitionOffset[]): Promise<readonly TopicPartitionOffset[]> {
    // What failed is told by the next put.
    await this.#uploader.settled()
    const answer: TopicPartitionOffset[] = []
    for (const { topic, partition, offset } of offsets) {
      const writer = this.#writers.get(keyOf({ topic, partition }))
      if (writer === undefined) continue
      const stored = writer.isEmpty && !this.#resuming ? offset : writer.committable()
      if (stored !== null) answer.push({ topic, partition, offset: Math.min(offset, stored) })
    }
    return answer
  }

  async close(partitions: readonly TopicPartition[]): Promise<void> {
    this.#lastWriter = undefined
    await this.#uploader.settled()
    for (const partition of partitions) {
      await this.#writers.get(keyOf(partition))?.dispose()
      this.#writers.delete(keyOf(partition))
    }
  }

  async stop(): Promise<void> {
    await this.#uploader.stop()
    for (const writer of this.#writers.values()) await writer.dispose()
    this.#writers.clear()
    await this.#o.close()
  }

  #writerOf(record: SinkRecord): PartitionWriter {
    const last = this.#lastWriter
    const { originalTopic, originalPartition } = record
    const isLast = last?.topicPartition.partition === originalPartition && last.topicPartition.topic === originalTopic
    if (isLast) return last
    const partition = { topic: originalTopic, partition: originalPartition }
    let writer = this.#writers.get(keyOf(partition))
    if (writer === undefined) {
      writer = new PartitionWriter(partition, this.#settings)
      this.#writers.set(keyOf(partition), writer)
    }
    this.#lastWriter = writer
    return writer
  }

  /** Gives a promise only for records that are not written. */
  #write(writer: PartitionWriter, record: SinkRecord): Promise<void> | undefined {
    if (this.#o.nullValues !== 'write' && !hasValue(record)) return this.#leaveOut(writer, record)
    try {
      writer.write(record)
      return undefined
    } catch (error) {
      if (!isConnectError(error) || error.code !== 'DATA') throw error
      return this.#refuse(writer, record, error)
    }
  }

  async #refuse(writer: PartitionWriter, record: SinkRecord, error: Error): Promise<void> {
    const reporter = this.#context.errantRecordReporter
    if (reporter === null) throw error
    await reporter.report(record, error)
    writer.skip(record)
  }

  async #leaveOut(writer: PartitionWriter, record: SinkRecord): Promise<void> {
    const { topic, offset, partition } = record
    const place = `${topic}-${partition} at offset ${offset}`
    if (this.#o.nullValues === 'fail') {
      throw new ConnectError(`the record of ${place} has a null value; set behavior.on.null.values to ignore or write`)
    }
    if (this.#o.reportsNullValues) {
      await this.#context.errantRecordReporter?.report(record, new DataError(`the record of ${place} has a null value`))
    }
    writer.skip(record)
  }

  /** Moves the largest open files to the disk, and waits for uploads where that is not enough. */
  async #makeRoom(): Promise<void> {
    const { memory } = this.#settings.layout
    const files = [...this.#writers.values()].flatMap((writer) => [...writer.files])
    const largest = files.map((file) => ({ file, held: file.heldBytes })).toSorted((a, b) => b.held - a.held)
    for (const { file, held } of largest) {
      if (memory.used <= memory.limit / 2 || held === 0) break
      await file.spill()
    }
    while (memory.used > memory.limit && !this.#uploader.isIdle) {
      await this.#uploader.progress()
      this.#uploader.check()
    }
  }

  /** Waits until all files of a partition are stored; true when it has to be read again from an earlier offset. */
  async #await(writer: PartitionWriter): Promise<boolean> {
    while (writer.isWaiting) {
      const offset = this.#uploader.isIdle ? await writer.resolveConflict() : null
      if (offset !== null) {
        this.#context.offset([{ ...writer.topicPartition, offset }])
        return true
      }
      await this.#uploader.progress()
      this.#uploader.check()
    }
    return false
  }

  async #tick(): Promise<void> {
    let nextMs = Number.POSITIVE_INFINITY
    for (const writer of this.#writers.values()) {
      writer.tick()
      if (this.#o.keepsStored !== null && writer.isWaiting) await this.#await(writer)
      nextMs = Math.min(nextMs, writer.nextRotationMs)
    }
    const intervalMs = this.#rotateIntervalMs
    const waitMs = Math.min(nextMs - Date.now(), intervalMs > 0 ? intervalMs : Number.POSITIVE_INFINITY)
    if (Number.isFinite(waitMs)) this.#context.timeout(Math.max(1, waitMs))
  }
}
