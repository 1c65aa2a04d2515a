import type { Clock, Disk, DiskFile, DiskLock, Random } from '../../src/base/index.ts'

const SECTOR = 512

/** Probabilities of faults, 0 to 1. */
export interface DiskFaults {
  /** A read answers with less than asked. */
  shortRead: number
  /** A write stops in the middle and throws. */
  writeError: number
  /** A sync fails. */
  syncError: number
  /** At a power failure, the part of unsynced sectors that is lost. */
  lostSectors: number
  /** Whether a sector that survives may be cut in the middle. */
  tornSectors: boolean
}

interface Inode {
  current: Buffer
  durable: Buffer
}

function io(code: string, message: string): Error {
  return Object.assign(new Error(`${code}: ${message}`), { code })
}

/**
 * A disk in memory with a page cache. What was written is there for readers at once, but a power failure keeps only what
 * was synced and a random choice of the rest: sectors lost, cut in the middle, names gone. Killing the process alone loses nothing.
 */
export class SimDisk implements Disk {
  readonly #random: Random
  readonly #clock: Clock
  readonly faults: DiskFaults
  #names = new Map<string, Inode>()
  #directories = new Set<string>()
  /** Names as the journal has them for sure. */
  #durableNames = new Map<string, Inode>()
  /** Names after each change since then: the journal may have got as far as any of them. */
  #laterNames: Map<string, Inode>[] = []
  #epoch = 0
  syncs = 0

  constructor(random: Random, clock: Clock, faults: DiskFaults) {
    this.#random = random
    this.#clock = clock
    this.faults = faults
  }

