// What the comparison with Debezium's classes (test/compat/transforms) cannot tell: what is ours alone.
import {
  type ConnectRecord,
  DataError,
  parseConfigOrThrow,
  type PluginLogger,
  type Schema,
  schemas,
  type SourceRecord,
  struct,
  type Transform,
  type Transformation,
} from '@millrace/sdk'
import { expect, test } from 'vitest'
import { silentLogger } from '../../../src/base/index.ts'
import { JoinedSteps } from '../../../src/connect/worker/joined-steps.ts'
import eventRouter from '../../../transforms/debezium/event-router.ts'
import extractNewRecordState from '../../../transforms/debezium/extract-new-record-state.ts'
import logicalTopicRouter from '../../../transforms/debezium/logical-topic-router.ts'
import { JsonExpander } from '../../../transforms/debezium/outbox-json.ts'
import replaceField from '../../../transforms/replace-field.ts'

function create(
  definition: object,
  raw: Readonly<Record<string, string>>,
  logger: PluginLogger = silentLogger,
): Transform {
  const { config, create: make } = definition as Transformation
  return make(parseConfigOrThrow(config, raw), { logger })
}

const extract = (raw: Readonly<Record<string, string>> = {}): Transform => create(extractNewRecordState, raw)

function envelopeOf(row: Schema): Schema {
  const source = struct({ table: schemas.string, lsn: schemas.optional.int64 })
  const fields = { before: row, after: row, source, op: schemas.string, ts_ms: schemas.optional.int64 }
  return struct(fields, { name: 'shop.people.Envelope' })
}

const row = struct(
  { id: schemas.int32, name: schemas.optional.string },
  { optional: true, name: 'shop.people.Value', version: 1 },
)
const envelope = envelopeOf(row)
const key = struct({ id: schemas.int32 }, { name: 'shop.people.Key' })

function recordOf(value: unknown, valueSchema: Schema | null = envelope): SourceRecord {
  return {
    topic: 'shop.people',
    partition: null,
    keySchema: key,
    key: { id: 1 },
    valueSchema,
    value,
    headers: [],
    timestamp: 5,
    sourcePartition: {},
    sourceOffset: {},
  }
}

function change(op: string, before: unknown, after: unknown): SourceRecord {
  return recordOf({ before, after, source: { table: 'people', lsn: 7n }, op, ts_ms: 9n })
}

const ADA = { id: 1, name: 'Ada' }
const created = change('c', null, ADA)
const deleted = change('d', ADA, null)
const tombstone = recordOf(null, null)

test('the delete options of Debezium 2 mean what they meant', () => {
  const outcomes = (raw: Readonly<Record<string, string>>) => {
    const transform = extract(raw)
    return [created, deleted, tombstone].map((record) => {
      const result = transform.apply<ConnectRecord>(record)
      return result === null ? 'dropped' : result.value
    })
  }
  expect(outcomes({ 'drop.tombstones': 'false' })).toEqual([ADA, 'dropped', null])
  expect(outcomes({ 'delete.handling.mode': 'drop' })).toEqual([ADA, 'dropped', 'dropped'])
  expect(outcomes({ 'delete.handling.mode': 'none' })).toEqual([ADA, null, 'dropped'])
  expect(outcomes({ 'delete.handling.mode': 'rewrite', 'drop.tombstones': 'false' })).toEqual([
    { ...ADA, __deleted: 'false' },
    { ...ADA, __deleted: 'true' },
    null,
  ])
})

test('options that contradict each other or cannot be honoured are refused by name', () => {
  const both = { 'drop.tombstones': 'false', 'delete.tombstone.handling.mode': 'rewrite' }
  expect(() => extract(both)).toThrow('drop.tombstones and delete.tombstone.handling.mode say the same')
  expect(() => extract({ 'add.fields': 'a:b:c' })).toThrow('Unexpected field name in add.fields: a:b:c')
  expect(() => create(eventRouter, { 'tracing.operation.name': 'mine' })).toThrow('tracing.operation.name')
  expect(() => create(eventRouter, { 'table.fields.additional.placement': 'type:nowhere' })).toThrow('type:nowhere')
  expect(() =>
    create(logicalTopicRouter.toLogicalTopic, { 'topic.regex': 'a', 'topic.replacement': 'b', 'key.field.regex': 'c' }),
  ).toThrow('key.field.replacement must be non-empty')
})

test('the same envelope schema gives the same row schema, so that encoders are found again', () => {
  const transform = extract({ 'add.fields': 'op', 'delete.tombstone.handling.mode': 'rewrite' })
  const schemaOf = (record: ConnectRecord) => transform.apply(record)?.valueSchema
  expect(schemaOf(created)?.fields.map(({ name }) => name)).toEqual(['id', 'name', '__deleted', '__op'])
  expect(schemaOf(created)).toBe(schemaOf(change('u', ADA, ADA)))
  expect(schemaOf(deleted)).toBe(schemaOf(deleted))
})

test('joined with its neighbour it makes what it makes alone, and leaves deletes to the steps', () => {
  for (const mode of ['tombstone', 'rewrite']) {
    const unwrap = extract({ 'add.fields': 'op,table,lsn', 'delete.tombstone.handling.mode': mode })
    const rename = create(replaceField.value, { renames: 'name:title' })
    const joined = JoinedSteps.at([unwrap, rename].map((transform) => ({ transform, predicate: null })) as never, 0)
    for (const record of [created, change('r', null, { id: 2, name: null }), change('u', ADA, ADA)]) {
      const alone = rename.apply<ConnectRecord>(unwrap.apply<ConnectRecord>(record) ?? record)
      const result = joined?.apply<ConnectRecord>(record)
      expect(joined?.end).toBe(2)
      expect(result?.value).toEqual(alone?.value)
      expect(result?.valueSchema?.fields.map(({ name }) => name)).toEqual(
        alone?.valueSchema?.fields.map(({ name }) => name),
      )
    }
    for (const record of [
      deleted,
      tombstone,
      change('t', null, null),
      recordOf({ ts_ms: 1n }, struct({ ts_ms: schemas.int64 })),
    ]) {
      expect(joined?.apply(record)).toBeUndefined()
    }
  }
})

