import {
  Binary,
  BSON,
  BSONRegExp,
  BSONSymbol,
  Code,
  DBRef,
  Decimal128,
  Double,
  Int32,
  Long,
  MaxKey,
  MinKey,
  ObjectId,
  Timestamp,
} from 'mongodb'
import { Decimal, logicalNames, parseConfigOrThrow, type Schema } from '@millrace/sdk'
import fc from 'fast-check'
import { expect, test } from 'vitest'
import { avroSchemaOf } from '../../../../connectors/mongodb/avro-schema.ts'
import { jsonText } from '../../../../connectors/mongodb/json-text.ts'
import { sourceConfig } from '../../../../connectors/mongodb/source-config.ts'
import { keyFormat, valueFormat } from '../../../../connectors/mongodb/source-formats.ts'
import { SourceRecords } from '../../../../connectors/mongodb/source-records.ts'
import { memoryLogger } from '../../../integration/support/task-contract.ts'
import '../../property-settings.ts'

const oid = new ObjectId('5f9b3b3b3b3b3b3b3b3b3b3b')
const everything = {
  _id: oid,
  text: 'a "b"',
  int: new Int32(1),
  long: Long.fromNumber(2),
  double: new Double(3),
  half: new Double(0.5),
  yes: true,
  none: null,
  at: new Date(Date.UTC(2020, 0, 1, 0, 0, 0, 500)),
  bytes: new Binary(Buffer.from('hi'), 0),
  decimal: Decimal128.fromString('1.50'),
  time: new Timestamp({ t: 30, i: 1 }),
  regex: new BSONRegExp('^a', 'i'),
  symbol: new BSONSymbol('s'),
  code: new Code('f()'),
  min: new MinKey(),
  max: new MaxKey(),
  ref: new DBRef('c', oid),
  list: [new Int32(1), { a: 'x' }],
  empty: {},
}

// As the Java driver's JsonWriter has it, byte by byte: other text would be another key, and go to another partition.
test.each([
  [
    'DefaultJson',
    '{"_id": {"$oid": "5f9b3b3b3b3b3b3b3b3b3b3b"}, "text": "a \\"b\\"", "int": 1, "long": {"$numberLong": "2"}, ' +
      '"double": 3.0, "half": 0.5, "yes": true, "none": null, "at": {"$date": 1577836800500}, ' +
      '"bytes": {"$binary": "aGk=", "$type": "00"}, "decimal": {"$numberDecimal": "1.50"}, ' +
      '"time": {"$timestamp": {"t": 30, "i": 1}}, "regex": {"$regex": "^a", "$options": "i"}, "symbol": {"$symbol": "s"}, ' +
      '"code": {"$code": "f()"}, "min": {"$minKey": 1}, "max": {"$maxKey": 1}, ' +
      '"ref": {"$ref": "c", "$id": {"$oid": "5f9b3b3b3b3b3b3b3b3b3b3b"}}, "list": [1, {"a": "x"}], "empty": {}}',
  ],
  [
    'ExtendedJson',
    '{"_id": {"$oid": "5f9b3b3b3b3b3b3b3b3b3b3b"}, "text": "a \\"b\\"", "int": {"$numberInt": "1"}, "long": {"$numberLong": "2"}, ' +
      '"double": {"$numberDouble": "3.0"}, "half": {"$numberDouble": "0.5"}, "yes": true, "none": null, ' +
      '"at": {"$date": {"$numberLong": "1577836800500"}}, "bytes": {"$binary": {"base64": "aGk=", "subType": "00"}}, ' +
      '"decimal": {"$numberDecimal": "1.50"}, "time": {"$timestamp": {"t": 30, "i": 1}}, ' +
      '"regex": {"$regularExpression": {"pattern": "^a", "options": "i"}}, "symbol": {"$symbol": "s"}, "code": {"$code": "f()"}, ' +
      '"min": {"$minKey": 1}, "max": {"$maxKey": 1}, "ref": {"$ref": "c", "$id": {"$oid": "5f9b3b3b3b3b3b3b3b3b3b3b"}}, ' +
      '"list": [{"$numberInt": "1"}, {"a": "x"}], "empty": {}}',
  ],
  [
    'SimplifiedJson',
    '{"_id": "5f9b3b3b3b3b3b3b3b3b3b3b", "text": "a \\"b\\"", "int": 1, "long": 2, "double": 3.0, "half": 0.5, "yes": true, ' +
      '"none": null, "at": "2020-01-01T00:00:00.5Z", "bytes": "aGk=", "decimal": "1.50", ' +
      '"time": {"$timestamp": {"t": 30, "i": 1}}, "regex": {"$regularExpression": {"pattern": "^a", "options": "i"}}, ' +
      '"symbol": "s", "code": {"$code": "f()"}, "min": {"$minKey": 1}, "max": {"$maxKey": 1}, ' +
      '"ref": {"$ref": "c", "$id": {"$oid": "5f9b3b3b3b3b3b3b3b3b3b3b"}}, "list": [1, {"a": "x"}], "empty": {}}',
  ],
])('%s writes every type', (formatter, expected) => {
  expect(jsonText(formatter)(everything)).toBe(expected)
})

