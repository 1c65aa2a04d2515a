import { randomUUID } from 'node:crypto'
import type { ConfigIssue } from '@millrace/sdk'
import { type FileSystem, joinPath } from '../_shared/file-source/index.ts'
import type { FolderConfig } from './source.ts'

/** Looks whether the folders of a configuration are there and can be written to. */
export async function folderProblems(system: FileSystem, config: FolderConfig): Promise<ConfigIssue[]> {
  const issues: ConfigIssue[] = []
  const policy = config['cleanup.policy']
  const needsFinished = policy === 'MOVE' || policy === 'MOVEBYDATE'
  if (needsFinished && config['finished.path'] === '') {
    issues.push({ key: 'finished.path', message: `cleanup.policy ${policy} needs it` })
  }
  const folders: [string, string, boolean][] = [['input.path', config['input.path'], policy !== 'NONE']]
  if (config['error.path'] !== '') folders.push(['error.path', config['error.path'], true])
  if (needsFinished && config['finished.path'] !== '') folders.push(['finished.path', config['finished.path'], true])
  for (const [key, folder, mustBeWritable] of folders) {
    const problem = await folderProblem(system, folder, mustBeWritable)
    if (problem !== undefined) issues.push({ key, message: `${system.label}${folder}: ${problem}` })
  }
  return issues
}

/** Why a folder cannot be used, or undefined. */
export async function folderProblem(
  system: FileSystem,
  folder: string,
  mustBeWritable: boolean,
): Promise<string | undefined> {
  try {
    await system.list(folder, false)
  } catch (error) {
    return `the folder cannot be read (${(error as Error).message}); create it, or allow it to the user of the worker`
  }
  if (!mustBeWritable) return undefined
  const probe = joinPath(folder, `.millrace-${randomUUID()}`)
  try {
    // Not empty: vsftpd ends a TLS connection over which no byte came with an error.
    await system.write(probe, Buffer.from('probe\n'), 'new')
    await system.remove(probe)
    return undefined
  } catch (error) {
    return `the folder cannot be written to (${(error as Error).message}); allow it to the user of the worker`
  }
}
