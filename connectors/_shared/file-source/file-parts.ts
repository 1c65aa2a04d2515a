import { DataError } from '@millrace/sdk'
import type { ByteSource } from '../formats/index.ts'
import type { ByteStream, FileSystem } from './file-system.ts'

/** A gap up to this is read and dropped; a larger one is passed by opening the file anew, which costs a round trip or more. */
const GAP_MAX = 1024 * 1024

/** Parts of a file, read through one stream as long as each part begins within or behind the one before it. */
export class FileParts implements ByteSource {
  readonly size: number
  readonly #system: FileSystem
  readonly #path: string
  #stream: ByteStream | undefined
  /** The bytes from the start of the last part on that were read, and where they are. */
  #held: Buffer = Buffer.alloc(0)
  #heldAt = 0
  #last: Promise<unknown> = Promise.resolve()
  /** Why the file could not be read: the fault of the place where it is, not of what is in it. */
  failure: Error | undefined

  constructor(system: FileSystem, path: string, size: number) {
    this.#system = system
    this.#path = path
    this.size = size
  }

  /** Parts that are asked for at the same time are read one after the other. */
  read(start: number, end: number): Promise<Uint8Array> {
    const part = this.#last.then(() => this.#read(start, end))
    this.#last = part.catch(() => undefined)
    return part
  }

  async close(): Promise<void> {
    await this.#last
    await this.#closeStream()
  }

  async #read(start: number, end: number): Promise<Uint8Array> {
    if (start < 0 || end < start || end > this.size) throw new DataError(`the file names a part outside of itself`)
    try {
      await this.#moveTo(start)
      const pieces = [this.#held]
      for (let length = this.#held.length; length < end - start; ) {
        const chunk = await this.#stream?.next()
        if (chunk === null || chunk === undefined) throw new DataError('the file has become shorter')
        // Chunks are good until the next one.
        pieces.push(Buffer.from(chunk))
        length += chunk.length
      }
      if (pieces.length > 1) this.#held = Buffer.concat(pieces)
      return this.#held.subarray(0, end - start)
    } catch (error) {
      this.failure = error as Error
      throw error
    }
  }

  /** Makes what is held begin at a position. */
  async #moveTo(start: number): Promise<void> {
    for (;;) {
      const skip = start - this.#heldAt
      if (this.#stream !== undefined && skip >= 0 && skip <= this.#held.length) {
        this.#held = this.#held.subarray(skip)
        this.#heldAt = start
        return
      }
      const chunk =
        skip < 0 || skip > this.#held.length + GAP_MAX ? undefined : ((await this.#stream?.next()) ?? undefined)
      if (chunk === undefined) {
        await this.#closeStream()
        this.#stream = await this.#system.open(this.#path, start)
        this.#held = Buffer.alloc(0)
        this.#heldAt = start
      } else {
        this.#heldAt += this.#held.length
        this.#held = Buffer.from(chunk)
      }
    }
  }

  async #closeStream(): Promise<void> {
    const stream = this.#stream
    this.#stream = undefined
    await stream?.close()
  }
}
