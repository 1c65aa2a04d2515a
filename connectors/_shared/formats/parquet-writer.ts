import { gzipSync, zstdCompressSync } from 'node:zlib'
import { DataError, type Schema } from '@millrace/sdk'
import type { CompressionCodec, DecodedArray, SchemaElement } from 'hyparquet'
import { ByteWriter, type ColumnSource, ParquetWriter } from 'hyparquet-writer'
import { avroMapping } from './avro-schema.ts'
import { type ParquetColumn, parquetColumns } from './parquet-schema.ts'
import { ParquetValues } from './parquet-values.ts'
import { repeats } from './repeats.ts'
import { ByteCollector, type RecordWriter, type WriteFormat } from './record-writer.ts'

export type ParquetCodecName = 'none' | 'gzip' | 'snappy' | 'zstd'

/** The memory of values, and the number of rows, after which a row group ends. */
const GROUP_BYTES = 16 * 1024 * 1024
const GROUP_ROWS = 262_144
/** Numbers with larger dictionaries go without, as parquet-mr does it. */
const DICTIONARY_BYTES = 1024 * 1024
/** The schema as Parquet's Avro binding keeps it in the footer: readers that know it get the very same types back. */
export const SCHEMA_KEY = 'parquet.avro.schema'

const CODECS: Readonly<Record<ParquetCodecName, { codec: CompressionCodec; extension: string }>> = {
  none: { codec: 'UNCOMPRESSED', extension: '.parquet' },
  gzip: { codec: 'GZIP', extension: '.gz.parquet' },
  snappy: { codec: 'SNAPPY', extension: '.snappy.parquet' },
  zstd: { codec: 'ZSTD', extension: '.zstd.parquet' },
}
const compressors = {
  GZIP: (bytes: Uint8Array) => gzipSync(bytes),
  ZSTD: (bytes: Uint8Array) => zstdCompressSync(bytes),
}

interface Layout {
  readonly columns: readonly ParquetColumn[]
  readonly elements: SchemaElement[]
  /** The same with decimals as the bytes that they are: the library writes a decimal of zero as no bytes, which others refuse. */
  readonly written: SchemaElement[]
  readonly avroSchema: string | null
}

class ParquetRecordWriter implements RecordWriter {
  readonly #layout: Layout
  readonly #isStruct: boolean
  readonly #bytes = new ByteWriter()
  readonly #file: ParquetWriter
  readonly #done = new ByteCollector()
  readonly #columns: readonly ParquetValues[]
  /** Of the value that is added. */
  readonly #row: unknown[]
  #held = 0

  constructor(schema: Schema, layout: Layout, codec: CompressionCodec) {
    this.#layout = layout
    this.#isStruct = schema.type === 'STRUCT'
    this.#columns = layout.columns.map(({ elements }) => new ParquetValues(elements[0]?.type))
    this.#row = layout.columns.map(() => null)
    this.#file = new ParquetWriter({
      writer: this.#bytes,
      schema: layout.written,
      codec,
      compressors,
      createdBy: 'millrace',
      ...(layout.avroSchema === null ? {} : { kvMetadata: [{ key: SCHEMA_KEY, value: layout.avroSchema }] }),
    })
    this.#drain()
  }

  get heldBytes(): number {
    return this.#held + this.#done.length
  }

  add(_schema: Schema | null, value: unknown): void {
    const { columns } = this.#layout
    if (typeof value !== 'object' && this.#isStruct) throw new DataError('the value is no struct')
    const struct = value as Readonly<Record<string, unknown>>
    // All fields first: a row is added whole or not at all.
    const row = this.#row
    for (let index = 0; index < row.length; index++) {
      const { name, convert } = columns[index] as ParquetColumn
      row[index] = convert(this.#isStruct ? struct[name] : value)
    }
    let held = 0
    for (let index = 0; index < row.length; index++) {
      const values = this.#columns[index] as ParquetValues
      values.push(row[index])
      held += values.heldBytes
    }
    this.#held = held
    if (held >= GROUP_BYTES || this.#rows >= GROUP_ROWS) this.#endGroup()
  }

  take(): Uint8Array {
    this.#endGroup()
    return this.#done.take()
  }

  finish(): Uint8Array {
    this.#endGroup()
    this.#file.schema = this.#layout.elements
    void this.#file.finish()
    this.#drain()
    return this.#done.take()
  }

  get #rows(): number {
    return this.#columns[0]?.length ?? 0
  }

  #endGroup(): void {
    const rows = this.#rows
    if (rows === 0) return
    const columnData = this.#layout.columns.map((column, index) =>
      columnOf(column, (this.#columns[index] as ParquetValues).take()),
    )
    this.#held = 0
    // Without an asynchronous flush of the writer this is done when it returns.
    void this.#file.write({ columnData, rowGroupSize: rows, dictionarySize: DICTIONARY_BYTES })
    this.#drain()
  }

  /** Takes the bytes out of the library's buffer, which goes on counting the offset in the file. */
  #drain(): void {
    const bytes = this.#bytes.getBytes()
    if (bytes.length > 0) this.#done.push(Buffer.from(bytes))
    this.#bytes.buffer = new ArrayBuffer(1024)
    this.#bytes.view = new DataView(this.#bytes.buffer)
    this.#bytes.index = 0
  }
}

/** Parquet files: values are held until their row group ends. They need a schema. */
export function parquetFormat(codecName: ParquetCodecName = 'snappy'): WriteFormat {
  const { codec, extension } = CODECS[codecName]
  const layouts = new WeakMap<Schema, Layout>()
  return {
    extension,
    compressible: false,
    create(schema) {
      if (schema === null) {
        throw new DataError(
          'ParquetFormat needs values with a schema; use AvroConverter, or JsonConverter with schemas',
        )
      }
      let layout = layouts.get(schema)
      if (layout === undefined) {
        layout = layoutOf(schema)
        layouts.set(schema, layout)
      }
      return new ParquetRecordWriter(schema, layout, codec)
    },
  }
}

function layoutOf(schema: Schema): Layout {
  const columns = parquetColumns(schema)
  const root: SchemaElement = { name: 'ConnectDefault', num_children: columns.length }
  const elements = [root, ...columns.flatMap((column) => column.elements)]
  const written = elements.map((element) => (isDecimal(element) ? withoutDecimal(element) : element))
  try {
    return { columns, elements, written, avroSchema: JSON.stringify(avroMapping(schema).schema) }
  } catch (error) {
    // Names that Avro does not allow are no hindrance to Parquet.
    if (error instanceof DataError) return { columns, elements, written, avroSchema: null }
    throw error
  }
}

function isDecimal({ converted_type }: SchemaElement): boolean {
  return converted_type === 'DECIMAL'
}

function withoutDecimal({ converted_type: _converted, ...rest }: SchemaElement): SchemaElement {
  return rest
}

/**
 * Text that repeats goes into a dictionary. The library would decide from a sample, whose values are all distinct where each
 * comes back after some thousands of rows.
 */
function columnOf({ name, elements }: ParquetColumn, data: DecodedArray): ColumnSource {
  // The bytes of decimals are not in the order of decimals.
  if (elements.some(isDecimal)) return { name, data, statistics: false }
  if (elements[0]?.converted_type !== 'UTF8') return { name, data }
  return { name, data, encoding: repeats(data as readonly (string | null)[]) ? 'RLE_DICTIONARY' : 'PLAIN' }
}
