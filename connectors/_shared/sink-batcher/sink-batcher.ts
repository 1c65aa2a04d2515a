import { setImmediate } from 'node:timers/promises'
import {
  ConnectError,
  isConnectError,
  isRetriable,
  type SinkRecord,
  type SinkTaskContext,
  type TopicPartition,
  type TopicPartitionOffset,
} from '@millrace/sdk'
import { dataFault, type Failure, fatal, retriable } from '../retry/index.ts'
import type { Batch, Write, WriteOutcome } from './batch.ts'
import {
  type BatcherAction,
  type BatcherEvent,
  type BatcherState,
  isFull,
  newState,
  nextDueMs,
  type Request,
} from './batcher-state.ts'
import { type BatchLimits, LIMITS_DEFAULT } from './limits.ts'
import { reportOrFail } from './report.ts'
import { step } from './step.ts'

/** Time as a parameter, so that tests need none. */
export interface BatcherClock {
  nowMs(): number
  setTimer(delayMs: number, action: () => void): { cancel(): void }
}

export interface SinkBatcherOptions<T> {
  readonly context: Pick<SinkTaskContext, 'errantRecordReporter' | 'requestCommit'>
  readonly limits?: Partial<BatchLimits>
  /**
   * What is to be written for a record; null for nothing (the record counts as delivered). A DataError takes the record the
   * way of bad records, a RetriableError makes the runtime bring the batch again, any other error fails the task.
   */
  convert(record: SinkRecord): Write<T> | null | Promise<Write<T> | null>
  /** Sends one request. Resolves when its items are durable in the target, but for those that the outcome names. */
  write(batch: Batch<T>, signal: AbortSignal): Promise<WriteOutcome | void>
  /**
   * What an error of `write` means for all of its items. `data` finds the bad ones by writing smaller and smaller parts.
   * Errors of the SDK need none: RetriableError, DataError and others are known.
   */
  classify(error: unknown): Failure
  /** Takes a record that cannot be written; left out: the dead letter queue, or the task fails. A rejection fails the task. */
  reject?(record: SinkRecord, error: Error): Promise<void>
  /** The longest time that `put` waits for room before the task fails. */
  readonly putTimeoutMs?: number
  /** The longest time that `preCommit` waits for what was put; then only what is done by then is committed. */
  readonly drainTimeoutMs?: number
  readonly clock?: BatcherClock
  readonly random?: () => number
}

/** A millisecond or so of conversion. */
const RECORDS_A_TURN = 256
const PUT_TIMEOUT_MS = 180_000
/** Less than a worker's patience with a task that stops (5 s), so that what is done is still committed. */
const DRAIN_TIMEOUT_MS = 3000

/**
 * Between `put` and a bulk API: batches by count, bytes and linger, several requests at a time with order per key, retries,
 * bad records found and reported, offsets committed only up to what is delivered. A sink task hands `put`, `preCommit`,
 * `close` and `stop` on to it; at-least-once follows from that.
 */
export class SinkBatcher<T> {
  readonly #o: SinkBatcherOptions<T>
  readonly #state: BatcherState<T>
  readonly #clock: BatcherClock
  readonly #aborts = new Map<number, AbortController>()
  readonly #waiters = new Set<() => void>()
  readonly #open = new Set<Promise<void>>()
  #sinceTurn = 0
  #timer: { cancel(): void } | undefined
  #timerAtMs = Number.POSITIVE_INFINITY
  #isStopped = false

  constructor(options: SinkBatcherOptions<T>) {
    this.#o = options
    this.#clock = options.clock ?? realClock
    this.#state = newState({ ...LIMITS_DEFAULT, ...options.limits }, options.random ?? Math.random)
  }

  /** Records that are neither delivered nor reported yet. */
  get pendingRecords(): number {
    return this.#state.pendingRecords
  }

