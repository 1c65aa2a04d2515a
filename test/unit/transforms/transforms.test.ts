import { readFileSync } from 'node:fs'
import {
  arrayOf,
  type ConnectRecord,
  DataError,
  parseConfigOrThrow,
  type Schema,
  schemas,
  type SourceRecord,
  struct,
  timestampSchema,
  type Transformation,
} from '@millrace/sdk'
import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { silentLogger } from '../../../src/base/index.ts'
import cast from '../../../transforms/cast.ts'
import extractField from '../../../transforms/extract-field.ts'
import { parseFieldPath } from '../../../transforms/field-path.ts'
import hoistField from '../../../transforms/hoist-field.ts'
import { transformManifests } from '../../../transforms/index.ts'
import insertField from '../../../transforms/insert-field.ts'
import maskField from '../../../transforms/mask-field.ts'
import regexRouter from '../../../transforms/regex-router.ts'
import replaceField from '../../../transforms/replace-field.ts'
import timestampConverter from '../../../transforms/timestamp-converter.ts'
import valueToKey from '../../../transforms/value-to-key.ts'
import '../property-settings.ts'

function create(definition: { create: Transformation['create']; config: Transformation['config'] }, raw: object) {
  return definition.create(parseConfigOrThrow(definition.config, raw as Record<string, string>), {
    logger: silentLogger,
  })
}

const transformations = {
  insert: (options: object) => create(insertField.value as unknown as Transformation, options),
  replace: (options: object) => create(replaceField.value as unknown as Transformation, options),
  mask: (options: object) => create(maskField.value as unknown as Transformation, options),
  extract: (options: object) => create(extractField.value as unknown as Transformation, options),
  hoist: (options: object) => create(hoistField.value as unknown as Transformation, options),
  cast: (options: object) => create(cast.value as unknown as Transformation, options),
  route: (options: object) => create(regexRouter as unknown as Transformation, options),
  time: (options: object) => create(timestampConverter.value as unknown as Transformation, options),
  valueToKey: (options: object) => create(valueToKey as unknown as Transformation, options),
}

function recordOf(valueSchema: Schema | null, value: unknown): SourceRecord {
  return {
    topic: 't',
    partition: null,
    key: null,
    keySchema: null,
    value,
    valueSchema,
    headers: [],
    timestamp: 1000,
    sourcePartition: {},
    sourceOffset: {},
  }
}

/** Structs of fields whose schemaless form is the same, with a value. */
const sample = fc
  .uniqueArray(fc.constantFrom('a', 'b', 'c', 'd', 'e', 'constructor'), { minLength: 1 })
  .chain((names) =>
    fc.tuple(
      fc.constant(names),
      fc.tuple(...names.map(() => fc.constantFrom<'string' | 'boolean' | 'int32'>('string', 'boolean', 'int32'))),
    ),
  )
  .chain(([names, types]) => {
    const value: Record<string, fc.Arbitrary<unknown>> = {
      string: fc.string(),
      boolean: fc.boolean(),
      int32: fc.integer(),
    }
    const schema = struct(names.map((name, i) => [name, schemas.optional[types[i] ?? 'string']] as const))
    const values = names.map((_, i) => fc.option(value[types[i] ?? 'string'] ?? fc.string()))
    return fc.tuple(...values).map((list) => ({ schema, value: Object.fromEntries(names.map((n, i) => [n, list[i]])) }))
  })

const made = fc.constantFrom(
  () => transformations.insert({ 'static.field': 'zz', 'static.value': 's', 'topic.field': 'yy' }),
  () => transformations.replace({ exclude: 'b', renames: 'a:x' }),
  () => transformations.hoist({ field: 'h' }),
)

test('data with and without a schema come out the same', () => {
  fc.assert(
    fc.property(sample, made, ({ schema, value }, make) => {
      const transform = make()
      const withSchema = transform.apply(recordOf(schema, value))
      expect(withSchema?.value).toEqual(transform.apply(recordOf(null, value))?.value)
      expect(withSchema?.valueSchema?.type).toBe('STRUCT')
    }),
  )
})

