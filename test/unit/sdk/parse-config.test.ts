import { ConfigError, defineConfig, HIDDEN, parseConfig, parseConfigKeys, parseConfigOrThrow } from '@millrace/sdk'
import { describe, expect, test } from 'vitest'

const common = { importance: 'high', doc: 'd' } as const

function parseOne(key: object, text?: string) {
  const raw: Record<string, string> = text === undefined ? {} : { k: text }
  const { values, issues } = parseConfig({ k: { ...common, ...key } } as never, raw)
  return { value: (values as { k: unknown }).k, errors: issues.map((issue) => issue.message) }
}

describe('values', () => {
  test.each([
    ['int', '1', 1],
    ['int', ' 1 ', 1],
    ['int', '+1', 1],
    ['int', '-2147483648', -2147483648],
    ['short', '-1', -1],
    ['long', '9223372036854775807', 2 ** 63],
    ['double', '1e3', 1000],
    ['double', '.5', 0.5],
    ['double', '1d', 1],
    ['boolean', 'TRUE', true],
    ['boolean', ' false ', false],
    ['list', '', []],
    ['list', ' a , b ', ['a', 'b']],
    ['list', 'a,,b', ['a', '', 'b']],
    ['string', ' x ', 'x'],
    ['password', ' x ', 'x'],
    ['class', 'a.B', 'a.B'],
  ])('%s "%s" is %j', (type, text, expected) => {
    expect(parseOne({ type }, text)).toEqual({ value: expected, errors: [] })
  })

  test.each([
    ['int', '1.0', 'Invalid value 1.0 for configuration k: Not a number of type INT'],
    ['int', '99999999999', 'Invalid value 99999999999 for configuration k: Not a number of type INT'],
    ['int', '', 'Invalid value  for configuration k: Not a number of type INT'],
    ['short', '40000', 'Invalid value 40000 for configuration k: Not a number of type SHORT'],
    ['long', '9223372036854775808', 'Invalid value 9223372036854775808 for configuration k: Not a number of type LONG'],
    ['double', 'x', 'Invalid value x for configuration k: Not a number of type DOUBLE'],
    ['boolean', 'yes', 'Invalid value yes for configuration k: Expected value to be either true or false'],
  ])('%s "%s" is refused in Kafka’s words', (type, text, message) => {
    expect(parseOne({ type }, text).errors).toEqual([message])
  })
})

describe('rules of a key', () => {
  test('a required key that is missing is named', () => {
    const { issues } = parseConfig({ topic: { type: 'string', ...common } }, {})
    expect(issues).toEqual([
      { key: 'topic', message: 'Missing required configuration "topic" which has no default value.' },
    ])
  })

  test('defaults stand in, null included', () => {
    const config = defineConfig({
      a: { type: 'int', default: 5, ...common },
      b: { type: 'string', default: null, ...common },
    })
    expect(parseConfig(config, {}).values).toEqual({ a: 5, b: null })
  })

  test.each([
    [{ type: 'int', min: 1 }, '0', 'Invalid value 0 for configuration k: Value must be at least 1'],
    [{ type: 'int', max: 10 }, '11', 'Invalid value 11 for configuration k: Value must be no more than 10'],
    [{ type: 'string', oneOf: ['a', 'b'] }, 'A', 'Invalid value A for configuration k: String must be one of: a, b'],
    [
      { type: 'string', oneOf: ['a', 'b'], ignoreCase: true },
      'c',
      'Invalid value c for configuration k: String must be one of (case insensitive): A, B',
    ],
    [{ type: 'string', nonEmpty: true }, ' ', 'Invalid value  for configuration k: String must be non-empty'],
    [{ type: 'list', unique: true }, 'a,a', "Configuration 'k' values must not be duplicated."],
    [{ type: 'list', unique: true }, 'a,,b', "Configuration 'k' values must not be empty."],
    [
      { type: 'list', nonEmpty: true },
      '',
      "Configuration 'k' must not be empty. Valid values include: any non-empty value",
    ],
    [{ type: 'list', oneOf: ['a', 'b'] }, 'a,c', 'Invalid value c for configuration k: String must be one of: a, b'],
  ])('%j refuses "%s"', (key, text, message) => {
    expect(parseOne(key, text).errors).toEqual([message])
  })

  test('a value that differs in case only becomes the literal of the definition', () => {
    expect(parseOne({ type: 'string', oneOf: ['BASE64'], ignoreCase: true }, 'base64').value).toBe('BASE64')
  })

  test('an alias is read when the key itself is absent', () => {
    const config = defineConfig({ 'new.name': { type: 'string', aliases: ['old.name'], ...common } })
    expect(parseConfig(config, { 'old.name': 'x' }).values['new.name']).toBe('x')
    expect(parseConfig(config, { 'old.name': 'x', 'new.name': 'y' }).values['new.name']).toBe('y')
  })

  test('a check of the plugin sees the value and the others', () => {
    const config = defineConfig({
      low: { type: 'int', ...common },
      high: {
        type: 'int',
        validate: (value: number, all) => (value > Number(all['low']) ? undefined : 'Must be above low'),
        ...common,
      },
    })
    expect(parseConfig(config, { low: '1', high: '2' }).issues).toEqual([])
    expect(parseConfig(config, { low: '3', high: '2' }).issues).toEqual([
      { key: 'high', message: 'Invalid value 2 for configuration high: Must be above low' },
    ])
  })
})

test('a password is in no message and no text', () => {
  const config = defineConfig({
    secret: { type: 'password', validate: () => 'Too short', ...common },
  })
  const { issues } = parseConfig(config, { secret: 'hunter2' })
  expect(issues[0]?.message).toBe('Invalid value [hidden] for configuration secret: Too short')
  expect(parseConfigKeys({ secret: { type: 'password', ...common } }, { secret: 'hunter2' }).get('secret')?.text).toBe(
    HIDDEN,
  )
})

test('all problems come in one error', () => {
  const config = defineConfig({ a: { type: 'int', ...common }, b: { type: 'string', ...common } })
  expect(() => parseConfigOrThrow(config, { a: 'x' })).toThrow(ConfigError)
  expect(() => parseConfigOrThrow(config, { a: 'x' })).toThrow(/Not a number of type INT[\s\S]*Missing required .*"b"/)
})
