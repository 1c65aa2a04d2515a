import { readFileSync } from 'node:fs'
import {
  type ConverterDefinition,
  type HeaderConverterDefinition,
  parseConfigOrThrow,
  type Schema,
} from '@millrace/sdk'
import { describe, expect, test } from 'vitest'
import { silentLogger } from '../../src/base/index.ts'
import byteArrayConverter from '../../src/connect/converters/byte-array-converter.ts'
import jsonConverter from '../../src/connect/converters/json/json-converter.ts'
import { decodeSchema, encodeSchema } from '../../src/connect/converters/json/json-schema.ts'
import simpleHeaderConverter from '../../src/connect/converters/simple-header-converter.ts'
import stringConverter from '../../src/connect/converters/string-converter.ts'
import { buildValue, dumpValue, normaliseDump } from './golden-values.ts'

interface Case {
  readonly kind: 'encode' | 'decode' | 'header-encode' | 'header-decode'
  readonly class: string
  readonly options?: Record<string, string>
  readonly schema?: unknown
  readonly value?: unknown
  readonly text?: string | null
  readonly result?: any
  readonly error?: string
}

const cases = JSON.parse(readFileSync(new URL('golden/converters.json', import.meta.url), 'utf8')) as Case[]
const definitions = [byteArrayConverter, jsonConverter, stringConverter, simpleHeaderConverter] as const

/** Where Millrace differs from Java on purpose, with the reason. */
const DELIBERATE: readonly (readonly [kind: string, text: string, why: string])[] = [
  ['decode', '1e3', 'a JavaScript number has no mark of being a double'],
  ['decode', '1.0', 'a JavaScript number has no mark of being a double'],
  ['decode', '{"a":1}x', 'what follows the JSON is refused instead of ignored'],
  ['header-decode', 'null', 'Java fails with a NullPointerException'],
  ['header-decode', '[]', 'Java gives a schema without a type for its members; here it is schemaless'],
  ['header-decode', '[ ]', 'as above'],
  ['header-decode', '[1,"a"]', 'as above'],
  ['header-decode', '{}', 'as above'],
  ['header-decode', '{ }', 'as above'],
  ['header-decode', '{"a":1,"b":"x"}', 'as above'],
  ['header-decode', '{"a":null}', 'as above'],
]

function isDeliberate(c: Case): boolean {
  return DELIBERATE.some(([kind, text]) => c.kind === kind && c.text === text)
}

function key(c: Case): string {
  return JSON.stringify([
    c.kind,
    c.class.split('.').at(-1),
    c.options ?? {},
    c.schema ?? null,
    c.value ?? c.text ?? null,
  ])
}

function run(c: Case): unknown {
  const definition = definitions.find((d) => d.name === c.class) as (typeof definitions)[number]
  const config = parseConfigOrThrow(definition.config, c.options ?? {})
  const schema: Schema | null = c.schema ? decodeSchema(c.schema) : null
  const text = (bytes: Uint8Array | null) => (bytes === null ? null : Buffer.from(bytes).toString())
  const bytes = c.text === null || c.text === undefined ? null : Buffer.from(c.text)
  const dump = (data: { schema: Schema | null; value: unknown }) => ({
    schema:
      data.schema && JSON.parse(encodeSchema(data.schema, { numericDecimals: false, replaceNullWithDefault: false })),
    value: dumpValue(data.schema, data.value),
  })
  if (c.kind.startsWith('header')) {
    const header = (definition as HeaderConverterDefinition).createHeader(config as never, { logger: silentLogger })
    if (c.kind === 'header-decode') return dump(header.toConnectHeader('t', 'h', bytes))
    return text(header.fromConnectHeader('t', 'h', schema, buildValue(schema, c.value)))
  }
  const converter = (definition as ConverterDefinition).create(config as never, { isKey: false, logger: silentLogger })
  if (c.kind === 'decode') return dump(converter.toConnectData('t', bytes))
  return text(converter.fromConnectData('t', schema, buildValue(schema, c.value)))
}

describe('the converters of Kafka 4.3.1 give the same', () => {
  for (const c of cases.filter((one) => !isDeliberate(one))) {
    test(key(c), () => {
      if (c.error === undefined) expect(run(c)).toEqual(normaliseDump(c.result))
      else expect(() => run(c)).toThrow()
    })
  }
})

test('every deliberate difference is a case and still differs', () => {
  for (const [kind, text] of DELIBERATE) {
    const c = cases.find((one) => one.kind === kind && one.text === text)
    expect(c, text).toBeDefined()
    let outcome: unknown
    try {
      outcome = run(c as Case)
    } catch (error) {
      outcome = error
    }
    expect(outcome).not.toEqual(normaliseDump(c?.result))
  }
})

test('a header of several types is schemaless, and null is null', () => {
  const header = simpleHeaderConverter.createHeader({}, { logger: silentLogger })
  const read = (text: string) => header.toConnectHeader('t', 'h', Buffer.from(text))
  expect(read('[1,"a"]')).toEqual({ schema: null, value: [1, 'a'] })
  expect(read('{}')).toEqual({ schema: null, value: new Map() })
  expect(read('null')).toEqual({ schema: null, value: null })
})
