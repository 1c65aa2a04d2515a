import {
  arrayOf,
  DataError,
  dateSchema,
  Decimal,
  decimalSchema,
  mapOf,
  parseConfigOrThrow,
  type Schema,
  schemas,
  type SourceRecord,
  struct,
  timeSchema,
  timestampSchema,
  withOptions,
} from '@millrace/sdk'
import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { silentLogger } from '../../../../src/base/index.ts'
import definition from '../../../../src/connect/converters/json/json-converter.ts'
import '../../property-settings.ts'

function create(options: Record<string, string> = {}) {
  return definition.create(parseConfigOrThrow(definition.config, options), { isKey: false, logger: silentLogger })
}

const bare = { 'schemas.enable': 'false' }

function text(bytes: Uint8Array | null): string | null {
  return bytes === null ? null : Buffer.from(bytes).toString()
}

/** A schema with a generator of its values. */
type Typed = readonly [Schema, fc.Arbitrary<unknown>]

const primitives: readonly Typed[] = [
  [schemas.int8, fc.integer({ min: -128, max: 127 })],
  [schemas.int16, fc.integer({ min: -32768, max: 32767 })],
  [schemas.int32, fc.integer()],
  [schemas.int64, fc.bigInt({ min: -(2n ** 63n), max: 2n ** 63n - 1n })],
  [schemas.float32, fc.float({ noNaN: true })],
  [schemas.float64, fc.double({ noNaN: true })],
  [schemas.boolean, fc.boolean()],
  [schemas.string, fc.string({ unit: 'grapheme' })],
  [schemas.bytes, fc.uint8Array().map((bytes) => Buffer.from(bytes))],
  [decimalSchema(3), fc.bigInt({ min: -(10n ** 30n), max: 10n ** 30n }).map((n) => new Decimal(n, 3))],
  [dateSchema(), fc.integer({ min: -10000, max: 30000 }).map((days) => new Date(days * 86_400_000))],
  [timeSchema(), fc.integer({ min: 0, max: 86_399_999 })],
  [timestampSchema(), fc.integer({ min: -(2 ** 40), max: 2 ** 41 }).map((ms) => new Date(ms))],
]

function optional([schema, value]: Typed): Typed {
  return [withOptions(schema, { optional: true }), fc.option(value)]
}

const typed: fc.Arbitrary<Typed> = fc.letrec<{ any: Typed; leaf: Typed; list: Typed; map: Typed; struct: Typed }>(
  (tie) => ({
    leaf: fc.constantFrom(...primitives, ...primitives.map(optional)),
    list: tie('any').map(([schema, value]): Typed => [arrayOf(schema), fc.array(value, { maxLength: 4 })]),
    map: tie('any').map(([schema, value]): Typed => {
      // A JavaScript object puts keys that look like numbers first, so the order of those is not kept.
      const key = fc.string().map((tail) => `k${tail}`)
      const entries = fc.uniqueArray(fc.tuple(key, value), { maxLength: 4, selector: ([name]) => name })
      return [mapOf(schemas.string, schema), entries.map((pairs) => new Map(pairs))]
    }),
    struct: fc.array(tie('any'), { maxLength: 5 }).map((members): Typed => {
      const schema = struct(members.map(([s], i) => [`f${i}`, s] as const))
      const values = fc.tuple(...members.map(([, value]) => value))
      return [schema, values.map((list) => Object.fromEntries(list.map((value, i) => [`f${i}`, value])))]
    }),
    any: fc.oneof({ depthSize: 'small', withCrossShrink: true }, tie('leaf'), tie('list'), tie('map'), tie('struct')),
  }),
).any

