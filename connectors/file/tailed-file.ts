import { type FileHandle, open, stat } from 'node:fs/promises'

/** What a read gave: a number of bytes, nothing new, or the news that another file is at the path now. */
export type ReadResult = number | 'nothing' | 'missing' | 'replaced'

/**
 * A file that others append to. It may not exist yet, may be cut, or be replaced by a new one at the same path (log
 * rotation); the last two are told apart from "nothing new" only when the end is reached, so nothing of the old file is missed.
 */
export class TailedFile {
  readonly path: string
  #handle: FileHandle | undefined
  #inode: bigint | undefined

  constructor(path: string) {
    this.path = path
  }

  /** Reads from a position on into a buffer. After `replaced` reading goes on in the new file, at its start. */
  async read(position: number, into: Buffer): Promise<ReadResult> {
    const handle = this.#handle ?? (await this.#open())
    if (!handle) return 'missing'
    const { bytesRead } = await handle.read(into, 0, into.length, position)
    if (bytesRead > 0) return bytesRead
    return (await this.#isAnother(position)) ? 'replaced' : 'nothing'
  }

  async close(): Promise<void> {
    const handle = this.#handle
    this.#handle = undefined
    await handle?.close()
  }

  async #open(): Promise<FileHandle | undefined> {
    try {
      this.#handle = await open(this.path, 'r')
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code === 'ENOENT') return undefined
      throw error
    }
    this.#inode = (await this.#handle.stat({ bigint: true })).ino
    return this.#handle
  }

  async #isAnother(position: number): Promise<boolean> {
    let now: { ino: bigint; size: bigint }
    try {
      now = await stat(this.path, { bigint: true })
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code === 'ENOENT') return false
      throw error
    }
    if (now.ino === this.#inode && now.size >= BigInt(position)) return false
    await this.close()
    return true
  }
}
