/** A timer that was set on a Clock; cancelling one that has fired does nothing. */
export interface Timer {
  cancel(): void
}

/** Time as a parameter, so that a simulation can own it. */
export interface Clock {
  /** Wall clock in milliseconds since the Unix epoch. */
  now(): number
  /** Milliseconds that never go back; only differences mean something. */
  monotonicMs(): number
  /** Calls `fn` once after `delayMs`. A pending timer does not keep the process alive when `unref` is set. */
  setTimer(delayMs: number, fn: () => void, options?: { unref?: boolean }): Timer
}

/** Resolves after `delayMs`; rejects with the signal's reason when it aborts first. */
export function sleep(clock: Clock, delayMs: number, signal?: AbortSignal): Promise<void> {
  return new Promise((resolve, reject) => {
    if (signal?.aborted) {
      reject(signal.reason as Error)
      return
    }
    const onAbort = () => {
      timer.cancel()
      reject(signal!.reason as Error)
    }
    const timer = clock.setTimer(delayMs, () => {
      signal?.removeEventListener('abort', onAbort)
      resolve()
    })
    signal?.addEventListener('abort', onAbort, { once: true })
  })
}
