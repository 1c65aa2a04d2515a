import type { Disk } from '../base/index.ts'

/**
 * Syncs of one directory on behalf of many: at most one is under way, and all who ask meanwhile share the next one, which
 * starts after their names were made.
 */
export class DirectorySyncer {
  readonly #disk: Disk
  readonly #directory: string
  #running: Promise<void> | undefined
  #next: Promise<void> | undefined

  constructor(disk: Disk, directory: string) {
    this.#disk = disk
    this.#directory = directory
  }

  /** Resolves once all names that were in the directory at the call are durable. */
  sync(): Promise<void> {
    this.#next ??= this.#afterRunning()
    return this.#next
  }

  async #afterRunning(): Promise<void> {
    // A failure is told to those who asked for that sync.
    await this.#running?.catch(() => {})
    this.#next = undefined
    this.#running = this.#disk.syncDirectoryLater(this.#directory)
    await this.#running
  }
}
