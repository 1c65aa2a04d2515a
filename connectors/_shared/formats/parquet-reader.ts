import { gunzipSync, zstdDecompressSync } from 'node:zlib'
import {
  arrayOf,
  DataError,
  Decimal,
  logicalNames,
  mapOf,
  primitive,
  type Schema,
  type SchemaOptions,
  struct,
} from '@millrace/sdk'
import { type FileMetaData, parquetMetadataAsync, parquetReadObjects, parquetSchema, type SchemaTree } from 'hyparquet'
import { connectMapping } from './avro-connect.ts'
import { type ByteSource, type ReadBlock, type ReadValue, valuesOf } from './byte-source.ts'
import { SCHEMA_KEY } from './parquet-writer.ts'

/** Rows that are read at once. */
const ROWS = 5000

const compressors = {
  GZIP: (bytes: Uint8Array) => gunzipSync(bytes),
  ZSTD: (bytes: Uint8Array) => zstdDecompressSync(bytes),
}

/** The values of a Parquet file, some rows at a time. Throws DataError when it cannot be read. */
export function readParquet(source: ByteSource): AsyncGenerator<readonly ReadValue[]> {
  return valuesOf(readParquetBlocks(source, 0))
}

/** The values of a Parquet file, some rows at a time; positions are numbers of rows. */
export async function* readParquetBlocks(source: ByteSource, from: number): AsyncGenerator<ReadBlock> {
  const file = {
    byteLength: source.size,
    slice: async (start: number, end = source.size) => {
      const bytes = await source.read(start < 0 ? source.size + start : start, end)
      const copy = new ArrayBuffer(bytes.length)
      new Uint8Array(copy).set(bytes)
      return copy
    },
  }
  let metadata: FileMetaData
  try {
    metadata = await parquetMetadataAsync(file)
  } catch (error) {
    throw new DataError(`the Parquet file cannot be read: ${(error as Error).message}`, { cause: error })
  }
  const { schema, convert } = mappingOf(metadata)
  const raw = withoutDecimals(metadata)
  const total = Number(metadata.num_rows)
  for (let start = from; start < total; start += ROWS) {
    const rowEnd = Math.min(total, start + ROWS)
    const rows = await parquetReadObjects({ file, metadata: raw, compressors, rowStart: start, rowEnd, utf8: false })
    yield { position: start, next: rowEnd, values: rows.map((row) => ({ schema, value: convert(row) })) }
  }
}

interface Mapping {
  readonly schema: Schema
  readonly convert: (value: unknown) => unknown
}

/** The library turns decimals into floating numbers; as bytes they stay what they are. */
function withoutDecimals(metadata: FileMetaData): FileMetaData {
  const schema = metadata.schema.map((element) => {
    if (element.converted_type !== 'DECIMAL' && element.logical_type?.type !== 'DECIMAL') return element
    const { converted_type: _converted, logical_type: _logical, ...rest } = element
    return rest
  })
  return { ...metadata, schema }
}

function mappingOf(metadata: FileMetaData): Mapping {
  const root = parquetSchema(metadata)
  const fromFile = structMapping(root, {})
  const kept = metadata.key_value_metadata?.find(({ key }) => key === SCHEMA_KEY)?.value
  if (kept === undefined) return fromFile
  try {
    const { schema } = connectMapping(JSON.parse(kept))
    // Values have the form that the file's own types give; the kept schema knows the names and small types.
    if (schema.type === 'STRUCT') return { schema, convert: fromFile.convert }
    return { schema, convert: (row) => (fromFile.convert(row) as Readonly<Record<string, unknown>>)['value'] }
  } catch (error) {
    if (error instanceof DataError || error instanceof SyntaxError) return fromFile
    throw error
  }
}

function structMapping(tree: SchemaTree, options: SchemaOptions): Mapping {
  const fields = tree.children.map((child) => ({ name: child.element.name, mapping: optional(child) }))
  return {
    schema: struct(
      fields.map(({ name, mapping }): [string, Schema] => [name, mapping.schema]),
      options,
    ),
    convert: (value) => {
      const row = value as Readonly<Record<string, unknown>>
      const result: Record<string, unknown> = {}
      for (const { name, mapping } of fields) result[name] = mapping.convert(row[name])
      return result
    },
  }
}