test('what would give a row two fields of one name is refused record by record', () => {
  const twice = extract({ 'add.fields': 'op:name', 'add.fields.prefix': '' })
  expect(() => twice.apply(created)).toThrow(DataError)
  expect(() => twice.apply(created)).toThrow('field name duplication name')
  expect(twice.apply(tombstone)).toBeNull()
})

test('a payload that is no JSON object stays text', () => {
  const expander = new JsonExpander({ nulls: 'ignore', emptyArrays: 'ignore', nameOf: (name) => name })
  for (const text of ['[]', '[1]', 'no', '{"a":', '{"a":[1,"x"]}', '{"a":[]} x', '{"a":123456789012345678901}', '']) {
    expect(expander.expand('payload', text)).toBeUndefined()
  }
})

test('payloads of the same form share their schema', () => {
  const expander = new JsonExpander({ nulls: 'ignore', emptyArrays: 'ignore', nameOf: (name) => name })
  const [first, second] = ['{"a":1,"b":[{"c":"x"}]}', '{"a":2,"b":[{"c":"y"},{"c":"z"}]}'].map((text) =>
    expander.expand('payload', text),
  )
  expect(first?.schema).toBe(second?.schema)
  expect(second?.value).toEqual({ a: 2, b: [{ c: 'y' }, { c: 'z' }] })
  expect(expander.expand('payload', '{"__proto__":{"a":1}}')?.schema.fields[0]?.name).toBe('__proto__')
})

test('tables with the same key schema keep their own topics and names', () => {
  const options = { 'topic.regex': '(\\w+)_\\d+', 'topic.replacement': '$1', 'schema.name.adjustment.mode': 'avro' }
  const router = create(logicalTopicRouter.toLogicalTopic, options)
  const routed = ['people_1', 'people_2', '1orders_1'].map((topic) => router.apply({ ...created, topic }))
  expect(routed.map((record) => [record?.topic, record?.keySchema?.name, record?.valueSchema?.name])).toEqual([
    ['people', 'people.Key', 'people.Envelope'],
    ['people', 'people.Key', 'people.Envelope'],
    ['1orders', '_1orders.Key', '_1orders.Envelope'],
  ])
  expect(routed.map((record) => record?.key)).toEqual(
    ['people_1', 'people_2', '1orders_1'].map((topic) => ({ id: 1, __dbz__sourceIdentifier: topic })),
  )
})

/** What a logger was told, a line each. */
function linesOf(): { readonly lines: string[]; readonly logger: PluginLogger } {
  const lines: string[] = []
  const line = (level: string) => (fields: object, message: string) =>
    void lines.push(`${level} ${JSON.stringify(fields)} ${message}`)
  return { lines, logger: { debug: line('debug'), info: line('info'), warn: line('warn'), error: line('error') } }
}

const outboxRow = struct(
  { id: schemas.string, aggregateid: schemas.string, aggregatetype: schemas.string, payload: schemas.optional.string },
  { optional: true, name: 'shop.outbox.Value' },
)
const outboxEnvelope = envelopeOf(outboxRow)

function outboxEvent(op: string, payload: string | null): SourceRecord {
  const after = { id: 'e1', aggregateid: '7', aggregatetype: 'order', payload }
  const value = { before: null, after, source: { table: 'outbox', lsn: null }, op, ts_ms: 9n }
  return { ...recordOf(value, outboxEnvelope), topic: 'shop.outbox' }
}

test.each(['warn', 'error'])('a dropped update of the outbox is logged with %s, without what it holds', (behavior) => {
  const { lines, logger } = linesOf()
  const router = create(eventRouter, { 'table.op.invalid.behavior': behavior }, logger)
  expect(router.apply(outboxEvent('u', 'hidden'))).toBeNull()
  expect(router.apply(outboxEvent('d', 'hidden'))).toBeNull()
  expect(router.apply(outboxEvent('c', 'hidden'))).not.toBeNull()
  expect(lines).toEqual([
    `${behavior} {"topic":"shop.outbox"} an update of the outbox table was dropped: its rows are only inserted and deleted`,
  ])
  const fatal = create(eventRouter, { 'table.op.invalid.behavior': 'fatal' }, logger)
  expect(() => fatal.apply(outboxEvent('u', 'hidden'))).toThrow(DataError)
  expect(lines).toHaveLength(1)
})

test('a payload that cannot be expanded is logged; one that is empty is not', () => {
  const { lines, logger } = linesOf()
  const router = create(eventRouter, { 'table.expand.json.payload': 'true' }, logger)
  for (const payload of ['{"a":1}', null, '{"secret"']) router.apply(outboxEvent('c', payload))
  expect(lines).toEqual([
    'warn {"topic":"shop.outbox","column":"payload"} a payload is no JSON object that can be expanded, and stays as it is',
  ])
})

test('a topic whose new name would be empty keeps its name, which is logged', () => {
  const { lines, logger } = linesOf()
  const options = { 'topic.regex': 'shop\\.(\\w*)(people)', 'topic.replacement': '$1' }
  const router = create(logicalTopicRouter.toLogicalTopic, options, logger)
  expect(router.apply(created)?.topic).toBe('shop.people')
  expect(lines).toEqual([
    'warn {"topic":"shop.people"} topic.replacement made an empty name; the record keeps its topic',
  ])
})
