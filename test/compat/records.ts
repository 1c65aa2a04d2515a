import { type ConnectRecord, type Schema } from '@millrace/sdk'
import { decodeSchema, encodeSchema } from '../../src/connect/converters/json/json-schema.ts'
import { buildValue, dumpValue } from './golden-values.ts'

/** A record as ConnectData.java reads it; with an offset it is a sink's, else a source's. */
export interface RecordJson {
  readonly topic: string
  readonly partition: number | null
  readonly timestamp: number | null
  readonly offset?: number
  readonly keySchema: unknown
  readonly key: unknown
  readonly valueSchema: unknown
  readonly value: unknown
  readonly headers: readonly (readonly [key: string, schema: unknown, value: unknown])[]
}

// Both sides share schemas between records as sources do.
const decoded = new Map<string, Schema>()

function schemaOf(json: unknown): Schema | null {
  if (json === null) return null
  const text = JSON.stringify(json)
  const schema = decoded.get(text) ?? (decodeSchema(json) as Schema)
  decoded.set(text, schema)
  return schema
}

function valueOf(schema: Schema | null, json: any): unknown {
  return schema ? buildValue(schema, json) : schemaless(json)
}

function schemaless(json: any): unknown {
  if (json === null || typeof json !== 'object') return json
  if (Array.isArray(json)) return json.map(schemaless)
  if ('$bytes' in json) return Buffer.from(json.$bytes, 'hex')
  if ('$date' in json) return new Date(json.$date)
  return Object.fromEntries(Object.entries(json).map(([key, member]) => [key, schemaless(member)]))
}

/** The record of its JSON. */
export function recordOf(json: RecordJson): ConnectRecord {
  const [keySchema, valueSchema] = [schemaOf(json.keySchema), schemaOf(json.valueSchema)]
  const { topic, partition, timestamp, offset } = json
  const position =
    offset === undefined
      ? { sourcePartition: {}, sourceOffset: {} }
      : {
          offset,
          timestampType: 'CreateTime',
          originalTopic: topic,
          originalPartition: partition,
          originalOffset: offset,
        }
  return {
    topic,
    partition,
    timestamp,
    keySchema,
    key: valueOf(keySchema, json.key),
    valueSchema,
    value: valueOf(valueSchema, json.value),
    headers: json.headers.map(([key, schema, value]) => {
      return { key, schema: schemaOf(schema), value: valueOf(schemaOf(schema), value) }
    }),
    ...position,
  } as ConnectRecord
}

/** A record in the form of ConnectData.java. */
export function dumpRecord(record: ConnectRecord | null): unknown {
  if (record === null) return null
  return {
    topic: record.topic,
    partition: record.partition,
    timestamp: record.timestamp,
    key: dump(record.keySchema, record.key),
    value: dump(record.valueSchema, record.value),
    headers: record.headers.map((header) => [header.key, dump(header.schema, header.value)]),
  }
}

function dump(schema: Schema | null, value: unknown): unknown {
  const options = { numericDecimals: false, replaceNullWithDefault: false }
  return { schema: schema && JSON.parse(encodeSchema(schema, options)), value: dumpValue(schema, value) }
}

/**
 * JSON with sorted keys. A whole number is one kind, as a schemaless JavaScript number has no mark of being a double; the
 * default of a float is what it stands for, as Java before 19 writes more digits than it takes.
 */
export function canonical(dumped: unknown): string {
  return JSON.stringify(dumped, (_key, value) => {
    if (value === null || typeof value !== 'object' || Array.isArray(value)) return value
    if (value.type === 'float' && typeof value.default === 'number') value.default = Math.fround(value.default)
    if ('f' in value && Object.keys(value).length === 1) return { n: String(Number(value.f)) }
    if ('i' in value && Object.keys(value).length === 1) return { n: String(value.i) }
    return Object.fromEntries(Object.entries(value).toSorted(([a], [b]) => (a < b ? -1 : 1)))
  })
}
