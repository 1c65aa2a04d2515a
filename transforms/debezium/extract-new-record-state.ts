import {
  ConfigError,
  type ConnectRecord,
  DataError,
  defineConfig,
  type FieldSource,
  type Header,
  type Parsed,
  type PluginContext,
  type RecordChanges,
  type Schema,
  schemas,
  struct,
  type StructPlan,
  type Transform,
  withChanges,
} from '@millrace/sdk'
import { basicsOf, copyStruct, isMembers, keptField, type Members, requireStruct, SchemaCache } from '../data.ts'
import { type AddedField, addedValue, parseReference, resolveReferences } from './added-fields.ts'
import { DropFields } from './drop-fields.ts'
import { isEnvelope, requireField, textOf } from './envelope.ts'
import { defineDebezium } from './plugin.ts'

const MODES = ['drop', 'tombstone', 'rewrite', 'rewrite-with-tombstone', 'delete-to-tombstone'] as const
const LEGACY = 'Of Debezium before 3.0; use <code>delete.tombstone.handling.mode</code>.'
const FIELDS_DOC =
  "Example: 'version,connector,source.ts_ms' would add __version, __connector and __source_ts_ms. A new name can be " +
  'given after a colon, for example <code>version:VERSION</code>; it is case-sensitive.'

const config = defineConfig({
  'delete.tombstone.handling.mode': {
    type: 'string',
    oneOf: MODES,
    ignoreCase: true,
    default: 'tombstone',
    importance: 'medium',
    doc:
      'How to handle delete records. Options are: drop - Remove the delete event and tombstone from the stream. ' +
      'tombstone (default) - For each delete event, leave only a tombstone in the stream. rewrite - Remove tombstone ' +
      'from the record, and add a `__deleted` field with the value `true`. rewrite-with-tombstone - Retain tombstone in ' +
      'record and add a `__deleted` field with the value `true`. delete-to-tombstone - Convert delete events to ' +
      'tombstone events without a schema and drop tombstone events.',
  },
  'route.by.field': {
    type: 'string',
    default: '',
    importance: 'low',
    doc: 'The column which determines how the events will be routed, the value will replace the topic name.',
  },
  'add.fields.prefix': {
    type: 'string',
    default: '__',
    importance: 'low',
    doc: 'Adds this prefix to each field listed.',
  },
  'add.fields': {
    type: 'list',
    default: [],
    importance: 'low',
    doc: `Adds each field listed, prefixed with __ (or __&lt;struct&gt;_ if the struct is specified). ${FIELDS_DOC}`,
    example: 'op,table,source.ts_ms',
  },
  'add.headers.prefix': {
    type: 'string',
    default: '__',
    importance: 'low',
    doc: 'Adds this prefix to each header listed.',
  },
  'add.headers': {
    type: 'list',
    default: [],
    importance: 'low',
    doc: `Adds each field listed to the headers, named as by <code>add.fields</code>. ${FIELDS_DOC}`,
    example: 'op,db',
  },
  'drop.fields.header.name': {
    type: 'string',
    default: null,
    importance: 'low',
    doc: 'Specifies the name of a header that contains a list of fields to be removed from the event value.',
  },
  'drop.fields.from.key': {
    type: 'boolean',
    default: false,
    importance: 'low',
    doc: 'Specifies whether to apply the drop fields behavior to the event key as well as the value.',
  },
  'drop.fields.keep.schema.compatible': {
    type: 'boolean',
    default: true,
    importance: 'low',
    doc:
      "Controls the output event's schema compatibility when using the drop fields feature. `true`: dropped fields are " +
      'removed if the schema indicates its optional. `false`: dropped fields are removed from the key/value schemas, ' +
      'regardless of optionality.',
  },
  'replace.null.with.default': {
    type: 'boolean',
    default: true,
    importance: 'low',
    doc: 'Whether nulls become the default of their field where the record is rewritten, that is, where it gets `__deleted`.',
  },
  'drop.tombstones': {
    type: 'boolean',
    default: null,
    importance: 'low',
    doc: `Whether tombstones are dropped. ${LEGACY}`,
  },
  'delete.handling.mode': {
    type: 'string',
    oneOf: ['drop', 'rewrite', 'none'],
    ignoreCase: true,
    default: null,
    importance: 'low',
    doc: `What becomes of a delete event: drop, rewrite, or none for a tombstone. ${LEGACY}`,
  },
})

type Options = Parsed<typeof config>

/** What becomes of deletes, and whether the tombstones after them stay. */
interface DeleteHandling {
  readonly deletes: 'drop' | 'tombstone' | 'bare-tombstone' | 'rewrite'
  readonly keepsTombstones: boolean
}

