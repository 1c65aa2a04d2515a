import type { ConfigDef } from '@millrace/sdk'
import { sinkConfig } from '../../../connectors/mongodb/sink-config.ts'
import { sourceConfig } from '../../../connectors/mongodb/source-config.ts'

type Options = Readonly<Record<string, string>>

export type ConfigSide = 'sink' | 'source'

/** One value of one option, with what it needs to be there. */
export interface ConfigCase {
  readonly kind: 'config'
  readonly side: ConfigSide
  readonly key: string
  readonly value: string
  readonly options: Options
}

const BASES: Readonly<Record<ConfigSide, Options>> = {
  sink: { topics: 't,u.v', database: 'shop' },
  source: { database: 'shop', collection: 'orders' },
}

const BY_TYPE: Readonly<Record<string, readonly string[]>> = {
  int: ['0', '1', '7', ' 2 ', '-1', '', 'x', '1.5', '2147483648'],
  long: ['0', '1', '7', ' 2 ', '-1', '', 'x', '1.5', '9223372036854775808'],
  boolean: ['true', 'FALSE', ' true ', '', 'yes', '1'],
}

const SINK = 'com.mongodb.kafka.connect.sink'
const SOURCE = 'com.mongodb.kafka.connect.source'
const RECORD = '{"type": "record", "name": "R", "fields": [{"name": "a", "type": "int"}]}'
const PIPELINES = [
  '',
  '[]',
  '[{"$match": {"a": 1}}]',
  '[{"$match": {"a": {"$oid": "5e0000000000000000000001"}}}]',
  '{}',
  '[1]',
  '[',
  'x',
]
const TOLERANCES = ['none', 'all', 'data', 'ALL', '', 'some']
const PROJECTIONS = ['none', 'allowlist', 'AllowList', 'BLOCKLIST', 'whitelist', 'blacklist', '', 'other']
const ids = (name: string): string => `${SINK}.processor.id.strategy.${name}`
const models = (name: string): string => `${SINK}.writemodel.strategy.${name}`

