import { event, outbox, outboxRow, table } from './debezium-events.ts'
import { type Generator, NAMES } from '../generate.ts'
import type { Case } from './harness.ts'

type Options = Record<string, string>
type Made = Pick<Case, 'options' | 'records'>

/** Options and change events by chance for each transformation of Debezium, by class name. */
export const debeziumConfigs: Readonly<Record<string, (g: Generator, records: number) => Made>> = {
  'io.debezium.transforms.ExtractNewRecordState': (g, records) => {
    const of = table(g)
    return { options: extractOptions(g), records: Array.from({ length: records }, () => event(g, of)) }
  },
  'io.debezium.transforms.outbox.EventRouter': (g, records) => {
    const of = outbox(g)
    return {
      options: outboxOptions(g),
      records: Array.from({ length: records }, () => event(g, of, () => outboxRow(g, of))),
    }
  },
  'io.debezium.transforms.ByLogicalTableRouter': routed,
  'io.debezium.transforms.ToLogicalTopicRouter': routed,
}

function routed(g: Generator, records: number): Made {
  // One table: Java mixes up those whose schemas are the same but for what they are called.
  const of = table(g)
  const options = {
    ...maybe(
      g,
      'topic.regex',
      0.95,
      g.pick(['(.*)', 'orders.*', '([^.]+)\\.([^.]+)\\.(?<t>[^.]+)', '(\\w+)-(\\w+)(-.*)?', '(', '']),
    ),
    ...maybe(g, 'topic.replacement', 0.95, g.pick(['all', '$1', 'x y-$1', '${t}', '9x.$1', '$7', 'ä_$0', ''])),
    ...maybe(g, 'key.enforce.uniqueness', 0.4, g.pick(['true', 'false'])),
    ...maybe(g, 'key.field.regex', 0.4, g.pick(['(.*)s', '[', 'orders(.*)', ''])),
    ...maybe(g, 'key.field.replacement', 0.4, g.pick(['$1', 'k', ''])),
    ...maybe(g, 'key.field.name', 0.3, g.pick(['a', 'shard'])),
    ...maybe(g, 'schema.name.adjustment.mode', 0.4, g.pick(['none', 'avro', 'avro_unicode', 'AVRO', 'other'])),
    ...maybe(g, 'logical.destination.cache.size', 0.2, g.pick(['1', '0', 'x', '100'])),
  }
  return { options, records: Array.from({ length: records }, () => event(g, of)) }
}

const MODES = ['drop', 'tombstone', 'rewrite', 'rewrite-with-tombstone', 'delete-to-tombstone', 'Rewrite', 'other']
const ADDED = ['op', 'table', 'ts_ms', 'source.ts_ms', 'lsn', 'id', 'transaction.total_order', 'note', 'no', 'snapshot']
const ODD = [
  'op:OP',
  'a:b:c',
  'source',
  'op:',
  ':x',
  '.',
  'a.b',
  'source.',
  'op.x',
  'ts_us',
  'version:a',
  'updateDescription',
]

function extractOptions(g: Generator): Options {
  const added = (): string => g.some(g.chance(0.85) ? ADDED : ODD, 3, 1).join(g.pick([',', ' , ']))
  return {
    ...maybe(g, 'delete.tombstone.handling.mode', 0.8, g.pick(MODES)),
    ...maybe(g, 'route.by.field', 0.15, g.pick([...NAMES, 'no', ''])),
    ...maybe(g, 'add.fields', 0.5, added()),
    ...maybe(g, 'add.fields.prefix', 0.2, g.pick(['', 'x.'])),
    ...maybe(g, 'add.headers', 0.4, added()),
    ...maybe(g, 'add.headers.prefix', 0.2, g.pick(['', 'x.'])),
    ...maybe(g, 'drop.fields.header.name', 0.3, g.pick(['drop', 'drop', 'no', '', ' '])),
    ...maybe(g, 'drop.fields.from.key', 0.3, g.pick(['true', 'false', 'maybe'])),
    ...maybe(g, 'drop.fields.keep.schema.compatible', 0.3, g.pick(['true', 'false'])),
    ...maybe(g, 'replace.null.with.default', 0.3, g.pick(['true', 'false'])),
  }
}

const PLACED = ['type:header', 'type:header:eventType', 'shard:partition', 'at:envelope', 'type:envelope:kind']
const ODDLY_PLACED = [
  'no:header',
  'no:envelope:x',
  'type',
  'type:header:a:b',
  'type:nowhere',
  'type:partition',
  'at:envelope:payload',
  ' type : HEADER : k ',
]

function outboxOptions(g: Generator): Options {
  const placed = g.some(g.chance(0.85) ? PLACED : [...PLACED, ...ODDLY_PLACED], 3, 1).join(',')
  return {
    ...maybe(g, 'table.field.event.id', 0.1, g.pick(['id', 'type', 'no'])),
    ...maybe(g, 'table.field.event.key', 0.1, g.pick(['id', 'shard', 'no'])),
    ...maybe(g, 'table.field.event.type', 0.1, 'no'),
    ...maybe(g, 'table.field.event.payload', 0.1, g.pick(['type', 'shard', 'no'])),
    ...maybe(g, 'table.field.event.timestamp', 0.4, g.pick(['at', 'at', 'at', 'shard', 'no'])),
    ...maybe(g, 'table.fields.additional.placement', 0.6, placed),
    ...maybe(g, 'table.field.additional.missing', 0.3, g.pick(['error', 'ignore', 'IGNORE', 'x'])),
    ...maybe(g, 'table.field.event.schema.version', 0.3, g.pick(['version', 'version', 'version', 'type', 'no'])),
    ...maybe(g, 'table.op.invalid.behavior', 0.4, g.pick(['warn', 'error', 'fatal', 'FATAL', 'x'])),
    ...maybe(g, 'table.expand.json.payload', 0.5, g.pick(['true', 'true', 'true', 'false', 'x'])),
    ...maybe(g, 'table.json.payload.null.behavior', 0.4, g.pick(['ignore', 'optional_bytes', 'optional_bytes', 'x'])),
    ...maybe(
      g,
      'table.json.payload.empty.array.behavior',
      0.4,
      g.pick(['ignore', 'optional_string', 'optional_string']),
    ),
    ...maybe(g, 'route.by.field', 0.1, g.pick(['type', 'shard', 'no'])),
    ...maybe(g, 'route.topic.regex', 0.2, g.pick(['(?<routedByValue>.)(.*)', '(', 'none(?<routedByValue>x)'])),
    ...maybe(g, 'route.topic.replacement', 0.2, g.pick(['$1', 'all', 'x.${routedByValue}', '${no}'])),
    ...maybe(g, 'route.tombstone.on.empty.payload', 0.4, g.pick(['true', 'false'])),
    ...maybe(g, 'field.name.adjustment.mode', 0.2, g.pick(['none', 'avro', 'avro_unicode'])),
  }
}

function maybe(g: Generator, key: string, probability: number, value: string): Options {
  return g.chance(probability) ? { [key]: value } : {}
}
