import { DataError, mapOf, type Schema, type SinkRecord, schemas, struct, type Header } from '@millrace/sdk'
import {
  type AvroCodecName,
  avroFormat,
  ByteCollector,
  jsonEncoder,
  type ParquetCodecName,
  parquetFormat,
  type RecordWriter,
  type WriteFormat,
} from '../../_shared/formats/index.ts'
import { sameSchema } from '../../_shared/storage-sink/index.ts'
import type { AivenSinkConfig, OutputField } from './config.ts'

/** How whole records are written: what a file is given of a record, and the writer of such files. */
export interface RecordFormat {
  readonly format: WriteFormat
  /** The value to write and its schema. Throws DataError for a record that cannot be written. */
  project(record: SinkRecord): { readonly schema: Schema | null; readonly value: unknown }
}

/** The format that the configuration asks for. */
export function recordFormat(config: AivenSinkConfig): RecordFormat {
  const fields = config['format.output.fields'] as readonly OutputField[]
  const wraps = config['format.output.envelope']
  const compression = config['file.compression.type']
  switch (config['format.output.type']) {
    case 'csv':
      return textFormat(csvLine(fields, config['format.output.fields.value.encoding'] === 'base64'), '', '\n', '')
    case 'jsonl':
      return textFormat(jsonLine(fields, wraps), '', '\n', '')
    case 'json':
      return textFormat(jsonLine(fields, wraps), '[\n', ',\n', '\n]')
    case 'avro':
      return { format: avroFormat(config['avro.codec'] as AvroCodecName), project: projection(fields, wraps) }
    default:
      return { format: parquetFormat(compression as ParquetCodecName), project: projection(fields, wraps) }
  }
}

/** Texts with a separator between them. */
class SeparatedWriter implements RecordWriter {
  readonly #bytes = new ByteCollector()
  readonly #separator: string
  readonly #end: string
  #before: string

  constructor(start: string, separator: string, end: string) {
    this.#before = start
    this.#separator = separator
    this.#end = end
  }

  get heldBytes(): number {
    return this.#bytes.length
  }

  add(_schema: Schema | null, text: unknown): void {
    this.#bytes.text(this.#before)
    this.#bytes.text(text as string)
    this.#before = this.#separator
  }

  take(): Uint8Array {
    return this.#bytes.take()
  }

  finish(): Uint8Array {
    this.#bytes.text(this.#end)
    return this.take()
  }
}

function textFormat(line: (record: SinkRecord) => string, start: string, separator: string, end: string): RecordFormat {
  const format: WriteFormat = {
    extension: '',
    compressible: true,
    create: () => new SeparatedWriter(start, separator, end),
  }
  return { format, project: (record) => ({ schema: null, value: line(record) }) }
}

function csvLine(fields: readonly OutputField[], encodesValue: boolean): (record: SinkRecord) => string {
  return (record) => fields.map((field) => csvCell(field, record, encodesValue)).join(',')
}

function csvCell(field: OutputField, record: SinkRecord, encodesValue: boolean): string {
  switch (field) {
    case 'key':
      return base64('key', record.key)
    case 'value':
      return encodesValue ? base64('value', record.value) : bytesOf('value', record.value).toString()
    case 'offset':
      return String(record.originalOffset)
    case 'timestamp':
      return record.timestamp === null ? '' : String(record.timestamp)
    case 'headers':
      return record.headers
        .map(({ key, value }) => `${Buffer.from(key).toString('base64')}:${base64('header', value)};`)
        .join('')
  }
}

function base64(what: string, value: unknown): string {
  return bytesOf(what, value).toString('base64')
}

function bytesOf(what: string, value: unknown): Buffer {
  if (value === null || value === undefined) return Buffer.alloc(0)
  if (typeof value === 'string') return Buffer.from(value)
  if (value instanceof Uint8Array) return Buffer.from(value.buffer, value.byteOffset, value.byteLength)
  throw new DataError(
    `its ${what} is neither bytes nor text, as format.output.type=csv needs them; use ByteArrayConverter or StringConverter, ` +
      'or another format',
  )
}

