import { type ConfigDef, defineConfig, type Parsed } from '@millrace/sdk'
import { oneOfClasses, simpleName } from './class-names.ts'
import { connectionConfig } from './connection.ts'
import { databaseProblem } from './names.ts'
import {
  cdcHandlerProblem,
  ID_STRATEGIES,
  KEY_STRATEGIES,
  NAMESPACE_MAPPERS,
  POST_PROCESSORS,
  WRITE_MODELS,
} from './sink-names.ts'
import { dateReader, ISO_FORMATS } from './date-reader.ts'
import { renamingByMapping, renamingByRegex } from './renaming.ts'

type All = Readonly<Record<string, unknown>>

const sinkKeys = {
  database: {
    type: 'string',
    nonEmpty: true,
    importance: 'high',
    doc: 'The database to write to. Required, also where a mapper finds another one for some records.',
    validate: databaseProblem,
    example: 'shop',
    group: 'Namespace',
    displayName: 'Database',
  },
  collection: {
    type: 'string',
    default: '',
    importance: 'high',
    doc: 'The collection to write to. Empty: the collection has the name of the topic.',
    group: 'Namespace',
    displayName: 'Collection',
  },
  'namespace.mapper': {
    type: 'string',
    default: 'DefaultNamespaceMapper',
    importance: 'low',
    doc:
      'How the place of a record is found: DefaultNamespaceMapper (database and collection), or ' +
      'FieldPathNamespaceMapper (fields of key or value).',
    validate: (name: string, all: All) => oneOfClasses(NAMESPACE_MAPPERS)(name) ?? mapperProblem(name, all),
    group: 'Namespace',
    displayName: 'Mapper',
  },
  'namespace.mapper.key.database.field': {
    type: 'string',
    default: '',
    importance: 'low',
    doc: 'The path of the field of the key that names the database.',
    group: 'Namespace',
    displayName: 'Database from key',
  },
  'namespace.mapper.key.collection.field': {
    type: 'string',
    default: '',
    importance: 'low',
    doc: 'The path of the field of the key that names the collection.',
    group: 'Namespace',
    displayName: 'Collection from key',
  },
  'namespace.mapper.value.database.field': {
    type: 'string',
    default: '',
    importance: 'low',
    doc: 'The path of the field of the value that names the database.',
    group: 'Namespace',
    displayName: 'Database from value',
  },
  'namespace.mapper.value.collection.field': {
    type: 'string',
    default: '',
    importance: 'low',
    doc: 'The path of the field of the value that names the collection.',
    group: 'Namespace',
    displayName: 'Collection from value',
  },
  'namespace.mapper.error.if.invalid': {
    type: 'boolean',
    default: false,
    importance: 'low',
    doc: 'Whether a record whose field names no place is an error. Otherwise it goes to database and collection.',
    group: 'Namespace',
    displayName: 'Error if invalid',
  },
  'document.id.strategy': {
    type: 'string',
    default: 'BsonOidStrategy',
    importance: 'high',
    doc:
      'How the _id of a document is made. Names may be written with or without their Java package. With ' +
      'KafkaMetaDataStrategy or ids from keys or values, records that are delivered twice are stored once.',
    validate: (name: string, all: All) => oneOfClasses(ID_STRATEGIES)(name) ?? partialProblem(name, all),
    group: 'Ids',
    displayName: 'Id strategy',
  },
  'document.id.strategy.overwrite.existing': {
    type: 'boolean',
    default: false,
    importance: 'low',
    doc: 'Whether an _id that the value has already is replaced.',
    group: 'Ids',
    displayName: 'Overwrite ids',
  },
  'document.id.strategy.uuid.format': {
    type: 'string',
    default: 'string',
    oneOf: ['string', 'binary'],
    ignoreCase: true,
    importance: 'low',
    doc: 'How UuidStrategy stores ids.',
    group: 'Ids',
    displayName: 'UUID format',
  },
  'document.id.strategy.partial.key.projection.type': {
    type: 'string',
    default: '',
    oneOf: ['', 'allowlist', 'blocklist', 'whitelist', 'blacklist'],
    ignoreCase: true,
    importance: 'low',
    doc: 'What the list does to the key that the id is made of. Empty: as key.projection.type says.',
    group: 'Ids',
    displayName: 'Partial key: type',
  },
  'document.id.strategy.partial.key.projection.list': {
    type: 'list',
    default: [] as readonly string[],
    importance: 'low',
    doc: 'The fields of the key that make the id, or that are left out of it.',
    group: 'Ids',
    displayName: 'Partial key: fields',
  },
  'document.id.strategy.partial.value.projection.type': {
    type: 'string',
    default: '',
    oneOf: ['', 'allowlist', 'blocklist', 'whitelist', 'blacklist'],
    ignoreCase: true,
    importance: 'low',
    doc: 'What the list does to the value that the id is made of. Empty: as value.projection.type says.',
    group: 'Ids',
    displayName: 'Partial value: type',
  },
  'document.id.strategy.partial.value.projection.list': {
    type: 'list',
    default: [] as readonly string[],
    importance: 'low',
    doc: 'The fields of the value that make the id, or that are left out of it.',
    group: 'Ids',
    displayName: 'Partial value: fields',
  },
  'writemodel.strategy': {
    type: 'string',
    default: 'DefaultWriteModelStrategy',
    importance: 'low',
    doc:
      'What is done for a record. DefaultWriteModelStrategy replaces the document of the _id or inserts it; it ' +
      'only inserts into time series.',
    validate: (name: string, all: All) => oneOfClasses(WRITE_MODELS)(name) ?? tombstoneProblem(name, all),
    group: 'Writes',
    displayName: 'Write model',
  },
  'delete.on.null.values': {
    type: 'boolean',
    default: false,
    importance: 'low',
    doc:
      'Whether a record without value deletes a document. Needs an id strategy that works on keys. Otherwise ' +
      'such a record cannot be written.',
    validate: deletesProblem,
    group: 'Writes',
    displayName: 'Delete on null',
  },
  'delete.writemodel.strategy': {
    type: 'string',
    default: 'DeleteOneDefaultStrategy',
    importance: 'low',
    doc:
      'What a record without value does: deletes the document of its id (DeleteOneDefaultStrategy) or the one ' +
      'that the part of its key describes which PartialKeyStrategy takes (DeleteOneTombstoneBusinessKeyStrategy).',
    validate: (name: string, all: All) =>
      oneOfClasses(['DeleteOneDefaultStrategy', 'DeleteOneTombstoneBusinessKeyStrategy'])(name) ??
      (all['delete.on.null.values'] === true ? tombstoneProblem(name, all) : undefined),
    group: 'Writes',
    displayName: 'Delete model',
  },
  'max.batch.size': {
    type: 'int',
    default: 0,
    min: 0,
    importance: 'low',
    doc: 'The most records in one bulk write; 0: 1000.',
    group: 'Writes',
    displayName: 'Batch size',
  },
  'bulk.write.ordered': {
    type: 'boolean',
    default: true,
    importance: 'low',
    doc:
      'Whether the writes of a bulk are done one after the other. Otherwise the server may do them side by ' +
      'side; the order of the records of one document is kept with both.',
    group: 'Writes',
    displayName: 'Ordered bulk writes',
  },
  'rate.limiting.timeout': {
    type: 'int',
    default: 0,
    min: 0,
    importance: 'low',
    doc: 'How long the task pauses after some bulk writes, in milliseconds.',
    group: 'Writes',
    displayName: 'Rate limit: pause (ms)',
  },
  'rate.limiting.every.n': {
    type: 'int',
    default: 0,
    min: 0,
    importance: 'low',
    doc: 'After how many bulk writes the task pauses; 0: never.',
    group: 'Writes',
    displayName: 'Rate limit: every',
  },
  'max.num.retries': {
    type: 'int',
    default: 5,
    min: 0,
    importance: 'low',
    doc:
      'How often a bulk write that failed for a passing reason is tried again before the task fails. An ' +
      'addition of Millrace; the original leaves retries to its driver.',
    group: 'Writes',
    displayName: 'Retries',
  },
  'retries.defer.timeout': {
    type: 'int',
    default: 1000,
    min: 0,
    importance: 'low',
    doc:
      'The wait before the first of these retries, in milliseconds; it doubles with each further one, up to a ' +
      'minute.',
    group: 'Writes',
    displayName: 'Retry back-off (ms)',
  },
  'post.processor.chain': {
    type: 'list',
    default: ['DocumentIdAdder'] as readonly string[],
    importance: 'low',
    doc: 'What is done to a document before it is written, in this order. DocumentIdAdder comes first where it is not named.',
    validate: processorsProblem,
    group: 'Post processing',
    displayName: 'Post processors',
  },
  'key.projection.type': {
    type: 'string',
    default: 'none',
    oneOf: ['none', 'allowlist', 'blocklist', 'whitelist', 'blacklist'],
    ignoreCase: true,
    importance: 'low',
    doc:
      'What the list does to the key that PartialKeyStrategy makes an id of: keeps its fields (allowlist) or ' +
      'removes them (blocklist). A projector in the chain goes by its own name.',
    group: 'Post processing',
    displayName: 'Key projection',
  },
  'key.projection.list': {
    type: 'list',
    default: [] as readonly string[],
    importance: 'low',
    doc:
      'Names of fields, with dots for fields within documents; * is any name at its level, a* any that begins ' +
      'with a, ** everything from there on.',
    group: 'Post processing',
    displayName: 'Key fields',
  },
  'value.projection.type': {
    type: 'string',
    default: 'none',
    oneOf: ['none', 'allowlist', 'blocklist', 'whitelist', 'blacklist'],
    ignoreCase: true,
    importance: 'low',
    doc:
      'What the list does to the value that PartialValueStrategy makes an id of: keeps its fields (allowlist) or ' +
      'removes them (blocklist). A projector in the chain goes by its own name.',
    group: 'Post processing',
    displayName: 'Value projection',
  },
  'value.projection.list': {
    type: 'list',
    default: [] as readonly string[],
    importance: 'low',
    doc:
      'Names of fields, with dots for fields within documents; * is any name at its level, a* any that begins ' +
      'with a, ** everything from there on.',
    group: 'Post processing',
    displayName: 'Value fields',
  },
  'field.renamer.mapping': {
    type: 'string',
    default: '[]',
    importance: 'low',
    doc: 'For RenameByMapping: a JSON array of {"oldName": "value.a", "newName": "b"}.',
    validate: (text: string) => problemOf(() => renamingByMapping(text)),
    group: 'Post processing',
    displayName: 'Renamed fields',
  },
  'field.renamer.regexp': {
    type: 'string',
    default: '[]',
    importance: 'low',
    doc:
      'For RenameByRegExp: a JSON array of {"regexp": "^value\\\\..*$", "pattern": "_", "replace": "-"}; the ' +
      'pattern is replaced in names of fields whose path matches, by each entry in turn.',
    validate: (text: string) => problemOf(() => renamingByRegex(text)),
    group: 'Post processing',
    displayName: 'Renamed by pattern',
  },
  'change.data.capture.handler': {
    type: 'string',
    default: '',
    importance: 'low',
    doc:
      'The class that turns change events into writes: of Debezium for MongoDB, MySQL, Postgres and others, or ' +
      'of MongoDB change streams. Ids, post processors and write models do not apply then.',
    validate: cdcHandlerProblem,
    group: 'Change events',
    displayName: 'Change event handler',
  },
  'change.data.capture.handler.remove.null.values': {
    type: 'boolean',
    default: false,
    importance: 'low',
    doc: 'Whether fields that are null are left out of documents that come from change events.',
    group: 'Change events',
    displayName: 'Remove nulls',
  },
  'timeseries.timefield': {
    type: 'string',
    default: '',
    importance: 'low',
    doc:
      'The field with the time. Set: collections that are missing are made as time series, and documents are ' +
      'only inserted.',
    validate: timeSeriesProblem,
    group: 'Time series',
    displayName: 'Time field',
  },
  'timeseries.metafield': {
    type: 'string',
    default: '',
    importance: 'low',
    doc: 'The field that says what is measured.',
    validate: needsTimeField,
    group: 'Time series',
    displayName: 'Meta field',
  },
  'timeseries.expire.after.seconds': {
    type: 'long',
    default: 0,
    min: 0,
    importance: 'low',
    doc: 'After how many seconds documents are removed; 0: never.',
    validate: needsTimeField,
    group: 'Time series',
    displayName: 'Expire after (s)',
  },
  'timeseries.granularity': {
    type: 'string',
    default: '',
    oneOf: ['', 'seconds', 'minutes', 'hours'],
    ignoreCase: true,
    importance: 'low',
    doc: 'About how far apart the times of one thing are. Empty: the server decides.',
    validate: needsTimeField,
    group: 'Time series',
    displayName: 'Granularity',
  },
  'timeseries.timefield.auto.convert': {
    type: 'boolean',
    default: false,
    importance: 'low',
    doc: 'Whether a time field of milliseconds or text is made a date.',
    validate: needsTimeField,
    group: 'Time series',
    displayName: 'Convert time field',
  },
  'timeseries.timefield.auto.convert.date.format': {
    type: 'string',
    default: ISO_FORMATS,
    importance: 'low',
    doc:
      'How texts are read: a pattern of digits such as yyyy-MM-dd HH:mm:ss. The default reads ISO 8601 dates ' +
      'and times, without zone as UTC.',
    validate: formatProblem,
    group: 'Time series',
    displayName: 'Date format',
  },
  'timeseries.timefield.auto.convert.locale.language.tag': {
    type: 'string',
    default: '',
    importance: 'low',
    doc: 'Refused unless empty: names of months and days are not read, so no language matters.',
    validate: (tag: string) =>
      tag === ''
        ? undefined
        : 'names of months and days are not supported; use a pattern of digits and leave the language out',
    group: 'Time series',
    displayName: 'Language',
  },
  'mongo.errors.tolerance': {
    type: 'string',
    default: '',
    oneOf: ['', 'none', 'all', 'data'],
    ignoreCase: true,
    importance: 'low',
    doc:
      'What happens with records that cannot be written: none fails the task, all and data report and skip them. A ' +
      'server that cannot be reached is never a reason to skip. Empty: as errors.tolerance says.',
    group: 'Errors',
    displayName: 'Tolerance',
  },
  'mongo.errors.log.enable': {
    type: 'boolean',
    default: false,
    importance: 'low',
    doc: 'Whether records that are skipped are told in the log.',
    group: 'Errors',
    displayName: 'Log errors',
  },
} as const satisfies ConfigDef

