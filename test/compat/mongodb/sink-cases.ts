import { seededRandom } from '../../../src/base/index.ts'
import { Generator } from '../generate.ts'
import type { RecordJson } from '../records.ts'
import { cdcHandlers } from './cdc-events.ts'
import { bsonOf, jsonDocument, NAMES, OBJECT_IDS, UUIDS } from './texts.ts'

type Options = Record<string, string>

/** Options of a sink and what it gets. */
export interface SinkCase {
  readonly kind: 'sink'
  readonly options: Readonly<Options>
  /** Whether there is a dead letter queue. */
  readonly hasQueue: boolean
  /** Records in the groups in which they are delivered. */
  readonly puts: readonly (readonly RecordJson[])[]
  /** The field that has a unique index in the collection of the configuration. */
  readonly unique: string | null
}

type Data = readonly [schema: unknown, value: unknown]

const SINK = 'com.mongodb.kafka.connect.sink'
const IDS = `${SINK}.processor.id.strategy`
const MODELS = `${SINK}.writemodel.strategy`
const ON_KEYS = ['FullKeyStrategy', 'PartialKeyStrategy', 'ProvidedInKeyStrategy', 'UuidProvidedInKeyStrategy']
const ID_STRATEGIES = [
  ...ON_KEYS,
  'BsonOidStrategy',
  'KafkaMetaDataStrategy',
  'PartialValueStrategy',
  'PartialValueStrategy',
  'ProvidedInValueStrategy',
  'UuidStrategy',
  'UuidProvidedInValueStrategy',
]
const WRITE_MODELS = [
  'DefaultWriteModelStrategy',
  'ReplaceOneDefaultStrategy',
  'ReplaceOneBusinessKeyStrategy',
  'UpdateOneDefaultStrategy',
  'UpdateOneTimestampsStrategy',
  'UpdateOneBusinessKeyTimestampStrategy',
  'InsertOneDefaultStrategy',
  'DeleteOneDefaultStrategy',
  'DeleteOneBusinessKeyStrategy',
]
const PROCESSORS = [
  'DocumentIdAdder',
  'DocumentIdAdder',
  'AllowListKeyProjector',
  'AllowListValueProjector',
  'BlockListKeyProjector',
  'BlockListValueProjector',
  'WhitelistValueProjector',
  'BlacklistValueProjector',
  'KafkaMetaAdder',
  'field.renaming.RenameByMapping',
  'field.renaming.RenameByRegExp',
]
const FIELDS = [
  'a',
  'b',
  'c',
  'u',
  'sub',
  'sub.a',
  'sub.b',
  'sub.sub',
  'sub.*',
  'sub.**',
  '*.a',
  '**',
  '*',
  '_id',
  'a.b',
  's*',
  'sub.a*',
]

/** So many cases; the same seed gives the same ones. `isLater`: with classes that later versions of the original have. */
export function sinkCases(seed: number, count: number, isLater = false): SinkCase[] {
  const g = new Generator(seededRandom(seed))
  return Array.from({ length: count }, (_, i) => {
    const c = sinkCase(g, `c${i}`)
    return isLater && c.options['change.data.capture.handler'] === undefined ? later(g, c) : c
  })
}

function later(g: Generator, c: SinkCase): SinkCase {
  const options: Options = { ...c.options }
  if (g.chance(0.3)) {
    const chain = options['post.processor.chain']
    const remover = `${SINK}.processor.NullFieldValueRemover`
    options['post.processor.chain'] = chain === undefined ? remover : `${chain},${remover}`
  }
  if (g.chance(0.3)) options['delete.writemodel.strategy'] = `${MODELS}.DeleteOneTombstoneBusinessKeyStrategy`
  return { ...c, options }
}

/** A case by chance. Everything that it writes is in databases whose names begin with `database`. */
function sinkCase(g: Generator, database: string): SinkCase {
  const hasHandler = g.chance(0.3)
  const handler = hasHandler ? g.pick(Object.keys(cdcHandlers)) : ''
  const options: Options = { topics: 't', database, ...tolerance(g) }
  if (g.chance(0.3)) options['collection'] = 'c'
  if (g.chance(0.3)) options['bulk.write.ordered'] = 'false'
  if (g.chance(0.2)) options['max.batch.size'] = g.pick(['1', '2'])
  if (hasHandler) {
    options['change.data.capture.handler'] = handler
  } else {
    Object.assign(options, idOptions(g), modelOptions(g), processing(g))
  }
  if (g.chance(0.15)) Object.assign(options, namespaces(g))
  const unique = !hasHandler && g.chance(0.15) ? 'u' : null
  let offset = 0
  const records = Array.from({ length: 3 + g.below(5) }, (): RecordJson => {
    const [key, value] = hasHandler ? cdcHandlers[handler]!(g) : [keyOf(g, database), valueOf(g, database)]
    return recordOf(key, value, offset++)
  })
  const isStrict = (options['mongo.errors.tolerance'] ?? options['errors.tolerance'] ?? 'none') === 'none'
  // A server may do the writes of an unordered bulk in any order.
  const isUnordered = options['bulk.write.ordered'] === 'false'
  const isOneByOne = isStrict || (isUnordered && g.chance(0.7)) || (unique !== null && g.chance(0.7))
  return {
    kind: 'sink',
    options,
    hasQueue: !isStrict,
    puts: isOneByOne ? records.map((one) => [one]) : groups(g, records),
    unique,
  }
}

