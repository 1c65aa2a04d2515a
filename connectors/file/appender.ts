import type { FileHandle } from 'node:fs/promises'
import { setImmediate } from 'node:timers/promises'

/** Text is turned into bytes in pieces of about so many characters. */
const PIECE_CHARS = 64 * 1024
const BUFFER_BYTES = 8 * PIECE_CHARS
/** A character of a JavaScript string takes at most so many bytes in UTF-8. */
const BYTES_PER_CHAR = 3
/** How much may wait to be written; after that the writer has to catch up. */
const MAX_WAITING_CHARS = 4 * 1024 * 1024

/**
 * Appends text to a file behind the back of who adds it: while one write is under way, more is collected for the next,
 * so the slower the disk, the larger the writes. Order is kept, memory is bounded, and `drained` tells when all is in
 * the file.
 */
export class Appender {
  readonly #handle: FileHandle
  readonly #pieces: string[] = []
  #open = ''
  #waitingChars = 0
  #buffer: Buffer | undefined
  #writing: Promise<void> | undefined
  #failure: { readonly error: unknown } | undefined

  constructor(handle: FileHandle) {
    this.#handle = handle
  }

  /** Adds a line; `write` has to follow. */
  add(line: string): void {
    const text = `${this.#open}${line}\n`
    this.#waitingChars += line.length + 1
    if (text.length < PIECE_CHARS) {
      this.#open = text
      return
    }
    this.#pieces.push(text)
    this.#open = ''
  }

  /** Sees to it that what was added is written; a promise where the caller has to wait before it adds more. */
  write(): Promise<void> | undefined {
    this.#throwIfFailed()
    if (this.#waitingChars > 0) this.#writing ??= this.#writeAll()
    return this.#waitingChars > MAX_WAITING_CHARS ? this.drained() : undefined
  }

  /** Resolves when everything that was added is in the file. */
  async drained(): Promise<void> {
    await this.#writing
    this.#throwIfFailed()
  }

  #throwIfFailed(): void {
    if (this.#failure) throw this.#failure.error
  }

  /** Never rejects: what fails is told to the next who adds or waits. */
  async #writeAll(): Promise<void> {
    try {
      // Batches that were read together come one right after the other; one write serves them all.
      await setImmediate()
      while (this.#waitingChars > 0) await this.#writeBytes(this.#nextBytes())
    } catch (error) {
      this.#failure = { error }
    } finally {
      this.#writing = undefined
    }
  }

  /** As many pieces as fit, as bytes; valid until the next call. */
  #nextBytes(): Uint8Array {
    if (this.#pieces.length === 0) {
      this.#pieces.push(this.#open)
      this.#open = ''
    }
    this.#buffer ??= Buffer.allocUnsafeSlow(BUFFER_BYTES)
    let length = 0
    let taken = 0
    for (const piece of this.#pieces) {
      if (length + piece.length * BYTES_PER_CHAR > BUFFER_BYTES) break
      length += this.#buffer.write(piece, length)
      this.#waitingChars -= piece.length
      taken++
    }
    const [first] = this.#pieces.splice(0, Math.max(1, taken))
    if (taken > 0 || first === undefined) return this.#buffer.subarray(0, length)
    // One line that is longer than the buffer.
    this.#waitingChars -= first.length
    return Buffer.from(first)
  }

  async #writeBytes(bytes: Uint8Array): Promise<void> {
    for (let written = 0; written < bytes.length; ) {
      written += (await this.#handle.write(bytes, written, bytes.length - written)).bytesWritten
    }
  }
}
