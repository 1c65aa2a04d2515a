import { DataError, type SourceOffset } from '@millrace/sdk'
import { EPOCH, type Instant, instantOfMs } from './temporal.ts'

/** Where reading of a table or query stands. Undefined parts have not been seen yet. */
export interface Position {
  readonly incrementing: bigint | undefined
  readonly timestamp: Instant | undefined
}

export const START: Position = { incrementing: undefined, timestamp: undefined }

/** The number before the first one that is found when nothing is stored. */
export const INCREMENTING_START = -1n
export const TIMESTAMP_START: Instant = EPOCH

/** Reads a stored offset in Kafka Connect's form. Throws DataError for one that no JDBC source wrote. */
export function positionOf(offset: SourceOffset | null): Position {
  if (offset === null) return START
  const incrementing = integer(offset, 'incrementing')
  const ms = integer(offset, 'timestamp')
  const nanos = integer(offset, 'timestamp_nanos')
  if (ms === undefined) return { incrementing, timestamp: undefined }
  const instant = instantOfMs(Number(ms))
  // Offsets of old versions have no nanoseconds; the milliseconds hold what is known then.
  const timestamp = nanos === undefined ? instant : { ms: Number(ms), nanos: Number(nanos) }
  return { incrementing, timestamp }
}

function integer(offset: SourceOffset, key: string): bigint | undefined {
  const value = offset[key]
  if (value === null || value === undefined) return undefined
  if (typeof value === 'bigint') return value
  if (typeof value === 'number' && Number.isInteger(value)) return BigInt(value)
  throw new DataError(
    `the stored offset has ${key}=${JSON.stringify(value)}, which is not a whole number; correct or delete it`,
  )
}

/** Writes an offset in Kafka Connect's form: only the parts that are known. */
export function offsetOf(position: Position): SourceOffset {
  const offset: Record<string, number | bigint> = {}
  const { incrementing, timestamp } = position
  if (incrementing !== undefined) {
    const number = Number(incrementing)
    offset['incrementing'] = Number.isSafeInteger(number) ? number : incrementing
  }
  if (timestamp !== undefined) {
    offset['timestamp'] = timestamp.ms
    offset['timestamp_nanos'] = timestamp.nanos
  }
  return offset
}
