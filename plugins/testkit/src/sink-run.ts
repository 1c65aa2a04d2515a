import {
  isRetriable,
  parseConfigOrThrow,
  type RawConfig,
  type SinkConnector,
  type SinkRecord,
  type SinkTask,
  type TopicPartition,
  type TopicPartitionOffset,
} from '@millrace/sdk'
import { CONNECTOR_NAME, silent } from './connector-tasks.ts'
import { pause, turn, within } from './deadline.ts'
import type { OwnClients } from './kafka-clients.ts'
import type { Limits } from './limits.ts'
import type { SinkTopic } from './sink-topic.ts'

/** A failing call is made again after this at the latest. */
const RETRY_MS = 20
/** What is still being written is asked for again after this. */
const IDLE_MS = 5
/** So many records are in one batch at most; a worker's `max.poll.records` is 500. */
const MAX_BATCH = 500

/** A record that the task gave to the dead letter queue. */
export interface Reported {
  readonly record: SinkRecord
  readonly error: Error
}

export interface SinkRunOptions {
  readonly topic: SinkTopic
  /** Offsets as the group has committed them, by partition; they outlive the task. */
  readonly committed: Map<number, number>
  readonly clients: OwnClients
  readonly limits: Pick<Limits, 'deadlineMs' | 'stopDeadlineMs'>
  /** Without a queue a bad record has to be thrown. */
  readonly hasQueue?: boolean
}

/** One life of a sink task: what the worker does with it, without a worker and without a log. */
export class SinkRun {
  readonly #task: SinkTask
  readonly #o: SinkRunOptions
  /** The next offset to deliver of each open partition. */
  readonly #positions = new Map<number, number>()
  readonly #paused = new Set<number>()
  readonly reported: Reported[] = []
  #commitRequested = false
  #commitError: unknown