function recordOf([keySchema, key]: Data, [valueSchema, value]: Data, offset: number): RecordJson {
  const timestamp = 1_700_000_000_000 + offset
  return { topic: 't', partition: 0, timestamp, offset, keySchema, key, valueSchema, value, headers: [] }
}

function groups<T>(g: Generator, items: readonly T[]): T[][] {
  const all: T[][] = []
  for (let at = 0; at < items.length; ) {
    const size = 1 + g.below(4)
    all.push(items.slice(at, at + size))
    at += size
  }
  return all
}

/** Without tolerance the first bad record ends a case, so most cases have it. */
function tolerance(g: Generator): Options {
  const roll = g.below(10)
  if (roll < 7) return { 'errors.tolerance': 'all' }
  if (roll < 8) return { 'errors.tolerance': 'all', 'mongo.errors.tolerance': g.pick(['none', 'data', 'all']) }
  if (roll < 9) return { 'errors.tolerance': 'none', 'mongo.errors.tolerance': g.pick(['data', 'all']) }
  return {}
}

function idOptions(g: Generator): Options {
  const options: Options = {}
  const strategy = g.pick(ID_STRATEGIES)
  if (strategy !== 'BsonOidStrategy' || g.chance(0.5)) options['document.id.strategy'] = `${IDS}.${strategy}`
  if (g.chance(0.4)) options['document.id.strategy.overwrite.existing'] = g.pick(['true', 'true', 'false'])
  if (strategy === 'UuidStrategy') options['document.id.strategy.uuid.format'] = g.pick(['string', 'binary', 'Binary'])
  for (const side of ['key', 'value']) {
    if (!strategy.toLowerCase().startsWith(`partial${side}`)) continue
    const prefix = g.chance(0.7) ? `document.id.strategy.partial.${side}` : side
    options[`${prefix}.projection.type`] = g.pick(['AllowList', 'allowlist', 'BlockList', 'blacklist', 'whitelist'])
    options[`${prefix}.projection.list`] = g.some(FIELDS, 3, 1).join(',')
  }
  return options
}

function modelOptions(g: Generator): Options {
  const options: Options = {}
  if (g.chance(0.7)) options['writemodel.strategy'] = `${MODELS}.${g.pick(WRITE_MODELS)}`
  if (g.chance(0.4)) options['delete.on.null.values'] = 'true'
  if (g.chance(0.2)) options['delete.writemodel.strategy'] = `${MODELS}.DeleteOneDefaultStrategy`
  return options
}

function processing(g: Generator): Options {
  const options: Options = {}
  if (g.chance(0.5)) {
    const chain = g.some(PROCESSORS, 4, 1)
    options['post.processor.chain'] = chain.map((name) => `${SINK}.processor.${name}`).join(',')
  }
  for (const side of ['key', 'value']) {
    if (g.chance(0.6)) continue
    options[`${side}.projection.type`] = g.pick(['none', 'allowlist', 'blocklist', 'Whitelist', 'BlackList'])
    options[`${side}.projection.list`] = g.some(FIELDS, 3, 1).join(',')
  }
  if (g.chance(0.4)) {
    const names = ['value.a', 'value.sub.a', 'key.a', 'value.b', 'value._id', 'a', 'value.sub']
    const entry = (): object => ({ oldName: g.pick(names), newName: g.pick(['x', 'b', 'y.z', 'c']) })
    options['field.renamer.mapping'] = JSON.stringify(Array.from({ length: 1 + g.below(2) }, entry))
  }
  if (g.chance(0.4)) {
    const entry = (): object => {
      const pattern = g.pick(['a', '[ab]', '^(.)', 'u.b', 'zz'])
      return {
        regexp: g.pick([String.raw`^value\..*$`, String.raw`^value\.sub\..*$`, '.*a.*', '^key.*$', 'value']),
        pattern,
        replace: g.pick(['x', '', pattern.includes('(') || g.chance(0.05) ? '$1$1' : '$0', 'b', String.raw`\$_`]),
      }
    }
    options['field.renamer.regexp'] = JSON.stringify(Array.from({ length: 1 + g.below(2) }, entry))
  }
  return options
}

