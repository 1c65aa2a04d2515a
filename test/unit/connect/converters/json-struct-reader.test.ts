import { dateSchema, decimalSchema, mapOf, type Schema, schemas, struct, timestampSchema } from '@millrace/sdk'
import { describe, expect, test } from 'vitest'
import { type Random, seededRandom } from '../../../../src/base/index.ts'
import { compileDecoder, parseJson } from '../../../../src/connect/converters/json/json-decoder.ts'
import { structReader, UNREAD } from '../../../../src/connect/converters/json/json-struct-reader.ts'

const row = struct({
  i8: schemas.int8,
  i32: schemas.optional.int32,
  i64: schemas.int64,
  f32: schemas.float32,
  f64: schemas.optional.float64,
  flag: schemas.optional.boolean,
  'näme "x"': schemas.optional.string,
  blob: schemas.optional.bytes,
  day: dateSchema({ optional: true }),
  at: timestampSchema({ optional: true }),
  constructor: schemas.optional.string,
})
const nested = struct({
  before: { ...row, optional: true } as Schema,
  after: { ...row, optional: true } as Schema,
  op: schemas.string,
})

const DECODED = Symbol('decoded')

/** What parsing as a whole gives, or DECODED with the error. */
function expected(schema: Schema, text: string): unknown {
  try {
    return compileDecoder(schema, true)(parseJson(text))
  } catch {
    return DECODED
  }
}

const readOf = (schema: Schema) => {
  const read = structReader(schema, true)!
  return (text: string | Buffer): unknown => {
    // Not at the start of its memory, and with bytes behind it.
    const bytes = Buffer.concat([Buffer.from('[{'), Buffer.from(text), Buffer.from('}]"1')])
    return read(bytes, 2, bytes.length - 4)
  }
}

const pick = <T>(random: Random, values: readonly T[]): T => values[Math.floor(random.next() * values.length)] as T
const NUMBERS = [
  '0',
  '-0',
  '7',
  '-128',
  '127',
  '1.5',
  '-0.0',
  '0.1',
  '1e3',
  '2.5E-7',
  '9007199254740991',
  '9007199254740993',
  '-9223372036854775808',
  '9223372036854775807',
  '123456789012345',
  '1234567890123456',
  '0.1234567890123456789',
  '100000000000000.5',
  '1e400',
  '4294967296.25',
]
const TEXTS = [
  '""',
  '"x"',
  '"a row of words"',
  '"a row of words"',
  '"tëxt"',
  '"\\u00e9\\n\\""',
  '"😀"',
  '"ends with \\\\"',
  `"${'long '.repeat(30)}"`,
  '"AAEC"',
  '"NaN"',
  '"-Infinity"',
]
const WORDS = ['null', 'true', 'false', 'null', 'null']

function jsonOf(random: Random, schema: Schema): string {
  if (schema.type === 'STRUCT') {
    if (schema.optional && random.next() < 0.3) return 'null'
    return `{${schema.fields.map(({ name, schema: field }) => `${JSON.stringify(name)}:${jsonOf(random, field)}`).join(',')}}`
  }
  const kind = random.next()
  if (kind < 0.05) return pick(random, [...NUMBERS, ...TEXTS, ...WORDS])
  if (schema.optional && kind < 0.2) return 'null'
  if (schema.type === 'STRING') return pick(random, TEXTS)
  if (schema.type === 'BYTES') return pick(random, ['"AAEC"', '""'])
  if (schema.type === 'BOOLEAN') return pick(random, ['true', 'false'])
  if (schema.type === 'INT8') return pick(random, ['0', '-1', '127', '-128'])
  return schema.type.startsWith('FLOAT') ? pick(random, NUMBERS) : pick(random, ['0', '12', '-2147483648', '999'])
}

const SPOILS = ['', '"', '}', '{', ',', '0', '-', '.', 'e', ' ', '\\', ':', '\n', 'null'].map((text) =>
  Buffer.from(text),
)

/** Takes, adds or changes a byte; what is left may be no UTF-8. */
function spoilt(random: Random, text: string): Buffer {
  const bytes = Buffer.from(text)
  const at = Math.floor(random.next() * bytes.length)
  const spoil = pick(random, [...SPOILS, Buffer.of(0xc3), Buffer.of(Math.floor(random.next() * 256))])
  return Buffer.concat([bytes.subarray(0, at), spoil, bytes.subarray(at + Math.floor(random.next() * 2))])
}

describe('a reader of structs from bytes', () => {
  for (const [name, schema] of Object.entries({ row, nested })) {
    test(`reads what parsing reads, of ${name}s`, () => {
      const random = seededRandom(20_261_121)
      const read = readOf(schema)
      let count = 0
      for (let round = 0; round < 4000; round++) {
        const text = jsonOf(random, schema)
        const want = expected(schema, text)
        const found = read(text)
        if (found !== UNREAD) count++
        // What is wrong is left to those who parse; what is right is read.
        expect(found, text).toEqual(want === DECODED || text === 'null' ? UNREAD : want)
        expect(Object.is((found as { f64?: unknown }).f64, (want as { f64?: unknown })?.f64), text).toBe(true)
      }
      expect(count).toBeGreaterThan(1000)
    })

    test(`never reads what is spoilt otherwise than parsing, of ${name}s`, () => {
      const random = seededRandom(20_261_122)
      const read = readOf(schema)
      let refused = 0
      for (let round = 0; round < 8000; round++) {
        const bytes = spoilt(random, jsonOf(random, schema))
        const text = bytes.toString()
        const found = read(bytes)
        if (found === UNREAD) refused++
        else expect(found, text).toEqual(expected(schema, text))
      }
      expect(refused).toBeGreaterThan(1000)
    })
  }

  test('reads again a text that came before, and one that begins as it', () => {
    const read = readOf(struct({ a: schemas.string }))
    for (const text of ['word', 'word', 'words', 'wor', '', '', 'word', 'wörd', 'word']) {
      expect(read(JSON.stringify({ a: text }))).toEqual({ a: text })
    }
  })

  test('leaves blanks, other orders, missing, unknown and repeated fields to others', () => {
    const read = readOf(struct({ a: schemas.optional.int32, b: schemas.optional.int32 }))
    expect(read('{"a":1,"b":2}')).toEqual({ a: 1, b: 2 })
    for (const text of [
      '{ "a":1,"b":2}',
      '{"b":2,"a":1}',
      '{"a":1}',
      '{"a":1,"b":2,"c":3}',
      '{"a":1,"b":2,"a":3}',
      '[1]',
      '3',
    ]) {
      expect(read(text), text).toBe(UNREAD)
    }
  })

  test('is not made for lists, maps and decimals', () => {
    expect(structReader(struct({ a: mapOf(schemas.string, schemas.string) }), true)).toBeUndefined()
    expect(structReader(struct({ a: struct({ b: decimalSchema(2) }) }), true)).toBeUndefined()
    expect(structReader(schemas.string, true)).toBeUndefined()
  })
})
