import { readFileSync } from 'node:fs'
import {
  type ConnectRecord,
  parseConfigOrThrow,
  type PredicateDefinition,
  type Schema,
  schemas,
  type Transformation,
} from '@millrace/sdk'
import { describe, expect, test } from 'vitest'
import { silentLogger } from '../../src/base/index.ts'
import { decodeSchema, encodeSchema } from '../../src/connect/converters/json/json-schema.ts'
import { transformManifests } from '../../transforms/index.ts'
import { buildValue, dumpValue, normaliseDump } from './golden-values.ts'

interface Case {
  readonly kind: 'transform' | 'predicate'
  readonly class: string
  readonly options: Record<string, string>
  readonly keySchema: unknown
  readonly key: unknown
  readonly valueSchema: unknown
  readonly value: unknown
  readonly timestamp?: number | null
  readonly offset?: number
  readonly headers?: string[]
  readonly topic?: string
  readonly result?: unknown
  readonly error?: string
}

const cases = JSON.parse(readFileSync(new URL('golden/transforms.json', import.meta.url), 'utf8')) as Case[]

async function load(c: Case): Promise<Transformation | PredicateDefinition> {
  const manifest = transformManifests.find((one) => one.aliases.includes(c.class))
  const module = (await manifest?.load()) as { default: Transformation | PredicateDefinition }
  expect(module.default.name).toBe(manifest?.name)
  return module.default
}

function recordOf(c: Case): ConnectRecord {
  const keySchema = c.keySchema ? decodeSchema(c.keySchema) : null
  const valueSchema = c.valueSchema ? decodeSchema(c.valueSchema) : null
  const sink = { offset: c.offset, originalTopic: 't', originalPartition: 3, originalOffset: c.offset }
  return {
    topic: c.topic ?? 't',
    partition: c.offset === undefined ? null : 3,
    keySchema,
    key: buildValue(keySchema, c.key),
    valueSchema,
    value: buildValue(valueSchema, c.value),
    headers: (c.headers ?? []).map((key) => ({ key, value: 'x', schema: schemas.string })),
    timestamp: c.timestamp ?? null,
    ...(c.offset === undefined ? { sourcePartition: {}, sourceOffset: {} } : sink),
  } as ConnectRecord
}

function dump(schema: Schema | null, value: unknown) {
  const options = { numericDecimals: false, replaceNullWithDefault: false }
  return { schema: schema && JSON.parse(encodeSchema(schema, options)), value: dumpValue(schema, value) }
}

async function run(c: Case): Promise<unknown> {
  const definition = await load(c)
  const config = parseConfigOrThrow(definition.config, c.options)
  if (definition.kind === 'predicate') return definition.create(config, { logger: silentLogger }).test(recordOf(c))
  const record = definition.create(config, { logger: silentLogger }).apply(recordOf(c))
  if (record === null) return null
  return {
    topic: record.topic,
    key: dump(record.keySchema, record.key),
    value: dump(record.valueSchema, record.value),
    headers: record.headers.map((header) => [header.key, dump(header.schema, header.value)]),
  }
}

/** Where Millrace differs from Java on purpose, with the reason. */
const DELIBERATE: readonly (readonly [test: (c: Case) => boolean, why: string])[] = [
  [
    (c) => c.class.startsWith('MaskField') && c.options['fields'] === 'de',
    'a masked Decimal keeps the scale of its schema; in Java it gets scale 0, and the converter then refuses it',
  ],
  [
    (c) => c.class.startsWith('MaskField') && c.options['fields'] === 'a,b,c,d,e,f',
    'a JavaScript number has no mark of being a double',
  ],
  [
    (c) => c.class === 'Cast$Value' && /^[^:]*$/.test(c.options['spec'] ?? '') && isTimestamp(c.valueSchema),
    'a whole value that is cast loses the name of its logical type; Java leaves it, and converters then fail',
  ],
  [
    (c) => c.class === 'SetSchemaMetadata$Value' && c.error?.includes('Cannot list fields on non-struct type') === true,
    'the schema of a value that is no struct gets its name too; Java fails since 4.0',
  ],
  [
    (c) =>
      c.class.startsWith('TimestampConverter') &&
      c.options['target.type'] === 'Time' &&
      c.valueSchema === null &&
      JSON.stringify(c.result ?? null).includes('"t":'),
    'a Time is a number in JavaScript, also without a schema',
  ],
]

function isTimestamp(schema: unknown): boolean {
  return (schema as { name?: string } | null)?.name === 'org.apache.kafka.connect.data.Timestamp'
}

const isDeliberate = (c: Case) => DELIBERATE.some(([matches]) => matches(c))

describe('the transformations and predicates of Kafka 4.3.1 give the same', () => {
  for (const c of cases.filter((one) => !isDeliberate(one))) {
    const { result, error, ...input } = c
    test(JSON.stringify(input), async () => {
      const options = {
        float32: JSON.stringify(c.options).includes('float32'),
        schemaless: /^(Cast|TimestampC)/.test(c.class) && c.valueSchema === null,
      }
      if (error === undefined) expect(normaliseDump(await run(c), options)).toEqual(normaliseDump(result, options))
      else await expect(run(c)).rejects.toThrow()
    })
  }
})

test('a masked decimal keeps its scale', async () => {
  const masked = cases.filter((c) => DELIBERATE[0]?.[0](c))
  expect(masked.length).toBeGreaterThan(0)
  for (const c of masked) expect(JSON.stringify(await run(c))).toMatch(/\["de",\{"d":"(0\.00|12\.00|1\.50)"\}\]/)
})

test('a masked schemaless double is zero', async () => {
  const masked = cases.filter((c) => DELIBERATE[1]?.[0](c))
  expect(masked).toHaveLength(1)
  expect(JSON.stringify(await run(masked[0] as Case))).toContain('["f",{"i":"0"}]')
})

test('a whole timestamp that is cast has a plain schema', async () => {
  const cast = cases.filter((c) => DELIBERATE[2]?.[0](c))
  expect(cast.length).toBeGreaterThan(5)
  for (const c of cast) {
    const { value } = (await run(c)) as { value: { schema: unknown } }
    expect(value.schema).toEqual({ type: expect.any(String), optional: false })
  }
})

test('the schema of a string gets a name and a version', async () => {
  const named = cases.filter((c) => DELIBERATE[3]?.[0](c))
  expect(named).toHaveLength(3)
  for (const c of named) expect(await run(c)).toMatchObject({ value: { schema: { type: 'string' }, value: 's' } })
})

test('a schemaless Time is the milliseconds of the day', async () => {
  const times = cases.filter((c) => DELIBERATE[4]?.[0](c))
  expect(times).toHaveLength(3)
  for (const c of times) expect(JSON.stringify(await run(c))).toMatch(/"i":"80000(123|999)"/)
})
