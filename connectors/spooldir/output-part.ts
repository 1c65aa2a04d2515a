import { gzipSync, zstdCompressSync } from 'node:zlib'
import { ConnectError, type Schema } from '@millrace/sdk'
import type { FileSystem } from '../_shared/file-source/index.ts'
import type { RecordWriter } from '../_shared/formats/index.ts'
import { compressionOf, type Memory, ObjectBuffer } from '../_shared/storage-sink/index.ts'

/** How files are compressed. */
export type OutputCompression = 'none' | 'gzip' | 'zstd'

/** The bytes of a file until it is complete. Methods that failed may be called again, with a new connection. */
export interface OutputPart {
  /** How much of it is in memory, in bytes, about. */
  readonly heldBytes: number
  add(schema: Schema | null, value: unknown): void
  /** Moves what is in memory elsewhere. */
  spill(system: FileSystem): Promise<void>
  /** Goes on with what a broken connection has interrupted. */
  goOn(system: FileSystem): Promise<void>
  /** Nothing is added any more; the file gets its name when all of it is written. */
  complete(system: FileSystem, path: string): Promise<void>
  /** Leaves nothing behind. `system` is undefined when there is no connection. */
  discard(system: FileSystem | undefined): Promise<void>
}

const COMPRESS: Readonly<Record<OutputCompression, (bytes: Uint8Array) => Uint8Array>> = {
  none: (bytes) => bytes,
  gzip: (bytes) => gzipSync(bytes),
  zstd: (bytes) => zstdCompressSync(bytes),
}

/** A file that grows under a hidden name where it will be. */
export class GrowingPart implements OutputPart {
  readonly #writer: RecordWriter
  readonly #compression: OutputCompression
  readonly #part: string
  /** How much of the part is written for certain. */
  #size = 0
  /** What comes next into the part. */
  #pending: Uint8Array | undefined
  /** A write of `#pending` failed, and nobody knows how much of it arrived. */
  #isUncertain = false
  /** All records are in; what is left is to write and to name it. */
  #isFinished = false

  constructor(writer: RecordWriter, compression: OutputCompression, part: string) {
    this.#writer = writer
    this.#compression = compression
    this.#part = part
  }

  get heldBytes(): number {
    return this.#writer.heldBytes
  }

  add(schema: Schema | null, value: unknown): void {
    this.#writer.add(schema, value)
  }

  async spill(system: FileSystem): Promise<void> {
    this.#pending = this.#compressed(this.#writer.take())
    await this.goOn(system)
  }

  async goOn(system: FileSystem): Promise<void> {
    const pending = this.#pending
    if (pending === undefined) return
    const size = this.#size
    const found = this.#isUncertain ? ((await system.stat(this.#part))?.length ?? 0) : size
    if (found !== size + pending.length) {
      if (found !== size && size > 0) {
        throw new ConnectError(
          `${system.label}${this.#part}: the connection broke within a write, which left ${found - size} of ` +
            `${pending.length} bytes; start the task again, and the file is written from its first record`,
        )
      }
      this.#isUncertain = true
      await system.write(this.#part, pending, size === 0 ? 'replace' : 'append')
    }
    this.#isUncertain = false
    this.#size = size + pending.length
    this.#pending = undefined
  }

  async complete(system: FileSystem, path: string): Promise<void> {
    if (!this.#isFinished) {
      this.#isFinished = true
      const rest = this.#compressed(this.#writer.finish())
      if (rest.length > 0) this.#pending = rest
    } else if ((await system.stat(this.#part)) === null && (await system.stat(path)) !== null) {
      // It got its name before the connection broke, and only the answer was lost.
      return
    }
    await this.goOn(system)
    await system.move(this.#part, path)
  }

  async discard(system: FileSystem | undefined): Promise<void> {
    await system?.remove(this.#part).catch(() => undefined)
  }

  /** Compressed files are rows of compressed pieces, which all decompressors read as one. */
  #compressed(bytes: Uint8Array): Uint8Array {
    return bytes.length === 0 ? bytes : COMPRESS[this.#compression](bytes)
  }
}

/** A file for a place where none can grow: it is on the disk of the worker, without a name, until it is stored whole. */
export class KeptPart implements OutputPart {
  readonly #buffer: ObjectBuffer

  constructor(writer: RecordWriter, compression: OutputCompression, memory: Memory) {
    this.#buffer = new ObjectBuffer(writer, compressionOf(compression, -1), memory)
  }

  get heldBytes(): number {
    return this.#buffer.heldBytes
  }

  add(schema: Schema | null, value: unknown): void {
    this.#buffer.add(schema, value)
  }

  spill(): Promise<void> {
    return this.#buffer.spill()
  }

  /** Nothing was written that could have been interrupted. */
  async goOn(): Promise<void> {}

  async complete(system: FileSystem, path: string): Promise<void> {
    await this.#buffer.end()
    await system.store(path, this.#buffer)
    await this.#buffer.dispose()
  }

  discard(): Promise<void> {
    return this.#buffer.dispose()
  }
}
