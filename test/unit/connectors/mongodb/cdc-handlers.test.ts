import { Int32, ObjectId } from 'mongodb'
import { schemas, struct } from '@millrace/sdk'
import { expect, test } from 'vitest'
import { operationOf } from './sink-support.ts'

const CDC = 'com.mongodb.kafka.connect.sink.cdc.'
const handler = (name: string, more: object = {}) => ({ 'change.data.capture.handler': CDC + name, ...more })

const RDBMS = [
  'debezium.rdbms.RdbmsHandler',
  'debezium.rdbms.mysql.MysqlHandler',
  'debezium.rdbms.postgres.PostgresHandler',
]
const key = { id: 5 }

test.each(RDBMS)('%s: columns of the key are the id', (name) => {
  const settings = handler(name)
  for (const op of ['c', 'r', 'u']) {
    expect(operationOf(settings, { key, value: { op, before: null, after: { id: 5, a: 'x' } } })).toEqual({
      replaceOne: { filter: { _id: { id: 5n } }, replacement: { _id: { id: 5n }, a: 'x' }, upsert: true },
    })
  }
  expect(operationOf(settings, { key, value: { op: 'd', before: { id: 5 }, after: null } })).toEqual({
    deleteOne: { filter: { _id: { id: 5n } } },
  })
})

test('rows without key get an id, and are found by all that they were', () => {
  const settings = handler(RDBMS[0]!)
  expect(operationOf(settings, { value: { op: 'c', after: { a: 'x' } } })).toMatchObject({
    replaceOne: { replacement: { _id: expect.any(ObjectId), a: 'x' }, upsert: true },
  })
  expect(operationOf(settings, { value: { op: 'u', before: { a: 'x' }, after: { a: 'y' } } })).toEqual({
    replaceOne: { filter: { a: 'x' }, replacement: { a: 'y' }, upsert: true },
  })
  expect(operationOf(settings, { value: { op: 'd', before: { a: 'x' } } })).toEqual({
    deleteOne: { filter: { a: 'x' } },
  })
})

test('envelopes with a schema are read too; nulls go when they shall', () => {
  const row = struct({ id: schemas.int32, a: schemas.optional.string }, { optional: true })
  const valueSchema = struct({ op: schemas.string, before: row, after: row })
  const record = {
    key,
    keySchema: struct({ id: schemas.int32 }),
    value: { op: 'c', before: null, after: { id: 5, a: null } },
    valueSchema,
  }
  const replacementOf = (more: object): unknown =>
    (operationOf(handler(RDBMS[0]!, more), record) as { replaceOne: { replacement: unknown } }).replaceOne.replacement
  expect(replacementOf({})).toEqual({ _id: { id: 5 }, a: null })
  expect(replacementOf({ 'change.data.capture.handler.remove.null.values': 'true' })).toEqual({ _id: { id: 5 } })
})

test.each([...RDBMS, 'debezium.mongodb.MongoDbHandler', 'mongodb.ChangeStreamHandler', 'qlik.rdbms.RdbmsHandler'])(
  '%s: tombstones do nothing, nor do empty values where a tombstone can become one',
  (name) => {
    const settings = { 'delete.on.null.values': 'true', 'document.id.strategy': 'FullKeyStrategy' }
    expect(operationOf(handler(name, settings), { key })).toBeNull()
    const empty = (): unknown => operationOf(handler(name), { key, value: {} })
    if (name.startsWith('mongodb.')) expect(empty).toThrow('no operationType')
    else expect(empty()).toBeNull()
  },
)

test('changes of schemas are nobody’s row', () => {
  expect(operationOf(handler(RDBMS[1]!), { value: { ddl: 'ALTER TABLE t' } })).toBeNull()
})

test('a row that is empty is an error of the record', () => {
  const settings = handler(RDBMS[0]!)
  expect(() => operationOf(settings, { key, value: { op: 'c', after: {} } })).toThrow('no row in after')
  expect(() => operationOf(settings, { value: { op: 'd', before: {} } })).toThrow('no row in before')
})

