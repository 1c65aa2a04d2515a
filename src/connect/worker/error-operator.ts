import { ConnectError, isRetriable, type SourceRecord } from '@millrace/sdk'
import { type Clock, type Random, sleep } from '../../base/index.ts'
import type { IncomingRecord } from './log-clients.ts'
import type { ErrorCounters } from './task-metrics.ts'

/** Where in a task's work something failed; Kafka's names. */
export type Stage =
  | 'TASK_POLL'
  | 'TASK_PUT'
  | 'TRANSFORMATION'
  | 'KEY_CONVERTER'
  | 'VALUE_CONVERTER'
  | 'HEADER_CONVERTER'
  | 'KAFKA_PRODUCE'
  | 'KAFKA_CONSUME'

/** What failed, for reports. */
export interface Failure {
  readonly stage: Stage
  /** The class that was executing, as the user knows it. */
  readonly className: string
  readonly error: unknown
  /** How often the operation was tried. */
  readonly attempts: number
  /** Sinks: the record as it was in the log. */
  readonly consumed: IncomingRecord | null
  /** Sources: where the record goes to, and the record itself where one and not a batch failed. */
  readonly source: { readonly topic: string; readonly record: SourceRecord | null } | null
}

/** Takes failures: the log, a dead letter queue. A promise is one that offsets must wait for. */
export interface ErrorReporter {
  report(failure: Failure): Promise<void> | undefined
}

export interface ErrorSettings {
  /** How long a RetriableError is tried again, in milliseconds; -1 is for ever. */
  readonly retryTimeoutMs: number
  readonly retryDelayMaxMs: number
  readonly tolerance: 'none' | 'all'
}

/** The record was skipped: tolerated, counted and reported. */
export const SKIPPED: unique symbol = Symbol('skipped')

const RETRY_DELAY_MIN_MS = 300

/** In these stages any error may be tolerated; elsewhere only a RetriableError, for the rest is not about one record. */
const ANY_ERROR: ReadonlySet<Stage> = new Set([
  'TRANSFORMATION',
  'KEY_CONVERTER',
  'VALUE_CONVERTER',
  'HEADER_CONVERTER',
])

/** The wait before try `attempt` + 1: 300 ms doubled each time, and above the cap a random part of the cap. */
export function retryDelayMs(attempt: number, maxDelayMs: number, random: Random): number {
  const delay = RETRY_DELAY_MIN_MS * 2 ** Math.min(attempt - 1, 40)
  return delay > maxDelayMs ? Math.floor(random.next() * maxDelayMs) : delay
}

export interface ErrorOperatorOptions {
  readonly settings: ErrorSettings
  readonly reporters: readonly ErrorReporter[]
  readonly counters: ErrorCounters
  readonly clock: Clock
  readonly random: Random
  /** Aborts when the task stops: waiting between tries ends. */
  readonly signal: AbortSignal
}

type About = Omit<Failure, 'error' | 'attempts'>

/**
 * The one place that decides what becomes of a failure: try again, skip and report, or fail the task.
 * Invariant 3: every way out of here is a result, a counted and reported skip, or an error that fails the task.
 */
export class ErrorOperator {
  readonly #options: ErrorOperatorOptions

  constructor(options: ErrorOperatorOptions) {
    this.#options = options
  }

  get hasReporters(): boolean {
    return this.#options.reporters.length > 0
  }

  /** Runs an operation that may be tried again; `onReport` gets what offsets have to wait for. */
  async run<T>(
    about: About,
    operation: () => T | Promise<T>,
    onReport: (pending: Promise<void>) => void,
  ): Promise<T | typeof SKIPPED> {
    const { settings, clock, random, counters, signal } = this.#options
    const startedMs = clock.monotonicMs()
    for (let attempts = 1; ; attempts++) {
      try {
        return await operation()
      } catch (error) {
        counters.failures++
        counters.lastErrorMs = clock.now()
        signal.throwIfAborted()
        const spentMs = clock.monotonicMs() - startedMs
        const mayRetry = isRetriable(error) && (settings.retryTimeoutMs < 0 || spentMs < settings.retryTimeoutMs)
        if (!mayRetry) return this.#giveUp({ ...about, error, attempts }, onReport)
        counters.retries++
        const leftMs = settings.retryTimeoutMs < 0 ? Number.POSITIVE_INFINITY : settings.retryTimeoutMs - spentMs
        const wantedMs = error.retryAfterMs ?? retryDelayMs(attempts, settings.retryDelayMaxMs, random)
        await sleep(clock, Math.min(wantedMs, leftMs), signal)
      }
    }
  }

  /** A record that a sink task itself says it cannot write (KIP-610). */
  async reportErrant(about: About, error: Error, onReport: (pending: Promise<void>) => void): Promise<void> {
    const { counters, clock } = this.#options
    counters.failures++
    counters.lastErrorMs = clock.now()
    const failure: Failure = { ...about, error, attempts: 1 }
    await this.#report(failure, onReport)
    if (this.#options.settings.tolerance === 'all') counters.skipped++
    else throw this.#exceeded(error)
  }

  /** A batch that the log refused for good; true when its records may be skipped (KIP-779). */
  tolerateProduceFailure(about: About, error: unknown, records: number): boolean {
    const { counters, clock, settings } = this.#options
    counters.failures += records
    counters.lastErrorMs = clock.now()
    if (settings.tolerance === 'none') {
      counters.errors += records
      return false
    }
    counters.skipped += records
    for (const reporter of this.#options.reporters) void reporter.report({ ...about, error, attempts: 1 })
    return true
  }

  async #giveUp(failure: Failure, onReport: (pending: Promise<void>) => void): Promise<typeof SKIPPED> {
    const { settings, counters } = this.#options
    const { stage, error } = failure
    if (!ANY_ERROR.has(stage) && !isRetriable(error)) {
      counters.errors++
      throw error
    }
    await this.#report(failure, onReport)
    if (settings.tolerance === 'none') {
      counters.errors++
      throw this.#exceeded(error)
    }
    counters.skipped++
    return SKIPPED
  }

  /** With tolerance none the task ends next, so its last report must be durable before. */
  async #report(failure: Failure, onReport: (pending: Promise<void>) => void): Promise<void> {
    for (const reporter of this.#options.reporters) {
      const pending = reporter.report(failure)
      if (!pending) continue
      if (this.#options.settings.tolerance === 'none') await pending
      else onReport(pending)
    }
  }

  #exceeded(cause: unknown): ConnectError {
    return new ConnectError('Tolerance exceeded in error handler', { cause })
  }
}
