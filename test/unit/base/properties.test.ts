import { describe, expect, test } from 'vitest'
import { parseProperties, PropertiesError } from '../../../src/base/index.ts'

describe('java.util.Properties syntax', () => {
  test('separators are equals, colon or white space, with white space around them ignored', () => {
    expect(parseProperties('a=1\nb:2\nc 3\n  d = 4\ne\t:\t5\nf  6 = 7\n')).toEqual({
      a: '1',
      b: '2',
      c: '3',
      d: '4',
      e: '5',
      f: '6 = 7',
    })
  })

  test('comments and blank lines are skipped, and a comment never continues', () => {
    expect(parseProperties('# x=1 \\\n! y=2\n\n   \n  # indented\nz=3')).toEqual({ z: '3' })
  })

  test('a line ending in an odd number of backslashes continues on the next, whose leading space is dropped', () => {
    expect(parseProperties('a=one,\\\n    two,\\\r\n\tthree\nb=end\\\\\nc=1')).toEqual({
      a: 'one,two,three',
      b: 'end\\',
      c: '1',
    })
  })

  test('escapes in keys and values', () => {
    expect(parseProperties('a\\=b\\:c\\ d=x\\ty\\nz\\u0041\\q\\\\')).toEqual({ 'a=b:c d': 'x\ty\nzAq\\' })
  })

  test('a key without a value is empty, values keep trailing space, the last duplicate wins', () => {
    expect(parseProperties('a\nb=\nc=1 \nc=2 ')).toEqual({ a: '', b: '', c: '2 ' })
  })

  test('a key named __proto__ is an ordinary key', () => {
    const parsed = parseProperties('__proto__=x')
    expect(Object.hasOwn(parsed, '__proto__')).toBe(true)
    expect(Object.getPrototypeOf(parsed)).toBe(Object.prototype)
  })

  test('a malformed unicode escape names its line', () => {
    expect(() => parseProperties('a=1\nb=\\u12x4')).toThrow(PropertiesError)
    expect(() => parseProperties('a=1\nb=\\u12x4')).toThrow(/line 2/)
  })
})
