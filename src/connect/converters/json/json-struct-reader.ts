import type { Schema } from '@millrace/sdk'
import {
  BACKSLASH,
  CLOSE_BRACE,
  endOfExponent,
  isDigit,
  isExponent,
  MINUS,
  OPEN_BRACE,
  POINT,
  QUOTE,
  WRONG,
  ZERO,
} from './json-bytes.ts'
import { compileDecoder, type Decode, hasDecimal, parseJson } from './json-decoder.ts'
import { TextCache } from './text-cache.ts'

/** What a reader gives when bytes are not compact JSON with all fields in the order of the schema. No error: others read it. */
export const UNREAD: unique symbol = Symbol('unread')

/** Reads a value that begins at `at`, and moves `at` behind it. */
type Read = (bytes: Buffer) => unknown

/** Whole numbers of so many digits, and so small powers of ten, have no rounding, so that one division rounds as parsing does. */
const EXACT_DIGITS = 15
const POWERS = Array.from({ length: EXACT_DIGITS + 1 }, (_, power) => 10 ** power)
const WORDS: readonly (readonly [Buffer, unknown])[] = [
  [Buffer.from('null'), null],
  [Buffer.from('true'), true],
  [Buffer.from('false'), false],
]

/** Where the next byte is read: one number for all readers, since each payload is read in one go. */
let at = 0

/**
 * Makes a reader of structs from bytes, as JsonConverter writes them: half the work of parsing them and then decoding what
 * was parsed. It gives what that way gives, or `UNREAD`. Undefined for schemas with lists, maps and decimals.
 */
export function structReader(
  schema: Schema,
  replaceNullWithDefault: boolean,
): ((bytes: Buffer, start: number, end: number) => unknown) | undefined {
  if (schema.type !== 'STRUCT' || !isReadable(schema)) return undefined
  const read = structOf(schema, replaceNullWithDefault)
  return (bytes, start, end) => {
    if (bytes[start] !== OPEN_BRACE) return UNREAD
    at = start
    try {
      const struct = read(bytes)
      return at === end ? struct : UNREAD
    } catch {
      // What is wrong is said by those who read the text as a whole.
      return UNREAD
    }
  }
}

function isReadable(schema: Schema): boolean {
  if (schema.type !== 'STRUCT') return schema.type !== 'ARRAY' && schema.type !== 'MAP' && !hasDecimal(schema)
  return schema.fields.length > 0 && schema.fields.every((field) => isReadable(field.schema))
}

function structOf(schema: Schema, replaceNull: boolean): Read {
  const names = schema.fields.map((field) => field.name)
  const keys = names.map((name, index) => Buffer.from(`${index === 0 ? '{' : ','}${JSON.stringify(name)}:`))
  const reads = schema.fields.map((field) => fieldOf(field.schema, replaceNull))
  return (bytes) => {
    const struct: Record<string, unknown> = {}
    for (let index = 0; index < names.length; index++) {
      if (!passes(bytes, keys[index] as Buffer)) return UNREAD
      const value = (reads[index] as Read)(bytes)
      if (value === UNREAD) return UNREAD
      struct[names[index] as string] = value
    }
    return bytes[at++] === CLOSE_BRACE ? struct : UNREAD
  }
}

function fieldOf(schema: Schema, replaceNull: boolean): Read {
  const decode: Decode = compileDecoder(schema, replaceNull)
  const texts = new TextCache()
  const struct = schema.type === 'STRUCT' ? structOf(schema, replaceNull) : undefined
  return (bytes) => {
    const byte = bytes[at] as number
    if (byte === OPEN_BRACE) return struct === undefined ? UNREAD : struct(bytes)
    const json =
      byte === QUOTE ? textAt(bytes, texts) : byte === MINUS || isDigit(byte) ? numberAt(bytes) : wordAt(bytes)
    return json === UNREAD ? UNREAD : decode(json)
  }
}

function passes(bytes: Buffer, expected: Buffer): boolean {
  const start = at
  for (let index = 0; index < expected.length; index++) if (bytes[start + index] !== expected[index]) return false
  at = start + expected.length
  return true
}

function textAt(bytes: Buffer, texts: TextCache): unknown {
  const start = at
  const last = texts.lastAt(bytes, start + 1)
  if (last !== undefined) {
    at = start + last.length + 2
    return last
  }
  let seen = 0
  let hash = 0
  let end = start + 1
  for (let byte = bytes[end] as number; byte !== QUOTE; byte = bytes[++end] as number) {
    if (byte === BACKSLASH) return escapedAt(bytes, end)
    // Also at the end, where there is no byte any more.
    if (!(byte >= 0x20)) return UNREAD
    seen |= byte
    hash = (Math.imul(hash, 31) + byte) | 0
  }
  at = end + 1
  return seen < 0x80 ? texts.text(bytes, start + 1, end, hash) : bytes.toString('utf8', start + 1, end)
}

function escapedAt(bytes: Buffer, firstEscape: number): unknown {
  const start = at
  let end = firstEscape
  for (let byte = bytes[end] as number; byte !== QUOTE; byte = bytes[++end] as number) {
    if (!(byte >= 0x20)) return UNREAD
    if (byte === BACKSLASH) end++
  }
  at = end + 1
  return JSON.parse(bytes.toString('utf8', start, at))
}

/** A number as `parseJson` gives it: a bigint where digits would be lost. */
function numberAt(bytes: Buffer): unknown {
  const start = at
  const isNegative = bytes[start] === MINUS
  const first = isNegative ? start + 1 : start
  let end = first
  let value = 0
  for (let byte = bytes[end] as number; isDigit(byte); byte = bytes[++end] as number) value = value * 10 + (byte - ZERO)
  let digits = end - first
  if (digits === 0 || (digits > 1 && bytes[first] === ZERO)) return UNREAD
  let decimals = 0
  if (bytes[end] === POINT) {
    end++
    for (let byte = bytes[end] as number; isDigit(byte); byte = bytes[++end] as number) {
      value = value * 10 + (byte - ZERO)
      decimals++
    }
    if (decimals === 0) return UNREAD
    digits += decimals
  }
  const hasExponent = isExponent(bytes[end])
  if (hasExponent && (end = endOfExponent(bytes, end)) === WRONG) return UNREAD
  at = end
  if (digits > EXACT_DIGITS || hasExponent) return parseJson(bytes.toString('latin1', start, end))
  if (decimals > 0) value /= POWERS[decimals] as number
  return isNegative ? -value : value
}

function wordAt(bytes: Buffer): unknown {
  for (const [word, value] of WORDS) if (bytes[at] === word[0]) return passes(bytes, word) ? value : UNREAD
  return UNREAD
}
