import type { Clock } from '../clock.ts'

/** The machine's clock. */
export const realClock: Clock = {
  now: () => Date.now(),
  monotonicMs: () => performance.now(),
  setTimer(delayMs, fn, options) {
    const handle = setTimeout(fn, Math.max(0, Math.min(delayMs, 0x7fffffff)))
    if (options?.unref) handle.unref()
    return { cancel: () => clearTimeout(handle) }
  },
}
