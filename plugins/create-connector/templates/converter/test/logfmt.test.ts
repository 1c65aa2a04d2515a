import { expect, test } from 'vitest'
import { readLogfmt, writeLogfmt } from '../src/logfmt.ts'

test('values are quoted where they must be', () => {
  expect(writeLogfmt({ a: 1, b: 'x y', c: '', d: null, e: true })).toBe('a=1 b="x y" c="" e=true')
})

test('a line is read with any space between its pairs', () => {
  expect(readLogfmt('  a=1   b="x y"\n', 10)).toEqual({ a: '1', b: 'x y' })
})

test.each(['a', 'a="x', '="x"', 'a=1"', 'a="\\q"', 'a=1 b=2 c=3'])('%s is refused', (line) => {
  expect(() => readLogfmt(line, 2)).toThrow()
})
