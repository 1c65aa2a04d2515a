import fs from 'node:fs'
import path from 'node:path'
import { type Disk, type DiskFile, type DiskLock, DiskLockedError } from '../disk.ts'
import { isAlive, startOf } from './process.ts'

const FLAGS = { read: 'r', 'read-write': 'r+', create: 'wx+' } as const

function fdatasync(fd: number): Promise<void> {
  return new Promise((resolve, reject) => {
    fs.fdatasync(fd, (error) => (error ? reject(error) : resolve()))
  })
}

class RealFile implements DiskFile {
  readonly path: string
  readonly #fd: number
  #closed = false

  constructor(filePath: string, fd: number) {
    this.path = filePath
    this.#fd = fd
  }

  read(target: Buffer, targetOffset: number, length: number, position: number): number {
    return fs.readSync(this.#fd, target, targetOffset, length, position)
  }

  write(buffers: readonly Buffer[], position: number): void {
    const total = buffers.reduce((sum, buffer) => sum + buffer.length, 0)
    let written =
      buffers.length === 1
        ? fs.writeSync(this.#fd, buffers[0]!, 0, total, position)
        : fs.writevSync(this.#fd, buffers as Buffer[], position)
    // The kernel may take less than it was given (a signal, a full disk); the rest is tried until it says why.
    const rest = written < total ? Buffer.concat(buffers) : undefined
    while (rest && written < total)
      written += fs.writeSync(this.#fd, rest, written, total - written, position + written)
  }

  sync(): Promise<void> {
    return fdatasync(this.#fd)
  }

  syncNow(): void {
    fs.fdatasyncSync(this.#fd)
  }

  size(): number {
    return fs.fstatSync(this.#fd).size
  }

  truncate(length: number): void {
    fs.ftruncateSync(this.#fd, length)
  }

  close(): void {
    if (this.#closed) return
    this.#closed = true
    fs.closeSync(this.#fd)
  }
}

/** The pid in a lock file, when that process still lives. */
function livingHolder(lockPath: string): number | undefined {
  let content: string
  try {
    content = fs.readFileSync(lockPath, 'latin1')
  } catch {
    return undefined
  }
  const [pidText = '', start = ''] = content.trim().split(' ')
  const pid = Number(pidText)
  if (!Number.isInteger(pid) || pid <= 0 || !isAlive(pid)) return undefined
  const now = startOf(pid)
  return start !== '' && now !== '' && start !== now ? undefined : pid
}

function acquireLock(lockPath: string): DiskLock {
  const mine = `${process.pid} ${startOf(process.pid)}\n`
  const candidate = `${lockPath}.${process.pid}`
  for (let attempt = 0; attempt < 3; attempt++) {
    fs.writeFileSync(candidate, mine)
    try {
      // A link appears at once with its content, so that nobody reads a lock file without a pid.
      fs.linkSync(candidate, lockPath)
      return { release: () => fs.rmSync(lockPath, { force: true }) }
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code !== 'EEXIST') throw error
      const holder = livingHolder(lockPath)
      if (holder !== undefined) throw new DiskLockedError(lockPath, holder)
      fs.rmSync(lockPath, { force: true })
    } finally {
      fs.rmSync(candidate, { force: true })
    }
  }
  throw new DiskLockedError(lockPath, livingHolder(lockPath) ?? 0)
}

/**
 * Makes a folder with those above it. Node's own way never comes back from /proc, where a folder that is there answers that
 * there is none.
 */
function makeDirectory(directory: string): void {
  if (fs.statSync(directory, { throwIfNoEntry: false })?.isDirectory() === true) return
  const parent = path.dirname(directory)
  if (parent !== directory && !fs.existsSync(parent)) makeDirectory(parent)
  try {
    fs.mkdirSync(directory)
  } catch (error) {
    // Somebody else may have made it meanwhile.
    if (fs.statSync(directory, { throwIfNoEntry: false })?.isDirectory() !== true) throw error
  }
}

function withDirectory<T>(directory: string, action: (fd: number) => T): T {
  const fd = fs.openSync(directory, 'r')
  try {
    return action(fd)
  } finally {
    fs.closeSync(fd)
  }
}

async function syncDirectoryLater(directory: string): Promise<void> {
  const handle = await fs.promises.open(directory, 'r')
  try {
    await handle.sync()
  } finally {
    await handle.close()
  }
}

/** The machine's file system. */
export const realDisk: Disk = {
  open: (filePath, mode) => new RealFile(filePath, fs.openSync(filePath, FLAGS[mode])),
  exists: (filePath) => fs.existsSync(filePath),
  stat(filePath) {
    const stat = fs.statSync(filePath)
    return { size: stat.size, modifiedMs: Math.floor(stat.mtimeMs) }
  },
  mkdir: makeDirectory,
  list: (directory) => fs.readdirSync(directory),
  isDirectory: (filePath) => fs.statSync(filePath, { throwIfNoEntry: false })?.isDirectory() ?? false,
  rename: (from, to) => fs.renameSync(from, to),
  unlink: (filePath) => fs.unlinkSync(filePath),
  removeTree: (directory) => fs.rmSync(directory, { recursive: true, force: true }),
  removeLater: (filePath) => fs.promises.rm(filePath, { recursive: true, force: true }),
  readFile: (filePath) => fs.readFileSync(filePath),
  replaceFile(filePath, content) {
    const temporary = `${filePath}.tmp`
    const fd = fs.openSync(temporary, 'w')
    try {
      fs.writeFileSync(fd, content)
      fs.fsyncSync(fd)
    } finally {
      fs.closeSync(fd)
    }
    fs.renameSync(temporary, filePath)
    realDisk.syncDirectory(path.dirname(filePath))
  },
  syncDirectory: (directory) => withDirectory(directory, (fd) => fs.fsyncSync(fd)),
  syncDirectoryLater,
  lock: acquireLock,
}
