import {
  arrayOf,
  ConfigError,
  compileRegex,
  ConnectError,
  DataError,
  dateSchema,
  Decimal,
  decimalToString,
  FINISHED,
  fromGenerator,
  fullMatch,
  isConnectError,
  isDecimal,
  isRetriable,
  mapOf,
  RetriableError,
  schemas,
  struct,
  timeSchema,
  toBase64,
  valueToString,
  withOptions,
} from '@millrace/sdk'
import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import '../property-settings.ts'

describe('Decimal', () => {
  test('text and bytes give the same value back', () => {
    fc.assert(
      fc.property(
        fc.bigInt({ min: -(10n ** 40n), max: 10n ** 40n }),
        fc.integer({ min: 0, max: 30 }),
        (unscaled, scale) => {
          const decimal = new Decimal(unscaled, scale)
          expect(Decimal.parse(decimal.toString())).toEqual(decimal)
          expect(Decimal.fromBytes(decimal.toBytes(), scale)).toEqual(decimal)
          expect(Decimal.parse(decimalToString(decimal)).toNumber()).toBe(decimal.toNumber())
        },
      ),
    )
  })

  test.each([
    ['12.50', 1250n, 2],
    ['-1e3', -1000n, 0],
    ['.5', 5n, 1],
    ['1.5e-3', 15n, 4],
  ])('%s', (text, unscaled, scale) => {
    const decimal = Decimal.parse(text)
    expect([decimal.unscaled, decimal.scale]).toEqual([unscaled, scale])
    expect(isDecimal(decimal)).toBe(true)
  })

  test.each(['', 'x', '1.2.3', '.', '1e'])('"%s" is no decimal', (text) => {
    expect(() => Decimal.parse(text)).toThrow(RangeError)
  })

  test('digits are cut only when that is asked for', () => {
    expect(() => Decimal.parse('1.25').withScale(1)).toThrow(RangeError)
    expect(Decimal.parse('-1.25').withScale(1, 'truncate').toString()).toBe('-1.2')
    expect(Decimal.parse('1.2').withScale(3).toString()).toBe('1.200')
  })
})

describe('schemas', () => {
  test('fields are found by name, repeated ones are refused', () => {
    const schema = struct({ a: schemas.int32, b: schemas.optional.string }, { name: 'n' })
    expect(schema.field('b')).toMatchObject({ name: 'b', index: 1 })
    expect(schema.field('c')).toBeUndefined()
    expect(() =>
      struct([
        ['a', schemas.int8],
        ['a', schemas.int8],
      ]),
    ).toThrow(/repeated field/)
  })

  test('options change on a copy', () => {
    const schema = struct({ a: schemas.int32 }, { name: 'n', doc: 'd' })
    const changed = withOptions(schema, { optional: true, doc: undefined })
    expect([changed.optional, changed.name, changed.doc, changed.fields]).toEqual([true, 'n', undefined, schema.fields])
    expect(schema.optional).toBe(false)
  })
})

describe('errors', () => {
  test('are known by their brand and say whether to try again', () => {
    expect(
      [new ConnectError('x'), new RetriableError('x'), new DataError('x'), new ConfigError('x')].map(isConnectError),
    ).toEqual([true, true, true, true])
    expect([isConnectError(new Error('x')), isConnectError(null), isRetriable(new DataError('x'))]).toEqual([
      false,
      false,
      false,
    ])
    expect(isRetriable(new RetriableError('x', { retryAfterMs: 5 }))).toBe(true)
    expect(new ConfigError('x', { key: 'k' }).key).toBe('k')
  })
})

describe('values as text', () => {
  test.each([
    [arrayOf(schemas.float64), [1, 2.5], '[1.0, 2.5]'],
    [mapOf(schemas.string, schemas.int64), new Map([['a', 1n]]), '{a=1}'],
    [dateSchema(), new Date(0), 'Thu Jan 01 00:00:00 UTC 1970'],
    [timeSchema(), 1000, 'Thu Jan 01 00:00:01 UTC 1970'],
    [null, { a: [1, null] }, '{a=[1, null]}'],
    [null, Decimal.parse('0.0000001'), '1E-7'],
    [schemas.bytes, Buffer.from([0, 255]), 'AP8='],
  ])('%#', (schema, value, text) => {
    expect(valueToString(schema, value)).toBe(text)
  })

  test('base64 of any length', () => {
    fc.assert(
      fc.property(
        fc.uint8Array({ maxLength: 50 }),
        (bytes) => toBase64(bytes) === Buffer.from(bytes).toString('base64'),
      ),
    )
    expect(toBase64(new Uint8Array(100_000))).toBe(Buffer.alloc(100_000).toString('base64'))
  })
})

describe('Java regular expressions', () => {
  test.each([
    ['a.c', 'abc', true],
    ['b', 'abc', false],
    ['(?i)ABC', 'abc', true],
    ['\\Qa.c\\E.*', 'a.cd', true],
    ['\\Qa.c\\E', 'abc', false],
    ['\\Aabc\\z', 'abc', true],
    ['a|abc', 'abc', true],
    ['a.c', 'a\nc', false],
    ['(?s)a.c', 'a\nc', true],
    ['a', 'a\n', false],
  ])('%s matches the whole of "%s": %s', (pattern, text, expected) => {
    expect(fullMatch(pattern)(text)).toBe(expected)
  })

  test.each(['[', 'a**', '\\p{Alpha}'])('%s is refused', (pattern) => {
    expect(() => compileRegex(pattern)).toThrow(SyntaxError)
  })
})

describe('fromGenerator', () => {
  test('batches come one by one, and the end finishes the task', async () => {
    const task = fromGenerator(async function* () {
      yield [{ topic: null, sourcePartition: {}, sourceOffset: { n: 1 } }]
    })
    const { signal } = new AbortController()
    expect(await task.poll(signal)).toHaveLength(1)
    expect(await task.poll(signal)).toBe(FINISHED)
  })

  test('a poll that is stopped loses nothing', async () => {
    let release: () => void = () => undefined
    const gate = new Promise<void>((resolve) => (release = resolve))
    const task = fromGenerator(async function* () {
      await gate
      yield [{ topic: null, sourcePartition: {}, sourceOffset: { n: 1 } }]
    })
    const abort = new AbortController()
    const first = task.poll(abort.signal)
    abort.abort()
    expect(await first).toBeNull()
    release()
    expect(await task.poll(new AbortController().signal)).toHaveLength(1)
    await task.stop?.()
  })
})