test.each([
  [0, '2020-01-01T00:00:00Z'],
  [120, '2020-01-01T00:00:00.12Z'],
  [10_000, '2020-01-01T00:00:10Z'],
])('SimplifiedJson writes a moment %d ms after midnight', (ms, expected) => {
  const at = new Date(Date.UTC(2020, 0, 1) + ms)
  expect(jsonText('SimplifiedJson')({ at })).toBe(`{"at": "${expected}"}`)
})

test('what ExtendedJson writes of any BSON, the driver reads as the same BSON', () => {
  const leaf = fc.oneof(
    fc.string(),
    fc.boolean(),
    fc.constant(null),
    fc.integer().map((n) => new Int32(n)),
    fc.bigInt({ min: -(2n ** 63n), max: 2n ** 63n - 1n }).map((n) => Long.fromBigInt(n)),
    fc.double({ noNaN: true }).map((n) => new Double(n)),
    fc.date({ noInvalidDate: true }),
    fc.uint8Array().map((bytes) => new Binary(bytes, 0)),
    fc.uint8Array({ minLength: 12, maxLength: 12 }).map((bytes) => new ObjectId(bytes)),
  )
  const { document } = fc.letrec((tie) => ({
    value: fc.oneof({ maxDepth: 3 }, leaf, fc.array(tie('value'), { maxLength: 3 }), tie('document')),
    document: fc.dictionary(
      fc
        .string({ minLength: 1 })
        .filter((name) => !name.startsWith('$') && name !== '__proto__' && !name.includes('\0')),
      tie('value'),
      { maxKeys: 4 },
    ),
  }))
  fc.assert(
    fc.property(document, (value) => {
      const text = jsonText('ExtendedJson')(value as Record<string, unknown>)
      const read = BSON.EJSON.parse(text, { relaxed: false }) as Record<string, unknown>
      expect(Buffer.compare(BSON.serialize(read), BSON.serialize(value as Record<string, unknown>))).toBe(0)
    }),
    { numRuns: 300 },
  )
})

const configOf = (settings: Record<string, string>) => parseConfigOrThrow(sourceConfig, settings)

test('bson is the document as it is', () => {
  const { schema, value } = valueFormat(configOf({ 'output.format.value': 'BSON' }))(everything)
  expect(schema.type).toBe('BYTES')
  expect(BSON.deserialize(value as Buffer, { promoteValues: false, bsonRegExp: true })).toEqual(
    BSON.deserialize(BSON.serialize(everything), { promoteValues: false, bsonRegExp: true }),
  )
})

const event = {
  _id: { _data: '8262' },
  operationType: 'update',
  clusterTime: new Timestamp({ t: 30, i: 1 }),
  wallTime: new Date(1000),
  ns: { db: 'shop', coll: 'orders' },
  documentKey: { _id: 'a' },
  updateDescription: {
    updatedFields: { n: new Int32(1) },
    removedFields: ['old'],
    truncatedArrays: [{ field: 'items', newSize: new Int32(2) }],
  },
}

