import {
  ConfigError,
  type ConnectRecord,
  DataError,
  defineConfig,
  type Header,
  type Parsed,
  type PluginContext,
  type PluginLogger,
  type Schema,
  struct,
  type Transform,
  withChanges,
} from '@millrace/sdk'
import { fieldValue, type Members, requireStruct } from '../data.ts'
import { checkRegex } from '../java-regex.ts'
import { renamer } from '../whole-name.ts'
import { ADJUSTMENTS, nameAdjuster } from './avro-name.ts'
import { isEnvelope, requireField, textOf, typedValue } from './envelope.ts'
import { type Expanded, JsonExpander } from './outbox-json.ts'
import { defineDebezium } from './plugin.ts'

const PLACEMENTS = ['header', 'envelope', 'partition'] as const
const TRACING = 'Not supported: refused with any other value, as there is no OpenTelemetry here.'
const column = (name: string, doc: string) => ({ type: 'string', default: name, importance: 'low', doc }) as const

const config = defineConfig({
  'table.field.event.id': column('id', 'The column which contains the event ID within the outbox table'),
  'table.field.event.key': column('aggregateid', 'The column which contains the event key within the outbox table'),
  'table.field.event.type': column(
    'type',
    'The column which contains the event type; not used, as in Debezium itself.',
  ),
  'table.field.event.payload': column('payload', 'The column which contains the event payload within the outbox table'),
  'table.field.event.timestamp': {
    type: 'string',
    default: null,
    importance: 'medium',
    doc:
      'Optionally you can override the Kafka message timestamp with a value from a chosen column, otherwise it will be ' +
      'the Debezium event processed timestamp.',
  },
  'table.fields.additional.placement': {
    type: 'list',
    default: null,
    validate: checkPlacements,
    importance: 'high',
    doc:
      'Extra fields can be added as part of the event envelope or a message header, format is a list of colon-delimited ' +
      'pairs or trios when you desire to have aliases, e.g. ' +
      '<code>id:header,field_name:envelope:alias,field_name:partition</code>',
    example: 'type:header:eventType',
  },
  'table.field.additional.missing': {
    type: 'string',
    oneOf: ['error', 'ignore'],
    ignoreCase: true,
    default: 'error',
    importance: 'medium',
    doc:
      "What becomes of a field of 'table.fields.additional.placement' that the event does not have: 'error' (default) " +
      "refuses the record, 'ignore' leaves the field out.",
  },
  'table.field.event.schema.version': {
    type: 'string',
    default: null,
    importance: 'low',
    doc: 'The column which contains the event schema version within the outbox table',
  },
  'table.op.invalid.behavior': {
    type: 'string',
    oneOf: ['warn', 'error', 'fatal'],
    ignoreCase: true,
    default: 'warn',
    importance: 'medium',
    doc:
      "What becomes of an update of the outbox table, where only 'create' and 'delete' are expected: warn and error drop " +
      'it and log that at their level, fatal refuses the record.',
  },
  'table.expand.json.payload': {
    type: 'boolean',
    default: false,
    importance: 'medium',
    doc:
      'Whether or not to try unescaping a JSON string and make it real JSON. It will infer schema information from ' +
      'payload and update the record schema accordingly. If content is no JSON object, it stays as it is.',
  },
  'table.json.payload.null.behavior': {
    type: 'string',
    oneOf: ['ignore', 'optional_bytes'],
    ignoreCase: true,
    default: 'ignore',
    importance: 'medium',
    doc:
      'Behavior when json payload including null value, the default will ignore null, optional_bytes will keep the null ' +
      'value, and treat null as optional bytes of connect.',
  },
  'table.json.payload.empty.array.behavior': {
    type: 'string',
    oneOf: ['ignore', 'optional_string'],
    ignoreCase: true,
    default: 'ignore',
    importance: 'medium',
    doc:
      'Behavior when json payload including an empty array value, the default ignore will drop the empty array field, ' +
      'optional_string will keep the field as an optional array with an optional string element type.',
  },
  'route.by.field': {
    type: 'string',
    default: 'aggregatetype',
    importance: 'high',
    doc: 'The column which determines how the events will be routed, the value will become part of the topic name',
  },
  'route.topic.regex': {
    type: 'string',
    default: '(?<routedByValue>.*)',
    validate: checkRegex,
    importance: 'low',
    doc: "The default regex to use within the RegexRouter, the default capture will allow to replace the routed field into a new topic name defined in 'route.topic.replacement'",
  },
  'route.topic.replacement': {
    type: 'string',
    default: 'outbox.event.${routedByValue}',
    importance: 'high',
    doc: "The name of the topic in which the events will be routed, a replacement '${routedByValue}' is available which is the value of The column configured via 'route.by.field'",
  },
  'route.tombstone.on.empty.payload': {
    type: 'boolean',
    default: false,
    importance: 'high',
    doc: 'Whether or not an empty payload should cause a tombstone event.',
  },
  'field.name.adjustment.mode': {
    type: 'string',
    oneOf: ADJUSTMENTS,
    ignoreCase: true,
    default: 'none',
    importance: 'low',
    doc: 'How the field names of an expanded payload are made to fit Avro.',
  },
  'tracing.span.context.field': { type: 'string', default: 'tracingspancontext', importance: 'high', doc: TRACING },
  'tracing.operation.name': { type: 'string', default: 'debezium-read', importance: 'high', doc: TRACING },
  'tracing.with.context.field.only': { type: 'boolean', default: false, importance: 'high', doc: TRACING },
})

