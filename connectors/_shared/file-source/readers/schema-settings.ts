import {
  arrayOf,
  ConfigError,
  mapOf,
  primitive,
  type Schema,
  type SchemaOptions,
  type SchemaType,
  schemas,
  struct,
} from '@millrace/sdk'

/** Schemas as a configuration gives them, or what is needed to infer them from each file. */
export interface SchemaSettings {
  /** Null: no key. */
  readonly key: Schema | null
  /** Null: inferred, all fields are optional text. */
  readonly value: Schema | null
  readonly keyFields: readonly string[]
  readonly keyName: string
  readonly valueName: string
}

/** Schemas of optional text for these fields. */
export function inferredSchemas(
  settings: SchemaSettings,
  names: readonly string[],
): { readonly key: Schema | null; readonly value: Schema } {
  const missing = settings.keyFields.find((name) => !names.includes(name))
  if (missing !== undefined) {
    throw new ConfigError(`schema.generation.key.fields names ${missing}, the file has ${names.join(', ')}`, {
      key: 'schema.generation.key.fields',
    })
  }
  const fieldsOf = (list: readonly string[]) => list.map((name) => [name, schemas.optional.string] as const)
  return {
    key: settings.keyFields.length === 0 ? null : struct(fieldsOf(settings.keyFields), { name: settings.keyName }),
    value: struct(fieldsOf(names), { name: settings.valueName }),
  }
}

const PRIMITIVES: ReadonlySet<string> = new Set([
  'INT8',
  'INT16',
  'INT32',
  'INT64',
  'FLOAT32',
  'FLOAT64',
  'BOOLEAN',
  'STRING',
  'BYTES',
])

/** Reads the JSON in which SpoolDir's configurations give schemas; null for empty text. Throws ConfigError. */
export function parseSchema(key: string, text: string): Schema | null {
  if (text.trim() === '') return null
  let json: unknown
  try {
    json = JSON.parse(text)
  } catch (error) {
    throw new ConfigError(`it is not JSON: ${(error as Error).message}`, { key, cause: error })
  }
  const schema = schemaOf(json, key, 'the schema')
  if (schema.type !== 'STRUCT') throw new ConfigError('the schema of a record must be a STRUCT', { key })
  return schema
}

function schemaOf(json: unknown, key: string, place: string): Schema {
  const fail = (problem: string): never => {
    throw new ConfigError(`${place} ${problem}`, { key })
  }
  if (typeof json !== 'object' || json === null || Array.isArray(json)) return fail('must be a JSON object')
  const given = json as Record<string, unknown>
  const written = typeof given['type'] === 'string' ? given['type'] : ''
  const type = written.toUpperCase() as SchemaType
  const options = optionsOf(given)
  const inner = (name: string): Schema => schemaOf(given[name], key, `${name} of ${place}`)
  if (PRIMITIVES.has(type)) return primitive(type as 'STRING', options)
  if (type === 'ARRAY') return arrayOf(inner('valueSchema'), options)
  if (type === 'MAP') return mapOf(inner('keySchema'), inner('valueSchema'), options)
  if (type !== 'STRUCT')
    return fail(`has the type "${written}"; there are STRUCT, ARRAY, MAP, ${[...PRIMITIVES].join(', ')}`)
  const fields = given['fieldSchemas']
  if (typeof fields !== 'object' || fields === null) return fail('is a STRUCT without "fieldSchemas"')
  return struct(
    Object.entries(fields).map(([name, field]) => [name, schemaOf(field, key, `the field ${name}`)] as const),
    options,
  )
}

function optionsOf(given: Readonly<Record<string, unknown>>): SchemaOptions {
  const options: SchemaOptions = { optional: given['isOptional'] === true }
  if (typeof given['name'] === 'string') options.name = given['name']
  if (typeof given['version'] === 'number') options.version = given['version']
  if (typeof given['doc'] === 'string') options.doc = given['doc']
  const parameters = given['parameters']
  if (typeof parameters === 'object' && parameters !== null) {
    options.parameters = Object.fromEntries(Object.entries(parameters).map(([name, value]) => [name, String(value)]))
  }
  const fallback = given['defaultValue']
  if (fallback !== undefined && fallback !== null) {
    options.default = given['type'] === 'INT64' && given['name'] === undefined ? BigInt(fallback as number) : fallback
  }
  return options
}
