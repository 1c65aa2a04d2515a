import { expect, test } from 'vitest'
import { recordFormatter } from '../../../src/cli/record-formatter.ts'
import type { ConsumerRecord } from '../../../src/client/index.ts'

const record: ConsumerRecord = {
  topic: 't',
  partition: 2,
  offset: 9,
  timestamp: 1_700_000_000_000,
  timestampType: 'CreateTime',
  leaderEpoch: 4,
  key: Buffer.from('k'),
  value: Buffer.from('v'),
  headers: [
    { key: 'a', value: Buffer.from('1') },
    { key: 'b', value: null },
  ],
}

function printed(properties: Record<string, string>, changes: Partial<ConsumerRecord> = {}): string {
  return Buffer.concat(recordFormatter(properties)({ ...record, ...changes })).toString()
}

test('the value alone unless more is asked for', () => {
  expect(printed({})).toBe('v\n')
  expect(printed({}, { value: null })).toBe('null\n')
})

test('everything that can be printed, in the order of Kafka', () => {
  const all = ['timestamp', 'partition', 'offset', 'epoch', 'headers', 'key'].map((name) => [`print.${name}`, 'true'])
  expect(printed(Object.fromEntries(all))).toBe(
    'CreateTime:1700000000000\tPartition:2\tOffset:9\tEpoch:4\ta:1,b:null\tk\tv\n',
  )
  expect(printed({ 'print.headers': 'true' }, { headers: [] })).toBe('NO_HEADERS\tv\n')
  const stamped = printed({ 'print.timestamp': 'true' }, { timestampType: 'LogAppendTime' })
  expect(stamped).toBe('LogAppendTime:1700000000000\tv\n')
})

test('separators and the literal for null can be chosen', () => {
  const properties = {
    'print.key': 'true',
    'print.headers': 'true',
    'key.separator': '|',
    'line.separator': ';',
    'headers.separator': '&',
    'null.literal': 'NIL',
  }
  expect(printed(properties, { key: null })).toBe('a:1&b:NIL|NIL|v;')
})

test('numbers are read by their deserializer, long name or short', () => {
  const value = Buffer.alloc(8)
  value.writeBigInt64BE(-5n)
  expect(printed({ 'value.deserializer': 'LongDeserializer' }, { value })).toBe('-5\n')
  const long = 'org.apache.kafka.common.serialization.IntegerDeserializer'
  expect(printed({ 'print.key': 'true', 'key.deserializer': long }, { key: Buffer.from([0, 0, 1, 0]) })).toBe(
    '256\tv\n',
  )
  expect(() => printed({ 'value.deserializer': 'LongDeserializer' })).toThrow('a value of 1 bytes')
  expect(() => printed({ 'value.deserializer': 'my.Own' })).toThrow('deserializer my.Own must be one of')
})
