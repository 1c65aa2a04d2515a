import { BSON } from 'mongodb'
import type { Generator } from '../generate.ts'

/** Ids that records come with; every other ObjectId or UUID was made for a record. */
export const OBJECT_IDS = ['5e0000000000000000000001', '5e0000000000000000000002'] as const
export const UUIDS = ['6d01622d-b3d5-466d-ae48-e414901af8f2', '00112233-4455-6677-8899-aabbccddeeff'] as const

export const NAMES = ['a', 'b', 'c', 'u', 'ns', 'sub'] as const

const SCALARS = [
  '"so\\u00adft e\\u0301 😀 ʰ \\u0001"',
  'null',
  'true',
  '"x"',
  '"héllo \\"q\\" \\u2028"',
  '""',
  '1',
  '-7',
  '0',
  '2147483648',
  '9007199254740993',
  '9223372036854775807',
  '9223372036854775808',
  '1.0',
  '-0.0',
  '1.5',
  '1e3',
  '1E-7',
  '123456789.125',
  '{"$numberLong": "5"}',
  '{"$numberInt": "5"}',
  '{"$numberDouble": "2.0"}',
  '{"$numberDecimal": "12.50"}',
  '{"$date": 1700000000123}',
  '{"$date": "2023-11-14T22:13:20.123Z"}',
  '{"$date": {"$numberLong": "-1"}}',
  `{"$oid": "${OBJECT_IDS[0]}"}`,
  '{"$binary": {"base64": "AAH/", "subType": "00"}}',
  '{"$binary": "AAH/", "$type": "00"}',
  '{"$timestamp": {"t": 5, "i": 1}}',
  '{"$regularExpression": {"pattern": "^a", "options": "i"}}',
  '{"$regex": "^a", "$options": "i"}',
  '{"$minKey": 1}',
  '{"$maxKey": 1}',
  '[]',
  '{}',
] as const

/** JSON of a value, with all types of extended JSON. */
export function jsonValue(g: Generator, depth = 0): string {
  const roll = g.below(depth > 1 ? 10 : 14)
  if (roll < 10) return g.pick(SCALARS)
  if (roll === 10) return `[${Array.from({ length: g.below(3) }, () => jsonValue(g, depth + 1)).join(', ')}]`
  return jsonDocument(g, depth + 1)
}

/** JSON of a document; `more` are members that it has anyway. */
export function jsonDocument(g: Generator, depth = 0, more: readonly string[] = []): string {
  const members = NAMES.filter(() => g.chance(0.4)).map((name) => `"${name}": ${jsonValue(g, depth)}`)
  return `{${[...more, ...members].join(', ')}}`
}

/** The same as BSON bytes in hex, or undefined where this text cannot be read by the driver. */
export function bsonOf(json: string): string | undefined {
  try {
    return Buffer.from(BSON.serialize(BSON.EJSON.parse(json, { relaxed: false }))).toString('hex')
  } catch {
    return undefined
  }
}