const HANDLING: Readonly<Record<(typeof MODES)[number], DeleteHandling>> = {
  drop: { deletes: 'drop', keepsTombstones: false },
  tombstone: { deletes: 'tombstone', keepsTombstones: false },
  rewrite: { deletes: 'rewrite', keepsTombstones: false },
  'rewrite-with-tombstone': { deletes: 'rewrite', keepsTombstones: true },
  'delete-to-tombstone': { deletes: 'bare-tombstone', keepsTombstones: false },
}

/** The older two keys mean what they meant, as long as the one that replaced them is not used too. */
function handlingOf(options: Options): DeleteHandling {
  const mode = options['delete.tombstone.handling.mode'].toLowerCase() as (typeof MODES)[number]
  const { 'drop.tombstones': drops, 'delete.handling.mode': legacy } = options
  if (drops === null && legacy === null) return HANDLING[mode]
  if (mode !== 'tombstone') {
    const key = drops === null ? 'delete.handling.mode' : 'drop.tombstones'
    throw new ConfigError(`${key} and delete.tombstone.handling.mode say the same: remove ${key}`, { key })
  }
  const deletes = (legacy ?? 'drop').toLowerCase() as 'drop' | 'rewrite' | 'none'
  return { deletes: deletes === 'none' ? 'tombstone' : deletes, keepsTombstones: drops === false }
}

const PURPOSE = 'source field insertion'
const DELETED = '__deleted'
// Made once: plans throw it for each delete, and only to have the record looked at by `apply`.
const NO_ROW = new DataError('The change event has no row after the change')

/** What a row becomes, before or after the change, for envelopes of one schema. */
interface RowLayout {
  readonly row: Schema
  readonly schema: Schema
  readonly added: readonly AddedField[]
}

class ExtractNewRecordState implements Transform {
  readonly #handling: DeleteHandling
  readonly #rewrites: boolean
  readonly #useDefault: boolean
  readonly #routeBy: string
  readonly #tombstoneHeaders: readonly Header[]
  readonly #dropFields: DropFields | undefined
  readonly #headers: SchemaCache<readonly AddedField[]>
  readonly #before: SchemaCache<RowLayout>
  readonly #after: SchemaCache<RowLayout>
  readonly structs?: NonNullable<Transform['structs']>

