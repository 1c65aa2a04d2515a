import { isUtf8 } from 'node:buffer'
import fc from 'fast-check'
import { expect, test } from 'vitest'
import { isCompactObject } from '../../../../src/connect/converters/json/json-scan.ts'
import '../../property-settings.ts'

const scan = (text: string): boolean => isCompactObject(Buffer.from(text))

test('compact objects of every kind of value are told', () => {
  const values = [
    '"a"',
    '"\\"\\\\\\/\\b\\f\\n\\r\\t\\u00e9\\uD83D\\uDE00"',
    '"ü€😀"',
    '0',
    '-0',
    '12',
    '-1.5e-7',
    '1E+9',
  ]
  const words = ['true', 'false', 'null', '[]', '{}', '[1,[2,{"a":[]}],"x"]', '{"a":{"a":1},"b":{"a":2}}', '""']
  for (const value of [...values, ...words]) expect([value, scan(`{"a":${value},"b":1}`)]).toEqual([value, true])
  expect(scan('{}')).toBe(true)
  expect(scan('{"":1,"ü":2}')).toBe(true)
})

test('what JSON.parse refuses is refused', () => {
  const bad = [
    '01',
    '-',
    '1.',
    '.5',
    '1e',
    '+1',
    'tru',
    'nul',
    'NaN',
    '"a',
    "'a'",
    '[1,]',
    '[',
    '{"x"}',
    '{"x":}',
    '{,}',
  ]
  const more = ['"\\x"', '"\\u12g4"', '"\\u12', '"\u0001"', '1}', '', '{"x":1,}', '[1}', '{"x":1]', '"\\']
  for (const value of [...bad, ...more]) expect([value, scan(`{"a":${value}}`)]).toEqual([value, false])
  for (const text of ['', '{', '}', '{}}', '{}{}', '{"a"}', '{"a":1', '{"a":1}x}'])
    expect([text, scan(text)]).toEqual([text, false])
})

test('what parsing and writing would change is left to them', () => {
  for (const text of ['{ "a":1}', '{"a": 1}', '{"a":1 }', '{"a":1}\n', '{"a":\n1}', '[1]', '"a"', '1', 'null', ' ']) {
    expect([text, scan(text)]).toEqual([text, false])
  }
  // A key twice in one object, also where it only looks different.
  expect(scan('{"a":1,"b":2,"a":3}')).toBe(false)
  expect(scan('{"x":[{"a":1,"a":2}]}')).toBe(false)
  expect(scan('{"x":{"y":1},"a":1,"x":2}')).toBe(false)
  expect(scan('{"a":1,"\\u0061":2}')).toBe(false)
  expect(isCompactObject(Buffer.from([0x7b, 0x22, 0x61, 0x22, 0x3a, 0x22, 0xff, 0x22, 0x7d]))).toBe(false)
})

test('depth and keys are bounded', () => {
  const nested = (depth: number): string => '{"a":'.repeat(depth) + '1' + '}'.repeat(depth)
  expect([scan(nested(32)), scan(nested(33)), scan(nested(10_000))]).toEqual([true, false, false])
  const wide = (keys: number): string => `{${Array.from({ length: keys }, (_, key) => `"k${key}":1`).join(',')}}`
  expect([scan(wide(64)), scan(wide(65)), scan(wide(10_000))]).toEqual([true, false, false])
})

test('whatever bytes it says yes to are read by JSON.parse as an object that has as many keys', () => {
  const piece = fc.constantFrom(
    '"',
    '\\',
    '{',
    '}',
    '[',
    ']',
    ',',
    ':',
    '0',
    '1',
    '-',
    '.',
    'e',
    'u',
    ' ',
    '\n',
    'a',
    'é',
    '\u0000',
  )
  const edit = fc.record({ at: fc.nat(), removed: fc.nat({ max: 2 }), added: fc.array(piece, { maxLength: 2 }) })
  let yes = 0
  fc.assert(
    fc.property(fc.dictionary(fc.string(), fc.jsonValue()), fc.array(edit, { maxLength: 3 }), (value, edits) => {
      let text = JSON.stringify(value)
      for (const { at, removed, added } of edits) {
        const place = at % (text.length + 1)
        text = text.slice(0, place) + added.join('') + text.slice(place + removed)
      }
      const bytes = Buffer.from(text)
      if (!isCompactObject(bytes)) return
      yes++
      expect(isUtf8(bytes)).toBe(true)
      const read = bytes.toString()
      const parsed: unknown = JSON.parse(read)
      expect(Object.prototype.toString.call(parsed)).toBe('[object Object]')
      // Keys may change places, numbers may be written in other ways or be too large: then they come back as null.
      const plain = (json: string): string =>
        json.replace(/"(?:[^"\\]|\\.)*"|-?\d[\d.eE+-]*|null/g, (token) => (token[0] === '"' ? '"s"' : '0'))
      expect(plain(JSON.stringify(parsed)).length).toBe(plain(read).length)
    }),
    { numRuns: 1000 },
  )
  expect(yes).toBeGreaterThan(20)
})
