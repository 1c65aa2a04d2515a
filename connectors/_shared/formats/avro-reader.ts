import { DataError } from '@millrace/sdk'
import { avroCodec } from './avro-codec.ts'
import { connectMapping } from './avro-connect.ts'
import type { AvroSchema } from './avro-schema.ts'
import { avroType } from './avro-type.ts'
import { AVRO_MAGIC } from './avro-writer.ts'
import { type ByteSource, type ReadBlock, type ReadValue, valuesOf } from './byte-source.ts'

const HEADER_FIRST = 65_536
const HEADER_MAX = 16 * 1024 * 1024
const BLOCK_MAX = 256 * 1024 * 1024
const SYNC = 16

/** The values of an Avro container file, block by block: memory holds one block. Throws DataError on a damaged file. */
export function readAvro(source: ByteSource): AsyncGenerator<readonly ReadValue[]> {
  return valuesOf(readAvroBlocks(source, 0))
}

/** The blocks of an Avro container file; positions are those of bytes, and 0 is the first block. */
export async function* readAvroBlocks(source: ByteSource, from: number): AsyncGenerator<ReadBlock> {
  const { metadata, sync, end } = await readHeader(source)
  const json = schemaOf(metadata)
  const codec = avroCodec(metadata.get('avro.codec')?.toString() ?? 'null')
  const type = avroType(json)
  const { schema, convert } = connectMapping(json)
  for (let at = Math.max(end, from); at < source.size; ) {
    const head = new Cursor(await source.read(at, Math.min(source.size, at + 20)))
    const [count, length] = blockHead(head)
    const start = at + head.at
    const stop = start + length + SYNC
    if (stop > source.size) throw damaged('it ends in the middle of a block')
    const block = Buffer.from(await source.read(start, stop))
    if (!block.subarray(length).equals(sync)) throw damaged('the mark behind a block is wrong')
    const bytes = Buffer.from(codec.unpack(block.subarray(0, length)))
    const values: ReadValue[] = []
    for (let index = 0, offset = 0; index < count; index++) {
      const decoded = type.decode(bytes, offset) as { value: unknown; offset: number }
      if (decoded.offset < 0) throw damaged('a block is shorter than its values')
      offset = decoded.offset
      values.push({ schema, value: convert(decoded.value) })
    }
    yield { position: at, next: stop, values }
    at = stop
  }
}

function schemaOf(metadata: ReadonlyMap<string, Buffer>): AvroSchema {
  try {
    return JSON.parse(metadata.get('avro.schema')?.toString() ?? 'null') as AvroSchema
  } catch (error) {
    throw new DataError('the Avro file is damaged: its schema is no JSON', { cause: error })
  }
}

/** How many values a block has, in how many bytes. */
function blockHead(head: Cursor): [count: number, length: number] {
  try {
    const count = head.long()
    const length = head.long()
    if (count >= 0 && length >= 0 && length <= BLOCK_MAX) return [count, length]
  } catch (error) {
    if (!(error instanceof RangeError)) throw error
  }
  throw damaged('a block has no possible size')
}

interface Header {
  readonly metadata: ReadonlyMap<string, Buffer>
  readonly sync: Buffer
  readonly end: number
}

/** A long schema makes a long header: more is read until it is complete. */
async function readHeader(source: ByteSource): Promise<Header> {
  for (let size = HEADER_FIRST; ; size *= 4) {
    const cursor = new Cursor(await source.read(0, Math.min(source.size, size)))
    try {
      return parseHeader(cursor)
    } catch (error) {
      if (!(error instanceof RangeError)) throw error
      if (size >= source.size || size >= HEADER_MAX) throw damaged('its header is not complete')
    }
  }
}

function parseHeader(cursor: Cursor): Header {
  if (!cursor.bytes(AVRO_MAGIC.length).equals(AVRO_MAGIC)) throw damaged('it does not begin as an Avro file')
  const metadata = new Map<string, Buffer>()
  for (let count = cursor.long(); count !== 0; count = cursor.long()) {
    // A negative count is followed by the size of the block.
    if (count < 0) cursor.long()
    for (let left = Math.abs(count); left > 0; left--) {
      const key = cursor.bytes(cursor.long()).toString()
      metadata.set(key, cursor.bytes(cursor.long()))
    }
  }
  return { metadata, sync: cursor.bytes(SYNC), end: cursor.at }
}

function damaged(what: string): DataError {
  return new DataError(`the Avro file is damaged: ${what}`)
}

/** Reads from bytes; throws RangeError behind their end. */
class Cursor {
  readonly #bytes: Buffer
  at = 0

  constructor(bytes: Uint8Array) {
    this.#bytes = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength)
  }

  bytes(length: number): Buffer {
    if (length < 0 || this.at + length > this.#bytes.length) throw new RangeError('behind the end')
    this.at += length
    return this.#bytes.subarray(this.at - length, this.at)
  }

  long(): number {
    let value = 0
    for (let factor = 1; factor <= 2 ** 49; factor *= 128) {
      const byte = this.bytes(1)[0] as number
      value += (byte & 127) * factor
      if (byte < 128) return value % 2 === 0 ? value / 2 : -(value + 1) / 2
    }
    throw damaged('a number is too long')
  }
}
