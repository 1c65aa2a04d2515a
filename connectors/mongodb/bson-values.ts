import { Binary, BSON, Decimal128 } from 'mongodb'
import { DataError, Decimal, logicalNames, type Schema } from '@millrace/sdk'
import { bsonType, numberOf } from './bson-types.ts'
import { type Document, isDocument, lookUp } from './documents.ts'
import { jsonOfValue } from './json-text.ts'

const INT_RANGE = { INT8: 2 ** 7, INT16: 2 ** 15, INT32: 2 ** 31 } as const

/** Gives BSON values the form that a schema asks for. */
export class BsonValues {
  readonly #formatter: string

  /** The formatter writes what becomes text. */
  constructor(formatter: string) {
    this.#formatter = formatter
  }

  /** Throws DataError for what does not fit. */
  convert(schema: Schema, value: unknown): unknown {
    return this.#convert(schema, value, '')
  }

  #convert(schema: Schema, value: unknown, path: string): unknown {
    if (value === null || value === undefined) {
      if (schema.optional) return null
      throw misfit(schema, value, path)
    }
    switch (schema.type) {
      case 'STRUCT':
        return this.#struct(schema, value, path)
      case 'ARRAY':
        if (!Array.isArray(value)) throw misfit(schema, value, path)
        return value.map((item) => this.#convert(schema.valueSchema!, item, path))
      case 'MAP':
        if (!isDocument(value)) throw misfit(schema, value, path)
        return new Map(
          Object.entries(value).map(([name, item]) => [
            name,
            this.#convert(schema.valueSchema!, item, join(path, name)),
          ]),
        )
      case 'STRING':
        return this.#text(value)
      case 'BOOLEAN':
        if (typeof value !== 'boolean') throw misfit(schema, value, path)
        return value
      case 'BYTES':
        return bytesOf(schema, value, path)
      default:
        return numeric(schema, value, path)
    }
  }

  #struct(schema: Schema, value: unknown, path: string): Document {
    if (!isDocument(value)) throw misfit(schema, value, path)
    const result: Document = {}
    for (const { name, schema: fieldSchema } of schema.fields) {
      const found = lookUp(value, name)
      if (found !== undefined) result[name] = this.#convert(fieldSchema, found, join(path, name))
      else if (fieldSchema.default !== undefined) result[name] = fieldSchema.default
      else if (fieldSchema.optional) result[name] = null
      else throw new DataError(`the document has no field ${join(path, name)}, which the schema requires`)
    }
    return result
  }

  /** Anything can be text: JSON, without the quotes where that is one string. */
  #text(value: unknown): string {
    if (typeof value === 'string') return value
    const text = jsonOfValue(this.#formatter, value)
    return text.startsWith('"') ? (JSON.parse(text) as string) : text
  }
}

function join(path: string, name: string): string {
  return path === '' ? name : `${path}.${name}`
}

function bytesOf(schema: Schema, value: unknown, path: string): unknown {
  if (value instanceof Decimal128 && schema.name === logicalNames.decimal) return decimalOf(schema, value, path)
  if (schema.name === logicalNames.decimal) throw misfit(schema, value, path)
  if (typeof value === 'string') return Buffer.from(value)
  if (value instanceof Binary) return Buffer.from(value.buffer.buffer, value.buffer.byteOffset, value.position)
  if (isDocument(value)) return Buffer.from(BSON.serialize(value))
  throw misfit(schema, value, path)
}

function decimalOf(schema: Schema, value: Decimal128, path: string): Decimal {
  try {
    return Decimal.parse(String(value)).withScale(Number(schema.parameters?.['scale'] ?? 0))
  } catch (error) {
    throw new DataError(`the field ${path}: ${(error as Error).message}`, { cause: error })
  }
}

function numeric(schema: Schema, value: unknown, path: string): unknown {
  const number = numberOf(value)
  if (number === undefined) throw misfit(schema, value, path)
  switch (schema.name) {
    case logicalNames.date:
    case logicalNames.timestamp:
      return new Date(Number(number))
    case logicalNames.time:
      return Number(number) % 86_400_000
  }
  if (schema.type === 'FLOAT64') return Number(number)
  if (schema.type === 'FLOAT32') return Math.fround(Number(number))
  if (schema.type === 'INT64') return longOf(schema, number, value, path)
  const limit = INT_RANGE[schema.type as keyof typeof INT_RANGE]
  const whole = Math.trunc(Number(number))
  if (whole >= -limit && whole < limit) return whole
  throw new DataError(`the field ${path} is a number that does not fit into ${schema.type}`)
}

function longOf(schema: Schema, number: number | bigint, value: unknown, path: string): bigint {
  if (typeof number === 'bigint') return number
  if (!Number.isFinite(number)) throw misfit(schema, value, path)
  return BigInt.asIntN(64, BigInt(Math.trunc(number)))
}

/** Names types only: values may be secret. */
function misfit(schema: Schema, value: unknown, path: string): DataError {
  const place = path === '' ? 'the document' : `the field ${path}`
  return new DataError(`${place} is of type ${bsonType(value)}, which does not fit ${schema.name ?? schema.type}`)
}
