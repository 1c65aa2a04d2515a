import { existsSync, readdirSync, rmSync } from 'node:fs'
import { join, resolve } from 'node:path'
import { DiskLockedError } from '../../base/index.ts'
import { realDisk } from '../../base/real/index.ts'
import { readDirectory } from '../../connect/index.ts'
import { readPropertiesFile } from '../properties-file.ts'
import { UsageError } from '../usage-error.ts'
import { FILE_LIST } from './file-list.ts'

/** Which directory a command is about. */
export interface DirectoryOptions {
  readonly dir?: string
  readonly workerConfig?: string
}

const LOCK = '.lock'
const STAGING = '.staging-'

/** The directory of the options: named itself, or the first entry of a worker's `plugin.path`. */
export function directoryOf({ dir, workerConfig }: DirectoryOptions): string {
  if (dir !== undefined) return resolve(dir)
  if (workerConfig === undefined) {
    throw new UsageError(
      'name the plugin directory with --dir, or the worker whose plugin.path has it with --worker-config',
    )
  }
  const [first = ''] = (readPropertiesFile(workerConfig)['plugin.path'] ?? '').split(',')
  if (first.trim() === '') throw new UsageError(`${workerConfig} has no plugin.path; add one or use --dir`)
  return resolve(first.trim())
}

/** The same, for commands that make none. */
export function existingDirectoryOf(options: DirectoryOptions): string {
  const directory = directoryOf(options)
  if (!realDisk.isDirectory(directory)) throw new UsageError(`there is no plugin directory ${directory}`)
  return directory
}

/**
 * Changes a plugin directory, alone. `stage` is a folder beside the packages, so that what is ready there comes to its place by
 * one rename. What commands that were killed have left is removed first.
 */
export async function changeDirectory<T>(directory: string, change: (stage: string) => Promise<T>): Promise<T> {
  realDisk.mkdir(directory)
  const lock = lockOf(directory)
  const stage = join(directory, `${STAGING}${process.pid}`)
  try {
    removeLeftovers(directory)
    realDisk.mkdir(stage)
    return await change(stage)
  } finally {
    rmSync(stage, { recursive: true, force: true })
    lock.release()
  }
}

function lockOf(directory: string) {
  try {
    return realDisk.lock(join(directory, LOCK))
  } catch (error) {
    if (!(error instanceof DiskLockedError)) throw error
    throw new UsageError(`process ${error.pid} changes ${directory} at this moment; wait for it`)
  }
}

/** Folders that no entry of the lock names are not in use: their command ended before it was done. */
function removeLeftovers(directory: string): void {
  const roots = new Set(readDirectory(directory, realDisk).map(({ root }) => root))
  for (const name of readdirSync(directory)) {
    const path = join(directory, name)
    const isRoot = existsSync(join(path, FILE_LIST))
    // An npm that outlived its command may still write there.
    const options = { recursive: true, force: true, maxRetries: 5 }
    if (name.startsWith(STAGING) || (isRoot && !roots.has(name))) rmSync(path, options)
  }
}