test('what comes out fits its schema, and the input is never changed', () => {
  fc.assert(
    fc.property(sample, ({ schema, value }) => {
      const before = structuredClone(value)
      const result = transformations
        .insert({ 'static.field': 'zz!', 'static.value': 's' })
        .apply(recordOf(schema, value))
      expect(result?.valueSchema?.fields.map((field) => field.name)).toEqual(Object.keys(result?.value as object))
      expect(value).toEqual(before)
    }),
  )
})

test('the same schema gives the same result schema, so that encoders are found again', () => {
  const schema = struct({ a: schemas.int32 }, { name: 'n' })
  const all: ConnectRecord[][] = []
  for (const transform of [
    transformations.insert({ 'topic.field': 'topic' }),
    transformations.replace({ renames: 'a:b' }),
    transformations.hoist({ field: 'h' }),
  ]) {
    all.push([1, 2].map((a) => transform.apply(recordOf(schema, { a })) as ConnectRecord))
  }
  for (const [first, second] of all) expect(first?.valueSchema).toBe(second?.valueSchema)
  const keyed = transformations.valueToKey({ fields: 'a' })
  const keys = [1, 2].map((a) => keyed.apply(recordOf(schema, { a }))?.keySchema)
  expect(keys[0]).toBe(keys[1])
  expect(schema.name).toBe('n')
})

test('a map of several kinds of schemaless data is a map', () => {
  const replaced = transformations.replace({ exclude: 'b' }).apply(
    recordOf(
      null,
      new Map([
        ['a', 1],
        ['b', 2],
      ]),
    ),
  )
  expect(replaced?.value).toEqual({ a: 1 })
})

test('a message never shows a value', () => {
  expect(() => transformations.insert({ 'topic.field': 'x' }).apply(recordOf(null, 'geheim'))).toThrow(
    'Only Map objects supported in absence of schema for [field insertion], found: java.lang.String',
  )
})

describe('paths of version 2', () => {
  test.each([
    ['a', ['a']],
    ['a.b', ['a', 'b']],
    ['`a.b`.c', ['a.b', 'c']],
    ['a.', ['a', '']],
    ['a..b', ['a', '', 'b']],
    ['`a\\`.b`', ['a`.b']],
    ['a`b', ['a`b']],
  ])('%s', (path, steps) => {
    expect(parseFieldPath(path)).toEqual(steps)
  })

  test('any names come back when dots are in backticks', () => {
    fc.assert(
      fc.property(
        fc.array(
          fc.string().filter((s) => !/[`\\]/.test(s)),
          { minLength: 1 },
        ),
        (names) => {
          expect(parseFieldPath(names.map((name) => `\`${name}\``).join('.'))).toEqual(names)
        },
      ),
    )
  })
})

const twoNumbers = struct([
  ['a', schemas.int32],
  ['b', schemas.int32],
])

