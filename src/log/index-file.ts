import type { Disk, DiskFile } from '../base/index.ts'
import { readFully } from './scan.ts'

const INITIAL_ENTRIES = 64

/**
 * A file of entries of one size that only grows. While its segment is active the entries are in memory and written to the
 * file now and then; a crash loses some, and recovery makes them again from the log. Later it is read where it lies.
 */
export class IndexFile {
  readonly path: string
  readonly entrySize: number
  readonly #disk: Disk
  #memory: Buffer | undefined
  #entries = 0
  #flushedEntries = 0
  readonly #scratch: Buffer

  constructor(disk: Disk, path: string, entrySize: number) {
    this.#disk = disk
    this.path = path
    this.entrySize = entrySize
    this.#scratch = Buffer.alloc(entrySize)
  }

  get entries(): number {
    return this.#entries
  }

  /** Takes the entries of the file as they are, without reading them. False when there is no file of whole entries. */
  adopt(): boolean {
    if (!this.#disk.exists(this.path)) return false
    const size = this.#disk.stat(this.path).size
    if (size % this.entrySize !== 0) return false
    this.#entries = size / this.entrySize
    this.#flushedEntries = this.#entries
    this.#memory = undefined
    return true
  }

  /** Forgets all entries, in memory and, at the next flush, in the file. */
  reset(): void {
    this.#entries = 0
    this.#flushedEntries = 0
    this.#memory = Buffer.allocUnsafeSlow(INITIAL_ENTRIES * this.entrySize)
    if (this.#disk.exists(this.path)) this.#withFile('read-write', (file) => file.truncate(0))
  }

  /** Removes the file; the entries stay in memory. */
  keepInMemory(): void {
    this.activate()
    if (this.#disk.exists(this.path)) this.#disk.unlink(this.path)
    this.#flushedEntries = 0
  }

  /** Reads all entries into memory, to append to them. */
  activate(): void {
    if (this.#memory) return
    const capacity = Math.max(INITIAL_ENTRIES, this.#entries * 2) * this.entrySize
    const memory = Buffer.allocUnsafeSlow(capacity)
    if (this.#entries > 0) this.#disk.readFile(this.path).copy(memory, 0, 0, this.#entries * this.entrySize)
    this.#memory = memory
  }

  /** A place for one more entry, to be filled by the caller at the returned position of `memory`. */
  grow(): { readonly memory: Buffer; readonly position: number } {
    this.activate()
    let memory = this.#memory!
    const position = this.#entries * this.entrySize
    if (position + this.entrySize > memory.length) {
      const larger = Buffer.allocUnsafeSlow(memory.length * 2)
      memory.copy(larger, 0, 0, position)
      memory = larger
      this.#memory = larger
    }
    this.#entries++
    return { memory, position }
  }

  /** The largest index of an entry for which `isNotAbove` holds, given that it holds for a prefix; -1 for none. */
  floor(isNotAbove: (buffer: Buffer, position: number) => boolean): number {
    if (this.#entries === 0) return -1
    return this.#memory ? this.#search(isNotAbove) : this.#withFile('read', (file) => this.#search(isNotAbove, file))
  }

  #search(isNotAbove: (buffer: Buffer, position: number) => boolean, file?: DiskFile): number {
    let low = -1
    let high = this.#entries - 1
    while (low < high) {
      const middle = (low + high + 1) >>> 1
      const position = middle * this.entrySize
      if (file) readFully(file, this.#scratch, 0, this.entrySize, position)
      const holds = file ? isNotAbove(this.#scratch, 0) : isNotAbove(this.#memory!, position)
      if (holds) low = middle
      else high = middle - 1
    }
    return low
  }

  /** Reads entry `index` with `decode`. */
  entry<T>(index: number, decode: (buffer: Buffer, position: number) => T): T {
    const position = index * this.entrySize
    if (this.#memory) return decode(this.#memory, position)
    return this.#withFile('read', (file) => {
      readFully(file, this.#scratch, 0, this.entrySize, position)
      return decode(this.#scratch, 0)
    })
  }

  /** Writes the entries that the file lacks, creating it when needed. */
  flush(): void {
    const exists = this.#disk.exists(this.path)
    if (exists && this.#flushedEntries === this.#entries) return
    this.#withFile(exists ? 'read-write' : 'create', (file) => {
      const from = this.#flushedEntries * this.entrySize
      const to = this.#entries * this.entrySize
      if (to > from) file.write([this.#memory!.subarray(from, to)], from)
    })
    this.#flushedEntries = this.#entries
  }

  /** Makes the file, if there is one, durable, off the main thread. */
  async sync(): Promise<void> {
    if (!this.#disk.exists(this.path)) return
    const file = this.#disk.open(this.path, 'read-write')
    try {
      await file.sync()
    } finally {
      file.close()
    }
  }

  /** Writes everything and gives the memory back. */
  deactivate(durable: boolean): void {
    this.flush()
    if (durable) this.#withFile('read-write', (file) => file.syncNow())
    this.#memory = undefined
  }

  #withFile<T>(mode: 'read' | 'read-write' | 'create', action: (file: DiskFile) => T): T {
    const file = this.#disk.open(this.path, mode)
    try {
      return action(file)
    } finally {
      file.close()
    }
  }
}
