import {
  ConfigError,
  type ConnectRecord,
  DataError,
  defineConfig,
  type FieldSource,
  type Parsed,
  type Schema,
  schemas,
  type SinkRecord,
  struct,
  timestampSchema,
  type Transform,
} from '@millrace/sdk'
import {
  basicsOf,
  copyStruct,
  keptField,
  replaceNullWithDefault,
  requireMap,
  requireStruct,
  SchemaCache,
} from './data.ts'
import { defineSides, type Side } from './operating-side.ts'

const SUFFIX =
  'Suffix with <code>!</code> to make this a required field, or <code>?</code> to keep it optional (the default).'
const field = (doc: string) => ({ type: 'string', default: null, importance: 'medium', doc }) as const

const config = defineConfig({
  'topic.field': field(`Field name for Kafka topic. ${SUFFIX}`),
  'partition.field': field(`Field name for Kafka partition. ${SUFFIX}`),
  'offset.field': field(`Field name for Kafka offset - only applicable to sink connectors.<br/>${SUFFIX}`),
  'timestamp.field': field(`Field name for record timestamp. ${SUFFIX}`),
  'static.field': field(`Field name for static data field. ${SUFFIX}`),
  'static.value': field('Static field value, if field name configured.'),
  ...replaceNullWithDefault,
})

const PURPOSE = 'field insertion'
const TIMESTAMP = timestampSchema()
const OPTIONAL_TIMESTAMP = timestampSchema({ optional: true })

/** A field to insert: undefined from its value means that the record has none. */
interface Insertion {
  readonly name: string
  readonly schema: Schema
  readonly value: (record: ConnectRecord, withSchema: boolean) => unknown
  /** Where it comes from when there is a schema. */
  readonly source: FieldSource
}

function insertionsOf(options: Parsed<typeof config>): Insertion[] {
  const insertions: Insertion[] = []
  const add = (
    spec: string | null,
    required: Schema,
    optional: Schema,
    value: Insertion['value'],
    source: FieldSource = { from: 'record', read: (record) => value(record, true) },
  ): void => {
    if (spec === null) return
    const name = /[!?]$/.test(spec) ? spec.slice(0, -1) : spec
    insertions.push({ name, schema: spec.endsWith('!') ? required : optional, value, source })
  }
  const { int32, int64, string, optional } = schemas
  add(options['topic.field'], string, optional.string, (record) => record.topic)
  add(options['partition.field'], int32, optional.int32, (record) => record.partition ?? undefined)
  add(options['offset.field'], int64, optional.int64, offsetOf)
  add(options['timestamp.field'], TIMESTAMP, OPTIONAL_TIMESTAMP, ({ timestamp }, withSchema) =>
    timestamp === null ? undefined : withSchema ? new Date(timestamp) : timestamp,
  )
  const text = options['static.value']
  add(options['static.field'], string, optional.string, () => text, { from: 'constant', value: text })
  return insertions
}

function offsetOf(record: ConnectRecord, withSchema: boolean): unknown {
  if (!('originalOffset' in record)) {
    throw new DataError(
      `Only SinkRecord supported for [${PURPOSE}], found: org.apache.kafka.connect.source.SourceRecord`,
    )
  }
  const { offset } = record as SinkRecord
  return withSchema ? BigInt(offset) : offset
}

function create(side: Side, options: Parsed<typeof config>): Transform {
  const insertions = insertionsOf(options)
  if (insertions.length === 0) throw new ConfigError('No field insertion configured')
  if (options['static.field'] !== null && options['static.value'] === null) {
    throw new ConfigError('Static field cannot be inserted without a value: set static.value', { key: 'static.value' })
  }
  const useDefault = options['replace.null.with.default']
  const updated = new SchemaCache((schema) => withInsertions(schema, insertions))
  return {
    structs: {
      part: side.part,
      plan(schema) {
        if (schema.type !== 'STRUCT') return undefined
        const kept = schema.fields.map((each) => keptField(each, useDefault))
        return { schema: updated.get(schema), sources: [...kept, ...insertions.map(({ source }) => source)] }
      },
    },
    apply(record) {
      const value = side.value(record)
      if (value === null || value === undefined) return record
      const schema = side.schema(record)
      const copy = schema
        ? copyStruct(schema, requireStruct(schema, value, PURPOSE), useDefault)
        : { ...requireMap(value, PURPOSE) }
      for (const insertion of insertions) {
        const inserted = insertion.value(record, schema !== null)
        if (inserted !== undefined) copy[insertion.name] = inserted
      }
      return side.with(record, schema && updated.get(schema), copy)
    },
  }
}

function withInsertions(schema: Schema, insertions: readonly Insertion[]): Schema {
  const fields = schema.fields.map(({ name, schema: of }) => [name, of] as const)
  for (const { name, schema: of } of insertions) {
    if (fields.some(([other]) => other === name)) {
      throw new DataError(`Cannot create field because of field name duplication ${name}`)
    }
    fields.push([name, of])
  }
  return struct(fields, basicsOf(schema))
}

/** Inserts fields with attributes of the record or a constant. */
export default defineSides(
  'InsertField',
  'Insert field(s) using attributes from the record metadata or a configured static value.',
  config,
  create,
)
