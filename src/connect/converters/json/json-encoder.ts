import {
  DataError,
  type Decimal,
  decimalToString,
  doubleToString,
  floatToString,
  isDecimal,
  logicalNames,
  type Schema,
  schemalessNumber,
} from '@millrace/sdk'
import { quote } from './json-text.ts'

/** Writes one value as JSON text. */
export type Encode = (value: unknown) => string

export interface EncoderOptions {
  readonly numericDecimals: boolean
  readonly replaceNullWithDefault: boolean
}

const MS_PER_DAY = 86_400_000

/**
 * Compiles the encoder of a schema: a tree of closures over text. Text is then turned into bytes at once; measured on
 * Node 24 this is faster than writing into a buffer piece by piece, and within 25 % of generated code.
 */
export function compileEncoder(schema: Schema, options: EncoderOptions): Encode {
  const encode = compileNonNull(schema, options)
  const fallback = schema.default
  if (fallback !== undefined && options.replaceNullWithDefault) {
    return (value) => encode(value === null || value === undefined ? fallback : value)
  }
  if (schema.optional) return (value) => (value === null || value === undefined ? 'null' : encode(value))
  return (value) => {
    if (value !== null && value !== undefined) return encode(value)
    throw new DataError('Conversion error: null value for field that is required and has no default value')
  }
}

function compileNonNull(schema: Schema, options: EncoderOptions): Encode {
  switch (schema.type) {
    case 'STRUCT':
      return compileStruct(schema, options)
    case 'ARRAY':
      return compileArray(schema, options)
    case 'MAP':
      return compileMap(schema, options)
    default:
      return compileLogical(schema, options) ?? compilePrimitive(schema)
  }
}

function compileStruct(schema: Schema, options: EncoderOptions): Encode {
  const names = schema.fields.map((field) => field.name)
  const heads = names.map((name, index) => `${index === 0 ? '{' : ','}${quote(name)}:`)
  const encoders = schema.fields.map((field) => compileEncoder(field.schema, options))
  // A column may be called "constructor"; an absent one must not read Object's.
  const inherited = names.map((name) => name in Object.prototype)
  if (names.length === 0) return () => '{}'
  return (value) => {
    if (typeof value !== 'object' || value instanceof Map || Array.isArray(value)) throw mismatch(schema, value)
    const struct = value as Readonly<Record<string, unknown>>
    let text = ''
    for (let i = 0; i < names.length; i++) {
      const name = names[i] as string
      try {
        const member = inherited[i] && !Object.hasOwn(struct, name) ? null : struct[name]
        text += heads[i] + (encoders[i] as Encode)(member)
      } catch (error) {
        throw located(error, name)
      }
    }
    return `${text}}`
  }
}

/** Adds the name of the field to an error on its way out, so that the message has the whole path. */
function located(error: unknown, name: string): unknown {
  if (!(error instanceof DataError)) return error
  const match = /^(.*) \(field ([^)]*)\)$/s.exec(error.message)
  return new DataError(match ? `${match[1]} (field ${name}.${match[2]})` : `${error.message} (field ${name})`)
}

function compileArray(schema: Schema, options: EncoderOptions): Encode {
  const encode = compileEncoder(schema.valueSchema as Schema, options)
  return (value) => {
    if (!Array.isArray(value)) throw mismatch(schema, value)
    let text = '['
    for (let i = 0; i < value.length; i++) text += i === 0 ? encode(value[i]) : `,${encode(value[i])}`
    return `${text}]`
  }
}

/** A map with string keys is an object, any other an array of pairs. */
function compileMap(schema: Schema, options: EncoderOptions): Encode {
  const encodeValue = compileEncoder(schema.valueSchema as Schema, options)
  const encodeKey = compileEncoder(schema.keySchema as Schema, options)
  const asObject = schema.keySchema?.type === 'STRING'
  return (value) => {
    if (!(value instanceof Map)) throw mismatch(schema, value)
    const parts: string[] = []
    for (const [key, member] of value) {
      const memberText = encodeValue(member)
      if (asObject) parts.push(`${key === null ? '"null"' : encodeKey(key)}:${memberText}`)
      else parts.push(`[${encodeKey(key)},${memberText}]`)
    }
    return asObject ? `{${parts.join(',')}}` : `[${parts.join(',')}]`
  }
}

function compileLogical(schema: Schema, options: EncoderOptions): Encode | undefined {
  switch (schema.name) {
    case logicalNames.decimal: {
      const scale = Number(schema.parameters?.['scale'])
      return (value) => encodeDecimal(schema, value, scale, options.numericDecimals)
    }
    case logicalNames.date:
      return (value) => {
        if (!(value instanceof Date)) throw mismatch(schema, value)
        const days = value.getTime() / MS_PER_DAY
        if (Number.isInteger(days)) return String(days)
        throw new DataError('Kafka Connect Date type should not have any time fields set to non-zero values.')
      }
    case logicalNames.time:
      return (value) => {
        if (typeof value !== 'number' || !Number.isInteger(value)) throw mismatch(schema, value)
        if (value >= 0 && value <= MS_PER_DAY) return String(value)
        throw new DataError('Kafka Connect Time type should not have any date fields set to non-zero values.')
      }
    case logicalNames.timestamp:
      return (value) => {
        if (!(value instanceof Date)) throw mismatch(schema, value)
        return String(value.getTime())
      }
    default:
      return undefined
  }
}

