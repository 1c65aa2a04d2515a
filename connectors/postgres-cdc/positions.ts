import type { SourceOffset, SourcePartition } from '@millrace/sdk'
import type { Lsn } from './lsn.ts'

/**
 * Where to go on. The server sends whole transactions whose commit lies behind `endLsn`, in commit order, so the end
 * of the last complete transaction and a count say exactly what was emitted already.
 */
export interface StreamPosition {
  /** The end of the last transaction that was emitted completely. */
  readonly endLsn: Lsn
  /** The transaction that was emitted in part; null for none. */
  readonly xid: number | null
  /** Changes of it that were emitted completely, those that filters dropped too. */
  readonly changes: number
  /** Records of the next change that were emitted. */
  readonly records: number
  /** From an offset of Debezium: skip changes of `xid` up to this position instead of counting from the start. */
  readonly skipToLsn?: Lsn
}

export const completePosition = (endLsn: Lsn): StreamPosition => ({ endLsn, xid: null, changes: 0, records: 0 })

export const sourcePartition = (prefix: string): SourcePartition => ({ server: prefix })

/** Details of a change that Debezium keeps in its offsets too. */
export interface OffsetDetails {
  readonly lsn: Lsn
  readonly xid: number | null
  readonly micros: number
  readonly messageType: string
}

/** The offset of a streamed change, with Debezium's keys and two of our own (`tx_changes`, `tx_records`). */
export function streamOffset(position: StreamPosition, details: OffsetDetails): SourceOffset {
  return {
    lsn_proc: details.lsn,
    messageType: details.messageType,
    lsn_commit: position.endLsn,
    lsn: details.lsn,
    txId: position.xid ?? details.xid,
    ts_usec: details.micros,
    tx_changes: position.changes,
    tx_records: position.records,
  }
}

export function snapshotOffset(details: OffsetDetails, isLast: boolean): SourceOffset {
  return {
    snapshot: 'INITIAL',
    snapshot_completed: isLast,
    last_snapshot_record: isLast,
    lsn: details.lsn,
    txId: details.xid,
    ts_usec: details.micros,
  }
}

/** A stored offset, understood. */
export type StoredOffset =
  | { readonly kind: 'none' }
  | { readonly kind: 'snapshot-unfinished' }
  | { readonly kind: 'stream'; readonly position: StreamPosition }

const number = (value: unknown): number | undefined =>
  typeof value === 'number' ? value : typeof value === 'bigint' ? Number(value) : undefined

/** Reads an offset of ours or of Debezium. Throws RangeError when it has no position. */
export function readOffset(offset: SourceOffset | null): StoredOffset {
  if (offset === null) return { kind: 'none' }
  const lsn = number(offset['lsn'])
  if (offset['snapshot'] !== undefined && offset['snapshot'] !== null && offset['snapshot'] !== false) {
    const isLast = offset['last_snapshot_record'] === true || offset['snapshot_completed'] === true
    if (!isLast) return { kind: 'snapshot-unfinished' }
    if (lsn !== undefined) return { kind: 'stream', position: completePosition(lsn) }
  }
  const endLsn = number(offset['lsn_commit']) ?? number(offset['lsn_proc']) ?? lsn
  if (endLsn === undefined)
    throw new RangeError(`the stored offset has no WAL position: keys ${Object.keys(offset).join(', ')}`)
  const xid = number(offset['txId']) ?? null
  const changes = number(offset['tx_changes'])
  const records = number(offset['tx_records']) ?? 0
  if (changes !== undefined) {
    const isPart = changes > 0 || records > 0
    return { kind: 'stream', position: { endLsn, xid: isPart ? xid : null, changes, records } }
  }
  const processed = number(offset['lsn_proc']) ?? lsn ?? endLsn
  const count = number(offset['lsn_events_processed']) ?? 1
  // Debezium says which position it emitted last and how many events of that position.
  if (processed < endLsn || xid === null || offset['messageType'] === 'COMMIT') {
    return { kind: 'stream', position: completePosition(endLsn) }
  }
  return { kind: 'stream', position: { endLsn, xid, changes: count, records: 0, skipToLsn: processed } }
}

/** Up to where the slot may be confirmed once this offset is durable; undefined while a snapshot runs. */
export function confirmableLsn(offset: SourceOffset): Lsn | undefined {
  return offset['snapshot'] === undefined ? number(offset['lsn_commit']) : undefined
}
