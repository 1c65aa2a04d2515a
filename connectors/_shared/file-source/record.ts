import {
  type Header,
  type Schema,
  schemas,
  type SourceOffset,
  type SourcePartition,
  type SourceRecord,
  timestampSchema,
} from '@millrace/sdk'
import { type FileEntry, folderOf, nameOf } from './file-system.ts'
import type { Row } from './reader.ts'

const NO_HEADERS: readonly Header[] = Object.freeze([])
const MODIFIED = timestampSchema()

/** What all records of one file have in common. */
export interface FileOrigin {
  readonly topic: string
  readonly partition: SourcePartition
  /** Null: records have no headers about the file. */
  readonly headers: readonly Header[] | null
}

/** The headers that tell where a record is from; that of its row comes behind them. */
export function fileHeaders(file: FileEntry, path: string): readonly Header[] {
  const text = (key: string, value: string): Header => ({ key, value, schema: schemas.string })
  const name = nameOf(path)
  const folder = folderOf(file.path)
  const headers: Header[] = [
    text('file.name', name),
    text('file.name.without.extension', name.replace(/\.[^.]*$/, '')),
    text('file.path', path),
    text('file.parent.dir.name', nameOf(folderOf(path))),
    { key: 'file.length', value: BigInt(file.length), schema: schemas.int64 },
    { key: 'file.last.modified', value: new Date(file.modifiedMs), schema: MODIFIED },
  ]
  if (folder !== '') headers.push(text('file.relative.path', folder))
  return headers
}

/** A record of a file; its headers are made when they are asked for. */
export class FileRecord implements SourceRecord {
  readonly #row: Row
  readonly #origin: FileOrigin
  readonly partition = null
  readonly timestamp: number | null
  readonly sourceOffset: SourceOffset

  constructor(row: Row, origin: FileOrigin, sourceOffset: SourceOffset, timestamp: number) {
    this.#row = row
    this.#origin = origin
    this.sourceOffset = sourceOffset
    this.timestamp = row.timestamp ?? timestamp
  }

  get topic(): string {
    return this.#origin.topic
  }

  get sourcePartition(): SourcePartition {
    return this.#origin.partition
  }

  get key(): unknown {
    return this.#row.key
  }

  get keySchema(): Schema | null {
    return this.#row.keySchema
  }

  get value(): unknown {
    return this.#row.value
  }

  get valueSchema(): Schema | null {
    return this.#row.valueSchema
  }

  get headers(): readonly Header[] {
    const { headers } = this.#origin
    if (headers === null) return NO_HEADERS
    const row = BigInt(this.sourceOffset['offset'] as number)
    return [...headers, { key: 'file.offset', value: row, schema: schemas.int64 }]
  }

  /** The row whose JSON a `JsonFileRecord` writes. */
  protected get row(): Row {
    return this.#row
  }
}

/** A record whose JSON is written straight from the file. */
export class JsonFileRecord extends FileRecord {
  jsonText(part: 'key' | 'value'): Uint8Array | null {
    return this.row.jsonText?.(part) ?? null
  }
}
