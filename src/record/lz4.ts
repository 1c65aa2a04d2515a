import * as wasm from '@platformatic/wasm-utils'
import { corrupt, RecordError } from './errors.ts'

const MAGIC = 0x184d2204
const BLOCK_SIZES = [0, 0, 0, 0, 0x1_0000, 0x4_0000, 0x10_0000, 0x40_0000]

/** Length of what one LZ4 block decodes to, found by walking its sequences without copying anything. */
function blockLength(buffer: Buffer, start: number, end: number): number {
  let total = 0
  let position = start
  while (position < end) {
    const token = buffer[position++]!
    let literals = token >> 4
    if (literals === 15) {
      let more = 255
      while (more === 255) {
        if (position >= end) throw corrupt('lz4 block ends inside a literal length')
        more = buffer[position++]!
        literals += more
      }
    }
    position += literals
    total += literals
    if (position > end) throw corrupt('lz4 block ends inside its literals')
    if (position === end) return total
    position += 2
    let match = token & 15
    if (match === 15) {
      let more = 255
      while (more === 255) {
        if (position >= end) throw corrupt('lz4 block ends inside a match length')
        more = buffer[position++]!
        match += more
      }
    }
    total += match + 4
  }
  return total
}

/** Decoded length of an LZ4 frame; refuses what is malformed or longer than `maxBytes` before anything is decoded. */
function frameLength(buffer: Buffer, maxBytes: number): number {
  if (buffer.length < 7 || buffer.readUInt32LE(0) !== MAGIC) throw corrupt('lz4 frame has no magic number')
  const flags = buffer[4]!
  const maxBlock = BLOCK_SIZES[(buffer[5]! >> 4) & 7]!
  if (flags >> 6 !== 1 || maxBlock === 0) throw corrupt('lz4 frame has an unknown version or block size')
  if (flags & 1) throw corrupt('lz4 frame needs a dictionary')
  let position = 7 + (flags & 8 ? 8 : 0)
  const blockChecksum = flags & 16 ? 4 : 0
  let total = 0
  for (;;) {
    if (position + 4 > buffer.length) throw corrupt('lz4 frame is cut')
    const word = buffer.readUInt32LE(position)
    position += 4
    if (word === 0) return total
    const length = word & 0x7fffffff
    if (length > maxBlock || position + length > buffer.length)
      throw corrupt('lz4 block is longer than its frame allows')
    total += word & 0x80000000 ? length : blockLength(buffer, position, position + length)
    if (total > maxBytes) throw new RecordError('MESSAGE_TOO_LARGE', `lz4 frame decodes to more than ${maxBytes} bytes`)
    position += length + blockChecksum
  }
}

/** One LZ4 frame with independent blocks, which is all that Kafka's Java client reads. */
export function compressLz4(data: Buffer): Buffer {
  return wasm.lz4Compress(data)
}

/** Decodes one LZ4 frame of at most `maxBytes`. */
export function decompressLz4(data: Buffer, maxBytes: number): Buffer {
  const length = frameLength(data, maxBytes)
  if (length === 0) return Buffer.alloc(0)
  let decoded: Buffer
  try {
    decoded = wasm.lz4Decompress(data)
  } catch (error) {
    throw corrupt('lz4 frame does not decode', error)
  }
  if (decoded.length !== length) throw corrupt(`lz4 frame decodes to ${decoded.length} bytes, ${length} expected`)
  return decoded
}
