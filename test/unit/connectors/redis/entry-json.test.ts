import { parseConfigOrThrow } from '@millrace/sdk'
import fc from 'fast-check'
import { expect, test } from 'vitest'
import { EntryJson } from '../../../../connectors/redis/entry-json.ts'
import { StreamRecord } from '../../../../connectors/redis/stream-record.ts'
import { silentLogger } from '../../../../src/base/index.ts'
import definition from '../../../../src/connect/converters/json/json-converter.ts'
import '../../property-settings.ts'

const stream = 'orders "new"\u0001'
const origin = { topic: 't', stream, sourcePartition: {}, json: new EntryJson(stream) }
const converter = definition.create(parseConfigOrThrow(definition.config, { 'schemas.enable': 'false' }), {
  isKey: false,
  logger: silentLogger,
})

function recordOf(fields: readonly Buffer[]): StreamRecord {
  return new StreamRecord(origin, '1700000000000-7', fields, 0)
}

/** What the converter makes of the value, beside the text that the record has ready. */
function bothOf(fields: readonly Buffer[]): readonly [string, string] {
  const record = recordOf(fields)
  const converted = converter.fromConnectData(record.topic, record.valueSchema, record.value)!
  return [Buffer.from(record.jsonText('value')).toString(), Buffer.from(converted).toString()]
}

test('the text of a value is what JsonConverter makes of it, whatever bytes Redis holds', () => {
  const text = fc.oneof(
    fc.string({ unit: 'grapheme' }).map((each) => Buffer.from(each)),
    fc.constantFrom('name', 'city', '"quoted\\', 'a\u2028b\u007f\u001f\n').map((each) => Buffer.from(each)),
    fc.uint8Array({ maxLength: 20 }).map((each) => Buffer.from(each)),
  )
  const fields = fc.array(fc.tuple(text, text), { maxLength: 20 }).map((pairs) => pairs.flat())
  fc.assert(
    fc.property(fields, (each) => {
      const [text, converted] = bothOf(each)
      expect(text).toBe(converted)
    }),
    { numRuns: 500 },
  )
})

test('a name that comes twice has its last value', () => {
  const fields = ['a', '1', 'b', '2', 'a', '3'].map((each) => Buffer.from(each))
  expect(JSON.parse(bothOf(fields)[0])).toEqual({ id: '1700000000000-7', body: { a: '3', b: '2' }, stream })
})

test('the text of the key is its id', () => {
  expect(Buffer.from(recordOf([]).jsonText('key')).toString()).toBe('"1700000000000-7"')
})
