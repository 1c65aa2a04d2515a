import { type ConfigDef, defineConfig, type Parsed } from '@millrace/sdk'
import { connectionConfig, tlsConfig } from './connection-config.ts'
import { namespaceProblem, streamPartProblem } from './index-name.ts'

type All = Readonly<Record<string, unknown>>

const STREAMED = ['datastream', 'alias_datastream']

/** A key is checked with what else there is, which may be nothing. */
const typeIn = (all: All): unknown => all['data.stream.type'] ?? 'none'
const usageIn = (all: All): unknown => all['external.resource.usage'] ?? 'disabled'

const writesToStreams = (all: All): boolean => typeIn(all) !== 'none' || STREAMED.includes(String(usageIn(all)))

const batchConfig = {
  'batch.size': {
    type: 'int',
    default: 2000,
    min: 1,
    max: 1_000_000,
    importance: 'medium',
    doc: 'The most records in one request.',
    group: 'Batches',
    displayName: 'Batch size',
  },
  'bulk.size.bytes': {
    type: 'long',
    default: 5 * 1024 * 1024,
    min: 1,
    importance: 'low',
    doc: 'The most bytes in one request; a record that is larger goes alone.',
    group: 'Batches',
    displayName: 'Bulk size (bytes)',
  },
  'linger.ms': {
    type: 'long',
    default: 1,
    min: 0,
    max: 604_800_000,
    importance: 'low',
    doc: 'How long a record waits for others to go with, in milliseconds.',
    group: 'Batches',
    displayName: 'Linger (ms)',
  },
  'max.in.flight.requests': {
    type: 'int',
    default: 5,
    min: 1,
    max: 1000,
    importance: 'medium',
    doc: 'The most requests on their way at a time. The order of the records of one document is kept with any number.',
    group: 'Batches',
    displayName: 'Requests in flight',
  },
  'max.buffered.records': {
    type: 'int',
    default: 20_000,
    min: 1,
    importance: 'low',
    doc: 'The most records of a task in memory; reading waits when there are so many, or two batches more than are on their way.',
    group: 'Batches',
    displayName: 'Buffered records',
  },
  'flush.timeout.ms': {
    type: 'long',
    default: 180_000,
    min: 1,
    importance: 'low',
    doc: 'How long the task waits for room in its buffer, or for a flush, in milliseconds; then it fails.',
    group: 'Batches',
    displayName: 'Flush time-out (ms)',
  },
  'flush.synchronously': {
    type: 'boolean',
    default: false,
    importance: 'low',
    doc:
      'Whether each batch of records is delivered before the next one is read. Not needed for transformations that ' +
      'change the topic: offsets are kept by the topic that the record came from.',
    group: 'Batches',
    displayName: 'Flush synchronously',
  },
  'max.retries': {
    type: 'int',
    default: 5,
    min: 0,
    importance: 'low',
    doc: 'How often a request that failed for a passing reason is tried again before the task fails.',
    group: 'Batches',
    displayName: 'Retries',
  },
  'retry.backoff.ms': {
    type: 'long',
    default: 100,
    min: 0,
    importance: 'low',
    doc: 'The wait before the first retry, in milliseconds. It doubles with each further one, with jitter, up to a minute.',
    group: 'Batches',
    displayName: 'Retry back-off (ms)',
  },
} as const satisfies ConfigDef

const conversionConfig = {
  'key.ignore': {
    type: 'boolean',
    default: false,
    importance: 'high',
    doc: 'Whether document ids are made of topic, partition and offset instead of the key.',
    group: 'Conversion',
    displayName: 'Ignore keys',
  },
  'topic.key.ignore': {
    type: 'list',
    default: [] as readonly string[],
    importance: 'low',
    doc: 'Topics for which key.ignore counts as true.',
    group: 'Conversion',
    displayName: 'Topics whose keys are ignored',
  },
  'schema.ignore': {
    type: 'boolean',
    default: false,
    importance: 'low',
    doc: 'Whether no mapping is made from schemas, so that the server infers it. Records without schema never make one.',
    group: 'Conversion',
    displayName: 'Ignore schemas',
  },
  'topic.schema.ignore': {
    type: 'list',
    default: [] as readonly string[],
    importance: 'low',
    doc: 'Topics for which schema.ignore counts as true.',
    group: 'Conversion',
    displayName: 'Topics whose schemas are ignored',
  },
  'compact.map.entries': {
    type: 'boolean',
    default: true,
    importance: 'low',
    doc: 'Whether maps with text keys become objects; otherwise lists of {"key": ..., "value": ...}.',
    group: 'Conversion',
    displayName: 'Compact maps',
  },
  'drop.invalid.message': {
    type: 'boolean',
    default: false,
    importance: 'low',
    doc: 'Whether a record that cannot be made a document is logged and left out instead of failing the task.',
    group: 'Conversion',
    displayName: 'Drop invalid records',
  },
  'behavior.on.null.values': {
    type: 'string',
    default: 'fail',
    oneOf: ['ignore', 'delete', 'fail'],
    ignoreCase: true,
    importance: 'low',
    doc: 'What a record without value does: nothing, delete the document of its key, or fail.',
    validate: (behavior: string, all: All) =>
      behavior === 'delete' && writesToStreams(all) ? 'documents of a data stream cannot be deleted by key' : undefined,
    group: 'Conversion',
    displayName: 'Records without value',
  },
  'behavior.on.malformed.documents': {
    type: 'string',
    default: 'fail',
    oneOf: ['ignore', 'warn', 'fail'],
    ignoreCase: true,
    importance: 'low',
    doc:
      'What happens when the server refuses a document, for its mapping for example: it goes to the dead letter queue if ' +
      'there is one; without one it is left out, left out with a line in the log, or fails the task.',
    group: 'Conversion',
    displayName: 'Malformed documents',
  },
  'write.method': {
    type: 'string',
    default: 'insert',
    oneOf: ['insert', 'upsert'],
    ignoreCase: true,
    importance: 'low',
    doc: 'insert replaces the whole document. upsert merges its fields into the document that is there, or makes it.',
    validate: (method: string, all: All) =>
      method === 'upsert' && writesToStreams(all) ? 'documents of a data stream cannot be changed' : undefined,
    group: 'Conversion',
    displayName: 'Write method',
  },
  'use.autogenerated.ids': {
    type: 'boolean',
    default: false,
    importance: 'low',
    doc: 'Whether the server makes the ids where keys are ignored. Records that are delivered again are doubled then.',
    validate: (generated: boolean, all: All) =>
      generated && all['write.method'] === 'upsert' ? 'an upsert needs to know the id' : undefined,
    group: 'Conversion',
    displayName: 'Generated ids',
  },
  'external.version.header': {
    type: 'string',
    default: '',
    importance: 'low',
    doc: 'A header with a whole number that is the version of the document, instead of the offset.',
    group: 'Conversion',
    displayName: 'Version header',
  },
  'external.version.from': {
    type: 'string',
    default: 'offset',
    oneOf: ['offset', 'timestamp'],
    importance: 'low',
    doc:
      'What the version of a document is without external.version.header. timestamp is for keys that are in several ' +
      'partitions, whose offsets say nothing about each other. An addition of Millrace.',
    group: 'Conversion',
    displayName: 'Version from',
  },
} as const satisfies ConfigDef

