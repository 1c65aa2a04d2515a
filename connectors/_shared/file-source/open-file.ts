import { BlockFile } from './block-file.ts'
import type { FileEntry, FileSystem } from './file-system.ts'
import type { ReaderFactory, Row } from './reader.ts'
import { StreamFile } from './stream-file.ts'

/** A place in a file: behind so many rows of it. */
export interface Place {
  readonly rows: number
  /** Where reading goes on: a byte of the data, or what a reader of blocks says. */
  readonly position: number
  /** So many of these rows lie behind the position. */
  readonly skip: number
}

/** A file that is being read: its rows from a place on. */
export interface OpenFile {
  readonly entry: FileEntry
  /** Behind the last row that was given. */
  readonly place: Place
  /** The next row of what was read; undefined when `fill` has to be called. Throws DataError. */
  next(): Row | undefined
  /** Reads on; false when there is nothing more. */
  fill(system: FileSystem): Promise<boolean>
  close(): Promise<void>
}

/** Opens a file of a folder. Throws DataError when it is not of the format. */
export async function openFile(
  system: FileSystem,
  folder: string,
  entry: FileEntry,
  from: Place,
  makeReader: ReaderFactory,
): Promise<OpenFile> {
  const reader = makeReader(entry)
  return 'blocks' in reader
    ? new BlockFile(system, folder, entry, from, reader)
    : StreamFile.open(system, folder, entry, from, reader)
}
