import type { Header, Schema, SourceOffset, SourcePartition, SourceRecord } from '@millrace/sdk'
import type { CapturedTable } from './captured-table.ts'
import { type ChangeContext, type Operation, sourceStruct, type SourceNames } from './envelope-tail.ts'
import type { JsonOutput } from '../_shared/json-output/index.ts'
import type { Lsn } from './lsn.ts'
import { snapshotOffset, streamOffset, type StreamPosition } from './positions.ts'

/** What all records of a task share. */
export interface RecordSettings {
  readonly names: SourceNames
  readonly sourcePartition: SourcePartition
  readonly headers: readonly Header[]
  /** The memory that JSON of keys and of values is written into, used again for every record. */
  readonly keyOutput: JsonOutput
  readonly valueOutput: JsonOutput
}

const BEFORE_NULL = Buffer.from('{"before":null,"after":')
const BEFORE = Buffer.from('{"before":')
const AFTER = Buffer.from(',"after":')
const NULLS = Buffer.from('{"before":null,"after":null')
const AFTER_NULL = Buffer.from(',"after":null')

const MESSAGE_TYPES: Readonly<Record<Operation, string>> = {
  c: 'INSERT',
  u: 'UPDATE',
  d: 'DELETE',
  t: 'TRUNCATE',
  m: 'MESSAGE',
  r: 'READ',
}

/**
 * One change of one row. It keeps the bytes as they came: JSON is written from them when `jsonText` is called, and
 * key and value are built when they are read.
 */
export class ChangeRecord implements SourceRecord {
  readonly settings: RecordSettings
  readonly table: CapturedTable
  readonly operation: Operation
  readonly context: ChangeContext
  readonly lsn: Lsn
  readonly processedMicros: number
  readonly buffer: Buffer
  /** Where the rows are in `buffer`; -1 for none. */
  readonly beforeStart: number
  readonly afterStart: number
  readonly end: number
  readonly isTombstone: boolean
  readonly headers: readonly Header[]
  /** `false` for a streamed change, else where the row stands in the snapshot. */
  marker: string
  /**
   * Null for a row of a snapshot. The last change of a transaction gets the end of the transaction once that is
   * known.
   */
  position: StreamPosition | null
  /** Whether the old row has all columns. */
  readonly isOldFull: boolean

  constructor(
    settings: RecordSettings,
    table: CapturedTable,
    change: {
      operation: Operation
      context: ChangeContext
      lsn: Lsn
      processedMicros: number
      buffer: Buffer
      beforeStart: number
      afterStart: number
      end: number
      isTombstone: boolean
      isOldFull: boolean
      headers: readonly Header[] | null
      marker: string
      position: StreamPosition | null
    },
  ) {
    this.settings = settings
    this.table = table
    this.operation = change.operation
    this.context = change.context
    this.lsn = change.lsn
    this.processedMicros = change.processedMicros
    this.buffer = change.buffer
    this.beforeStart = change.beforeStart
    this.afterStart = change.afterStart
    this.end = change.end
    this.isTombstone = change.isTombstone
    this.headers = change.headers ?? settings.headers
    this.marker = change.marker
    this.position = change.position
    this.isOldFull = change.isOldFull
  }

  get topic(): string {
    return this.table.topic
  }

  get partition(): null {
    return null
  }

  get timestamp(): null {
    return null
  }

  get sourcePartition(): SourcePartition {
    return this.settings.sourcePartition
  }

  get sourceOffset(): SourceOffset {
    const { context, lsn, operation } = this
    const details = { lsn, xid: context.xid, micros: context.micros, messageType: MESSAGE_TYPES[operation] }
    if (this.position === null) return snapshotOffset(details, this.marker === 'last')
    return streamOffset(this.position, details)
  }

  get keySchema(): Schema | null {
    return this.operation === 't' ? null : this.table.keySchema
  }

  get valueSchema(): Schema | null {
    return this.isTombstone ? null : this.table.envelopeSchema
  }

  /** About how much memory the record keeps. */
  get bytes(): number {
    return this.end - (this.beforeStart >= 0 ? this.beforeStart : Math.max(0, this.afterStart)) + 200
  }

  get #isCopy(): boolean {
    return this.position === null
  }

  /** The row that the key is taken from. */
  get #keyRow(): number {
    return this.afterStart >= 0 ? this.afterStart : this.beforeStart
  }

  /** Where the full old row is, to take unchanged large values of the new row from; -1 for none. */
  get #fullOld(): number {
    return this.isOldFull && this.afterStart >= 0 ? this.beforeStart : -1
  }

  get key(): unknown {
    if (this.operation === 't') return null
    return this.table.key(this.buffer, this.#keyRow, this.end, this.#isCopy, this.#fullOld)
  }

  get value(): unknown {
    if (this.isTombstone) return null
    const { table, context, lsn, processedMicros } = this
    const isCopy = this.#isCopy
    return {
      before: this.beforeStart < 0 ? null : table.row(this.buffer, this.beforeStart, this.end, isCopy, -1),
      after: this.afterStart < 0 ? null : table.row(this.buffer, this.afterStart, this.end, isCopy, this.#fullOld),
      source: sourceStruct(
        this.settings.names,
        { schema: table.schemaName, table: table.tableName },
        context,
        lsn,
        this.marker,
      ),
      transaction: null,
      op: this.operation,
      ts_ms: BigInt(Math.floor(processedMicros / 1000)),
      ts_us: BigInt(processedMicros),
      ts_ns: BigInt(processedMicros) * 1000n,
    }
  }

  jsonText(part: 'key' | 'value'): Uint8Array | null {
    const { table } = this
    if (part === 'key') {
      if (table.keySchema === null || this.operation === 't') return null
      const out = this.settings.keyOutput
      out.begin()
      table.writeKey(out, this.buffer, this.#keyRow, this.end, this.#isCopy, this.#fullOld)
      return out.take()
    }
    if (this.isTombstone) return null
    const out = this.settings.valueOutput
    out.begin()
    this.#writeRows(out)
    table.tail.write(out, this.operation, this.marker, this.context, this.lsn, this.processedMicros)
    return out.take()
  }

  #writeRows(out: JsonOutput): void {
    const { table, beforeStart, afterStart } = this
    const isCopy = this.#isCopy
    if (beforeStart < 0 && afterStart < 0) {
      out.raw(NULLS)
      return
    }
    if (beforeStart < 0) out.raw(BEFORE_NULL)
    else {
      out.raw(BEFORE)
      table.writeRow(out, this.buffer, beforeStart, this.end, isCopy, -1)
      if (afterStart < 0) {
        out.raw(AFTER_NULL)
        return
      }
      out.raw(AFTER)
    }
    table.writeRow(out, this.buffer, afterStart, this.end, isCopy, this.#fullOld)
  }
}
