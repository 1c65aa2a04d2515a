import type { Clock, Timer } from '../base/index.ts'

/** Something that is to happen at a time unless it is cancelled before. */
export interface Deadline {
  readonly atMs: number
  cancelled: boolean
  readonly onReached: () => void
}

/** Many deadlines on one timer of the clock: a binary heap whose cancelled entries are dropped when they come up. */
export class Deadlines {
  readonly #clock: Clock
  readonly #heap: Deadline[] = []
  #timer: Timer | undefined
  #timerAtMs = Number.POSITIVE_INFINITY
  #cancelled = 0

  constructor(clock: Clock) {
    this.#clock = clock
  }

  /** Entries that are held, cancelled ones included. */
  get size(): number {
    return this.#heap.length
  }

  /** Calls `onReached` once after `delayMs`. */
  add(delayMs: number, onReached: () => void): Deadline {
    const deadline: Deadline = { atMs: this.#clock.monotonicMs() + delayMs, cancelled: false, onReached }
    this.#heap.push(deadline)
    this.#up(this.#heap.length - 1)
    this.#arm()
    return deadline
  }

  cancel(deadline: Deadline): void {
    if (deadline.cancelled) return
    deadline.cancelled = true
    this.#cancelled++
    // Long waits that are always cancelled early must not pile up.
    if (this.#cancelled > 64 && this.#cancelled > this.#heap.length / 2) this.#compact()
  }

  /** Everything that waits happens now; for a stop. */
  fireAll(): void {
    for (const deadline of this.#heap.splice(0)) {
      if (deadline.cancelled) continue
      deadline.cancelled = true
      deadline.onReached()
    }
    this.#cancelled = 0
  }

  close(): void {
    this.#timer?.cancel()
    this.#timer = undefined
    this.#heap.length = 0
  }

  #compact(): void {
    const live = this.#heap.filter((deadline) => !deadline.cancelled)
    this.#heap.length = 0
    this.#cancelled = 0
    for (const deadline of live) {
      this.#heap.push(deadline)
      this.#up(this.#heap.length - 1)
    }
  }

  #arm(): void {
    const first = this.#heap[0]
    if (first === undefined || (this.#timer !== undefined && this.#timerAtMs <= first.atMs)) return
    this.#timer?.cancel()
    this.#timerAtMs = first.atMs
    const delayMs = Math.max(0, first.atMs - this.#clock.monotonicMs())
    this.#timer = this.#clock.setTimer(delayMs, () => this.#fire(), { unref: true })
  }

  #fire(): void {
    this.#timer = undefined
    const nowMs = this.#clock.monotonicMs()
    for (;;) {
      const first = this.#heap[0]
      // Timers of Node may fire up to a millisecond early.
      if (first === undefined || (!first.cancelled && first.atMs > nowMs + 1)) break
      this.#pop()
      if (first.cancelled) {
        this.#cancelled--
        continue
      }
      first.cancelled = true
      first.onReached()
    }
    this.#arm()
  }

  #pop(): void {
    const last = this.#heap.pop()!
    if (this.#heap.length === 0) return
    this.#heap[0] = last
    let index = 0
    for (;;) {
      const left = index * 2 + 1
      if (left >= this.#heap.length) return
      const right = left + 1
      const smaller = right < this.#heap.length && this.#heap[right]!.atMs < this.#heap[left]!.atMs ? right : left
      if (this.#heap[index]!.atMs <= this.#heap[smaller]!.atMs) return
      this.#swap(index, smaller)
      index = smaller
    }
  }

  #up(from: number): void {
    let index = from
    while (index > 0) {
      const parent = (index - 1) >> 1
      if (this.#heap[parent]!.atMs <= this.#heap[index]!.atMs) return
      this.#swap(index, parent)
      index = parent
    }
  }

  #swap(a: number, b: number): void {
    const held = this.#heap[a]!
    this.#heap[a] = this.#heap[b]!
    this.#heap[b] = held
  }
}
