import {
  DataError,
  parseConfigOrThrow,
  type Schema,
  schemas,
  type SourceRecord,
  struct,
  type Transform,
  type Transformation,
  timestampSchema,
} from '@millrace/sdk'
import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { silentLogger } from '../../../../src/base/index.ts'
import { applyStep, type ChainStep, TransformationChain } from '../../../../src/connect/worker/transformation-chain.ts'
import hoistField from '../../../../transforms/hoist-field.ts'
import insertField from '../../../../transforms/insert-field.ts'
import maskField from '../../../../transforms/mask-field.ts'
import replaceField from '../../../../transforms/replace-field.ts'
import '../../property-settings.ts'

const step = (definition: unknown, options: Readonly<Record<string, string>>): ChainStep => {
  const transformation = definition as Transformation
  const transform = transformation.create(parseConfigOrThrow(transformation.config, options), { logger: silentLogger })
  return { alias: 'a', className: 'A', transform, predicate: null, negate: false }
}

const recordOf = (valueSchema: Schema | null, value: unknown, timestamp: number | null = 1000): SourceRecord => ({
  topic: 't',
  partition: null,
  key: null,
  keySchema: null,
  value,
  valueSchema,
  headers: [],
  timestamp,
  sourcePartition: { file: 'f' },
  sourceOffset: { position: 1 },
})

/** What the steps do one after the other, in a form that can be compared: an absent field is a null. */
function outcome(apply: () => SourceRecord | null): unknown {
  try {
    const record = apply()
    return record && { ...record, valueSchema: undefined, value: read(record.valueSchema, record.value) }
  } catch (error) {
    return (error as Error).message
  }
}

function read(schema: Schema | null, value: unknown): unknown {
  if (schema?.type !== 'STRUCT' || typeof value !== 'object' || value === null) return value
  const members = value as Record<string, unknown>
  const fields = schema.fields.map((field) => [
    field.name,
    field.schema.type,
    field.schema.optional,
    read(field.schema, Object.hasOwn(members, field.name) ? (members[field.name] ?? null) : null),
  ])
  return { name: schema.name, fields }
}

const oneByOne = (steps: readonly ChainStep[], record: SourceRecord): SourceRecord | null =>
  steps.reduce<SourceRecord | null>((current, each) => current && applyStep(each, current), record)

const FIELDS = ['a', 'b', 'c', 'constructor'] as const
const schemaOf = { text: schemas.optional.string, fallback: withDefault(), bytes: schemas.optional.bytes } as const

function withDefault(): Schema {
  return struct({ x: timestampSchema({ optional: true, default: new Date(7) }) }).fields[0]!.schema
}

const structs = fc
  .uniqueArray(fc.constantFrom(...FIELDS), { minLength: 1 })
  .chain((names) =>
    fc.tuple(...names.map((name) => fc.tuple(fc.constant(name), fc.constantFrom('text', 'fallback', 'bytes')))),
  )
  .chain((fields) => {
    const values = { text: fc.string(), fallback: fc.date({ noInvalidDate: true }), bytes: fc.uint8Array() } as const
    const schema = struct(
      fields.map(([name, kind]) => [name, schemaOf[kind]] as const),
      { name: 'row' },
    )
    const members = fields.map(([name, kind]) =>
      fc.tuple(fc.constant(name), fc.option(values[kind] as fc.Arbitrary<unknown>)),
    )
    return fc.tuple(
      fc.constant(schema),
      fc.tuple(...members).map((entries) => Object.fromEntries(entries)),
    )
  })

const name = fc.constantFrom('a', 'b', 'c', 'd', 'e')
const boolean = fc.boolean().map(String)
const steps = fc.array(
  fc.oneof(
    fc.record({ field: name }).map((options) => step(hoistField.value, options)),
    fc
      .record({
        'static.field': name,
        'static.value': fc.constant('1'),
        'timestamp.field': fc.constantFrom('ts', 'ts!'),
        'replace.null.with.default': boolean,
      })
      .map((options) => step(insertField.value, options)),
    fc
      .record(
        { exclude: name, renames: fc.tuple(name, name).map(([from, to]) => `${from}:${to}`) },
        { requiredKeys: [] },
      )
      .map((options) => step(replaceField.value, options as Record<string, string>)),
    fc
      .record({ fields: name, replacement: fc.constantFrom('5', 'x') }, { requiredKeys: ['fields'] })
      .map((options) => step(maskField.value, options as Record<string, string>)),
  ),
  { minLength: 1, maxLength: 6 },
)

