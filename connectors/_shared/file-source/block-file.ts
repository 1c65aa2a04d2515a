import { DataError, isConnectError } from '@millrace/sdk'
import { isCompressed } from './compression.ts'
import { FileParts } from './file-parts.ts'
import { type FileEntry, type FileSystem, joinPath } from './file-system.ts'
import type { OpenFile, Place } from './open-file.ts'
import type { Block, BlockReader, Row } from './reader.ts'

/** A file of a format that is read block by block. */
export class BlockFile implements OpenFile {
  readonly entry: FileEntry
  readonly #parts: FileParts
  readonly #blocks: AsyncIterator<Block>
  #block: Block
  /** Index of the next row in the block. */
  #at = 0
  #rows: number
  #skipRows: number

  constructor(system: FileSystem, folder: string, entry: FileEntry, from: Place, reader: BlockReader) {
    if (isCompressed(entry.path)) {
      throw new DataError('files of this format are compressed within, and not as a whole: unpack it first')
    }
    this.entry = entry
    this.#parts = new FileParts(system, joinPath(folder, entry.path), entry.length)
    this.#blocks = reader.blocks(this.#parts, from.position)
    this.#block = { position: from.position, next: from.position, rows: [] }
    this.#rows = from.rows - from.skip
    this.#skipRows = from.skip
  }

  get place(): Place {
    const { position, next, rows } = this.#block
    const isBehind = this.#at >= rows.length
    // Rows that are left out at the start lie behind the position too, until they were passed.
    const skip = isBehind ? 0 : this.#at
    return { rows: this.#rows + this.#skipRows, position: isBehind ? next : position, skip: skip + this.#skipRows }
  }

  next(): Row | undefined {
    for (;;) {
      const row = this.#block.rows[this.#at]
      if (row === undefined) return undefined
      this.#at++
      this.#rows++
      if (this.#skipRows === 0) return row
      this.#skipRows--
    }
  }

  async fill(): Promise<boolean> {
    try {
      const { value, done } = await this.#blocks.next()
      if (done === true) return false
      this.#block = value as Block
      this.#at = 0
      return true
    } catch (error) {
      // The libraries of formats throw errors of all kinds on what they do not understand.
      if (this.#parts.failure !== undefined) throw this.#parts.failure
      if (isConnectError(error)) throw error
      throw new DataError(`the file cannot be read: ${(error as Error).message}`, { cause: error })
    }
  }

  async close(): Promise<void> {
    await this.#blocks.return?.()
    await this.#parts.close()
  }
}