function jsonLine(fields: readonly OutputField[], wraps: boolean): (record: SinkRecord) => string {
  const encoders = new WeakMap<Schema, (value: unknown) => string>()
  const plain = jsonEncoder(null)
  const encode = (schema: Schema | null, value: unknown): string => {
    if (value === null || value === undefined) return 'null'
    if (schema === null) return plain(value)
    let known = encoders.get(schema)
    if (known === undefined) encoders.set(schema, (known = jsonEncoder(schema)))
    return known(value)
  }
  const cell = (field: OutputField, record: SinkRecord): string => {
    switch (field) {
      case 'key':
        return encode(record.keySchema, record.key)
      case 'value':
        return encode(record.valueSchema, record.value)
      case 'offset':
        return String(record.originalOffset)
      case 'timestamp':
        return record.timestamp === null ? 'null' : `"${instantOf(record.timestamp)}"`
      case 'headers':
        return `[${record.headers
          .map(({ key, schema, value }) => `{"key":${JSON.stringify(key)},"value":${encode(schema, value)}}`)
          .join(',')}]`
    }
  }
  if (!wraps) return (record) => cell(fields[0] as OutputField, record)
  return (record) => `{${fields.map((field) => `"${field}":${cell(field, record)}`).join(',')}}`
}

/** As Java writes instants: no fraction of a second where there is none. */
function instantOf(ms: number): string {
  return new Date(ms).toISOString().replace('.000Z', 'Z')
}

/** Records as structs, for formats with a schema. */
function projection(fields: readonly OutputField[], wraps: boolean): RecordFormat['project'] {
  let last: { readonly parts: readonly Schema[]; readonly schema: Schema } | undefined
  /** One schema object for records that look alike: writers compile what they do by it. */
  const envelope = (names: readonly string[], parts: readonly Schema[]): Schema => {
    const isSame = last?.parts.length === parts.length && last.parts.every((part, at) => sameSchema(part, parts[at]))
    const isNamed = isSame && last?.schema.fields.every(({ name }, at) => name === names[at])
    if (!isNamed || last === undefined) {
      const schema = struct(Object.fromEntries(names.map((name, at) => [name, parts[at] as Schema])), {
        name: 'connector_records',
      })
      last = { parts, schema }
    }
    return last.schema
  }
  if (!wraps) return (record) => unwrapped(fields[0] as OutputField, record, envelope)
  return (record) => {
    const parts = fields.map((field) => partOf(field, record))
    const value = Object.fromEntries(fields.map((field, at) => [field, parts[at]?.value]))
    return {
      schema: envelope(
        fields,
        parts.map((part) => part.schema),
      ),
      value,
    }
  }
}

type Part = { readonly schema: Schema; readonly value: unknown }

function unwrapped(
  field: OutputField,
  record: SinkRecord,
  envelope: (names: readonly string[], parts: readonly Schema[]) => Schema,
): Part {
  const part = partOf(field, record)
  if (part.schema.type === 'STRUCT') {
    if (part.value === null || part.value === undefined)
      throw new DataError(`its ${field} is null, and it is all that is written`)
    return part
  }
  if (part.schema.type === 'MAP' && part.value instanceof Map) {
    const names = [...part.value.keys()].map(String)
    const of = part.schema.valueSchema as Schema
    return {
      schema: envelope(
        names,
        names.map(() => of),
      ),
      value: Object.fromEntries(part.value),
    }
  }
  return { schema: envelope([field], [part.schema]), value: { [field]: part.value } }
}

function partOf(field: OutputField, record: SinkRecord): Part {
  switch (field) {
    case 'key':
      return { schema: schemaOf('key', record.keySchema), value: record.key }
    case 'value':
      return { schema: schemaOf('value', record.valueSchema), value: record.value }
    case 'offset':
      return { schema: schemas.int64, value: BigInt(record.originalOffset) }
    case 'timestamp':
      return { schema: schemas.optional.int64, value: record.timestamp === null ? null : BigInt(record.timestamp) }
    case 'headers':
      return headersOf(record.headers)
  }
}

function schemaOf(what: string, schema: Schema | null): Schema {
  if (schema !== null) return schema
  throw new DataError(`its ${what} has no schema, which avro and parquet need; use a converter with schemas`)
}

function headersOf(headers: readonly Header[]): Part {
  const [first] = headers
  const value = new Map(headers.map((header) => [header.key, header.value]))
  if (first === undefined) return { schema: mapOf(schemas.string, schemas.optional.string), value }
  const schema = schemaOf(`header ${first.key}`, first.schema)
  const other = headers.find((header) => header.schema?.type !== schema.type)
  if (other !== undefined) {
    const types = `${schema.type} and ${other.schema?.type ?? 'none'}`
    throw new DataError(`its headers have several types, ${types}; use header.converter=StringConverter`)
  }
  return { schema: mapOf(schemas.string, schema), value }
}
