import type { SinkRecord, SinkTaskContext } from '@millrace/sdk'
import type { MongoClient } from 'mongodb'
import { realPauses } from '../_shared/retry/index.ts'
import {
  type Batch,
  BatchedSinkTask,
  placeOf,
  reportOrFail,
  type Write,
  type WriteOutcome,
} from '../_shared/sink-batcher/index.ts'
import { openClient } from './connection.ts'
import { failureOf } from './failures.ts'
import { BULK_RECORDS, type MongoSinkConfig } from './sink-config.ts'
import type { BulkItem, SinkWriter } from './sink-writer.ts'

const BACKOFF_MAX_MS = 60_000
const BULKS_A_BATCH = 4
const BUFFERED_BATCH_MIN = 1000

/** Writes records with bulk writes. */
export class MongoSinkTask extends BatchedSinkTask<BulkItem> {
  readonly #config: MongoSinkConfig
  #client: MongoClient | undefined
  #writer: SinkWriter | undefined
  #skipped = 0

  constructor(config: MongoSinkConfig, context: SinkTaskContext) {
    // Several bulk writes, each made while the one before it is on its way.
    const batchRecords = BULKS_A_BATCH * (config['max.batch.size'] || BULK_RECORDS)
    super(context, {
      limits: {
        batchRecords,
        // One batch is on its way and one is being made; more would only grow old in memory.
        bufferRecords: 2 * Math.max(batchRecords, BUFFERED_BATCH_MIN),
        // One at a time keeps the order of all writes, also of those whose documents only the server can tell.
        maxInFlight: 1,
        retry: {
          maxRetries: config['max.num.retries'],
          backoffMs: config['retries.defer.timeout'],
          maxBackoffMs: Math.max(BACKOFF_MAX_MS, config['retries.defer.timeout']),
        },
      },
      classify: failureOf,
    })
    this.#config = config
  }

  async start(): Promise<void> {
    this.#client = await this.patiently('connecting', () => openClient(this.#config))
    const { SinkWriter: Writer } = await import('./sink-writer.ts')
    this.#writer = new Writer(this.#client, this.#config, this.context.raw)
  }

  override async stop(): Promise<void> {
    await super.stop()
    if (this.#skipped > 0) this.context.logger.info({ skipped: this.#skipped }, 'records were left out as configured')
    await this.#client?.close()
  }

  protected convert(record: SinkRecord): Write<BulkItem> | null {
    return this.#writer!.convert(record)
  }

  protected write({ target, items }: Batch<BulkItem>, signal: AbortSignal): Promise<WriteOutcome | undefined> {
    return this.#writer!.write(target, items, (ms) => realPauses.pause(ms, signal))
  }

  /**
   * What follows from a record that cannot be written. Invariant 3: reported, left out by a setting, or the task
   * fails.
   */
  protected override async reject(record: SinkRecord, error: Error): Promise<void> {
    const { raw, errantRecordReporter, logger } = this.context
    // What is not the record's own fault never comes here, so `data` is as `all`.
    const own = this.#config['mongo.errors.tolerance'].toLowerCase()
    const tolerates = own === '' ? raw['errors.tolerance'] === 'all' : own !== 'none'
    if (tolerates && this.#config['mongo.errors.log.enable']) {
      logger.error({ err: error }, `the record ${placeOf(record)} cannot be written`)
    }
    try {
      await reportOrFail(own === '' || tolerates ? errantRecordReporter : null, record, error)
    } catch (reason) {
      // Also where errors.tolerance=none lets nobody report: mongo.errors.tolerance goes before it.
      if (!tolerates) throw reason
      this.#skipped++
    }
  }
}
