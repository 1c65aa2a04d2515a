import type { Schema } from '@millrace/sdk'
import type { ByteSource } from '../formats/index.ts'

/** What a record of a file is made of, without where it comes from. */
export interface Row {
  readonly key: unknown
  readonly keySchema: Schema | null
  readonly value: unknown
  readonly valueSchema: Schema | null
  /** Milliseconds, when the data says when it is of. */
  readonly timestamp?: number | null
  /** As `SourceRecord.jsonText`: present where the reader can write the JSON of a value straight from the data. */
  jsonText?(part: 'key' | 'value'): Uint8Array | null
}

/**
 * Cuts the bytes of one file into rows. Bytes are pushed as they come; `next` gives a row, or undefined when it needs more
 * bytes. What is wrong with the data is a DataError; the reader is not used any more after one.
 */
export interface FileReader {
  /** Whether all that is needed of the beginning of the file (its header) was seen; rows may be read from anywhere then. */
  readonly isReady: boolean
  /** Position of the byte after the last row that was given, in the data. */
  readonly position: number
  /** Takes bytes that follow; `isLast` with the last of them, or with none after them. The chunk is not kept. */
  push(chunk: Uint8Array, isLast: boolean): void
  /** Reads the header when its bytes are there. */
  prepare(): void
  next(): Row | undefined
  /** Forgets what was pushed: the next bytes are those from this position on. */
  seek(position: number): void
}

/** A file for which a reader is made. */
export interface FileInfo {
  readonly path: string
  readonly length: number
  readonly modifiedMs: number
}

/** Rows that a file holds together, and where reading goes on: a file may be read from the position of any block. */
export interface Block {
  readonly position: number
  /** Position of what follows. */
  readonly next: number
  readonly rows: readonly Row[]
}

/** Reads a format that has to be looked at in several places: its blocks, from one on. What is wrong is a DataError. */
export interface BlockReader {
  blocks(source: ByteSource, from: number): AsyncIterator<Block>
}

export type ReaderFactory = (file: FileInfo) => FileReader | BlockReader
