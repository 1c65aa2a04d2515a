import {
  ConfigError,
  isConnectError,
  RetriableError,
  type SinkRecord,
  type SinkTaskContext,
  type TopicPartition,
} from '@millrace/sdk'
import {
  classifyRedisError,
  type RedisConnectionConfig,
  RedisLink,
  type RedisSettings,
  redisSinkLimits,
} from '../_shared/redis/index.ts'
import { type Batch, BatchedSinkTask, type Write, type WriteOutcome } from '../_shared/sink-batcher/index.ts'
import { type BatchWriter, ExactlyOnceWriter, PlainWriter, type RecordWrite } from './batch-writers.ts'
import { moduleProblem } from './modules.ts'
import { type Operation, operationsOf, type ToOperations } from './operations.ts'
import type { SinkConfig } from './sink-config.ts'
import { SinkOffsets } from './sink-offsets.ts'

/** About what a command takes beside its arguments. */
const OVERHEAD_BYTES = 64

/** What a task needs beside the connection. */
export type SinkTaskConfig = Omit<SinkConfig, keyof RedisConnectionConfig>

/** Writes records into Redis in the order of their topic partitions. */
export class RedisSinkTask extends BatchedSinkTask<RecordWrite> {
  readonly #config: SinkTaskConfig
  readonly #link: RedisLink
  readonly #offsets: SinkOffsets | undefined
  readonly #writer: BatchWriter
  readonly #toOperations: ToOperations

  constructor(config: SinkTaskConfig, context: SinkTaskContext, settings: RedisSettings) {
    super(context, { limits: redisSinkLimits(config), classify: classifyRedisError })
    this.#config = config
    this.#link = new RedisLink(settings)
    if (config['exactly.once']) {
      const keyspace = config['exactly.once.offsets.keyspace']
      this.#offsets = new SinkOffsets(this.#link, keyspace, context.connectorName)
      this.#writer = new ExactlyOnceWriter(this.#link, this.#offsets, context.errantRecordReporter)
    } else this.#writer = new PlainWriter(this.#link, settings.mode === 'cluster')
    this.#toOperations = operationsOf(config)
  }

  async start(): Promise<void> {
    const problem = await this.patiently('connecting to Redis', async () => {
      await this.#link.client()
      return await moduleProblem(this.#link, this.#config['redis.type'])
    })
    if (problem !== undefined) throw new ConfigError(`redis.type: ${problem}`, { key: 'redis.type' })
  }

  async open(partitions: readonly TopicPartition[]): Promise<void> {
    const offsets = this.#offsets
    if (offsets === undefined || partitions.length === 0) return
    const found = await this.patiently('claiming partitions in Redis', () => offsets.claim(partitions))
    // Invariant 2: what Redis says was written is the truth, whatever the group has committed.
    if (found.length > 0) this.context.offset(found)
  }

  override async close(partitions: readonly TopicPartition[]): Promise<void> {
    await super.close(partitions)
    this.#offsets?.release(partitions)
  }

  override async stop(): Promise<void> {
    await super.stop()
    this.#link.close()
  }

  protected convert(record: SinkRecord): Write<RecordWrite> | null {
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

  protected async write({ items }: Batch<RecordWrite>, signal: AbortSignal): Promise<WriteOutcome | void> {
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
}
