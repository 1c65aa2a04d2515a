import { expect, test } from 'vitest'
import { operationOf } from './sink-support.ts'

const P = 'com.mongodb.kafka.connect.sink.processor.'
const insert = { 'writemodel.strategy': 'InsertOneDefaultStrategy', 'document.id.strategy': 'KafkaMetaDataStrategy' }

function documentOf(settings: Record<string, string>, value: object, key: unknown = null): unknown {
  const operation = operationOf({ ...insert, ...settings }, { key, value })
  return (operation as { insertOne: { document: unknown } }).insertOne.document
}

const nested = { a: 'x', b: { c: 'y', d: 'z' }, e: [{ f: 1, g: 2 }, 3] }

test.each([
  ['allowlist', 'b.c,e.f', { b: { c: 'y' }, e: [{ f: 1n }, 3n] }],
  ['whitelist', 'b.*', { b: { c: 'y', d: 'z' } }],
  ['allowlist', '**', { a: 'x', b: { c: 'y', d: 'z' }, e: [{ f: 1n, g: 2n }, 3n] }],
  ['blocklist', 'b.c,e.g', { a: 'x', b: { d: 'z' }, e: [{ f: 1n }, 3n] }],
  // As in the original: what is no document goes, where a level is named by its wildcard.
  ['BlackList', '*.c', { b: { d: 'z' } }],
  ['allowlist', 'a*', { a: 'x' }],
  ['blocklist', 'b.c*,e*', { a: 'x', b: { d: 'z' } }],
  ['blocklist', '**', {}],
  ['allowlist', '*', { a: 'x', b: {}, e: [{}, 3n] }],
  ['allowlist', 'b.**,*.g', { a: 'x', b: { c: 'y', d: 'z' }, e: [{ g: 2n }, 3n] }],
])('%s of %s leaves the fields that it says', (type, list, expected) => {
  const names: Record<string, string> = {
    allowlist: 'AllowListValueProjector',
    whitelist: 'WhitelistValueProjector',
    blocklist: 'BlockListValueProjector',
    blacklist: 'BlacklistValueProjector',
  }
  const chain = `${P}${names[type.toLowerCase()]},${P}DocumentIdAdder`
  const settings = { 'post.processor.chain': chain, 'value.projection.type': type, 'value.projection.list': list }
  expect(documentOf(settings, nested)).toEqual({ _id: 'orders#0#7', ...expected })
})

test('fields are renamed by paths and by patterns', () => {
  const mapping = {
    'post.processor.chain': `DocumentIdAdder,${P}field.renaming.RenameByMapping`,
    'field.renamer.mapping': '[{"oldName": "value.b.c", "newName": "cc"}, {"oldName": "value.a", "newName": "aa"}]',
  }
  expect(documentOf(mapping, { a: 1, b: { c: 2 } })).toEqual({ _id: 'orders#0#7', aa: 1n, b: { cc: 2n } })
  const pattern = {
    'post.processor.chain': 'DocumentIdAdder,RenameByRegExp',
    'field.renamer.regexp': String.raw`[{"regexp": "^value\\..*my.*$", "pattern": "my", "replace": ""}]`,
  }
  expect(documentOf(pattern, { myA: 1, other: 2 })).toEqual({ _id: 'orders#0#7', A: 1n, other: 2n })
})

test('a renamed field makes way for one that has the name, and two of one new name are an error', () => {
  const chain = { 'post.processor.chain': 'DocumentIdAdder,RenameByMapping' }
  const toB = { ...chain, 'field.renamer.mapping': '[{"oldName": "value.a", "newName": "b"}]' }
  expect(documentOf(toB, { a: 'x', b: 'y' })).toEqual({ _id: 'orders#0#7', b: 'y' })
  const names = ['value.a', 'value.b'].map((oldName) => ({ oldName, newName: 'c' }))
  const twice = { ...chain, 'field.renamer.mapping': JSON.stringify(names) }
  expect(() => documentOf(twice, { a: 'x', b: 'y' })).toThrow('two fields of value would be called c')
  const lost = { ...chain, 'field.renamer.mapping': '[{"oldName": "value.a", "newName": "__proto__"}]' }
  expect(() => documentOf(lost, { a: { b: 'x' } })).toThrow('a field cannot be called __proto__')
})