/** An id of a part needs to be told which part. */
function partialProblem(name: string, all: All): string | undefined {
  const side = { PartialKeyStrategy: 'key', PartialValueStrategy: 'value' }[simpleName(name)]
  if (side === undefined) return undefined
  const own = `document.id.strategy.partial.${side}.projection.type`
  const type = String(all[own] || all[`${side}.projection.type`]).toLowerCase()
  return type === 'none' ? `needs ${own}: allowlist or blocklist` : undefined
}

/** The fields that FieldPathNamespaceMapper needs: some, and none of key and value for the same thing. */
function mapperProblem(name: string, all: All): string | undefined {
  if (simpleName(name) !== 'FieldPathNamespaceMapper') return undefined
  const isSet = (side: string, what: string): boolean => (all[`namespace.mapper.${side}.${what}.field`] ?? '') !== ''
  for (const what of ['database', 'collection']) {
    if (!isSet('key', what) || !isSet('value', what)) continue
    return `needs either namespace.mapper.key.${what}.field or namespace.mapper.value.${what}.field, not both`
  }
  const hasField = ['database', 'collection'].some((what) => isSet('key', what) || isSet('value', what))
  return hasField ? undefined : 'needs a field, such as namespace.mapper.value.collection.field'
}

function processorsProblem(chain: readonly string[]): string | undefined {
  if (chain.some((entry) => simpleName(entry) === 'FieldValueTransformPostProcessor')) {
    return 'FieldValueTransformPostProcessor runs a class written in Java; use a transformation of the connector instead'
  }
  return chain.map(oneOfClasses(POST_PROCESSORS)).find((problem) => problem !== undefined)
}