function encodeDecimal(schema: Schema, value: unknown, scale: number, numeric: boolean): string {
  if (!isDecimal(value)) throw mismatch(schema, value)
  if (numeric) return decimalToString(value)
  if (value.scale !== scale) {
    throw new DataError(
      `Decimal value has mismatching scale for given Decimal schema. Schema has scale ${scale}, value has scale ${value.scale}.`,
    )
  }
  return `"${Buffer.from(value.toBytes()).toString('base64')}"`
}

function compilePrimitive(schema: Schema): Encode {
  switch (schema.type) {
    case 'INT8':
      return integerEncoder(schema, 0x80)
    case 'INT16':
      return integerEncoder(schema, 0x8000)
    case 'INT32':
      return integerEncoder(schema, 0x8000_0000)
    case 'INT64':
      return (value) => {
        if (typeof value === 'bigint' && BigInt.asIntN(64, value) === value) return value.toString()
        if (typeof value === 'number' && Number.isSafeInteger(value)) return String(value)
        throw mismatch(schema, value)
      }
    case 'FLOAT32':
      return (value) => floating(schema, value, floatToString)
    case 'FLOAT64':
      return (value) => floating(schema, value, doubleToString)
    case 'BOOLEAN':
      return (value) => {
        if (typeof value !== 'boolean') throw mismatch(schema, value)
        return value ? 'true' : 'false'
      }
    case 'STRING':
      return (value) => {
        if (typeof value !== 'string') throw mismatch(schema, value)
        return quote(value)
      }
    default:
      return (value) => {
        if (!(value instanceof Uint8Array)) throw mismatch(schema, value)
        return `"${base64(value)}"`
      }
  }
}

function integerEncoder(schema: Schema, bound: number): Encode {
  return (value) => {
    if (typeof value !== 'number' || !Number.isInteger(value) || value >= bound || value < -bound) {
      throw mismatch(schema, value)
    }
    return String(value)
  }
}

function floating(schema: Schema, value: unknown, toText: (value: number) => string): string {
  if (typeof value !== 'number') throw mismatch(schema, value)
  return Number.isFinite(value) ? toText(value) : `"${value}"`
}

function base64(bytes: Uint8Array): string {
  return Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength).toString('base64')
}

/** Names the type only: values may be secret. */
function mismatch(schema: Schema, value: unknown): DataError {
  const kind = typeof value === 'object' ? (value?.constructor.name ?? 'object') : typeof value
  const what = schema.name === undefined ? schema.type : `${schema.type} (${schema.name})`
  return new DataError(`Invalid value for schema with type ${what}: a ${kind} does not fit`)
}

/** Writes a schemaless value. Dates become milliseconds, which Java refuses. */
export function encodeSchemaless(value: unknown, numericDecimals: boolean): string {
  switch (typeof value) {
    case 'string':
      return quote(value)
    case 'number':
      return Number.isFinite(value) ? schemalessNumber(value) : `"${value}"`
    case 'boolean':
    case 'bigint':
      return value.toString()
    case 'object':
      return value === null ? 'null' : encodeSchemalessObject(value, numericDecimals)
    case 'undefined':
      return 'null'
    default:
      throw new DataError(`A ${typeof value} has no JSON form`)
  }
}

function encodeSchemalessObject(value: object, numeric: boolean): string {
  if (Array.isArray(value)) return `[${value.map((item) => encodeSchemaless(item, numeric)).join(',')}]`
  if (value instanceof Uint8Array) return `"${base64(value)}"`
  if (value instanceof Date) return String(value.getTime())
  if (isDecimal(value)) return encodeSchemalessDecimal(value, numeric)
  if (value instanceof Map && ![...value.keys()].every((key) => typeof key === 'string')) {
    const pair = ([key, member]: [unknown, unknown]): string =>
      `[${encodeSchemaless(key, numeric)},${encodeSchemaless(member, numeric)}]`
    return `[${[...value].map(pair).join(',')}]`
  }
  let text = ''
  const entries: Iterable<[string, unknown]> = value instanceof Map ? value : Object.entries(value)
  for (const [key, member] of entries) {
    text += `${text === '' ? '' : ','}${quote(key)}:${encodeSchemaless(member, numeric)}`
  }
  return `{${text}}`
}

function encodeSchemalessDecimal(value: Decimal, numeric: boolean): string {
  return numeric ? decimalToString(value) : `"${base64(value.toBytes())}"`
}
