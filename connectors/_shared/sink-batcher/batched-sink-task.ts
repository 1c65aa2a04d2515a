import type { SinkRecord, SinkTask, SinkTaskContext, TopicPartition, TopicPartitionOffset } from '@millrace/sdk'
import { type Backoff, type Failure, withRetries } from '../retry/index.ts'
import type { Batch, Write, WriteOutcome } from './batch.ts'
import type { BatchLimits } from './limits.ts'
import { reportOrFail } from './report.ts'
import { SinkBatcher } from './sink-batcher.ts'

export interface BatchedSinkTaskOptions {
  readonly limits: Partial<BatchLimits> & { readonly retry: Backoff }
  /** What an error of the target means. */
  readonly classify: (error: unknown) => Failure
  readonly putTimeoutMs?: number
}

/** A sink task behind a batcher: what the runtime calls is the batcher's, and the rest has the patience of its writes. */
export abstract class BatchedSinkTask<T> implements SinkTask {
  protected readonly context: SinkTaskContext
  protected readonly batcher: SinkBatcher<T>
  readonly #options: BatchedSinkTaskOptions
  readonly #stop = new AbortController()

  constructor(context: SinkTaskContext, options: BatchedSinkTaskOptions) {
    this.context = context
    this.#options = options
    this.batcher = new SinkBatcher<T>({
      ...options,
      context,
      convert: (record) => this.convert(record),
      write: (batch, signal) => this.write(batch, signal),
      reject: (record, error) => this.reject(record, error),
    })
  }

  protected abstract convert(record: SinkRecord): Write<T> | null | Promise<Write<T> | null>

  protected abstract write(batch: Batch<T>, signal: AbortSignal): Promise<WriteOutcome | void>

  /** Takes a record that cannot be written; a rejection fails the task. */
  protected reject(record: SinkRecord, error: Error): Promise<void> {
    return reportOrFail(this.context.errantRecordReporter, record, error)
  }

  put(records: readonly SinkRecord[]): Promise<void> {
    return this.batcher.put(records)
  }

  preCommit(offsets: readonly TopicPartitionOffset[]): Promise<readonly TopicPartitionOffset[]> {
    return this.batcher.preCommit(offsets)
  }

  close(partitions: readonly TopicPartition[]): Promise<void> {
    return this.batcher.close(partitions)
  }

  stop(): Promise<void> {
    this.#stop.abort()
    return this.batcher.stop()
  }

  /** Aborts when the task stops. */
  protected get stopping(): AbortSignal {
    return this.#stop.signal
  }

  /** What the target is asked beside batches: tried again as they are, until the task stops. */
  protected patiently<R>(what: string, operation: () => Promise<R>): Promise<R> {
    const { limits, classify } = this.#options
    return withRetries(operation, {
      backoff: limits.retry,
      classify,
      signal: this.#stop.signal,
      onRetry: ({ error }, retry, waitMs) =>
        this.context.logger.warn({ err: error, retry, waitMs }, `${what} failed and is tried again`),
    })
  }
}
