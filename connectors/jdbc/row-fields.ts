import { DataError, type Schema, schemas, type SinkRecord } from '@millrace/sdk'
import type { Change } from './envelope.ts'
import type { SinkConfig } from './sink-config.ts'

/** One column of the rows to write, and where its value comes from. */
export interface RowField {
  /** The name of the field, and of the column unless that differs in case. */
  readonly name: string
  readonly schema: Schema
  readonly isKey: boolean
  value(change: Change): unknown
}

/** The fields of all rows of one pair of schemas. */
export interface RowFields {
  readonly fields: readonly RowField[]
  readonly keys: readonly RowField[]
}

export const KAFKA_PK_NAMES = ['__connect_topic', '__connect_partition', '__connect_offset'] as const

type FieldsConfig = Pick<
  SinkConfig,
  'pk.mode' | 'pk.fields' | 'fields.whitelist' | 'string.output.value.column.name' | 'replace.null.with.default'
>

/**
 * Chooses the columns for records of these schemas; `valueSchema` null means only the key (a delete). Throws
 * DataError naming what does not fit. `storedName` is a name as the database keeps it.
 */
export function chooseFields(
  config: FieldsConfig,
  keySchema: Schema | null,
  valueSchema: Schema | null,
  storedName: (name: string) => string,
): RowFields {
  const keys = keyFields(config, keySchema, valueSchema)
  const keyNames = new Set(keys.map(({ name }) => name))
  const values = valueSchema === null ? [] : valueFields(config, valueSchema).filter(({ name }) => !keyNames.has(name))
  const fields = order([...keys, ...values], valueSchema)
  if (fields.length === 0)
    throw new DataError('no field is left to write: check pk.mode, pk.fields and fields.whitelist')
  const repeated = fields.find(
    (field, at) => fields.findIndex((other) => storedName(other.name) === storedName(field.name)) !== at,
  )
  if (repeated !== undefined) throw new DataError(`two fields become the same column "${storedName(repeated.name)}"`)
  return { fields, keys: fields.filter((field) => field.isKey) }
}

/** Kafka coordinates first, then the value's own order, then what is only in the key, by name. */
function order(fields: readonly RowField[], valueSchema: Schema | null): readonly RowField[] {
  const place = (field: RowField): number => {
    if ((KAFKA_PK_NAMES as readonly string[]).includes(field.name)) return -1
    return valueSchema?.field(field.name)?.index ?? Number.MAX_SAFE_INTEGER
  }
  return fields
    .map((field, at) => ({ field, place: place(field), at }))
    .sort((a, b) => {
      if (a.place !== b.place) return a.place - b.place
      if (a.place === Number.MAX_SAFE_INTEGER) return a.field.name < b.field.name ? -1 : 1
      return a.at - b.at
    })
    .map(({ field }) => field)
}

function keyFields(config: FieldsConfig, keySchema: Schema | null, valueSchema: Schema | null): RowField[] {
  switch (config['pk.mode']) {
    case 'none':
      return []
    case 'kafka':
      return kafkaFields(config['pk.fields'])
    case 'record_key':
      return recordKeyFields(config, keySchema)
    case 'record_value':
      return recordValueKeys(config, valueSchema)
  }
}

function kafkaFields(names: readonly string[]): RowField[] {
  const [topic, partition, offset] = names.length === 3 ? names : KAFKA_PK_NAMES
  // The original coordinates are unique also when a transform sends several topics to one table.
  const field = (name: string | undefined, schema: Schema, value: (record: SinkRecord) => unknown): RowField => ({
    name: name as string,
    schema,
    isKey: true,
    value: ({ record }) => value(record),
  })
  return [
    field(topic, schemas.string, (record) => record.originalTopic),
    field(partition, schemas.int32, (record) => record.originalPartition),
    field(offset, schemas.int64, (record) => BigInt(record.originalOffset)),
  ]
}

function recordKeyFields(config: FieldsConfig, keySchema: Schema | null): RowField[] {
  if (keySchema === null) throw new DataError('pk.mode=record_key needs records whose key has a schema')
  const wanted = config['pk.fields']
  if (keySchema.type === 'STRUCT') {
    const names = wanted.length > 0 ? wanted : keySchema.fields.map(({ name }) => name)
    return names.map((name) => {
      const schema = keySchema.field(name)?.schema
      if (schema === undefined)
        throw new DataError(
          `pk.fields names ${name}, but the key has only ${keySchema.fields.map((f) => f.name).join(', ')}`,
        )
      return { name, schema, isKey: true, value: structValue(name, schema, config, ({ record }) => record.key) }
    })
  }
  if (keySchema.type === 'ARRAY' || keySchema.type === 'MAP') {
    throw new DataError(`pk.mode=record_key takes a struct or a primitive as key, not ${keySchema.type}`)
  }
  const [name, ...others] = wanted
  if (name === undefined || others.length > 0) {
    throw new DataError(`pk.fields has to name exactly one column for a key of type ${keySchema.type}`)
  }
  return [{ name, schema: keySchema, isKey: true, value: ({ record }) => record.key }]
}

function recordValueKeys(config: FieldsConfig, valueSchema: Schema | null): RowField[] {
  if (valueSchema?.type !== 'STRUCT') throw new DataError('pk.mode=record_value needs records whose value is a struct')
  const wanted = config['pk.fields']
  const names = wanted.length > 0 ? wanted : valueSchema.fields.map(({ name }) => name)
  return names.map((name) => {
    const schema = valueSchema.field(name)?.schema
    if (schema === undefined)
      throw new DataError(
        `pk.fields names ${name}, but the value has only ${valueSchema.fields.map((f) => f.name).join(', ')}`,
      )
    return { name, schema, isKey: true, value: structValue(name, schema, config, (change) => change.value) }
  })
}

function valueFields(config: FieldsConfig, valueSchema: Schema): RowField[] {
  if (valueSchema.type === 'STRING') {
    const name = config['string.output.value.column.name']
    return [{ name, schema: valueSchema, isKey: false, value: (change) => change.value }]
  }
  if (valueSchema.type !== 'STRUCT') throw new DataError(`the value is ${valueSchema.type}; a struct or text is needed`)
  const wanted = config['fields.whitelist']
  return valueSchema.fields
    .filter(({ name }) => wanted.length === 0 || wanted.includes(name))
    .map(({ name, schema }) => ({
      name,
      schema,
      isKey: false,
      value: structValue(name, schema, config, (change) => change.value),
    }))
}

function structValue(
  name: string,
  schema: Schema,
  config: FieldsConfig,
  structOf: (change: Change) => unknown,
): (change: Change) => unknown {
  const fallback = config['replace.null.with.default'] ? (schema.default ?? null) : null
  return (change) => (structOf(change) as Record<string, unknown> | null)?.[name] ?? fallback
}
