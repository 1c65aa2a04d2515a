import { Binary, BSON, BSONRegExp, Double, Int32, Long } from 'mongodb'
import { DataError } from '@millrace/sdk'
import { type Document, isDocument } from './documents.ts'

const { EJSON } = BSON

/** The words of extended JSON; other names with a dollar sign are operators and stay. */
const TYPES = new Set([
  '$oid',
  '$binary',
  '$uuid',
  '$numberLong',
  '$numberInt',
  '$numberDouble',
  '$numberDecimal',
  '$regularExpression',
  '$symbol',
  '$code',
  '$minKey',
  '$maxKey',
  '$undefined',
  '$dbPointer',
])
/** Their content is numbers, which are read already when their turn comes. */
const OF_NUMBERS = new Set(['$date', '$timestamp'])
type Reviver = (key: string, value: unknown) => unknown

/**
 * What plain JSON.parse would read otherwise: types in words, numbers that are no int32, a name that would be lost. Looking
 * at each value costs four times as much as reading the text.
 */
const NEEDS_REVIVAL = /[$]|\d[.eE]|\d{10}|__proto__/
const INT32_MAX = 2 ** 31 - 1
const INT64_MAX = 2n ** 63n

/**
 * A document from extended JSON, each number as it is written: `1` an int32 or a long, `1.0` a double. Throws
 * DataError.
 */
export function documentOfJson(text: string): Document {
  const value = parseJson(text)
  if (isDocument(value)) return value
  throw new DataError('the JSON text is no object, so it is no document')
}

/** A document from BSON bytes, with all its types. Throws DataError. */
export function documentOfBson(bytes: Uint8Array): Document {
  try {
    return BSON.deserialize(bytes, { promoteValues: false, promoteBuffers: false, bsonRegExp: true })
  } catch (error) {
    throw new DataError(`the bytes are no BSON document: ${(error as Error).message}`, { cause: error })
  }
}

/** A value from extended JSON. Throws DataError. */
export function parseJson(text: string): unknown {
  try {
    return NEEDS_REVIVAL.test(text) ? JSON.parse(text, revive as Reviver) : JSON.parse(text)
  } catch (error) {
    throw new DataError(`the text is no extended JSON: ${(error as Error).message}`, { cause: error })
  }
}

function revive(key: string, value: unknown, context: { source?: string }): unknown {
  if (key === '__proto__') throw new DataError('a field cannot be called __proto__; rename it with a transformation')
  if (typeof value === 'number') return numberOf(context.source ?? String(value))
  if (typeof value !== 'object' || value === null || Array.isArray(value)) return value
  const first = firstKey(value)
  if (first === undefined || first.charCodeAt(0) !== 36) return value
  const older = olderForm(value as Document)
  if (older !== undefined) return older
  if (OF_NUMBERS.has(first)) return EJSON.parse(EJSON.stringify(value, { relaxed: true }), { relaxed: true })
  return TYPES.has(first) ? EJSON.parse(EJSON.stringify(value, { relaxed: false }), { relaxed: false }) : value
}

/** Binary data and regular expressions as DefaultJson, and drivers before 2019, write them. */
function olderForm({ $binary, $type, $regex, $options, ...rest }: Document): unknown {
  if (Object.keys(rest).length > 0) return undefined
  if (typeof $binary === 'string' && typeof $type === 'string' && /^[\da-f]{1,2}$/i.test($type)) {
    return new Binary(Buffer.from($binary, 'base64'), Number.parseInt($type, 16))
  }
  const isPattern = typeof $regex === 'string' && typeof $options === 'string'
  return isPattern ? new BSONRegExp($regex, $options) : undefined
}

function firstKey(value: object): string | undefined {
  for (const key in value) return key
  return undefined
}

function numberOf(source: string): Int32 | Long | Double {
  if (/[.eE]/.test(source)) return new Double(Number(source))
  const number = Number(source)
  if (Math.abs(number) <= INT32_MAX) return new Int32(number)
  const long = BigInt(source)
  if (long >= -INT64_MAX && long < INT64_MAX) return Long.fromBigInt(long)
  throw new DataError('a whole number of the text does not fit into 64 bits')
}