test('what Kafka refuses is refused here', () => {
  const strings = arrayOf(schemas.string)
  const inner = struct([['list', strings]])
  const refusals: readonly (readonly [() => unknown, string])[] = [
    [() => transformations.cast({ spec: 'list:string' }).apply(recordOf(null, { list: ['a'] })), 'casting from ARRAY'],
    [() => transformations.cast({ spec: 'map:string' }).apply(recordOf(null, { map: { a: 1 } })), 'casting from MAP'],
    [() => transformations.cast({ spec: 'list:string' }).apply(recordOf(inner, { list: ['a'] })), 'ARRAY'],
    [() => transformations.extract({ field: 'a' }).apply(recordOf(strings, null)), 'non-struct type'],
    [
      () => transformations.route({ regex: '(?<a>t)', replacement: '${b}' }).apply(recordOf(null, null)),
      'No group with name {b}',
    ],
    [
      () => transformations.time({ 'target.type': 'string', format: 'yyyy' }).apply(recordOf(schemas.boolean, null)),
      'Schema BOOLEAN does not correspond to a known timestamp type format',
    ],
    [
      () => transformations.replace({ renames: 'b:a' }).apply(recordOf(struct([['a', schemas.int32]]), { a: 1 })),
      'renames gives the name a to one more field',
    ],
    [
      () => transformations.replace({ renames: 'a:x,b:x' }).apply(recordOf(twoNumbers, { a: 1, b: 2 })),
      'renames gives the name x to one more field',
    ],
    [
      () => {
        const options = { 'topic.field': 'w', 'static.field': 'w', 'static.value': 'x' }
        return transformations.insert(options).apply(recordOf(twoNumbers, { a: 1, b: 2 }))
      },
      'Cannot create field because of field name duplication w',
    ],
    [
      () => {
        const time = transformations.time({ 'target.type': 'Timestamp' })
        return time.apply(recordOf(schemas.int64, 9_223_372_036_854_775_807n))
      },
      'A date cannot hold 9223372036854775807 milliseconds',
    ],
  ]
  for (const [run, message] of refusals) {
    expect(run).toThrow(message)
    expect(run).toThrow(DataError)
  }
})

test('seconds beyond what Java counts in milliseconds stop at its bounds', () => {
  const time = transformations.time({ 'target.type': 'Time', 'unix.precision': 'seconds' })
  expect(time.apply(recordOf(schemas.int64, -9_223_372_036_854_775_808n))?.value).toBe(60_424_192)
  const back = transformations.time({ 'target.type': 'unix', 'unix.precision': 'nanoseconds' })
  const farAway = recordOf(timestampSchema(), new Date(8_640_000_000_000_000))
  expect(back.apply(farAway)?.value).toBe(9_223_372_036_854_775_807n)
})

test('of two renames to one name the one whose field is there counts', () => {
  const replace = transformations.replace({ renames: 'gone:x,a:x' })
  expect(replace.apply(recordOf(twoNumbers, { a: 1, b: 2 }))?.value).toEqual({ x: 1, b: 2 })
})

test('every manifest loads the plugin that it names', async () => {
  for (const manifest of transformManifests) {
    const { default: definition } = (await manifest.load()) as { default: Transformation }
    expect(definition).toMatchObject({ kind: manifest.kind, name: manifest.name, aliases: manifest.aliases })
    expect(definition.version).toBe(manifest.version)
  }
  expect(transformManifests.map((manifest) => manifest.name)).toContain(
    'org.apache.kafka.connect.transforms.InsertField$Value',
  )
})

test('the example of the README passes validation of each transformation', () => {
  const readme = readFileSync(new URL('../../../transforms/README.md', import.meta.url), 'utf8')
  const config = JSON.parse(/```json\n([^]*?)```/.exec(readme)?.[1] ?? '') as Record<string, string>
  const classes = {
    InsertField$Value: insertField.value,
    ReplaceField$Value: replaceField.value,
    MaskField$Value: maskField.value,
  } as Record<string, { config: Transformation['config'] }>
  const aliases = (config['transforms'] ?? '').split(',')
  expect(aliases).toHaveLength(3)
  for (const alias of aliases) {
    const prefix = `transforms.${alias}.`
    const own = Object.entries(config).filter(([key]) => key.startsWith(prefix))
    const raw = Object.fromEntries(own.map(([key, value]) => [key.slice(prefix.length), value]))
    const definition = classes[raw['type'] ?? '']
    expect(() => create(definition as unknown as Transformation, raw)).not.toThrow()
  }
  const listed = [...readme.matchAll(/^\| `(\w+)/gm)].map((match) => match[1])
  const known = transformManifests.filter(({ kind }) => kind === 'transformation')
  expect(new Set(listed)).toEqual(new Set(known.map(({ aliases: [alias = ''] }) => alias.replace(/\$.*/, ''))))
})
