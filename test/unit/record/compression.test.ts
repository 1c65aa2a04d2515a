import { gzipSync } from 'node:zlib'
import * as wasm from '@platformatic/wasm-utils'
import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { type Codec, CODECS, compress, decompress, RecordError } from '../../../src/record/index.ts'
import '../property-settings.ts'

const packing = CODECS.filter((codec) => codec !== 'none')

function errorOf(action: () => unknown): RecordError {
  try {
    action()
  } catch (error) {
    if (error instanceof RecordError) return error
    throw error
  }
  throw new Error('nothing was thrown')
}

/** Bad data ends in a RecordError, and for the WebAssembly decoders before they see it: their panics leak memory. */
function expectRefused(codec: Codec, error: unknown): void {
  expect(error).toBeInstanceOf(RecordError)
  if (codec === 'snappy' || codec === 'lz4') expect((error as RecordError).cause).toBeUndefined()
}

describe.each(packing)('%s', (codec) => {
  test('gives back what was compressed', () => {
    fc.assert(
      fc.property(fc.uint8Array({ minLength: 1, maxLength: 3000 }), (array) => {
        const data = Buffer.from(array)
        expect(decompress(codec, compress(codec, data)).equals(data)).toBe(true)
      }),
    )
  })

  test('handles more than one block', () => {
    const data = Buffer.from(Array.from({ length: 400_000 }, (_, i) => (i * i) % 251))
    expect(decompress(codec, compress(codec, data)).equals(data)).toBe(true)
  })

  test('refuses to decode more than the bound', () => {
    const bomb = compress(codec, Buffer.alloc(5_000_000))
    expect(errorOf(() => decompress(codec, bomb, 4_999_999)).code).toBe('MESSAGE_TOO_LARGE')
    expect(decompress(codec, bomb, 5_000_000)).toHaveLength(5_000_000)
  })

  test('answers any bytes with data or a RecordError', () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 400 }), (array) => {
        try {
          decompress(codec, Buffer.from(array), 100_000)
        } catch (error) {
          expectRefused(codec, error)
        }
      }),
    )
  })

  test('answers damaged data with data or a RecordError, and works afterwards', () => {
    const data = Buffer.from('some words and some more words '.repeat(100))
    const packed = compress(codec, data)
    fc.assert(
      fc.property(fc.nat(packed.length - 1), fc.nat(255), (position, byte) => {
        const damaged = Buffer.from(packed)
        damaged[position] = byte
        try {
          decompress(codec, damaged, 100_000)
        } catch (error) {
          expectRefused(codec, error)
        }
      }),
    )
    expect(decompress(codec, packed).equals(data)).toBe(true)
  })
})

test('snappy is written with the xerial framing of 32 KiB blocks', () => {
  const packed = compress('snappy', Buffer.alloc(40_000, 'abc'))
  expect(packed.subarray(0, 16).toString('hex')).toBe('82534e41505059000000000100000001')
  const first = packed.readInt32BE(16)
  expect(wasm.snappyDecompress(packed.subarray(20, 20 + first))).toHaveLength(32 * 1024)
})

test('a raw snappy block without framing is read too', () => {
  const data = Buffer.from('librdkafka can send this')
  expect(decompress('snappy', wasm.snappyCompress(data)).equals(data)).toBe(true)
})

test('a snappy block that claims far more than it can hold is refused before anything is allocated', () => {
  const lie = Buffer.concat([Buffer.from([0xff, 0xff, 0xff, 0x1f]), Buffer.alloc(10)])
  expect(errorOf(() => decompress('snappy', lie)).code).toBe('CORRUPT_MESSAGE')
})

test('lz4 frames have independent blocks, as the Java client needs', () => {
  const frame = compress('lz4', Buffer.alloc(200_000, 'x'))
  expect(frame.readUInt32LE(0)).toBe(0x184d2204)
  expect(frame[4]! & 0x20).toBe(0x20)
})

test('lz4 frames with sizes and checksums of their own are read', () => {
  const data = Buffer.from('lz4 data that repeats, lz4 data that repeats')
  const plain = compress('lz4', data)
  // Flags 0x7c: version 1, independent blocks, block checksums, content size, content checksum. The checksum of this
  // header is that of the lz4 tool.
  const header = Buffer.from('04224d187c40000000000000000000', 'hex')
  header.writeBigInt64LE(BigInt(data.length), 6)
  header[14] = 0xb9
  const framed = Buffer.concat([header, plain.subarray(7, -4), Buffer.from('aaaaaaaa00000000bbbbbbbb', 'hex')])
  expect(decompress('lz4', framed).equals(data)).toBe(true)
})

test('an lz4 frame whose header is damaged is refused', () => {
  const frame = compress('lz4', Buffer.alloc(1000, 'x'))
  for (const [position, value] of [
    [4, 0x40],
    [5, 0x50],
    [6, 0],
    [4, 0x61],
    [4, 0x20],
  ] as const) {
    const damaged = Buffer.from(frame)
    damaged[position] = value
    expect(errorOf(() => decompress('lz4', damaged)).code).toBe('CORRUPT_MESSAGE')
  }
})

test('gzip takes the level that is asked for', () => {
  const data = Buffer.from(Array.from({ length: 20_000 }, (_, i) => (i * i * 31) % 97))
  expect(compress('gzip', data, { gzip: 1 }).equals(gzipSync(data, { level: 1 }))).toBe(true)
})
