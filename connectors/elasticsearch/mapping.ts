import { DataError, isDecimal, logicalNames, type Schema } from '@millrace/sdk'

/** A mapping as Elasticsearch takes it. */
export type Mapping = Readonly<Record<string, unknown>>

const PLAIN: Readonly<Record<string, string>> = {
  INT8: 'byte',
  INT16: 'short',
  INT32: 'integer',
  INT64: 'long',
  FLOAT32: 'float',
  FLOAT64: 'double',
  BOOLEAN: 'boolean',
}

const DATES: ReadonlySet<string> = new Set([logicalNames.date, logicalNames.time, logicalNames.timestamp])

/** The mapping of documents of this schema; only structs have one. */
export function mappingOf(schema: Schema, compactMaps: boolean): Mapping {
  if (schema.type !== 'STRUCT') {
    throw new DataError(`a document is a struct or a map, so no mapping can be made of the schema ${schema.type}`)
  }
  return { properties: propertiesOf(schema, compactMaps) }
}

function propertiesOf(schema: Schema, compactMaps: boolean): Record<string, Mapping> {
  return Object.fromEntries(schema.fields.map(({ name, schema: field }) => [name, fieldOf(field, compactMaps)]))
}

function fieldOf(schema: Schema, compactMaps: boolean): Mapping {
  if (schema.name === logicalNames.decimal) return withDefault({ type: 'double' }, schema)
  if (schema.name !== undefined && DATES.has(schema.name)) return withDefault({ type: 'date' }, schema)
  switch (schema.type) {
    case 'STRUCT':
      return { properties: propertiesOf(schema, compactMaps) }
    case 'ARRAY':
      // Elasticsearch has no arrays: every field may have many values.
      return fieldOf(schema.valueSchema!, compactMaps)
    case 'MAP':
      if (compactMaps && schema.keySchema?.type === 'STRING') return { type: 'object' }
      return {
        properties: { key: fieldOf(schema.keySchema!, compactMaps), value: fieldOf(schema.valueSchema!, compactMaps) },
      }
    case 'STRING':
      return { type: 'text', fields: { keyword: { type: 'keyword', ignore_above: 256 } } }
    case 'BYTES':
      return { type: 'binary' }
    default:
      return withDefault({ type: PLAIN[schema.type] }, schema)
  }
}

/** Text and binary fields know no null_value. */
function withDefault(mapping: Mapping, { default: defaultValue }: Schema): Mapping {
  if (defaultValue === undefined || defaultValue === null) return mapping
  if (defaultValue instanceof Date) return { ...mapping, null_value: defaultValue.getTime() }
  if (typeof defaultValue === 'bigint') return { ...mapping, null_value: Number(defaultValue) }
  if (isDecimal(defaultValue)) return { ...mapping, null_value: Number(defaultValue.toString()) }
  return { ...mapping, null_value: defaultValue }
}
