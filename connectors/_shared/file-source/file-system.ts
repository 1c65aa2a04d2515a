import type { Content } from '../buffers/index.ts'

/** A file as a listing shows it. */
export interface FileEntry {
  /** Relative to the folder that was listed, with `/` between folders. */
  readonly path: string
  readonly length: number
  /** When it was last written to, in milliseconds since the epoch; 0 where the server does not tell. */
  readonly modifiedMs: number
}

/** The bytes of a file, in order. A chunk is good until the next call. */
export interface ByteStream {
  /** Null at the end. */
  next(): Promise<Buffer | null>
  close(): Promise<void>
}

/** How a file is written: `new` fails to replace one that exists and says so. */
export type WriteMode = 'new' | 'replace' | 'append'

/** A place with files. All paths but those of entries are absolute, or relative to where a login leads. */
export interface FileSystem {
  /** For messages, for example `sftp://host:22`; empty for the local one. */
  readonly label: string
  /** Whether files may grow; else they are only written whole. */
  readonly appends: boolean
  /**
   * All files of a folder, and of those in it when `recursive`; in no order. A folder that does not exist is an error.
   * `start` asks for those whose paths begin so; more may come where that saves nothing.
   */
  list(folder: string, recursive: boolean, start?: string): Promise<FileEntry[]>
  /** Null when there is no such file. The entry's path is the one that was asked. */
  stat(path: string): Promise<FileEntry | null>
  open(path: string, position: number): Promise<ByteStream>
  /** A small file as a whole; null when there is none. */
  read(path: string): Promise<Buffer | null>
  /**
   * False when the mode is `new` and the file exists; also when it is `replace`, and the place can tell that the file is no
   * longer what was read or written here last. What was written is durable where the system can promise it.
   */
  write(path: string, bytes: Uint8Array, mode: WriteMode): Promise<boolean>
  /** Writes a file whole, in place of one that is there: its name never stands for a part of it. Its folder has to exist. */
  store(path: string, content: Content): Promise<void>
  /** Replaces no file: callers choose a free name. */
  move(from: string, to: string): Promise<void>
  /** No error when there is none. */
  remove(path: string): Promise<void>
  /** Makes a folder and those that lead to it; no error when it exists. */
  makeFolder(folder: string): Promise<void>
  /** False when there is something in the folder, or it may not be removed. */
  removeEmptyFolder(folder: string): Promise<boolean>
  close(): Promise<void>
}

/** Path of an entry within a folder. */
export function joinPath(folder: string, path: string): string {
  return folder.endsWith('/') ? folder + path : `${folder}/${path}`
}

/** The last part of a path. */
export function nameOf(path: string): string {
  return path.slice(path.lastIndexOf('/') + 1)
}

/** What comes before the last part; empty when there is nothing. */
export function folderOf(path: string): string {
  const slash = path.lastIndexOf('/')
  return slash < 0 ? '' : path.slice(0, slash)
}
