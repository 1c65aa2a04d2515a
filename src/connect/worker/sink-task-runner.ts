import {
  isRetriable,
  type SinkRecord,
  type SinkTask,
  type TopicPartition,
  type TopicPartitionOffset,
} from '@millrace/sdk'
import type { IncomingRecord, LogConsumer, LogProducer, RebalanceListener } from './log-clients.ts'
import { keyOf, SinkOffsets } from './sink-offsets.ts'
import type { SinkPipeline } from './sink-pipeline.ts'
import { TaskLife } from './task-life.ts'
import type { TaskCounters } from './task-metrics.ts'
import { CutOffError, type UnitEnvironment, type UnitEvents, type UnitRunner } from './unit-runner.ts'
import type { MetricSample, StateDetail, TargetState, TaskId } from './worker.ts'

/** A sink task with everything around it, ready to run. */
export interface OpenSinkTask {
  readonly task: SinkTask
  readonly pipeline: SinkPipeline
  /** Subscribes; the listener is called from within `poll` and `close`. */
  readonly consumer: LogConsumer
  /** Of the dead letter queue. */
  /** What writes to the log for the task. */
  readonly producer: Pick<LogProducer, 'close'> | null
  readonly flushIntervalMs: number
  readonly flushTimeoutMs: number
  readonly shutdownTimeoutMs: number
  /** Closes transformations, and the clients that the task got for itself. */
  readonly closePlugins: () => Promise<void> | void
}

/** What a sink task's context and pipeline need of its runner. */
export interface SinkTaskHooks {
  readonly counters: TaskCounters
  readonly signal: AbortSignal
  readonly offsets: SinkOffsets
  readonly listener: RebalanceListener
  readonly control: SinkControl
}

/** The requests of a sink task to the runtime, made through its context. */
export interface SinkControl {
  rewind(offsets: readonly TopicPartitionOffset[]): void
  timeout(delayMs: number): void
  pause(partitions: readonly TopicPartition[]): void
  resume(partitions: readonly TopicPartition[]): void
  requestCommit(): void
}

export interface SinkTaskRunnerOptions {
  readonly id: TaskId
  readonly target: TargetState
  readonly environment: UnitEnvironment
  readonly events: UnitEvents
  readonly counters: TaskCounters
  readonly version: string
  readonly open: (hooks: SinkTaskHooks) => Promise<OpenSinkTask>
}

/** Records that `put` has not taken yet. */
interface Batch {
  records: SinkRecord[]
  /** The next offset of each partition once the batch is taken; also over records that were dropped. */
  readonly ends: Map<string, TopicPartitionOffset>
}

const RETRY_MS = 1000
const MAX_WAIT_MS = 60_000

/** Runs one sink task: poll, convert, put, commit, in one loop so that calls into the plugin never overlap. */
export class SinkTaskRunner implements UnitRunner {
  readonly #o: SinkTaskRunnerOptions
  readonly #life: TaskLife
  readonly #offsets = new SinkOffsets()
  readonly #pausedByTask = new Set<string>()
  readonly #topicsUsed = new Set<string>()
  #poll = new AbortController()
  #target: TargetState
  #entered: 'RUNNING' | 'PAUSED' | undefined
  #open: OpenSinkTask | undefined
  #running: Promise<void> | undefined
  #pending: Batch | undefined
  #retryAtMs = 0
  #askedTimeoutMs: number | undefined
  #rewinds: TopicPartitionOffset[] = []
  #commitRequested = false
  #nextCommitMs = 0
  #closing = false

  constructor(options: SinkTaskRunnerOptions) {
    this.#o = options
    this.#target = options.target
    const { clock, logger } = options.environment
    this.#life = new TaskLife({ clock, logger, wake: () => this.#poll.abort(WOKEN) })
  }

  run(): Promise<void> {
    this.#running ??= this.#run()
    return this.#running
  }

  setTarget(target: TargetState): void {
    this.#target = target
    this.#poll.abort(WOKEN)
  }

  fail(error: unknown): void {
    this.#life.fail(error)
  }

  stop(timeoutMs: number): Promise<boolean> {
    return this.#life.stop(timeoutMs, () => this.#running)
  }

  samples(): readonly MetricSample[] {
    const { id, counters, environment } = this.#o
    let lag = 0
    for (const partition of this.#closing ? [] : this.#offsets.list()) {
      try {
        lag = Math.max(lag, this.#open?.consumer.lag(partition) ?? 0)
      } catch {
        // The partition has just been revoked.
      }
    }
    counters.lagMax = lag
    counters.partitions = this.#offsets.list().length
    counters.activeNow = this.#pending?.records.length ?? 0
    return counters.samples(id, 'sink', environment.clock.monotonicMs())
  }

  get #now(): number {
    return this.#o.environment.clock.monotonicMs()
  }

