import type { Header, Schema } from '@millrace/sdk'
import { protocolError } from '../_shared/postgres-wire/index.ts'
import type { CapturedTable } from './captured-table.ts'
import { ChangeRecord, type RecordSettings } from './change-record.ts'
import type { ChangeContext, Operation } from './envelope-tail.ts'
import type { Lsn } from './lsn.ts'
import {
  PGOUTPUT,
  type LogicalMessage,
  readBegin,
  readCommit,
  readMessage,
  readOrigin,
  readTruncate,
  TUPLE,
  tupleEnd,
} from './pgoutput.ts'
import { MessageRecord } from './plain-records.ts'
import { completePosition, type StreamPosition } from './positions.ts'
import type { TypeOptions } from './types/column-codec.ts'

export type StreamedRecord = ChangeRecord | MessageRecord

export interface DecoderSettings extends RecordSettings {
  readonly tombstones: boolean
  /** Operations that make no events. */
  readonly skipped: ReadonlySet<string>
  readonly messages: {
    readonly topic: string
    readonly schema: Schema
    readonly binaryMode: TypeOptions['binaryMode']
    readonly accepts: (prefix: string) => boolean
  }
  readonly nowMicros: () => number
  readonly emit: (record: StreamedRecord) => void
  readonly onUnexpectedTransaction: (expected: number, found: number) => void
}

/** How many changes share one reading of the clock. */
const CHANGES_PER_TICK = 64

/** A message that needs the table's schema again before it can be read. */
export const STALE_TABLE = 'stale-table'

interface Change {
  readonly operation: Operation
  readonly beforeStart: number
  readonly afterStart: number
  readonly isTombstone?: boolean
  readonly isOldFull?: boolean
  readonly headers?: readonly Header[]
}

/**
 * Makes records of the messages of pgoutput and knows the position of each. It does no I/O: what it emits and when
 * follows from the messages and the starting position alone.
 */
export class ChangeDecoder {
  readonly #settings: DecoderSettings
  readonly #tables = new Map<number, CapturedTable | null>()
  #skip: StreamPosition | undefined
  #endLsn: Lsn
  #context: ChangeContext
  /** The transaction that is coming in; null between transactions. */
  #xid: number | null = null
  /** Complete changes of it so far. */
  #changes = 0
  #skippedAtLsn = 0
  #lastCommitLsn: Lsn | null
  /** The newest record: given on when the next message says whether it was the last of its transaction. */
  #held: StreamedRecord | undefined
  #ticks = 0
  #nowMicros = 0

  constructor(settings: DecoderSettings, start: StreamPosition, lastCommitLsn: Lsn | null) {
    this.#settings = settings
    this.#skip = start.xid === null ? undefined : start
    this.#endLsn = start.endLsn
    this.#lastCommitLsn = lastCommitLsn
    this.#context = { xid: null, micros: 0, lastCommitLsn, origin: null, originLsn: null }
  }

  /** Where to go on when the connection breaks now, behind a `flush`. */
  get position(): StreamPosition {
    if (this.#xid === null) return this.#skip ?? completePosition(this.#endLsn)
    const skip = this.#skip
    // What is skipped was emitted before and is not to come again either.
    if (skip !== undefined && skip.xid === this.#xid && this.#changes <= skip.changes) return skip
    return { endLsn: this.#endLsn, xid: this.#xid, changes: this.#changes, records: 0 }
  }

  /** The end of the last complete transaction. */
  get endLsn(): Lsn {
    return this.#endLsn
  }

  /** The transaction that is coming in. */
  get xid(): number | null {
    return this.#xid
  }

  get lastCommitLsn(): Lsn | null {
    return this.#lastCommitLsn
  }

  get inTransaction(): boolean {
    return this.#xid !== null || this.#held !== undefined || this.#skip !== undefined
  }

  /** Between transactions everything before this position was decoded. */
  advance(lsn: Lsn): void {
    if (!this.inTransaction && lsn > this.#endLsn) this.#endLsn = lsn
  }

  /** The table of a relation; null when it is not captured. */
  setTable(oid: number, table: CapturedTable | null): void {
    this.#tables.set(oid, table)
  }

  /** Takes a message, relations excepted. */
  message(type: number, buffer: Buffer, start: number, end: number, lsn: Lsn): typeof STALE_TABLE | undefined {
    switch (type) {
      case PGOUTPUT.insert:
      case PGOUTPUT.update:
      case PGOUTPUT.delete:
        return this.#row(type, buffer, start, end, lsn)
      case PGOUTPUT.begin:
        this.#begin(buffer, start, end)
        return undefined
      case PGOUTPUT.commit:
        this.#commit(readCommit(buffer, start, end).endLsn)
        return undefined
      case PGOUTPUT.truncate:
        this.#truncate(buffer, start, end, lsn)
        return undefined
      case PGOUTPUT.message:
        this.#logicalMessage(readMessage(buffer, start, end))
        return undefined
      case PGOUTPUT.origin: {
        const origin = readOrigin(buffer, start, end)
        this.#context = { ...this.#context, origin: origin.name, originLsn: origin.lsn }
        return undefined
      }
      case PGOUTPUT.type:
        return undefined
      default:
        throw protocolError(`pgoutput message type ${type}`)
    }
  }

  #begin(buffer: Buffer, start: number, end: number): void {
    const begin = readBegin(buffer, start, end)
    this.#xid = begin.xid
    this.#changes = 0
    this.#skippedAtLsn = 0
    this.#tick()
    this.#context = {
      xid: begin.xid,
      micros: begin.commitMicros,
      lastCommitLsn: this.#lastCommitLsn,
      origin: null,
      originLsn: null,
    }
    const skip = this.#skip
    if (skip?.xid !== undefined && skip.xid !== null && skip.xid !== begin.xid) {
      this.#settings.onUnexpectedTransaction(skip.xid, begin.xid)
      this.#skip = undefined
    }
  }

  #commit(endLsn: Lsn): void {
    this.#endLsn = endLsn
    this.#lastCommitLsn = endLsn
    this.#xid = null
    this.#skip = undefined
    const held = this.#held
    if (held === undefined) return
    // The last change of a transaction carries the transaction's end, so that one durable offset confirms it.
    held.position = completePosition(endLsn)
    this.#held = undefined
    this.#settings.emit(held)
  }

  /** Gives on what is held back; `position` counts it as emitted. */
  flush(): void {
    const held = this.#held
    this.#held = undefined
    if (held !== undefined) this.#settings.emit(held)
  }

  #tick(): void {
    this.#ticks = CHANGES_PER_TICK
    this.#nowMicros = this.#settings.nowMicros()
  }

