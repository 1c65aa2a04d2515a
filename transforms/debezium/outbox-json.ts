import { arrayOf, DataError, type Schema, schemas, struct } from '@millrace/sdk'

/** What becomes of nulls and empty arrays in JSON, whose type nobody knows, and of names. */
export interface JsonOptions {
  readonly nulls: 'ignore' | 'optional_bytes'
  readonly emptyArrays: 'ignore' | 'optional_string'
  readonly nameOf: (name: string) => string
}

/** A value with the schema that was seen in it. */
export interface Expanded {
  readonly schema: Schema
  readonly value: unknown
}

/** A number of JSON by what Java would read it as, which tells whole numbers from others by how they are written. */
class JsonNumber {
  readonly schema: Schema
  readonly value: number | bigint

  constructor(text: string) {
    if (/[.eE]/.test(text)) {
      this.schema = schemas.optional.float64
      this.value = Number(text)
      return
    }
    const whole = BigInt(text)
    if (whole !== BigInt.asIntN(64, whole)) throw new DataError('A whole number is too large for an int64')
    const isInt = whole === BigInt.asIntN(32, whole)
    this.schema = isInt ? schemas.optional.int32 : schemas.optional.int64
    this.value = isInt ? Number(whole) : whole
  }
}

type Json = null | boolean | string | JsonNumber | readonly Json[] | { readonly [name: string]: Json }
type JsonObject = Exclude<Json, null | boolean | string | JsonNumber | readonly Json[]>

const MAX_SCHEMAS = 1000

/** Reads JSON text into structs, with schemas inferred from it; equal schemas are the same object. */
export class JsonExpander {
  readonly #options: JsonOptions
  readonly #schemas = new Map<string, Schema>()

  constructor(options: JsonOptions) {
    this.#options = options
  }

  /** Undefined for what cannot be expanded: no JSON object, or one with types that do not go together. */
  expand(name: string, text: string): Expanded | undefined {
    if (!text.startsWith('{')) return undefined
    try {
      const json = JSON.parse(text, reviveNumber as (key: string, value: unknown) => unknown) as JsonObject
      const seen = this.#schemaOf(name, json)
      if (!seen) return undefined
      return { schema: seen, value: valueOf(json, seen) }
    } catch (error) {
      if (error instanceof SyntaxError || error instanceof DataError) return undefined
      throw error
    }
  }

  /** Undefined for what has no type and is left out. */
  #schemaOf(name: string | null, json: Json): Schema | undefined {
    if (typeof json === 'string') return schemas.optional.string
    if (typeof json === 'boolean') return schemas.optional.boolean
    if (json === null) return this.#options.nulls === 'optional_bytes' ? schemas.optional.bytes : undefined
    if (json instanceof JsonNumber) return json.schema
    return Array.isArray(json) ? this.#arrayOf(name, json as readonly Json[]) : this.#structOf(name, json as JsonObject)
  }

  #arrayOf(name: string | null, items: readonly Json[]): Schema | undefined {
    if (items.length === 0) {
      return this.#options.emptyArrays === 'optional_string' ? this.#shared(OPTIONAL_TEXTS) : undefined
    }
    const present = items.filter((item) => item !== null)
    if (new Set(present.map(kindOf)).size > 1) throw new DataError('An array has items of several types')
    const [first = null] = present
    const item = isObject(first) ? this.#mergedOf(name, present as JsonObject[]) : this.#schemaOf(null, first)
    if (!item) throw new DataError('An array has no items with a type')
    return this.#shared(arrayOf(item, { optional: true }))
  }

  #structOf(name: string | null, object: JsonObject): Schema {
    const fields = new Map<string, Schema>()
    for (const [key, member] of Object.entries(object)) {
      const field = this.#options.nameOf(key)
      const schema = this.#schemaOf(name ? `${name}.${field}` : field, member)
      if (schema && !fields.has(field)) fields.set(field, schema)
    }
    return this.#shared(struct([...fields], { optional: true, ...(name === null ? {} : { name }) }))
  }

  /** The fields of all items; of two types for one name the first counts, but for that of a null. */
  #mergedOf(name: string | null, objects: readonly JsonObject[]): Schema {
    const [first, ...others] = new Set(objects.map((object) => this.#structOf(name, object)))
    if (others.length === 0) return first as Schema
    const fields = new Map(first?.fields.map((field) => [field.name, field.schema]))
    for (const { name: field, schema } of others.flatMap((other) => other.fields)) {
      const known = fields.get(field)
      if (!known || (known.type === 'BYTES' && schema.type !== 'BYTES')) fields.set(field, schema)
    }
    return this.#shared(struct([...fields], name === null ? {} : { name }))
  }

  /** The first schema that was made of this form. */
  #shared(schema: Schema): Schema {
    const form = formOf(schema)
    const known = this.#schemas.get(form)
    if (known) return known
    if (this.#schemas.size >= MAX_SCHEMAS) this.#schemas.clear()
    this.#schemas.set(form, schema)
    return schema
  }
}

const OPTIONAL_TEXTS = arrayOf(schemas.optional.string, { optional: true })

/** JSON.parse gives the text of numbers to its reviver, which TypeScript does not know yet. */
function reviveNumber(_key: string, value: unknown, context: { readonly source?: string }): unknown {
  return typeof value === 'number' ? new JsonNumber(context.source ?? String(value)) : value
}

function isObject(json: Json): json is JsonObject {
  return typeof json === 'object' && json !== null && !Array.isArray(json) && !(json instanceof JsonNumber)
}

function kindOf(json: Json): string {
  if (json instanceof JsonNumber) return json.schema.type
  return Array.isArray(json) ? 'array' : typeof json
}

/** The value as its schema has it; what does not fit is refused. */
function valueOf(json: Json | undefined, schema: Schema): unknown {
  if (json === undefined || json === null) return null
  if (schema.type === 'STRUCT' && isObject(json)) {
    return Object.fromEntries(schema.fields.map(({ name, schema: of }) => [name, valueOf(json[name], of)]))
  }
  if (schema.type === 'ARRAY' && Array.isArray(json)) {
    return (json as readonly Json[]).map((item) => valueOf(item, schema.valueSchema as Schema))
  }
  const [type, value] = json instanceof JsonNumber ? [json.schema.type, json.value] : [typeof json, json]
  if (type.toUpperCase() !== schema.type) throw new DataError(`A value is no ${schema.type}`)
  return value
}

/** All of an inferred schema as text. */
function formOf({ type, name, optional, fields, valueSchema }: Schema): string {
  if (type === 'STRUCT') {
    return JSON.stringify([name, optional, fields.map(({ name: field, schema }) => [field, formOf(schema)])])
  }
  return type === 'ARRAY' ? `[${formOf(valueSchema as Schema)}]` : type
}