const resourceConfig = {
  'data.stream.type': {
    type: 'string',
    default: 'none',
    importance: 'low',
    doc: 'The type of the data stream to write to, such as logs or metrics; none writes to indices.',
    validate: (type: string, all: All) => {
      if (type === 'none')
        return (all['data.stream.dataset'] ?? '') === '' ? undefined : 'is needed with data.stream.dataset'
      return streamPartProblem(type)
    },
    group: 'Data streams',
    displayName: 'Data stream type',
  },
  'data.stream.dataset': {
    type: 'string',
    default: '',
    importance: 'low',
    doc: 'The data set of the data stream {type}-{dataset}-{namespace}.',
    validate: (dataset: string, all: All) => {
      if (dataset === '' && typeIn(all) !== 'none') return 'is needed with data.stream.type'
      return streamPartProblem(dataset)
    },
    group: 'Data streams',
    displayName: 'Data stream data set',
  },
  'data.stream.namespace': {
    type: 'string',
    default: '${topic}',
    importance: 'low',
    doc: 'The namespace of the data stream; ${topic} is the topic.',
    validate: (namespace: string) => namespaceProblem(namespace.replaceAll('${topic}', '')),
    group: 'Data streams',
    displayName: 'Data stream namespace',
  },
  'data.stream.timestamp.field': {
    type: 'list',
    default: [] as readonly string[],
    importance: 'low',
    doc: 'Fields to take @timestamp from: the first that the value has. Without one it is the time of the record.',
    group: 'Data streams',
    displayName: 'Timestamp fields',
  },
  'external.resource.usage': {
    type: 'string',
    default: 'disabled',
    oneOf: ['disabled', 'index', 'datastream', 'alias_index', 'alias_datastream'],
    ignoreCase: true,
    importance: 'low',
    doc: 'Whether topics go to existing resources of topic.to.external.resource.mapping, and what these are.',
    validate: (usage: string, all: All) => {
      if (usage === 'disabled') return undefined
      return typeIn(all) === 'none' ? undefined : 'needs data.stream.type=none'
    },
    group: 'External resources',
    displayName: 'External resources',
  },
  'topic.to.external.resource.mapping': {
    type: 'list',
    default: [] as readonly string[],
    importance: 'low',
    doc: 'Entries topic:resource. The resources have to exist; nothing is created.',
    validate: (list: readonly string[], all: All) => {
      const isUsed = usageIn(all) !== 'disabled'
      if (isUsed !== list.length > 0) return 'is needed with external.resource.usage, and the other way round'
      const wrong = list.find((entry) => !/^[^:]+:[^:]+$/.test(entry.trim()))
      if (wrong !== undefined) return `"${wrong}" is not of the form topic:resource`
      const most = Number(all['max.external.resource.mappings'] ?? 15)
      return list.length > most
        ? `has ${list.length} entries, more than max.external.resource.mappings=${most}`
        : undefined
    },
    group: 'External resources',
    displayName: 'Topics to resources',
  },
  'max.external.resource.mappings': {
    type: 'int',
    default: 15,
    min: 1,
    importance: 'low',
    doc: 'The most entries in topic.to.external.resource.mapping.',
    group: 'External resources',
    displayName: 'Most resources',
  },
} as const satisfies ConfigDef

/** The configuration of the Elasticsearch sink. */
export const config = defineConfig({
  ...connectionConfig,
  ...tlsConfig,
  ...batchConfig,
  ...conversionConfig,
  ...resourceConfig,
})

export type ElasticsearchConfig = Parsed<typeof config>
