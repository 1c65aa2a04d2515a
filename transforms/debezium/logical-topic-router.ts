import {
  ConfigError,
  type ConnectRecord,
  DataError,
  defineConfig,
  type Parsed,
  type PluginContext,
  type PluginLogger,
  type Schema,
  schemas,
  struct,
  type Transform,
  withChanges,
  withOptions,
} from '@millrace/sdk'
import { copyStruct, isMembers, kindOf, requireStruct, SchemaCache } from '../data.ts'
import { checkRegex } from '../java-regex.ts'
import { renamer } from '../whole-name.ts'
import { ADJUSTMENTS, nameAdjuster } from './avro-name.ts'
import { isEnvelope } from './envelope.ts'
import { defineDebezium } from './plugin.ts'

const definition = {
  'topic.regex': {
    type: 'string',
    nonEmpty: true,
    validate: checkRegex,
    importance: 'low',
    doc: 'The regex used for extracting the name of the logical destination from the original topic name.',
    example: '(.*)customers_shard(.*)',
  },
  'topic.replacement': {
    type: 'string',
    nonEmpty: true,
    importance: 'low',
    doc: 'The replacement string used in conjunction with topic.regex. This will be used to create the new topic name.',
    example: '$1customers',
  },
  'key.enforce.uniqueness': {
    type: 'boolean',
    default: true,
    importance: 'low',
    doc:
      "Augment each record's key with a field denoting the source topic. This field distinguishes records coming from " +
      'different physical tables which may otherwise have primary/unique key conflicts. If the source tables are ' +
      'guaranteed to have globally unique keys then this may be set to false to disable key rewriting.',
  },
  'key.field.regex': {
    type: 'string',
    default: null,
    validate: checkRegex,
    importance: 'low',
    doc: 'The regex used for extracting the source identifier from the original topic name; without it that is the topic.',
  },
  'key.field.name': {
    type: 'string',
    default: '__dbz__sourceIdentifier',
    importance: 'low',
    doc: 'The name of the field that is added to each key. Must not be that of a key column.',
  },
  'key.field.replacement': {
    type: 'string',
    default: null,
    importance: 'low',
    doc:
      'The replacement string used in conjunction with key.field.regex, and required with it. This will be used to create the source ' +
      "identifier in the record's key.",
  },
  'schema.name.adjustment.mode': {
    type: 'string',
    oneOf: ADJUSTMENTS,
    ignoreCase: true,
    default: 'none',
    importance: 'low',
    doc:
      "How schema names that come of the topic are adjusted to the converter: 'avro' replaces the characters that Avro " +
      "names cannot have by an underscore, 'avro_unicode' by their code, 'none' does nothing.",
  },
  'logical.destination.cache.size': {
    type: 'int',
    default: 16,
    min: 0,
    aliases: ['logical.table.cache.size'],
    importance: 'low',
    doc: 'For how many topics their new names and schemas are remembered.',
  },
} as const

const config = defineConfig(definition)
const olderConfig = defineConfig({
  ...definition,
  'key.field.name': { ...definition['key.field.name'], default: '__dbz__physicalTableIdentifier' },
})

type Options = Parsed<typeof config> | Parsed<typeof olderConfig>

const PURPOSE = 'Updating schema'
const ROWS = ['before', 'after']

/** What is made of the keys and events of one topic; schemas are made once for each schema that comes. */
interface Destination {
  readonly topic: string
  readonly keys: SchemaCache<Schema>
  readonly envelopes: SchemaCache<Schema>
}

class LogicalTopicRouter implements Transform {
  readonly #logger: PluginLogger
  readonly #rename: (topic: string) => string | null
  readonly #identify: (topic: string) => string | null
  readonly #keyField: string | undefined
  readonly #adjust: (name: string) => string
  readonly #remember: number
  readonly #destinations = new Map<string, Destination>()

  constructor(options: Options, { logger }: PluginContext) {
    this.#logger = logger
    const { 'key.field.regex': regex, 'key.field.replacement': replacement } = options
    if (regex && !replacement) {
      throw new ConfigError('key.field.replacement must be non-empty if key.field.regex is set.', {
        key: 'key.field.replacement',
      })
    }
    this.#remember = options['logical.destination.cache.size']
    this.#rename = renamer(options['topic.regex'], options['topic.replacement'], this.#remember)
    this.#identify = regex && replacement ? renamer(regex, replacement, this.#remember) : () => null
    this.#keyField = options['key.enforce.uniqueness'] ? options['key.field.name'] : undefined
    this.#adjust = nameAdjuster(options['schema.name.adjustment.mode'], 'schema')
  }

