import { type Backoff, backoffMs } from './backoff.ts'
import type { Failure } from './failure.ts'
import { pause } from './pause.ts'

/** How waits are done, so that tests need none. */
export interface Pauses {
  /** Resolves after the time, or at once when the signal aborts. */
  pause(ms: number, signal?: AbortSignal): Promise<void>
  random(): number
}

export const realPauses: Pauses = { pause, random: Math.random }

export interface RetryOptions {
  readonly backoff: Backoff
  readonly classify: (error: unknown) => Failure
  /** Ends the waiting; the last failure is thrown then. */
  readonly signal?: AbortSignal
  /** Called before each wait, for a line in the log. */
  readonly onRetry?: (failure: Failure, retry: number, waitMs: number) => void
  readonly pauses?: Pauses
}

/** Runs an operation that may be repeated until it succeeds, fails for good, or has had its retries; then throws its error. */
export async function withRetries<T>(operation: () => Promise<T>, options: RetryOptions): Promise<T> {
  const { backoff, classify, signal, onRetry, pauses = realPauses } = options
  for (let retry = 1; ; retry++) {
    try {
      return await operation()
    } catch (error) {
      const failure = classify(error)
      if (failure.kind !== 'retriable' || retry > backoff.maxRetries || signal?.aborted) throw failure.error
      const waitMs = backoffMs(backoff, retry, pauses.random, failure.retryAfterMs)
      onRetry?.(failure, retry, waitMs)
      await pauses.pause(waitMs, signal)
      if (signal?.aborted) throw failure.error
    }
  }
}
