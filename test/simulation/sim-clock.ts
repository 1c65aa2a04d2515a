import type { Clock, Timer } from '../../src/base/index.ts'

interface Entry {
  readonly at: number
  readonly order: number
  readonly fn: () => void
}

const EPOCH_MS = 1_700_000_000_000

/** Lets everything that waits for promises run until it waits for time or I/O. */
export function drain(): Promise<void> {
  return new Promise((resolve) => setImmediate(resolve))
}

/** Virtual time: timers fire in order when the simulation steps, and no real time passes. */
export class SimClock implements Clock {
  #nowMs = 0
  #order = 0
  #entries: Entry[] = []

  now(): number {
    return EPOCH_MS + Math.floor(this.#nowMs)
  }

  monotonicMs(): number {
    return this.#nowMs
  }

  setTimer(delayMs: number, fn: () => void): Timer {
    const entry = { at: this.#nowMs + Math.max(0, delayMs), order: this.#order++, fn }
    this.#entries.push(entry)
    return {
      cancel: () => {
        this.#entries = this.#entries.filter((other) => other !== entry)
      },
    }
  }

  /** Moves time to the next timer within `limitMs` and fires it; false, and time at the limit, when there is none. */
  #fireNext(limitMs: number): boolean {
    let next: Entry | undefined
    for (const entry of this.#entries) {
      if (!next || entry.at < next.at || (entry.at === next.at && entry.order < next.order)) next = entry
    }
    if (!next || next.at > limitMs) {
      this.#nowMs = limitMs
      return false
    }
    this.#entries = this.#entries.filter((entry) => entry !== next)
    this.#nowMs = Math.max(this.#nowMs, next.at)
    next.fn()
    return true
  }

  /** Lets `ms` pass. */
  async advance(ms: number): Promise<void> {
    const limit = this.#nowMs + ms
    await drain()
    while (this.#fireNext(limit)) await drain()
  }

  /** Lets time pass until the promise settles; fails when nothing is left that could settle it. */
  async settle<T>(promise: Promise<T>, limitMs: number = 3_600_000): Promise<T> {
    let settled = false
    const mark = () => {
      settled = true
    }
    promise.then(mark, mark)
    const limit = this.#nowMs + limitMs
    await drain()
    while (!settled) {
      if (!this.#fireNext(limit)) throw new Error('the simulation stands still: nothing is left that could happen')
      await drain()
    }
    return promise
  }
}
