/**
 * Waits for one promise at a time, and can be made to give up on it. A plain `Promise.race` against a promise that
 * lives as long as the task would keep every finished wait in memory.
 */
export class Interruptible {
  #reject: ((reason: unknown) => void) | undefined
  #reason: { readonly error: unknown } | undefined

  /** Settles as the promise does, or rejects as soon as `interrupt` is called. */
  wait<T>(promise: Promise<T>): Promise<T> {
    if (this.#reason) {
      promise.catch(() => {})
      return Promise.reject(this.#reason.error as Error)
    }
    return new Promise((resolve, reject) => {
      this.#reject = reject
      promise.then(resolve, reject)
    })
  }

  /** Ends the wait at hand and every later one with this error; only the first call counts. */
  interrupt(error: unknown): void {
    if (this.#reason) return
    this.#reason = { error }
    this.#reject?.(error)
  }

  /** Lets waits wait again, for what still has to be done after an interruption. */
  reset(): void {
    this.#reason = undefined
    this.#reject = undefined
  }
}
