import { expect, test } from 'vitest'
import { lineParser } from '../../../src/cli/line-parser.ts'

function parsed(line: string, properties: Record<string, string>) {
  const { key, value, headers } = lineParser(properties)(line, 7)
  const text = (bytes: Buffer | null) => (bytes === null ? null : bytes.toString())
  return [text(key), text(value), headers.map((header) => [header.key, text(header.value)])]
}

test('a line is a value unless more is asked for', () => {
  expect(parsed('a\tb', {})).toEqual([null, 'a\tb', []])
})

test('headers, key and value, with the separators of Kafka or others', () => {
  const both = { 'parse.key': 'true', 'parse.headers': 'true' }
  expect(parsed('h:1,i:2\tk\tv', both)).toEqual([
    'k',
    'v',
    [
      ['h', '1'],
      ['i', '2'],
    ],
  ])
  expect(parsed('\tk\tv', both)).toEqual(['k', 'v', []])
  const other = { ...both, 'headers.delimiter': '|', 'headers.separator': ';', 'headers.key.separator': '=' }
  expect(parsed('h=1;i=a:b|k#v', { ...other, 'key.separator': '#' })).toEqual([
    'k',
    'v',
    [
      ['h', '1'],
      ['i', 'a:b'],
    ],
  ])
  expect(parsed('k\tv', { 'parse.key': 'true', 'key.separator': '\\t' })).toEqual(['k', 'v', []])
})

test('the null marker stands for null in keys, values and headers', () => {
  const properties = { 'parse.key': 'true', 'parse.headers': 'true', 'null.marker': 'NULL' }
  expect(parsed('h:NULL\tNULL\tNULL', properties)).toEqual([null, null, [['h', null]]])
  expect(parsed('NULL\tk\tv', properties)).toEqual(['k', 'v', []])
})

test('a line that lacks a part is an error with its number, unless errors are ignored', () => {
  expect(() => parsed('none', { 'parse.key': 'true' })).toThrow('line 7 has no key: there is no "\\t" in it')
  expect(() => parsed('x\tv', { 'parse.headers': 'true' })).toThrow('line 7 has no header value in "x"')
  expect(parsed('none', { 'parse.key': 'true', 'ignore.error': 'true' })).toEqual([null, 'none', []])
})
