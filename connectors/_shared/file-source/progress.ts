import { ConnectError, type SourceOffset } from '@millrace/sdk'
import type { FileEntry } from './file-system.ts'

/** How a file ended: read to its end, or given up because of its data. */
export type Outcome = 'done' | 'failed'

/** Where reading a file is. */
export interface Progress {
  /** Rows that were given. */
  readonly rows: number
  /** Position of the byte after them, in the data; null in offsets of SpoolDir, which count rows only. */
  readonly position: number | null
  readonly outcome: Outcome | null
}

/**
 * The offset of a file. Length and time of the last change tell the file that was read from another of the same name that
 * came later, which has to be read from its start.
 */
export function offsetOf(file: FileEntry, rows: number, position: number, outcome?: Outcome): SourceOffset {
  const { length, modifiedMs: modified } = file
  return outcome === undefined
    ? { offset: rows, position, length, modified }
    : { offset: rows, position, length, modified, outcome }
}

/** What a stored offset says of the file that is there now. */
export function progressOf(file: FileEntry, stored: SourceOffset | null): Progress | 'other file' | null {
  if (stored === null) return null
  const rows = count(file, stored, 'offset')
  if (stored['position'] === undefined) return { rows, position: null, outcome: null }
  const position = count(file, stored, 'position')
  if (Number(stored['length']) !== file.length || Number(stored['modified']) !== file.modifiedMs) return 'other file'
  const outcome = stored['outcome']
  return { rows, position, outcome: outcome === 'done' || outcome === 'failed' ? outcome : null }
}

function count(file: FileEntry, stored: SourceOffset, key: string): number {
  const value = Number(stored[key] ?? Number.NaN)
  if (Number.isSafeInteger(value) && value >= 0) return value
  throw new ConnectError(`the stored offset of ${file.path} is no position in a file: reset the connector's offsets`)
}
