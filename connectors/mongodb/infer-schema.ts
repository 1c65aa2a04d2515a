import { Binary, Decimal128, Double, Int32, Long, Timestamp } from 'mongodb'
import { arrayOf, Decimal, decimalSchema, type Schema, schemas, struct, timestampSchema } from '@millrace/sdk'
import { type Document, isDocument } from './documents.ts'

/** Schemas are kept by their text, so that documents of one form share one schema object. */
const CACHE_MAX = 1000

/** What a value shows of its schema: null shows nothing, so anything goes with it. */
type Shape =
  | { readonly kind: 'null' }
  | { readonly kind: 'text' | 'boolean' | 'int32' | 'int64' | 'double' | 'timestamp' | 'bytes' }
  | { readonly kind: 'decimal'; readonly scale: number }
  | { readonly kind: 'array'; readonly name: string; readonly item: Shape }
  | { readonly kind: 'document'; readonly name: string; readonly fields: ReadonlyMap<string, Shape> }

const TEXT: Shape = { kind: 'text' }
const NULL: Shape = { kind: 'null' }
const ROOT = 'default'

/** Infers the schemas of documents: `_id` first, the other fields by name, everything optional. */
export class SchemaInference {
  readonly #schemas = new Map<string, Schema>()

  schemaOf(document: Document): Schema {
    const shape = documentShape(document, ROOT)
    const text = JSON.stringify(shape, (_key, value: unknown) => (value instanceof Map ? [...value] : value))
    let schema = this.#schemas.get(text)
    if (schema === undefined) {
      if (this.#schemas.size >= CACHE_MAX) this.#schemas.clear()
      this.#schemas.set(text, (schema = schemaOfShape(shape, false)))
    }
    return schema
  }
}

function documentShape(document: Document, name: string): Shape {
  const names = Object.keys(document)
    .filter((key) => key !== '_id')
    .sort((a, b) => (a < b ? -1 : 1))
  if (Object.hasOwn(document, '_id')) names.unshift('_id')
  const path = (key: string): string => (name === ROOT || key === '_id' ? key : `${name}_${key}`)
  return { kind: 'document', name, fields: new Map(names.map((key) => [key, shapeOf(document[key], path(key))])) }
}

function shapeOf(value: unknown, name: string): Shape {
  if (value === null) return NULL
  if (Array.isArray(value)) {
    const item = value.reduce<Shape>((all, each) => combined(all, shapeOf(each, name)), NULL)
    return { kind: 'array', name, item }
  }
  if (isDocument(value)) return documentShape(value, name)
  if (typeof value === 'boolean') return { kind: 'boolean' }
  if (value instanceof Int32) return { kind: 'int32' }
  if (value instanceof Date || value instanceof Timestamp) return { kind: 'timestamp' }
  if (value instanceof Long || typeof value === 'bigint') return { kind: 'int64' }
  if (value instanceof Double) return { kind: 'double' }
  if (typeof value === 'number') return { kind: Number.isInteger(value) ? 'int32' : 'double' }
  if (value instanceof Binary) return { kind: 'bytes' }
  return value instanceof Decimal128 ? decimalShape(value) : TEXT
}

function decimalShape(value: Decimal128): Shape {
  try {
    return { kind: 'decimal', scale: Decimal.parse(String(value)).scale }
  } catch {
    // NaN and infinity have no decimal form.
    return TEXT
  }
}

/** The shape that both fit; what cannot be reconciled is text. */
function combined(a: Shape, b: Shape): Shape {
  if (a.kind === 'null') return b
  if (b.kind === 'null') return a
  if (a.kind === 'array' && b.kind === 'array') return { ...a, item: combined(a.item, b.item) }
  if (a.kind === 'document' && b.kind === 'document') {
    const names = [...new Set([...a.fields.keys(), ...b.fields.keys()])].filter((key) => key !== '_id').sort()
    if (a.fields.has('_id') || b.fields.has('_id')) names.unshift('_id')
    const fieldOf = (key: string): Shape => combined(a.fields.get(key) ?? NULL, b.fields.get(key) ?? NULL)
    return { ...a, fields: new Map(names.map((key) => [key, fieldOf(key)])) }
  }
  const isSame = a.kind === b.kind && (a.kind !== 'decimal' || a.scale === (b as { scale?: number }).scale)
  return isSame ? a : TEXT
}

function schemaOfShape(shape: Shape, optional: boolean): Schema {
  switch (shape.kind) {
    case 'boolean':
      return schemas.optional.boolean
    case 'int32':
      return schemas.optional.int32
    case 'int64':
      return schemas.optional.int64
    case 'double':
      return schemas.optional.float64
    case 'bytes':
      return schemas.optional.bytes
    case 'timestamp':
      return timestampSchema({ optional: true })
    case 'decimal':
      return decimalSchema(shape.scale, { optional: true })
    case 'array':
      return arrayOf(schemaOfShape(shape.item, true), { name: shape.name, optional: true })
    case 'document':
      return struct(
        [...shape.fields].map(([name, field]): [string, Schema] => [name, schemaOfShape(field, true)]),
        { name: shape.name, optional },
      )
    default:
      return schemas.optional.string
  }
}
