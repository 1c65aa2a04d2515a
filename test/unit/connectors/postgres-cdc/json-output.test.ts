import { expect, test } from 'vitest'
import { JsonOutput } from '../../../../connectors/postgres-cdc/json/json-output.ts'

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