describe('round trip', () => {
  test('data with schemas comes back equal, with either decimal format', () => {
    for (const format of ['BASE64', 'NUMERIC']) {
      const converter = create({ 'decimal.format': format })
      const sample = typed.chain(([schema, value]) => fc.tuple(fc.constant(schema), value))
      fc.assert(
        fc.property(sample, ([schema, value]) => {
          const bytes = converter.fromConnectData('t', schema, value)
          const back = converter.toConnectData('t', bytes)
          expect(back.value).toEqual(value)
          expect(text(converter.fromConnectData('t', back.schema, back.value))).toBe(text(bytes))
        }),
        { numRuns: 200 },
      )
    }
  })

  test('what it writes is JSON for any schemaless value', () => {
    const converter = create(bare)
    fc.assert(
      fc.property(fc.jsonValue(), (value) => {
        const bytes = converter.fromConnectData('t', null, value)
        if (value === null) expect(bytes).toBeNull()
        else expect(JSON.parse(text(bytes) ?? '')).toEqual(JSON.parse(JSON.stringify(value)))
      }),
    )
  })

  test('arbitrary bytes give data or a DataError', () => {
    const converters = [create(), create(bare)]
    fc.assert(
      fc.property(
        fc.oneof(
          fc.uint8Array(),
          fc.json().map((json) => Buffer.from(`{"schema":${json}}`)),
        ),
        (bytes) => {
          for (const converter of converters) {
            try {
              converter.toConnectData('t', bytes)
            } catch (error) {
              expect(error).toBeInstanceOf(DataError)
            }
          }
        },
      ),
    )
  })
})

test('whole numbers beyond 2^53 stay exact', () => {
  const converter = create(bare)
  const bytes = Buffer.from(
    '{"a":9007199254740993,"b":[12345678901234567890],"c":0.1234567890123456789,"d":"9007199254740993"}',
  )
  expect(converter.toConnectData('t', bytes).value).toEqual({
    a: 9007199254740993n,
    b: [12345678901234567890n],
    c: 0.12345678901234568,
    d: '9007199254740993',
  })
})

test('an error names the field but not the value', () => {
  const schema = struct({ a: struct({ b: schemas.int32 }) })
  expect(() => create().fromConnectData('t', schema, { a: { b: 'geheim' } })).toThrow(
    'Invalid value for schema with type INT32: a string does not fit (field a.b)',
  )
  expect(() => create(bare).toConnectData('t', Buffer.from('{"password": geheim}'))).toThrow(/^(?!.*geheim)/)
})

test('a field named like a member of Object is absent when it is absent', () => {
  const schema = struct({ constructor: schemas.optional.string })
  expect(text(create(bare).fromConnectData('t', schema, {}))).toBe('{"constructor":null}')
})

test('messages of one schema share the schema object, also when schemas alternate', () => {
  const converter = create()
  const message = (type: string, payload: string) =>
    converter.toConnectData('t', Buffer.from(`{"schema":{"type":"${type}","optional":false},"payload":${payload}}`))
  const first = message('int32', '1')
  expect(message('int32', '2').schema).toBe(first.schema)
  message('string', '"x"')
  expect(message('int32', '3')).toEqual({ schema: first.schema, value: 3 })
  expect(message('int32', '4').schema).toBe(first.schema)
  expect(() => message('int32', '5,"more":1')).toThrow(DataError)
  expect(() => message('int32', '')).toThrow(DataError)
})

describe('JSON text of the connector', () => {
  const schema = struct({ id: schemas.int32 })
  const record = {
    topic: 't',
    valueSchema: schema,
    keySchema: null,
    jsonText: (part: string) => (part === 'value' ? Buffer.from('{"id":7}') : null),
  } as unknown as SourceRecord

  test('goes out as it is, or behind the schema', () => {
    expect(text(create(bare).fromJsonText?.(record, 'value') ?? null)).toBe('{"id":7}')
    const enveloped = create()
    expect(text(enveloped.fromJsonText?.(record, 'value') ?? null)).toBe(
      text(enveloped.fromConnectData('t', schema, { id: 7 })),
    )
    expect(enveloped.fromJsonText?.(record, 'key')).toBeNull()
  })

  test('is not offered when the options ask for another form', () => {
    expect(create({ 'decimal.format': 'NUMERIC' }).fromJsonText).toBeUndefined()
    expect(create({ 'replace.null.with.default': 'false' }).fromJsonText).toBeUndefined()
  })
})
