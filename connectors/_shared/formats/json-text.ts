import {
  DataError,
  decimalToString,
  doubleToString,
  floatToString,
  isDecimal,
  logicalNames,
  type Schema,
  schemalessNumber,
} from '@millrace/sdk'

/** Writes one value as JSON text. */
export type JsonEncode = (value: unknown) => string

const MS_PER_DAY = 86_400_000
const PLAIN = /^[\u0020\u0021\u0023-\u005b\u005d-\ud7ff]*$/

/**
 * Compiles the JSON writer of a schema: what JsonConverter writes with schemas.enable=false. Decimals are base64 text, or
 * numbers.
 */
export function jsonEncoder(schema: Schema | null, numericDecimals = false): JsonEncode {
  if (schema === null) return (value) => schemaless(value, numericDecimals)
  const encode = nonNull(schema, numericDecimals)
  const { default: fallback, optional } = schema
  return (value) => {
    if (value !== null && value !== undefined) return encode(value)
    if (fallback !== undefined) return encode(fallback)
    if (optional) return 'null'
    throw new DataError(`a ${schema.type} that is required and has no default is null`)
  }
}

function quote(text: string): string {
  return text.length < 64 && PLAIN.test(text) ? `"${text}"` : JSON.stringify(text)
}

function nonNull(schema: Schema, numeric: boolean): JsonEncode {
  switch (schema.type) {
    case 'STRUCT':
      return structEncoder(schema, numeric)
    case 'ARRAY': {
      const encode = jsonEncoder(schema.valueSchema as Schema, numeric)
      return (value) => {
        if (!Array.isArray(value)) throw misfit(schema, value)
        return `[${value.map(encode).join(',')}]`
      }
    }
    case 'MAP':
      return mapEncoder(schema, numeric)
    default:
      return logicalEncoder(schema, numeric) ?? primitiveEncoder(schema)
  }
}

function structEncoder(schema: Schema, numeric: boolean): JsonEncode {
  const names = schema.fields.map((field) => field.name)
  const heads = names.map((name, index) => `${index === 0 ? '' : ','}${JSON.stringify(name)}:`)
  const encoders = schema.fields.map((field) => jsonEncoder(field.schema, numeric))
  // A field may be called "constructor"; an absent one must not read Object's.
  const inherited = names.map((name) => name in Object.prototype)
  return (value) => {
    if (typeof value !== 'object' || Array.isArray(value) || value instanceof Map) throw misfit(schema, value)
    const members = value as Readonly<Record<string, unknown>>
    let text = '{'
    for (let i = 0; i < names.length; i++) {
      const name = names[i] as string
      const member = inherited[i] && !Object.hasOwn(members, name) ? null : members[name]
      text += heads[i] + (encoders[i] as JsonEncode)(member)
    }
    return `${text}}`
  }
}

/** A map with text as keys is an object, any other an array of pairs. */
function mapEncoder(schema: Schema, numeric: boolean): JsonEncode {
  const encodeKey = jsonEncoder(schema.keySchema as Schema, numeric)
  const encodeValue = jsonEncoder(schema.valueSchema as Schema, numeric)
  const isObject = schema.keySchema?.type === 'STRING'
  return (value) => {
    if (!(value instanceof Map)) throw misfit(schema, value)
    const parts = Array.from(value, ([key, member]) =>
      isObject
        ? `${key === null ? '"null"' : encodeKey(key)}:${encodeValue(member)}`
        : `[${encodeKey(key)},${encodeValue(member)}]`,
    )
    return isObject ? `{${parts.join(',')}}` : `[${parts.join(',')}]`
  }
}

function logicalEncoder(schema: Schema, numeric: boolean): JsonEncode | undefined {
  switch (schema.name) {
    case logicalNames.decimal:
      return (value) => {
        if (!isDecimal(value)) throw misfit(schema, value)
        return numeric ? decimalToString(value) : base64(value.toBytes())
      }
    case logicalNames.date:
    case logicalNames.timestamp: {
      const unit = schema.name === logicalNames.date ? MS_PER_DAY : 1
      return (value) => {
        if (!(value instanceof Date)) throw misfit(schema, value)
        return String(Math.floor(value.getTime() / unit))
      }
    }
    default:
      return undefined
  }
}

function primitiveEncoder(schema: Schema): JsonEncode {
  const of = (type: string, encode: (value: never) => string): JsonEncode => {
    return (value) => {
      if (typeof value !== type) throw misfit(schema, value)
      return encode(value as never)
    }
  }
  switch (schema.type) {
    case 'STRING':
      return of('string', quote)
    case 'BOOLEAN':
      return of('boolean', String)
    case 'FLOAT32':
      return of('number', (value: number) => (Number.isFinite(value) ? floatToString(value) : `"${value}"`))
    case 'FLOAT64':
      return of('number', (value: number) => (Number.isFinite(value) ? doubleToString(value) : `"${value}"`))
    case 'INT64':
      return (value) => {
        if (typeof value === 'bigint' || Number.isSafeInteger(value)) return String(value)
        throw misfit(schema, value)
      }
    case 'BYTES':
      return (value) => {
        if (!(value instanceof Uint8Array)) throw misfit(schema, value)
        return base64(value)
      }
    default:
      return (value) => {
        if (!Number.isInteger(value)) throw misfit(schema, value)
        return String(value)
      }
  }
}

function base64(bytes: Uint8Array): string {
  return `"${Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength).toString('base64')}"`
}

/** Names the type only: values may be secret. */
function misfit(schema: Schema, value: unknown): DataError {
  const kind = typeof value === 'object' ? (value?.constructor.name ?? 'null') : typeof value
  return new DataError(`a ${kind} does not fit the schema type ${schema.name ?? schema.type}`)
}

function schemaless(value: unknown, numeric: boolean): string {
  switch (typeof value) {
    case 'string':
      return quote(value)
    case 'number':
      return Number.isFinite(value) ? schemalessNumber(value) : `"${value}"`
    case 'boolean':
    case 'bigint':
      return String(value)
    case 'object':
      return value === null ? 'null' : schemalessObject(value, numeric)
    case 'undefined':
      return 'null'
    default:
      throw new DataError(`a ${typeof value} has no JSON form`)
  }
}

function schemalessObject(value: object, numeric: boolean): string {
  if (Array.isArray(value)) return `[${value.map((item) => schemaless(item, numeric)).join(',')}]`
  if (value instanceof Uint8Array) return base64(value)
  if (value instanceof Date) return String(value.getTime())
  if (isDecimal(value)) return numeric ? decimalToString(value) : base64(value.toBytes())
  const entries = value instanceof Map ? [...value] : Object.entries(value)
  if (!entries.every(([key]) => typeof key === 'string')) {
    return `[${entries.map(([key, item]) => `[${schemaless(key, numeric)},${schemaless(item, numeric)}]`).join(',')}]`
  }
  return `{${entries.map(([key, item]) => `${quote(key as string)}:${schemaless(item, numeric)}`).join(',')}}`
}