test('the built-in schema is of change events, with documents as text', () => {
  const { schema, value } = valueFormat(configOf({ 'output.format.value': 'schema' }))(event)
  expect(schema.name).toBe('ChangeStream')
  expect(value).toEqual({
    _id: '{"_data": "8262"}',
    operationType: 'update',
    fullDocumentBeforeChange: null,
    fullDocument: null,
    ns: { db: 'shop', coll: 'orders' },
    to: null,
    documentKey: '{"_id": "a"}',
    updateDescription: {
      updatedFields: '{"n": 1}',
      removedFields: ['old'],
      truncatedArrays: [{ field: 'items', newSize: 2 }],
      disambiguatedPaths: null,
    },
    clusterTime: '{"$timestamp": {"t": 30, "i": 1}}',
    wallTime: 1000n,
    txnNumber: null,
    lsid: null,
  })
  expect(keyFormat(configOf({ 'output.format.key': 'schema' }))(event).value).toEqual({ _id: '{"_data": "8262"}' })
})

const avro = (fields: object[]) => JSON.stringify({ type: 'record', name: 'Order', namespace: 'shop', fields })

test('a schema of the configuration says what is taken of a document', () => {
  const text = avro([
    { name: 'documentKey._id', type: 'string' },
    { name: 'n', type: 'long' },
    { name: 'f', type: ['null', 'double'] },
    { name: 'state', type: 'string', default: 'new' },
    { name: 'at', type: { type: 'long', logicalType: 'timestamp-millis' } },
    { name: 'amount', type: { type: 'bytes', logicalType: 'decimal', scale: 2 } },
    { name: 'tags', type: { type: 'array', items: 'string' } },
    { name: 'counts', type: { type: 'map', values: 'int' } },
    { name: 'any', type: 'string' },
  ])
  const document = {
    documentKey: { _id: 'a' },
    n: new Int32(1),
    at: new Date(5),
    amount: Decimal128.fromString('1.5'),
    tags: ['x'],
    counts: { y: new Int32(2) },
    any: { b: oid },
    more: 'is left out',
  }
  const settings = {
    'output.format.value': 'schema',
    'output.schema.value': text,
    'output.json.formatter': 'SimplifiedJson',
  }
  const { schema, value } = valueFormat(configOf(settings))(document)
  expect(schema.name).toBe('shop.Order')
  expect(value).toEqual({
    'documentKey._id': 'a',
    n: 1n,
    f: null,
    state: 'new',
    // As in the original a number, without a logical type.
    at: 5n,
    amount: new Decimal(150n, 2),
    tags: ['x'],
    counts: new Map([['y', 2]]),
    any: `{"b": "${oid.toHexString()}"}`,
  })
})

test('a tombstone whose key cannot be made is a dead letter with an empty document', () => {
  const config = configOf({
    'publish.full.document.only': 'true',
    'publish.full.document.only.tombstone.on.delete': 'true',
    'output.format.key': 'schema',
    'output.schema.key': avro([{ name: 'none', type: 'string' }]),
  })
  const errors = { tolerates: true, logs: false, deadLetterTopic: 'dead' }
  const records = new SourceRecords(config, { ns: 'a' }, errors, memoryLogger())
  const event = { _id: { _data: '8262' }, operationType: 'delete', ns: { db: 'a', coll: 'b' }, documentKey: { _id: 1 } }
  expect(records.of(event, false)).toMatchObject({ topic: 'dead', value: '{}' })
})

test('records within records have the namespace around them, and unions no default', () => {
  const inner = { type: 'record', name: 'Inner', fields: [{ name: 'a', type: 'int' }] }
  const other = { type: 'record', name: 'other.One', fields: [{ name: 'b', type: { ...inner, name: 'Deep' } }] }
  const text = avro([
    { name: 'x', type: inner },
    { name: 'y', type: ['Inner', 'null'] },
    { name: 'z', type: other },
    { name: 'd', type: ['string', 'null'], default: 'no' },
  ])
  const { fields } = avroSchemaOf(text)
  expect(fields.map(({ schema }) => schema.name ?? schema.default ?? null)).toEqual([
    'shop.Inner',
    'shop.Inner',
    'other.One',
    null,
  ])
  expect(fields[2]?.schema.fields[0]?.schema.name).toBe('other.Deep')
  expect(fields[1]?.schema.optional).toBe(true)
})

