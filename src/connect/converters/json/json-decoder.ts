import { DataError, Decimal, logicalNames, type Schema } from '@millrace/sdk'

/** Turns parsed JSON into a Connect value of a schema. */
export type Decode = (json: unknown) => unknown

/** A number whose digits matter: beyond a safe integer, or a fraction where the schema has decimals. */
export class ExactNumber {
  readonly source: string

  constructor(source: string) {
    this.source = source
  }
}

const MS_PER_DAY = 86_400_000

/** Parses JSON text; whole numbers beyond 2^53 become bigint instead of being rounded. */
export function parseJson(text: string): unknown {
  // A reviver costs several times the parsing, so it is used only where digits were lost. Looking for these in the value
  // takes a tenth of what looking for long rows of digits in the text does, and does not mistake fractions for them.
  const parsed: unknown = JSON.parse(text)
  if (!hasRounded(parsed)) return parsed
  return parseWith(text, (source, value) =>
    Number.isSafeInteger(value) || !/^-?\d+$/.test(source) ? value : BigInt(source),
  )
}

/** Whether a number anywhere in parsed JSON is beyond what a safe integer can be. */
function hasRounded(json: unknown): boolean {
  if (typeof json === 'number') return json > Number.MAX_SAFE_INTEGER || json < Number.MIN_SAFE_INTEGER
  if (typeof json !== 'object' || json === null) return false
  if (Array.isArray(json)) return json.some(hasRounded)
  const members = json as Readonly<Record<string, unknown>>
  for (const name in members) if (hasRounded(members[name])) return true
  return false
}

/** Parses JSON text and keeps the digits of every number that is no safe integer. */
export function parseExactJson(text: string): unknown {
  return parseWith(text, (source, value) => (/^-?\d{1,15}$/.test(source) ? value : new ExactNumber(source)))
}

type NumberReader = (source: string, value: number) => unknown

function parseWith(text: string, read: NumberReader): unknown {
  const parse = JSON.parse as (
    text: string,
    reviver: (key: string, value: unknown, context: { source?: string }) => unknown,
  ) => unknown
  return parse(text, (_key, value, context) =>
    typeof value === 'number' && context.source !== undefined ? read(context.source, value) : value,
  )
}

/** True when a schema has a Decimal anywhere, whose numbers must be parsed exactly. */
export function hasDecimal(schema: Schema): boolean {
  if (schema.name === logicalNames.decimal) return true
  if (schema.fields.some((field) => hasDecimal(field.schema))) return true
  return [schema.keySchema, schema.valueSchema].some((part) => part !== undefined && hasDecimal(part))
}

/**
 * Compiles the decoder of a schema. Where Kafka's converter turns a wrong kind of JSON into 0 or null without a word,
 * this one throws: data that does not fit its own schema is an error of the record, not a value.
 */
export function compileDecoder(schema: Schema, replaceNullWithDefault: boolean): Decode {
  const decode = compileNonNull(schema, replaceNullWithDefault)
  return (json) => {
    if (json !== null && json !== undefined) return decode(json)
    if (schema.default !== undefined && replaceNullWithDefault) return schema.default
    if (schema.optional) return null
    throw new DataError(`Invalid null value for required ${schema.type} field`)
  }
}

function compileNonNull(schema: Schema, replaceNull: boolean): Decode {
  switch (schema.type) {
    case 'STRUCT':
      return structDecoder(schema, replaceNull)
    case 'ARRAY': {
      const decode = compileDecoder(schema.valueSchema as Schema, replaceNull)
      return (json) => {
        if (!Array.isArray(json)) throw mismatch(schema, json)
        return json.map(decode)
      }
    }
    case 'MAP':
      return mapDecoder(schema, replaceNull)
    default:
      return logicalDecoder(schema) ?? primitiveDecoder(schema)
  }
}

function structDecoder(schema: Schema, replaceNull: boolean): Decode {
  const names = schema.fields.map((field) => field.name)
  // A column may be called "constructor"; an absent one must not read Object's.
  const inherited = names.map((name) => name in Object.prototype)
  const decoders = schema.fields.map((field) => compileDecoder(field.schema, replaceNull))
  return (json) => {
    if (!isObject(json)) throw mismatch(schema, json)
    const struct: Record<string, unknown> = {}
    for (let i = 0; i < names.length; i++) {
      const name = names[i] as string
      struct[name] = (decoders[i] as Decode)(inherited[i] && !Object.hasOwn(json, name) ? null : json[name])
    }
    return struct
  }
}