/** Values of options that are text. */
const TEXTS: Readonly<Record<string, readonly string[]>> = {
  'connection.uri': ['mongodb://', 'localhost', 'http://localhost', ''],
  // Of 1 the test server does not know.
  'server.api.version': ['', '2', 'x'],
  database: ['shop', 'a-b', '', 'a b', 'a.b', 'a/b', 'a"b', 'l'.repeat(64), 'a$b', 'a*b'],
  collection: ['c', '', 'a.b', 'a b'],
  'topic.mapper': [`${SOURCE}.topic.mapping.DefaultTopicMapper`, 'x.Nope', '', 'no class'],
  'topic.namespace.map': [
    '',
    '{}',
    '{"a": "b"}',
    '{"/a.*": "{db}"}',
    '{"/(": "x"}',
    '{"a/b": "c"}',
    '{"/a": "{nope}"}',
    '{"/a": "{db"}',
    '{"a": 1}',
    '[]',
    'x',
    '{"*": "all", "a.b": ""}',
  ],
  'topic.prefix': ['', 'a', 'ä b'],
  'topic.suffix': ['', 'a'],
  'topic.separator': ['', '.', '--'],
  pipeline: PIPELINES,
  'startup.mode.copy.existing.pipeline': PIPELINES,
  collation: ['', '{"locale": "en"}', '{"locale": "en", "strength": 2}', '[]', 'x'],
  'change.stream.full.document': ['', 'default', 'updateLookup', 'whenAvailable', 'required', 'UPDATELOOKUP', 'nope'],
  'change.stream.full.document.before.change': ['', 'default', 'off', 'whenAvailable', 'required', 'OFF', 'nope'],
  'output.format.key': ['json', 'BSON', 'schema', '', 'avro'],
  'output.format.value': ['json', 'BSON', 'Schema', '', 'avro'],
  'output.json.formatter': ['DefaultJson', 'ExtendedJson', 'SimplifiedJson']
    .map((name) => `${SOURCE}.json.formatter.${name}`)
    .concat('x.Nope', 'no class', ''),
  'output.schema.key': [RECORD, '{}', '"string"', 'x'],
  'output.schema.value': [
    RECORD,
    '{"type": "enum", "name": "E", "symbols": ["a"]}',
    RECORD.replace('"int"', '["int", "null"]'),
    RECORD.replace('"int"', '["int", "string"]'),
    RECORD.replace('"int"', '["int", "string", "null"]'),
    RECORD.replace('"int"', '{"type": "enum", "name": "E", "symbols": ["a"]}'),
    RECORD.replace('"int"', '{"type": "fixed", "name": "F", "size": 2}'),
    RECORD.replace('"int"', '{"type": "array", "items": {"type": "map", "values": "bytes"}}'),
    RECORD.replace('"int"', '"null"'),
    RECORD.replace('"int"', '"nope"'),
    RECORD.replace('"name": "R", ', ''),
    '[]',
  ],
  'startup.mode': ['latest', 'timestamp', 'copy_existing', 'COPY_EXISTING', '', 'earliest'],
  'startup.mode.timestamp.start.at.operation.time': [
    '',
    '0',
    '30',
    '2147483647',
    '-1',
    '1970-01-01T00:00:30Z',
    '1970-01-01T00:00:30',
    '1970-01-01',
    '{"$timestamp": {"t": 30, "i": 0}}',
    '{"a": 1}',
    'soon',
    '4294967296',
    '99999999999',
  ],
  'startup.mode.copy.existing.namespace.regex': ['', 'a.*', '('],
  'heartbeat.topic.name': ['', 'beats'],
  'offset.partition.name': ['', 'mine'],
  'errors.deadletterqueue.topic.name': ['', 'dead'],
  'mongo.errors.deadletterqueue.topic.name': ['', 'dead'],
  'mongo.errors.tolerance': TOLERANCES,
  'namespace.mapper': [
    `${SINK}.namespace.mapping.DefaultNamespaceMapper`,
    `${SINK}.namespace.mapping.FieldPathNamespaceMapper`,
    'x.Nope',
    '',
    'no class',
  ],
  'document.id.strategy': [
    'BsonOidStrategy',
    'KafkaMetaDataStrategy',
    'FullKeyStrategy',
    'PartialKeyStrategy',
    'PartialValueStrategy',
    'ProvidedInKeyStrategy',
    'ProvidedInValueStrategy',
    'UuidStrategy',
    'UuidProvidedInKeyStrategy',
    'UuidProvidedInValueStrategy',
  ]
    .map(ids)
    .concat('x.Nope', 'no class', ''),
  'document.id.strategy.uuid.format': ['string', 'BINARY', '', 'other'],
  'writemodel.strategy': [
    'DefaultWriteModelStrategy',
    'ReplaceOneDefaultStrategy',
    'UpdateOneTimestampsStrategy',
    'DeleteOneBusinessKeyStrategy',
  ]
    .map(models)
    .concat('x.Nope', 'no class', ''),
  'delete.writemodel.strategy': ['DeleteOneDefaultStrategy'].map(models).concat('x.Nope', 'no class', ''),
  'post.processor.chain': [
    '',
    `${SINK}.processor.DocumentIdAdder`,
    `${SINK}.processor.KafkaMetaAdder, ${SINK}.processor.DocumentIdAdder`,
    'x.Nope',
    'no class',
  ],
  'key.projection.type': PROJECTIONS,
  'value.projection.type': PROJECTIONS,
  'key.projection.list': ['', 'a', 'a,b.c , d.*'],
  'value.projection.list': ['', 'a', 'a,b.c , d.*'],
  'field.renamer.mapping': [
    '',
    '[]',
    '[{"oldName": "value.a", "newName": "b"}]',
    '[{"oldName": "value.a"}]',
    '[{}]',
    '{}',
    'x',
  ],
  'field.renamer.regexp': [
    '',
    '[]',
    '[{"regexp": "a", "pattern": "b", "replace": "c"}]',
    '[{"regexp": "(", "pattern": "b", "replace": "c"}]',
    '{}',
    'x',
  ],
  'change.data.capture.handler': [
    '',
    `${SINK}.cdc.mongodb.ChangeStreamHandler`,
    `${SINK}.cdc.debezium.rdbms.mysql.MysqlHandler`,
    'x.Nope',
    'no class',
  ],
  'timeseries.timefield': ['', 'at'],
  'timeseries.granularity': ['', 'none', 'SECONDS', 'minutes', 'hours', 'days'],
}

