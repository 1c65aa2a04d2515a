import type { Generator } from '../generate.ts'
import { jsonDocument, jsonValue, OBJECT_IDS } from './texts.ts'

type Data = readonly [schema: unknown, value: unknown]
/** Key and value of an event. */
type Event = readonly [key: Data, value: Data]

const CDC = 'com.mongodb.kafka.connect.sink.cdc'
const STRING = { type: 'string', optional: true }
const NOTHING: Data = [null, null]

/** Generators of events by the handler that reads them. */
export const cdcHandlers: Readonly<Record<string, (g: Generator) => Event>> = {
  [`${CDC}.debezium.rdbms.RdbmsHandler`]: row,
  [`${CDC}.debezium.rdbms.mysql.MysqlHandler`]: row,
  [`${CDC}.debezium.rdbms.postgres.PostgresHandler`]: row,
  [`${CDC}.debezium.mongodb.MongoDbHandler`]: debeziumDocument,
  [`${CDC}.debezium.mongodb.ChangeStreamHandler`]: debeziumDocument,
  [`${CDC}.mongodb.ChangeStreamHandler`]: changeEvent,
  [`${CDC}.qlik.rdbms.RdbmsHandler`]: qlik,
}

const text = (json: string): Data => [null, json]
const fieldsOf = (members: readonly (readonly [string, string])[]): string =>
  `{${members.map(([name, json]) => `"${name}": ${json}`).join(', ')}}`

/** The members that a dice leaves. */
function most(g: Generator, members: readonly (readonly [string, string])[]): (readonly [string, string])[] {
  return members.filter(() => g.chance(0.93))
}

const OPERATIONS = ['"c"', '"r"', '"u"', '"u"', '"d"', '"d"', '"t"', '"m"', '"x"', 'null', '5']
const KEY_VALUES = ['1', '2', '"k"', 'null', '{"$numberLong": "3"}']

function columns(g: Generator): string {
  return fieldsOf([
    ['id', g.pick(['1', '2'])],
    ['name', g.pick(['"x"', '"y"', 'null'])],
    ['more', jsonValue(g)],
  ])
}

function row(g: Generator): Event {
  if (g.chance(0.4)) return structuredRow(g)
  const key = g.pick([NOTHING, text('{}'), text(`{"id": ${g.pick(KEY_VALUES)}}`), text('{"id": 1, "k": 2}')])
  const side = (): string => g.pick(['null', '{}', columns(g), columns(g), columns(g), '5'])
  const members = most(g, [
    ['before', side()],
    ['after', side()],
    ['op', g.pick(OPERATIONS)],
    ['source', '{"db": "shop"}'],
  ])
  if (g.chance(0.05)) return [key, text('{"ddl": "ALTER TABLE t"}')]
  return [key, g.pick([NOTHING, text('{}'), ...Array.from({ length: 8 }, () => text(fieldsOf(members)))])]
}

/** As converters with schemas give them. */
function structuredRow(g: Generator): Event {
  const table = {
    type: 'struct',
    optional: true,
    fields: [
      { type: 'int32', optional: false, field: 'id' },
      { ...STRING, field: 'name' },
      { ...g.schema(2), field: 'more' },
    ],
  }
  const value = {
    type: 'struct',
    optional: false,
    fields: [
      { ...table, field: 'before' },
      { ...table, field: 'after' },
      { type: 'string', optional: false, field: 'op' },
    ],
  }
  const side = (): unknown => (g.chance(0.2) ? null : { ...g.value({ ...table, optional: false }), id: g.pick([1, 2]) })
  const key: Data = g.chance(0.2)
    ? NOTHING
    : [
        { type: 'struct', optional: false, fields: [{ type: 'int32', optional: false, field: 'id' }] },
        { id: g.pick([1, 2]) },
      ]
  if (g.chance(0.1)) return [key, NOTHING]
  return [key, [value, { before: side(), after: side(), op: g.pick(['c', 'r', 'u', 'u', 'd', 'd', 'x']) }]]
}

const IDS = ['1', '"k"', `{"$oid": "${OBJECT_IDS[0]}"}`, '{"$numberLong": "7"}', '{"a": 1}', 'null']

