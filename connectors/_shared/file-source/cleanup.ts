import { type FileEntry, type FileSystem, folderOf, joinPath, nameOf } from './file-system.ts'
import type { Outcome } from './progress.ts'

export type CleanupPolicy = 'NONE' | 'DELETE' | 'MOVE' | 'MOVEBYDATE'

export interface CleanupOptions {
  readonly policy: CleanupPolicy
  readonly inputFolder: string
  readonly finishedFolder: string
  readonly errorFolder: string
  /** Whether folders below the input folder stay when nothing is left in them. */
  readonly keepsFolders: boolean
}

const NAMES_MAX = 10_000

/**
 * Puts a file away; false when it is another by now, which nobody has read. May be called again after a crash in the middle: what is gone was put away before. A file that has the
 * name already in the target stays; the new one gets a number.
 */
export async function putAway(
  system: FileSystem,
  file: FileEntry,
  outcome: Outcome,
  options: CleanupOptions,
): Promise<boolean> {
  const { policy, inputFolder } = options
  if (outcome === 'done' && policy === 'NONE') return true
  const from = joinPath(inputFolder, file.path)
  const now = await system.stat(from)
  if (now !== null) {
    if (now.length !== file.length || now.modifiedMs !== file.modifiedMs) return false
    if (outcome === 'done' && policy === 'DELETE') await system.remove(from)
    else await moveTo(system, from, file.path, outcome === 'done' ? targetOf(file, options) : options.errorFolder)
  }
  return true
}

/** Removes the folders that a file was in when nothing is left in them. */
export async function removeEmptyFolders(system: FileSystem, path: string, options: CleanupOptions): Promise<void> {
  if (options.keepsFolders || options.policy === 'NONE') return
  for (let folder = folderOf(path); folder !== ''; folder = folderOf(folder)) {
    if (!(await system.removeEmptyFolder(joinPath(options.inputFolder, folder)))) return
  }
}

function targetOf(file: FileEntry, { policy, finishedFolder }: CleanupOptions): string {
  return policy === 'MOVEBYDATE'
    ? joinPath(finishedFolder, new Date(file.modifiedMs).toISOString().slice(0, 10))
    : finishedFolder
}

async function moveTo(system: FileSystem, from: string, path: string, folder: string): Promise<void> {
  const target = folderOf(path) === '' ? folder : joinPath(folder, folderOf(path))
  await system.makeFolder(target)
  await system.move(from, await freeName(system, joinPath(target, nameOf(path))))
}

async function freeName(system: FileSystem, path: string): Promise<string> {
  let name = path
  for (let number = 1; number < NAMES_MAX && (await system.stat(name)) !== null; number++) name = `${path}.${number}`
  return name
}
