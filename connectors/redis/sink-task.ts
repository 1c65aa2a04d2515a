import {
  ConfigError,
  isConnectError,
  RetriableError,
  type SinkRecord,
  type SinkTask,
  type SinkTaskContext,
  type TopicPartition,
  type TopicPartitionOffset,
} from '@millrace/sdk'
import {
  classifyRedisError,
  type RedisConnectionConfig,
  RedisLink,
  type RedisSettings,
} from '../_shared/redis/index.ts'
import { type Backoff, withRetries } from '../_shared/retry/index.ts'
import { type Batch, SinkBatcher, type Write, type WriteOutcome } from '../_shared/sink-batcher/index.ts'
import { type BatchWriter, ExactlyOnceWriter, PlainWriter, type RecordWrite } from './batch-writers.ts'
import { moduleProblem } from './modules.ts'
import { type Operation, operationsOf, type ToOperations } from './operations.ts'
import type { SinkConfig } from './sink-config.ts'
import { SinkOffsets } from './sink-offsets.ts'

const MAX_BACKOFF_MS = 5000
/** One batch is on its way, one is ready, and one is filled. */
const BATCHES_WAITING = 3
/** About what a command takes beside its arguments. */
const OVERHEAD_BYTES = 64

/** What a task needs beside the connection. */
export type SinkTaskConfig = Omit<SinkConfig, keyof RedisConnectionConfig>

/** Writes records into Redis in the order of their topic partitions. */
export class RedisSinkTask implements SinkTask {
  readonly #config: SinkTaskConfig
  readonly #context: SinkTaskContext
  readonly #link: RedisLink
  readonly #backoff: Backoff
  readonly #offsets: SinkOffsets | undefined
  readonly #writer: BatchWriter
  readonly #toOperations: ToOperations
  readonly #batcher: SinkBatcher<RecordWrite>
  readonly #stop = new AbortController()

  constructor(config: SinkTaskConfig, context: SinkTaskContext, settings: RedisSettings) {
    this.#config = config
    this.#context = context
    this.#link = new RedisLink(settings)
    this.#backoff = {
      maxRetries: config['max.retries'],
      backoffMs: config['retry.backoff.ms'],
      maxBackoffMs: MAX_BACKOFF_MS,
    }
    if (config['exactly.once']) {
      const keyspace = config['exactly.once.offsets.keyspace']
      this.#offsets = new SinkOffsets(this.#link, keyspace, context.connectorName)
      this.#writer = new ExactlyOnceWriter(this.#link, this.#offsets, context.errantRecordReporter)
    } else this.#writer = new PlainWriter(this.#link, settings.mode === 'cluster')
    this.#toOperations = operationsOf(config)
    this.#batcher = new SinkBatcher<RecordWrite>({
      context,
      limits: {
        batchRecords: config['batch.size'],
        lingerMs: config['linger.ms'],
        // What waits long is moved about by the garbage collector, which costs more than waiting gains.
        bufferRecords: config['batch.size'] * BATCHES_WAITING,
        // One at a time: everything then has the order of the topic, whatever its key in Redis.
        maxInFlight: 1,
        retry: this.#backoff,
      },
      convert: (record) => this.#convert(record),
      write: (batch, signal) => this.#write(batch, signal),
      classify: classifyRedisError,
    })
  }

  async start(): Promise<void> {
    const problem = await this.#patiently(async () => {
      await this.#link.client()
      return await moduleProblem(this.#link, this.#config['redis.type'])
    })
    if (problem !== undefined) throw new ConfigError(`redis.type: ${problem}`, { key: 'redis.type' })
  }

  async open(partitions: readonly TopicPartition[]): Promise<void> {
    const offsets = this.#offsets
    if (offsets === undefined || partitions.length === 0) return
    const found = await this.#patiently(() => offsets.claim(partitions))
    // Invariant 2: what Redis says was written is the truth, whatever the group has committed.
    if (found.length > 0) this.#context.offset(found)
  }

  put(records: readonly SinkRecord[]): Promise<void> {
    return this.#batcher.put(records)
  }

  preCommit(offsets: readonly TopicPartitionOffset[]): Promise<readonly TopicPartitionOffset[]> {
    return this.#batcher.preCommit(offsets)
  }

  async close(partitions: readonly TopicPartition[]): Promise<void> {
    await this.#batcher.close(partitions)
    this.#offsets?.release(partitions)
  }

  async stop(): Promise<void> {
    this.#stop.abort()
    await this.#batcher.stop()
    this.#link.close()
  }

  #convert(record: SinkRecord): Write<RecordWrite> | null {
    let operations: readonly Operation[]
    try {
      operations = this.#toOperations(record)
    } catch (error) {
      // With offsets in Redis it has to be reported in its turn, or they would pass it before.
      if (this.#offsets === undefined || !isConnectError(error) || error.code !== 'DATA') throw error
      return { bytes: OVERHEAD_BYTES, data: { operations: [], refused: error } }
    }
    if (operations.length === 0) return null
    let bytes = 0
    for (const operation of operations) {
      bytes += OVERHEAD_BYTES
      for (const argument of operation) bytes += argument.length
    }
    return { bytes, data: { operations } }
  }

  async #write({ items }: Batch<RecordWrite>, signal: AbortSignal): Promise<WriteOutcome | void> {
    const callBack = (): void => this.#link.drop()
    signal.addEventListener('abort', callBack, { once: true })
    try {
      const outcome = await this.#writer.write(items)
      await this.#waitForReplicas()
      return outcome
    } finally {
      signal.removeEventListener('abort', callBack)
    }
  }

  async #waitForReplicas(): Promise<void> {
    const { 'redis.wait.replicas': wanted, 'redis.wait.timeout': timeoutMs } = this.#config
    if (wanted === 0) return
    const have = (await this.#link.call('WAIT', wanted, timeoutMs)) as number
    if (have < wanted) {
      throw new RetriableError(`only ${have} of ${wanted} replicas have the records after ${timeoutMs} ms`)
    }
  }

  #patiently<T>(operation: () => Promise<T>): Promise<T> {
    return withRetries(operation, {
      backoff: this.#backoff,
      classify: classifyRedisError,
      signal: this.#stop.signal,
      onRetry: ({ error }, retry, waitMs) =>
        this.#context.logger.warn({ reason: error.message, retry, waitMs }, 'Redis is away, trying again'),
    })
  }
}