/** Options of several keys that have to fit each other. */
const TOGETHER: Readonly<Record<ConfigSide, readonly Options[]>> = {
  sink: [
    { 'delete.on.null.values': 'true', 'document.id.strategy': ids('FullKeyStrategy') },
    { 'delete.on.null.values': 'true', 'document.id.strategy': ids('UuidStrategy') },
    { 'delete.on.null.values': 'true', 'document.id.strategy': ids('UuidProvidedInKeyStrategy') },
    { 'document.id.strategy': ids('PartialKeyStrategy'), 'key.projection.type': 'allowlist' },
    { 'document.id.strategy': ids('PartialValueStrategy'), 'key.projection.type': 'allowlist' },
    {
      'document.id.strategy': ids('PartialValueStrategy'),
      'document.id.strategy.partial.value.projection.type': 'BlockList',
    },
    {
      'document.id.strategy': ids('PartialValueStrategy'),
      'document.id.strategy.partial.value.projection.type': 'none',
      'value.projection.type': 'allowlist',
    },
    { 'timeseries.metafield': 'm' },
    { 'timeseries.timefield.auto.convert': 'true' },
    { 'timeseries.expire.after.seconds': '5' },
    { 'timeseries.granularity': 'hours' },
    { 'topic.override.t.collection': 'x' },
    { 'topic.override.u.v.collection': 'x' },
    { 'topic.override.t.max.batch.size': 'x' },
    { 'topic.override.t.database': '' },
    { 'topic.override.t.document.id.strategy': 'x.Nope' },
    { 'topic.override.other.max.batch.size': '1' },
    { 'topic.override.t.connection.uri': 'mongodb://x' },
    { 'topic.override.t.nope': '1' },
    { 'errors.tolerance': 'all', 'mongo.errors.tolerance': 'none', 'errors.log.enable': 'true' },
    { 'connection.ssl.truststore': '/none.jks' },
    { 'mongo.custom.auth.mechanism.enable': 'true' },
  ],
  source: [
    { database: '', collection: 'a' },
    { database: '', collection: '' },
    { 'copy.existing': 'true', 'copy.existing.max.threads': '0' },
    { 'copy.existing.queue.size': '0' },
    { 'copy.existing.namespace.regex': '(' },
    { 'copy.existing.pipeline': 'x' },
    { 'copy.existing.allow.disk.use': 'x' },
    { 'startup.mode': 'timestamp', 'startup.mode.timestamp.start.at.operation.time': '' },
    { 'mongo.custom.auth.mechanism.enable': 'true' },
  ],
}

/** Keys that the original of this version does not have; it ignores them. */
export const ADDED: ReadonlySet<string> = new Set([
  'change.data.capture.handler.remove.null.values',
  'change.stream.show.expanded.events',
  'max.num.retries',
  'retries.defer.timeout',
])

/** All values of all options of a side, and options that belong together. */
export function configCases(side: ConfigSide): ConfigCase[] {
  const definition: ConfigDef = side === 'sink' ? sinkConfig : sourceConfig
  const single = Object.entries(definition)
    .filter(([key]) => !ADDED.has(key))
    .flatMap(([key, { type }]) =>
      (TEXTS[key] ?? BY_TYPE[type] ?? []).map((value) => ({ key, value, options: { [key]: value } })),
    )
  const several = TOGETHER[side].map((options) => {
    const key = Object.keys(options).join(', ')
    return { key, value: Object.values(options).join(', '), options }
  })
  return [...single, ...several].map(({ key, value, options }) => {
    return { kind: 'config', side, key, value, options: { ...BASES[side], ...options } }
  })
}
