import { pause } from '../_shared/retry/index.ts'

/** A timer cannot hold more; a longer wait ends early, which only means to look once more. */
const TIMER_MS_MAX = 2 ** 31 - 1

/** An interval of a configuration as a timer can hold it. */
export function timerMs(seconds: number): number {
  return Math.min(seconds * 1000, TIMER_MS_MAX)
}

export interface Repeated {
  readonly intervalSeconds: number
  /** Runs at once, and not only after the first interval. */
  readonly atOnce: boolean
  readonly work: () => Promise<void>
  /** Told of each failure; the work is done again after the next interval. */
  readonly onFailure: (error: unknown) => void
}

/** Does work again and again until the signal aborts; resolves when the last run has ended. */
export async function repeat(
  { intervalSeconds, atOnce, work, onFailure }: Repeated,
  signal: AbortSignal,
): Promise<void> {
  const intervalMs = timerMs(intervalSeconds)
  if (!atOnce) await pause(intervalMs, signal)
  while (!signal.aborted) {
    try {
      await work()
    } catch (error) {
      if (!signal.aborted) onFailure(error)
    }
    await pause(intervalMs, signal)
  }
}
