import { ConnectError, type SourceOffset } from '@millrace/sdk'
import type { FileEntry } from './file-system.ts'
import type { Place } from './open-file.ts'

/** How a file ended: read to its end, or given up because of its data. */
export type Outcome = 'done' | 'failed'

/** Where reading a file is. */
export interface Progress extends Place {
  readonly outcome: Outcome | null
}

/**
 * The offset of a file. Length and time of the last change tell the file that was read from another of the same name that
 * came later, which has to be read from its start.
 */
export function offsetOf(file: FileEntry, { rows, position, skip }: Place, outcome?: Outcome): SourceOffset {
  const { length, modifiedMs: modified } = file
  const offset: Record<string, SourceOffset[string]> = { offset: rows, position, length, modified }
  if (skip > 0) offset['skip'] = skip
  if (outcome !== undefined) offset['outcome'] = outcome
  return offset
}

/** What a stored offset says of the file that is there now. */
export function progressOf(file: FileEntry, stored: SourceOffset | null): Progress | 'other file' | null {
  if (stored === null) return null
  const rows = count(file, stored, 'offset')
  // Offsets of SpoolDir count rows only.
  if (stored['position'] === undefined) return { rows, position: 0, skip: rows, outcome: null }
  const position = count(file, stored, 'position')
  const skip = stored['skip'] === undefined ? 0 : count(file, stored, 'skip')
  if (Number(stored['length']) !== file.length || Number(stored['modified']) !== file.modifiedMs) return 'other file'
  const outcome = stored['outcome']
  return { rows, position, skip, outcome: outcome === 'done' || outcome === 'failed' ? outcome : null }
}

function count(file: FileEntry, stored: SourceOffset, key: string): number {
  const value = Number(stored[key] ?? Number.NaN)
  if (Number.isSafeInteger(value) && value >= 0) return value
  throw new ConnectError(`the stored offset of ${file.path} is no position in a file: reset the connector's offsets`)
}
