import * as wasm from '@platformatic/wasm-utils'
import { corrupt, RecordError } from './errors.ts'

/** What snappy-java's SnappyOutputStream writes first: a magic, its version and the oldest version that can read it. */
const XERIAL_HEADER = Buffer.from([0x82, 0x53, 0x4e, 0x41, 0x50, 0x50, 0x59, 0, 0, 0, 0, 1, 0, 0, 0, 1])
const XERIAL_MAGIC_LENGTH = 8
const XERIAL_BLOCK = 32 * 1024

/** Decoded length that a raw snappy block declares in its preamble. */
function declaredLength(block: Buffer): number {
  let length = 0
  for (let i = 0; i < 5 && i < block.length; i++) {
    const byte = block[i]!
    length += (byte & 0x7f) * 2 ** (7 * i)
    if (byte < 0x80) return length
  }
  throw corrupt('snappy block has no length')
}

function decompressRaw(block: Buffer, maxBytes: number): Buffer {
  const length = declaredLength(block)
  if (length > maxBytes)
    throw new RecordError('MESSAGE_TOO_LARGE', `snappy block decodes to more than ${maxBytes} bytes`)
  // A snappy copy of at most 64 bytes takes two bytes or more, so a longer claim is a lie told to make us allocate.
  if (length > block.length * 64) throw corrupt(`snappy block of ${block.length} bytes claims ${length}`)
  if (length === 0) return Buffer.alloc(0)
  let decoded: Buffer
  try {
    decoded = wasm.snappyDecompress(block)
  } catch (error) {
    throw corrupt('snappy block does not decode', error)
  }
  if (decoded.length !== length) throw corrupt(`snappy block decodes to ${decoded.length} bytes, ${length} expected`)
  return decoded
}

/** Snappy in the xerial framing that Kafka's clients write and expect: 32 KiB blocks, each after its length. */
export function compressSnappy(data: Buffer): Buffer {
  const parts: Buffer[] = [XERIAL_HEADER]
  for (let position = 0; position < data.length; position += XERIAL_BLOCK) {
    const block = wasm.snappyCompress(data.subarray(position, Math.min(position + XERIAL_BLOCK, data.length)))
    const length = Buffer.allocUnsafe(4)
    length.writeInt32BE(block.length)
    parts.push(length, block)
  }
  return Buffer.concat(parts)
}

/** Decodes xerial framing, or a raw snappy block as some clients send it. */
export function decompressSnappy(data: Buffer, maxBytes: number): Buffer {
  if (
    data.length < XERIAL_HEADER.length ||
    XERIAL_HEADER.compare(data, 0, XERIAL_MAGIC_LENGTH, 0, XERIAL_MAGIC_LENGTH)
  ) {
    return decompressRaw(data, maxBytes)
  }
  const parts: Buffer[] = []
  let total = 0
  for (let position = XERIAL_HEADER.length; position < data.length; ) {
    if (position + 4 > data.length) throw corrupt('snappy stream is cut inside a block length')
    const length = data.readInt32BE(position)
    position += 4
    if (length <= 0 || position + length > data.length) throw corrupt('snappy stream is cut inside a block')
    const part = decompressRaw(data.subarray(position, position + length), maxBytes - total)
    total += part.length
    parts.push(part)
    position += length
  }
  return parts.length === 1 ? parts[0]! : Buffer.concat(parts, total)
}
