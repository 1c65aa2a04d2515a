import { type Generator, NAMES, TOPICS } from '../generate.ts'
import type { RecordJson } from '../records.ts'

/** The schemas of one captured table. */
export interface Table {
  readonly topic: string
  readonly key: any
  readonly row: any
  readonly envelope: any
}

const text = { type: 'string', optional: false }
const optionalText = { type: 'string', optional: true }
const long = { type: 'int64', optional: false }
const optionalLong = { type: 'int64', optional: true }
const named = (field: string, schema: any): any => ({ ...schema, field })

const SOURCE = {
  type: 'struct',
  optional: false,
  name: 'io.debezium.connector.postgresql.Source',
  fields: [
    named('version', text),
    named('connector', text),
    named('name', text),
    named('ts_ms', long),
    named('snapshot', { ...optionalText, default: 'false' }),
    named('db', text),
    named('table', text),
    named('lsn', optionalLong),
  ],
}
const TRANSACTION = {
  type: 'struct',
  optional: true,
  name: 'event.block',
  version: 1,
  fields: [named('id', text), named('total_order', long), named('data_collection_order', long)],
}

/** The schemas of a table of which the columns are given, or by chance. */
export function table(g: Generator, columns = g.struct(1).fields): Table {
  const topic = g.pick(TOPICS)
  const row = { type: 'struct', optional: true, name: `${topic}.Value`, fields: columns }
  if (g.chance(0.1)) row.optional = false
  const fields = [named('before', { ...row, optional: true }), named('after', { ...row, optional: true })]
  // What is left out at times is not there in all versions, or not with every connector.
  if (g.chance(0.95)) fields.push(named('source', SOURCE))
  if (g.chance(0.8)) fields.push(named('transaction', TRANSACTION))
  fields.push(named('op', text), named('ts_ms', optionalLong))
  if (g.chance(0.3)) fields.push(named('ts_us', optionalLong))
  if (g.chance(0.2)) fields.push(named('note', { ...optionalText, default: 'none', doc: 'by another transformation' }))
  const name = g.chance(0.93) ? `${topic}.Envelope` : g.pick(['Envelope', `${topic}.Envelopes`, undefined])
  const envelope = { type: 'struct', optional: false, ...(name ? { name } : {}), version: 2, fields }
  const key = { type: 'struct', optional: false, name: `${topic}.Key`, fields: keyFields(g) }
  return { topic, key, row, envelope }
}

function keyFields(g: Generator): any[] {
  const fields = g.struct(3).fields
  return fields.length > 0 ? fields : [named('a', { type: 'int32', optional: false })]
}

/** A change of a table, or one of the other messages that go the same way. */
export function event(g: Generator, of: Table, row: () => any = () => rowOf(g, of)): RecordJson {
  const { schema, value } = g.chance(0.8) ? change(g, of, row) : other(g, of)
  const [keySchema, key] = g.chance(0.85)
    ? [of.key, g.value(of.key)]
    : g.pick([
        [null, null],
        [text, 'k'],
        [null, 'k'],
      ])
  const isSink = g.chance(0.3)
  return {
    topic: of.topic,
    partition: isSink ? 3 : g.pick([null, 0]),
    timestamp: g.pick([null, 1_700_000_000_123]),
    ...(isSink ? { offset: 42 } : {}),
    keySchema,
    key,
    valueSchema: schema,
    value,
    headers: headers(g),
  }
}

function rowOf(g: Generator, { row }: Table): any {
  return g.value({ ...row, optional: false })
}

function change(g: Generator, { envelope }: Table, row: () => any): { schema: unknown; value: unknown } {
  const op = g.pick(['c', 'u', 'd', 'r', 'r', 'u', 'd', 't', 'm', 'x'])
  const hasBefore = op === 'd' || (op === 'u' && g.chance(0.5)) || g.chance(0.1)
  const hasAfter = !['d', 't', 'm'].includes(op)
  const value: Record<string, unknown> = {}
  for (const field of envelope.fields) value[field.field] = g.value(field)
  value['before'] = hasBefore && g.chance(0.95) ? row() : null
  value['after'] = hasAfter && g.chance(0.95) ? row() : null
  value['op'] = op
  return { schema: envelope, value }
}

