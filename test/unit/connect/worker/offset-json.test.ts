import { DataError } from '@millrace/sdk'
import { describe, expect, it } from 'vitest'
import { offsetKey, offsetValue, parseOffset } from '../../../../src/connect/worker/offset-json.ts'

describe('stored offsets', () => {
  it('look as Kafka Connect writes them', () => {
    expect(offsetKey('src', { filename: '/a "b"' }).toString()).toBe('["src",{"filename":"/a \\"b\\""}]')
    expect(offsetValue({ position: 42, done: true, none: null, lsn: 2n ** 63n - 1n }).toString()).toBe(
      '{"position":42,"done":true,"none":null,"lsn":9223372036854775807}',
    )
  })

  it('come back as they were, large integers as bigint', () => {
    const offset = { a: 1, b: -0.5, c: 9_007_199_254_740_993n, d: 'text', e: false, f: null }
    expect(parseOffset(offsetValue(offset))).toEqual(offset)
    expect(parseOffset(Buffer.from('null'))).toBeNull()
  })

  it('refuse what is no flat map of primitives, naming the field', () => {
    const nested = { position: { line: 1 } } as never
    expect(() => offsetValue(nested)).toThrow(DataError)
    expect(() => offsetValue(nested)).toThrow(/position.*object/)
    expect(() => offsetValue({ position: Number.NaN })).toThrow(/position/)
    expect(() => offsetKey('src', [] as never)).toThrow(/source partition must be a map/)
    expect(() => parseOffset(Buffer.from('[1]'))).toThrow(DataError)
  })
})
