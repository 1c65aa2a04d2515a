import {
  arrayOf,
  DataError,
  mapOf,
  primitive,
  type Schema,
  type SchemaOptions,
  type SchemaType,
  struct,
} from '@millrace/sdk'
import { compileDecoder } from './json-decoder.ts'
import { compileEncoder, type EncoderOptions } from './json-encoder.ts'
import { quote } from './json-text.ts'

const NAMES: Readonly<Record<SchemaType, string>> = {
  INT8: 'int8',
  INT16: 'int16',
  INT32: 'int32',
  INT64: 'int64',
  FLOAT32: 'float',
  FLOAT64: 'double',
  BOOLEAN: 'boolean',
  STRING: 'string',
  BYTES: 'bytes',
  ARRAY: 'array',
  MAP: 'map',
  STRUCT: 'struct',
}

const TYPES: ReadonlyMap<string, SchemaType> = new Map(
  Object.entries(NAMES).map(([type, name]) => [name, type as SchemaType]),
)

/** Writes a schema in the form of JsonConverter's envelope; the order of the members is Kafka's. */
export function encodeSchema(schema: Schema, options: EncoderOptions, field?: string): string {
  let text = `{"type":"${NAMES[schema.type]}"`
  if (schema.type === 'STRUCT') {
    text += `,"fields":[${schema.fields.map((f) => encodeSchema(f.schema, options, f.name)).join(',')}]`
  } else if (schema.type === 'MAP') {
    text += `,"keys":${encodeSchema(schema.keySchema as Schema, options)}`
    text += `,"values":${encodeSchema(schema.valueSchema as Schema, options)}`
  } else if (schema.type === 'ARRAY') {
    text += `,"items":${encodeSchema(schema.valueSchema as Schema, options)}`
  }
  text += `,"optional":${schema.optional}`
  if (schema.name !== undefined) text += `,"name":${quote(schema.name)}`
  if (schema.version !== undefined) text += `,"version":${schema.version}`
  if (schema.doc !== undefined) text += `,"doc":${quote(schema.doc)}`
  if (schema.parameters !== undefined) {
    const members = Object.entries(schema.parameters).map(([key, value]) => `${quote(key)}:${quote(value)}`)
    text += `,"parameters":{${members.join(',')}}`
  }
  if (schema.default !== undefined) text += `,"default":${compileEncoder(schema, options)(schema.default)}`
  if (field !== undefined) text += `,"field":${quote(field)}`
  return `${text}}`
}

/** Reads a schema of the envelope. Null is no schema. Throws DataError in Kafka's words. */
export function decodeSchema(json: unknown): Schema | null {
  if (json === null || json === undefined) return null
  if (!isObject(json)) throw new DataError('Schema must be a JSON object')
  const { type } = json
  if (typeof type !== 'string') throw new DataError("Schema must contain 'type' field")
  const connectType = TYPES.get(type)
  if (connectType === undefined) throw new DataError(`Unknown schema type: ${type}`)
  const build = (options: SchemaOptions): Schema => buildSchema(connectType, json, options)
  const options = readOptions(json)
  const plain = build(options)
  const fallback = json['default'] ?? null
  if (fallback === null) return plain
  return build({ ...options, default: compileDecoder(plain, true)(fallback) })
}

function buildSchema(type: SchemaType, json: Readonly<Record<string, unknown>>, options: SchemaOptions): Schema {
  switch (type) {
    case 'STRUCT': {
      if (!Array.isArray(json['fields'])) throw new DataError('Struct schema\'s "fields" argument is not an array.')
      return struct(json['fields'].map(readField), options)
    }
    case 'ARRAY':
      return arrayOf(part(json['items'], 'Array schema did not specify the element type'), options)
    case 'MAP':
      return mapOf(
        part(json['keys'], 'Map schema did not specify the key type'),
        part(json['values'], 'Map schema did not specify the value type'),
        options,
      )
    default:
      return primitive(type, options)
  }
}

function readField(json: unknown): readonly [string, Schema] {
  const name = isObject(json) ? json['field'] : undefined
  if (typeof name !== 'string') throw new DataError("Struct schema's field name not specified properly")
  return [name, part(json, `The field ${name} has no schema`)]
}

function part(json: unknown, problem: string): Schema {
  const schema = decodeSchema(json)
  if (schema === null) throw new DataError(problem)
  return schema
}

function readOptions(json: Readonly<Record<string, unknown>>): SchemaOptions {
  const options: SchemaOptions = {}
  const { optional, name, version, doc, parameters } = json
  if (typeof optional === 'boolean') options.optional = optional
  if (typeof name === 'string') options.name = name
  if (Number.isInteger(version)) options.version = version as number
  if (typeof doc === 'string') options.doc = doc
  if (parameters !== undefined && parameters !== null) options.parameters = readParameters(parameters)
  return options
}

function readParameters(json: unknown): Readonly<Record<string, string>> {
  if (!isObject(json) || !Object.values(json).every((value) => typeof value === 'string')) {
    throw new DataError('Schema parameters must be a JSON object with string values')
  }
  return json as Readonly<Record<string, string>>
}

function isObject(json: unknown): json is Readonly<Record<string, unknown>> {
  return typeof json === 'object' && json !== null && !Array.isArray(json)
}
