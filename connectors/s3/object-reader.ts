import { pipeline, Readable } from 'node:stream'
import { createGunzip, createZstdDecompress } from 'node:zlib'
import { DataError, schemas } from '@millrace/sdk'
import { type ByteSource, readAvro, readParquet, type ReadValue } from '../_shared/formats/index.ts'
import type { SourceFormat } from './source-config.ts'

const CHUNK = 4 * 1024 * 1024
const LINE_MAX = 64 * 1024 * 1024

/** The values of an object in batches, in order. Throws DataError when it does not hold what the format says. */
export function readObject(
  source: ByteSource,
  key: string,
  format: SourceFormat,
  separator: string,
): AsyncGenerator<readonly ReadValue[]> {
  switch (format) {
    case 'AvroFormat':
      return readAvro(source)
    case 'ParquetFormat':
      return readParquet(source)
    case 'ByteArrayFormat':
      return readPieces(source, key, separator, (piece) => ({ schema: schemas.bytes, value: Buffer.from(piece) }))
    case 'StringFormat':
      return readPieces(source, key, '\n', (piece) => ({
        schema: schemas.string,
        value: withoutReturn(piece.toString()),
      }))
    default:
      return readPieces(source, key, '\n', jsonValue)
  }
}

function withoutReturn(line: string): string {
  return line.endsWith('\r') ? line.slice(0, -1) : line
}

function jsonValue(piece: Buffer): ReadValue | null {
  const text = piece.toString().trim()
  if (text === '') return null
  try {
    return { schema: null, value: parseJson(text) }
  } catch (error) {
    throw new DataError('a line of the object is no JSON document', { cause: error })
  }
}

/** Whole numbers that a number cannot hold become bigint. */
function parseJson(text: string): unknown {
  if (!/\d{16}/.test(text)) return JSON.parse(text)
  return JSON.parse(text, (_key, value: unknown, context?: { source?: string }) => {
    const isRounded = typeof value === 'number' && Number.isInteger(value) && !Number.isSafeInteger(value)
    const source = context?.source ?? ''
    return isRounded && /^-?\d+$/.test(source) ? BigInt(source) : value
  })
}

async function* readPieces(
  source: ByteSource,
  key: string,
  separator: string,
  toValue: (piece: Buffer) => ReadValue | null,
): AsyncGenerator<readonly ReadValue[]> {
  const end = Buffer.from(separator)
  let rest: Buffer = Buffer.alloc(0)
  for await (const chunk of bytesOf(source, key)) {
    const bytes = rest.length === 0 ? chunk : Buffer.concat([rest, chunk])
    const values: ReadValue[] = []
    let start = 0
    for (let at = bytes.indexOf(end); at !== -1; at = bytes.indexOf(end, start)) {
      const value = toValue(bytes.subarray(start, at))
      if (value !== null) values.push(value)
      start = at + end.length
    }
    rest = bytes.subarray(start)
    if (rest.length > LINE_MAX) throw new DataError(`a value of the object is larger than ${LINE_MAX} bytes`)
    if (values.length > 0) yield values
  }
  const last = rest.length === 0 ? null : toValue(rest)
  if (last !== null) yield [last]
}

/** The bytes of an object, decompressed by the ending of its name. */
async function* bytesOf(source: ByteSource, key: string): AsyncGenerator<Buffer> {
  const unpack = key.endsWith('.gz') ? createGunzip() : key.endsWith('.zst') ? createZstdDecompress() : null
  if (unpack === null) {
    yield* chunksOf(source)
    return
  }
  // Errors of either side end the iteration below.
  pipeline(Readable.from(chunksOf(source)), unpack, () => undefined)
  for await (const chunk of unpack) yield chunk as Buffer
}

async function* chunksOf(source: ByteSource): AsyncGenerator<Buffer> {
  for (let start = 0; start < source.size; start += CHUNK) {
    const bytes = await source.read(start, Math.min(source.size, start + CHUNK))
    yield Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength)
  }
}
