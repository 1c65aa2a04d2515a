import { Double, Int32, Long, Timestamp } from 'mongodb'
import { isDocument } from './documents.ts'

/** The name of a value's BSON type, as the shell calls it. */
export function bsonType(value: unknown): string {
  if (value === null || value === undefined) return 'null'
  if (Array.isArray(value)) return 'array'
  if (value instanceof Date) return 'date'
  if (isDocument(value)) return 'object'
  if (typeof value !== 'object') return typeof value
  return String((value as { _bsontype?: unknown })._bsontype)
}

/** The number of a value, or undefined: dates and timestamps are milliseconds, longs are bigint. */
export function numberOf(value: unknown): number | bigint | undefined {
  if (typeof value === 'number' || typeof value === 'bigint') return value
  if (value instanceof Int32 || value instanceof Double) return value.value
  if (value instanceof Long && !(value instanceof Timestamp)) return value.toBigInt()
  if (value instanceof Date) return BigInt(value.getTime())
  return value instanceof Timestamp ? BigInt(value.t) * 1000n : undefined
}
