import type { Clock } from '../../base/index.ts'

/** Waits for the work, but no longer than the limit; true when the work was done in time. Failures of the work are the caller's to see elsewhere. */
export function within(clock: Clock, limitMs: number, work: Promise<unknown>): Promise<boolean> {
  return new Promise((resolve) => {
    const timer = clock.setTimer(limitMs, () => resolve(false))
    const done = () => {
      timer.cancel()
      resolve(true)
    }
    work.then(done, done)
  })
}
