import { constants } from 'node:fs'
import { copyFile, mkdir, open, readdir, readFile, rename, rmdir, stat, unlink } from 'node:fs/promises'
import { dirname, join } from 'node:path'
import type { Content } from '../../buffers/index.ts'
import type { ByteStream, FileEntry, FileSystem, WriteMode } from '../file-system.ts'
import { storeByRename } from './whole-file.ts'

const codeOf = (error: unknown): string | undefined => (error as NodeJS.ErrnoException).code

/** The disk of the machine that the task runs on. */
export class LocalFileSystem implements FileSystem {
  readonly label = ''
  readonly appends = true
  readonly #chunkBytes: number

  constructor(chunkBytes: number) {
    this.#chunkBytes = chunkBytes
  }

  async list(folder: string, recursive: boolean): Promise<FileEntry[]> {
    const found: FileEntry[] = []
    const folders = ['']
    for (let at = folders.pop(); at !== undefined; at = folders.pop()) {
      for (const entry of await readdir(join(folder, at), { withFileTypes: true })) {
        const path = at === '' ? entry.name : `${at}/${entry.name}`
        if (entry.isDirectory()) {
          if (recursive) folders.push(path)
          continue
        }
        const known = await this.stat(join(folder, path))
        if (known !== null) found.push({ ...known, path })
      }
    }
    return found
  }

  async stat(path: string): Promise<FileEntry | null> {
    try {
      const { size, mtimeMs, isFile } = await stat(path).then((found) => ({
        size: found.size,
        mtimeMs: found.mtimeMs,
        isFile: found.isFile(),
      }))
      return isFile ? { path, length: size, modifiedMs: Math.floor(mtimeMs) } : null
    } catch (error) {
      if (codeOf(error) === 'ENOENT') return null
      throw error
    }
  }

  async open(path: string, position: number): Promise<ByteStream> {
    const handle = await open(path, 'r')
    const buffer = Buffer.allocUnsafeSlow(this.#chunkBytes)
    let at = position
    return {
      async next() {
        const { bytesRead } = await handle.read(buffer, 0, buffer.length, at)
        at += bytesRead
        return bytesRead === 0 ? null : buffer.subarray(0, bytesRead)
      },
      close: () => handle.close(),
    }
  }

  async read(path: string): Promise<Buffer | null> {
    try {
      return await readFile(path)
    } catch (error) {
      if (codeOf(error) === 'ENOENT') return null
      throw error
    }
  }

  async write(path: string, bytes: Uint8Array, mode: WriteMode): Promise<boolean> {
    const flag = { new: 'wx', replace: 'w', append: 'a' }[mode]
    try {
      const handle = await open(path, flag)
      try {
        await handle.writeFile(bytes)
        await handle.datasync()
      } finally {
        await handle.close()
      }
      return true
    } catch (error) {
      if (mode === 'new' && codeOf(error) === 'EEXIST') return false
      throw error
    }
  }

  async store(path: string, content: Content): Promise<void> {
    await storeByRename(this, path, content, {
      async write(part, bytes) {
        const handle = await open(part, 'w')
        try {
          await handle.writeFile(bytes)
          await handle.datasync()
        } finally {
          await handle.close()
        }
      },
      replace: rename,
    })
  }

  async move(from: string, to: string): Promise<void> {
    try {
      await rename(from, to)
    } catch (error) {
      if (codeOf(error) !== 'EXDEV') throw error
      // Another disk: the copy gets its name when it is whole, so that a crash leaves no half of a file under it.
      const part = join(dirname(to), `.${process.pid}.part`)
      await copyFile(from, part, constants.COPYFILE_FICLONE)
      await rename(part, to)
      await unlink(from)
    }
  }

  async remove(path: string): Promise<void> {
    try {
      await unlink(path)
    } catch (error) {
      if (codeOf(error) !== 'ENOENT') throw error
    }
  }

  async makeFolder(folder: string): Promise<void> {
    await mkdir(folder, { recursive: true })
  }

  async removeEmptyFolder(folder: string): Promise<boolean> {
    return rmdir(folder).then(
      () => true,
      () => false,
    )
  }

  async close(): Promise<void> {}
}