  async #run(): Promise<void> {
    try {
      this.#open = await this.#life.open(this.#o.open(this.#hooks()), (open) => this.#close(open))
      const starting = this.#open.task.start?.()
      if (starting) await this.#life.waitFor(starting)
      this.#nextCommitMs = this.#now + this.#open.flushIntervalMs
      await this.#loop(this.#open)
    } catch (error) {
      this.#life.caught(error)
    }
    await this.#shutDown()
    const trace = this.#life.tellFailure()
    if (trace !== undefined) this.#enter('FAILED', { trace })
    else this.#o.counters.enter('UNASSIGNED', this.#now)
  }

  #hooks(): SinkTaskHooks {
    const { counters } = this.#o
    const keysOf = (partitions: readonly TopicPartition[]) => partitions.map(keyOf)
    return {
      counters,
      signal: this.#life.signal,
      offsets: this.#offsets,
      listener: {
        onAssigned: (partitions) => this.#listen(() => this.#assigned(partitions)),
        onRevoked: (partitions) => this.#listen(() => this.#revoked(partitions, true)),
        onLost: (partitions) => this.#listen(() => this.#revoked(partitions, false)),
      },
      control: {
        rewind: (offsets) => void this.#rewinds.push(...offsets),
        timeout: (delayMs) => {
          this.#askedTimeoutMs = delayMs
        },
        pause: (partitions) => {
          for (const key of keysOf(partitions)) this.#pausedByTask.add(key)
          this.#open?.consumer.pause(partitions.filter((partition) => this.#offsets.has(partition)))
        },
        resume: (partitions) => {
          for (const key of keysOf(partitions)) this.#pausedByTask.delete(key)
          this.#applyPauses()
        },
        requestCommit: () => {
          this.#commitRequested = true
          this.#poll.abort(WOKEN)
        },
      },
    }
  }

  #enter(state: 'RUNNING' | 'PAUSED' | 'FAILED', detail: StateDetail = {}): void {
    const { counters, events, version } = this.#o
    counters.enter(state, this.#now)
    events.onState(state, { version, ...detail })
  }

  async #loop(open: OpenSinkTask): Promise<void> {
    while (!this.#life.isStopping) {
      this.#life.throwIfFailed()
      const wanted = this.#target === 'STARTED' ? 'RUNNING' : 'PAUSED'
      if (this.#entered !== wanted) {
        this.#entered = wanted
        this.#applyPauses()
        this.#enter(wanted)
      }
      if (this.#commitRequested || this.#now >= this.#nextCommitMs) await this.#commit(this.#offsets.list(), false)
      this.#applyRewinds()
      await this.#read(open)
      if (!this.#life.isStopping) await this.#deliver(open)
    }
  }

  /** On its own, so that nothing holds what was read while `put` has it: the bytes of the log weigh more than its records. */
  async #read(open: OpenSinkTask): Promise<void> {
    const consumed = this.#withoutRewound(await this.#pollOnce(open))
    this.#life.throwIfFailed()
    if (consumed.length > 0) await this.#take(open, consumed)
  }

  async #pollOnce(open: OpenSinkTask): Promise<readonly IncomingRecord[]> {
    // A signal for each poll, so that listeners on it do not pile up.
    this.#poll = new AbortController()
    // What would end a poll may have come just before it.
    const isOutdated = (this.#target === 'STARTED') !== (this.#entered === 'RUNNING')
    if (this.#life.isStopping || this.#life.hasFailed || this.#commitRequested || isOutdated) return []
    const untilMs = Math.min(this.#nextCommitMs, this.#pending ? this.#retryAtMs : Number.POSITIVE_INFINITY)
    let waitMs = Math.min(MAX_WAIT_MS, Math.max(0, untilMs - this.#now))
    if (this.#askedTimeoutMs !== undefined && !this.#pending) waitMs = Math.min(waitMs, this.#askedTimeoutMs)
    return this.#life.waitFor(open.consumer.poll(waitMs, this.#poll.signal))
  }

  /** Converts what was read; nothing counts as delivered before `put` took it. */
  async #take(open: OpenSinkTask, consumed: readonly IncomingRecord[]): Promise<void> {
    const { counters, events } = this.#o
    counters.recordsIn += consumed.length
    const records = await this.#life.waitFor(open.pipeline.convert(consumed))
    const ends = this.#pending?.ends ?? new Map<string, TopicPartitionOffset>()
    for (let index = 0; index < consumed.length; index++) {
      const { topic, partition, offset } = consumed[index]!
      const next = consumed[index + 1]
      // Records come partition by partition: only the last of each row counts.
      if (next?.partition === partition && next.topic === topic) continue
      ends.set(keyOf({ topic, partition }), { topic, partition, offset: offset + 1 })
      if (this.#topicsUsed.has(topic)) continue
      this.#topicsUsed.add(topic)
      events.onTopicUsed(topic)
    }
    this.#pending = { records: this.#pending ? [...this.#pending.records, ...records] : records, ends }
    counters.active.add(this.#pending.records.length)
  }

  /** Gives the batch to the task; also an empty one, which some sinks take as their clock. */
  async #deliver(open: OpenSinkTask): Promise<void> {
    const { counters } = this.#o
    const batch = this.#pending
    if (batch && this.#now < this.#retryAtMs) return
    const records = batch?.records ?? []
    this.#askedTimeoutMs = undefined
    const startedMs = this.#now
    try {
      const putting = open.task.put(records)
      if (putting) await this.#life.waitFor(putting)
    } catch (error) {
      if (this.#life.hasFailed || this.#life.isCut || !isRetriable(error)) throw error
      this.#retryLater(batch ?? { records: [], ends: new Map() }, error, error.retryAfterMs)
      return
    }
    counters.callMs.add(this.#now - startedMs)
    if (!batch) return
    const wasRetrying = this.#retryAtMs > 0
    this.#pending = undefined
    this.#retryAtMs = 0
    // Invariant 2: only now do the offsets move on, also over what was dropped or skipped on the way.
    for (const end of batch.ends.values()) this.#offsets.delivered(end)
    counters.recordsOut += records.length
    if (records.length > 0) counters.batchSize.add(records.length)
    if (wasRetrying) this.#applyPauses()
  }

  /** The same batch comes again; until then nothing is read, but polling goes on so that the group keeps this member. */
  #retryLater(batch: Batch, error: unknown, retryAfterMs: number | undefined): void {
    const { counters, environment } = this.#o
    environment.logger.warn({ err: error }, 'put asked for a retry; the same batch is delivered again')
    counters.error.retries++
    this.#pending = batch
    this.#retryAtMs = this.#now + (this.#askedTimeoutMs ?? retryAfterMs ?? RETRY_MS)
    this.#applyPauses()
  }

  /** Everything is paused while the connector is paused or a batch waits; else what the task itself paused. */
  #applyPauses(): void {
    const consumer = this.#open?.consumer
    if (!consumer) return
    const all = this.#offsets.list()
    const everything = this.#target !== 'STARTED' || this.#retryAtMs > 0
    const isPaused = (partition: TopicPartition) => everything || this.#pausedByTask.has(keyOf(partition))
    consumer.pause(all.filter(isPaused))
    consumer.resume(all.filter((partition) => !isPaused(partition)))
  }

  /** A rewind that was asked for during the poll: what was read ahead of it is read again, in its place. */
  #withoutRewound(consumed: readonly IncomingRecord[]): readonly IncomingRecord[] {
    if (this.#rewinds.length === 0) return consumed
    const rewound = new Set(this.#rewinds.map(keyOf))
    this.#applyRewinds()
    return consumed.filter((record) => !rewound.has(keyOf(record)))
  }

  #applyRewinds(): void {
    if (this.#rewinds.length === 0) return
    const rewinds = this.#rewinds
    this.#rewinds = []
    for (const offset of rewinds) {
      if (!this.#offsets.has(offset)) continue
      this.#open!.consumer.seek(offset, offset.offset)
      this.#offsets.rewind(offset)
      this.#dropPending(offset)
    }
    this.#applyPauses()
  }

  #dropPending(partition: TopicPartition): void {
    if (!this.#pending) return
    this.#pending.ends.delete(keyOf(partition))
    this.#pending.records = this.#pending.records.filter(
      (record) => record.originalTopic !== partition.topic || record.originalPartition !== partition.partition,
    )
    if (this.#pending.ends.size > 0) return
    this.#pending = undefined
    this.#retryAtMs = 0
  }

  /** Errors in the listener are the task's, whoever calls it. */
  async #listen(action: () => Promise<void>): Promise<void> {
    try {
      await action()
    } catch (error) {
      if (!(error instanceof CutOffError)) this.fail(error)
    }
  }

  async #assigned(partitions: readonly TopicPartition[]): Promise<void> {
    const open = this.#open!
    for (const partition of partitions) {
      const offset = await open.consumer.position(partition)
      this.#offsets.assign({ ...partition, offset: offset ?? 0 })
    }
    if (partitions.length > 0) await open.task.open?.(partitions)
    this.#applyRewinds()
    this.#applyPauses()
  }

  async #revoked(partitions: readonly TopicPartition[], mayCommit: boolean): Promise<void> {
    const mine = partitions.filter((partition) => this.#offsets.has(partition))
    if (mine.length === 0) return
    for (const partition of mine) this.#dropPending(partition)
    // Also after a failure, as Kafka: what was taken before it is not delivered again.
    if (mayCommit) await this.#commit(mine, true)
    try {
      await this.#open!.task.close?.(mine)
    } finally {
      for (const partition of mine) {
        this.#offsets.remove(partition)
        this.#pausedByTask.delete(keyOf(partition))
      }
      // The batch that waited for its retry may have gone with its partition: the others are read again.
      this.#applyPauses()
    }
  }

  /** Asks the task what is durable and commits that. */
  async #commit(partitions: readonly TopicPartition[], closing: boolean): Promise<void> {
    const { counters, environment } = this.#o
    const open = this.#open!
    this.#commitRequested = false
    this.#nextCommitMs = this.#now + open.flushIntervalMs
    const delivered = this.#offsets.deliveredOf(partitions)
    if (delivered.length === 0) return
    const startedMs = this.#now
    // Invariant 3: a record that went to the dead letter queue is durable there before its offset is committed.
    await this.#offsets.reported(partitions)
    let answer: readonly TopicPartitionOffset[]
    try {
      answer = open.task.preCommit ? await open.task.preCommit(delivered) : delivered
    } catch (error) {
      counters.commitFailures++
      environment.logger.error({ err: error }, 'preCommit failed; what was not committed is delivered again')
      if (!closing) this.#rewinds.push(...this.#offsets.committedOf(partitions))
      return
    }
    const { commit, ignored } = this.#offsets.plan(answer)
    for (const { offset, reason } of ignored)
      environment.logger.warn({ ...offset, reason }, 'an offset is not committed')
    if (commit.length === 0) {
      counters.commitsSkipped++
      return
    }
    try {
      await this.#withTimeout(open.consumer.commit(commit), open.flushTimeoutMs)
      this.#offsets.committed(commit)
      counters.commits++
      counters.commitMs.add(this.#now - startedMs)
    } catch (error) {
      counters.commitFailures++
      environment.logger.warn({ err: error }, 'offsets could not be committed; trying again with the next commit')
    }
  }

  async #withTimeout(work: Promise<void>, timeoutMs: number): Promise<void> {
    const late = Promise.withResolvers<never>()
    const fail = () => late.reject(new Error(`the commit was not answered within ${timeoutMs} ms`))
    const timer = this.#o.environment.clock.setTimer(timeoutMs, fail)
    work.catch(() => {})
    try {
      await Promise.race([work, late.promise])
    } finally {
      timer.cancel()
    }
  }

  /** Invariant 9: what `put` took is committed before the task is gone. Closing the consumer revokes its partitions. */
  async #shutDown(): Promise<void> {
    const open = this.#open
    if (open) await this.#life.end(open.shutdownTimeoutMs, () => this.#lastSteps(open))
  }

  async #lastSteps(open: OpenSinkTask): Promise<void> {
    const remaining = this.#offsets.list()
    await this.#life.attempt('the last commit', async () => {
      if (!this.#life.isCut) await this.#life.waitFor(this.#revoked(remaining, true))
    })
    this.#closing = true
    await this.#life.attempt('stop', async () => {
      if (this.#life.isCut) return
      const stopping = open.task.stop?.()
      if (stopping) await this.#life.waitFor(stopping)
    })
    await this.#life.attempt('closing', () => this.#close(open))
  }

  async #close(open: OpenSinkTask): Promise<void> {
    await Promise.all([
      open.closePlugins(),
      open.consumer.close({ timeoutMs: this.#life.isCut ? 0 : open.flushTimeoutMs }),
      open.producer?.close({ timeoutMs: this.#life.isCut ? 0 : open.flushTimeoutMs }),
    ])
  }
}

const WOKEN = new Error('poll was woken up')
