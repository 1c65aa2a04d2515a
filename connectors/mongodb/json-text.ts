import type {
  Binary,
  BSONRegExp,
  BSONSymbol,
  Code,
  DBRef,
  Decimal128,
  Double,
  Int32,
  Long,
  ObjectId,
  Timestamp,
} from 'mongodb'
import { doubleToString } from '@millrace/sdk'
import type { Document } from './documents.ts'

/**
 * Writes a document as JSON text, byte by byte as the original does: keys that stay the same go to the same partition.
 */
export type JsonText = (document: Document) => string

/** A value of BSON with the name of its type. */
type Typed = { readonly _bsontype: string }

/** What the three formatters do differently; the rest is alike. */
interface Mode {
  int32(value: number): string
  int64(text: string): string
  double(value: number): string
  date(date: Date): string
  binary(base64: string, subType: string): string
  decimal(text: string): string
  objectId(hex: string): string
  symbol(text: string): string
  regex(pattern: string, options: string): string
  pointer(ref: DBRef): string
}

/** What needs no look at its characters. */
const PLAIN = /^[ !#-[\]-~]*$/
/** As Java: what is neither letter, digit, space, punctuation nor symbol, and all of a surrogate pair. */
const ESCAPED = /[\u{10000}-\u{10ffff}]|[^\p{Lu}\p{Ll}\p{Lt}\p{Lo}\p{N}\p{Zs}\p{P}\p{Me}\p{S}]/gu

/** Text as JSON, with the escapes that the original writes: keys that stay the same go to the same partition. */
function quoted(text: string): string {
  if (PLAIN.test(text)) return `"${text}"`
  const json = JSON.stringify(text)
  return json.replace(ESCAPED, (character) => character.split('').map(escapeOf).join(''))
}

function escapeOf(unit: string): string {
  return `\\u${unit.charCodeAt(0).toString(16).padStart(4, '0')}`
}

const strict: Mode = {
  int32: String,
  int64: (text) => `{"$numberLong": "${text}"}`,
  double: doubleToString,
  date: (date) => `{"$date": ${date.getTime()}}`,
  binary: (base64, subType) => `{"$binary": "${base64}", "$type": "${subType}"}`,
  decimal: (text) => `{"$numberDecimal": "${text}"}`,
  objectId: (hex) => `{"$oid": "${hex}"}`,
  symbol: (text) => `{"$symbol": ${quoted(text)}}`,
  regex: (pattern, options) => `{"$regex": ${quoted(pattern)}, "$options": ${quoted(options)}}`,
  pointer: (ref) => `{"$ref": ${quoted(ref.collection)}, "$id": {"$oid": "${String(ref.oid)}"}}`,
}

const extended: Mode = {
  ...strict,
  int32: (value) => `{"$numberInt": "${value}"}`,
  double: (value) => `{"$numberDouble": "${doubleToString(value)}"}`,
  date: (date) => `{"$date": {"$numberLong": "${date.getTime()}"}}`,
  binary: (base64, subType) => `{"$binary": {"base64": "${base64}", "subType": "${subType}"}}`,
  regex: (pattern, options) => `{"$regularExpression": {"pattern": ${quoted(pattern)}, "options": ${quoted(options)}}}`,
}

/** As Java writes it: no more digits of the fraction than there are. */
function isoText(date: Date): string {
  return `"${date.toISOString().replace(/\.?0+Z$/, 'Z')}"`
}

const relaxed: Mode = {
  ...extended,
  int32: String,
  int64: (text) => text,
  double: (value) => (Number.isFinite(value) ? doubleToString(value) : `{"$numberDouble": "${value}"}`),
  date: (date) => {
    const isText = date.getTime() >= 0 && date.getTime() < YEAR_10000_MS
    return isText ? `{"$date": ${isoText(date)}}` : extended.date(date)
  },
}

const simplified: Mode = {
  ...relaxed,
  date: isoText,
  binary: (base64) => quoted(base64),
  decimal: quoted,
  objectId: quoted,
  symbol: quoted,
}

/** Dates of later years have no relaxed form. */
const YEAR_10000_MS = 253_402_300_800_000

/** By the names of the formatters; dead letters and offsets are relaxed, whatever the formatter. */
const MODES: Readonly<Record<string, Mode>> = {
  Relaxed: relaxed,
  DefaultJson: strict,
  ExtendedJson: extended,
  SimplifiedJson: simplified,
}

/** The writer of a formatter. */
export function jsonText(formatter: string): JsonText {
  const mode = MODES[formatter]!
  return (document) => documentText(document, mode)
}

/** One value, as it stands within a document. */
export function jsonOfValue(formatter: string, value: unknown): string {
  return valueText(value, MODES[formatter]!)
}

function documentText(document: Document, mode: Mode): string {
  let text = ''
  for (const [name, value] of Object.entries(document)) {
    text += `${text === '' ? '' : ', '}${quoted(name)}: ${valueText(value, mode)}`
  }
  return `{${text}}`
}

function valueText(value: unknown, mode: Mode): string {
  switch (typeof value) {
    case 'string':
      return quoted(value)
    case 'boolean':
      return String(value)
    case 'number':
      return Number.isInteger(value) ? mode.int32(value) : mode.double(value)
    case 'bigint':
      return mode.int64(String(value))
    case 'undefined':
      return '{"$undefined": true}'
  }
  if (value === null) return 'null'
  if (Array.isArray(value)) return `[${value.map((item) => valueText(item, mode)).join(', ')}]`
  if (value instanceof Date) return mode.date(value)
  return typeof value === 'object' && '_bsontype' in value
    ? typedText(value as Typed, mode)
    : documentText(value as Document, mode)
}

function typedText(value: Typed, mode: Mode): string {
  switch (value._bsontype) {
    case 'Int32':
      return mode.int32((value as Int32).value)
    case 'Long':
      return mode.int64(String(value as Long))
    case 'Double':
      return mode.double((value as Double).value)
    case 'ObjectId':
      return mode.objectId((value as ObjectId).toHexString())
    case 'Decimal128':
      return mode.decimal(String(value as Decimal128))
    case 'Binary': {
      const { buffer, position, sub_type: subType } = value as Binary
      const bytes = Buffer.from(buffer.buffer, buffer.byteOffset, position)
      return mode.binary(bytes.toString('base64'), subType.toString(16).padStart(2, '0'))
    }
    case 'Timestamp': {
      const { t, i } = value as Timestamp
      return `{"$timestamp": {"t": ${t}, "i": ${i}}}`
    }
    case 'BSONRegExp':
      return mode.regex((value as BSONRegExp).pattern, (value as BSONRegExp).options)
    case 'BSONSymbol':
      return mode.symbol((value as BSONSymbol).value)
    case 'Code': {
      const { code, scope } = value as Code
      return scope ? `{"$code": ${quoted(code)}, "$scope": ${documentText(scope, mode)}}` : `{"$code": ${quoted(code)}}`
    }
    case 'MinKey':
      return '{"$minKey": 1}'
    case 'MaxKey':
      return '{"$maxKey": 1}'
    case 'DBRef':
      return referenceText(value as DBRef, mode)
    default:
      throw new TypeError(`a BSON value of type ${value._bsontype} has no JSON form`)
  }
}

/** The driver reads documents of the form {$ref, $id} as references; they stay what they were. */
function referenceText(reference: DBRef, mode: Mode): string {
  if ((reference.oid as Partial<Typed> | undefined)?._bsontype === 'ObjectId' && reference.db === undefined) {
    if (Object.keys(reference.fields).length === 0) return mode.pointer(reference)
  }
  return documentText({ ...reference.toJSON() }, mode)
}