type Options = Parsed<typeof config>

/** A column that goes somewhere else too. */
interface Placement {
  readonly field: string
  readonly to: (typeof PLACEMENTS)[number]
  readonly alias: string
}

function checkPlacements(entries: readonly string[]): string | undefined {
  for (const entry of entries) {
    const [field = '', to = '', ...more] = entry.split(':').map((part) => part.trim())
    if (field === '' || more.length > 1 || !(PLACEMENTS as readonly string[]).includes(to.toLowerCase())) {
      return `${entry} is not of the form column:${PLACEMENTS.join('|')} or column:placement:alias`
    }
  }
  return undefined
}

function placementsOf(entries: readonly string[] | null): Placement[] {
  return (entries ?? []).map((entry) => {
    const [field = '', to = '', alias = field] = entry.split(':').map((part) => part.trim())
    return { field, to: to.toLowerCase() as Placement['to'], alias: alias === '' ? field : alias }
  })
}

function refuseTracing(options: Options): void {
  for (const key of [
    'tracing.span.context.field',
    'tracing.operation.name',
    'tracing.with.context.field.only',
  ] as const) {
    if (options[key] === config[key].default) continue
    throw new ConfigError(`${key}: spans are not traced here, as there is no OpenTelemetry; remove the key`, { key })
  }
}

const UNITS: Readonly<Record<string, bigint>> = {
  'io.debezium.time.Timestamp': 1n,
  'io.debezium.time.MicroTimestamp': 1000n,
  'io.debezium.time.NanoTimestamp': 1_000_000n,
}

/** A row of the outbox. */
interface OutboxEvent {
  readonly schema: Schema
  readonly row: Members
}

class EventRouter implements Transform {
  readonly #logger: PluginLogger
  readonly #options: Options
  readonly #placements: readonly Placement[]
  readonly #ignoresMissing: boolean
  readonly #rename: (name: string) => string | null
  readonly #expander: JsonExpander | undefined
  readonly #wraps: boolean
  readonly #wrappers = new Wrappers()

