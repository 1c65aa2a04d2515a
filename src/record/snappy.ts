import * as wasm from '@platformatic/wasm-utils'
import { corrupt, RecordError } from './errors.ts'

/** What snappy-java's SnappyOutputStream writes first: a magic, its version and the oldest version that can read it. */
const XERIAL_HEADER = Buffer.from([0x82, 0x53, 0x4e, 0x41, 0x50, 0x50, 0x59, 0, 0, 0, 0, 1, 0, 0, 0, 1])
const XERIAL_MAGIC_LENGTH = 8
const XERIAL_BLOCK = 32 * 1024

/**
 * Walks the elements of a raw block and returns the length that it declares and decodes to. The WebAssembly decoder
 * panics on bytes that are not snappy, and a panic leaks what it had allocated, so it sees only blocks that passed here.
 */
function checkedLength(block: Buffer, maxBytes: number): number {
  let position = 0
  let declared = 0
  for (let shift = 0; ; shift += 7) {
    const byte = block[position++]
    if (byte === undefined || shift > 28) throw corrupt('snappy block has no length')
    declared += (byte & 0x7f) * 2 ** shift
    if (byte < 0x80) break
  }
  if (declared > maxBytes)
    throw new RecordError('MESSAGE_TOO_LARGE', `snappy block decodes to more than ${maxBytes} bytes`)
  let produced = 0
  while (position < block.length) {
    const tag = block[position++]!
    const kind = tag & 3
    if (kind === 0) {
      let length = (tag >> 2) + 1
      if (length > 60) {
        const bytes = length - 60
        if (position + bytes > block.length) throw corrupt('snappy block ends inside a length')
        length = block.readUIntLE(position, bytes) + 1
        position += bytes
      }
      position += length
      produced += length
    } else {
      const offsetBytes = kind === 3 ? 4 : kind
      if (position + offsetBytes > block.length) throw corrupt('snappy block ends inside an offset')
      const offset =
        kind === 1
          ? ((tag >> 5) << 8) | block[position]!
          : kind === 2
            ? block[position]! | (block[position + 1]! << 8)
            : block.readUInt32LE(position)
      position += offsetBytes
      if (offset === 0 || offset > produced) throw corrupt('snappy block copies from before its start')
      produced += kind === 1 ? ((tag >> 2) & 7) + 4 : (tag >> 2) + 1
    }
    if (produced > declared) throw corrupt('snappy block decodes to more than it declares')
  }
  if (position !== block.length || produced !== declared) throw corrupt('snappy block is cut')
  return declared
}

function decompressRaw(block: Buffer, maxBytes: number): Buffer {
  const length = checkedLength(block, maxBytes)
  if (length === 0) return Buffer.alloc(0)
  const decoded = wasm.snappyDecompress(block)
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