  apply<R extends ConnectRecord>(record: R): R {
    const topic = this.#rename(record.topic)
    if (topic === null) return record
    if (topic === '') {
      this.#logger.warn({ topic: record.topic }, 'topic.replacement made an empty name; the record keeps its topic')
      return record
    }
    const destination = this.#destinationOf(topic)
    const { valueSchema, value } = record
    const changed = { topic, ...this.#keyOf(record, destination) }
    // Tombstones, heartbeats and whatever is no change event keep their value.
    if (value === null || value === undefined || !isEnvelope(valueSchema)) return withChanges(record, changed)
    const envelope = copyStruct(valueSchema, requireStruct(valueSchema, value, PURPOSE), true)
    return withChanges(record, { ...changed, valueSchema: destination.envelopes.get(valueSchema), value: envelope })
  }

  #keyOf({ key, keySchema, topic }: ConnectRecord, { keys }: Destination): { keySchema: Schema | null; key: unknown } {
    if (key === null || key === undefined) return { keySchema: null, key: null }
    if (keySchema?.type !== 'STRUCT' || !isMembers(key)) {
      throw new DataError(`Only Struct objects supported for [${PURPOSE}], found: ${kindOf(key)}`)
    }
    const schema = keys.get(keySchema)
    const copy: Record<string, unknown> = { ...key }
    if (this.#keyField !== undefined) copy[this.#keyField] = this.#identify(topic) ?? topic
    return { keySchema: schema, key: copy }
  }

  #destinationOf(topic: string): Destination {
    let destination = this.#destinations.get(topic)
    if (!destination) {
      destination = {
        topic,
        keys: new SchemaCache((schema) => this.#keySchema(schema, topic)),
        envelopes: new SchemaCache((schema) => this.#envelopeSchema(schema, topic)),
      }
      if (this.#destinations.size >= this.#remember) this.#destinations.clear()
      this.#destinations.set(topic, destination)
    }
    return destination
  }

  #keySchema(schema: Schema, topic: string): Schema {
    const fields = schema.fields.map((field) => [field.name, field.schema] as const)
    if (this.#keyField !== undefined) {
      if (schema.field(this.#keyField)) {
        throw new DataError(
          `The key of ${topic} has a field ${this.#keyField} already: set key.field.name to another name`,
        )
      }
      fields.push([this.#keyField, schemas.string])
    }
    return this.#renamed(struct(fields, { optional: schema.optional }), schema, `${topic}.Key`)
  }

  #envelopeSchema(schema: Schema, topic: string): Schema {
    const old = (schema.field('before') ?? schema.field('after'))?.schema
    if (old && old.type !== 'STRUCT') throw new DataError('Cannot list fields on non-struct type')
    const row = old && this.#renamed(old, old, `${topic}.Value`)
    const fields = schema.fields.map(({ name, schema: of }) => [name, row && ROWS.includes(name) ? row : of] as const)
    return this.#renamed(struct(fields, { optional: schema.optional }), schema, `${topic}.Envelope`)
  }

  /** A struct with the new name, and all else but the default of the old one. */
  #renamed(made: Schema, { version, doc, parameters }: Schema, name: string): Schema {
    return withOptions(made, { default: undefined, version, doc, parameters, name: this.#adjust(name) })
  }
}

const create = (options: Options, context: PluginContext): Transform => new LogicalTopicRouter(options, context)

/** Sends the events of several tables to one topic, under the older and the newer of its names. */
export default {
  byLogicalTable: defineDebezium(
    'ByLogicalTableRouter',
    'Sends the change events of several tables, for example of shards, to one topic; the key tells them apart. Debezium ' +
      'calls it ToLogicalTopicRouter now.',
    olderConfig,
    create,
  ),
  toLogicalTopic: defineDebezium(
    'ToLogicalTopicRouter',
    'Sends the change events of several tables, for example of shards, to one topic; the key tells them apart.',
    config,
    create,
  ),
}
