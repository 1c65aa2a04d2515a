import type { SinkRecord, SinkTask, SinkTaskContext, TopicPartition, TopicPartitionOffset } from '@millrace/sdk'
import { classifyRedisError, isConnectionLost, redisSettings } from '../_shared/redis/index.ts'
import { type Backoff, withRetries } from '../_shared/retry/index.ts'
import { type Batch, SinkBatcher, type Write } from '../_shared/sink-batcher/index.ts'
import { jobsOf, type QueueWrite, type ToWrite } from './jobs.ts'
import { Queues } from './queues.ts'
import type { BullmqSinkConfig } from './sink-config.ts'

const MAX_BACKOFF_MS = 5000
/** One batch is on its way, one is ready, and one is filled. */
const BATCHES_WAITING = 3
/** About what a job takes in Redis and in a request; data is counted by its text, which is made later. */
const JOB_BYTES = 512

/** Adds jobs in the order of the topic; one whose id exists is left alone, so repetitions change nothing. */
export class BullmqSinkTask implements SinkTask {
  readonly #config: BullmqSinkConfig
  readonly #context: SinkTaskContext
  readonly #queues: Queues
  readonly #toWrite: ToWrite
  readonly #backoff: Backoff
  readonly #batcher: SinkBatcher<QueueWrite>
  readonly #stop = new AbortController()

  constructor(config: BullmqSinkConfig, context: SinkTaskContext) {
    this.#config = config
    this.#context = context
    this.#toWrite = jobsOf(config)
    this.#queues = new Queues(redisSettings(config), config.prefix, (error) =>
      context.logger.debug({ reason: error.message }, 'a queue reported an error'),
    )
    this.#backoff = {
      maxRetries: config['max.retries'],
      backoffMs: config['retry.backoff.ms'],
      maxBackoffMs: MAX_BACKOFF_MS,
    }
    this.#batcher = new SinkBatcher<QueueWrite>({
      context,
      limits: {
        batchRecords: config['batch.size'],
        lingerMs: config['linger.ms'],
        // What waits long is moved about by the garbage collector, which costs more than waiting gains.
        bufferRecords: config['batch.size'] * BATCHES_WAITING,
        // One at a time: jobs then have the order of the topic.
        maxInFlight: 1,
        retry: this.#backoff,
      },
      convert: (record) => this.#convert(record),
      write: (batch, signal) => this.#write(batch, signal),
      classify: classifyRedisError,
    })
  }

  async start(): Promise<void> {
    if (this.#config['job.opts.removeOnComplete'] === 'true' && this.#config['job.id'] !== 'none') {
      this.#context.logger.warn(
        {},
        'with job.opts.removeOnComplete=true a record that is written again after its job was completed makes a second ' +
          'job; keep some completed jobs, for example job.opts.removeOnComplete=10000',
      )
    }
    await withRetries(() => this.#queues.open(), {
      backoff: this.#backoff,
      classify: classifyRedisError,
      signal: this.#stop.signal,
      onRetry: ({ error }, retry, waitMs) =>
        this.#context.logger.warn({ reason: error.message, retry, waitMs }, 'Redis is away, trying again'),
    })
  }

  put(records: readonly SinkRecord[]): Promise<void> {
    return this.#batcher.put(records)
  }

  preCommit(offsets: readonly TopicPartitionOffset[]): Promise<readonly TopicPartitionOffset[]> {
    return this.#batcher.preCommit(offsets)
  }

  close(partitions: readonly TopicPartition[]): Promise<void> {
    return this.#batcher.close(partitions)
  }

  async stop(): Promise<void> {
    this.#stop.abort()
    await this.#batcher.stop()
    this.#queues.close()
  }

  #convert(record: SinkRecord): Write<QueueWrite> | null {
    const data = this.#toWrite(record)
    if (data === null) return null
    return { target: this.#config['queue.name'].replaceAll('${topic}', record.topic), bytes: JOB_BYTES, data }
  }

  async #write({ target, items }: Batch<QueueWrite>, signal: AbortSignal): Promise<void> {
    const callBack = (): void => this.#queues.drop()
    signal.addEventListener('abort', callBack, { once: true })
    try {
      const queue = await this.#queues.queue(target)
      for (let at = 0; at < items.length; ) {
        const adding: Extract<QueueWrite, { kind: 'add' }>[] = []
        for (; at < items.length; at++) {
          const write = (items[at] as { data: QueueWrite }).data
          if (write.kind !== 'add') break
          adding.push(write)
        }
        if (adding.length > 0) await queue.addBulk(adding)
        for (; at < items.length; at++) {
          const write = (items[at] as { data: QueueWrite }).data
          if (write.kind !== 'remove') break
          await queue.remove(write.jobId)
        }
      }
    } catch (error) {
      if (isConnectionLost(error)) this.#queues.drop()
      throw error
    } finally {
      signal.removeEventListener('abort', callBack)
    }
  }
}