  constructor(options: Options, { logger }: PluginContext) {
    refuseTracing(options)
    this.#logger = logger
    this.#options = options
    this.#placements = placementsOf(options['table.fields.additional.placement'])
    this.#ignoresMissing = options['table.field.additional.missing'].toLowerCase() === 'ignore'
    this.#rename = renamer(options['route.topic.regex'], options['route.topic.replacement'])
    this.#wraps = this.#placements.some(({ to }) => to === 'envelope')
    if (options['table.expand.json.payload']) {
      this.#expander = new JsonExpander({
        nulls: options['table.json.payload.null.behavior'].toLowerCase() as 'ignore',
        emptyArrays: options['table.json.payload.empty.array.behavior'].toLowerCase() as 'ignore',
        nameOf: nameAdjuster(options['field.name.adjustment.mode'], 'field'),
      })
    }
  }

  apply<R extends ConnectRecord>(record: R): R | null {
    const { value, valueSchema } = record
    if (value === null || value === undefined) return null
    // Heartbeats, schema changes, transactions and whatever is no change event pass.
    if (!isEnvelope(valueSchema)) return record
    const envelope = requireStruct(valueSchema, value, 'Detect Debezium Operation')
    const op = textOf(valueSchema, envelope, 'op', 'field')
    if (op === null) throw new DataError('The change event has no operation')
    // Rows are deleted when their events have been sent.
    if (op === 'd') return null
    if (op === 'u') return this.#updated(record)
    const { schema } = requireField(valueSchema, 'after', 'field')
    return this.#route(record, envelope, { schema, row: requireStruct(schema, envelope['after'], 'Read Outbox Event') })
  }

  #updated(record: ConnectRecord): null {
    const behavior = this.#options['table.op.invalid.behavior'].toLowerCase() as 'warn' | 'error' | 'fatal'
    if (behavior === 'fatal') {
      throw new DataError('Unexpected update message received, and table.op.invalid.behavior is fatal')
    }
    this.#logger[behavior](
      { topic: record.topic },
      'an update of the outbox table was dropped: its rows are only inserted and deleted',
    )
    return null
  }

  /** The payload with the schema that its JSON has; as it is when it has none. */
  #expand(topic: string, name: string, plain: Expanded): Expanded {
    if (!this.#expander || plain.value === null) return plain
    const expanded = typeof plain.value === 'string' ? this.#expander.expand(name, plain.value) : undefined
    if (!expanded)
      this.#logger.warn({ topic, column: name }, 'a payload is no JSON object that can be expanded, and stays as it is')
    return expanded ?? plain
  }

  #route<R extends ConnectRecord>(record: R, envelope: Members, event: OutboxEvent): R {
    const options = this.#options
    const { schema, row } = event
    const payloadField = requireField(schema, options['table.field.event.payload'], 'payload field')
    const timestamp = timestampOf(options['table.field.event.timestamp'], record.valueSchema as Schema, envelope, event)
    const idField = requireField(schema, options['table.field.event.id'], 'event-id field')
    const keyField = requireField(schema, options['table.field.event.key'], 'event-key field')
    const plain = { schema: payloadField.schema, value: columnOf(event, payloadField.name) }
    const payload = this.#expand(record.topic, payloadField.name, plain)
    const aggregate = textOf(schema, row, options['route.by.field'], 'route.by.field')
    const wrapped = this.#wraps ? this.#wrap(event, payload, aggregate) : payload
    const isEmpty = plain.value === null || (typeof plain.value === 'string' && /^[\0- ]*$/.test(plain.value))
    const isTombstone = isEmpty && options['route.tombstone.on.empty.payload']
    const headers: Header[] = [
      ...record.headers,
      { key: 'id', value: columnOf(event, idField.name), schema: idField.schema },
      ...this.#headersOf(event),
    ]
    if (aggregate === null) throw new DataError(`The event has no ${options['route.by.field']} to route it by`)
    return withChanges(record, {
      topic: this.#rename(aggregate) ?? aggregate,
      partition: this.#partitionOf(record, event),
      keySchema: keyField.schema,
      key: columnOf(event, keyField.name),
      valueSchema: isTombstone ? null : wrapped.schema,
      value: isTombstone ? null : wrapped.value,
      timestamp,
      headers,
    })
  }

  /** The columns of a placement; a column that is not there is an error or left out. */
  #placed(event: OutboxEvent, to: Placement['to']): Placement[] {
    return this.#placements.filter((placement) => {
      if (placement.to !== to) return false
      if (this.#ignoresMissing && !event.schema.field(placement.field)) return false
      requireField(event.schema, placement.field, 'field')
      return true
    })
  }

  #headersOf(event: OutboxEvent): Header[] {
    return this.#placed(event, 'header').map(({ field, alias }) => ({
      key: alias,
      value: columnOf(event, field),
      schema: requireField(event.schema, field, 'field').schema,
    }))
  }

  /** A source's partition is left to the partitioner; a sink's record is where it is. */
  #partitionOf(record: ConnectRecord, event: OutboxEvent): number | null {
    const placement = this.#placed(event, 'partition').at(-1)
    const placed = placement ? numberOf(event, placement.field) : null
    return placed ?? ('originalOffset' in record ? record.partition : null)
  }

  /** The payload as a field beside the additional ones. */
  #wrap(event: OutboxEvent, payload: { schema: Schema; value: unknown }, aggregate: string | null): typeof payload {
    const column = this.#options['table.field.event.schema.version']
    const version = column === null ? undefined : numberOf(event, column)
    const placed = this.#placed(event, 'envelope')
    const make = (): Schema => {
      const fields = placed.map(
        ({ field, alias }) => [alias, requireField(event.schema, field, 'field').schema] as const,
      )
      return wrapperSchema(
        [['payload', payload.schema], ...fields],
        nameOf(event.schema, aggregate),
        version ?? undefined,
      )
    }
    const schema = this.#wrappers.get(payload.schema, version, make)
    const value: Record<string, unknown> = { payload: payload.value }
    for (const { field, alias } of placed) value[alias] = columnOf(event, field)
    return { schema, value }
  }
}

