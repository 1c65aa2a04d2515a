import { ProtocolError } from './protocol-error.ts'

const LENGTH_BYTES = 4
/**
 * How much is allocated on the word of a size field alone: an answer to Fetch with as much of a partition as consumers ask
 * for by default. A longer frame grows as its bytes arrive.
 */
const TRUSTED_BYTES = (1 << 20) + (1 << 16)

/**
 * Cuts a byte stream into frames (int32 size, then as many bytes) without their size field. A frame that lies within
 * one chunk is a view of the chunk, or a copy where chunks do not last; one that spans chunks is collected in a buffer of
 * its own. After an error the stream has no boundaries any more and must be closed.
 */
export class FrameSplitter {
  readonly #maxFrameBytes: number
  readonly #copies: boolean
  readonly #onFrame: (frame: Buffer) => void
  readonly #length = Buffer.alloc(LENGTH_BYTES)
  #lengthBytes = 0
  #size = -1
  #partial: Buffer | undefined
  #filled = 0

  /** With `copies` a chunk may be overwritten once `push` has returned. */
  constructor(options: { maxFrameBytes: number; copies?: boolean; onFrame: (frame: Buffer) => void }) {
    this.#maxFrameBytes = options.maxFrameBytes
    this.#copies = options.copies ?? false
    this.#onFrame = options.onFrame
  }

  /** Bytes of an unfinished frame that are held. */
  get pendingBytes(): number {
    return this.#lengthBytes + this.#filled
  }

  /** Takes the next chunk and calls `onFrame` for every frame that is complete. Throws ProtocolError on a bad size. */
  push(chunk: Buffer): void {
    let at = 0
    while (at < chunk.length) {
      if (this.#size < 0) {
        at = this.#readLength(chunk, at)
        if (this.#size < 0) return
        if (this.#size === 0) this.#complete(chunk.subarray(at, at))
        continue
      }
      at = this.#partial === undefined ? this.#firstPart(chunk, at) : this.#nextPart(chunk, at, this.#partial)
    }
  }

  #readLength(chunk: Buffer, at: number): number {
    if (this.#lengthBytes === 0 && chunk.length - at >= LENGTH_BYTES) {
      this.#size = this.#checked(chunk.readInt32BE(at))
      return at + LENGTH_BYTES
    }
    const taken = Math.min(LENGTH_BYTES - this.#lengthBytes, chunk.length - at)
    chunk.copy(this.#length, this.#lengthBytes, at, at + taken)
    this.#lengthBytes += taken
    if (this.#lengthBytes === LENGTH_BYTES) {
      this.#lengthBytes = 0
      this.#size = this.#checked(this.#length.readInt32BE(0))
    }
    return at + taken
  }

  /** Invariant 8: the size is checked before a byte is allocated for it. */
  #checked(size: number): number {
    if (size < 0 || size > this.#maxFrameBytes) {
      throw new ProtocolError(`frame of ${size} bytes, the limit is ${this.#maxFrameBytes}`)
    }
    return size
  }

  #firstPart(chunk: Buffer, at: number): number {
    const available = chunk.length - at
    if (available >= this.#size) {
      const end = at + this.#size
      const frame = chunk.subarray(at, end)
      this.#complete(this.#copies ? Buffer.from(frame) : frame)
      return end
    }
    this.#partial = Buffer.allocUnsafeSlow(Math.min(this.#size, Math.max(TRUSTED_BYTES, available)))
    chunk.copy(this.#partial, 0, at)
    this.#filled = available
    return chunk.length
  }

  #nextPart(chunk: Buffer, at: number, partial: Buffer): number {
    const taken = Math.min(this.#size - this.#filled, chunk.length - at)
    let target = partial
    if (this.#filled + taken > target.length) {
      target = Buffer.allocUnsafeSlow(Math.min(this.#size, Math.max(target.length * 2, this.#filled + taken)))
      partial.copy(target, 0, 0, this.#filled)
      this.#partial = target
    }
    chunk.copy(target, this.#filled, at, at + taken)
    this.#filled += taken
    if (this.#filled === this.#size) this.#complete(target)
    return at + taken
  }

  #complete(frame: Buffer): void {
    this.#size = -1
    this.#partial = undefined
    this.#filled = 0
    this.#onFrame(frame)
  }
}
