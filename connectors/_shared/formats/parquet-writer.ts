import { gzipSync, zstdCompressSync } from 'node:zlib'
import { DataError, type Schema } from '@millrace/sdk'
import type { CompressionCodec, SchemaElement } from 'hyparquet'
import { ByteWriter, ParquetWriter } from 'hyparquet-writer'
import { avroMapping } from './avro-schema.ts'
import { type ParquetColumn, parquetColumns } from './parquet-schema.ts'
import { ByteCollector, type RecordWriter, type WriteFormat } from './record-writer.ts'

export type ParquetCodecName = 'none' | 'gzip' | 'snappy' | 'zstd'

/** The memory of values after which a row group ends. */
const GROUP_BYTES = 16 * 1024 * 1024
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
  readonly avroSchema: string | null
}

class ParquetRecordWriter implements RecordWriter {
  readonly #layout: Layout
  readonly #isStruct: boolean
  readonly #bytes = new ByteWriter()
  readonly #file: ParquetWriter
  readonly #done = new ByteCollector()
  #columns: unknown[][]
  #rowBytes = 0

  constructor(schema: Schema, layout: Layout, codec: CompressionCodec) {
    this.#layout = layout
    this.#isStruct = schema.type === 'STRUCT'
    this.#columns = layout.columns.map(() => [])
    this.#file = new ParquetWriter({
      writer: this.#bytes,
      schema: layout.elements,
      codec,
      compressors,
      createdBy: 'millrace',
      ...(layout.avroSchema === null ? {} : { kvMetadata: [{ key: SCHEMA_KEY, value: layout.avroSchema }] }),
    })
    this.#drain()
  }

  get heldBytes(): number {
    return this.#rowBytes + this.#done.length
  }

  add(_schema: Schema | null, value: unknown): void {
    const { columns } = this.#layout
    if (typeof value !== 'object' && this.#isStruct) throw new DataError('the value is no struct')
    const struct = value as Readonly<Record<string, unknown>>
    // All fields first: a row is added whole or not at all.
    const row = columns.map((column) => column.convert(this.#isStruct ? struct[column.name] : value))
    let size = 0
    for (let index = 0; index < row.length; index++) {
      ;(this.#columns[index] as unknown[]).push(row[index])
      size += heldBy(row[index])
    }
    this.#rowBytes += size
    if (this.#rowBytes >= GROUP_BYTES) this.#endGroup()
  }

  take(): Uint8Array {
    this.#endGroup()
    return this.#done.take()
  }

  finish(): Uint8Array {
    this.#endGroup()
    void this.#file.finish()
    this.#drain()
    return this.#done.take()
  }

  #endGroup(): void {
    const rows = this.#columns[0]?.length ?? 0
    if (rows === 0) return
    const columnData = this.#layout.columns.map(({ name }, index) => ({
      name,
      data: this.#columns[index] as unknown[],
    }))
    // Without an asynchronous flush of the writer this is done when it returns.
    void this.#file.write({ columnData, rowGroupSize: rows })
    this.#columns = this.#layout.columns.map(() => [])
    this.#rowBytes = 0
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
  try {
    return { columns, elements, avroSchema: JSON.stringify(avroMapping(schema).schema) }
  } catch (error) {
    // Names that Avro does not allow are no hindrance to Parquet.
    if (error instanceof DataError) return { columns, elements, avroSchema: null }
    throw error
  }
}

/** About what a value holds in memory. */
function heldBy(value: unknown): number {
  switch (typeof value) {
    case 'string':
      return 32 + value.length
    case 'bigint':
      return 32
    case 'object': {
      if (value === null) return 8
      if (value instanceof Uint8Array) return 120 + value.length
      let size = 48
      for (const member of Array.isArray(value) ? value : Object.values(value)) size += heldBy(member)
      return size
    }
    default:
      return 16
  }
}