function mapDecoder(schema: Schema, replaceNull: boolean): Decode {
  const decodeKey = compileDecoder(schema.keySchema as Schema, replaceNull)
  const decodeValue = compileDecoder(schema.valueSchema as Schema, replaceNull)
  if (schema.keySchema?.type === 'STRING') {
    return (json) => {
      if (!isObject(json)) throw mismatch(schema, json)
      return new Map(Object.entries(json).map(([key, member]) => [key, decodeValue(member)]))
    }
  }
  return (json) => {
    if (!Array.isArray(json)) throw mismatch(schema, json)
    return new Map(
      json.map((entry: unknown) => {
        if (!Array.isArray(entry) || entry.length !== 2) {
          throw new DataError('Found invalid map entry, expected length 2 but found another')
        }
        return [decodeKey(entry[0]), decodeValue(entry[1])]
      }),
    )
  }
}

function logicalDecoder(schema: Schema): Decode | undefined {
  switch (schema.name) {
    case logicalNames.decimal: {
      const scale = Number(schema.parameters?.['scale'])
      return (json) => decodeDecimal(schema, json, scale)
    }
    case logicalNames.date:
      return (json) => new Date(integer(schema, json, 0x8000_0000) * MS_PER_DAY)
    case logicalNames.time:
      return (json) => integer(schema, json, 0x8000_0000)
    case logicalNames.timestamp:
      return (json) => new Date(integer(schema, json, Number.MAX_SAFE_INTEGER))
    default:
      return undefined
  }
}

/** A number of the text has the scale of its digits; it gets the schema's where that loses nothing. */
function decodeDecimal(schema: Schema, json: unknown, scale: number): Decimal {
  if (typeof json === 'string') return Decimal.fromBytes(Buffer.from(json, 'base64'), scale)
  const source = json instanceof ExactNumber ? json.source : typeof json === 'number' ? String(json) : undefined
  if (source === undefined) throw mismatch(schema, json)
  const decimal = Decimal.parse(source)
  return decimal.scale < scale ? decimal.withScale(scale) : decimal
}

function primitiveDecoder(schema: Schema): Decode {
  switch (schema.type) {
    case 'INT8':
      return (json) => integer(schema, json, 0x80)
    case 'INT16':
      return (json) => integer(schema, json, 0x8000)
    case 'INT32':
      return (json) => integer(schema, json, 0x8000_0000)
    case 'INT64':
      return (json) => int64(schema, json)
    case 'FLOAT32':
      return (json) => Math.fround(floating(schema, json))
    case 'FLOAT64':
      return (json) => floating(schema, json)
    case 'BOOLEAN':
      return (json) => {
        if (typeof json !== 'boolean') throw mismatch(schema, json)
        return json
      }
    case 'STRING':
      return (json) => {
        if (typeof json !== 'string') throw mismatch(schema, json)
        return json
      }
    default:
      return (json) => {
        if (typeof json !== 'string') throw mismatch(schema, json)
        return Buffer.from(json, 'base64')
      }
  }
}

function integer(schema: Schema, json: unknown, bound: number): number {
  const value = typeof json === 'number' ? json : json instanceof ExactNumber ? Number(json.source) : Number.NaN
  if (!Number.isInteger(value) || value >= bound || value < -bound) throw mismatch(schema, json)
  return value
}

function int64(schema: Schema, json: unknown): bigint {
  if (typeof json === 'number' && Number.isSafeInteger(json)) return BigInt(json)
  const value = json instanceof ExactNumber && /^-?\d{1,20}$/.test(json.source) ? BigInt(json.source) : json
  if (typeof value !== 'bigint' || BigInt.asIntN(64, value) !== value) throw mismatch(schema, json)
  return value
}

function floating(schema: Schema, json: unknown): number {
  if (typeof json === 'number') return json
  if (json instanceof ExactNumber) return Number(json.source)
  if (typeof json === 'bigint') return Number(json)
  if (json === 'NaN' || json === 'Infinity' || json === '-Infinity') return Number(json)
  throw mismatch(schema, json)
}

function isObject(json: unknown): json is Readonly<Record<string, unknown>> {
  return typeof json === 'object' && json !== null && !Array.isArray(json) && !(json instanceof ExactNumber)
}

/** Names kinds only: values may be secret. */
function mismatch(schema: Schema, json: unknown): DataError {
  const kind = Array.isArray(json) ? 'array' : json instanceof ExactNumber ? 'number' : typeof json
  return new DataError(`Invalid type for ${schema.type}: the JSON holds a value of kind ${kind} that does not fit`)
}
