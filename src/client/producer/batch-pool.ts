import type { BatchMemory } from '../../record/index.ts'

/**
 * Memory of batches that were acknowledged, for the next ones. Fresh memory for every batch costs page faults, and it
 * makes V8 collect the whole heap every few tens of megabytes.
 */
export class BatchPool implements BatchMemory {
  readonly #maxBytes: number
  readonly #free: Buffer[] = []
  #bytes = 0

  /** `maxBytes` bounds what is kept while nobody uses it. */
  constructor(maxBytes: number) {
    this.#maxBytes = maxBytes
  }

  /** The largest free one if it suffices, so that batches need not grow step by step. */
  take(bytes: number): Buffer {
    let largest = 0
    for (let index = 1; index < this.#free.length; index++) {
      if (this.#free[index]!.length > this.#free[largest]!.length) largest = index
    }
    const found = this.#free[largest]
    if (found === undefined || found.length < bytes) return Buffer.allocUnsafeSlow(bytes)
    this.#free[largest] = this.#free.at(-1)!
    this.#free.pop()
    this.#bytes -= found.length
    return found
  }

  give(memory: Buffer): void {
    // A batch is a view of the beginning of its memory.
    const whole = Buffer.from(memory.buffer as ArrayBuffer)
    if (this.#bytes + whole.length > this.#maxBytes) return
    this.#free.push(whole)
    this.#bytes += whole.length
  }
}
