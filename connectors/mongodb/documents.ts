import { Binary, Decimal128, Double } from 'mongodb'
import { DataError, isDecimal, logicalNames, type Schema } from '@millrace/sdk'
import { documentOfBson, documentOfJson } from './extended-json.ts'

/** A document: BSON values by the names of their fields. */
export type Document = Record<string, unknown>

type Writer = (value: unknown) => unknown

const writers = new WeakMap<Schema, Writer>()

/** What a document can be made of: a struct, a map, JSON text or BSON bytes. Throws DataError for all else. */
export function documentOf(schema: Schema | null, value: unknown): Document {
  if (typeof value === 'string') return documentOfJson(value)
  if (value instanceof Uint8Array) return documentOfBson(value)
  const type = schema?.type ?? typeof value
  if (schema !== null && type !== 'STRUCT' && type !== 'MAP') throw notADocument(type)
  const converted = schema === null ? schemaless(value) : writerOf(schema)(value)
  if (isDocument(converted)) return converted
  throw notADocument(Array.isArray(value) ? 'array' : type)
}

/** Whether a BSON value is a document, and neither an array nor one of the types that are objects in JavaScript. */
export function isDocument(value: unknown): value is Document {
  if (typeof value !== 'object' || value === null || Array.isArray(value)) return false
  return !('_bsontype' in value) && !(value instanceof Date) && !(value instanceof Uint8Array)
}

/** A field by its name, or by a path of names with dots between. */
export function lookUp(document: Document, name: string): unknown {
  if (Object.hasOwn(document, name)) return document[name]
  const dot = name.indexOf('.')
  if (dot < 0) return undefined
  const inner = document[name.slice(0, dot)]
  return isDocument(inner) ? lookUp(inner, name.slice(dot + 1)) : undefined
}

function notADocument(type: string): DataError {
  return new DataError(
    `a document has to be a struct, a map, JSON text or BSON bytes, but this is of type ${type}; ` +
      'use JsonConverter, or a strategy that needs no document here',
  )
}

function writerOf(schema: Schema): Writer {
  let writer = writers.get(schema)
  if (writer === undefined) writers.set(schema, (writer = compile(schema, true)))
  return writer
}

/** `hasDefault`: a value that is missing is the default of its schema, which the original does not ask in arrays. */
function compile(schema: Schema, hasDefault: boolean): Writer {
  const write = compilePresent(schema)
  const absent = !hasDefault || schema.default === undefined ? null : write(schema.default)
  return (value) => (value === null || value === undefined ? absent : write(value))
}

function compilePresent(schema: Schema): Writer {
  switch (schema.name) {
    case logicalNames.decimal:
      return (value) => decimal128(String(value))
    case logicalNames.date:
    case logicalNames.timestamp:
      return (value) => value
    case logicalNames.time:
      return (value) => new Date(value as number)
  }
  switch (schema.type) {
    case 'STRUCT':
      return structWriter(schema)
    case 'MAP':
      return mapWriter(schema)
    case 'ARRAY': {
      const item = compile(schema.valueSchema!, false)
      return (value) => (value as readonly unknown[]).map((entry) => item(entry))
    }
    case 'BYTES':
      return (value) => new Binary(value as Uint8Array)
    case 'FLOAT32':
    case 'FLOAT64':
      // A whole number would be stored as an integer else.
      return (value) => (Number.isInteger(value) ? new Double(value as number) : value)
    default:
      // INT64 is a bigint, which the driver stores as a long.
      return (value) => value
  }
}

function structWriter(schema: Schema): Writer {
  const names = schema.fields.map(({ name }) => checkedName(name))
  const fields = schema.fields.map((field) => compile(field.schema, true))
  return (value) => {
    const from = value as Document
    const document: Document = {}
    for (let index = 0; index < names.length; index++) document[names[index]!] = fields[index]!(from[names[index]!])
    return document
  }
}

function mapWriter(schema: Schema): Writer {
  const { type } = schema.valueSchema!
  const item = compile(schema.valueSchema!, type !== 'STRUCT' && type !== 'MAP' && type !== 'ARRAY')
  const keyType = schema.keySchema!.type
  return (value) => {
    if (keyType !== 'STRING') {
      throw new DataError(`the keys of a map have to be texts to be field names, but they are ${keyType}`)
    }
    const document: Document = {}
    for (const [key, entry] of value as ReadonlyMap<string, unknown>) document[checkedName(key)] = item(entry)
    return document
  }
}

/** As the original stores data without schema: whole numbers are longs. */
function schemaless(value: unknown): unknown {
  if (typeof value === 'number') return Number.isSafeInteger(value) ? BigInt(value) : value
  if (value === undefined) return null
  if (typeof value !== 'object' || value === null || value instanceof Date) return value
  if (Array.isArray(value)) return value.map(schemaless)
  if (value instanceof Uint8Array) return new Binary(value)
  if (isDecimal(value)) return decimal128(value.toString())
  const document: Document = {}
  if (value instanceof Map) {
    for (const [key, entry] of value as ReadonlyMap<unknown, unknown>) {
      if (typeof key !== 'string')
        throw new DataError(`the key ${String(key)} of a map has to be text to be a field name`)
      document[checkedName(key)] = schemaless(entry)
    }
    return document
  }
  for (const key of Object.keys(value)) document[checkedName(key)] = schemaless((value as Document)[key])
  return document
}

/** A field of this name would be lost without a word. */
export function checkedName(name: string): string {
  if (name === '__proto__') throw new DataError('a field cannot be called __proto__; rename it with a transformation')
  return name
}

function decimal128(text: string): Decimal128 {
  try {
    return Decimal128.fromString(text)
  } catch (error) {
    throw new DataError(`the decimal ${text} has more than the 34 digits that MongoDB can hold`, { cause: error })
  }
}
