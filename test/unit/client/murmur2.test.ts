import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { murmur2, partitionForKey } from '../../../src/client/index.ts'
import '../property-settings.ts'

describe('murmur2', () => {
  // The values of Kafka's own UtilsTest.
  test.each([
    ['21', -973932308],
    ['foobar', -790332482],
    ['a-little-bit-long-string', -985981536],
    ['a-little-bit-longer-string', -1486304829],
    ['lkjh234lh9fiuh90y23oiuhsafujhadof229phr9h19h89h8', -58897971],
    ['abc', 479470107],
  ])('%s', (text, hash) => {
    expect(murmur2(Buffer.from(text))).toBe(hash)
  })

  test('a key always goes to the same existing partition', () => {
    fc.assert(
      fc.property(fc.uint8Array(), fc.integer({ min: 1, max: 50 }), (key, count) => {
        const partition = partitionForKey(key, count)
        expect(partition).toBeGreaterThanOrEqual(0)
        expect(partition).toBeLessThan(count)
        expect(partitionForKey(Buffer.from(key), count)).toBe(partition)
      }),
    )
  })
})
