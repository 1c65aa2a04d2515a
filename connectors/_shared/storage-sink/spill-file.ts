import { randomUUID } from 'node:crypto'
import { type FileHandle, open, unlink } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'

/** Bytes on the disk that are gone with this process, however it ends: the file has no name once it is open. */
export class SpillFile {
  readonly #handle: FileHandle
  size = 0

  private constructor(handle: FileHandle) {
    this.#handle = handle
  }

  static async create(): Promise<SpillFile> {
    const path = join(tmpdir(), `millrace-sink-${process.pid}-${randomUUID()}`)
    const handle = await open(path, 'wx+', 0o600)
    await unlink(path)
    return new SpillFile(handle)
  }

  async append(bytes: Uint8Array): Promise<void> {
    for (let written = 0; written < bytes.length; ) {
      const { bytesWritten } = await this.#handle.write(bytes, written, bytes.length - written, this.size)
      written += bytesWritten
      this.size += bytesWritten
    }
  }

  /** Reads into `target` from `start` of the file. */
  async readInto(target: Uint8Array, start: number): Promise<void> {
    for (let done = 0; done < target.length; ) {
      const { bytesRead } = await this.#handle.read(target, done, target.length - done, start + done)
      if (bytesRead === 0) throw new Error('a temporary file is shorter than what was written to it')
      done += bytesRead
    }
  }

  close(): Promise<void> {
    return this.#handle.close()
  }
}