  #chance(probability: number): boolean {
    return probability > 0 && this.#random.next() < probability
  }

  #inode(path: string): Inode {
    const inode = this.#names.get(path)
    if (!inode) throw io('ENOENT', path)
    return inode
  }

  open(path: string, mode: 'read' | 'read-write' | 'create'): DiskFile {
    if (mode === 'create') {
      if (this.#names.has(path)) throw io('EEXIST', path)
      this.#names.set(path, { current: Buffer.alloc(0), durable: Buffer.alloc(0) })
      this.#namesChanged()
    }
    return this.#file(path, this.#inode(path))
  }

  #file(path: string, inode: Inode): DiskFile {
    return {
      path,
      read: (target, targetOffset, length, position) => {
        const available = Math.max(0, Math.min(length, inode.current.length - position))
        const short = available > 1 && this.#chance(this.faults.shortRead)
        const count = short ? 1 + Math.floor(this.#random.next() * (available - 1)) : available
        inode.current.copy(target, targetOffset, position, position + count)
        return count
      },
      write: (buffers, position) => {
        const data = Buffer.concat(buffers)
        if (this.#chance(this.faults.writeError)) {
          this.#write(inode, data.subarray(0, Math.floor(this.#random.next() * data.length)), position)
          throw io('ENOSPC', `no space left for ${path}`)
        }
        this.#write(inode, data, position)
      },
      sync: () => this.#syncLater(path, inode),
      syncNow: () => {
        this.syncs++
        inode.durable = Buffer.from(inode.current)
      },
      size: () => inode.current.length,
      truncate: (length) => {
        const cut = Buffer.alloc(length)
        inode.current.copy(cut)
        inode.current = cut
      },
      close: () => {},
    }
  }

  #write(inode: Inode, data: Buffer, position: number): void {
    const size = Math.max(inode.current.length, position + data.length)
    const next = Buffer.alloc(size)
    inode.current.copy(next)
    data.copy(next, position)
    inode.current = next
  }

  #syncLater(path: string, inode: Inode): Promise<void> {
    this.syncs++
    const epoch = this.#epoch
    // Only what was written before the call is promised.
    const content = Buffer.from(inode.current)
    const fails = this.#chance(this.faults.syncError)
    return new Promise((resolve, reject) => {
      this.#clock.setTimer(0.2 + this.#random.next() * 5, () => {
        // After a crash nobody is there to hear of it.
        if (epoch !== this.#epoch) return
        if (fails) {
          reject(io('EIO', `sync of ${path}`))
          return
        }
        // A later truncation is not undone by a sync that began before it.
        inode.durable = content.length <= inode.current.length ? content : Buffer.from(inode.current)
        resolve()
      })
    })
  }

  exists(path: string): boolean {
    return this.#names.has(path) || this.#directories.has(path)
  }

  stat(path: string): { size: number; modifiedMs: number } {
    return { size: this.#inode(path).current.length, modifiedMs: this.#clock.now() }
  }

  mkdir(path: string): void {
    this.#directories.add(path)
  }

  list(path: string): string[] {
    const prefix = `${path}/`
    const inside = [...this.#names.keys(), ...this.#directories].filter((name) => name.startsWith(prefix))
    return [...new Set(inside.map((name) => name.slice(prefix.length).split('/')[0]!))]
  }

  isDirectory(path: string): boolean {
    return this.#directories.has(path)
  }

  rename(from: string, to: string): void {
    const inode = this.#inode(from)
    this.#names.delete(from)
    this.#names.set(to, inode)
    this.#namesChanged()
  }

  unlink(path: string): void {
    this.#inode(path)
    this.#names.delete(path)
    this.#namesChanged()
  }

  removeTree(path: string): void {
    for (const name of this.#names.keys()) if (name.startsWith(`${path}/`)) this.#names.delete(name)
    this.#directories.delete(path)
    this.#namesChanged()
  }

  async removeLater(path: string): Promise<void> {
    if (this.#names.delete(path)) this.#namesChanged()
    else this.removeTree(path)
  }

  #namesChanged(): void {
    this.#laterNames.push(new Map(this.#names))
  }

  readFile(path: string): Buffer {
    return Buffer.from(this.#inode(path).current)
  }

  replaceFile(path: string, content: Buffer | string): void {
    const data = Buffer.from(content)
    this.#names.set(path, { current: data, durable: Buffer.from(data) })
    this.syncDirectory('')
  }

  /** A journal writes all pending changes of names in their order, whichever folder they are in. */
  syncDirectory(_path: string): void {
    this.#durableNames = new Map(this.#names)
    this.#laterNames = []
  }

  syncDirectoryLater(_path: string): Promise<void> {
    const epoch = this.#epoch
    const names = this.#laterNames.at(-1)
    return new Promise((resolve) => {
      this.#clock.setTimer(0.5, () => {
        if (epoch !== this.#epoch) return
        // The journal has at least what was there at the call, unless something made it go on since.
        const index = names ? this.#laterNames.indexOf(names) : -1
        if (index >= 0) this.#durableNames = this.#laterNames.splice(0, index + 1).at(-1)!
        resolve()
      })
    })
  }

  lock(_path: string): DiskLock {
    return { release: () => {} }
  }

  /** The process is gone: syncs under way are never heard of, the page cache stays. */
  killProcess(): void {
    this.#epoch++
  }

  /** The machine is off: what was not synced survives in part. */
  failPower(): void {
    this.#epoch++
    const possible = [this.#durableNames, ...this.#laterNames]
    const names = possible[Math.floor(this.#random.next() * possible.length)]!
    this.#names = new Map(names)
    this.#durableNames = new Map(names)
    this.#laterNames = []
    for (const inode of new Set(this.#names.values())) {
      const survivor = this.#survivingContent(inode)
      inode.current = survivor
      inode.durable = Buffer.from(survivor)
    }
  }

  #survivingContent({ current, durable }: Inode): Buffer {
    if (current.equals(durable)) return current
    // The file may have any length between what is durable and what was written.
    const low = Math.min(current.length, durable.length)
    const high = Math.max(current.length, durable.length)
    const size = this.#random.next() < 0.3 ? high : low + Math.floor(this.#random.next() * (high - low + 1))
    const content = Buffer.alloc(size)
    durable.copy(content, 0, 0, Math.min(size, durable.length))
    for (let start = 0; start < size; start += SECTOR) {
      const end = Math.min(start + SECTOR, size, current.length)
      if (end <= start || this.#chance(this.faults.lostSectors)) continue
      const torn = this.faults.tornSectors && this.#chance(0.2)
      const length = torn ? Math.floor(this.#random.next() * (end - start)) : end - start
      current.copy(content, start, start, start + length)
    }
    return content
  }

  /** Turns over one bit at rest; returns where, or undefined when no file matches. */
  flipBit(matches: (path: string) => boolean): { path: string; position: number } | undefined {
    const paths = [...this.#names.keys()].filter((path) => matches(path) && this.#names.get(path)!.current.length > 0)
    if (paths.length === 0) return undefined
    const path = paths[Math.floor(this.#random.next() * paths.length)]!
    const inode = this.#names.get(path)!
    const position = Math.floor(this.#random.next() * inode.current.length)
    const mask = 1 << Math.floor(this.#random.next() * 8)
    for (const buffer of [inode.current, inode.durable]) {
      if (position < buffer.length) buffer[position] = buffer[position]! ^ mask
    }
    return { path, position }
  }
}
