import {
  isConnectError,
  type SinkRecord,
  type SinkTask,
  type SinkTaskContext,
  type TopicPartition,
  type TopicPartitionOffset,
} from '@millrace/sdk'
import { ObjectStore } from '../../_shared/s3/object-store.ts'
import { reportOrFail } from '../../_shared/sink-batcher/index.ts'
import { compressionOf, type FileLayout, Memory, Uploader, type UploadGroup } from '../../_shared/storage-sink/index.ts'
import { ObjectWriter } from '../object-writer.ts'
import type { AivenSinkConfig } from './config.ts'
import { type RecordFormat, recordFormat } from './record-format.ts'
import { Groups } from './groups.ts'
import { namingOf } from './naming.ts'
import { aivenStoreSettings } from './store-settings.ts'

/** Small files that are open at the same time cost memory that is not counted, and handles on the disk. */
const FILES_MAX = 4096
const SPILL_BYTES_MIN = 65_536
const UPLOADS = 8

const keyOf = ({ topic, partition }: TopicPartition): string => `${topic}\u0000${partition}`

/** Files that are on their way, with the offsets that may be committed once all are stored. */
interface Flush {
  readonly group: UploadGroup
  readonly next: ReadonlyMap<string, number>
}

/**
 * Groups records by the variables of their objects' names and writes one object a group at each commit of offsets. What a
 * restart repeats goes into objects of other names, unless those have the key alone: at least once.
 */
export class AivenSinkTask implements SinkTask {
  readonly #context: SinkTaskContext
  readonly #format: RecordFormat
  readonly #layout: FileLayout
  readonly #groups: Groups
  readonly #store: ObjectStore
  readonly #uploader: Uploader
  /** Per topic partition, the offset after the last record taken. */
  readonly #next = new Map<string, number>()
  readonly #stored = new Map<string, number>()
  #flush: Flush | null = null
  /** The last put ended in the middle: the same records come again, and some were taken. */
  #isResuming = false

  constructor(config: AivenSinkConfig, context: SinkTaskContext) {
    this.#context = context
    this.#format = recordFormat(config)
    const compression = config['file.compression.type']
    this.#layout = {
      format: this.#format.format,
      keys: null,
      headers: null,
      // The page compression of Parquet has been given to its writer.
      compression: compression === 'snappy' ? null : compressionOf(compression, -1),
      memory: new Memory(config['s3.buffer.bytes']),
    }
    this.#groups = new Groups(namingOf(config, Date.now), config['file.max.records'])
    this.#store = new ObjectStore(aivenStoreSettings(config))
    this.#uploader = new Uploader({
      target: new ObjectWriter({
        store: this.#store,
        onlyIfNew: false,
        tags: null,
        keyOf: (file) => file.folder,
        logger: context.logger,
      }),
      concurrency: UPLOADS,
      retryBackoffMs: config['kafka.retry.backoff.ms'],
      now: Date.now,
    })
  }

  async put(records: readonly SinkRecord[]): Promise<void> {
    const isAgain = this.#isResuming
    this.#isResuming = true
    this.#uploader.check()
    for (const record of records) {
      const at = keyOf({ topic: record.originalTopic, partition: record.originalPartition })
      if (isAgain && record.originalOffset < (this.#next.get(at) ?? 0)) continue
      const { memory } = this.#layout
      if (memory.used > memory.limit || this.#groups.size >= FILES_MAX) await this.#makeRoom()
      await this.#take(record)
      this.#next.set(at, record.originalOffset + 1)
    }
    this.#isResuming = false
  }

  /** Invariant 2: only what is stored may be committed. */
  async preCommit(offsets: readonly TopicPartitionOffset[]): Promise<readonly TopicPartitionOffset[]> {
    // What failed is told by the next put.
    await this.#settle()
    if (this.#flush === null) {
      this.#startFlush()
      await this.#settle()
    }
    const isAllStored = this.#flush === null && this.#groups.size === 0 && !this.#isResuming
    if (isAllStored) return offsets
    return offsets.flatMap(({ topic, partition, offset }) => {
      const stored = this.#stored.get(keyOf({ topic, partition }))
      return stored === undefined ? [] : [{ topic, partition, offset: Math.min(offset, stored) }]
    })
  }

  async close(partitions: readonly TopicPartition[]): Promise<void> {
    await this.#settle()
    for (const partition of partitions) {
      this.#next.delete(keyOf(partition))
      this.#stored.delete(keyOf(partition))
      for (const file of this.#groups.drop(partition)) await file.dispose()
    }
  }

  async stop(): Promise<void> {
    await this.#uploader.stop()
    for (const file of [...this.#groups.take(), ...(this.#flush?.group.files ?? [])]) await file.dispose()
    this.#store.close()
  }

  async #take(record: SinkRecord): Promise<void> {
    try {
      const { schema, value } = this.#format.project(record)
      const replaced = this.#groups.add(record, schema, value, this.#layout)
      await replaced?.dispose()
    } catch (error) {
      if (!isConnectError(error) || error.code !== 'DATA') throw error
      await reportOrFail(this.#context.errantRecordReporter, record, error)
    }
  }

  /** Hands all open files over to be stored. */
  #startFlush(): void {
    const files = this.#groups.take()
    if (files.length === 0) return
    const group: UploadGroup = { files, remaining: files.length, conflicts: [] }
    this.#flush = { group, next: new Map(this.#next) }
    this.#uploader.submit(group)
  }

  /** Waits until nothing is uploaded any more, and notes what is stored. */
  async #settle(): Promise<void> {
    await this.#uploader.settled()
    if (this.#flush === null || this.#flush.group.remaining > 0) return
    for (const [at, offset] of this.#flush.next) if (this.#next.has(at)) this.#stored.set(at, offset)
    this.#flush = null
  }

  /** Moves large files to the disk; where that is not enough all are written before it is time. */
  async #makeRoom(): Promise<void> {
    const { memory } = this.#layout
    for (const file of this.#groups.files) if (file.heldBytes >= SPILL_BYTES_MIN) await file.spill()
    if (memory.used <= memory.limit / 2 && this.#groups.size < FILES_MAX) return
    // One flush after the other: an older value of a key must not come after a newer one.
    await this.#drain()
    this.#startFlush()
    await this.#drain()
  }

  /** Waits until all that was handed over is stored; RetriableError where that takes longer. */
  async #drain(): Promise<void> {
    for (await this.#settle(); this.#flush !== null; await this.#settle()) this.#uploader.check()
  }
}
