/**
 * Memory of requests that is used again. New memory for every request makes V8 collect the whole heap every few of them, since
 * it counts what lies outside of the heap too.
 */
export class BufferPool {
  readonly #max: number
  readonly #free: Buffer[] = []

  /** Keeps at most so many buffers. */
  constructor(max: number) {
    this.#max = max
  }

  /** Memory of at least so many bytes, with whatever was in it. */
  take(size: number): Buffer {
    const found = this.#free.pop()
    if (found !== undefined && found.length >= size) return found
    return Buffer.allocUnsafeSlow(size)
  }

  /** Nobody uses this memory any more, nor anything that was cut out of it. */
  give(buffer: Buffer): void {
    if (this.#free.length < this.#max) this.#free.push(buffer)
  }
}

/** The bytes of a file that is to be written; may be read several times. */
export interface Content {
  readonly size: number
  read(start: number, end: number): Promise<Uint8Array>
}