  #emit(record: StreamedRecord): void {
    if (this.#held !== undefined) this.#settings.emit(this.#held)
    this.#held = record
    if (--this.#ticks <= 0) this.#tick()
  }

  /** How many records of the next change were emitted before the restart; -1 when all were. */
  #skippedRecords(lsn: Lsn): number {
    const skip = this.#skip
    if (skip === undefined) return 0
    if (skip.skipToLsn !== undefined) {
      if (lsn < skip.skipToLsn) return -1
      if (lsn === skip.skipToLsn && this.#skippedAtLsn < skip.changes) {
        this.#skippedAtLsn++
        return -1
      }
      this.#skip = undefined
      return 0
    }
    if (this.#changes < skip.changes) return -1
    this.#skip = undefined
    return skip.records
  }

  #row(type: number, buffer: Buffer, start: number, end: number, lsn: Lsn): typeof STALE_TABLE | undefined {
    if (start + 5 > end) throw protocolError('cut pgoutput message')
    const oid = buffer.readUInt32BE(start)
    const table = this.#tables.get(oid)
    if (table === undefined) throw protocolError(`a change of relation ${oid}, which was not described`)
    if (this.#xid === null) throw protocolError('a change outside of a transaction')
    if (table === null) {
      this.#skippedRecords(lsn)
      this.#changes++
      return undefined
    }
    let kind = buffer[start + 4]
    let beforeStart = -1
    let afterStart = -1
    let isOldFull = false
    let rowEnd = start + 4
    if (kind === TUPLE.old || kind === TUPLE.key) {
      isOldFull = kind === TUPLE.old
      beforeStart = start + 5
      rowEnd = tupleEnd(buffer, beforeStart, end)
      kind = rowEnd < end ? buffer[rowEnd] : 0
    }
    if (kind === TUPLE.new) {
      afterStart = rowEnd + 1
      rowEnd = tupleEnd(buffer, afterStart, end)
    }
    const expectsAfter = type !== PGOUTPUT.delete
    if (rowEnd > end || expectsAfter !== afterStart >= 0 || (!expectsAfter && beforeStart < 0)) {
      throw protocolError('a change without its row')
    }
    if (afterStart >= 0 && table.hasUnknownLabel(buffer, afterStart)) return STALE_TABLE
    const skipped = this.#skippedRecords(lsn)
    if (skipped >= 0)
      this.#change(type, table, { buffer, beforeStart, afterStart, end: rowEnd, isOldFull }, lsn, skipped)
    this.#changes++
    return undefined
  }

  #change(
    type: number,
    table: CapturedTable,
    rows: { buffer: Buffer; beforeStart: number; afterStart: number; end: number; isOldFull: boolean },
    lsn: Lsn,
    skipped: number,
  ): void {
    const { skipped: without } = this.#settings
    const { buffer, beforeStart, afterStart, isOldFull } = rows
    if (type === PGOUTPUT.insert) {
      if (!without.has('c')) this.#record(table, rows, { operation: 'c', beforeStart: -1, afterStart }, lsn, 0)
      return
    }
    if (type === PGOUTPUT.delete) {
      if (without.has('d')) return
      const change = { operation: 'd', beforeStart, afterStart: -1 } as const
      this.#several(table, rows, this.#withTombstone(change), lsn, skipped)
      return
    }
    if (without.has('u')) return
    const keyChanged =
      beforeStart >= 0 &&
      table.keySchema !== null &&
      (isOldFull || table.oldRowHasKey) &&
      !table.sameKey(buffer, beforeStart, afterStart)
    if (!keyChanged) {
      this.#record(
        table,
        rows,
        { operation: 'u', beforeStart: isOldFull ? beforeStart : -1, afterStart, isOldFull },
        lsn,
        0,
      )
      return
    }
    this.#several(table, rows, this.#keyChange(table, rows), lsn, skipped)
  }

  #withTombstone(change: Change): Change[] {
    return this.#settings.tombstones ? [change, { ...change, isTombstone: true }] : [change]
  }

  /** An update that changes the key is a delete of the old key and an insert of the new one. */
  #keyChange(
    table: CapturedTable,
    rows: { buffer: Buffer; beforeStart: number; afterStart: number; end: number; isOldFull: boolean },
  ): Change[] {
    const { beforeStart, afterStart, isOldFull, buffer, end } = rows
    const key = (start: number, fullOld: number): unknown => table.key(buffer, start, end, false, fullOld)
    const header = (name: string, value: unknown): Header[] => [
      { key: name, value, schema: table.keySchema },
      ...this.#settings.headers,
    ]
    const fullOld = isOldFull ? beforeStart : -1
    const removed: Change = {
      operation: 'd',
      beforeStart,
      afterStart: -1,
      headers: header('__debezium.newkey', key(afterStart, fullOld)),
    }
    const created: Change = {
      operation: 'c',
      beforeStart: -1,
      afterStart,
      headers: header('__debezium.oldkey', key(beforeStart, -1)),
    }
    return [...this.#withTombstone(removed), created]
  }

  #several(
    table: CapturedTable,
    rows: { buffer: Buffer; end: number },
    changes: readonly Change[],
    lsn: Lsn,
    skipped: number,
  ): void {
    changes.forEach((change, index) => {
      if (index < skipped) return
      const isLast = index === changes.length - 1
      this.#record(table, rows, change, lsn, isLast ? 0 : index + 1)
    })
  }

  /** `records` is how many of its change were emitted with this one; 0 for all. */
  #record(
    table: CapturedTable,
    rows: { buffer: Buffer; end: number },
    change: Change,
    lsn: Lsn,
    records: number,
  ): void {
    const position: StreamPosition = {
      endLsn: this.#endLsn,
      xid: this.#xid,
      changes: records === 0 ? this.#changes + 1 : this.#changes,
      records,
    }
    this.#emit(
      new ChangeRecord(this.#settings, table, {
        operation: change.operation,
        context: this.#context,
        lsn,
        processedMicros: this.#nowMicros,
        buffer: rows.buffer,
        beforeStart: change.beforeStart,
        afterStart: change.afterStart,
        end: rows.end,
        isTombstone: change.isTombstone ?? false,
        isOldFull: change.isOldFull ?? false,
        headers: change.headers ?? null,
        marker: 'false',
        position,
      }),
    )
  }

  #truncate(buffer: Buffer, start: number, end: number, lsn: Lsn): void {
    const skipped = this.#skippedRecords(lsn)
    if (skipped >= 0 && !this.#settings.skipped.has('t')) {
      const tables = readTruncate(buffer, start, end).relationOids.flatMap((oid) => this.#tables.get(oid) ?? [])
      const rows = { buffer: EMPTY, end: 0 }
      const change = { operation: 't', beforeStart: -1, afterStart: -1 } as const
      tables.forEach((table, index) => {
        if (index < skipped) return
        this.#record(table, rows, change, lsn, index === tables.length - 1 ? 0 : index + 1)
      })
    }
    this.#changes++
  }

  #logicalMessage(message: LogicalMessage): void {
    const { messages } = this.#settings
    const accepted = messages.accepts(message.prefix)
    if (!message.transactional) {
      // It comes between transactions, as soon as it is written; the position behind it is complete.
      if (message.lsn > this.#endLsn && this.#xid === null) this.#endLsn = message.lsn
      if (accepted) this.#single(message)
      return
    }
    const skipped = this.#skippedRecords(message.lsn)
    if (skipped === 0 && accepted) {
      const position = { endLsn: this.#endLsn, xid: this.#xid, changes: this.#changes + 1, records: 0 }
      const change = { context: this.#context, position, processedMicros: this.#nowMicros }
      this.#emit(new MessageRecord(message, this.#messageSettings(), change))
    }
    this.#changes++
  }

  #single(message: LogicalMessage): void {
    const micros = this.#settings.nowMicros()
    const context = { xid: null, micros, lastCommitLsn: this.#lastCommitLsn, origin: null, originLsn: null }
    const change = { context, position: completePosition(this.#endLsn), processedMicros: micros }
    this.#settings.emit(new MessageRecord(message, this.#messageSettings(), change))
  }

  #messageSettings(): ConstructorParameters<typeof MessageRecord>[1] {
    const { names, sourcePartition, messages } = this.#settings
    return { names, sourcePartition, ...messages }
  }
}

const EMPTY = Buffer.alloc(0)