describe('steps that are joined', () => {
  it('give what they give one by one, and fail with the same message', () => {
    fc.assert(
      fc.property(structs, steps, fc.constantFrom(null, 5), (given, chosen, timestamp) => {
        const [schema, value] = given
        for (const record of [recordOf(schema, value, timestamp), recordOf(schema, null), recordOf(null, value)]) {
          const chain = new TransformationChain<SourceRecord>(chosen)
          expect(outcome(() => chain.apply(record))).toEqual(outcome(() => oneByOne(chosen, record)))
        }
      }),
      { numRuns: 500 },
    )
  })

  it('make nothing in between', () => {
    const chain = [step(hoistField.value, { field: 'line' }), step(replaceField.value, { renames: 'line:message' })]
    const untouched = chain.map((each): ChainStep => {
      const { structs: planner } = each.transform
      const apply = () => {
        throw new Error('applied by itself')
      }
      return { ...each, transform: { apply, ...(planner ? { structs: planner } : {}) } }
    })
    const record = new TransformationChain<SourceRecord>(untouched).apply(recordOf(schemas.string, 'text'))
    expect(record?.value).toEqual({ message: 'text' })
    expect(record?.valueSchema?.fields.map((field) => field.name)).toEqual(['message'])
  })

  it('tell which of them failed, and with what record', () => {
    const chain = new TransformationChain<SourceRecord>([
      step(hoistField.value, { field: 'data' }),
      step(insertField.value, { 'static.field': 'origin', 'static.value': 'x' }),
      step(maskField.value, { fields: 'data' }),
    ])
    expect(() => chain.apply(recordOf(schemas.bytes, Buffer.from('secret')))).toThrow(DataError)
    expect(chain.failedStep).toBe(2)
    expect(chain.failedRecord?.value).toEqual({ data: Buffer.from('secret'), origin: 'x' })
  })

  it('fail also where a later step drops the field that fails', () => {
    const chain = new TransformationChain<SourceRecord>([
      step(insertField.value, { 'static.field': 'origin', 'static.value': 'x' }),
      step(maskField.value, { fields: 'data' }),
      step(replaceField.value, { exclude: 'data' }),
    ])
    const schema = struct({ data: schemas.bytes })
    expect(() => chain.apply(recordOf(schema, { data: Buffer.from('secret') }))).toThrow('Cannot mask value of type')
    expect(chain.failedStep).toBe(1)
  })

  it('leave records to the steps where a predicate decides', () => {
    const insert = step(insertField.value, { 'static.field': 'origin', 'static.value': 'x' })
    const skipped: ChainStep = { ...insert, predicate: { test: () => false } }
    const record = new TransformationChain<SourceRecord>([step(hoistField.value, { field: 'f' }), skipped]).apply(
      recordOf(schemas.string, 'text'),
    )
    expect(record?.value).toEqual({ f: 'text' })
  })

  it('ask for the plan of a schema once', () => {
    let asked = 0
    const counting = (transform: Transform): Transform => {
      const { structs: planner } = transform
      if (!planner) return transform
      const plan = (schema: Schema) => {
        asked++
        return planner.plan(schema)
      }
      return { apply: (record) => transform.apply(record), structs: { part: planner.part, plan } }
    }
    const both = [step(hoistField.value, { field: 'a' }), step(replaceField.value, { renames: 'a:b' })]
    const chain = new TransformationChain<SourceRecord>(
      both.map((each) => ({ ...each, transform: counting(each.transform) })),
    )
    for (let i = 0; i < 10; i++) chain.apply(recordOf(schemas.string, `${i}`))
    expect(asked).toBe(2)
  })
})