  constructor(definition: SinkConnector, raw: RawConfig, options: SinkRunOptions) {
    this.#o = options
    const reporter = { report: async (record: SinkRecord, error: Error) => void this.reported.push({ record, error }) }
    this.#task = definition.createTask(parseConfigOrThrow(definition.config, raw), {
      connectorName: CONNECTOR_NAME,
      taskId: 0,
      logger: silent,
      raw,
      errantRecordReporter: options.hasQueue === false ? null : reporter,
      publisher: { publish: async () => {} },
      ...options.clients.context,
      assignment: () => this.#openPartitions(),
      offset: (offsets) => {
        for (const { partition, offset } of offsets) {
          if (this.#positions.has(partition)) this.#positions.set(partition, offset)
        }
      },
      timeout: () => {},
      pause: (partitions) => {
        for (const { partition } of partitions) this.#paused.add(partition)
      },
      resume: (partitions) => {
        for (const { partition } of partitions) this.#paused.delete(partition)
      },
      requestCommit: () => {
        this.#commitRequested = true
      },
    })
  }

  /** The task itself, to see whether it is let go of. */
  get task(): SinkTask {
    return this.#task
  }

  async start(partitions: readonly number[]): Promise<void> {
    await within(this.#o.limits.deadlineMs, 'start', this.#task.start?.())
    await this.open(partitions)
  }

  /** The task gets these partitions and goes on from what is committed of them. */
  async open(partitions: readonly number[]): Promise<void> {
    for (const partition of partitions) this.#positions.set(partition, this.#o.committed.get(partition) ?? 0)
    if (partitions.length === 0) return
    await within(this.#o.limits.deadlineMs, 'open', this.#task.open?.(this.#named(partitions)))
  }

  /** The partitions go to another task: what was taken of them is committed, as far as the task allows it. */
  async close(partitions: readonly number[]): Promise<void> {
    await this.commit(partitions)
    await within(this.#o.limits.deadlineMs, 'close', this.#task.close?.(this.#named(partitions)))
    for (const partition of partitions) this.#positions.delete(partition)
  }

  /** Whether every record of the open partitions was put. */
  get isAtEnd(): boolean {
    return [...this.#positions].every(([partition, position]) => position >= this.#o.topic.end(partition))
  }

  /** Delivers one batch of at most so many records of each partition, and an empty one when there is nothing. */
  async deliver(count = MAX_BATCH, onRetriable?: (error: Error) => void): Promise<void> {
    if (this.#commitRequested) await this.commit()
    const records: SinkRecord[] = []
    const ends = new Map<number, number>()
    for (const [partition, position] of this.#positions) {
      if (this.#paused.has(partition)) continue
      const batch = this.#o.topic.from(partition, position).slice(0, count)
      ends.set(partition, position + batch.length)
      records.push(...batch)
    }
    const before = new Map(this.#positions)
    if (!(await this.put(records, onRetriable))) return
    for (const [partition, end] of ends) {
      // The task may have asked to go on elsewhere meanwhile.
      if (this.#positions.get(partition) === before.get(partition)) this.#positions.set(partition, end)
    }
  }

  /** Calls `put`; false when it asks for the batch again, which it then gets with the next call. */
  async put(records: readonly SinkRecord[], onRetriable?: (error: Error) => void): Promise<boolean> {
    await turn()
    try {
      await within(this.#o.limits.deadlineMs, 'put', this.#task.put(records))
      return true
    } catch (error) {
      if (!isRetriable(error)) throw error
      onRetriable?.(error)
      await pause(Math.min(RETRY_MS, error.retryAfterMs ?? RETRY_MS))
      return false
    }
  }

  /** Asks what may be committed of all that was put, and commits that. */
  async commit(partitions: readonly number[] = [...this.#positions.keys()]): Promise<void> {
    this.#commitRequested = false
    const taken = this.#named(partitions).map((each) => ({ ...each, offset: this.#positions.get(each.partition) ?? 0 }))
    let answer: readonly TopicPartitionOffset[] | undefined
    try {
      answer = await within(this.#o.limits.deadlineMs, 'preCommit', this.#task.preCommit?.(taken))
    } catch (error) {
      // As in a worker: what was not committed is delivered again.
      this.#commitError = error
      for (const partition of partitions) this.#positions.set(partition, this.#o.committed.get(partition) ?? 0)
      return
    }
    for (const { partition, offset } of answer ?? taken) {
      const known = this.#o.committed.get(partition) ?? 0
      this.#o.committed.set(partition, Math.max(known, offset))
    }
  }

  /** Delivers and commits until the topic is read and all of it is committed. */
  async drain(onRetriable?: (error: Error) => void): Promise<void> {
    const end = performance.now() + this.#o.limits.deadlineMs
    for (;;) {
      await this.deliver(MAX_BATCH, onRetriable)
      if (this.isAtEnd) await this.commit()
      const open = [...this.#positions.keys()]
      if (open.every((partition) => (this.#o.committed.get(partition) ?? 0) >= this.#o.topic.end(partition))) return
      if (performance.now() > end) {
        const state = open.map((p) => `${this.#o.committed.get(p) ?? 0} of ${this.#o.topic.end(p)}`).join(', ')
        const told = this.#commitError instanceof Error ? `; it said ${this.#commitError.message}` : ''
        throw new Error(`preCommit allowed only ${state} records within ${this.#o.limits.deadlineMs} ms${told}`)
      }
      if (this.isAtEnd) await pause(IDLE_MS)
    }
  }

  /** Stops the task as a worker does: last commit, close, stop. */
  async stop(): Promise<void> {
    const { stopDeadlineMs } = this.#o.limits
    const open = [...this.#positions.keys()]
    if (open.length > 0) await within(stopDeadlineMs, 'the last commit and close', this.close(open))
    await within(stopDeadlineMs, 'stop', this.#task.stop?.())
    await this.#o.clients.close()
  }

  #openPartitions(): readonly TopicPartition[] {
    return this.#named([...this.#positions.keys()])
  }

  #named(partitions: readonly number[]): readonly TopicPartition[] {
    return partitions.map((partition) => ({ topic: this.#o.topic.name, partition }))
  }
}
