import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { type Crc32c, crc32c, loadNativeCrc32c, wasmCrc32c } from '../../../src/record/index.ts'
import '../property-settings.ts'

const native = loadNativeCrc32c()
const implementations: [string, Crc32c][] = [
  ['the chosen one', crc32c],
  ['wasm', wasmCrc32c],
  ...(native ? [['native', native] as [string, Crc32c]] : []),
]

describe.each(implementations)('CRC-32C, %s', (_name, crc) => {
  test('gives the check value of Castagnoli, not that of zlib', () => {
    expect(crc(Buffer.from('123456789'))).toBe(0xe3069283)
  })

  test('of nothing is 0, also after large inputs', () => {
    crc(Buffer.alloc(300_000, 1))
    expect(crc(Buffer.alloc(0))).toBe(0)
    expect(crc(Buffer.from('123456789'), 4, 4)).toBe(0)
  })

  test('covers exactly the asked range', () => {
    expect(crc(Buffer.from('xx123456789yy'), 2, 11)).toBe(0xe3069283)
  })

  test('continues from a seed as if it had seen all bytes', () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 200 }), fc.nat(200), (bytes, at) => {
        const cut = Math.min(at, bytes.length)
        expect(crc(bytes, cut, bytes.length, crc(bytes, 0, cut))).toBe(crc(bytes))
      }),
    )
  })

  test('agrees with the others', () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 5000 }), (bytes) => {
        expect(crc(bytes)).toBe(wasmCrc32c(bytes))
      }),
    )
  })
})
