import { crc32, deflateRawSync, inflateRawSync, zstdCompressSync, zstdDecompressSync } from 'node:zlib'
import { DataError } from '@millrace/sdk'
import { snappyUncompress } from 'hyparquet'
import { snappyCompress } from 'hyparquet-writer/src/snappy.js'

/** How blocks of a container file are compressed. */
export type AvroCodecName = 'null' | 'deflate' | 'snappy' | 'zstandard'

/** Packs and unpacks blocks. */
export interface AvroCodec {
  pack(block: Uint8Array): Uint8Array
  unpack(block: Uint8Array): Uint8Array
}

const CODECS: Readonly<Record<AvroCodecName, AvroCodec>> = {
  null: { pack: (block) => block, unpack: (block) => block },
  deflate: { pack: (block) => deflateRawSync(block), unpack: (block) => inflateRawSync(block) },
  snappy: { pack: packSnappy, unpack: unpackSnappy },
  zstandard: { pack: (block) => zstdCompressSync(block), unpack: (block) => zstdDecompressSync(block) },
}

/** The codec of a name in the header of a file; throws DataError for one that is not known here. */
export function avroCodec(name: string): AvroCodec {
  if (Object.hasOwn(CODECS, name)) return CODECS[name as AvroCodecName]
  throw new DataError(`the Avro codec ${name} is not supported; use null, deflate, snappy or zstandard`)
}

/** Snappy blocks end with the CRC-32 of what was packed. */
function packSnappy(block: Uint8Array): Uint8Array {
  const packed = snappyCompress(block)
  const result = Buffer.allocUnsafe(packed.length + 4)
  result.set(packed)
  result.writeUInt32BE(crc32(block), packed.length)
  return result
}

function unpackSnappy(block: Uint8Array): Uint8Array {
  const packed = Buffer.from(block.buffer, block.byteOffset, block.byteLength)
  const body = packed.subarray(0, -4)
  // The first bytes tell the size of what comes out.
  let size = 0
  for (let at = 0, shift = 0; ; at++, shift += 7) {
    const byte = body[at]
    if (byte === undefined || shift > 28) throw new DataError('a snappy block of an Avro file is damaged')
    size += (byte & 0x7f) * 2 ** shift
    if (byte < 0x80) break
  }
  const result = Buffer.alloc(size)
  snappyUncompress(body, result)
  if (crc32(result) !== packed.readUInt32BE(body.length))
    throw new DataError('the CRC of a block of an Avro file is wrong')
  return result
}
