import { Decimal, schemas, struct } from '@millrace/sdk'
import { expect, test } from 'vitest'
import { plainData } from '../../../../connectors/bullmq/plain-data.ts'

test('data becomes what JSON can hold, with all digits', () => {
  const schema = struct({ small: schemas.int64, large: schemas.int64, bytes: schemas.bytes })
  const value = { small: 7n, large: 2n ** 60n, bytes: Buffer.from('x') }
  expect(plainData(schema, value)).toEqual({ small: 7, large: '1152921504606846976', bytes: 'eA==' })
  const loose = new Map<string, unknown>([['a', [new Date(5), new Decimal(150n, 2), undefined]]])
  expect(plainData(null, loose)).toEqual({ a: [5, '1.50', null] })
})

test('a member that is called __proto__ is a member', () => {
  const data = plainData(null, JSON.parse('{"__proto__":{"a":1},"b":2}'))
  expect(JSON.stringify(data)).toBe('{"__proto__":{"a":1},"b":2}')
  expect(Object.getPrototypeOf(data)).toBe(Object.prototype)
})

test('data that is plain already is not copied, and what is plain but for a part is', () => {
  const plain = { a: [1, 'x', null, { b: true }] }
  expect(plainData(null, plain)).toBe(plain)
  const mixed = { a: [1, { b: 2n ** 60n }], c: new Date(5), d: undefined }
  expect(plainData(null, mixed)).toEqual({ a: [1, { b: '1152921504606846976' }], c: 5, d: null })
  expect(plainData(null, [new Map([['a', new Uint8Array([1])]])])).toEqual([{ a: 'AQ==' }])
})
