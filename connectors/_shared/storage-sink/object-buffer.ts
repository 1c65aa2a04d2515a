import { pipeline } from 'node:stream/promises'
import type { Schema } from '@millrace/sdk'
import type { Content } from '../buffers/index.ts'
import { type RecordWriter, reuse } from '../formats/index.ts'
import type { Compression } from './compression.ts'
import type { Memory } from './memory.ts'
import { SpillFile } from './spill-file.ts'

const PIECE = 1_048_576

/** The bytes of one object that is being made: in memory, and on the disk once memory is scarce. */
export class ObjectBuffer implements Content {
  readonly #writer: RecordWriter
  readonly #compression: Compression | null
  readonly #memory: Memory
  #spill: SpillFile | undefined
  #tail: Uint8Array = new Uint8Array()
  /** What the writer ended with, until it is compressed. */
  #rest: Uint8Array | undefined
  #held = 0
  #ended = false
  #disposed = false

  constructor(writer: RecordWriter, compression: Compression | null, memory: Memory) {
    this.#writer = writer
    this.#compression = compression
    this.#memory = memory
    this.#count()
  }

  get heldBytes(): number {
    return this.#held
  }

  add(schema: Schema | null, value: unknown): void {
    this.#writer.add(schema, value)
    this.#count()
  }

  addJson(json: Uint8Array): void {
    this.#writer.addJson?.(json)
    this.#count()
  }

  /** Moves what is in memory to the disk. */
  async spill(): Promise<void> {
    this.#spill ??= await SpillFile.create()
    const bytes = this.#writer.take()
    await this.#spill.append(bytes)
    reuse(bytes)
    this.#count()
  }

  /** Nothing is added any more: from now on there is a size, and bytes can be read. May be called again. */
  async end(): Promise<void> {
    if (this.#ended) return
    this.#rest ??= this.#writer.finish()
    if (this.#compression === null) this.#tail = this.#rest
    else if (this.#spill === undefined) this.#tail = await this.#compression.compress(this.#rest)
    else await this.#compressSpilled(this.#compression, this.#spill, this.#rest)
    if (this.#tail !== this.#rest) reuse(this.#rest)
    this.#rest = undefined
    this.#ended = true
    this.#count()
  }

  get size(): number {
    return (this.#spill?.size ?? 0) + this.#tail.length
  }

  async read(start: number, end: number): Promise<Uint8Array> {
    const spill = this.#spill
    if (spill === undefined) return this.#tail.subarray(start, end)
    const bytes = Buffer.allocUnsafeSlow(end - start)
    const fromDisk = Math.max(0, Math.min(end, spill.size) - start)
    if (fromDisk > 0) await spill.readInto(bytes.subarray(0, fromDisk), start)
    if (fromDisk < bytes.length) {
      bytes.set(this.#tail.subarray(Math.max(0, start - spill.size), end - spill.size), fromDisk)
    }
    return bytes
  }

  async dispose(): Promise<void> {
    if (this.#disposed) return
    this.#disposed = true
    this.#memory.used -= this.#held
    this.#held = 0
    reuse(this.#tail)
    this.#tail = new Uint8Array()
    await this.#spill?.close()
  }

  /** A file that did not fit into memory is compressed on its way into another one. */
  async #compressSpilled(compression: Compression, spill: SpillFile, rest: Uint8Array): Promise<void> {
    const packed = await SpillFile.create()
    try {
      await pipeline(pieces(spill, rest), compression.stream(), async (chunks: AsyncIterable<Uint8Array>) => {
        for await (const chunk of chunks) await packed.append(chunk)
      })
    } catch (error) {
      await packed.close()
      throw error
    }
    this.#spill = packed
    await spill.close()
  }

  #count(): void {
    if (this.#disposed) return
    const held = this.#ended ? this.#tail.length : this.#writer.heldBytes
    this.#memory.used += held - this.#held
    this.#held = held
  }
}

async function* pieces(spill: SpillFile, rest: Uint8Array): AsyncGenerator<Uint8Array> {
  for (let start = 0; start < spill.size; start += PIECE) {
    const piece = Buffer.allocUnsafeSlow(Math.min(PIECE, spill.size - start))
    await spill.readInto(piece, start)
    yield piece
  }
  if (rest.length > 0) yield rest
}