function optional(tree: SchemaTree): Mapping {
  const isOptional = tree.element.repetition_type === 'OPTIONAL'
  const { schema, convert } = plain(tree, isOptional ? { optional: true } : {})
  return { schema, convert: (value) => (value === null || value === undefined ? null : convert(value)) }
}

function plain(tree: SchemaTree, options: SchemaOptions): Mapping {
  const { element, children } = tree
  if (element.converted_type === 'LIST' || element.logical_type?.type === 'LIST') {
    const item = optional(children[0]?.children[0] as SchemaTree)
    return { schema: arrayOf(item.schema, options), convert: (value) => (value as unknown[]).map(item.convert) }
  }
  if (element.converted_type === 'MAP' || element.logical_type?.type === 'MAP') return mapMapping(tree, options)
  if (children.length > 0) return structMapping(tree, options)
  return leaf(tree, options)
}

function mapMapping(tree: SchemaTree, options: SchemaOptions): Mapping {
  const [keyTree, valueTree] = tree.children[0]?.children ?? []
  const key = optional(keyTree as SchemaTree)
  const value = optional(valueTree as SchemaTree)
  // The library gives objects; their keys are text, whatever they were.
  const restored = (text: string): unknown => {
    if (key.schema.type === 'STRING') return text
    if (key.schema.type === 'INT64') return BigInt(text)
    return key.schema.type === 'BOOLEAN' ? text === 'true' : Number(text)
  }
  return {
    schema: mapOf(key.schema, value.schema, options),
    convert: (members) =>
      new Map(
        Object.entries(members as object).map(([name, member]): [unknown, unknown] => [
          restored(name),
          value.convert(member),
        ]),
      ),
  }
}

function leaf({ element }: SchemaTree, options: SchemaOptions): Mapping {
  const same = (value: unknown): unknown => value
  const { type, converted_type: converted, logical_type: logical } = element
  if (converted === 'DECIMAL' || logical?.type === 'DECIMAL') return decimalMapping(element.scale ?? 0, options)
  const named = (name: string): SchemaOptions => ({ ...options, name, version: 1 })
  if (converted === 'DATE' || logical?.type === 'DATE') {
    return { schema: primitive('INT32', named(logicalNames.date)), convert: same }
  }
  if (converted === 'TIME_MILLIS') return { schema: primitive('INT32', named(logicalNames.time)), convert: same }
  if (converted?.startsWith('TIMESTAMP') || logical?.type === 'TIMESTAMP' || type === 'INT96') {
    return { schema: primitive('INT64', named(logicalNames.timestamp)), convert: same }
  }
  switch (type) {
    case 'BOOLEAN':
      return { schema: primitive('BOOLEAN', options), convert: same }
    case 'INT32':
      return {
        schema: primitive(converted === 'INT_8' ? 'INT8' : converted === 'INT_16' ? 'INT16' : 'INT32', options),
        convert: same,
      }
    case 'INT64':
      return { schema: primitive('INT64', options), convert: same }
    case 'FLOAT':
      return { schema: primitive('FLOAT32', options), convert: same }
    case 'DOUBLE':
      return { schema: primitive('FLOAT64', options), convert: same }
    default: {
      const isText =
        converted === 'UTF8' || converted === 'ENUM' || logical?.type === 'STRING' || logical?.type === 'ENUM'
      return { schema: primitive(isText ? 'STRING' : 'BYTES', options), convert: same }
    }
  }
}

function decimalMapping(scale: number, options: SchemaOptions): Mapping {
  const parameters = { scale: String(scale) }
  return {
    schema: primitive('BYTES', { ...options, name: logicalNames.decimal, version: 1, parameters }),
    convert: (value) =>
      value instanceof Uint8Array
        ? Decimal.fromBytes(value, scale)
        : new Decimal(BigInt(value as bigint | number), scale),
  }
}
