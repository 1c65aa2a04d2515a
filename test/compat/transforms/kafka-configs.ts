import { type Generator, NAMES, TOPICS } from '../generate.ts'

type Options = Record<string, string>

const TARGETS = ['int8', 'int16', 'int32', 'int64', 'float32', 'float64', 'boolean', 'string', 'STRING', 'bytes']
const FORMATS = ['yyyy-MM-dd HH:mm:ss.SSS', 'yyyy-MM-dd', "yyyy-MM-dd'T'HH:mm:ssZ", '', 'MMM d yy', 'invalid pattern']

/** Options by chance for each transformation and predicate of Kafka, now and then wrong ones. */
export const kafkaConfigs: Readonly<Record<string, (g: Generator) => Options>> = {
  Cast: (g) => ({
    ...list(
      g,
      'spec',
      g.chance(0.3) ? [g.pick(TARGETS)] : g.some(NAMES, 3).map((name) => `${name}:${g.pick(TARGETS)}`),
    ),
    ...useDefault(g),
  }),
  DropHeaders: (g) => list(g, 'headers', g.some(['h', 'x', 'no'], 2)),
  ExtractField: (g) => ({
    ...maybe(g, 'field', 0.95, g.pick([...NAMES, 'a.b', 'b.c.d', '`f.g`', '`f.g`.a', '`f.g', 'no'])),
    ...maybe(g, 'field.syntax.version', 0.5, g.pick(['V1', 'V2', 'v2', 'V3'])),
    ...useDefault(g),
  }),
  Filter: () => ({}),
  Flatten: (g) => maybe(g, 'delimiter', 0.5, g.pick(['.', '_', '', '::'])),
  HeaderFrom: (g) => {
    const fields = g.some(NAMES, 3)
    const headers = fields.map(() => g.pick(['h', 'y', 'z']))
    return {
      ...list(g, 'fields', fields),
      ...list(g, 'headers', g.chance(0.05) ? ['h'] : headers),
      ...maybe(g, 'operation', 0.97, g.pick(['move', 'copy', 'move', 'copy', 'MOVE'])),
      ...useDefault(g),
    }
  },
  HoistField: (g) => maybe(g, 'field', 0.95, g.pick(['a', 'line', ''])),
  InsertField: (g) => {
    const field = (): string => g.pick(['t', 'u!', 'v?', 'a', 'w'])
    return {
      ...maybe(g, 'topic.field', 0.4, field()),
      ...maybe(g, 'partition.field', 0.4, field()),
      ...maybe(g, 'offset.field', 0.2, field()),
      ...maybe(g, 'timestamp.field', 0.4, field()),
      ...maybe(g, 'static.field', 0.4, field()),
      ...maybe(g, 'static.value', 0.4, 'shop'),
      ...useDefault(g),
    }
  },
  InsertHeader: (g) => ({
    ...maybe(g, 'header', 0.95, 'h'),
    ...maybe(
      g,
      'value.literal',
      0.95,
      g.pick(['42', '300', '70000', '5000000000', '1.5', 'true', 'text', '', '2023-11-14', '[1,2]', '{"a":1}', 'null']),
    ),
  }),
  MaskField: (g) => ({
    ...list(g, 'fields', g.some(NAMES, 3)),
    ...maybe(g, 'replacement', 0.4, g.pick(['***', '7', '1.5', ''])),
    ...useDefault(g),
  }),
  RegexRouter: (g) => ({
    ...maybe(
      g,
      'regex',
      0.95,
      g.pick(['(.*)', 'orders', 'ord.*', '([^.]+)\\.([^.]+)\\.(?<t>[^.]+)', '(\\w+)-(\\w+)(-.*)?', '(', '']),
    ),
    ...maybe(g, 'replacement', 0.95, g.pick(['$1', 'x', '$2_$1', '${t}', '\\$1', '$9', 'a$', ''])),
  }),
  ReplaceField: (g) => ({
    ...maybeList(g, 'exclude', 0.5, g.some(NAMES, 3)),
    ...maybeList(g, 'include', 0.4, g.some(NAMES, 4)),
    ...maybeList(
      g,
      'renames',
      0.4,
      g.some(NAMES, 2).map((name) => `${name}:${g.pick(['x', 'y', 'z', 'a'])}`),
    ),
    ...maybe(g, 'renames', 0.03, g.pick(['a', 'a:b:c', 'a:'])),
    ...useDefault(g),
  }),
  SetSchemaMetadata: (g) => ({
    ...maybe(g, 'schema.name', 0.6, 'new.Name'),
    ...maybe(g, 'schema.version', 0.6, g.pick(['7', '0', 'x'])),
    ...useDefault(g),
  }),
  TimestampConverter: (g) => ({
    ...maybe(g, 'field', 0.7, g.pick(NAMES)),
    ...maybe(g, 'target.type', 0.97, g.pick(['string', 'unix', 'Date', 'Time', 'Timestamp', 'date'])),
    ...maybe(g, 'format', 0.6, g.pick(FORMATS)),
    ...maybe(g, 'unix.precision', 0.3, g.pick(['seconds', 'milliseconds', 'microseconds', 'nanoseconds', 'days'])),
    ...useDefault(g),
  }),
  TimestampRouter: (g) => ({
    ...maybe(
      g,
      'topic.format',
      0.5,
      g.pick(['${topic}_${timestamp}', 'x', '${timestamp}', '${topic}${topic}', '${no}']),
    ),
    ...maybe(g, 'timestamp.format', 0.5, g.pick(['yyyy', 'yyyyMMddHH', "YYYY-'w'ww", 'bad pattern', 'EEE', 'h a'])),
  }),
  ValueToKey: (g) => ({ ...list(g, 'fields', g.some(NAMES, 3)), ...useDefault(g) }),
  'predicates.HasHeaderKey': (g) => maybe(g, 'name', 0.95, g.pick(['h', 'x', 'no', ''])),
  'predicates.RecordIsTombstone': () => ({}),
  'predicates.TopicNameMatches': (g) =>
    maybe(g, 'pattern', 0.95, g.pick(['orders', 'ord', 'orders.*', '(?i)ORDERS', '[', ...TOPICS, ''])),
}

/** Those that are two classes, `X$Key` and `X$Value`. */
export const TWO_SIDED = [
  'Cast',
  'ExtractField',
  'Flatten',
  'HeaderFrom',
  'HoistField',
  'InsertField',
  'MaskField',
  'ReplaceField',
  'SetSchemaMetadata',
  'TimestampConverter',
]

function maybe(g: Generator, key: string, probability: number, value: string): Options {
  return g.chance(probability) ? { [key]: value } : {}
}

function maybeList(g: Generator, key: string, probability: number, members: readonly string[]): Options {
  return g.chance(probability) ? { [key]: members.join(',') } : {}
}

/** Duplicates and empty lists happen; now and then the key is missing or has an empty member. */
function list(g: Generator, key: string, members: readonly string[]): Options {
  if (g.chance(0.03)) return {}
  return { [key]: members.join(',') + (g.chance(0.02) ? ',' : '') }
}

function useDefault(g: Generator): Options {
  return maybe(g, 'replace.null.with.default', 0.4, g.pick(['true', 'false', 'false', 'no']))
}
