/** Something whose appended data wants to become durable. */
export interface Syncable {
  /** Makes durable what is there when it is called. Never rejects: a failure is the owner's to tell. */
  syncOnce(): Promise<void>
}

/**
 * Group commit: at most one sync is under way for each log, and the next one covers everything that was appended
 * meanwhile, so that any number of producers share it. Over all logs at most `maxConcurrent` run, because each one holds
 * a thread of Node's small pool.
 */
export class CommitSyncer {
  readonly #maxConcurrent: number
  readonly #waiting = new Set<Syncable>()
  readonly #running = new Set<Syncable>()
  readonly #again = new Set<Syncable>()
  #scheduled = false

  constructor(maxConcurrent: number = 3) {
    this.#maxConcurrent = maxConcurrent
  }

  /** Asks for a sync. It starts after the current turn of the event loop's work, to take its whole harvest along. */
  request(log: Syncable): void {
    if (this.#running.has(log)) {
      this.#again.add(log)
      return
    }
    this.#waiting.add(log)
    if (this.#scheduled) return
    this.#scheduled = true
    queueMicrotask(() => {
      this.#scheduled = false
      this.#pump()
    })
  }

  #pump(): void {
    for (const log of this.#waiting) {
      if (this.#running.size >= this.#maxConcurrent) return
      this.#waiting.delete(log)
      this.#running.add(log)
      void log.syncOnce().then(() => this.#finished(log))
    }
  }

  #finished(log: Syncable): void {
    this.#running.delete(log)
    if (this.#again.delete(log)) this.#waiting.add(log)
    this.#pump()
  }
}
