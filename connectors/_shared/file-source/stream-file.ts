import { DataError } from '@millrace/sdk'
import { decompressed, isCompressed } from './compression.ts'
import { type ByteStream, type FileEntry, type FileSystem, joinPath } from './file-system.ts'
import type { OpenFile, Place } from './open-file.ts'
import type { FileReader, Row } from './reader.ts'

const NOTHING = Buffer.alloc(0)

/** A file whose bytes are read one after the other. */
export class StreamFile implements OpenFile {
  readonly #path: string
  readonly #reader: FileReader
  readonly #isCompressed: boolean
  #entry: FileEntry
  #stream: ByteStream | undefined
  #rows: number
  #skipRows: number
  #isAtEnd = false
  /** Position in the file of the bytes that are read next; compressed ones count as they are. */
  #readTo = 0

  private constructor(path: string, entry: FileEntry, reader: FileReader, from: Place) {
    this.#path = path
    this.#entry = entry
    this.#reader = reader
    this.#isCompressed = isCompressed(entry.path)
    this.#rows = from.rows - from.skip
    this.#skipRows = from.skip
  }

  static async open(
    system: FileSystem,
    folder: string,
    entry: FileEntry,
    from: Place,
    reader: FileReader,
  ): Promise<StreamFile> {
    const file = new StreamFile(joinPath(folder, entry.path), entry, reader, from)
    try {
      if (from.position > 0) await file.#seek(system, from.position)
      file.#stream ??= await file.#openStream(system, 0)
      return file
    } catch (error) {
      await file.close()
      throw error
    }
  }

  get entry(): FileEntry {
    return this.#entry
  }

  get place(): Place {
    return { rows: this.#rows + this.#skipRows, position: this.#reader.position, skip: this.#skipRows }
  }

  next(): Row | undefined {
    for (;;) {
      const row = this.#reader.next()
      if (row === undefined) return undefined
      this.#rows++
      if (this.#skipRows === 0) return row
      this.#skipRows--
    }
  }

  /** A file that has grown meanwhile is read on. */
  async fill(system: FileSystem): Promise<boolean> {
    if (this.#isAtEnd) return false
    const chunk = await this.#stream?.next()
    if (chunk !== null && chunk !== undefined) {
      this.#readTo += chunk.length
      this.#reader.push(chunk, false)
      return true
    }
    const now = this.#isCompressed ? null : await system.stat(this.#path)
    if (now !== null) {
      this.#entry = { ...now, path: this.#entry.path }
      if (now.length > this.#readTo) {
        await this.#stream?.close()
        this.#stream = await system.open(this.#path, this.#readTo)
        return true
      }
    }
    this.#isAtEnd = true
    this.#reader.push(NOTHING, true)
    return true
  }

  async close(): Promise<void> {
    const stream = this.#stream
    this.#stream = undefined
    await stream?.close()
  }

  /** The header is at the start, wherever reading goes on. */
  async #seek(system: FileSystem, position: number): Promise<void> {
    const reader = this.#reader
    if (!reader.isReady) {
      const head = await this.#openStream(system, 0)
      try {
        while (!reader.isReady) {
          const chunk = await head.next()
          reader.push(chunk ?? NOTHING, chunk === null)
          reader.prepare()
          if (chunk === null && !reader.isReady) throw new DataError('the file ends before its header')
        }
      } finally {
        await head.close()
      }
    }
    reader.seek(position)
    this.#stream = await this.#openStream(system, position)
  }

  async #openStream(system: FileSystem, position: number): Promise<ByteStream> {
    this.#readTo = position
    if (!this.#isCompressed) return system.open(this.#path, position)
    return decompressed(this.#entry.path, await system.open(this.#path, 0), position)
  }
}
