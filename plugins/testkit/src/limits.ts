/** How much the checks do and how long they wait. */
export interface Limits {
  /** How often a task is started and stopped. */
  readonly starts: number
  /** Events, or records, of one run. */
  readonly events: number
  /** Runs that are killed, each at another point. */
  readonly kills: number
  /** What is waited for at most: only what never happens takes so long. */
  readonly deadlineMs: number
  /** How long a task may take to stop; the worker's own `task.shutdown.graceful.timeout.ms` is 5000. */
  readonly stopDeadlineMs: number
  /** Events of the checks of back-pressure, and the bytes of text that each carries. */
  readonly floodEvents: number
  readonly floodEventBytes: number
}

/** What holds where a plugin says nothing else. */
export const DEFAULT_LIMITS: Limits = {
  starts: 100,
  events: 6,
  kills: 8,
  deadlineMs: 60_000,
  stopDeadlineMs: 30_000,
  floodEvents: 1000,
  floodEventBytes: 64 * 1024,
}
