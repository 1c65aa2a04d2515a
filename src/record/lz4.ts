import * as wasm from '@platformatic/wasm-utils'
import { corrupt, RecordError } from './errors.ts'

/*
 * LZ4 frame: uint32le magic | flags | block size code | [int64le content size] | header checksum | blocks of uint32le
 * length (high bit: stored) and bytes and [uint32le checksum] | uint32le 0 | [uint32le content checksum]
 *
 * The WebAssembly decoder panics on bytes that are not LZ4, and a panic leaks what it had allocated. So a frame is
 * checked here to the last sequence before the decoder sees it.
 */
const MAGIC = 0x184d2204
const BLOCK_SIZES = [0, 0, 0, 0, 0x1_0000, 0x4_0000, 0x10_0000, 0x40_0000]
const FLAG = {
  version: 0xc0,
  version1: 0x40,
  independent: 0x20,
  blockChecksum: 0x10,
  contentSize: 8,
  contentChecksum: 4,
  dictionary: 1,
}
/** The flags of frames without any extras. */
const PLAIN_FLAGS = FLAG.version1 | FLAG.independent
const STORED = 0x8000_0000

/** The header checksum: a byte of the xxHash32 of a descriptor, which is shorter than the hash's stripes. */
function headerChecksum(descriptor: Buffer): number {
  const [prime1, prime2, prime3, prime4, prime5] = [0x9e3779b1, 0x85ebca77, 0xc2b2ae3d, 0x27d4eb2f, 0x165667b1]
  const rotate = (value: number, bits: number): number => (value << bits) | (value >>> (32 - bits))
  let hash = prime5 + descriptor.length
  let position = 0
  for (; position + 4 <= descriptor.length; position += 4) {
    hash = Math.imul(rotate(hash + Math.imul(descriptor.readUInt32LE(position), prime3), 17), prime4)
  }
  for (; position < descriptor.length; position++) {
    hash = Math.imul(rotate(hash + Math.imul(descriptor[position]!, prime5), 11), prime1)
  }
  hash = Math.imul(hash ^ (hash >>> 15), prime2)
  hash = Math.imul(hash ^ (hash >>> 13), prime3)
  return ((hash ^ (hash >>> 16)) >>> 8) & 0xff
}

/** Length of what one block decodes to, found by walking its sequences without copying anything. */
function blockLength(buffer: Buffer, start: number, end: number): number {
  let total = 0
  let position = start
  while (position < end) {
    const token = buffer[position++]!
    let literals = token >> 4
    if (literals === 15) {
      for (let more = 255; more === 255; literals += more) {
        if (position >= end) throw corrupt('lz4 block ends inside a literal length')
        more = buffer[position++]!
      }
    }
    position += literals
    total += literals
    if (position > end) throw corrupt('lz4 block ends inside its literals')
    if (position === end) return total
    if (position + 2 > end) throw corrupt('lz4 block ends inside an offset')
    const offset = buffer[position]! | (buffer[position + 1]! << 8)
    position += 2
    if (offset === 0 || offset > total) throw corrupt('lz4 block copies from before its start')
    let match = token & 15
    if (match === 15) {
      for (let more = 255; more === 255; match += more) {
        if (position >= end) throw corrupt('lz4 block ends inside a match length')
        more = buffer[position++]!
      }
    }
    total += match + 4
  }
  throw corrupt('lz4 block does not end with literals')
}

interface CheckedFrame {
  /** The bytes to decode: the frame itself, or one without its extras. */
  readonly bytes: Buffer
  readonly decodedLength: number
}

/** Checks a frame; refuses what is malformed or decodes to more than `maxBytes` before anything is decoded. */
function checkFrame(buffer: Buffer, maxBytes: number): CheckedFrame {
  if (buffer.length < 7 || buffer.readUInt32LE(0) !== MAGIC) throw corrupt('lz4 frame has no magic number')
  const flags = buffer[4]!
  const sizeCode = buffer[5]!
  const maxBlock = BLOCK_SIZES[(sizeCode >> 4) & 7]!
  if ((flags & FLAG.version) !== FLAG.version1 || (flags & 2) !== 0 || maxBlock === 0 || (sizeCode & 0x8f) !== 0) {
    throw corrupt('lz4 frame has an unknown version or block size')
  }
  if (flags & FLAG.dictionary || !(flags & FLAG.independent))
    throw corrupt('lz4 frame needs bytes that it does not have')
  const headerEnd = 6 + (flags & FLAG.contentSize ? 8 : 0)
  if (buffer.length <= headerEnd || headerChecksum(buffer.subarray(4, headerEnd)) !== buffer[headerEnd]) {
    throw corrupt('lz4 frame header fails its checksum')
  }
  const checksumLength = flags & FLAG.blockChecksum ? 4 : 0
  const blocks: Buffer[] = []
  let decodedLength = 0
  let position = headerEnd + 1
  for (;;) {
    if (position + 4 > buffer.length) throw corrupt('lz4 frame is cut')
    const word = buffer.readUInt32LE(position)
    if (word === 0) break
    const length = word & (STORED - 1)
    const end = position + 4 + length
    if (length > maxBlock || end > buffer.length) throw corrupt('lz4 block is longer than its frame allows')
    const decoded = word >= STORED ? length : blockLength(buffer, position + 4, end)
    if (decoded > maxBlock) throw corrupt('lz4 block decodes to more than its frame allows')
    decodedLength += decoded
    if (decodedLength > maxBytes)
      throw new RecordError('MESSAGE_TOO_LARGE', `lz4 frame decodes to more than ${maxBytes} bytes`)
    blocks.push(buffer.subarray(position, end))
    position = end + checksumLength
  }
  if (flags === PLAIN_FLAGS) return { bytes: buffer.subarray(0, position + 4), decodedLength }
  // Sizes and checksums of its own: the batch's CRC has covered the bytes, and the decoder need not know them.
  const descriptor = Buffer.from([PLAIN_FLAGS, sizeCode])
  const header = Buffer.concat([buffer.subarray(0, 4), descriptor, Buffer.from([headerChecksum(descriptor)])])
  return { bytes: Buffer.concat([header, ...blocks, Buffer.alloc(4)]), decodedLength }
}

/** One LZ4 frame with independent blocks, which is all that Kafka's Java client reads. */
export function compressLz4(data: Buffer): Buffer {
  return wasm.lz4Compress(data)
}

/** Decodes one LZ4 frame of at most `maxBytes`. */
export function decompressLz4(data: Buffer, maxBytes: number): Buffer {
  const { bytes, decodedLength } = checkFrame(data, maxBytes)
  if (decodedLength === 0) return Buffer.alloc(0)
  const decoded = wasm.lz4Decompress(bytes)
  if (decoded.length !== decodedLength) {
    throw corrupt(`lz4 frame decodes to ${decoded.length} bytes, ${decodedLength} expected`)
  }
  return decoded
}
