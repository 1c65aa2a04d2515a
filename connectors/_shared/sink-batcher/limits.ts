import type { Backoff } from '../retry/index.ts'

/** What bounds requests and memory. */
export interface BatchLimits {
  /** A request is sent when it has so many records, */
  readonly batchRecords: number
  /** or so many bytes, */
  readonly batchBytes: number
  /** or when its first record has waited so long. */
  readonly lingerMs: number
  /** Requests on their way at a time. With 1, everything of one target is written in the order of `put`. */
  readonly maxInFlight: number
  /** `put` waits while so many records are not yet delivered, or delivered but not yet free to be committed, */
  readonly bufferRecords: number
  /** or while what is not delivered has so many bytes. */
  readonly bufferBytes: number
  readonly retry: Backoff
}

export const LIMITS_DEFAULT: BatchLimits = {
  batchRecords: 2000,
  batchBytes: 5 * 1024 * 1024,
  lingerMs: 5,
  maxInFlight: 5,
  bufferRecords: 20_000,
  bufferBytes: 64 * 1024 * 1024,
  retry: { maxRetries: 5, backoffMs: 100, maxBackoffMs: 30_000 },
}