/** Tombstones, heartbeats, transactions, changes of the schema, and events without a schema. */
function other(g: Generator, of: Table): { schema: unknown; value: unknown } {
  switch (g.below(5)) {
    case 0:
      return { schema: null, value: null }
    case 1:
      return { schema: g.pick([of.row, { ...of.envelope, optional: true }]), value: null }
    case 2: {
      const fields = [named('ts_ms', long)]
      return {
        schema: { type: 'struct', optional: false, name: 'io.debezium.connector.common.Heartbeat', fields },
        value: { ts_ms: 5 },
      }
    }
    case 3: {
      const fields = [named('source', SOURCE), named('ddl', optionalText)]
      const schema = { type: 'struct', optional: false, name: 'io.debezium.connector.mysql.SchemaChangeValue', fields }
      return { schema, value: g.value(schema) }
    }
    default:
      return { schema: null, value: { before: null, after: { a: 1 }, op: 'c' } }
  }
}

const LIST = { type: 'array', optional: true, items: optionalText }

function headers(g: Generator): [string, unknown, unknown][] {
  const made: [string, unknown, unknown][] = []
  if (g.chance(0.2)) made.push(['h', optionalText, 'x'])
  if (g.chance(0.4)) made.push(['drop', LIST, g.pick([[], ['a'], ['b', 'c', 'no'], [...NAMES], null])])
  if (g.chance(0.03)) made.push(['drop', text, 'a'])
  return made
}

const PAYLOADS = [
  { type: 'string', optional: true, name: 'io.debezium.data.Json', version: 1 },
  { type: 'string', optional: false },
  { type: 'bytes', optional: true },
]
const TIMES = [
  'io.debezium.time.Timestamp',
  'io.debezium.time.MicroTimestamp',
  'io.debezium.time.NanoTimestamp',
  'x',
  undefined,
]

/** An outbox table, at times with columns that are missing or of another type. */
export function outbox(g: Generator): Table {
  const time = g.pick(TIMES)
  const columns = [
    named('id', { type: 'string', optional: false, name: 'io.debezium.data.Uuid', version: 1 }),
    named('aggregatetype', g.chance(0.95) ? { ...text, ...(g.chance(0.1) ? { default: 'Order' } : {}) } : long),
    named('aggregateid', optionalText),
    named('type', { ...optionalText, doc: 'what happened' }),
    named('payload', g.pick([...PAYLOADS, ...PAYLOADS.slice(0, 2)])),
    named('version', { type: 'int32', optional: true }),
    named('shard', { type: 'int32', optional: true, default: 0 }),
    named('at', { type: 'int64', optional: true, ...(time === undefined ? {} : { name: time }) }),
  ]
  return table(
    g,
    columns.filter((_, i) => i === 4 || g.chance(0.97)),
  )
}

/** A row of the outbox, mostly with JSON as its payload. */
export function outboxRow(g: Generator, { row }: Table): any {
  const value: Record<string, unknown> = g.value({ ...row, optional: false })
  const isText = (name: string): boolean => row.fields.some((one: any) => one.field === name && one.type === 'string')
  if (isText('payload') && g.chance(0.9)) value['payload'] = g.pick(JSON_TEXTS)
  if (isText('aggregatetype') && g.chance(0.95)) value['aggregatetype'] = g.pick(['Order', 'User', ''])
  if (typeof value['version'] === 'number') value['version'] = g.pick([1, 2])
  return value
}

// No `[]`: where 3.7.0 fails on it, it remembers other schemas than we do for the events after it.
const JSON_TEXTS = [
  '{"a":1,"b":"x","c":true,"d":null}',
  '{"a":5000000000,"b":1.5,"c":1.0,"d":1e3,"e":-0}',
  '{"n":{"a":{"b":[1,2,3]}},"list":[{"a":1},{"b":"x"},{"a":2,"b":"y"}]}',
  '{"list":[],"nulls":[null],"mixed":1}',
  '{"list":[null,1,null]}',
  '{"list":[]}',
  '{"list":[1,"x"]}',
  '{"list":[1,1.5]}',
  '{"list":[1,5000000000]}',
  '{"list":[{"a":1},{"a":"x"}]}',
  '{"list":[{"a":null},{"a":"x"},{"a":null,"c":null}]}',
  '{"list":[[1],[2,3]],"deep":[[["x"]]]}',
  '{"list":[[1],["x"]]}',
  '{"list":[[],[1]]}',
  '{"big":123456789012345678901234567890}',
  '{"a b":1,"a-b":2,"1x":3,"ä":{"_u":4}}',
  '{"a":1,"a":2}',
  '{"long":-9223372036854775808,"int":2147483648,"min":-2147483648}',
  '{}',
  '[{"a":1}]',
  '[1,2]',
  '{"open":',
  'no json',
  ' {"a":1}',
  '',
  '  ',
  'null',
  '"text"',
]
