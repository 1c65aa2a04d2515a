import { DataError, schemas } from '@millrace/sdk'
import type { FileReader, Row } from '../reader.ts'

/** The whole file is one value of bytes; a file without any gives none. */
export class BinaryReader implements FileReader {
  readonly isReady = true
  readonly #maxBytes: number
  #chunks: Buffer[] = []
  #length = 0
  #start = 0
  #isLast = false

  constructor(maxBytes: number) {
    this.#maxBytes = maxBytes
  }

  get position(): number {
    return this.#start
  }

  push(chunk: Uint8Array, isLast: boolean): void {
    if (chunk.length > 0) this.#chunks.push(Buffer.from(chunk))
    this.#length += chunk.length
    this.#isLast = isLast
    if (this.#length > this.#maxBytes) throw new DataError(`the file is larger than ${this.#maxBytes} bytes`)
  }

  prepare(): void {}

  seek(position: number): void {
    this.#start = position
    this.#chunks = []
    this.#length = 0
  }

  next(): Row | undefined {
    if (!this.#isLast || this.#length === 0) return undefined
    const value = Buffer.concat(this.#chunks)
    this.seek(this.#start + this.#length)
    return { key: null, keySchema: null, value, valueSchema: schemas.bytes }
  }
}