test('documents of Debezium are found by their own ids, updates by the key', () => {
  const settings = handler('debezium.mongodb.MongoDbHandler')
  expect(operationOf(settings, { key: { other: 1 }, value: { op: 'c', after: '{"_id": "a"}' } })).toMatchObject({
    replaceOne: { filter: { _id: 'a' } },
  })
  expect(() => operationOf(settings, { key: { other: 1 }, value: { op: 'd' } })).toThrow('no text in its field id')
  expect(() => operationOf(settings, { key: {}, value: { op: 'c', after: '{"_id": "a"}' } })).toThrow('no key')
  expect(() => operationOf(settings, { key: { other: 1 }, value: {} })).toThrow('neither key nor value')
})

test('an operation that nobody knows is an error of the record', () => {
  expect(() => operationOf(handler(RDBMS[0]!), { key, value: { op: 't' } })).toThrow(
    'the operation "t" of the event is not known',
  )
  expect(() =>
    operationOf(handler('debezium.mongodb.MongoDbHandler'), { key: { id: '1' }, value: { op: 'x' } }),
  ).toThrow('"x"')
  expect(() =>
    operationOf(handler('qlik.rdbms.RdbmsHandler'), { key, value: { message: { headers: { operation: 'X' } } } }),
  ).toThrow('the operation of the event is not known')
  expect(() => operationOf(handler('mongodb.ChangeStreamHandler'), { value: { a: 1 } })).toThrow('no operationType')
})

const mongoKey = { id: '{"$oid": "5f9b3b3b3b3b3b3b3b3b3b3b"}' }
const oid = new ObjectId('5f9b3b3b3b3b3b3b3b3b3b3b')

test.each(['debezium.mongodb.MongoDbHandler', 'debezium.mongodb.ChangeStreamHandler'])(
  '%s: documents are text in after',
  (name) => {
    const settings = handler(name)
    const after = '{"_id": {"$oid": "5f9b3b3b3b3b3b3b3b3b3b3b"}, "n": 1}'
    expect(operationOf(settings, { key: mongoKey, value: { op: 'r', after } })).toEqual({
      replaceOne: { filter: { _id: oid }, replacement: { _id: oid, n: new Int32(1) }, upsert: true },
    })
    expect(operationOf(settings, { key: mongoKey, value: { op: 'd' } })).toEqual({
      deleteOne: { filter: { _id: oid } },
    })
    const updateDescription = { updatedFields: '{"a": "x"}', removedFields: ['b'], truncatedArrays: [] }
    expect(operationOf(settings, { key: mongoKey, value: { op: 'u', after: null, updateDescription } })).toEqual({
      updateOne: { filter: { _id: oid }, update: { $set: { a: 'x' }, $unset: { b: '' } } },
    })
  },
)

test('patches of older Debezium are updates or replacements', () => {
  const settings = handler('debezium.mongodb.MongoDbHandler')
  const patched = (patch: string): unknown =>
    operationOf(settings, { key: mongoKey, value: { op: 'u', after: null, patch } })
  expect(patched('{"$v": 1, "$set": {"a": "x"}}')).toEqual({
    updateOne: { filter: { _id: oid }, update: { $set: { a: 'x' } } },
  })
  expect(patched('{"_id": 1, "a": "x"}')).toEqual({
    replaceOne: { filter: { _id: 1 }, replacement: { _id: 1, a: 'x' }, upsert: true },
  })
  expect(() => patched('{"a": "x"}')).toThrow('neither a document with an _id nor made of operators')
  expect(patched('{"$v": 2}')).toBeNull()
})

const stream = (value: object): unknown => operationOf(handler('mongodb.ChangeStreamHandler'), { value })
const documentKey = { _id: 'a' }

test('change events: whole documents replace, deletes delete, DDL is nobody’s document', () => {
  for (const operationType of ['insert', 'replace', 'update']) {
    expect(stream({ operationType, documentKey, fullDocument: { _id: 'a', n: 'x' } })).toEqual({
      replaceOne: { filter: documentKey, replacement: { _id: 'a', n: 'x' }, upsert: true },
    })
  }
  expect(stream({ operationType: 'delete', documentKey })).toEqual({ deleteOne: { filter: documentKey } })
  expect(stream({ operationType: 'drop', ns: { db: 'a', coll: 'b' } })).toBeNull()
  expect(() => stream({ operationType: 'insert', documentKey })).toThrow('has no fullDocument')
  expect(() => stream({ operationType: 'delete' })).toThrow('has no documentKey')
})

