import { expect, test } from 'vitest'
import { JsonOutput } from '../../../../connectors/_shared/json-output/index.ts'
import { RowLocator } from '../../../../connectors/postgres-cdc/row-locator.ts'

function written(out: JsonOutput, text: string): Buffer {
  out.begin()
  out.raw(Buffer.from(text))
  return out.take()
}

test('records of any length, one after another', () => {
  const out = new JsonOutput(16)
  for (const length of [3, 10, 3, 100, 16, 5000, 4096, 4097, 0, 3]) {
    const text = 'x'.repeat(length)
    expect(written(out, text).toString()).toBe(text)
  }
})

test('memory grows within a record without losing what was written', () => {
  const out = new JsonOutput(4)
  out.begin()
  for (let index = 0; index < 500; index++) out.integer(index)
  expect(out.take().toString()).toBe(Array.from({ length: 500 }, (_, index) => index).join(''))
})

test('the memory is used again, but that of one large record is not kept', () => {
  const out = new JsonOutput(64)
  const first = written(out, 'first').buffer
  expect(written(out, 'other').buffer).toBe(first)
  written(out, 'y'.repeat(5 * 1024 * 1024))
  expect(written(out, 'small').buffer.byteLength).toBeLessThan(1024 * 1024)
})

test('a text is the same JSON wherever a character that must be escaped stands in it, and whatever it is', () => {
  const out = new JsonOutput(16)
  for (let code = 0; code < 0x100; code++) {
    for (let place = 0; place < 24; place++) {
      const text = `${'a'.repeat(place)}${String.fromCharCode(code)}${'\u{1f600}~'.repeat(3)}${'b'.repeat(23 - place)}`
      const bytes = Buffer.from(`xyz${text}`)
      out.begin()
      out.string(bytes, 3, bytes.length)
      expect(JSON.parse(out.take().toString())).toBe(text)
    }
  }
})

test('characters beyond U+FFFF are escaped as Jackson does it, so that keys keep their partition', () => {
  const out = new JsonOutput()
  for (const [text, json] of [
    ['\u{1f600}', '"\\uD83D\\uDE00"'],
    ['\u{10000}\u{10ffff}', '"\\uD800\\uDC00\\uDBFF\\uDFFF"'],
    ['a text that is read by words \u{1f600}', '"a text that is read by words \\uD83D\\uDE00"'],
    ['\u00fc\uffff', '"\u00fc\uffff"'],
  ] as const) {
    const bytes = Buffer.from(text)
    out.begin()
    out.string(bytes, 0, bytes.length)
    expect(out.take().toString()).toBe(json)
  }
})

test('the values of a line of COPY are found wherever the tabs are, also beside bytes that look alike', () => {
  const locator = new RowLocator()
  for (let before = 0; before < 12; before++) {
    for (let length = 0; length < 12; length++) {
      const values = ['\b'.repeat(before), '[\u{1f600}'.slice(0, length), `\u0089\u00dc${'z'.repeat(length)}`, '']
      const line = Buffer.from(`##${values.join('\t')}\n`)
      locator.copyLine(line, 2, line.length)
      const found = values.map((_, index) => line.toString('utf8', locator.starts[index], locator.ends[index]))
      expect(locator.count).toBe(values.length)
      expect(found).toEqual(values.map((value) => Buffer.from(value).toString()))
    }
  }
})