test('text has the escapes that Java writes, as keys go to partitions by their bytes', () => {
  const text = 'é "q" \u0001\u007f\u00ad\u0301\u2028 ʰ😀 ½€'
  const json = String.raw`{"t": "é \"q\" \u0001\u007f\u00ad\u0301\u2028 \u02b0\ud83d\ude00 ½€"}`
  expect(jsonText('DefaultJson')({ t: text })).toBe(json)
  expect(JSON.parse(json)).toEqual({ t: text })
})

test.each([
  [new Date(0), '{"$date": "1970-01-01T00:00:00Z"}'],
  [new Date(1_700_000_000_120), '{"$date": "2023-11-14T22:13:20.12Z"}'],
  [new Date(-1), '{"$date": {"$numberLong": "-1"}}'],
  [new Date(253_402_300_800_000), '{"$date": {"$numberLong": "253402300800000"}}'],
  [Long.fromNumber(5), '5'],
  [new Binary(Buffer.from([1])), '{"$binary": {"base64": "AQ==", "subType": "00"}}'],
])('%j is relaxed in dead letters', (value, json) => {
  expect(jsonText('Relaxed')({ v: value })).toBe(`{"v": ${json}}`)
})

test.each([
  [[{ name: 'n', type: 'int' }], { n: 'x' }, 'the field n is of type string, which does not fit INT32'],
  [[{ name: 'n', type: 'int' }], {}, 'no field n, which the schema requires'],
  [[{ name: 'n', type: 'int' }], { n: Long.fromNumber(2 ** 40) }, 'does not fit into INT32'],
  [[{ name: 'b', type: 'boolean' }], { b: new Int32(1) }, 'does not fit BOOLEAN'],
  [[{ name: 'n', type: 'string' }], { n: null }, 'of type null'],
])('a document that does not fit %j is an error without its value', (fields, document, message) => {
  const format = valueFormat(configOf({ 'output.format.value': 'schema', 'output.schema.value': avro(fields) }))
  expect(() => format(document)).toThrow(message)
})

test.each([
  ['{"type": "string"}', 'type record'],
  [
    '{"type": "record", "name": "R", "fields": [{"name": "e", "type": {"type": "enum", "name": "E", "symbols": []}}]}',
    'enum',
  ],
  ['{"type": "record", "name": "R", "fields": [{"name": "u", "type": ["int", "string"]}]}', 'field u: a union'],
  ['{"type": "record", "name": "R", "fields": [{"name": "r", "type": "R"}]}', 'refers to itself'],
])('the schema %s is refused', (text, message) => {
  expect(() => configOf({ 'output.schema.value': text })).toThrow(message)
})

test('an inferred schema has _id first, the other fields by name, and is shared by documents of one form', () => {
  const format = valueFormat(configOf({ 'output.format.value': 'schema', 'output.schema.infer.value': 'true' }))
  const document = (n: number) => ({
    z: new Int32(n),
    _id: oid,
    a: { y: 'x', b: null },
    list: [{ p: new Int32(1) }, { q: 'x' }],
    mixed: [new Int32(1), 'x'],
    amount: Decimal128.fromString('1.50'),
    at: new Date(5),
    nothing: [],
  })
  const { schema, value } = format(document(1))
  expect(schema.fields.map(({ name }) => name)).toEqual(['_id', 'a', 'amount', 'at', 'list', 'mixed', 'nothing', 'z'])
  const typeOf = (path: string): unknown =>
    path
      .split('.')
      .reduce<Schema | undefined>((at, name) => (name === '[]' ? at?.valueSchema : at?.field(name)?.schema), schema)
      ?.type
  expect(['_id', 'a', 'a.b', 'list.[].p', 'list.[].q', 'mixed.[]', 'nothing.[]', 'z'].map(typeOf)).toEqual([
    'STRING',
    'STRUCT',
    'STRING',
    'INT32',
    'STRING',
    'STRING',
    'STRING',
    'INT32',
  ])
  expect(schema.field('at')?.schema.name).toBe(logicalNames.timestamp)
  expect(value).toMatchObject({
    a: { b: null, y: 'x' },
    list: [
      { p: 1, q: null },
      { p: null, q: 'x' },
    ],
    mixed: ['1', 'x'],
    amount: new Decimal(150n, 2),
  })
  expect(format(document(2)).schema).toBe(schema)
})