function namespaces(g: Generator): Options {
  const options: Options = { 'namespace.mapper': `${SINK}.namespace.mapping.FieldPathNamespaceMapper` }
  for (const what of ['database', 'collection']) {
    for (const side of ['key', 'value']) {
      if (g.chance(0.25)) options[`namespace.mapper.${side}.${what}.field`] = g.pick(['ns', 'sub.ns', 'ns.db', 'a'])
    }
  }
  if (g.chance(0.5)) options['namespace.mapper.error.if.invalid'] = 'true'
  return options
}

const isolated = (g: Generator, database: string): string =>
  g.pick([`${database}x`, `${database}y`, `${database}.z`, '', `${database}-${'l'.repeat(60)}`])

function keyOf(g: Generator, database: string): Data {
  const roll = g.below(12)
  if (roll === 0) return [null, null]
  if (roll === 1) return [{ type: 'string', optional: false }, g.pick(['plain', '', '42', '[1]'])]
  if (roll === 2) return [{ type: 'int32', optional: false }, 7]
  return document(g, database, 0.5)
}

function valueOf(g: Generator, database: string): Data {
  const roll = g.below(20)
  if (roll < 2) return [null, null]
  if (roll === 2) return bad(g)
  return document(g, database, 0.25)
}

function bad(g: Generator): Data {
  switch (g.below(7)) {
    case 0:
      return [
        null,
        g.pick(['no json', '', '[1]', '"x"', '1', '{', '{"a": 1', '{"a": {"$oid": "zz"}}', 'null', '{a: 1}']),
      ]
    case 1:
      return [{ type: 'int32', optional: false }, 5]
    case 2:
      return [null, g.pick([1, true, 1.5])]
    case 3:
      return [null, [1, 2]]
    case 4:
      return [null, { $bytes: g.pick(['', '00', 'deadbeef', '0500000000', '0c0000001061000100000000']) }]
    case 5: {
      const keys = { type: 'int32', optional: false }
      return [{ type: 'map', optional: false, keys, values: { type: 'string', optional: false } }, [[1, 'x']]]
    }
    default:
      return [{ type: 'array', optional: false, items: { type: 'int32', optional: false } }, [1]]
  }
}

/** A document in one of the forms that sinks take; ids are few, so that records meet. */
function document(g: Generator, database: string, withId: number): Data {
  const roll = g.below(10)
  if (roll < 4) return structured(g, database, withId)
  if (roll < 6) return schemaless(g, database, withId)
  const more = g.chance(withId) ? [`"_id": ${g.pick(JSON_IDS)}`] : []
  if (g.chance(0.15)) more.push(`"ns": "${isolated(g, database)}"`)
  const json = jsonDocument(g, 0, more)
  const bson = roll === 9 ? bsonOf(json) : undefined
  if (bson === undefined) return [g.chance(0.5) ? null : { type: 'string', optional: false }, json]
  return g.chance(0.5) ? [null, { $bytes: bson }] : [{ type: 'bytes', optional: false }, bson]
}

const JSON_IDS = [
  '1',
  '"k"',
  '2',
  'null',
  '{"a": 1}',
  '{"a": {"b": 1}, "c": "x"}',
  `{"$oid": "${OBJECT_IDS[1]}"}`,
  `"${UUIDS[0]}"`,
  `"${UUIDS[1]}"`,
  '{"$binary": {"base64": "AAECAwQFBgcICQoLDA0ODw==", "subType": "04"}}',
] as const

function structured(g: Generator, database: string, withId: number): Data {
  const schema = g.struct(0, NAMES)
  const value = g.value({ ...schema, optional: false }) as Record<string, unknown>
  if (g.chance(withId)) {
    const isText = g.chance(0.5)
    schema.fields.push({ type: isText ? 'string' : 'int32', optional: true, field: '_id' })
    value['_id'] = isText ? g.pick(['k', UUIDS[0], UUIDS[1]]) : g.pick([1, 2, null])
  }
  replace(schema, value, 'u', { type: 'int32', optional: true }, g.pick([1, 2, 3, null]))
  if (g.chance(0.15)) replace(schema, value, 'ns', { type: 'string', optional: true }, isolated(g, database))
  return [schema, value]
}

function replace(schema: any, value: Record<string, unknown>, name: string, type: object, with_: unknown): void {
  const index = schema.fields.findIndex(({ field }: { field: string }) => field === name)
  if (index < 0) return
  schema.fields[index] = { ...type, field: name }
  value[name] = with_
}

function schemaless(g: Generator, database: string, withId: number): Data {
  const value: Record<string, unknown> = {}
  for (const name of NAMES) if (g.chance(0.5)) value[name] = g.schemaless(1)
  if ('u' in value) value['u'] = g.pick([1, 2, 3])
  if (g.chance(withId)) value['_id'] = g.pick([1, 2, 'k', UUIDS[0], UUIDS[1], { a: 1 }, { a: { b: 1 }, c: 'x' }])
  if (g.chance(0.15)) value['ns'] = isolated(g, database)
  return [null, value]
}
