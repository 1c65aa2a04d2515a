import { type CommittedOffset, FINISHED, isRetriable, type PollResult, type SourceTask } from '@millrace/sdk'
import { sleep, type Timer } from '../../base/index.ts'
import type { LogAdmin, LogProducer, SentBatch } from './log-clients.ts'
import type { OffsetCommitter } from './offset-committer.ts'
import { type InFlightRecord, metadataOf, type SourcePipeline } from './source-pipeline.ts'
import { TaskLife } from './task-life.ts'
import type { TaskCounters } from './task-metrics.ts'
import type { UnitEnvironment, UnitEvents, UnitRunner } from './unit-runner.ts'
import type { MetricSample, StateDetail, TargetState, TaskId } from './worker.ts'

/** A source task with everything around it, ready to run. */
export interface OpenSourceTask {
  readonly task: SourceTask
  readonly pipeline: SourcePipeline
  readonly committer: OffsetCommitter
  readonly producer: LogProducer
  readonly admin: LogAdmin | null
  /** Null when the task has no `commitRecord`. */
  readonly inFlight: InFlightRecord[] | null
  readonly flushIntervalMs: number
  readonly flushTimeoutMs: number
  /** How long a task that ends by itself may take for it. */
  readonly shutdownTimeoutMs: number
  /** Closes transformations, and the clients that the task got for itself. */
  readonly closePlugins: () => Promise<void> | void
}

/** What opening a task needs of its runner. */
export interface SourceTaskHooks {
  readonly counters: TaskCounters
  /** Aborts when the task stops. */
  readonly signal: AbortSignal
  readonly onBatchDone: (batch: SentBatch) => void
  readonly onTopicUsed: (topic: string) => void
}

export interface SourceTaskRunnerOptions {
  readonly id: TaskId
  readonly target: TargetState
  readonly environment: UnitEnvironment
  readonly events: UnitEvents
  readonly counters: TaskCounters
  readonly version: string
  /** Whether a batch that the log refused is skipped (KIP-779); it counts what it decides. */
  readonly tolerates: (batch: SentBatch) => boolean
  readonly open: (hooks: SourceTaskHooks) => Promise<OpenSourceTask>
}

/** The loop gives timers and sockets a turn at least this often. */
const YIELD_AFTER_MS = 4
const POLL_RETRY_MS = 100
/** A poll that ignores its signal for this part of the time to stop gets `stop` while it waits. */
const STOP_DURING_POLL = 0.25

/** Runs one source task: poll, send, commit, in one loop so that calls into the plugin never overlap. */
export class SourceTaskRunner implements UnitRunner {
  readonly #o: SourceTaskRunnerOptions
  readonly #life: TaskLife
  #poll = new AbortController()
  #target: TargetState
  #wake: (() => void) | undefined
  #open: OpenSourceTask | undefined
  #running: Promise<void> | undefined
  #commitTimer: Timer | undefined
  #commitRunning: Promise<void> | undefined
  #durable: CommittedOffset[] = []
  #stopCalled: Promise<void> | undefined
  #yieldedMs = 0
  #polling = false

  constructor(options: SourceTaskRunnerOptions) {
    this.#o = options
    this.#target = options.target
    const { clock, logger } = options.environment
    const wake = () => {
      this.#poll.abort()
      this.#wake?.()
    }
    this.#life = new TaskLife({ clock, logger, wake })
  }

  run(): Promise<void> {
    this.#running ??= this.#run()
    return this.#running
  }

  setTarget(target: TargetState): void {
    this.#target = target
    // What the plugin waits for may take long: its poll is ended so that the new state is true soon.
    if (target !== 'STARTED') this.#poll.abort()
    this.#wake?.()
  }

  fail(error: unknown): void {
    this.#life.fail(error)
  }

