import type { OffsetReader, PluginLogger, SourceRecord } from '@millrace/sdk'
import type { Job } from 'bullmq'
import type { RedisSettings } from '../_shared/redis/index.ts'
import { Queues } from './queues.ts'
import { ENDED, jobValue, type QueueReader, queueRecord } from './reader.ts'
import type { BullmqSourceConfig, JobState } from './source-config.ts'

/** Reads the jobs of some states once. Jobs that change their state meanwhile may be missed or come twice. */
export class SnapshotReader implements QueueReader {
  readonly partition
  readonly #name: string
  readonly #topic: string
  readonly #states: readonly JobState[]
  readonly #queues: Queues
  readonly #offsets: OffsetReader
  #state: number | undefined
  #from = 0

  constructor(
    name: string,
    config: BullmqSourceConfig,
    settings: RedisSettings,
    context: { readonly offsets: OffsetReader; readonly logger: PluginLogger },
  ) {
    this.#name = name
    this.#topic = config.topic.replaceAll('${queue}', name)
    this.#states = config['snapshot.states'] as readonly JobState[]
    this.#offsets = context.offsets
    this.#queues = new Queues(settings, config.prefix, (error) =>
      context.logger.debug({ reason: error.message }, 'the queue reported an error'),
    )
    this.partition = { queue: `${config.prefix}:${name}`, snapshot: this.#states.join(',') }
  }

  async read(count: number): Promise<readonly SourceRecord[] | typeof ENDED> {
    if (this.#state === undefined) {
      // A task that starts again goes on where its records are in the log.
      const offset = await this.#offsets.offset(this.partition)
      this.#state = Number(offset?.['state'] ?? 0)
      this.#from = Number(offset?.['next'] ?? 0)
    }
    const state = this.#states[this.#state]
    if (state === undefined) return ENDED
    const queue = await this.#queues.queue(this.#name)
    const jobs = (await queue.getJobs([state], this.#from, this.#from + count - 1, true)) as (Job | undefined)[]
    if (jobs.length === 0) {
      this.#state++
      this.#from = 0
      return []
    }
    const records = jobs.flatMap((job, index) => {
      if (job === undefined) return []
      const value = {
        ...jobValue(job),
        state,
        returnvalue: (job.returnvalue as unknown) ?? null,
        failedReason: job.failedReason ?? null,
        finishedOn: job.finishedOn ?? null,
      }
      const offset = { state: this.#state as number, next: this.#from + index + 1 }
      return [queueRecord(this.#topic, this.partition, job.id ?? null, value, offset)]
    })
    this.#from += jobs.length
    return records
  }

  async close(): Promise<void> {
    this.#queues.close()
  }
}
