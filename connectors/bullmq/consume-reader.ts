import { randomUUID } from 'node:crypto'
import type { PluginLogger, RecordMetadata, SourceRecord } from '@millrace/sdk'
import type { Job, Worker } from 'bullmq'
import { connectRedis, isConnectionLost, type RedisClient, type RedisSettings } from '../_shared/redis/index.ts'
import { jobValue, type QueueReader, queueRecord } from './reader.ts'
import type { BullmqSourceConfig } from './source-config.ts'

/** Requests on their way at a time; they are answered in their order. */
const PARALLEL = 16
/** Jobs of hosts that crash come back as often as it takes: each of them has to reach the log. */
const MAX_STALLED_COUNT = 2 ** 31 - 1

/** Takes jobs as a worker does. A job is completed when its record is in the log; until then its lock is extended. */
export class ConsumeReader implements QueueReader {
  readonly partition
  readonly #name: string
  readonly #topic: string
  readonly #config: BullmqSourceConfig
  readonly #settings: RedisSettings
  readonly #logger: PluginLogger
  readonly #token = `millrace-${randomUUID()}`
  readonly #extending: NodeJS.Timeout
  /** Jobs that we hold, with the worker they were taken by. */
  readonly #open = new Map<string, { job: Job; worker: Worker }>()
  #done: { id: string; result: unknown }[] = []
  #client: RedisClient | undefined
  #worker: Worker | undefined

  constructor(name: string, config: BullmqSourceConfig, settings: RedisSettings, logger: PluginLogger) {
    this.#name = name
    this.#topic = config.topic.replaceAll('${queue}', name)
    this.#config = config
    this.#settings = settings
    this.#logger = logger
    this.partition = { queue: `${config.prefix}:${name}` }
    this.#extending = setInterval(() => void this.#extend(), config['lock.duration.ms'] / 3)
    this.#extending.unref()
  }

  async read(count: number): Promise<readonly SourceRecord[]> {
    const worker = await this.#openWorker()
    const records: SourceRecord[] = []
    const room = Math.min(count, this.#config['max.in.flight.jobs'] - this.#open.size)
    while (records.length < room) {
      const asking = Math.min(PARALLEL, room - records.length)
      const asked = Array.from({ length: asking }, () => worker.getNextJob(this.#token, { block: false }))
      const answers = await Promise.allSettled(asked)
      let isEmpty = false
      for (const answer of answers) {
        // Jobs of other answers are ours already: they are given before the failure is seen again.
        if (answer.status === 'rejected') {
          if (records.length === 0 && answers.every(({ status }) => status === 'rejected')) throw answer.reason
          isEmpty = true
        } else if (answer.value?.id === undefined) isEmpty = true
        else {
          const job = answer.value
          const id = answer.value.id
          this.#open.set(id, { job, worker })
          records.push(queueRecord(this.#topic, this.partition, id, jobValue(job), { id }))
        }
      }
      if (isEmpty) break
    }
    return records
  }

  done({ sourceOffset }: SourceRecord, metadata: RecordMetadata | null): void {
    this.#done.push({ id: sourceOffset['id'] as string, result: metadata })
  }

  /** Invariant 1, told to BullMQ: only jobs whose records are in the log are completed. */
  async flush(): Promise<void> {
    while (this.#done.length > 0) {
      const part = this.#done.splice(0, PARALLEL * 4)
      const outcomes = await Promise.allSettled(part.map((each) => this.#complete(each)))
      const failed = part.filter((_, index) => outcomes[index]?.status === 'rejected')
      this.#done.unshift(...failed)
      const failure = outcomes.find((outcome) => outcome.status === 'rejected')
      if (failure !== undefined) throw failure.reason
    }
  }

  /** What is not in the log goes back into the queue. */
  async close(): Promise<void> {
    clearInterval(this.#extending)
    const back = [...this.#open.values()].map(({ job }) => job.moveToWait(this.#token))
    const outcomes = await Promise.allSettled(back)
    const kept = outcomes.filter(({ status }) => status === 'rejected').length
    if (kept > 0)
      this.#logger.warn({ jobs: kept }, 'jobs could not be given back; they come again when their locks end')
    this.#open.clear()
    await this.#closeWorker()
  }

  async #complete({ id, result }: { id: string; result: unknown }): Promise<void> {
    const worker = await this.#openWorker()
    const held = this.#open.get(id)
    try {
      const job = held?.worker === worker ? held.job : await this.#find(worker, id)
      await job?.moveToCompleted(result, this.#token, false)
    } catch (error) {
      if (isConnectionLost(error)) throw error
      // Its lock has ended: another worker has the job, and its record will be in the log twice.
      this.#logger.warn({ job: id, reason: (error as Error).message }, 'a job could not be completed')
    }
    this.#open.delete(id)
  }

  async #find(worker: Worker, id: string): Promise<Job | undefined> {
    const { Job: BullJob } = await import('bullmq')
    return await BullJob.fromId(worker, id)
  }

  async #extend(): Promise<void> {
    const ids = [...this.#open.keys()]
    if (ids.length === 0) return
    try {
      const tokens = ids.map(() => this.#token)
      const lost = await this.#worker?.extendJobLocks(ids, tokens, this.#config['lock.duration.ms'])
      if (lost !== undefined && lost.length > 0) this.#logger.warn({ jobs: lost.length }, 'locks of jobs have ended')
    } catch (error) {
      this.#logger.warn({ reason: (error as Error).message }, 'locks of jobs could not be extended')
    }
  }

  async #openWorker(): Promise<Worker> {
    if (this.#worker !== undefined) return this.#worker
    const { Worker: BullWorker } = await import('bullmq')
    const client = await connectRedis(this.#settings, { maxRetriesPerRequest: null })
    const lockDuration = this.#config['lock.duration.ms']
    const worker = new BullWorker(this.#name, null, {
      connection: client,
      prefix: this.#config.prefix,
      autorun: false,
      lockDuration,
      stalledInterval: lockDuration,
      maxStalledCount: MAX_STALLED_COUNT,
    })
    worker.on('error', (error) => this.#logger.debug({ reason: error.message }, 'the queue reported an error'))
    client.on('end', () => {
      if (this.#client === client) void this.#closeWorker()
    })
    this.#client = client
    try {
      await worker.waitUntilReady()
      // Jobs of workers that died come back by it; it goes on until the worker is closed.
      await worker.startStalledCheckTimer()
    } catch (error) {
      this.#worker = worker
      await this.#closeWorker()
      throw error
    }
    this.#worker = worker
    return worker
  }

  async #closeWorker(): Promise<void> {
    const [worker, client] = [this.#worker, this.#client]
    this.#worker = undefined
    this.#client = undefined
    await worker?.close(true).catch(() => undefined)
    client?.disconnect()
  }
}