  async stop(timeoutMs: number): Promise<boolean> {
    const impatient = this.#o.environment.clock.setTimer(timeoutMs * STOP_DURING_POLL, () => {
      if (this.#polling) this.#stopCalled ??= this.#callStop()
    })
    const clean = await this.#life.stop(timeoutMs, () => this.#running)
    impatient.cancel()
    return clean
  }

  samples(): readonly MetricSample[] {
    const { id, counters, environment } = this.#o
    return counters.samples(id, 'source', environment.clock.monotonicMs())
  }

  async #run(): Promise<void> {
    const { events, environment } = this.#o
    let finished = false
    try {
      const hooks: SourceTaskHooks = {
        counters: this.#o.counters,
        signal: this.#life.signal,
        onBatchDone: (batch) => this.#onBatchDone(batch),
        onTopicUsed: events.onTopicUsed,
      }
      this.#open = await this.#life.open(this.#o.open(hooks), (open) => this.#close(open))
      const starting = this.#open.task.start?.()
      if (starting) await this.#life.waitFor(starting)
      this.#scheduleCommit()
      finished = await this.#loop(this.#open)
    } catch (error) {
      this.#life.caught(error)
    }
    await this.#shutDown()
    const trace = this.#life.tellFailure()
    if (trace !== undefined) this.#enter('FAILED', { trace })
    else if (finished) this.#enter('STOPPED', { finished: true })
    else this.#o.counters.enter('UNASSIGNED', environment.clock.monotonicMs())
  }

  async #close(open: OpenSourceTask): Promise<void> {
    // Invariant 4: a task that was cut off has lost its clients, so what is left of it can neither write nor commit.
    await Promise.all([open.closePlugins(), open.producer.close({ timeoutMs: 0 }), open.admin?.close()])
  }

  #enter(state: 'RUNNING' | 'PAUSED' | 'FAILED' | 'STOPPED', detail: StateDetail = {}): void {
    const { counters, environment, events, version } = this.#o
    counters.enter(state, environment.clock.monotonicMs())
    events.onState(state, { version, ...detail })
  }

  /** True when the source has reached its end. */
  async #loop(open: OpenSourceTask): Promise<boolean> {
    const { clock, yieldLoop } = this.#o.environment
    let entered: 'RUNNING' | 'PAUSED' | undefined
    while (!this.#life.isStopping) {
      this.#life.throwIfFailed()
      const wanted = this.#target === 'STARTED' ? 'RUNNING' : 'PAUSED'
      if (entered !== wanted) {
        entered = wanted
        this.#enter(wanted)
      }
      await this.#callBacks(open)
      if (wanted === 'PAUSED') {
        await this.#sleepUntilWoken()
        continue
      }
      const batch = await this.#pollOnce(open)
      if (batch === FINISHED) return true
      if (batch && batch.length > 0) {
        const { counters } = this.#o
        counters.recordsIn += batch.length
        counters.batchSize.add(batch.length)
        counters.active.add(counters.recordsIn - counters.recordsOut - counters.recordsDropped)
        await this.#life.waitFor(open.pipeline.send(batch))
      }
      if (clock.monotonicMs() - this.#yieldedMs > YIELD_AFTER_MS) {
        await yieldLoop()
        this.#yieldedMs = clock.monotonicMs()
      }
    }
    return false
  }

  async #pollOnce(open: OpenSourceTask): Promise<PollResult> {
    const { clock, logger, yieldLoop } = this.#o.environment
    // A signal for each poll: listeners that a plugin leaves on it must not pile up.
    this.#poll = new AbortController()
    // What would end a poll may have come just before it.
    const hasNews = this.#durable.length > 0 || (open.inFlight?.[0] && open.inFlight[0].batch?.state !== 'pending')
    if (this.#life.isStopping || this.#life.hasFailed || this.#target !== 'STARTED' || hasNews) return null
    const startedMs = clock.monotonicMs()
    this.#polling = true
    try {
      const polled = open.task.poll(this.#poll.signal)
      if (!isPromise(polled)) return polled
      const result = await this.#life.waitFor(polled)
      // A poll that had to wait has let the loop turn meanwhile.
      if (clock.monotonicMs() - startedMs > YIELD_AFTER_MS) this.#yieldedMs = clock.monotonicMs()
      return result
    } catch (error) {
      if (!isRetriable(error)) throw error
      logger.warn({ err: error }, 'poll failed and is tried again')
      const waitMs = error.retryAfterMs ?? POLL_RETRY_MS
      await sleep(clock, waitMs, this.#life.signal)
      await yieldLoop()
      return null
    } finally {
      this.#polling = false
      const spentMs = clock.monotonicMs() - startedMs
      this.#o.counters.callMs.add(spentMs)
    }
  }

  #sleepUntilWoken(): Promise<void> {
    return new Promise((resolve) => {
      this.#wake = () => {
        this.#wake = undefined
        resolve()
      }
      if (this.#life.isStopping || this.#life.hasFailed || this.#target === 'STARTED' || this.#durable.length > 0)
        this.#wake()
    })
  }

  #onBatchDone(batch: SentBatch): void {
    const { counters, tolerates } = this.#o
    if (batch.topic === this.#o.environment.offsetsTopic) return
    if (batch.state === 'acked') counters.recordsOut += batch.recordCount
    else if (tolerates(batch)) counters.recordsDropped += batch.recordCount
    else {
      // Invariant 3: records that the log refused fail the task; their offsets stay uncommitted.
      this.fail(batch.error ?? new Error('the log did not take a batch'))
      return
    }
    if (this.#open?.inFlight && this.#polling) this.#poll.abort()
  }

  #scheduleCommit(): void {
    const { clock } = this.#o.environment
    const { flushIntervalMs } = this.#open!
    this.#commitTimer = clock.setTimer(
      flushIntervalMs,
      () => {
        this.#commitRunning = this.#commit().finally(() => {
          this.#commitRunning = undefined
          if (!this.#life.isStopping && !this.#life.hasFailed) this.#scheduleCommit()
        })
      },
      { unref: true },
    )
  }

  /** Makes offsets durable beside the loop; the plugin hears of it from the loop, between its polls. */
  async #commit(): Promise<void> {
    const open = this.#open!
    const offsets = await open.committer.commit()
    if (offsets.length === 0 || !open.task.commit) return
    this.#durable.push(...offsets)
    if (this.#polling) this.#poll.abort()
    this.#wake?.()
  }

  /** `commitRecord` and `commit`: what they throw is logged, for the records are safe already. */
  async #callBacks(open: OpenSourceTask): Promise<void> {
    const { task, inFlight } = open
    const { logger } = this.#o.environment
    if (inFlight && task.commitRecord) {
      let done = 0
      while (done < inFlight.length && inFlight[done]!.batch?.state !== 'pending') {
        // A batch that the log refused ends the task; only one that was passed over on purpose counts as done.
        if (this.#life.hasFailed && inFlight[done]!.batch?.state === 'failed') break
        const entry = inFlight[done++]!
        try {
          const committing = task.commitRecord(entry.record, metadataOf(entry))
          if (committing) await this.#life.waitFor(committing)
        } catch (error) {
          if (this.#life.hasFailed || this.#life.isCut) throw error
          logger.error({ err: error }, 'commitRecord threw; the task goes on')
        }
      }
      inFlight.splice(0, done)
    }
    if (this.#durable.length === 0) return
    const offsets = this.#durable
    this.#durable = []
    try {
      const committing = task.commit?.(offsets)
      if (committing) await this.#life.waitFor(committing)
    } catch (error) {
      if (this.#life.hasFailed || this.#life.isCut) throw error
      logger.error({ err: error }, 'commit threw; the task goes on')
    }
  }

  /** Invariant 9: what was polled is produced and its offsets are committed before the task is gone. */
  async #shutDown(): Promise<void> {
    this.#commitTimer?.cancel()
    const open = this.#open
    if (open) await this.#life.end(open.shutdownTimeoutMs, () => this.#lastSteps(open))
  }

  async #lastSteps(open: OpenSourceTask): Promise<void> {
    await this.#life.attempt('the last commit of offsets', async () => {
      if (this.#life.isCut) return
      await this.#life.waitFor(this.#flush(open))
      await this.#commitRunning
      const offsets = await this.#life.waitFor(open.committer.commit())
      if (open.task.commit) this.#durable.push(...offsets)
      await this.#callBacks(open)
    })
    await this.#life.attempt('stop', async () => {
      this.#stopCalled ??= this.#callStop()
      if (!this.#life.isCut) await this.#life.waitFor(this.#stopCalled)
    })
    await this.#life.attempt('closing', () => this.#close(open))
  }

  async #callStop(): Promise<void> {
    await this.#open?.task.stop?.()
  }

  async #flush(open: OpenSourceTask): Promise<void> {
    const { clock } = this.#o.environment
    const late = Promise.withResolvers<void>()
    const timer = clock.setTimer(open.flushTimeoutMs, late.resolve)
    await Promise.race([open.producer.flush(), late.promise])
    timer.cancel()
  }
}

function isPromise(value: unknown): value is Promise<PollResult> {
  return typeof value === 'object' && value !== null && typeof (value as { then?: unknown }).then === 'function'
}
