import { createHash } from 'node:crypto'
import { readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'

/** The file in a root that lists all its others with their digests; the lock has the digest of this one. */
export const FILE_LIST = 'millrace-files.json'

/** Digests by path. */
export type FileList = Readonly<Record<string, string>>

/** sha512 as npm writes it. */
export function integrityOf(content: Buffer | string): string {
  return `sha512-${createHash('sha512').update(content).digest('base64')}`
}

/** Whether what somebody knows of a content speaks against it; registries of old know no sha512. */
export function isOther(known: string, integrity: string): boolean {
  return known.startsWith('sha512-') && known !== integrity
}

/** Every file below a folder but the list itself, as paths with slashes, sorted. */
export function filesBelow(folder: string): readonly string[] {
  const found: string[] = []
  const visit = (prefix: string) => {
    for (const entry of readdirSync(join(folder, prefix), { withFileTypes: true })) {
      const path = prefix === '' ? entry.name : `${prefix}/${entry.name}`
      if (entry.isDirectory()) visit(path)
      else if (path !== FILE_LIST) found.push(path)
    }
  }
  visit('')
  return found.toSorted()
}

/** The digests of all files below a folder. */
export function listFiles(folder: string): FileList {
  return Object.fromEntries(filesBelow(folder).map((path) => [path, integrityOf(readFileSync(join(folder, path)))]))
}

/** What differs between the files below a folder and their list; nothing when all is as it was installed. */
export function changedFiles(folder: string, listIntegrity: string): readonly string[] {
  let list: FileList
  try {
    const text = readFileSync(join(folder, FILE_LIST))
    if (integrityOf(text) !== listIntegrity) return [`${FILE_LIST} was changed`]
    list = JSON.parse(text.toString('utf8')) as FileList
  } catch {
    return [`${FILE_LIST} is missing`]
  }
  const there = new Set(filesBelow(folder))
  const changes: string[] = []
  for (const [path, digest] of Object.entries(list)) {
    if (!there.has(path)) changes.push(`${path} is missing`)
    else if (integrityOf(readFileSync(join(folder, path))) !== digest) changes.push(`${path} was changed`)
  }
  for (const path of there) if (!Object.hasOwn(list, path)) changes.push(`${path} was added`)
  return changes
}
