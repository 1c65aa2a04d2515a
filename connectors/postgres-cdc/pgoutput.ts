import { protocolError } from '../_shared/postgres-wire/index.ts'
import { type Lsn, readLsn, readTimestamp } from './lsn.ts'

/**
 * Messages of the output plugin pgoutput, protocol version 1:
 * https://www.postgresql.org/docs/current/protocol-logicalrep-message-formats.html
 */

export interface BeginMessage {
  /** The position of the commit record. */
  readonly finalLsn: Lsn
  /** Microseconds since the epoch. */
  readonly commitMicros: number
  readonly xid: number
}

export interface CommitMessage {
  readonly commitLsn: Lsn
  /** The first byte behind the transaction: where to go on. */
  readonly endLsn: Lsn
  readonly commitMicros: number
}

export interface RelationColumn {
  readonly name: string
  readonly typeOid: number
  readonly typeModifier: number
  /** Part of the replica identity. */
  readonly isKey: boolean
}

export interface RelationMessage {
  readonly oid: number
  readonly schema: string
  readonly table: string
  /** d default, n nothing, f full, i index. */
  readonly replicaIdentity: string
  readonly columns: readonly RelationColumn[]
}

export interface LogicalMessage {
  readonly transactional: boolean
  readonly lsn: Lsn
  readonly prefix: string
  readonly content: Buffer
}

export interface TruncateMessage {
  readonly relationOids: readonly number[]
}

/** The message types, by their first byte. */
export const PGOUTPUT = {
  begin: 0x42,
  commit: 0x43,
  origin: 0x4f,
  relation: 0x52,
  type: 0x59,
  insert: 0x49,
  update: 0x55,
  delete: 0x44,
  truncate: 0x54,
  message: 0x4d,
} as const

/** The kinds of tuples, by the byte before each. */
export const TUPLE = { new: 0x4e, old: 0x4f, key: 0x4b } as const

/** Reads within a message; whatever would leave it is an error of the protocol. */
class MessageReader {
  readonly #buffer: Buffer
  readonly #end: number
  position: number

  constructor(buffer: Buffer, start: number, end: number) {
    this.#buffer = buffer
    this.position = start
    this.#end = end
  }

  #advance(bytes: number): number {
    const at = this.position
    // Invariant 8: nothing is read behind the end of its message.
    if (bytes < 0 || at + bytes > this.#end) throw protocolError('cut pgoutput message')
    this.position = at + bytes
    return at
  }

  byte = (): number => this.#buffer[this.#advance(1)] as number
  int16 = (): number => this.#buffer.readInt16BE(this.#advance(2))
  int32 = (): number => this.#buffer.readInt32BE(this.#advance(4))
  uint32 = (): number => this.#buffer.readUInt32BE(this.#advance(4))
  lsn = (): Lsn => readLsn(this.#buffer, this.#advance(8))
  timestamp = (): number => readTimestamp(this.#buffer, this.#advance(8))

  string(): string {
    const end = this.#buffer.indexOf(0, this.position)
    if (end < 0 || end >= this.#end) throw protocolError('cut string in a pgoutput message')
    const text = this.#buffer.toString('utf8', this.position, end)
    this.position = end + 1
    return text
  }

  bytes(length: number): Buffer {
    const at = this.#advance(length)
    return this.#buffer.subarray(at, at + length)
  }
}

/** All readers take the message from behind its type byte. */
export function readBegin(buffer: Buffer, start: number, end: number): BeginMessage {
  const reader = new MessageReader(buffer, start, end)
  return { finalLsn: reader.lsn(), commitMicros: reader.timestamp(), xid: reader.uint32() }
}

export function readCommit(buffer: Buffer, start: number, end: number): CommitMessage {
  const reader = new MessageReader(buffer, start, end)
  reader.byte()
  return { commitLsn: reader.lsn(), endLsn: reader.lsn(), commitMicros: reader.timestamp() }
}

export function readRelation(buffer: Buffer, start: number, end: number): RelationMessage {
  const reader = new MessageReader(buffer, start, end)
  const oid = reader.uint32()
  // An empty name stands for pg_catalog.
  const schema = reader.string() || 'pg_catalog'
  const table = reader.string()
  const replicaIdentity = String.fromCharCode(reader.byte())
  const columns = Array.from({ length: reader.int16() }, (): RelationColumn => {
    const isKey = (reader.byte() & 1) === 1
    return { isKey, name: reader.string(), typeOid: reader.uint32(), typeModifier: reader.int32() }
  })
  return { oid, schema, table, replicaIdentity, columns }
}

export function readTruncate(buffer: Buffer, start: number, end: number): TruncateMessage {
  const reader = new MessageReader(buffer, start, end)
  const count = reader.int32()
  reader.byte()
  if (count < 0 || count > (end - start) / 4) throw protocolError(`truncate of ${count} tables`)
  return { relationOids: Array.from({ length: count }, () => reader.uint32()) }
}

export function readMessage(buffer: Buffer, start: number, end: number): LogicalMessage {
  const reader = new MessageReader(buffer, start, end)
  const transactional = (reader.byte() & 1) === 1
  const lsn = reader.lsn()
  const prefix = reader.string()
  return { transactional, lsn, prefix, content: reader.bytes(reader.int32()) }
}

/** The name of the replication origin of a transaction. */
export function readOrigin(buffer: Buffer, start: number, end: number): { lsn: Lsn; name: string } {
  const reader = new MessageReader(buffer, start, end)
  return { lsn: reader.lsn(), name: reader.string() }
}

/** Finds the end of the tuple that begins at `start` with its column count. */
export function tupleEnd(buffer: Buffer, start: number, end: number): number {
  if (start + 2 > end) throw protocolError('cut tuple')
  const count = buffer.readUInt16BE(start)
  let position = start + 2
  for (let column = 0; column < count; column++) {
    const kind = buffer[position]
    position++
    if (kind === 0x74 || kind === 0x62) {
      if (position + 4 > end) throw protocolError('cut tuple')
      const length = buffer.readInt32BE(position)
      if (length < 0) throw protocolError('negative length in a tuple')
      position += 4 + length
    } else if (kind !== 0x6e && kind !== 0x75) throw protocolError(`column kind ${kind} in a tuple`)
    // Invariant 8: a tuple may not reach behind its message.
    if (position > end) throw protocolError('cut tuple')
  }
  return position
}
