import { BSON } from 'mongodb'

/** Whether two values would be stored alike. */
export function bsonEquals(a: unknown, b: unknown): boolean {
  if (a === b) return true
  if (a === undefined || b === undefined) return false
  return Buffer.compare(BSON.serialize({ a }), BSON.serialize({ a: b })) === 0
}
