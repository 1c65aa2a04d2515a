import { Binary, BSON, BSONRegExp, Double, Int32, Long, MinKey, ObjectId, UUID } from 'mongodb'
import { arrayOf, mapOf, primitive, schemas, struct } from '@millrace/sdk'
import { expect, test } from 'vitest'
import { documentOfJson } from '../../../../connectors/mongodb/extended-json.ts'
import { NOW_MS, operationOf, plansOf } from './sink-support.ts'
import { recordAt } from '../../../integration/support/task-contract.ts'

const STRATEGY = 'com.mongodb.kafka.connect.sink.writemodel.strategy.'
const ID = 'com.mongodb.kafka.connect.sink.processor.id.strategy.'
const value = { a: 'x', b: { c: 'y' } }
const fullKey = { 'document.id.strategy': `${ID}FullKeyStrategy` }
const partial = {
  'document.id.strategy': `${ID}PartialValueStrategy`,
  'document.id.strategy.partial.value.projection.type': 'AllowList',
  'document.id.strategy.partial.value.projection.list': 'b.c',
  'document.id.strategy.overwrite.existing': 'true',
}
const key = { k: 'id' }

test('the default replaces or inserts the document of an id that is made', () => {
  const operation = operationOf({}, { key, value })
  expect(operation).toEqual({
    replaceOne: {
      filter: { _id: expect.any(ObjectId) },
      replacement: { _id: expect.any(ObjectId), ...value },
      upsert: true,
    },
  })
})

test.each([
  [
    'DefaultWriteModelStrategy',
    { replaceOne: { filter: { _id: key }, replacement: { _id: key, ...value }, upsert: true } },
  ],
  [
    'ReplaceOneDefaultStrategy',
    { replaceOne: { filter: { _id: key }, replacement: { _id: key, ...value }, upsert: true } },
  ],
  ['InsertOneDefaultStrategy', { insertOne: { document: { _id: key, ...value } } }],
  ['UpdateOneDefaultStrategy', { updateOne: { filter: { _id: key }, update: { $set: value }, upsert: true } }],
  [
    'UpdateOneTimestampsStrategy',
    {
      updateOne: {
        filter: { _id: key },
        update: { $set: { ...value, _modifiedTS: new Date(NOW_MS) }, $setOnInsert: { _insertedTS: new Date(NOW_MS) } },
        upsert: true,
      },
    },
  ],
  ['DeleteOneDefaultStrategy', { deleteOne: { filter: { _id: key } } }],
])('%s works on the id', (strategy, expected) => {
  expect(operationOf({ ...fullKey, 'writemodel.strategy': STRATEGY + strategy }, { key, value })).toEqual(expected)
})

test.each([
  ['ReplaceOneBusinessKeyStrategy', { replaceOne: { filter: { 'b.c': 'y' }, replacement: value, upsert: true } }],
  [
    'UpdateOneBusinessKeyTimestampStrategy',
    {
      updateOne: {
        filter: { 'b.c': 'y' },
        update: { $set: { ...value, _modifiedTS: new Date(NOW_MS) }, $setOnInsert: { _insertedTS: new Date(NOW_MS) } },
        upsert: true,
      },
    },
  ],
  ['DeleteOneBusinessKeyStrategy', { deleteOne: { filter: { 'b.c': 'y' } } }],
])('%s works on the fields of the business key', (strategy, expected) => {
  expect(operationOf({ ...partial, 'writemodel.strategy': STRATEGY + strategy }, { value })).toEqual(expected)
})

test('a business key that is no document is an error of the record', () => {
  const settings = { 'writemodel.strategy': 'ReplaceOneBusinessKeyStrategy' }
  expect(() => operationOf(settings, { value })).toThrow(/no document with the fields of the business key/)
})

test.each([
  ['KafkaMetaDataStrategy', 'orders#0#7'],
  ['FullKeyStrategy', key],
  ['ProvidedInKeyStrategy', 'key-id'],
  ['ProvidedInValueStrategy', 'value-id'],
  ['UuidProvidedInKeyStrategy', new UUID('11111111-1111-4111-8111-111111111111').toBinary()],
])('%s makes ids', (strategy, expected) => {
  const keys: Record<string, unknown> = {
    ProvidedInKeyStrategy: { _id: 'key-id' },
    UuidProvidedInKeyStrategy: { _id: '11111111-1111-4111-8111-111111111111' },
  }
  const settings = {
    'document.id.strategy': ID + strategy,
    'writemodel.strategy': 'InsertOneDefaultStrategy',
  }
  const document = strategy === 'ProvidedInValueStrategy' ? { _id: 'value-id' } : { a: 1 }
  const operation = operationOf(settings, { key: keys[strategy] ?? key, value: document })
  expect(operation).toMatchObject({ insertOne: { document: { _id: expected } } })
})

