import { isRetriable } from '@millrace/sdk'
import type { FileSystem } from '../../_shared/file-source/index.ts'
import { type Failure, fatal, retriable } from '../../_shared/retry/index.ts'
import type { FileObject, FileTarget, OpenFile } from '../../_shared/storage-sink/index.ts'

/** So many folders are known to exist. */
const FOLDERS_MAX = 10_000

export interface ServerTargetOptions {
  connect(): Promise<FileSystem>
  /** The path of a file, with `/` between folders. */
  pathOf(file: OpenFile, object: FileObject): string
}

/** Stores files on a server. A connection that breaks is made anew for the next file. */
export class ServerTarget implements FileTarget {
  readonly #o: ServerTargetOptions
  readonly #folders = new Set<string>()
  #system: Promise<FileSystem> | undefined

  constructor(options: ServerTargetOptions) {
    this.#o = options
  }

  classify(error: unknown): Failure {
    return isRetriable(error) ? retriable(error) : fatal(error)
  }

  /** A file that is there is one of an earlier attempt, which this one replaces. */
  async write(file: OpenFile, object: FileObject): Promise<null> {
    this.#system ??= this.#o.connect()
    const connecting = this.#system
    try {
      const system = await connecting
      const path = this.#o.pathOf(file, object)
      await this.#makeFolder(system, path.slice(0, path.lastIndexOf('/')))
      await system.store(path, object.buffer)
      return null
    } catch (error) {
      if (this.#system === connecting) await this.close()
      throw error
    }
  }

  async close(): Promise<void> {
    const closing = this.#system
    this.#system = undefined
    this.#folders.clear()
    await closing?.then((system) => system.close()).catch(() => undefined)
  }

  async #makeFolder(system: FileSystem, folder: string): Promise<void> {
    if (this.#folders.has(folder)) return
    await system.makeFolder(folder)
    if (this.#folders.size >= FOLDERS_MAX) this.#folders.clear()
    this.#folders.add(folder)
  }
}
