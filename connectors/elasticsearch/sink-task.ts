import {
  ConnectError,
  isConnectError,
  RetriableError,
  type Schema,
  type SinkRecord,
  type SinkTaskContext,
} from '@millrace/sdk'
import { BufferPool } from '../_shared/buffers/index.ts'
import {
  type Batch,
  BatchedSinkTask,
  placeOf,
  reportOrFail,
  type Write,
  type WriteOutcome,
} from '../_shared/sink-batcher/index.ts'
import { ANSWER_FILTER, type BulkAnswer, problemsOf } from './bulk.ts'
import { bodyOf, mostBytesOf, sizeOf } from './bulk-body.ts'
import { connect, type SearchServer } from './client.ts'
import type { ElasticsearchConfig } from './config.ts'
import { failureOf } from './failures.ts'
import type { Operation } from './operation.ts'
import { RecordConverter } from './record-converter.ts'
import { Resources } from './resources.ts'

const BACKOFF_MAX_MS = 60_000
const BUFFER_BYTES_MIN = 64 * 1024 * 1024

/** Writes records with bulk requests. */
export class ElasticsearchSinkTask extends BatchedSinkTask<Operation> {
  readonly #config: ElasticsearchConfig
  readonly #converter: RecordConverter
  readonly #memory: BufferPool
  #server: SearchServer | undefined
  #resources: Resources | undefined
  #isNewerTold = false
  #skipped = 0

  constructor(config: ElasticsearchConfig, context: SinkTaskContext) {
    const batchBytes = config['bulk.size.bytes']
    super(context, {
      limits: {
        batchRecords: config['batch.size'],
        batchBytes,
        lingerMs: config['linger.ms'],
        maxInFlight: config['max.in.flight.requests'],
        // Requests on their way, one that is ready and one that is filled: more would only grow old in memory.
        bufferRecords: Math.min(
          config['max.buffered.records'],
          config['batch.size'] * (config['max.in.flight.requests'] + 2),
        ),
        bufferBytes: Math.max(BUFFER_BYTES_MIN, 2 * batchBytes),
        retry: {
          maxRetries: config['max.retries'],
          backoffMs: config['retry.backoff.ms'],
          maxBackoffMs: Math.max(BACKOFF_MAX_MS, config['retry.backoff.ms']),
        },
      },
      putTimeoutMs: config['flush.timeout.ms'],
      classify: failureOf,
    })
    this.#config = config
    this.#converter = new RecordConverter(config)
    this.#memory = new BufferPool(config['max.in.flight.requests'])
  }

  async start(): Promise<void> {
    this.#server = await this.#retrying('connecting', () => connect(this.#config, this.stopping))
    this.#resources = new Resources(this.#server, this.#config)
    this.context.logger.info({ server: this.#server.kind }, 'the server is known')
  }

  override async put(records: readonly SinkRecord[]): Promise<void> {
    await super.put(records)
    if (!this.#config['flush.synchronously']) return
    const timeoutMs = this.#config['flush.timeout.ms']
    if (!(await this.batcher.flush(timeoutMs))) {
      await this.batcher.put([])
      throw new ConnectError(`the records were not delivered within flush.timeout.ms=${timeoutMs}`)
    }
  }

  override async stop(): Promise<void> {
    await super.stop()
    if (this.#skipped > 0) this.context.logger.info({ skipped: this.#skipped }, 'records were left out as configured')
    await this.#server?.close()
  }

  protected convert(record: SinkRecord): Write<Operation> | null | Promise<Write<Operation> | null> {
    const index = this.#converter.resourceOf(record)
    const operation = this.#converter.convert(record, index)
    if (operation === null) {
      this.#skipped++
      return null
    }
    // The same id in another index only waits for its turn without need.
    const key = operation.frame.isOrdered ? (operation.id ?? undefined) : undefined
    const write = { key, bytes: sizeOf(operation), data: operation }
    const schema = this.#converter.schemaOf(record)
    if (this.#resources!.isReady(index, schema)) return write
    return this.#prepare(index, schema).then(() => write)
  }

  #prepare(index: string, schema: Schema | null): Promise<void> {
    return this.#retrying(`making "${index}" ready`, () => this.#resources!.ensure(index, schema))
  }

  protected async write({ items }: Batch<Operation>, signal: AbortSignal): Promise<WriteOutcome> {
    const operations = items.map(({ data }) => data)
    const memory = this.#memory.take(mostBytesOf(operations))
    const { body } = await this.#server!.request({
      method: 'POST',
      path: '/_bulk',
      querystring: { filter_path: ANSWER_FILTER },
      lines: bodyOf(operations, memory),
      signal,
    })
    // The server has read all of it. After an error nobody knows what is still on its way.
    this.#memory.give(memory)
    const failures = problemsOf(body as BulkAnswer, operations, (index) => this.#tellOfNewer(items[index]!.record))
    for (const { index, failure } of failures) {
      if (failure.error.message.startsWith('index_not_found_exception')) await this.#remake(items[index]!)
    }
    return { failures }
  }

  /** The index was deleted while the task runs: it comes back with its mapping. */
  async #remake({ record, data: { frame } }: Batch<Operation>['items'][number]): Promise<void> {
    const schema = this.#converter.schemaOf(record)
    this.#resources!.forget(frame.index)
    await this.#prepare(frame.index, schema)
  }

  /** What follows from a record that cannot be written. Invariant 3: reported, left out by a setting, or the task fails. */
  protected override async reject(record: SinkRecord, error: Error): Promise<void> {
    const isOurs = isConnectError(error) && error.code === 'DATA'
    const behavior = this.#config['behavior.on.malformed.documents']
    const mayDrop = isOurs ? this.#config['drop.invalid.message'] : behavior !== 'fail'
    try {
      await reportOrFail(this.context.errantRecordReporter, record, error)
    } catch (reason) {
      if (!mayDrop) throw reason
      this.#skipped++
      const message = `the record ${placeOf(record)} is left out: ${error.message}`
      if (isOurs || behavior === 'warn') this.context.logger.warn({}, message)
      else this.context.logger.debug({}, message)
    }
  }

  /** That is usual after a restart; with a key in several partitions it means that updates are lost. */
  #tellOfNewer(record: SinkRecord): void {
    if (this.#isNewerTold) return
    this.#isNewerTold = true
    this.context.logger.warn(
      {},
      `the document of the record ${placeOf(record)} has this version or a newer one, so it stays as it is. That is usual ` +
        'for records that are delivered again. If the same key is in several partitions, set external.version.header or ' +
        'external.version.from=timestamp. Told once.',
    )
  }

  /** Requests that are no bulk have the same patience. */
  async #retrying<T>(what: string, operation: () => Promise<T>): Promise<T> {
    try {
      return await this.patiently(what, operation)
    } catch (error) {
      if (isConnectError(error) && !(error instanceof RetriableError)) throw error
      throw new ConnectError(`${what} failed: ${(error as Error).message}`, { cause: error })
    }
  }
}
