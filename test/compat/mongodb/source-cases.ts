import { seededRandom } from '../../../src/base/index.ts'
import { Generator } from '../generate.ts'
import { jsonDocument, jsonValue, OBJECT_IDS } from './texts.ts'

type Options = Record<string, string>

/** Options of a source and what it reads. */
export interface SourceCase {
  readonly kind: 'source'
  readonly options: Readonly<Options>
  /** Extended JSON of what is in the collection of the configuration. */
  readonly documents: readonly string[]
  /** Whether the documents are copied; else each was inserted with an event in it that the pipeline brings forth. */
  readonly isCopy: boolean
}

/** The test server tells little of what happens, so events are inserted and taken out of their documents again. */
const UNWRAP = { $replaceRoot: { newRoot: { $mergeObjects: ['$fullDocument.event', { _id: '$_id' }] } } }
const FORMATTERS = ['DefaultJson', 'ExtendedJson', 'SimplifiedJson']
const PACKAGE = 'com.mongodb.kafka.connect.source.json.formatter'

/** So many cases; the same seed gives the same ones. */
export function sourceCases(seed: number, count: number): SourceCase[] {
  const g = new Generator(seededRandom(seed))
  return Array.from({ length: count }, (_, i) => sourceCase(g, `s${i}`))
}

function sourceCase(g: Generator, database: string): SourceCase {
  const isCopy = g.chance(0.15)
  const options: Options = { database, collection: 'c', 'poll.await.time.ms': '5', ...outputs(g), ...topics(g) }
  if (g.chance(0.3)) options['publish.full.document.only'] = 'true'
  if (g.chance(0.3)) options['publish.full.document.only.tombstone.on.delete'] = 'true'
  if (g.chance(0.2)) options['change.stream.document.key.as.key'] = 'false'
  if (g.chance(0.2)) options['poll.max.batch.size'] = g.pick(['1', '2', '3'])
  if (g.chance(0.2)) options['offset.partition.name'] = 'mine'
  if (g.chance(0.8)) Object.assign(options, tolerance(g))
  if (!isCopy && g.chance(0.2)) {
    options['heartbeat.interval.ms'] = '1'
    if (g.chance(0.5)) options['heartbeat.topic.name'] = 'beats'
  }
  const count = 1 + g.below(5)
  const events = Array.from({ length: count }, (_, n) =>
    isCopy ? copied(g, n) : `{"_id": ${n}, "event": ${event(g)}}`,
  )
  Object.assign(options, isCopy ? copying(g) : { pipeline: JSON.stringify([...filters(g), UNWRAP]) })
  // It has no place in a document.
  const documents = events.map((json) => json.replaceAll('9223372036854775808', '9223372036854775807'))
  return { kind: 'source', options, documents, isCopy }
}

function outputs(g: Generator): Options {
  const options: Options = {}
  if (g.chance(0.7)) options['output.format.key'] = g.pick(['json', 'bson', 'schema', 'Schema'])
  if (g.chance(0.8)) options['output.format.value'] = g.pick(['json', 'bson', 'schema', 'schema', 'schema', 'JSON'])
  if (g.chance(0.7)) options['output.json.formatter'] = `${PACKAGE}.${g.pick(FORMATTERS)}`
  if (g.chance(0.3)) options['output.schema.infer.value'] = 'true'
  if (g.chance(0.3)) options['output.schema.key'] = JSON.stringify(g.pick(KEY_SCHEMAS))
  if (g.chance(0.4)) options['output.schema.value'] = JSON.stringify(valueSchema(g))
  return options
}

const record = (name: string, fields: readonly object[]): object => ({ type: 'record', name, fields })
const maybe = (type: unknown): readonly unknown[] => [type, 'null']

const KEY_SCHEMAS = [
  record('Key', [{ name: 'documentKey._id', type: 'string' }]),
  record('Key', [{ name: '_id', type: 'string' }]),
  record('Key', [{ name: 'operationType', type: maybe('string') }]),
]

const TYPES: readonly unknown[] = ['string', 'string', 'int', 'long', 'float', 'double', 'boolean', 'bytes']
const LOGICAL = [
  { type: 'long', logicalType: 'timestamp-millis' },
  { type: 'int', logicalType: 'date' },
  { type: 'int', logicalType: 'time-millis' },
  { type: 'bytes', logicalType: 'decimal', precision: 10, scale: 2 },
]

/** The schema of a document or of a change event, that fits what is there or not. */
function valueSchema(g: Generator): object {
  const fields = ['a', 'b', 'c', 'u', 'ns', 'sub']
    .filter(() => g.chance(0.4))
    .map((name) => ({ name, ...fieldType(g) }))
  const whole = record('Whole', fields)
  if (g.chance(0.5)) return whole
  const choices = [
    { name: '_id', type: 'string' },
    { name: 'operationType', type: maybe('string') },
    { name: 'fullDocument', type: maybe(g.chance(0.5) ? 'string' : whole) },
    { name: 'fullDocument.a', type: maybe('string') },
    { name: 'ns', type: maybe(record('Ns', [{ name: 'db', type: 'string' }])) },
    { name: 'ns.db', type: 'string' },
    { name: 'documentKey', type: maybe({ type: 'map', values: 'string' }) },
    { name: 'clusterTime', type: maybe({ type: 'long', logicalType: 'timestamp-millis' }) },
    { name: 'none', type: 'string', default: 'there is none' },
    { name: 'few', type: 'int', default: 7 },
    { name: 'perhaps', type: maybe('string'), default: 'it is' },
  ]
  return {
    ...record(
      'Event',
      choices.filter(() => g.chance(0.5)),
    ),
    namespace: 'shop',
  }
}

