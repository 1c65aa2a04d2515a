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
    topic: 't',
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
  if (definition.kind === 'predicate') return definition.create(config).test(recordOf(c))
  const record = definition.create(config).apply(recordOf(c))
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
]

const isDeliberate = (c: Case) => DELIBERATE.some(([matches]) => matches(c))

describe('the transformations and predicates of Kafka 4.3.1 give the same', () => {
  for (const c of cases.filter((one) => !isDeliberate(one))) {
    const { result, error, ...input } = c
    test(JSON.stringify(input), async () => {
      if (error === undefined) expect(await run(c)).toEqual(normaliseDump(result))
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