test('UUIDs are text or binary', () => {
  const settings = { 'document.id.strategy': 'UuidStrategy', 'writemodel.strategy': 'InsertOneDefaultStrategy' }
  const idOf = (more: object): unknown =>
    (operationOf({ ...settings, ...more }, { value }) as { insertOne: { document: { _id: unknown } } }).insertOne
      .document._id
  expect(idOf({})).toMatch(/^[\da-f]{8}-[\da-f]{4}-4/)
  const binary = idOf({ 'document.id.strategy.uuid.format': 'Binary' })
  expect(binary).toBeInstanceOf(Binary)
  expect((binary as Binary).sub_type).toBe(4)
})

test('an id that is no UUID is an error of the record', () => {
  const settings = { 'document.id.strategy': 'UuidProvidedInValueStrategy' }
  expect(() => operationOf(settings, { value: { _id: 5 } })).not.toThrow()
  const overwriting = { ...settings, 'document.id.strategy.overwrite.existing': 'true' }
  for (const _id of [5, 'x', { a: 1 }, Buffer.alloc(16)]) {
    expect(() => operationOf(overwriting, { value: { _id } })).toThrow('the _id is no UUID')
  }
})

test('an id that is missing where it should be provided is an error of the record', () => {
  const settings = { 'document.id.strategy': 'ProvidedInKeyStrategy' }
  expect(() => operationOf(settings, { key: {}, value })).toThrow('the key has no field _id, or it is null')
})

test('PartialKeyStrategy takes what key.projection says when nothing else is said', () => {
  const settings = {
    'document.id.strategy': 'PartialKeyStrategy',
    'key.projection.type': 'blocklist',
    'key.projection.list': 'secret',
    'delete.on.null.values': 'true',
  }
  expect(operationOf(settings, { key: { secret: 1, id: 'a' } })).toEqual({
    deleteOne: { filter: { _id: { id: 'a' } } },
  })
})

test('as the model of all records DeleteOneDefaultStrategy goes by keys, whatever makes ids', () => {
  const settings = { 'writemodel.strategy': 'DeleteOneDefaultStrategy' }
  expect(operationOf(settings, { key: { a: 'x' }, value })).toEqual({ deleteOne: { filter: { _id: { a: 'x' } } } })
  expect(operationOf(settings, { key: { _id: 'k', a: 'x' }, value })).toEqual({
    deleteOne: { filter: { _id: 'k', a: 'x' } },
  })
})

test('a record without value deletes only when it is told to', () => {
  // Invariant 3: not without a word.
  expect(() => operationOf(fullKey, { key })).toThrow('set delete.on.null.values')
  const settings = { ...fullKey, 'delete.on.null.values': 'true' }
  expect(operationOf(settings, { key })).toEqual({ deleteOne: { filter: { _id: key } } })
  const tombstone = {
    ...settings,
    'delete.writemodel.strategy': 'DeleteOneTombstoneBusinessKeyStrategy',
    'document.id.strategy': 'PartialKeyStrategy',
    'document.id.strategy.partial.key.projection.type': 'allowlist',
    'document.id.strategy.partial.key.projection.list': 'a.b',
  }
  const filter = { 'a.b': 'x' }
  expect(operationOf(tombstone, { key: { a: { b: 'x', c: 'y' }, d: 'z' } })).toEqual({ deleteOne: { filter } })
  expect(() => operationOf(settings, {})).toThrow('the record has no key')
})

test('an update of a document with nothing but an id still makes it', () => {
  const settings = { ...fullKey, 'writemodel.strategy': 'UpdateOneDefaultStrategy' }
  expect(operationOf(settings, { key, value: {} })).toEqual({
    updateOne: { filter: { _id: key }, update: { $setOnInsert: { _id: key } }, upsert: true },
  })
})

