import {
  type CommittedOffset,
  FINISHED,
  isRetriable,
  parseConfigOrThrow,
  type PollResult,
  type RawConfig,
  type SourceConnector,
  type SourcePosition,
  type SourceRecord,
  type SourceTask,
} from '@millrace/sdk'
import { CONNECTOR_NAME, silent } from './connector-tasks.ts'
import { pause, turn, within } from './deadline.ts'
import type { OwnClients } from './kafka-clients.ts'
import type { Limits } from './limits.ts'
import { type OffsetStore, textOf } from './offset-store.ts'

/** A poll that finds nothing is called off after this, as a worker does when there is something to commit. */
const POLL_MS = 100
/** A failing call is made again after this at the earliest. */
const RETRY_MS = 20
/** A stop that waits for a poll longer than this calls `stop` beside it, as a worker does. */
const STOP_BESIDE_POLL_MS = 250

export interface SourceRunOptions {
  readonly store: OffsetStore
  readonly clients: OwnClients
  readonly limits: Pick<Limits, 'deadlineMs' | 'stopDeadlineMs'>
}

/** One life of a source task: what the worker does with it, without a worker and without a log. */
export class SourceRun {
  readonly #task: SourceTask
  readonly #store: OffsetStore
  readonly #clients: OwnClients
  readonly #limits: Pick<Limits, 'deadlineMs' | 'stopDeadlineMs'>
  /** What was polled and not acknowledged, in order. */
  #open: (SourceRecord | SourcePosition)[] = []
  #pending: Promise<PollResult> | undefined
  #signal = new AbortController()
  #finished = false
  #acknowledged = 0

  constructor(definition: SourceConnector, raw: RawConfig, { store, clients, limits }: SourceRunOptions) {
    this.#store = store
    this.#clients = clients
    this.#limits = limits
    this.#task = definition.createTask(parseConfigOrThrow(definition.config, raw), {
      connectorName: CONNECTOR_NAME,
      taskId: 0,
      logger: silent,
      raw,
      offsets: store.reader(),
      ...clients.context,
    })
  }

  /** The task itself, to see whether it is let go of. */
  get task(): SourceTask {
    return this.#task
  }

  get finished(): boolean {
    return this.#finished
  }

  /** Records that were polled and are not acknowledged. */
  get openRecords(): number {
    return this.#open.filter(({ topic }) => topic !== null).length
  }

  async start(): Promise<void> {
    await within(this.#limits.deadlineMs, 'start', this.#task.start?.())
  }

  /**
   * One poll. It gives nothing when none came for a moment, or after a retriable error; that error is told to
   * `onRetriable`. The poll itself may go on meanwhile: the next call waits for it.
   */
  async poll(onRetriable?: (error: Error) => void): Promise<readonly SourceRecord[]> {
    await turn()
    if (this.#finished) return []
    try {
      this.#pending ??= this.#callPoll()
      const late = setTimeout(() => this.#signal.abort(), POLL_MS)
      const result = await within(this.#limits.deadlineMs, 'the end of a poll whose signal has aborted', this.#pending)
      clearTimeout(late)
      this.#pending = undefined
      return this.#take(result)
    } catch (error) {
      this.#pending = undefined
      if (!isRetriable(error)) throw error
      onRetriable?.(error)
      await pause(Math.min(RETRY_MS, error.retryAfterMs ?? RETRY_MS))
      return []
    }
  }

  /** Starts a poll and leaves it alone: for a stop, or an end, in its middle. */
  async beginPoll(): Promise<void> {
    this.#pending ??= this.#callPoll()
    this.#pending.catch(() => {})
    await turn()
  }

  /** The log has taken the next `count` records: the plugin hears of each, their offsets are durable, and it hears of those. */
  async acknowledge(count: number): Promise<void> {
    const durable = new Map<string, CommittedOffset>()
    let left = count
    while (this.#open.length > 0) {
      const [entry] = this.#open
      if (!entry || (entry.topic !== null && left === 0)) break
      this.#open.shift()
      const { sourcePartition, sourceOffset } = entry
      durable.set(textOf(sourcePartition), { sourcePartition, sourceOffset })
      this.#store.commit(entry)
      if (entry.topic === null) continue
      left--
      const metadata = { topic: entry.topic, partition: entry.partition ?? 0, offset: this.#acknowledged++ }
      await within(this.#limits.deadlineMs, 'commitRecord', this.#task.commitRecord?.(entry, metadata))
    }
    if (durable.size > 0) await within(this.#limits.deadlineMs, 'commit', this.#task.commit?.([...durable.values()]))
  }

  /** Stops the task as a worker does: the signal of a poll aborts, `stop` comes when it returned or soon after. */
  async stop(): Promise<void> {
    const { stopDeadlineMs } = this.#limits
    this.#signal.abort()
    const polled = this.#pending?.then(
      () => {},
      () => {},
    )
    const beside = new Promise<void>((resolve) => void setTimeout(resolve, STOP_BESIDE_POLL_MS).unref())
    await Promise.race([polled, beside])
    await within(stopDeadlineMs, 'stop', this.#task.stop?.())
    await within(stopDeadlineMs, 'the end of a poll whose signal has aborted, after stop', polled)
    await this.#clients.close()
  }

  async #callPoll(): Promise<PollResult> {
    this.#signal = new AbortController()
    return this.#task.poll(this.#signal.signal)
  }

  #take(result: PollResult): readonly SourceRecord[] {
    if (result === FINISHED) this.#finished = true
    if (result === FINISHED || result === null) return []
    for (const entry of result) this.#open.push(entry)
    return result.filter((entry): entry is SourceRecord => entry.topic !== null)
  }
}
