const SMALLEST = 4096
const LARGEST = 1 << 20

/**
 * Buffers for requests, used again and again: memory outside of V8's heap makes it collect garbage by its amount, and a
 * produce request is thrown away as soon as it is in the file. Sizes are powers of two; larger requests get their own.
 */
export class FramePool {
  readonly #limitBytes: number
  readonly #free = new Map<number, Buffer[]>()
  #freeBytes = 0

  constructor(limitBytes: number) {
    this.#limitBytes = limitBytes
  }

  /** Bytes that wait to be used again. */
  get freeBytes(): number {
    return this.#freeBytes
  }

  /** A buffer of at least this size, with anything in it. */
  take(size: number): Buffer {
    if (size > LARGEST) return Buffer.allocUnsafeSlow(size)
    const rounded = Math.max(SMALLEST, 2 ** Math.ceil(Math.log2(size)))
    const buffer = this.#free.get(rounded)?.pop()
    if (buffer === undefined) return Buffer.allocUnsafeSlow(rounded)
    this.#freeBytes -= rounded
    return buffer
  }

  /** Gives back a buffer that `take` returned and nobody uses any more. */
  give(buffer: Buffer): void {
    const { length } = buffer
    if (length > LARGEST || this.#freeBytes + length > this.#limitBytes) return
    const buffers = this.#free.get(length)
    if (buffers === undefined) this.#free.set(length, [buffer])
    else buffers.push(buffer)
    this.#freeBytes += length
  }
}