test('topics have collections, fields can name them, and keys of one topic override the others', () => {
  const fields = {
    'namespace.mapper': 'com.mongodb.kafka.connect.sink.namespace.mapping.FieldPathNamespaceMapper',
    'namespace.mapper.value.collection.field': 'b.c',
    'topic.override.big.orders.collection': 'special',
    'topic.override.big.orders.namespace.mapper': 'DefaultNamespaceMapper',
  }
  const placeOf = (settings: Record<string, string>, topic: string, document: object): unknown =>
    plansOf(settings).plan(recordAt(topic, 0, { value: document }))?.target.namespace
  expect(placeOf({}, 'orders', value)).toEqual({ database: 'shop', collection: 'orders' })
  expect(placeOf(fields, 'orders', value)).toEqual({ database: 'shop', collection: 'y' })
  expect(placeOf(fields, 'orders', {})).toEqual({ database: 'shop', collection: 'orders' })
  expect(placeOf(fields, 'big.orders', value)).toEqual({ database: 'shop', collection: 'special' })
  const strict = { ...fields, 'namespace.mapper.error.if.invalid': 'true' }
  expect(() => placeOf(strict, 'orders', {})).toThrow(/no text that names a collection/)
})

test('an id that was made for the record is known as such, one of the value is not', () => {
  const insert = { 'writemodel.strategy': 'InsertOneDefaultStrategy' }
  const ownOf = (document: object): unknown => plansOf(insert).plan(recordAt('orders', 0, { value: document }))?.isOwnId
  expect(ownOf({ a: 1 })).toBe(true)
  expect(ownOf({ _id: 'other' })).toBe(false)
})

test('whole numbers without schema are longs, text of JSON keeps what it says', () => {
  const insert = { 'writemodel.strategy': 'InsertOneDefaultStrategy' }
  expect(operationOf(insert, { value: { n: 1, f: 1.5 } })).toMatchObject({ insertOne: { document: { n: 1n, f: 1.5 } } })
  const text = '{"n": {"$numberLong": "5"}, "at": {"$date": 1000}}'
  expect(operationOf(insert, { value: text })).toMatchObject({
    insertOne: { document: { n: Long.fromNumber(5), at: new Date(1000) } },
  })
  expect(() => operationOf(insert, { value: 'no json' })).toThrow('no extended JSON')
  expect(() => operationOf(insert, { value: 5 })).toThrow('a document has to be')
})

test.each([
  ['{"n": 5}', new Int32(5)],
  ['{"n": -5}', new Int32(-5)],
  ['{"n": 999999999}', new Int32(999_999_999)],
  ['{"n": 2147483648}', Long.fromNumber(2_147_483_648)],
  ['{"n": 9223372036854775807}', Long.MAX_VALUE],
  ['{"n": {"$binary": "AAH/", "$type": "80"}}', new Binary(Buffer.from([0, 1, 255]), 0x80)],
  ['{"n": {"$regex": "^a", "$options": "i"}}', new BSONRegExp('^a', 'i')],
  ['{"n": 5.0}', new Double(5)],
  ['{"n": 5e0}', new Double(5)],
  ['{"n": {"$numberInt": "5"}}', new Int32(5)],
  ['{"n": {"$oid": "5f9b3b3b3b3b3b3b3b3b3b3b"}}', new ObjectId('5f9b3b3b3b3b3b3b3b3b3b3b')],
])('%s is stored with the type that the text shows', (text, expected) => {
  expect(BSON.serialize(documentOfJson(text))).toEqual(BSON.serialize({ n: expected }))
})

test('what is in BSON bytes stays what it is, also in ids', () => {
  const id = { pattern: new BSONRegExp('^a', 'i'), least: new MinKey() }
  const settings = { ...partial, 'document.id.strategy.partial.value.projection.list': '**' }
  const operation = operationOf(settings, { value: BSON.serialize(id) }) as { replaceOne: { replacement: object } }
  expect(BSON.serialize(operation.replaceOne.replacement)).toEqual(BSON.serialize({ ...id, _id: id }))
})

test('defaults stand for what is missing in structs and maps, not in arrays', () => {
  const schema = schemas.string
  const item = primitive('STRING', { default: 'd', optional: true })
  const valueSchema = struct({ f: item, m: mapOf(schema, item), a: arrayOf(item) })
  const record = { valueSchema, value: { f: null, m: new Map([['k', null]]), a: [null] } }
  expect(operationOf({ 'writemodel.strategy': 'InsertOneDefaultStrategy' }, record)).toMatchObject({
    insertOne: { document: { f: 'd', m: { k: 'd' }, a: [null] } },
  })
})

test('a whole number beyond 64 bits is an error of the record, not another number', () => {
  expect(() => documentOfJson('{"n": 9223372036854775808}')).toThrow('does not fit into 64 bits')
})

test('a field whose name JavaScript takes for something else is an error, not lost', () => {
  expect(() => documentOfJson('{"__proto__": {"a": 1}}')).toThrow('a field cannot be called __proto__')
  expect(documentOfJson('{"a": "__proto__"}')).toEqual({ a: '__proto__' })
})
