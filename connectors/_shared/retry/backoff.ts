/** How often and after which waits something is tried again. */
export interface Backoff {
  /** Tries after the first one; Infinity for no end. */
  readonly maxRetries: number
  /** The wait before the first retry; it doubles with each further one. */
  readonly backoffMs: number
  readonly maxBackoffMs: number
}

/**
 * The wait before a retry, the first being number 1: exponential, and between half and all of that by chance, so that tasks
 * which failed together do not come back together. Never less than what the other side asked for.
 */
export function backoffMs(backoff: Backoff, retry: number, random: () => number, askedMs = 0): number {
  const grown = Math.min(backoff.maxBackoffMs, backoff.backoffMs * 2 ** Math.min(retry - 1, 50))
  return Math.max(askedMs, Math.round(grown / 2 + (grown / 2) * random()))
}
