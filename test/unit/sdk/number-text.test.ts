import { doubleToString, floatToString } from '@millrace/sdk'
import fc from 'fast-check'
import { expect, test } from 'vitest'
import '../property-settings.ts'

test.each([
  [100, '100.0'],
  [1e21, '1.0E21'],
  [1e-7, '1.0E-7'],
  [0.001, '0.001'],
  [0.00099, '9.9E-4'],
  [1e7, '1.0E7'],
  [9999999, '9999999.0'],
  [12345678.9, '1.23456789E7'],
  [0, '0.0'],
  [-0, '-0.0'],
  [Number.NaN, 'NaN'],
  [-Infinity, '-Infinity'],
])('%d is %s as in Java', (value, text) => {
  expect(doubleToString(value)).toBe(text)
})

test.each([
  [0.1, '0.1'],
  [16777216, '1.6777216E7'],
  [3.4028235e38, '3.4028235E38'],
  [1.1, '1.1'],
  [0.3333333333, '0.33333334'],
])('the float %d is %s', (value, text) => {
  expect(floatToString(value)).toBe(text)
})

test('text gives the same number back', () => {
  fc.assert(fc.property(fc.double(), (value) => Object.is(Number(doubleToString(value)), value)))
  fc.assert(
    fc.property(fc.float(), (value) => Object.is(Math.fround(Number(floatToString(value))), Math.fround(value))),
  )
})
