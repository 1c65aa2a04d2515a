import type { SourcePosition, SourceRecord } from '@millrace/sdk'

export type QueueItem = SourceRecord | SourcePosition

/** What waits between the connection and `poll`: bounded in records and bytes, with one reader. */
export class RecordQueue {
  readonly #recordsMax: number
  readonly #bytesMax: number
  #items: QueueItem[] = []
  #sizes: number[] = []
  #head = 0
  #bytes = 0
  #failure: Error | undefined
  #finished = false
  #onData: (() => void) | undefined
  /** Called when a full queue has room again. */
  onRoom: (() => void) | undefined

  constructor(recordsMax: number, bytesMax: number) {
    this.#recordsMax = recordsMax
    this.#bytesMax = bytesMax
  }

  get length(): number {
    return this.#items.length - this.#head
  }

  get isFull(): boolean {
    return this.length >= this.#recordsMax || this.#bytes >= this.#bytesMax
  }

  /** Adds one; the reader is woken by `wake`, once for many. */
  push(item: QueueItem, bytes: number): void {
    this.#items.push(item)
    this.#sizes.push(bytes)
    this.#bytes += bytes
  }

  wake(): void {
    const onData = this.#onData
    this.#onData = undefined
    onData?.()
  }

  /** No more will come; what waits is still given. */
  finish(): void {
    this.#finished = true
    this.wake()
  }

  /** What waits is given first, then the error. */
  fail(error: Error): void {
    this.#failure ??= error
    this.wake()
  }

  /** At most so many; throws the error once nothing else waits. `finished` when no more will come. */
  take(max: number): readonly QueueItem[] | 'finished' {
    const count = Math.min(max, this.length)
    if (count === 0) {
      if (this.#failure !== undefined) throw this.#failure
      return this.#finished ? 'finished' : []
    }
    const wasFull = this.isFull
    let batch: QueueItem[]
    if (count === this.#items.length) {
      batch = this.#items
      this.#items = []
      this.#sizes = []
      this.#head = 0
      this.#bytes = 0
    } else {
      batch = this.#items.slice(this.#head, this.#head + count)
      for (let index = 0; index < count; index++) this.#bytes -= this.#sizes[this.#head + index] as number
      this.#head += count
      this.#compact()
    }
    if (wasFull && !this.isFull) this.onRoom?.()
    return batch
  }

  /** Forgets what was taken once it is the larger part. */
  #compact(): void {
    if (this.#head * 2 < this.#items.length) return
    this.#items = this.#items.slice(this.#head)
    this.#sizes = this.#sizes.slice(this.#head)
    this.#head = 0
  }

  /** Resolves when something waits, the queue ended, the time is over or the signal aborts. */
  async waitForData(timeoutMs: number, signal: AbortSignal): Promise<void> {
    if (this.length > 0 || this.#failure !== undefined || this.#finished || signal.aborted) return
    await new Promise<void>((resolve) => {
      const done = (): void => {
        clearTimeout(timer)
        signal.removeEventListener('abort', done)
        this.#onData = undefined
        resolve()
      }
      const timer = setTimeout(done, timeoutMs)
      signal.addEventListener('abort', done, { once: true })
      this.#onData = done
    })
  }
}
