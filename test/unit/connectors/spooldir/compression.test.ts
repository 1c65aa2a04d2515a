import { constants, gzipSync, zstdCompressSync } from 'node:zlib'
import fc from 'fast-check'
import { expect, test } from 'vitest'
import { decompressed } from '../../../../connectors/_shared/file-source/compression.ts'
import '../../property-settings.ts'

/** What comes out of a compressed file whose bytes are read in pieces of this size, from a position on. */
async function read(path: string, bytes: Buffer, size: number, position = 0): Promise<string> {
  let at = 0
  const source = {
    async next() {
      const chunk = bytes.subarray(at, at + size)
      at += chunk.length
      return chunk.length === 0 ? null : chunk
    },
    async close() {},
  }
  const stream = decompressed(path, source, position)
  const chunks: Buffer[] = []
  try {
    for (let chunk = await stream.next(); chunk !== null; chunk = await stream.next()) chunks.push(Buffer.from(chunk))
  } finally {
    await stream.close()
  }
  return Buffer.concat(chunks).toString()
}

const withChecksum = { params: { [constants.ZSTD_c_checksumFlag]: 1 } }
const skippable = Buffer.from([0x53, 0x2a, 0x4d, 0x18, 3, 0, 0, 0, 1, 2, 3])

test('files of several parts are read to their end, however they are cut', async () => {
  const parts = fc.array(fc.oneof(fc.string({ maxLength: 50 }), fc.constant('x'.repeat(300_000))), { maxLength: 4 })
  await fc.assert(
    fc.asyncProperty(parts, fc.integer({ min: 1, max: 40 }), fc.boolean(), async (texts, size, hasChecksum) => {
      const step = texts.some((text) => text.length > 1000) ? size * 50 : size
      const whole = texts.join('')
      const zstd = texts.flatMap((text) => [zstdCompressSync(text, hasChecksum ? withChecksum : {}), skippable])
      expect(await read('a.zst', Buffer.concat(zstd), step)).toBe(whole)
      const gzip = Buffer.concat(texts.map((text) => gzipSync(text)))
      if (texts.length > 0) expect(await read('a.gz', gzip, step)).toBe(whole)
    }),
    { numRuns: 40 },
  )
})

test('reading starts at a position of the data', async () => {
  const bytes = Buffer.concat([zstdCompressSync('first'), zstdCompressSync('second')])
  expect(await read('a.zstd', bytes, 7, 3)).toBe('stsecond')
  expect(await read('a.csv.gz', gzipSync('0123456789'), 7, 8)).toBe('89')
})

test.each([
  ['a.zst', zstdCompressSync('x'.repeat(1000)).subarray(0, -1)],
  ['a.zst', Buffer.concat([zstdCompressSync('x'), Buffer.from('garbage')])],
  ['a.zst', Buffer.from('no zstd at all')],
  ['a.gz', gzipSync('x'.repeat(1000)).subarray(0, -5)],
  ['a.gz', Buffer.from('no gzip at all')],
])('damaged data in %s is an error of the data', async (path, bytes) => {
  await expect(read(path, bytes, 10)).rejects.toMatchObject({ code: 'DATA' })
})

test('a stream that is closed early ends without an error', async () => {
  const source = { next: async () => zstdCompressSync('x'.repeat(1_000_000)), close: async () => {} }
  const stream = decompressed('a.zst', source, 0)
  expect((await stream.next())?.length).toBeGreaterThan(0)
  await stream.close()
})
