/** An open file. Offsets and lengths are bytes. Short reads are possible and answered with the count read. */
export interface DiskFile {
  readonly path: string
  /** Reads up to `length` bytes at `position` into `target` at `targetOffset`; returns the bytes read, 0 at the end of the file. */
  read(target: Buffer, targetOffset: number, length: number, position: number): number
  /** Writes all of the buffers at `position` (to the page cache); throws when it cannot. */
  write(buffers: readonly Buffer[], position: number): void
  /** Makes everything written before the call durable (fdatasync); runs off the main thread. */
  sync(): Promise<void>
  /** The same, blocking; for roll, checkpoints and close. */
  syncNow(): void
  size(): number
  truncate(length: number): void
  close(): void
}

/** A lock that other processes respect until it is released or its process is gone. */
export interface DiskLock {
  release(): void
}

/** A lock file belongs to a living process. */
export class DiskLockedError extends Error {
  override name = 'DiskLockedError'
  readonly code = 'ELOCKED'
  readonly pid: number

  constructor(path: string, pid: number) {
    super(`${path} is held by process ${pid}`)
    this.pid = pid
  }
}

/** The file operations of the log, as a parameter so that a simulation can inject torn writes, lost pages and bit flips. */
export interface Disk {
  open(path: string, mode: 'read' | 'read-write' | 'create'): DiskFile
  exists(path: string): boolean
  /** Size and time of the last change; throws when there is no such file. */
  stat(path: string): { readonly size: number; readonly modifiedMs: number }
  mkdir(path: string): void
  /** Names in a folder, unsorted. */
  list(path: string): string[]
  isDirectory(path: string): boolean
  rename(from: string, to: string): void
  unlink(path: string): void
  /** Removes a folder with all that is in it. */
  removeTree(path: string): void
  /** Removes a file or a folder with all that is in it, if it is there, off the main thread: large files take their time. */
  removeLater(path: string): Promise<void>
  readFile(path: string): Buffer
  /** Writes a small file so that a crash leaves the old or the new content: temporary file, sync, rename, sync of the folder. */
  replaceFile(path: string, content: Buffer | string): void
  /** Makes names in a folder durable. */
  syncDirectory(path: string): void
  /** The same, off the main thread. */
  syncDirectoryLater(path: string): Promise<void>
  /** Takes a lock file for this process; throws DiskLockedError when a living process holds it. */
  lock(path: string): DiskLock
}