test('change events with a schema carry documents as text', () => {
  expect(
    stream({ operationType: 'replace', documentKey: '{"_id": "a"}', fullDocument: '{"_id": "a", "n": "x"}' }),
  ).toEqual({
    replaceOne: { filter: documentKey, replacement: { _id: 'a', n: 'x' }, upsert: true },
  })
})

test('an update without its document repeats every part of it: the original ignores truncatedArrays', () => {
  const update = (updateDescription: object): unknown =>
    stream({ operationType: 'update', documentKey, updateDescription })
  expect(
    update({ updatedFields: { n: 'x' }, removedFields: ['old'], truncatedArrays: [{ field: 'items', newSize: 2 }] }),
  ).toEqual({
    updateOne: {
      filter: documentKey,
      update: { $set: { n: 'x' }, $unset: { old: '' }, $push: { items: { $each: [], $slice: 2 } } },
    },
  })
  // What one update cannot say fails loudly.
  const both = {
    updatedFields: { 'items.0': 'x' },
    removedFields: [],
    truncatedArrays: [{ field: 'items', newSize: 2 }],
  }
  expect(() => update(both)).toThrow(/cuts the array items and changes items\.0.*updateLookup/)
  const dotted = { updatedFields: { 'a.b': 1 }, removedFields: [], disambiguatedPaths: { 'a.b': ['a.b'] } }
  expect(() => update(dotted)).toThrow('has a dot')
  expect(update({ updatedFields: {}, removedFields: [], truncatedArrays: [] })).toBeNull()
})

test.each([
  [{ message: { headers: { operation: 'INSERT' }, data: { id: 5, a: 'x' }, beforeData: null } }],
  [{ message: { headers_operation: 'REFRESH', data: { id: 5, a: 'x' } } }],
  [{ headers: { operation: 'READ' }, data: { id: 5, a: 'x' }, operation: 'other' }],
])('Qlik: %j replaces or inserts the row', (value) => {
  if ('headers' in value)
    return expect(() => operationOf(handler('qlik.rdbms.RdbmsHandler'), { key, value })).not.toThrow()
  return expect(operationOf(handler('qlik.rdbms.RdbmsHandler'), { key, value })).toEqual({
    replaceOne: { filter: { _id: { id: 5n } }, replacement: { _id: { id: 5n }, id: 5n, a: 'x' }, upsert: true },
  })
})

test('Qlik: an image before the change that is no row is an error of the record', () => {
  const update = (beforeData: unknown) => ({
    message: { headers: { operation: 'UPDATE' }, data: { a: 'x' }, beforeData },
  })
  const settings = handler('qlik.rdbms.RdbmsHandler')
  expect(() => operationOf(settings, { key, value: update(5) })).toThrow('beforeData of the event is no document')
  expect(operationOf(settings, { key, value: update(null) })).toMatchObject({
    updateOne: { update: { $set: { a: 'x' } } },
  })
})

test('Qlik: updates set what has changed, deletes are by key or by the row before', () => {
  const settings = handler('qlik.rdbms.RdbmsHandler')
  const event = (operation: string, data: unknown, beforeData: unknown) => ({
    message: { headers: { operation }, data, beforeData },
  })
  expect(operationOf(settings, { key, value: event('UPDATE', { id: 5, a: 'y' }, { id: 5, a: 'x' }) })).toEqual({
    updateOne: { filter: { _id: { id: 5n } }, update: { $set: { a: 'y' } }, upsert: true },
  })
  expect(operationOf(settings, { key, value: event('UPDATE', { a: 'x' }, { a: 'x' }) })).toBeNull()
  expect(operationOf(settings, { key, value: event('DELETE', { id: 5 }, null) })).toEqual({
    deleteOne: { filter: { _id: { id: 5n } } },
  })
  expect(operationOf(settings, { value: event('DELETE', null, { a: 'x' }) })).toEqual({
    deleteOne: { filter: { a: 'x' } },
  })
})
