import { DataError, type Field, type FieldSource, isDecimal, type Schema, type SchemaOptions } from '@millrace/sdk'

/** A STRUCT or a schemaless map, as plain object. */
export type Members = Readonly<Record<string, unknown>>

/** The option that most transformations share. */
export const replaceNullWithDefault = {
  'replace.null.with.default': {
    type: 'boolean',
    default: true,
    importance: 'medium',
    doc:
      'Whether to replace fields that have a default value and that are null to the default value. When set to true, ' +
      'the default value is used, otherwise null is used.',
  },
} as const

/** The value of a record with a schema, which must be a struct. */
export function requireStruct(schema: Schema, value: unknown, purpose: string): Members {
  if (schema.type === 'STRUCT' && isMembers(value)) return value
  throw new DataError(`Only Struct objects supported for [${purpose}], found: ${kindOf(value)}`)
}

/** The value of a record without a schema, which must be a map. */
export function requireMap(value: unknown, purpose: string): Members {
  if (value instanceof Map) return Object.fromEntries(value) as Members
  if (isMembers(value)) return value
  throw new DataError(`Only Map objects supported in absence of schema for [${purpose}], found: ${kindOf(value)}`)
}

/** True for what may hold members: no array, bytes, date or decimal. */
export function isMembers(value: unknown): value is Members {
  if (typeof value !== 'object' || value === null || Array.isArray(value)) return false
  return !(value instanceof Uint8Array || value instanceof Date || value instanceof Map || isDecimal(value))
}

/** The kind of a value by the name of its Java class, for messages that users know; never the value. */
export function kindOf(value: unknown): string {
  if (value === null || value === undefined) return 'null'
  switch (typeof value) {
    case 'string':
      return 'java.lang.String'
    case 'boolean':
      return 'java.lang.Boolean'
    case 'bigint':
      return 'java.lang.Long'
    case 'number':
      return Number.isInteger(value) ? 'java.lang.Long' : 'java.lang.Double'
    default:
      break
  }
  if (Array.isArray(value)) return 'java.util.ArrayList'
  if (value instanceof Uint8Array) return '[B'
  if (value instanceof Date) return 'java.util.Date'
  return isDecimal(value) ? 'java.math.BigDecimal' : 'java.util.HashMap'
}

/** What a changed schema keeps of the old one: all but optional and default. */
export function basicsOf(schema: Schema): SchemaOptions {
  const options: SchemaOptions = {}
  if (schema.name !== undefined) options.name = schema.name
  if (schema.version !== undefined) options.version = schema.version
  if (schema.doc !== undefined) options.doc = schema.doc
  if (schema.parameters !== undefined) options.parameters = schema.parameters
  return options
}

/** A field of a struct: null stands for its default where the option says so. */
export function fieldValue(struct: Members, name: string, schema: Schema, useDefault: boolean): unknown {
  const value = struct[name] ?? null
  return value === null && useDefault && schema.default !== undefined ? schema.default : value
}

/** A copy of a struct with defaults in place of nulls where the option says so; further members may be added to it. */
export function copyStruct(schema: Schema, struct: Members, useDefault: boolean): Record<string, unknown> {
  const copy: Record<string, unknown> = { ...struct }
  if (!useDefault) return copy
  for (const { name, schema: field } of schema.fields) {
    if (field.default !== undefined && (copy[name] ?? null) === null) copy[name] = field.default
  }
  return copy
}

/** A field that is kept, for plans; the same as `fieldValue`. */
export function keptField({ name, schema }: Field, useDefault: boolean): FieldSource {
  const fallback = schema.default
  if (!useDefault || fallback === undefined) return { from: 'field', name }
  return { from: 'field', name, map: (value) => value ?? fallback }
}

/**
 * Remembers what was made of a schema. Sources share schema objects between records, so the same input gives the same
 * output object, on which converters cache in turn.
 */
export class SchemaCache<T> {
  readonly #made = new WeakMap<Schema, { readonly made: T }>()
  readonly #make: (schema: Schema) => T

  constructor(make: (schema: Schema) => T) {
    this.#make = make
  }

  get(schema: Schema): T {
    const known = this.#made.get(schema)
    if (known) return known.made
    const made = this.#make(schema)
    this.#made.set(schema, { made })
    return made
  }
}