function debeziumDocument(g: Generator): Event {
  const id = g.pick(IDS)
  const quoted = JSON.stringify(id)
  const key = g.pick([
    NOTHING,
    text('{}'),
    text('{"other": 1}'),
    text('{"id": 5}'),
    text('{"id": "{no json"}'),
    ...Array.from({ length: 8 }, () => text(`{"id": ${quoted}}`)),
    [{ type: 'struct', optional: false, fields: [{ ...STRING, field: 'id' }] }, { id }] as const,
  ])
  const whole = JSON.stringify(jsonDocument(g, 0, g.chance(0.9) ? [`"_id": ${g.chance(0.9) ? id : '99'}`] : []))
  const patch = JSON.stringify(
    g.pick([
      `{"$set": ${jsonDocument(g, 1)}}`,
      `{"$v": 1, "$set": {"a": 1}}`,
      `{"$unset": {"a": true}, "$set": {"b": 2}}`,
      `{"$v": 2}`,
      jsonDocument(g, 0, [`"_id": ${id}`]),
      jsonDocument(g),
      'no json',
    ]),
  )
  const updated = JSON.stringify('{"a": 1, "sub.b": 2}')
  const description = g.pick([
    'null',
    `{"updatedFields": ${updated}, "removedFields": ["c"], "truncatedArrays": null}`,
    `{"updatedFields": ${updated}, "removedFields": null, "truncatedArrays": [{"field": "b", "size": 1}]}`,
  ])
  const members = most(g, [
    ['op', g.pick(OPERATIONS)],
    ['after', g.pick(['null', whole, whole, whole, '"no json"', '5'])],
    ...(g.chance(0.5) ? [['patch', patch] as const] : []),
    ...(g.chance(0.3) ? [['updateDescription', description] as const] : []),
  ])
  return [key, g.pick([NOTHING, text('{}'), ...Array.from({ length: 8 }, () => text(fieldsOf(members)))])]
}

const OPERATION_TYPES = [
  'insert',
  'replace',
  'update',
  'update',
  'delete',
  'drop',
  'rename',
  'invalidate',
  'other',
  'INSERT',
]

function changeEvent(g: Generator): Event {
  const id = g.pick(IDS)
  const updated = g.pick(['{"a": 1}', '{}', '{"sub.b": 2, "b": null}', '{"a": {"$date": 5}}'])
  const description = most(g, [
    ['updatedFields', g.pick([updated, updated, updated, '5', JSON.stringify(updated)])],
    ['removedFields', g.pick(['[]', '["b"]', '["a", "sub.c"]', 'null', '[5]'])],
    ...(g.chance(0.3) ? [['truncatedArrays', g.pick(['[]', '[{"field": "c", "newSize": 1}]', 'null'])] as const] : []),
    ...(g.chance(0.1) ? [['disambiguatedPaths', '{}'] as const] : []),
  ])
  const whole = jsonDocument(g, 0, [`"_id": ${id}`])
  const members = most(g, [
    ['_id', '{"_data": "82"}'],
    ['operationType', g.chance(0.95) ? `"${g.pick(OPERATION_TYPES)}"` : '5'],
    [
      'documentKey',
      g.pick([...Array.from({ length: 6 }, () => `{"_id": ${id}}`), JSON.stringify(`{"_id": ${id}}`), 'null']),
    ],
    ...(g.chance(0.7)
      ? [['fullDocument', g.pick([whole, whole, whole, whole, 'null', JSON.stringify(whole)])] as const]
      : []),
    ...(g.chance(0.7)
      ? [['updateDescription', g.pick([fieldsOf(description), fieldsOf(description), 'null'])] as const]
      : []),
  ])
  const key = g.pick([NOTHING, text(`{"_id": ${id}}`), text('plain')])
  return [key, g.pick([NOTHING, text('{}'), ...Array.from({ length: 8 }, () => text(fieldsOf(members)))])]
}

function qlik(g: Generator): Event {
  const key = g.pick([NOTHING, text('{}'), text(`{"id": ${g.pick(KEY_VALUES)}}`), text('{"id": 1}'), text('{"id": 2}')])
  const operation = g.pick([
    '"INSERT"',
    '"REFRESH"',
    '"READ"',
    '"UPDATE"',
    '"update"',
    '"DELETE"',
    '"delete"',
    '"other"',
    'null',
  ])
  const side = (): string => g.pick(['null', '{}', columns(g), columns(g), columns(g), '5'])
  const place = g.below(4)
  const headers = [g.chance(0.8) ? 'operation' : 'headers_operation', operation] as const
  const message = most(g, [
    ['data', side()],
    ['beforeData', side()],
    ...(place === 0 ? [['headers', fieldsOf([headers])] as const] : place === 1 ? [headers] : []),
  ])
  const whole = g.chance(0.7)
    ? fieldsOf([['message', fieldsOf(message)], ...(place > 1 ? [['headers', fieldsOf([headers])] as const] : [])])
    : fieldsOf([...message, ...(place > 1 ? [headers] : [])])
  return [key, g.pick([NOTHING, text('{}'), ...Array.from({ length: 8 }, () => text(whole))])]
}