function fieldType(g: Generator): object {
  const plain = g.chance(0.75) ? g.pick(TYPES) : g.pick(LOGICAL)
  const roll = g.below(8)
  if (roll === 0) return { type: { type: 'array', items: plain } }
  if (roll === 1) return { type: maybe({ type: 'map', values: maybe(plain) }) }
  return { type: roll < 6 ? maybe(plain) : plain }
}

function topics(g: Generator): Options {
  const options: Options = {}
  if (g.chance(0.4)) options['topic.prefix'] = 'pre'
  if (g.chance(0.3)) options['topic.suffix'] = 'post'
  if (g.chance(0.3)) options['topic.separator'] = g.pick(['-', '__'])
  if (g.chance(0.4)) options['topic.namespace.map'] = JSON.stringify(g.pick(MAPS))
  return options
}

const MAPS = [
  { shop: 'store' },
  { 'shop.orders': 'orders', '*': 'others' },
  { '*': '' },
  { '/shop\\..*': 'r-{db}{sep}{coll}', shop: 'plain' },
  { '/[a-z]+(\\.items)?': '{db}{sep_coll}', '*': 'rest' },
  { '/.*': '{coll_sep}x{sep_coll_sep}y', 'shop.items': '' },
]

function tolerance(g: Generator): Options {
  const options: Options = g.chance(0.7) ? { 'errors.tolerance': 'all' } : { 'mongo.errors.tolerance': 'all' }
  if (g.chance(0.7)) options['errors.deadletterqueue.topic.name'] = 'dead'
  if (g.chance(0.2)) options['mongo.errors.deadletterqueue.topic.name'] = 'deader'
  return options
}

function copying(g: Generator): Options {
  const options: Options = g.chance(0.7) ? { 'startup.mode': 'copy_existing' } : { 'copy.existing': 'true' }
  if (g.chance(0.3)) options['startup.mode.copy.existing.pipeline'] = '[{"$match": {"_id": {"$ne": 1}}}]'
  if (g.chance(0.2)) options['startup.mode.copy.existing.max.threads'] = '1'
  if (g.chance(0.3)) options['pipeline'] = '[{"$match": {"fullDocument._id": {"$ne": 2}}}]'
  return options
}

const filters = (g: Generator): object[] =>
  g.chance(0.2) ? [{ $match: { 'fullDocument.event.operationType': { $ne: 'update' } } }] : []

const IDS = [
  '"k"',
  `{"$oid": "${OBJECT_IDS[0]}"}`,
  '{"$numberLong": "7"}',
  '{"a": 1, "b": "x"}',
  '{"$date": 1700000000123}',
]

/** Ids are of one kind, so that both sides read them in one order. */
function copied(g: Generator, n: number): string {
  return jsonDocument(g, 0, [`"_id": ${n}`])
}

const UUID = '{"$binary": {"base64": "AAECAwQFBgcICQoLDA0ODw==", "subType": "04"}}'
const DIGEST = '{"$binary": {"base64": "47DEQpj8HBSa+/TImW+5JCeuQeRkm5NMpJWZG3hSuFU=", "subType": "00"}}'
const OPERATIONS = [
  'insert',
  'insert',
  'replace',
  'update',
  'update',
  'delete',
  'delete',
  'drop',
  'rename',
  'dropDatabase',
]

function event(g: Generator): string {
  const operation = g.pick(OPERATIONS)
  const id = g.pick(IDS)
  const isOfDocument = ['insert', 'replace', 'update', 'delete'].includes(operation)
  const members: [string, string][] = [['operationType', `"${operation}"`]]
  if (g.chance(0.8)) members.push(['clusterTime', '{"$timestamp": {"t": 1700000000, "i": 1}}'])
  if (g.chance(0.2)) members.push(['wallTime', '{"$date": 1700000000123}'])
  if (g.chance(0.1)) members.push(['txnNumber', '{"$numberLong": "3"}'], ['lsid', `{"id": ${UUID}, "uid": ${DIGEST}}`])
  if (isOfDocument && operation !== 'delete' && g.chance(0.85)) {
    members.push(['fullDocument', g.chance(0.9) ? jsonDocument(g, 0, [`"_id": ${id}`]) : 'null'])
  }
  if (isOfDocument && g.chance(0.1)) members.push(['fullDocumentBeforeChange', jsonDocument(g)])
  if (g.chance(0.95)) members.push(['ns', namespace(g, operation === 'dropDatabase')])
  if (operation === 'rename') members.push(['to', namespace(g, false)])
  if (isOfDocument && g.chance(0.95)) members.push(['documentKey', `{"_id": ${id}}`])
  if (operation === 'update') {
    const cut = g.chance(0.5) ? ', "truncatedArrays": [{"field": "b", "newSize": 2}]' : ''
    members.push(['updateDescription', `{"updatedFields": {"a": ${jsonValue(g)}}, "removedFields": ["c"]${cut}}`])
  }
  return `{${members.map(([name, json]) => `"${name}": ${json}`).join(', ')}}`
}

function namespace(g: Generator, isDatabase: boolean): string {
  const db = g.pick(['shop', 'shop', 'other', 'b1'])
  return isDatabase ? `{"db": "${db}"}` : `{"db": "${db}", "coll": "${g.pick(['orders', 'items', 'x.y'])}"}`
}
