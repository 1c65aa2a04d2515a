import { DataError, isDecimal, logicalNames, type Schema } from '@millrace/sdk'
import type { SchemaElement } from 'hyparquet'

/** Turns a value of Connect into what the Parquet library takes. */
export type ToParquet = (value: unknown) => unknown

/** A column of the first level: its elements, depth first, and how values get their form. */
export interface ParquetColumn {
  readonly name: string
  readonly elements: readonly SchemaElement[]
  readonly convert: ToParquet
}

const PRECISION = 64
const MS_PER_DAY = 86_400_000
const INT64_MIN = -(2n ** 63n)
const INT64_MAX = 2n ** 63n - 1n

/** The columns of a struct, as Parquet's Avro binding has them. Any other value is one column called value. */
export function parquetColumns(schema: Schema): readonly ParquetColumn[] {
  if (schema.type !== 'STRUCT') return [column('value', schema)]
  if (schema.fields.length === 0) throw new DataError('Parquet has no form for a struct without fields')
  return schema.fields.map((field) => column(field.name, field.schema))
}

function column(name: string, schema: Schema): ParquetColumn {
  const isOptional = schema.optional
  const repetition_type = isOptional ? 'OPTIONAL' : 'REQUIRED'
  const { elements, convert } = plain(name, schema)
  const [first, ...rest] = elements as [SchemaElement, ...SchemaElement[]]
  const { default: fallback } = schema
  return {
    name,
    elements: [{ ...first, repetition_type }, ...rest],
    convert: (value) => {
      if (value !== null && value !== undefined) return convert(value)
      if (fallback !== undefined) return convert(fallback)
      if (isOptional) return null
      throw new DataError(`the field ${name} is required, has no default and is null`)
    },
  }
}

type Plain = Omit<ParquetColumn, 'name'>

function plain(name: string, schema: Schema): Plain {
  switch (schema.type) {
    case 'STRUCT':
      return group(name, schema)
    case 'ARRAY': {
      const item = column('element', schema.valueSchema as Schema)
      const list: SchemaElement = { name: 'list', repetition_type: 'REPEATED', num_children: 1 }
      return {
        elements: [{ name, converted_type: 'LIST', num_children: 1 }, list, ...item.elements],
        convert: (value) => {
          if (!Array.isArray(value)) throw misfit(name, schema, value)
          return value.map(item.convert)
        },
      }
    }
    case 'MAP': {
      const key = column('key', schema.keySchema as Schema)
      const value = column('value', schema.valueSchema as Schema)
      const entries: SchemaElement = { name: 'key_value', repetition_type: 'REPEATED', num_children: 2 }
      return {
        elements: [{ name, converted_type: 'MAP', num_children: 1 }, entries, ...key.elements, ...value.elements],
        convert: (map) => {
          if (!(map instanceof Map)) throw misfit(name, schema, map)
          return Array.from(map, ([each, member]) => ({ key: key.convert(each), value: value.convert(member) }))
        },
      }
    }
    default:
      return logical(name, schema) ?? primitive(name, schema)
  }
}

function group(name: string, schema: Schema): Plain {
  if (schema.fields.length === 0) throw new DataError(`Parquet has no form for the struct ${name} without fields`)
  const members = schema.fields.map((field) => column(field.name, field.schema))
  return {
    elements: [{ name, num_children: members.length }, ...members.flatMap((member) => member.elements)],
    convert: (value) => {
      if (typeof value !== 'object' || value === null) throw misfit(name, schema, value)
      const struct = value as Readonly<Record<string, unknown>>
      const result: Record<string, unknown> = {}
      for (const member of members) result[member.name] = member.convert(struct[member.name])
      return result
    },
  }
}

function logical(name: string, schema: Schema): Plain | undefined {
  const millis = (value: unknown): number => {
    if (!(value instanceof Date)) throw misfit(name, schema, value)
    return value.getTime()
  }
  switch (schema.name) {
    case logicalNames.decimal: {
      const scale = Number(schema.parameters?.['scale'] ?? 0)
      const precision = Number(schema.parameters?.['connect.decimal.precision'] ?? PRECISION)
      return {
        elements: [{ name, type: 'BYTE_ARRAY', converted_type: 'DECIMAL', precision, scale }],
        convert: (value) => {
          if (!isDecimal(value)) throw misfit(name, schema, value)
          return value.withScale(scale).toBytes()
        },
      }
    }
    case logicalNames.date:
      return {
        elements: [{ name, type: 'INT32', converted_type: 'DATE' }],
        convert: (value) => Math.floor(millis(value) / MS_PER_DAY),
      }
    case logicalNames.time:
      return { elements: [{ name, type: 'INT32', converted_type: 'TIME_MILLIS' }], convert: whole(name, schema, 32) }
    case logicalNames.timestamp:
      return {
        elements: [{ name, type: 'INT64', converted_type: 'TIMESTAMP_MILLIS' }],
        convert: (value) => BigInt(millis(value)),
      }
    default:
      return undefined
  }
}

function primitive(name: string, schema: Schema): Plain {
  const of = (type: string): ToParquet => {
    return (value) => {
      if (typeof value !== type) throw misfit(name, schema, value)
      return value
    }
  }
  switch (schema.type) {
    case 'INT8':
      return { elements: [{ name, type: 'INT32', converted_type: 'INT_8' }], convert: whole(name, schema, 8) }
    case 'INT16':
      return { elements: [{ name, type: 'INT32', converted_type: 'INT_16' }], convert: whole(name, schema, 16) }
    case 'INT32':
      return { elements: [{ name, type: 'INT32' }], convert: whole(name, schema, 32) }
    case 'INT64':
      return {
        elements: [{ name, type: 'INT64' }],
        convert: (value) => {
          if (typeof value === 'bigint' && value >= INT64_MIN && value <= INT64_MAX) return value
          if (Number.isSafeInteger(value)) return BigInt(value as number)
          throw misfit(name, schema, value)
        },
      }
    case 'FLOAT32':
      return { elements: [{ name, type: 'FLOAT' }], convert: of('number') }
    case 'FLOAT64':
      return { elements: [{ name, type: 'DOUBLE' }], convert: of('number') }
    case 'BOOLEAN':
      return { elements: [{ name, type: 'BOOLEAN' }], convert: of('boolean') }
    case 'STRING':
      return { elements: [{ name, type: 'BYTE_ARRAY', converted_type: 'UTF8' }], convert: of('string') }
    default:
      return {
        elements: [{ name, type: 'BYTE_ARRAY' }],
        convert: (value) => {
          if (!(value instanceof Uint8Array)) throw misfit(name, schema, value)
          // A copy: the value may be a view of a larger buffer that must not be kept.
          return new Uint8Array(value)
        },
      }
  }
}

function whole(name: string, schema: Schema, bits: number): ToParquet {
  const bound = 2 ** (bits - 1)
  return (value) => {
    if (!Number.isInteger(value) || (value as number) < -bound || (value as number) >= bound) {
      throw misfit(name, schema, value)
    }
    return value
  }
}

/** Names the type only: values may be secret. */
function misfit(name: string, schema: Schema, value: unknown): DataError {
  const kind = typeof value === 'object' ? (value?.constructor.name ?? 'null') : typeof value
  return new DataError(`a ${kind} does not fit the schema type ${schema.name ?? schema.type} of the field ${name}`)
}
