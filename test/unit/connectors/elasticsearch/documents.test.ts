import {
  arrayOf,
  dateSchema,
  Decimal,
  decimalSchema,
  mapOf,
  primitive,
  type Schema,
  schemas,
  struct,
  timestampSchema,
  timeSchema,
} from '@millrace/sdk'
import { describe, expect, test } from 'vitest'
import { DocumentWriter } from '../../../../connectors/elasticsearch/document.ts'
import { idOfKey, idOfPlace } from '../../../../connectors/elasticsearch/document-id.ts'
import { indexOfTopic, streamOfTopic, streamPartProblem } from '../../../../connectors/elasticsearch/index-name.ts'
import { mappingOf } from '../../../../connectors/elasticsearch/mapping.ts'
import { sinkRecord } from './records.ts'

test.each([
  ['Orders', 'orders'],
  ['_hidden', 'hidden'],
  ['-dash', 'dash'],
  ['__two', '_two'],
  ['.', 'dot'],
  ['..', 'dotdot'],
  ['x'.repeat(300), 'x'.repeat(255)],
])('the index of the topic %s is %s', (topic, index) => {
  expect(indexOfTopic(topic)).toBe(index)
})

test('a data stream is named by type, data set and namespace, in small letters', () => {
  expect(streamOfTopic('Orders', 'logs', 'shop', '${topic}')).toBe('logs-shop-orders')
  expect(streamOfTopic('t'.repeat(200), 'logs', 'shop', '${topic}')).toBe(`logs-shop-${'t'.repeat(100)}`)
  expect(streamPartProblem('a-b')).toContain('the character "-"')
  expect(streamPartProblem('Logs')).toContain('capital letters')
  expect(streamPartProblem('shop')).toBeUndefined()
})

describe('ids', () => {
  const withKey = (key: unknown, keySchema: Schema | null = null) => sinkRecord({ key, keySchema })

  test('text and whole numbers are ids', () => {
    expect(idOfKey(withKey('a'))).toBe('a')
    expect(idOfKey(withKey(5))).toBe('5')
    expect(idOfKey(withKey(2n ** 60n, schemas.int64))).toBe('1152921504606846976')
    expect(idOfKey(withKey(7, schemas.int8))).toBe('7')
  })

  test.each([
    ['an empty text', '', null],
    ['nothing', null, null],
    ['a fraction', 1.5, null],
    ['a float', 1, schemas.float64],
    ['a boolean', true, schemas.boolean],
    ['a struct', { id: 1 }, struct({ id: schemas.int32 })],
    ['bytes', new Uint8Array(1), schemas.bytes],
    ['a date', new Date(0), dateSchema()],
  ])('%s is none', (_, key, schema) => {
    expect(() => idOfKey(withKey(key, schema))).toThrow(/key/)
  })

  test('without a key the place in the log is the id, also when a transformation has renamed the topic', () => {
    expect(idOfPlace(sinkRecord({ topic: 'renamed', originalOffset: 12 }))).toBe('t+0+12')
  })
})

describe('documents', () => {
  const every = struct({
    i8: schemas.int8,
    i64: schemas.int64,
    f: schemas.float64,
    b: schemas.boolean,
    s: schemas.string,
    bytes: schemas.bytes,
    dec: decimalSchema(2),
    ts: timestampSchema(),
    day: dateSchema(),
    time: timeSchema(),
    list: arrayOf(schemas.optional.string),
    map: mapOf(schemas.string, schemas.int32),
    numbers: mapOf(schemas.int32, schemas.string),
    inner: struct({ x: schemas.int32 }),
    none: schemas.optional.string,
    fallback: primitive('INT32', { optional: true, default: 9 }),
  })
  const value = {
    i8: 1,
    i64: 9_007_199_254_740_993n,
    f: 0.1,
    b: true,
    s: 'line\n"quoted"',
    bytes: new Uint8Array([1, 2, 3]),
    dec: Decimal.parse('12.50'),
    ts: new Date(1_700_000_000_123),
    day: new Date(86_400_000 * 3),
    time: 5000,
    list: ['a', null],
    map: new Map([['k', 1]]),
    numbers: new Map([[1, 'x']]),
    inner: { x: 1 },
    none: null,
    fallback: null,
  }

  test('have all values of a schema as Connect writes them, and none is rounded', () => {
    const text = new DocumentWriter(true).write(every, value)
    expect(text).toContain('"i64":9007199254740993')
    expect(JSON.parse(text)).toEqual({
      ...value,
      i64: 9_007_199_254_740_992,
      bytes: 'AQID',
      dec: 12.5,
      ts: 1_700_000_000_123,
      day: 259_200_000,
      map: { k: 1 },
      numbers: [{ key: 1, value: 'x' }],
      fallback: 9,
    })
    expect(text).not.toContain('\n')
  })

  test('have maps as lists when they shall not be compact', () => {
    const schema = struct({ map: mapOf(schemas.string, schemas.int32) })
    expect(new DocumentWriter(false).write(schema, { map: new Map([['k', 1]]) })).toBe(
      '{"map":[{"key":"k","value":1}]}',
    )
  })

  test('of values without schema keep big numbers, maps, dates and bytes', () => {
    const given = {
      big: 2n ** 63n,
      map: new Map<unknown, unknown>([['a', { b: [1, null, 'x'] }]]),
      at: new Date(5),
      bytes: new Uint8Array([255]),
      dec: Decimal.parse('1.5'),
    }
    expect(new DocumentWriter(true).write(null, given)).toBe(
      '{"big":9223372036854775808,"map":{"a":{"b":[1,null,"x"]}},"at":5,"bytes":"/w==","dec":1.5}',
    )
  })

  test('of plain values are what JSON makes of them', () => {
    const given = { s: 'ä\n"', n: -0.5, t: true, none: null, list: [1, ['x', {}]], inner: { a: { b: [] } } }
    expect(new DocumentWriter(true).write(null, given)).toBe(JSON.stringify(given))
  })

  test('are objects: other values are refused, and numbers that JSON has no word for are left to the server', () => {
    expect(() => new DocumentWriter(true).write(null, 'text')).toThrow('the value is of type string')
    expect(() => new DocumentWriter(true).write(schemas.int32, 5)).toThrow('the value is of type INT32')
    expect(() => new DocumentWriter(true).write(null, [{}])).toThrow('the value is of type object')
    expect(new DocumentWriter(true).write(null, { x: Number.NaN })).toBe('{"x":"NaN"}')
  })

  test('get mappings from their schema', () => {
    const date = { type: 'date' }
    expect(mappingOf(every, true)).toEqual({
      properties: {
        i8: { type: 'byte' },
        i64: { type: 'long' },
        f: { type: 'double' },
        b: { type: 'boolean' },
        s: { type: 'text', fields: { keyword: { type: 'keyword', ignore_above: 256 } } },
        bytes: { type: 'binary' },
        dec: { type: 'double' },
        ts: date,
        day: date,
        time: date,
        list: { type: 'text', fields: { keyword: { type: 'keyword', ignore_above: 256 } } },
        map: { type: 'object' },
        numbers: {
          properties: {
            key: { type: 'integer' },
            value: { type: 'text', fields: { keyword: { type: 'keyword', ignore_above: 256 } } },
          },
        },
        inner: { properties: { x: { type: 'integer' } } },
        none: { type: 'text', fields: { keyword: { type: 'keyword', ignore_above: 256 } } },
        fallback: { type: 'integer', null_value: 9 },
      },
    })
    expect(() => mappingOf(schemas.string, true)).toThrow('no mapping can be made of the schema STRING')
  })
})
