import type { FileEntry } from './file-system.ts'

export type FileAttribute = 'NameAsc' | 'NameDesc' | 'LengthAsc' | 'LengthDesc' | 'LastModifiedAsc' | 'LastModifiedDesc'

const compareText = (a: string, b: string): number => (a < b ? -1 : a > b ? 1 : 0)

const COMPARE: Readonly<Record<FileAttribute, (a: FileEntry, b: FileEntry) => number>> = {
  NameAsc: (a, b) => compareText(a.path, b.path),
  NameDesc: (a, b) => compareText(b.path, a.path),
  LengthAsc: (a, b) => a.length - b.length,
  LengthDesc: (a, b) => b.length - a.length,
  LastModifiedAsc: (a, b) => a.modifiedMs - b.modifiedMs,
  LastModifiedDesc: (a, b) => b.modifiedMs - a.modifiedMs,
}

/** Orders files by these attributes, the first of them being the most important. */
export function sortFiles(files: readonly FileEntry[], attributes: readonly FileAttribute[]): FileEntry[] {
  return files.toSorted((a, b) => {
    for (const attribute of attributes) {
      const order = COMPARE[attribute](a, b)
      if (order !== 0) return order
    }
    return COMPARE.NameAsc(a, b)
  })
}

/** The task that reads a file: by Java's hash of its path, so that it is the same in every listing. */
export function taskOf(path: string, tasks: number): number {
  let hash = 0
  for (let index = 0; index < path.length; index++) hash = (Math.imul(hash, 31) + path.charCodeAt(index)) | 0
  return Math.abs(hash % tasks)
}
