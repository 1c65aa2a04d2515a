import type { SinkRecord, SinkTaskContext } from '@millrace/sdk'
import { classifyRedisError, isConnectionLost, redisSettings, redisSinkLimits } from '../_shared/redis/index.ts'
import { type Batch, BatchedSinkTask, type Write } from '../_shared/sink-batcher/index.ts'
import { jobsOf, type QueueWrite, type ToWrite } from './jobs.ts'
import { Queues } from './queues.ts'
import type { BullmqSinkConfig } from './sink-config.ts'

/** About what a job takes in Redis and in a request; data is counted by its text, which is made later. */
const JOB_BYTES = 512

/** Adds jobs in the order of the topic; one whose id exists is left alone, so repetitions change nothing. */
export class BullmqSinkTask extends BatchedSinkTask<QueueWrite> {
  readonly #config: BullmqSinkConfig
  readonly #queues: Queues
  readonly #toWrite: ToWrite

  constructor(config: BullmqSinkConfig, context: SinkTaskContext) {
    super(context, { limits: redisSinkLimits(config), classify: classifyRedisError })
    this.#config = config
    this.#toWrite = jobsOf(config)
    this.#queues = new Queues(redisSettings(config), config.prefix, (error) =>
      context.logger.debug({ reason: error.message }, 'a queue reported an error'),
    )
  }

  async start(): Promise<void> {
    if (this.#config['job.opts.removeOnComplete'] === 'true' && this.#config['job.id'] !== 'none') {
      this.context.logger.warn(
        {},
        'with job.opts.removeOnComplete=true a record that is written again after its job was completed makes a second ' +
          'job; keep some completed jobs, for example job.opts.removeOnComplete=10000',
      )
    }
    await this.patiently('connecting to Redis', () => this.#queues.open())
  }

  override async stop(): Promise<void> {
    await super.stop()
    this.#queues.close()
  }

  protected convert(record: SinkRecord): Write<QueueWrite> | null {
    const data = this.#toWrite(record)
    if (data === null) return null
    return { target: this.#config['queue.name'].replaceAll('${topic}', record.topic), bytes: JOB_BYTES, data }
  }

  protected async write({ target, items }: Batch<QueueWrite>, signal: AbortSignal): Promise<void> {
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
