/** The types of DescribeConfigs, by the names Kafka's documentation uses. */
export type ConfigType = 'boolean' | 'string' | 'int' | 'long' | 'double' | 'list'

/** Numbers of the types in DescribeConfigs answers. */
export const CONFIG_TYPE_CODE: Readonly<Record<ConfigType, number>> = {
  boolean: 1,
  string: 2,
  int: 3,
  long: 5,
  double: 6,
  list: 7,
}

/** Numbers of the places a value can come from, in DescribeConfigs answers. */
export const CONFIG_SOURCE = {
  topic: 1,
  dynamicBroker: 2,
  dynamicDefaultBroker: 3,
  staticBroker: 4,
  default: 5,
} as const

/** One configuration key: everything that parsing, validation and DescribeConfigs need. */
export interface ConfigKey {
  readonly name: string
  readonly type: ConfigType
  /** Null where a key has no default and may be absent. */
  readonly default: string | null
  readonly doc: string
  readonly min?: number
  readonly max?: number
  readonly oneOf?: readonly string[]
  /** Whether AlterConfigs may change it while the broker runs; only looked at for broker keys. */
  readonly dynamic?: boolean
}

export const LONG_MAX = '9223372036854775807'
const LONG_MAX_BIG = 9223372036854775807n
const INT_MAX = 0x7fffffff

/** Why this value cannot be taken, in a sentence that says what would be; undefined when it can. */
export function configValueError(key: ConfigKey, value: string): string | undefined {
  const wrong = (expected: string) => `Invalid value ${value} for configuration ${key.name}: ${expected}`
  const text = value.trim()
  switch (key.type) {
    case 'boolean':
      return /^(true|false)$/i.test(text) ? undefined : wrong('Expected value to be either true or false')
    case 'int':
    case 'long':
      return integerError(key, text, wrong)
    case 'double': {
      const number = Number(text)
      if (text === '' || !Number.isFinite(number)) return wrong('Not a number of type DOUBLE')
      return rangeError(key, number, wrong)
    }
    case 'string':
      if (key.oneOf === undefined || key.oneOf.includes(text)) return undefined
      return wrong(`String must be one of: ${key.oneOf.join(', ')}`)
    case 'list': {
      const stranger = key.oneOf === undefined ? undefined : splitList(text).find((item) => !key.oneOf?.includes(item))
      return stranger === undefined ? undefined : wrong(`Valid values are: ${key.oneOf?.join(', ')}`)
    }
  }
}

function integerError(key: ConfigKey, text: string, wrong: (expected: string) => string): string | undefined {
  const name = key.type === 'int' ? 'INT' : 'LONG'
  if (!/^[+-]?\d{1,19}$/.test(text)) return wrong(`Not a number of type ${name}`)
  const big = BigInt(text.replace('+', ''))
  const limit = key.type === 'int' ? BigInt(INT_MAX) : LONG_MAX_BIG
  if (big > limit || big < -limit - 1n) return wrong(`Not a number of type ${name}`)
  return rangeError(key, Number(big), wrong)
}

function rangeError(key: ConfigKey, value: number, wrong: (expected: string) => string): string | undefined {
  if (key.min !== undefined && value < key.min) return wrong(`Value must be at least ${key.min}`)
  if (key.max !== undefined && value > key.max) return wrong(`Value must be no more than ${key.max}`)
  return undefined
}

/** Items of a list value without the blanks around them. */
export function splitList(value: string): string[] {
  return value
    .split(',')
    .map((item) => item.trim())
    .filter((item) => item !== '')
}

/** A number from a validated value; Kafka's "never" (the largest long) becomes Infinity. */
export function configNumber(value: string): number {
  return value.trim() === LONG_MAX ? Number.POSITIVE_INFINITY : Number(value)
}

export function configBoolean(value: string): boolean {
  return value.trim().toLowerCase() === 'true'
}
