import { Decimal, parseConfigOrThrow, schemas, struct } from '@millrace/sdk'
import { describe, expect, test } from 'vitest'
import { encoderOf } from '../../../../connectors/redis/charset.ts'
import { jsonText } from '../../../../connectors/redis/json-text.ts'
import { operationsOf } from '../../../../connectors/redis/operations.ts'
import { sinkConfig } from '../../../../connectors/redis/sink-config.ts'
import { slotOf } from '../../../../connectors/redis/slot.ts'
import { sinkRecord } from '../../../integration/support/redis-tasks.ts'

const of = (raw: Record<string, string>) => operationsOf(parseConfigOrThrow(sinkConfig, raw))

describe('the commands of a record', () => {
  test('JSON and time series, whose modules the tests lack', () => {
    const json = of({ 'redis.type': 'JSON' })
    expect(json(sinkRecord(0, 'k', { a: 9007199254740993n, b: [null, 'x"'] }))).toEqual([
      ['JSON.SET', 'orders:k', '$', '{"a":9007199254740993,"b":[null,"x\\""]}'],
    ])
    expect(json(sinkRecord(0, 'k', '{"as":"it is"}'))).toEqual([['JSON.SET', 'orders:k', '$', '{"as":"it is"}']])
    expect(json(sinkRecord(0, 'k', null))).toEqual([['DEL', 'orders:k']])
    const series = of({ 'redis.type': 'TIMESERIES', 'redis.key.ttl': '9' })
    expect(series(sinkRecord(0, 1700000000000n, 1.5))).toEqual([
      ['TS.ADD', 'orders', '1700000000000', '1.5'],
      ['EXPIRE', 'orders', '9'],
    ])
    expect(() => series(sinkRecord(0, 'now', 1))).toThrow(/key must be a whole number/)
    expect(() => series(sinkRecord(0, 1, 'x'))).toThrow(/value must be a number/)
  })

  test.each([
    ['STRING', 'k', { a: 1 }, /value must be a string or bytes/],
    ['STRING', null, 'x', /key is null/],
    ['HASH', { a: 1 }, { a: 1 }, /key is no text, number or bytes/],
    ['HASH', 'k', {}, /has no fields/],
    ['STREAM', 'k', ['a'], /no struct or map/],
    ['STREAM', 'k', { a: null }, /has no fields/],
    ['ZSET', 'k', Number.NaN, /value must be a number/],
    ['LIST', 1, 1, /key is empty or no text/],
  ])('%s of key %j and value %j is no record for it', (type, key, value, message) => {
    expect(() => of({ 'redis.type': type })(sinkRecord(0, key, value))).toThrow(message)
  })

  test('a stream entry that is too wide is refused, for it cannot be split', () => {
    const wide = Object.fromEntries(Array.from({ length: 4000 }, (_, i) => [`f${i}`, 1]))
    expect(() => of({})(sinkRecord(0, 'k', wide))).toThrow(/cannot be so wide/)
  })

  test('a tombstone deletes, does nothing, or fails, as it is set', () => {
    const record = sinkRecord(0, 'k', null)
    expect(of({ 'redis.type': 'HASH' })(record)).toEqual([['DEL', 'orders:k']])
    expect(of({ 'redis.type': 'HASH', 'behavior.on.null.values': 'ignore' })(record)).toEqual([])
    expect(() => of({ 'redis.type': 'HASH', 'behavior.on.null.values': 'fail' })(record)).toThrow(/value is null/)
    expect(of({ 'redis.type': 'SET' })(record)).toEqual([['SREM', 'orders', 'k']])
    expect(of({ 'redis.type': 'LIST' })(record)).toEqual([])
  })

  test('a header with a time to live that is none is a bad record', () => {
    const headers = [{ key: 'redis.key.ttl', value: 'soon', schema: schemas.string }]
    expect(() => of({})(sinkRecord(0, 'k', { a: 1 }, { headers }))).toThrow(/no whole number of seconds/)
  })

  test.each([
    [{ 'redis.type': 'LIST', 'redis.keyspace': '' }, /redis\.keyspace.*names the collection/],
    [{ 'exactly.once': 'true', 'redis.cluster': 'true' }, /exactly\.once.*is not possible with redis\.cluster/],
    [{ 'redis.wait.replicas': '1', 'redis.cluster': 'true' }, /redis\.wait\.replicas.*is not possible/],
    [{ 'redis.charset': 'EBCDIC' }, /redis\.charset/],
  ])('%j is refused by name', (raw, message) => {
    expect(() => of(raw as Record<string, string>)).toThrow(message)
  })
})

test('JSON of values with schemas keeps digits, bytes, dates and decimals', () => {
  const schema = struct({ a: schemas.int64, b: schemas.bytes })
  expect(jsonText(schema, { a: 2n ** 60n, b: Buffer.from('x') })).toBe('{"a":1152921504606846976,"b":"eA=="}')
  expect(jsonText(null, [new Date(5), new Map([['k', true]]), new Decimal(150n, 2)])).toBe('[5,{"k":true},1.50]')
})

test('charsets that cannot hold a character write a question mark', () => {
  expect(encoderOf('utf-8')('é')).toBe('é')
  expect(encoderOf('ISO-8859-1')('é€')).toEqual(Buffer.from([0xe9, 0x3f]))
  expect(encoderOf('US-ASCII')('é')).toEqual(Buffer.from('?'))
  expect(encoderOf('UTF-16LE')('a')).toEqual(Buffer.from([0x61, 0]))
})

test('slots are those of Redis Cluster', () => {
  // Of the documentation of Redis: the slot of "123456789" is its check value, and tags decide alone.
  expect(slotOf('123456789')).toBe(0x31c3)
  expect(slotOf('{user1000}.following')).toBe(slotOf('user1000'))
  expect(slotOf('foo{}{bar}')).not.toBe(slotOf('bar'))
  expect(slotOf(Buffer.from('foo'))).toBe(12182)
})
