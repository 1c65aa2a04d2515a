import type { Schema } from '@millrace/sdk'
import { BufferPool } from '../buffers/index.ts'

/** Makes the bytes of one file from values. The caller takes them away as it likes, so that memory stays bounded. */
export interface RecordWriter {
  /** Adds a value. Throws DataError, and leaves the file as it was, when the value does not fit the format. */
  add(schema: Schema | null, value: unknown): void
  /** Adds the compact JSON of an object without schema; for formats with `takesJson`. */
  addJson?(json: Uint8Array): void
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
  /** Whether the JSON of a value goes into the file as it is. */
  readonly takesJson?: boolean
  /** Starts a file whose values have this schema; throws DataError when the format cannot hold such values. */
  create(schema: Schema | null): RecordWriter
}

const CHUNK = 65_536
const NEWLINE = 0x0a
/** Chunks whose content was taken, 8 MiB of them. */
const freeChunks = new BufferPool(128)
const MEGABYTE = 1 << 20
/** Larger files are rare, and what is kept for the next one is not to fill the memory. */
const FILE_KEPT_BYTES = 16 * MEGABYTE
const freeFiles = new BufferPool(1)

/** Nobody uses these bytes any more, which a writer gave: files to come are made in their memory. */
export function reuse({ buffer }: Uint8Array): void {
  if (buffer.byteLength >= MEGABYTE && buffer.byteLength <= FILE_KEPT_BYTES) freeFiles.give(Buffer.from(buffer))
}

function joined(chunks: readonly Uint8Array[], length: number): Uint8Array {
  if (length < MEGABYTE || length > FILE_KEPT_BYTES) return Buffer.concat(chunks, length)
  // With some room, since files that follow one another are about as long.
  const bytes = freeFiles.take(Math.ceil(length / MEGABYTE) * MEGABYTE).subarray(0, length)
  let at = 0
  for (const chunk of chunks) {
    bytes.set(chunk, at)
    at += chunk.length
  }
  return bytes
}

/** Collects bytes until they are taken. Small ones are copied together, so that no view keeps a larger buffer alive. */
export class ByteCollector {
  #chunks: Uint8Array[] = []
  /** Of these chunks, those that nobody else has. */
  readonly #own: Buffer[] = []
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
    const small = this.#room(bytes.length)
    small.set(bytes, this.#used)
    this.#used += bytes.length
    this.length += bytes.length
  }

  /** Adds a copy and the end of a line. */
  copyLine(bytes: Uint8Array): void {
    const small = this.#room(bytes.length + 1)
    small.set(bytes, this.#used)
    this.#used += bytes.length
    small[this.#used++] = NEWLINE
    this.length += bytes.length + 1
  }

  /** Adds text in UTF-8. Written at once: text that is collected as strings holds several times its size. */
  text(text: string): void {
    if (text.length > CHUNK / 12) {
      this.push(Buffer.from(text))
      return
    }
    const written = this.#room(text.length * 3).write(text, this.#used)
    this.#used += written
    this.length += written
  }

  take(): Uint8Array {
    this.#endSmall()
    const chunks = this.#chunks
    this.#chunks = []
    const { length } = this
    this.length = 0
    const own = this.#own.splice(0)
    if (chunks.length === 1) return chunks[0] as Uint8Array
    const bytes = joined(chunks, length)
    for (const chunk of own) freeChunks.give(chunk)
    return bytes
  }

  /** A chunk with room for so many bytes. The first one is small: there may be hundreds of files with few records. */
  #room(size: number): Buffer {
    if (this.#small !== undefined && this.#used + size <= this.#small.length) return this.#small
    this.#endSmall()
    const isFirst = this.length === 0 && size <= CHUNK / 16
    if (!isFirst && size <= CHUNK) this.#own.push((this.#small = freeChunks.take(CHUNK)))
    else this.#small = Buffer.allocUnsafeSlow(isFirst ? CHUNK / 16 : size)
    return this.#small
  }

  #endSmall(): void {
    if (this.#small !== undefined && this.#used > 0) this.#chunks.push(this.#small.subarray(0, this.#used))
    this.#small = undefined
    this.#used = 0
  }
}
