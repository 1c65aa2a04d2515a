import { schemas, type SourceRecord, struct } from '@millrace/sdk'
import { expect, test } from 'vitest'
import { sourceRecordText } from '../../../../src/connect/worker/record-text.ts'

const record: SourceRecord = {
  topic: 'lines',
  partition: null,
  key: null,
  keySchema: null,
  value: 'one',
  valueSchema: schemas.string,
  headers: [],
  timestamp: 1700000000123,
  sourcePartition: { filename: '/in' },
  sourceOffset: { position: 10n },
}

test('a source record is written as Kafka Connect does', () => {
  expect(sourceRecordText(record)).toBe(
    'SourceRecord{sourcePartition={filename=/in}, sourceOffset={position=10}} ' +
      "ConnectRecord{topic='lines', kafkaPartition=null, key=null, keySchema=null, value=one, " +
      'valueSchema=Schema{STRING}, timestamp=1700000000123, headers=ConnectHeaders(headers=)}',
  )
})

test('structs, big integers, bytes, maps and headers have a text', () => {
  const valueSchema = struct([['id', schemas.int64]], { name: 'shop.Order' })
  const value = { id: 2n ** 60n, raw: Buffer.from('abc'), tags: new Map([['a', 1]]) }
  const headers = [{ key: 'h', value: true, schema: schemas.boolean }]
  const text = sourceRecordText({ ...record, value, valueSchema, headers })
  expect(text).toContain('value={"id":"1152921504606846976","raw":"3 bytes","tags":[["a",1]]}')
  expect(text).toContain('valueSchema=Schema{shop.Order:STRUCT}')
  expect(text).toContain('headers=ConnectHeaders(headers=ConnectHeader(key=h, value=true, schema=Schema{BOOLEAN}))')
})

test('a value that cannot be read says so, and a long one is cut', () => {
  const unreadable = {
    ...record,
    get value(): never {
      throw new Error('not UTF-8')
    },
  }
  expect(sourceRecordText(unreadable)).toContain('value=(not readable: not UTF-8), ')
  const long = sourceRecordText({ ...record, value: 'x'.repeat(100_000) })
  expect(long.length).toBeLessThan(3000)
  expect(long).toContain('... (100000 characters)')
})
