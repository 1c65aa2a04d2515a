import { expect, test } from 'vitest'
import { compileDatePattern } from '../../../../connectors/http/date-pattern.ts'
import { askedWaitMs, failureOf, StatusError } from '../../../../connectors/http/failures.ts'
import { jsonText, parseJson, parsePointer, valueAt } from '../../../../connectors/http/json-pointer.ts'
import { NewsFilter } from '../../../../connectors/http/news-filter.ts'
import { compileTemplate } from '../../../../connectors/http/template.ts'

test.each([
  ['', { a: 1 }],
  ['/', { a: 1 }],
  ['/a', 1],
  ['/b', undefined],
  ['/constructor', undefined],
])('the pointer "%s" finds its value', (pointer, value) => {
  expect(valueAt({ a: 1 }, parsePointer(pointer))).toEqual(value)
})

test('pointers go through lists, and escape / and ~', () => {
  expect(valueAt({ 'x/y': [{ 'm~n': 7 }] }, parsePointer('/x~1y/0/m~0n'))).toBe(7)
  expect(valueAt([1], parsePointer('/length'))).toBeUndefined()
  expect(() => parsePointer('/a~b')).toThrow('~0')
})

test('JSON keeps the digits of whole numbers', () => {
  const text = '{"a":12345678901234567890,"b":1.5,"c":"1234567890123456789"}'
  expect(jsonText(parseJson(text))).toBe(text)
})

const scope = { offset: { a: 'x y', at: '2024-02-29T10:11:12Z', n: '5' }, page: { number: '2' } }
test.each([
  ['plain', 'plain'],
  ['${offset.a}-${page.number}', 'x y-2'],
  ['${offset.a?url}', 'x%20y'],
  ["${offset.none!'d'}", 'd'],
  ['${offset.none!offset.a}', 'x y'],
  ['${offset.none!}', ''],
  ['${offset.n?number?c}', '5'],
  ["${offset.at?datetime.iso?string['yyyyMMdd HH:mm']}", '20240229 10:11'],
  ['${offset.a?upper_case}', 'X Y'],
  ['a<#if offset.a??>b<#else>c</#if>d', 'abd'],
  ['<#if !offset.a??>b<#else>c</#if>', 'c'],
  ["<#if offset.n == '5' && offset.a != 'z'>yes<#if offset.none??>!</#if></#if>", 'yes'],
])('the template %s gives %s', (template, text) => {
  expect(compileTemplate(template).render(scope)).toBe(text)
})

test.each(['${x', '<#if offset.a??>', '<#else>', '<#if offset.a > 3>x</#if>', '${a}', '<#assign x=1>'])(
  'the template %s is refused',
  (template) => {
    expect(() => compileTemplate(template)).toThrow(TypeError)
  },
)

test.each([
  ["yyyy-MM-dd'T'HH:mm:ss[.SSS]X", 'UTC', '2024-01-02T03:04:05Z', Date.UTC(2024, 0, 2, 3, 4, 5)],
  ["yyyy-MM-dd'T'HH:mm:ss[.SSS]X", 'UTC', '2024-01-02T03:04:05.678+02', Date.UTC(2024, 0, 2, 1, 4, 5, 678)],
  ['dd/MM/yyyy HH:mm', 'Europe/Berlin', '01/07/2024 12:00', Date.UTC(2024, 6, 1, 10)],
  ['dd/MM/yyyy HH:mm', 'Europe/Berlin', '01/01/2024 12:00', Date.UTC(2024, 0, 1, 11)],
  ['yyyy-MM-dd', 'UTC', '2024-02-30', undefined],
  ['yyyy-MM-dd', 'UTC', 'x', undefined],
])('the pattern %s in %s reads %s', (pattern, zone, text, ms) => {
  const compiled = compileDatePattern(pattern, zone)
  expect(compiled.parse(text)).toBe(ms)
  if (ms !== undefined) expect(compiled.parse(compiled.format(ms))).toBe(ms)
})

test.each([
  [{ 'retry-after': '3' }, 3000],
  [{ 'retry-after': 'Thu, 01 Jan 1970 00:00:09 GMT' }, 8000],
  [{ 'x-ratelimit-remaining': '0', 'x-ratelimit-reset': '2000000000' }, 2_000_000_000_000 - 1000],
  [{ 'ratelimit-remaining': '0', 'ratelimit-reset': '7' }, 7000],
  [{ 'ratelimit-remaining': '1', 'ratelimit-reset': '7' }, undefined],
  [{}, undefined],
])('%j asks for a wait of %s ms', (headers, ms) => {
  expect(askedWaitMs(headers, 1000)).toBe(ms)
})

test.each([
  [400, {}, 'data'],
  [401, {}, 'fatal'],
  [403, {}, 'fatal'],
  [403, { 'retry-after': '1' }, 'retriable'],
  [408, {}, 'retriable'],
  [422, {}, 'data'],
  [429, {}, 'retriable'],
  [503, {}, 'retriable'],
  [302, {}, 'fatal'],
])('the status %i with %j is %s', (status, headers, kind) => {
  expect(failureOf(new StatusError('it', status, headers, 'body')).kind).toBe(kind)
})

const item = (key: string, timestampMs?: number) => ({ value: key, key, timestampMs, offset: {} })
const news = (
  offset: Record<string, string>,
  items: ReturnType<typeof item>[],
  kind: 'offset' | 'timestamp' | 'none' = 'offset',
) => new NewsFilter(kind, offset).news(items).map(({ key }) => key)

test('what is older, or as old and before the last record, is left out', () => {
  const items = [item('a', 1), item('b', 2), item('c', 2), item('d', 2), item('e', 3)]
  expect(news({ timestamp: '2', key: 'c' }, items)).toEqual(['d', 'e'])
  // The last record was deleted: what is as old may be new.
  expect(news({ timestamp: '2', key: 'x' }, items)).toEqual(['b', 'c', 'd', 'e'])
  expect(news({ timestamp: '2', key: 'c' }, items, 'timestamp')).toEqual(['e'])
  expect(news({ timestamp: '2', key: 'c' }, items, 'none')).toHaveLength(5)
  expect(news({}, items)).toHaveLength(5)
  expect(news({ key: 'b' }, [item('a'), item('b'), item('c')])).toEqual(['c'])
  expect(news({ key: 'x' }, [item('a'), item('b')])).toEqual(['a', 'b'])
})
