import { compileRegex, type ConfigDef, defineConfig, type Parsed, type RawConfig } from '@millrace/sdk'
import { avroSchemaOf } from './avro-schema.ts'
import { oneOfClasses } from './class-names.ts'
import { connectionConfig } from './connection.ts'
import { documentProblem, pipelineProblem } from './pipeline-text.ts'
import { operationTimeProblem } from './operation-time.ts'
import { parseNamespaceMap } from './topic-mapper.ts'

type All = Readonly<Record<string, unknown>>

export const JSON_FORMATTERS = ['DefaultJson', 'ExtendedJson', 'SimplifiedJson'] as const

const sourceKeys = {
  database: {
    type: 'string',
    default: '',
    importance: 'high',
    doc: 'The database to watch. Empty: all databases.',
    example: 'shop',
    group: 'What is read',
    displayName: 'Database',
  },
  collection: {
    type: 'string',
    default: '',
    importance: 'high',
    doc: 'The collection to watch. Empty: all collections of the database.',
    validate: (name: string, all: All) =>
      name !== '' && (all['database'] ?? '') === '' ? 'needs database' : undefined,
    group: 'What is read',
    displayName: 'Collection',
  },
  pipeline: {
    type: 'string',
    default: '[]',
    importance: 'low',
    doc: 'A JSON array of aggregation stages that change events go through.',
    validate: pipelineProblem,
    example: '[{"$match": {"operationType": "insert"}}]',
    group: 'What is read',
    displayName: 'Pipeline',
  },
  collation: {
    type: 'string',
    default: '',
    importance: 'low',
    doc: 'A JSON document with the collation of the pipeline.',
    validate: documentProblem,
    group: 'What is read',
    displayName: 'Collation',
  },
  'batch.size': {
    type: 'int',
    default: 0,
    min: 0,
    importance: 'low',
    doc: 'The most events that the server sends at a time; 0: poll.max.batch.size.',
    group: 'What is read',
    displayName: 'Cursor batch size',
  },
  'change.stream.full.document': {
    type: 'string',
    default: '',
    oneOf: ['', 'default', 'updateLookup', 'whenAvailable', 'required'],
    importance: 'medium',
    doc:
      'Whole documents for updates: updateLookup (as they are by then), whenAvailable and required ' +
      '(post-images). Empty: as default, none.',
    group: 'What is read',
    displayName: 'Full document',
  },
  'change.stream.full.document.before.change': {
    type: 'string',
    default: '',
    oneOf: ['', 'default', 'off', 'whenAvailable', 'required'],
    importance: 'low',
    doc: 'Documents as they were before (MongoDB 6.0 and later).',
    group: 'What is read',
    displayName: 'Document before the change',
  },
  'change.stream.show.expanded.events': {
    type: 'boolean',
    default: false,
    importance: 'low',
    doc: 'Whether events of collections and indexes are read too (MongoDB 6.0 and later).',
    group: 'What is read',
    displayName: 'Expanded events',
  },
  'change.stream.document.key.as.key': {
    type: 'boolean',
    default: true,
    importance: 'low',
    doc: 'Whether keys are the _id of the document; otherwise, and for events without document, the resume token.',
    group: 'Records',
    displayName: 'Document key as key',
  },
  'publish.full.document.only': {
    type: 'boolean',
    default: false,
    importance: 'medium',
    doc:
      'Whether values are the documents alone instead of the change events; asks for updateLookup where no ' +
      'other full document is asked for.',
    group: 'Records',
    displayName: 'Only documents',
  },
  'publish.full.document.only.tombstone.on.delete': {
    type: 'boolean',
    default: false,
    importance: 'low',
    doc: 'With publish.full.document.only: whether deletes become records without value; otherwise they are left out.',
    group: 'Records',
    displayName: 'Tombstones',
  },
  'output.format.key': {
    type: 'string',
    default: 'json',
    oneOf: ['json', 'bson', 'schema'],
    ignoreCase: true,
    importance: 'low',
    doc: 'json (extended JSON text), bson (bytes) or schema (a struct).',
    group: 'Records',
    displayName: 'Key format',
  },
  'output.format.value': {
    type: 'string',
    default: 'json',
    oneOf: ['json', 'bson', 'schema'],
    ignoreCase: true,
    importance: 'medium',
    doc: 'json (extended JSON text), bson (bytes) or schema (a struct).',
    group: 'Records',
    displayName: 'Value format',
  },
  'output.json.formatter': {
    type: 'string',
    default: 'DefaultJson',
    importance: 'low',
    doc: 'How json writes the types of BSON: DefaultJson, ExtendedJson (canonical) or SimplifiedJson (plain values).',
    validate: oneOfClasses(JSON_FORMATTERS),
    group: 'Records',
    displayName: 'JSON formatter',
  },
  'output.schema.key': {
    type: 'string',
    default: '',
    importance: 'low',
    doc: 'With output.format.key=schema: an Avro schema as JSON. Empty: a record with the field _id as text.',
    validate: problem(avroSchemaOf),
    group: 'Records',
    displayName: 'Key schema',
  },
  'output.schema.value': {
    type: 'string',
    default: '',
    importance: 'low',
    doc:
      'With output.format.value=schema: an Avro schema as JSON. Empty: the schema of change events, with ' +
      'documents as text.',
    validate: problem(avroSchemaOf),
    group: 'Records',
    displayName: 'Value schema',
  },
  'output.schema.infer.value': {
    type: 'boolean',
    default: false,
    importance: 'low',
    doc: 'With output.format.value=schema: whether each value has the schema that its document shows.',
    group: 'Records',
    displayName: 'Infer schemas',
  },
  'topic.prefix': {
    type: 'string',
    default: '',
    importance: 'low',
    doc: 'Before the namespace in names of topics.',
    group: 'Topics',
    displayName: 'Prefix',
  },
  'topic.suffix': {
    type: 'string',
    default: '',
    importance: 'low',
    doc: 'After the namespace in names of topics.',
    group: 'Topics',
    displayName: 'Suffix',
  },
  'topic.separator': {
    type: 'string',
    default: '.',
    importance: 'low',
    doc: 'Between the parts of names of topics.',
    group: 'Topics',
    displayName: 'Separator',
  },
  'topic.namespace.map': {
    type: 'string',
    default: '',
    importance: 'low',
    doc:
      'A JSON document from namespaces to topics: "db", "db.collection", "/regular expression/" or "*" for all ' +
      'others.',
    validate: problem(parseNamespaceMap),
    example: '{"shop.orders": "orders", "*": "others"}',
    group: 'Topics',
    displayName: 'Namespaces',
  },
  'topic.mapper': {
    type: 'string',
    default: 'DefaultTopicMapper',
    importance: 'low',
    doc: 'Only DefaultTopicMapper: other classes are written in Java.',
    validate: oneOfClasses(['DefaultTopicMapper']),
    group: 'Topics',
    displayName: 'Mapper',
  },
  'startup.mode': {
    type: 'string',
    default: 'latest',
    oneOf: ['', 'latest', 'timestamp', 'copy_existing'],
    ignoreCase: true,
    importance: 'high',
    doc:
      'Where reading starts when there is no offset: latest, timestamp, or copy_existing (what is there first, ' +
      'then changes). Empty: latest.',
    group: 'Start',
    displayName: 'Startup mode',
  },
  'startup.mode.timestamp.start.at.operation.time': {
    type: 'string',
    default: '',
    importance: 'low',
    doc: 'With startup.mode=timestamp: seconds since 1970, an ISO 8601 time, or extended JSON of a timestamp.',
    validate: operationTimeProblem,
    group: 'Start',
    displayName: 'Start at',
  },
  'startup.mode.copy.existing.max.threads': {
    type: 'int',
    default: 4,
    min: 1,
    importance: 'low',
    doc: 'How many collections are copied at a time.',
    aliases: ['copy.existing.max.threads'],
    group: 'Start',
    displayName: 'Copied at a time',
  },
  'startup.mode.copy.existing.queue.size': {
    type: 'int',
    default: 16000,
    min: 1,
    importance: 'low',
    doc: 'The most documents of a copy in memory, shared by the collections that are copied at a time.',
    aliases: ['copy.existing.queue.size'],
    group: 'Start',
    displayName: 'Copy queue',
  },
  'startup.mode.copy.existing.pipeline': {
    type: 'string',
    default: '',
    importance: 'low',
    doc: 'A JSON array of aggregation stages that documents go through while they are copied.',
    validate: pipelineProblem,
    aliases: ['copy.existing.pipeline'],
    group: 'Start',
    displayName: 'Copy pipeline',
  },
  'startup.mode.copy.existing.namespace.regex': {
    type: 'string',
    default: '',
    importance: 'low',
    doc: 'A regular expression for the namespaces (database.collection) that are copied. Empty: all.',
    validate: problem(compileRegex),
    aliases: ['copy.existing.namespace.regex'],
    group: 'Start',
    displayName: 'Copied namespaces',
  },
  'startup.mode.copy.existing.allow.disk.use': {
    type: 'boolean',
    default: true,
    importance: 'low',
    doc: 'Whether the aggregation of the copy may write temporary files on the server.',
    aliases: ['copy.existing.allow.disk.use'],
    group: 'Start',
    displayName: 'Copy may use disk',
  },
  'copy.existing': {
    type: 'boolean',
    default: false,
    importance: 'low',
    doc: 'The older form of startup.mode=copy_existing.',
    group: 'Start',
    displayName: 'Copy existing',
  },
  'poll.max.batch.size': {
    type: 'int',
    default: 1000,
    min: 1,
    importance: 'low',
    doc: 'The most records of one poll.',
    group: 'Reading',
    displayName: 'Poll batch size',
  },
  'poll.await.time.ms': {
    type: 'long',
    default: 5000,
    min: 1,
    importance: 'low',
    doc: 'How long a poll waits for events, in milliseconds.',
    group: 'Reading',
    displayName: 'Poll wait (ms)',
  },
  'heartbeat.interval.ms': {
    type: 'long',
    default: 0,
    min: 0,
    importance: 'low',
    doc:
      'After how long without events a record with the resume token goes to the heartbeat topic, in ' +
      'milliseconds; 0: never. It keeps the offset from falling out of the oplog.',
    group: 'Reading',
    displayName: 'Heartbeat interval (ms)',
  },
  'heartbeat.topic.name': {
    type: 'string',
    default: '__mongodb_heartbeats',
    nonEmpty: true,
    importance: 'low',
    doc: 'The topic of heartbeats.',
    group: 'Reading',
    displayName: 'Heartbeat topic',
  },
  'offset.partition.name': {
    type: 'string',
    default: '',
    importance: 'low',
    doc:
      'Under which name offsets are kept. Empty: made of hosts, database and collection. Another name forgets ' +
      'the offset.',
    group: 'Reading',
    displayName: 'Offset name',
  },
  'mongo.errors.tolerance': {
    type: 'string',
    default: '',
    oneOf: ['', 'none', 'all'],
    ignoreCase: true,
    importance: 'low',
    doc:
      'What happens with documents that cannot be converted, and when the resume token is lost: none fails the ' +
      'task, all goes on. Empty: as errors.tolerance says.',
    group: 'Errors',
    displayName: 'Tolerance',
  },
  'mongo.errors.log.enable': {
    type: 'boolean',
    default: false,
    importance: 'low',
    doc: 'Whether documents that are skipped are told in the log.',
    group: 'Errors',
    displayName: 'Log errors',
  },
  'errors.deadletterqueue.topic.name': {
    type: 'string',
    default: '',
    importance: 'low',
    doc:
      'The topic for documents that cannot be converted, as extended JSON. Empty: with tolerance all they are ' +
      'left out.',
    group: 'Errors',
    displayName: 'Dead letter topic',
  },
  'mongo.errors.deadletterqueue.topic.name': {
    type: 'string',
    default: '',
    importance: 'low',
    doc: 'Goes before errors.deadletterqueue.topic.name.',
    group: 'Errors',
    displayName: 'Dead letter topic of the connector',
  },
} as const satisfies ConfigDef

/** Says what is wrong with a text that `parse` refuses; an empty text is fine. */
function problem(parse: (text: string) => unknown): (text: string) => string | undefined {
  return (text) => {
    try {
      if (text !== '') parse(text)
      return undefined
    } catch (error) {
      return (error as Error).message
    }
  }
}

/** The configuration of the source. */
export const sourceConfig = defineConfig({ ...connectionConfig, ...sourceKeys })

export type MongoSourceConfig = Parsed<typeof sourceConfig>

/** Whether what is there is copied first. The newer key goes before the older one. */
export function copiesExisting(config: MongoSourceConfig, raw: RawConfig): boolean {
  const mode = config['startup.mode'].toLowerCase()
  return mode === 'copy_existing' || (config['copy.existing'] && (raw['startup.mode'] ?? '') === '')
}
