import {
  arrayOf,
  Decimal,
  isDecimal,
  mapOf,
  primitive,
  type Schema,
  type SchemaOptions,
  type SinkRecord,
  struct,
} from '@millrace/sdk'

/** Sink records as they can go to a process: schemas and decimals lose their prototypes on the way. */
export interface PackedRecords {
  readonly schemas: readonly PackedSchema[]
  readonly records: readonly PackedRecord[]
}

interface PackedSchema {
  readonly type: Schema['type']
  readonly options: SchemaOptions
  readonly fields: readonly (readonly [string, PackedSchema])[]
  readonly key: PackedSchema | undefined
  readonly value: PackedSchema | undefined
}

/** A record whose schemas are places in the list, -1 for none. */
interface PackedRecord {
  readonly rest: Omit<SinkRecord, 'key' | 'value' | 'keySchema' | 'valueSchema' | 'headers'>
  readonly key: unknown
  readonly value: unknown
  readonly keySchema: number
  readonly valueSchema: number
  readonly headers: readonly { readonly key: string; readonly value: unknown; readonly schema: number }[]
}

/** Makes records ready for a process. */
export function packRecords(records: readonly SinkRecord[]): PackedRecords {
  const places = new Map<Schema, number>()
  const placeOf = (schema: Schema | null): number => {
    if (schema === null) return -1
    if (!places.has(schema)) places.set(schema, places.size)
    return places.get(schema) ?? -1
  }
  const packed = records.map(({ key, keySchema, value, valueSchema, headers, ...rest }) => ({
    rest,
    key: packValue(key),
    value: packValue(value),
    keySchema: placeOf(keySchema),
    valueSchema: placeOf(valueSchema),
    headers: headers.map((header) => ({
      key: header.key,
      value: packValue(header.value),
      schema: placeOf(header.schema),
    })),
  }))
  return { schemas: [...places.keys()].map(packSchema), records: packed }
}

/** The records again; those that shared a schema share one again. */
export function unpackRecords({ schemas, records }: PackedRecords): readonly SinkRecord[] {
  const made = schemas.map(unpackSchema)
  return records.map(({ rest, key, value, keySchema, valueSchema, headers }) => ({
    ...rest,
    key: unpackValue(key),
    value: unpackValue(value),
    keySchema: made[keySchema] ?? null,
    valueSchema: made[valueSchema] ?? null,
    headers: headers.map((header) => ({
      key: header.key,
      value: unpackValue(header.value),
      schema: made[header.schema] ?? null,
    })),
  }))
}

function packSchema(schema: Schema): PackedSchema {
  const { optional, name, version, doc, parameters } = schema
  const fallback = schema.default === undefined ? {} : { default: packValue(schema.default) }
  const known = Object.entries({ name, version, doc, parameters }).filter(([, value]) => value !== undefined)
  return {
    type: schema.type,
    options: { optional, ...fallback, ...Object.fromEntries(known) },
    fields: schema.fields.map((field) => [field.name, packSchema(field.schema)]),
    key: schema.keySchema && packSchema(schema.keySchema),
    value: schema.valueSchema && packSchema(schema.valueSchema),
  }
}

function unpackSchema({ type, options: packed, fields, key, value }: PackedSchema): Schema {
  const options = 'default' in packed ? { ...packed, default: unpackValue(packed.default) } : packed
  if (type === 'STRUCT')
    return struct(
      fields.map(([name, field]) => [name, unpackSchema(field)] as const),
      options,
    )
  if (type === 'ARRAY' && value) return arrayOf(unpackSchema(value), options)
  if (type === 'MAP' && key && value) return mapOf(unpackSchema(key), unpackSchema(value), options)
  return primitive(type as Exclude<Schema['type'], 'STRUCT' | 'ARRAY' | 'MAP'>, options)
}

const DECIMAL = '$testkit.decimal'

function packValue(value: unknown): unknown {
  if (isDecimal(value)) return { [DECIMAL]: [value.unscaled, value.scale] }
  return mapped(value, packValue)
}

function unpackValue(value: unknown): unknown {
  if (typeof value === 'object' && value !== null && DECIMAL in value) {
    const [unscaled, scale] = value[DECIMAL] as readonly [bigint, number]
    return new Decimal(unscaled, scale)
  }
  return mapped(value, unpackValue)
}

/** The same data with its inner values changed. */
function mapped(value: unknown, change: (inner: unknown) => unknown): unknown {
  if (typeof value !== 'object' || value === null || value instanceof Date || ArrayBuffer.isView(value)) return value
  if (Array.isArray(value)) return value.map(change)
  if (value instanceof Map) return new Map([...value].map(([key, each]) => [change(key), change(each)]))
  return Object.fromEntries(Object.entries(value).map(([name, each]) => [name, change(each)]))
}
