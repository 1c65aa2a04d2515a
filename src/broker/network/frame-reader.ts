import { ProtocolError } from '../../protocol/index.ts'
import type { FramePool } from './frame-pool.ts'

const LENGTH_BYTES = 4
/** What is allocated on the word of a size field alone, and what after that much has arrived. */
const TRUSTED_BYTES = 128 << 10
const TRUSTED_LATER_BYTES = 1 << 20
/** Smaller requests are copied into memory of their own, which costs less than keeping a pooled buffer busy. */
const POOLED_FROM_BYTES = 2048

/** A request without its size field. */
export interface Frame {
  readonly bytes: Buffer
  /** Goes back to the pool when the request is done; undefined where the bytes are the garbage collector's. */
  readonly pooled: Buffer | undefined
}

/** Cuts the bytes of a connection into frames. Chunks are copied, so their buffer may be filled again after `push`. */
export class FrameReader {
  readonly #pool: FramePool
  readonly #maxFrameBytes: number
  readonly #onFrame: (frame: Frame) => void
  readonly #length = Buffer.alloc(LENGTH_BYTES)
  #lengthBytes = 0
  #size = -1
  #target: Buffer | undefined
  #filled = 0

  constructor(options: { pool: FramePool; maxFrameBytes: number; onFrame: (frame: Frame) => void }) {
    this.#pool = options.pool
    this.#maxFrameBytes = options.maxFrameBytes
    this.#onFrame = options.onFrame
  }

  /** Bytes of an unfinished frame. */
  get pendingBytes(): number {
    return this.#lengthBytes + this.#filled
  }

  /** Takes the next chunk; throws ProtocolError for a size that cannot be, after which the connection is lost. */
  push(chunk: Buffer): void {
    let at = 0
    while (at < chunk.length) {
      if (this.#size < 0) at = this.#readLength(chunk, at)
      else at = this.#readBody(chunk, at)
      if (this.#size === this.#filled) this.#complete()
    }
  }

  #readLength(chunk: Buffer, at: number): number {
    const taken = Math.min(LENGTH_BYTES - this.#lengthBytes, chunk.length - at)
    chunk.copy(this.#length, this.#lengthBytes, at, at + taken)
    this.#lengthBytes += taken
    if (this.#lengthBytes === LENGTH_BYTES) {
      this.#lengthBytes = 0
      const size = this.#length.readInt32BE(0)
      // Invariant 8: the size is checked before a byte is allocated for it.
      if (size < 0 || size > this.#maxFrameBytes) {
        throw new ProtocolError(`frame of ${size} bytes, the limit is ${this.#maxFrameBytes}`)
      }
      this.#size = size
    }
    return at + taken
  }

  #readBody(chunk: Buffer, at: number): number {
    const taken = Math.min(this.#size - this.#filled, chunk.length - at)
    const target = this.#targetFor(this.#filled + taken)
    chunk.copy(target, this.#filled, at, at + taken)
    this.#filled += taken
    return at + taken
  }

  /** A buffer that holds what is there and at least `needed` bytes. */
  #targetFor(needed: number): Buffer {
    const current = this.#target
    if (current !== undefined && current.length >= needed) return current
    const trusted = current === undefined ? TRUSTED_BYTES : Math.max(TRUSTED_LATER_BYTES, current.length * 2)
    const wanted = Math.min(this.#size, Math.max(needed, trusted))
    const target = wanted < POOLED_FROM_BYTES ? Buffer.allocUnsafe(wanted) : this.#pool.take(wanted)
    if (current !== undefined) {
      current.copy(target, 0, 0, this.#filled)
      this.#giveBack(current)
    }
    this.#target = target
    return target
  }

  #giveBack(buffer: Buffer): void {
    if (buffer.length >= POOLED_FROM_BYTES) this.#pool.give(buffer)
  }

  #complete(): void {
    const target = this.#target ?? Buffer.alloc(0)
    const size = this.#size
    this.#size = -1
    this.#filled = 0
    this.#target = undefined
    const pooled = target.length >= POOLED_FROM_BYTES ? target : undefined
    this.#onFrame({ bytes: target.length === size ? target : target.subarray(0, size), pooled })
  }
}