const MAX_VERSIONS = 1000

/** As in Debezium the first event of a payload schema, or of a version, tells how all of its kind are wrapped. */
class Wrappers {
  readonly #bySchema = new WeakMap<Schema, Schema>()
  readonly #byVersion = new Map<number | null, Schema>()

  get(payload: Schema, version: number | null | undefined, make: () => Schema): Schema {
    if (version === undefined) {
      const known = this.#bySchema.get(payload) ?? make()
      this.#bySchema.set(payload, known)
      return known
    }
    const known = this.#byVersion.get(version)
    if (known) {
      if (known.field('payload')?.schema.type === payload.type) return known
      throw new DataError(`The payload is of another type than that of the first event of schema version ${version}`)
    }
    if (this.#byVersion.size >= MAX_VERSIONS) this.#byVersion.clear()
    const made = make()
    this.#byVersion.set(version, made)
    return made
  }
}

function wrapperSchema(
  fields: readonly (readonly [string, Schema])[],
  name: string,
  version: number | undefined,
): Schema {
  const repeated = fields.find(([field], i) => fields.findIndex(([other]) => other === field) < i)
  if (repeated) throw new DataError(`Cannot create field because of field name duplication ${repeated[0]}`)
  return struct(fields, version === undefined ? { name } : { name, version })
}

/** The name of the row's schema with what the event is routed by before its last part. */
function nameOf({ name }: Schema, aggregate: string | null): string {
  if (name === undefined) return String(aggregate)
  const dot = name.lastIndexOf('.') + 1
  return `${name.slice(0, dot)}${aggregate}.${name.slice(dot)}`
}

/** The value of a column, whose default stands for null. */
function columnOf({ schema, row }: OutboxEvent, name: string): unknown {
  return fieldValue(row, name, requireField(schema, name, 'field').schema, true)
}

function numberOf({ schema, row }: OutboxEvent, name: string): number | null {
  return typedValue(schema, row, name, 'INT32', 'field') as number | null
}

function timestampOf(
  column: string | null,
  envelopeSchema: Schema,
  envelope: Members,
  event: OutboxEvent,
): number | null {
  const chosen = column === null ? null : typedValue(event.schema, event.row, column, 'INT64', 'timestamp field')
  if (column === null || chosen === null) {
    const processed = typedValue(envelopeSchema, envelope, 'ts_ms', 'INT64', 'field') as bigint | null
    return processed === null ? null : Number(processed)
  }
  const name = event.schema.field(column)?.schema.name
  const unit = UNITS[name ?? '']
  if (unit === undefined) throw new DataError(`Unsupported field type ${name ?? 'INT64'} for event timestamp`)
  return Number((chosen as bigint) / unit)
}

/** Makes events of the rows of an outbox table. */
export default defineDebezium(
  'outbox.EventRouter',
  'Makes events of the rows that are inserted into an outbox table: routed by a column, with the key, payload and ' +
    'headers of others.',
  config,
  (options, context) => new EventRouter(options, context),
)
