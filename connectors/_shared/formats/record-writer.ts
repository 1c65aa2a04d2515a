import type { Schema } from '@millrace/sdk'

/** Makes the bytes of one file from values. The caller takes them away as it likes, so that memory stays bounded. */
export interface RecordWriter {
  /** Adds a value. Throws DataError, and leaves the file as it was, when the value does not fit the format. */
  add(schema: Schema | null, value: unknown): void
  /** How much memory is held by what was added and not taken, in bytes, about. */
  readonly heldBytes: number
  /** The bytes of what was added since the last call; a format with blocks or row groups ends one. */
  take(): Uint8Array
  /** The last bytes of the file; nothing may be added afterwards. */
  finish(): Uint8Array
}

/** A file format for writing. */
export interface WriteFormat {
  /** With its dot, such as `.json`. */
  readonly extension: string
  /** Whether files may be compressed as a whole; formats with blocks compress those. */
  readonly compressible: boolean
  /** Starts a file whose values have this schema; throws DataError when the format cannot hold such values. */
  create(schema: Schema | null): RecordWriter
}

const CHUNK = 65_536

/** Collects bytes until they are taken. Small ones are copied together, so that no view keeps a larger buffer alive. */
export class ByteCollector {
  #chunks: Uint8Array[] = []
  #small: Buffer | undefined
  #used = 0
  length = 0

  /** Adds bytes that nobody else keeps or changes. */
  push(bytes: Uint8Array): void {
    this.#endSmall()
    this.#chunks.push(bytes)
    this.length += bytes.length
  }

  /** Adds a copy. */
  copy(bytes: Uint8Array): void {
    if (bytes.length > CHUNK / 4) {
      this.push(Buffer.from(bytes))
      return
    }
    if (this.#small === undefined || this.#used + bytes.length > this.#small.length) {
      this.#endSmall()
      // Files with few records must not hold much memory.
      this.#small = Buffer.allocUnsafeSlow(this.length === 0 ? CHUNK / 16 : CHUNK)
      if (bytes.length > this.#small.length) this.#small = Buffer.allocUnsafeSlow(CHUNK)
    }
    this.#small.set(bytes, this.#used)
    this.#used += bytes.length
    this.length += bytes.length
  }

  take(): Uint8Array {
    this.#endSmall()
    const chunks = this.#chunks
    this.#chunks = []
    const { length } = this
    this.length = 0
    return chunks.length === 1 ? (chunks[0] as Uint8Array) : Buffer.concat(chunks, length)
  }

  #endSmall(): void {
    if (this.#small !== undefined && this.#used > 0) this.#chunks.push(this.#small.subarray(0, this.#used))
    this.#small = undefined
    this.#used = 0
  }
}