  /** Takes records; waits for room where the target is slower. Throws what failed since the last call. */
  async put(records: readonly SinkRecord[]): Promise<void> {
    this.#check()
    for (const record of records) {
      if (isFull(this.#state)) await this.#room()
      else if (++this.#sinceTurn >= RECORDS_A_TURN && this.#state.requests.size > 0) await this.#turn()
      const taking = this.#take(record)
      if (taking) await taking
    }
    this.#schedule()
    this.#check()
  }

  /** Sends what waits, waits for it within the deadline, and says which of the offsets may be committed. */
  async preCommit(offsets: readonly TopicPartitionOffset[]): Promise<TopicPartitionOffset[]> {
    await this.flush(this.#o.drainTimeoutMs ?? DRAIN_TIMEOUT_MS)
    return this.#state.offsets.committable(offsets)
  }

  /** Sends what waits and waits for it; false when not all is delivered or reported in time, or when the task has to end. */
  async flush(timeoutMs: number): Promise<boolean> {
    this.#apply({ type: 'flush', isFlushing: true, nowMs: this.#clock.nowMs() })
    this.#schedule()
    const isDone = await this.#until(() => this.#state.pendingRecords === 0, timeoutMs)
    this.#apply({ type: 'flush', isFlushing: false, nowMs: this.#clock.nowMs() })
    this.#schedule()
    return isDone
  }

  /**
   * The partitions go to another task: what is not sent is let go, what is on its way is waited for, and called back when it
   * takes too long, since the other task must not be overtaken.
   */
  async close(partitions: readonly TopicPartition[]): Promise<void> {
    this.#apply({ type: 'drop', partitions, nowMs: this.#clock.nowMs() })
    const late = (): Request<T>[] =>
      [...this.#state.requests.values()].filter(
        ({ isSent, parts }) => isSent && parts.at(-1)!.some(({ entry }) => entry.isDropped),
      )
    const timeoutMs = (this.#o.drainTimeoutMs ?? DRAIN_TIMEOUT_MS) / 3
    if (await this.#until(() => late().length === 0, timeoutMs)) return
    for (const { id } of late()) this.#aborts.get(id)?.abort(new ConnectError('the partition goes to another task'))
    await this.#until(() => late().length === 0, timeoutMs)
  }

  /** Calls back what is on its way and ends; what was not committed is delivered again. */
  async stop(): Promise<void> {
    this.#isStopped = true
    this.#timer?.cancel()
    for (const abort of this.#aborts.values()) abort.abort(new ConnectError('the task stops'))
    await this.#until(() => this.#open.size === 0, (this.#o.drainTimeoutMs ?? DRAIN_TIMEOUT_MS) / 3)
    this.#timer?.cancel()
  }

  #check(): void {
    if (this.#state.failure) throw this.#state.failure
    if (this.#isStopped) throw new ConnectError('the task has stopped')
  }

  /** Gives a promise only where the conversion does: most are done at once. */
  #take(record: SinkRecord): Promise<void> | undefined {
    try {
      const converted = this.#o.convert(record)
      if (converted instanceof Promise) {
        return converted.then(
          (write) => this.#add(record, write),
          (error: unknown) => this.#refuse(record, error),
        )
      }
      this.#add(record, converted)
    } catch (error) {
      this.#refuse(record, error)
    }
    return undefined
  }

  #add(record: SinkRecord, write: Write<T> | null): void {
    if (write === null) return
    const { target = '', key, bytes, data } = write
    this.#apply({ type: 'add', record, target, key, bytes, data, nowMs: this.#clock.nowMs() })
  }

  #refuse(record: SinkRecord, error: unknown): void {
    if (!isConnectError(error) || error.code !== 'DATA') throw error
    this.#apply({ type: 'refuse', record, error, nowMs: this.#clock.nowMs() })
  }

  /** Lets answers that have come be seen, or the target stands still until all of the records are converted. */
  async #turn(): Promise<void> {
    this.#sinceTurn = 0
    await setImmediate()
  }

  /** Back-pressure: while this waits, the task reads nothing more. */
  async #room(): Promise<void> {
    const timeoutMs = this.#o.putTimeoutMs ?? PUT_TIMEOUT_MS
    this.#schedule()
    const hasRoom = await this.#until(() => this.#state.failure !== undefined || !isFull(this.#state), timeoutMs)
    this.#check()
    if (!hasRoom) throw new ConnectError(`the buffer is full, and the target took nothing for ${timeoutMs} ms`)
  }

  /** True when the condition came to hold; also returns, with false, on a failure, the stop, and after the time. */
  async #until(condition: () => boolean, timeoutMs: number): Promise<boolean> {
    const untilMs = this.#clock.nowMs() + timeoutMs
    while (!condition()) {
      const leftMs = untilMs - this.#clock.nowMs()
      const ends = this.#state.failure !== undefined && this.#open.size === 0
      if (leftMs <= 0 || ends) return false
      const change = Promise.withResolvers<void>()
      const timer = this.#clock.setTimer(leftMs, change.resolve)
      this.#waiters.add(change.resolve)
      await change.promise
      this.#waiters.delete(change.resolve)
      timer.cancel()
    }
    return true
  }

  #apply(event: BatcherEvent<T>): void {
    const [, actions] = step(this.#state, event)
    for (const action of actions) this.#perform(action)
  }

  /** News that no caller waits for. */
  #tell(event: BatcherEvent<T>): void {
    this.#apply(event)
    this.#schedule()
    for (const wake of this.#waiters) wake()
  }

  #perform(action: BatcherAction<T>): void {
    switch (action.type) {
      case 'write':
        if (!this.#isStopped) this.#track(this.#write(action))
        break
      case 'report':
        this.#track(this.#report(action))
        break
      case 'fail':
        // The runtime calls `put` after the commit, also without records: that is where it hears of the failure.
        this.#o.context.requestCommit()
    }
  }

  #track(work: Promise<void>): void {
    this.#open.add(work)
    void work.finally(() => {
      this.#open.delete(work)
      for (const wake of this.#waiters) wake()
    })
  }

  async #write({ request, target, items }: Extract<BatcherAction<T>, { type: 'write' }>): Promise<void> {
    const abort = new AbortController()
    this.#aborts.set(request, abort)
    let outcome: WriteOutcome | undefined
    let failure: Failure | undefined
    try {
      outcome = (await this.#o.write({ target, items }, abort.signal)) ?? undefined
    } catch (error) {
      // What was called back says nothing about its other items: these are written again.
      failure = abort.signal.aborted ? retriable(error) : this.#classify(error)
    }
    this.#aborts.delete(request)
    if (!failure) this.#tell({ type: 'written', request, outcome, nowMs: this.#clock.nowMs() })
    else if (!this.#isStopped) this.#tell({ type: 'failed', request, failure, nowMs: this.#clock.nowMs() })
  }

  #classify(error: unknown): Failure {
    if (isRetriable(error)) return retriable(error, error.retryAfterMs)
    if (isConnectError(error)) return error.code === 'DATA' ? dataFault(error) : fatal(error)
    return this.#o.classify(error)
  }

  async #report(action: Extract<BatcherAction<T>, { type: 'report' }>): Promise<void> {
    const { record, error, entry, bytes, request } = action
    const { context, reject } = this.#o
    try {
      await (reject ? reject(record, error) : reportOrFail(context.errantRecordReporter, record, error))
    } catch (reason) {
      this.#tell({ type: 'report-failed', error: fatal(reason).error })
      return
    }
    this.#tell({ type: 'reported', entry, bytes, request, nowMs: this.#clock.nowMs() })
  }

  /** Sets the timer for what is due next. */
  #schedule(): void {
    const dueMs = this.#isStopped ? undefined : nextDueMs(this.#state)
    if (dueMs === undefined || dueMs === this.#timerAtMs) {
      if (dueMs === undefined) this.#clearTimer()
      return
    }
    this.#clearTimer()
    this.#timerAtMs = dueMs
    this.#timer = this.#clock.setTimer(Math.max(0, dueMs - this.#clock.nowMs()), () => {
      this.#timerAtMs = Number.POSITIVE_INFINITY
      this.#tell({ type: 'tick', nowMs: this.#clock.nowMs() })
    })
  }

  #clearTimer(): void {
    this.#timer?.cancel()
    this.#timerAtMs = Number.POSITIVE_INFINITY
  }
}

const realClock: BatcherClock = {
  nowMs: () => performance.now(),
  setTimer(delayMs, action) {
    const timer = setTimeout(action, delayMs)
    return { cancel: () => clearTimeout(timer) }
  },
}