test('all rules that fit a path rename, and paths below have the new name', () => {
  const rules = [
    { regexp: '.*', pattern: '^(.)a', replace: String.raw`$1\$` },
    { regexp: '.*', pattern: 'b$', replace: '_$0' },
  ]
  const settings = {
    'post.processor.chain': 'DocumentIdAdder,RenameByRegExp',
    'field.renamer.regexp': JSON.stringify(rules),
  }
  expect(documentOf(settings, { xab: 'x', list: [{ xab: 'y' }] })).toEqual({
    _id: 'orders#0#7',
    x$_b: 'x',
    list: [{ xab: 'y' }],
  })
  const inner = [
    { oldName: 'value.a', newName: 'b' },
    { oldName: 'value.b.c', newName: 'd' },
  ]
  const mapping = { 'post.processor.chain': 'RenameByMapping', 'field.renamer.mapping': JSON.stringify(inner) }
  expect(documentOf(mapping, { a: { c: 'x' } })).toEqual({ _id: 'orders#0#7', b: { d: 'x' } })
})

test('projectors go by their names, whatever the type of the projection says; ids are added first', () => {
  const settings = { 'post.processor.chain': 'BlockListValueProjector', 'value.projection.list': 'a' }
  expect(documentOf(settings, { a: 'x', b: 'y' })).toEqual({ _id: 'orders#0#7', b: 'y' })
})

test('a chain without anything to do with keys asks for no document there', () => {
  const settings = { 'post.processor.chain': 'BlockListKeyProjector,RenameByMapping' }
  expect(documentOf(settings, { a: 'x' }, 'plain')).toEqual({ _id: 'orders#0#7', a: 'x' })
})

test('the key of a record without value is processed too, as its id is made of it', () => {
  const settings = {
    'post.processor.chain': 'BlockListKeyProjector',
    'key.projection.list': 'secret',
    'document.id.strategy': 'FullKeyStrategy',
    'delete.on.null.values': 'true',
  }
  expect(operationOf(settings, { key: { id: 'a', secret: 'b' } })).toEqual({
    deleteOne: { filter: { _id: { id: 'a' } } },
  })
})

test('KafkaMetaAdder says where the record was, NullFieldValueRemover removes nulls at any depth', () => {
  const settings = { 'post.processor.chain': 'DocumentIdAdder,KafkaMetaAdder,NullFieldValueRemover' }
  expect(documentOf(settings, { a: null, b: { c: null, d: [{ e: null }] } })).toEqual({
    _id: 'orders#0#7',
    b: { d: [{}] },
    'topic-partition-offset': 'orders-0-7',
    CREATE_TIME: 1_700_000_000_000n,
  })
})

test('an id of the value stays, unless it is overwritten', () => {
  expect(documentOf({}, { _id: 'mine' })).toEqual({ _id: 'mine' })
  expect(documentOf({ 'document.id.strategy.overwrite.existing': 'true' }, { _id: 'mine' })).toEqual({
    _id: 'orders#0#7',
  })
})

test.each([
  [{ at: 1_000 }, {}, new Date(1000)],
  [{ at: '2026-01-02T03:04:05.678Z' }, {}, new Date('2026-01-02T03:04:05.678Z')],
  [{ at: '2026-01-02' }, {}, new Date('2026-01-02T00:00:00Z')],
  [
    { at: '02.01.2026 03:04' },
    { 'timeseries.timefield.auto.convert.date.format': 'dd.MM.yyyy HH:mm' },
    new Date('2026-01-02T03:04:00Z'),
  ],
])('the time field %j becomes a date', (value, more, expected) => {
  const settings = { 'timeseries.timefield': 'at', 'timeseries.timefield.auto.convert': 'true', ...more }
  expect(documentOf(settings, value)).toEqual({ _id: 'orders#0#7', at: expected })
})

test('a time field that cannot be read is an error of the record', () => {
  const settings = { 'timeseries.timefield': 'at', 'timeseries.timefield.auto.convert': 'true' }
  expect(() => documentOf(settings, { at: 'yesterday' })).toThrow('the field at is no date')
})