  constructor(options: Options, context: PluginContext) {
    this.#handling = handlingOf(options)
    this.#rewrites = this.#handling.deletes === 'rewrite'
    this.#useDefault = this.#rewrites && options['replace.null.with.default']
    this.#routeBy = options['route.by.field']
    this.#dropFields = DropFields.of(options, context)
    const { 'add.fields.prefix': fieldPrefix, 'add.headers.prefix': headerPrefix } = options
    const fields = options['add.fields'].map((entry) => parseReference(entry, fieldPrefix, 'add.fields'))
    const headers = options['add.headers'].map((entry) => parseReference(entry, headerPrefix, 'add.headers'))
    this.#tombstoneHeaders = headers
      .filter(({ field }) => field === 'op')
      .map(({ name }) => ({ key: name, value: 'd', schema: schemas.string }))
    this.#headers = new SchemaCache((envelope) => resolveReferences(headers, envelope))
    const layout = (part: string) => new SchemaCache((envelope) => layoutOf(envelope, part, fields, this.#rewrites))
    this.#before = layout('before')
    this.#after = layout('after')
    if (headers.length === 0 && this.#routeBy === '' && !this.#dropFields) {
      this.structs = { part: 'value', plan: (schema) => this.#plan(schema) }
    }
  }

  apply<R extends ConnectRecord>(record: R): R | null {
    const { value, valueSchema } = record
    if (value === null || value === undefined) return this.#tombstone(record)
    // Heartbeats, schema changes, transactions and whatever is no change event pass.
    if (!isEnvelope(valueSchema)) return record
    const envelope = requireStruct(valueSchema, value, PURPOSE)
    const headers = this.#headersOf(record, valueSchema, envelope)
    const after = memberOf(valueSchema, envelope, 'after')
    if (after !== null) return this.#changed(record, valueSchema, envelope, after, headers)
    const before = memberOf(valueSchema, envelope, 'before')
    // A truncate has neither.
    return before === null ? null : this.#deleted(record, valueSchema, envelope, before, headers)
  }

  #tombstone<R extends ConnectRecord>(record: R): R | null {
    if (!this.#handling.keepsTombstones) return null
    if (this.#tombstoneHeaders.length === 0) return record
    return withChanges(record, { headers: [...record.headers, ...this.#tombstoneHeaders] })
  }

  #changed<R extends ConnectRecord>(
    record: R,
    valueSchema: Schema,
    envelope: Members,
    after: unknown,
    headers: readonly Header[],
  ): R {
    const layout = this.#after.get(valueSchema)
    const value = this.#rowOf(layout, envelope, after, 'false')
    const topic = this.#topicOf(record, layout.schema, value)
    return this.#made(record, { topic, valueSchema: layout.schema, value, headers })
  }

  #deleted<R extends ConnectRecord>(
    record: R,
    valueSchema: Schema,
    envelope: Members,
    before: unknown,
    headers: readonly Header[],
  ): R | null {
    const { deletes } = this.#handling
    if (deletes === 'drop') return null
    const topic =
      this.#routeBy === ''
        ? record.topic
        : this.#topicOf(record, requireField(valueSchema, 'before', 'field').schema, before as Members)
    if (deletes !== 'rewrite') {
      const schema = deletes === 'tombstone' ? requireField(valueSchema, 'after', 'field').schema : null
      return this.#made(record, { topic, valueSchema: schema, value: null, headers })
    }
    const layout = this.#before.get(valueSchema)
    const value = this.#rowOf(layout, envelope, before, 'true')
    return this.#made(record, { topic, valueSchema: layout.schema, value, headers })
  }

  #made<R extends ConnectRecord>(record: R, changes: RecordChanges): R {
    const made = withChanges(record, changes)
    return this.#dropFields ? this.#dropFields.apply(made) : made
  }

  #rowOf({ row, added }: RowLayout, envelope: Members, from: unknown, deleted: string): Record<string, unknown> {
    const made = copyStruct(row, requireStruct(row, from, PURPOSE), this.#useDefault)
    if (this.#rewrites) made[DELETED] = deleted
    for (const field of added) made[field.name] = addedValue(field, envelope)
    return made
  }

  #headersOf(record: ConnectRecord, schema: Schema, envelope: Members): readonly Header[] {
    const added = this.#headers.get(schema)
    if (added.length === 0) return record.headers
    return [
      ...record.headers,
      ...added.map((field) => ({ key: field.name, value: addedValue(field, envelope), schema: field.schema })),
    ]
  }

  #topicOf(record: ConnectRecord, schema: Schema, row: Members): string {
    if (this.#routeBy === '') return record.topic
    const topic = textOf(schema, row, this.#routeBy, 'route.by.field')
    return topic === null || topic.trim() === '' ? record.topic : topic
  }

  /** What `#changed` makes. Records without a row after the change are left to `apply`. */
  #plan(schema: Schema): StructPlan | undefined {
    if (!isEnvelope(schema)) return undefined
    const { row, schema: made, added } = this.#after.get(schema)
    if (row.fields.length === 0) return undefined
    const kept = row.fields.map((field): FieldSource => {
      const source = keptField(field, this.#useDefault)
      const { name } = field
      const map = source.from === 'field' ? source.map : undefined
      const member = (after: unknown): unknown =>
        after === null || after === undefined ? noRow() : (after as Members)[name]
      return { from: 'field', name: 'after', map: map ? (after) => map(member(after)) : member }
    })
    const marks: FieldSource[] = this.#rewrites ? [{ from: 'constant', value: 'false' }] : []
    return { schema: made, sources: [...kept, ...marks, ...added.map(addedSource)] }
  }
}

function noRow(): never {
  throw NO_ROW
}

function addedSource({ from, field }: AddedField): FieldSource {
  if (field === null) return { from: 'field', name: from }
  return { from: 'field', name: from, map: (member) => (isMembers(member) ? (member[field] ?? null) : null) }
}

function memberOf(schema: Schema, envelope: Members, name: string): unknown {
  const value = envelope[name] ?? null
  if (value === null) requireField(schema, name, 'field')
  return value
}

function layoutOf(
  envelope: Schema,
  part: string,
  references: Parameters<typeof resolveReferences>[0],
  rewrites: boolean,
): RowLayout {
  const row = requireField(envelope, part, 'field').schema
  if (row.type !== 'STRUCT') throw new DataError(`Only Struct objects supported for [${PURPOSE}], found: ${row.type}`)
  if (requireField(envelope, 'op', 'field').schema.type !== 'STRING')
    throw new DataError("Field 'op' is not of type STRING")
  const added = resolveReferences(references, envelope)
  const fields = row.fields.map(({ name, schema }) => [name, schema] as const)
  if (rewrites) fields.push([DELETED, schemas.optional.string])
  for (const { name, schema } of added) fields.push([name, schema])
  const repeated = fields.find(([name], i) => fields.findIndex(([other]) => other === name) < i)
  if (repeated) throw new DataError(`Cannot create field because of field name duplication ${repeated[0]}`)
  return { row, schema: struct(fields, basicsOf(row)), added }
}

/** Takes the row after the change out of a change event. */
export default defineDebezium(
  'ExtractNewRecordState',
  'Extracts the row after the change from a change event of Debezium, with fields of the event as further fields or ' +
    'headers; deletes become tombstones, marked rows or nothing.',
  config,
  (options, context) => new ExtractNewRecordState(options, context),
)