function formatProblem(format: string): string | undefined {
  return problemOf(() => dateReader(format))
}

function problemOf(check: () => unknown): string | undefined {
  try {
    check()
    return undefined
  } catch (error) {
    return (error as Error).message
  }
}

/** The simple name of the class that a key names, which may not be set. */
function classIn(all: All, key: string): string {
  const name = all[key]
  return typeof name === 'string' ? simpleName(name) : ''
}

function tombstoneProblem(name: string, all: All): string | undefined {
  if (simpleName(name) !== 'DeleteOneTombstoneBusinessKeyStrategy') return undefined
  const isPartial = classIn(all, 'document.id.strategy') === 'PartialKeyStrategy'
  return isPartial ? undefined : 'needs document.id.strategy=PartialKeyStrategy, which says what the business key is'
}

function deletesProblem(deletes: boolean, all: All): string | undefined {
  if (!deletes || classIn(all, 'delete.writemodel.strategy') === 'DeleteOneTombstoneBusinessKeyStrategy')
    return undefined
  return KEY_STRATEGIES.has(classIn(all, 'document.id.strategy'))
    ? undefined
    : `needs a document.id.strategy of the key: ${[...KEY_STRATEGIES].join(', ')}`
}

function timeSeriesProblem(field: string, all: All): string | undefined {
  if (field === '') return undefined
  const model = classIn(all, 'writemodel.strategy')
  if (!['', 'DefaultWriteModelStrategy', 'InsertOneDefaultStrategy'].includes(model)) {
    return `documents of a time series are only inserted, so writemodel.strategy=${model} cannot be used`
  }
  if (all['delete.on.null.values'] === true)
    return 'documents of a time series are only inserted; leave delete.on.null.values out'
  return (all['change.data.capture.handler'] ?? '') === ''
    ? undefined
    : 'documents of a time series are only inserted; leave change.data.capture.handler out'
}

function needsTimeField(value: unknown, all: All): string | undefined {
  const isSet = value !== '' && value !== 0 && value !== false
  return isSet && (all['timeseries.timefield'] ?? '') === '' ? 'needs timeseries.timefield' : undefined
}

/** Records of a bulk write where `max.batch.size` does not say. */
export const BULK_RECORDS = 1000

/** The configuration of the sink. `topic.override.<topic>.<key>` sets all but the connection for one topic. */
export const sinkConfig = defineConfig({ ...connectionConfig, ...sinkKeys })

export type MongoSinkConfig = Parsed<typeof sinkConfig>
