import { createHash } from 'node:crypto'
import { DataError, type Schema } from '@millrace/sdk'
import { type AvroCodec, avroCodec, type AvroCodecName } from './avro-codec.ts'
import { avroMapping, type WriteAvro } from './avro-schema.ts'
import { AvroSink } from './avro-sink.ts'
import { ByteCollector, type RecordWriter, type WriteFormat } from './record-writer.ts'

/** A block is what a reader has to hold; Avro's own default. */
const BLOCK_BYTES = 64_000
export const AVRO_MAGIC = Buffer.from('Obj\u0001', 'latin1')

interface Compiled {
  readonly json: string
  readonly write: WriteAvro
}

class AvroWriter implements RecordWriter {
  readonly #compiled: Compiled
  readonly #codec: AvroCodec
  readonly #sync: Buffer
  readonly #block = new AvroSink()
  readonly #done = new ByteCollector()
  #count = 0

  constructor(compiled: Compiled, codecName: AvroCodecName) {
    this.#compiled = compiled
    this.#codec = avroCodec(codecName)
    // The same records make the same file, so the mark between blocks is not random.
    this.#sync = createHash('md5').update(compiled.json).digest()
    this.#done.push(fileHeader(compiled.json, codecName, this.#sync))
  }

  get heldBytes(): number {
    return this.#block.length + this.#done.length
  }

  add(_schema: Schema | null, value: unknown): void {
    const before = this.#block.length
    try {
      this.#compiled.write(this.#block, value)
    } catch (error) {
      this.#block.truncate(before)
      throw error
    }
    this.#count++
    if (this.#block.length >= BLOCK_BYTES) this.#endBlock()
  }

  take(): Uint8Array {
    this.#endBlock()
    return this.#done.take()
  }

  finish(): Uint8Array {
    return this.take()
  }

  #endBlock(): void {
    if (this.#count === 0) return
    const packed = this.#codec.pack(this.#block.take())
    this.#done.push(avroLong(this.#count))
    this.#done.push(avroLong(packed.length))
    this.#done.push(packed)
    this.#done.push(this.#sync)
    this.#count = 0
  }
}

/** Avro container files. Values need a schema. */
export function avroFormat(codec: AvroCodecName = 'null'): WriteFormat {
  const compiled = new WeakMap<Schema, Compiled>()
  return {
    extension: '.avro',
    compressible: false,
    create(schema) {
      if (schema === null) {
        throw new DataError('AvroFormat needs values with a schema; use AvroConverter, or JsonConverter with schemas')
      }
      let known = compiled.get(schema)
      if (known === undefined) {
        const { schema: avroSchema, write } = avroMapping(schema)
        known = { json: JSON.stringify(avroSchema), write }
        compiled.set(schema, known)
      }
      return new AvroWriter(known, codec)
    },
  }
}

function fileHeader(json: string, codec: string, sync: Buffer): Buffer {
  const text = (value: string): Buffer[] => [avroLong(Buffer.byteLength(value)), Buffer.from(value)]
  const entries = [...text('avro.codec'), ...text(codec), ...text('avro.schema'), ...text(json)]
  return Buffer.concat([AVRO_MAGIC, avroLong(2), ...entries, avroLong(0), sync])
}

/** A number in Avro's zigzag form. */
function avroLong(value: number): Buffer {
  const bytes: number[] = []
  let rest = value * 2
  while (rest >= 128) {
    bytes.push((rest % 128) | 128)
    rest = Math.floor(rest / 128)
  }
  bytes.push(rest)
  return Buffer.from(bytes)
}
