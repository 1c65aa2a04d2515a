import { Decimal, logicalNames, type Schema } from '@millrace/sdk'
import { dateParser } from './date-format.ts'

/** How text becomes a value where the schema says more than STRING. */
export interface TextParserOptions {
  /** Patterns of SimpleDateFormat, tried in this order. */
  readonly dateFormats: readonly string[]
  readonly timeZone: string
}

/** Makes a value of text, or throws an error that says what is wrong with it, without the text: it may be secret. */
export type TextParser = (text: string) => unknown

const INTEGERS: Readonly<Record<string, readonly [bigint, bigint]>> = {
  INT8: [-128n, 127n],
  INT16: [-32768n, 32767n],
  INT32: [-2147483648n, 2147483647n],
  INT64: [-(2n ** 63n), 2n ** 63n - 1n],
}

/** The parser of values of this schema. Empty text is null for all types but STRING. */
export function textParser(schema: Schema, options: TextParserOptions): TextParser {
  if (schema.type === 'STRING') return (text) => text
  const parse = parserOf(schema, options)
  return (text) => {
    const trimmed = text.trim()
    return trimmed === '' ? null : parse(trimmed)
  }
}

function parserOf(schema: Schema, options: TextParserOptions): TextParser {
  switch (schema.name) {
    case logicalNames.decimal:
      return decimalParser(Number(schema.parameters?.['scale'] ?? 0))
    case logicalNames.timestamp:
    case logicalNames.date:
    case logicalNames.time:
      return timeParser(schema.name, options)
    default:
  }
  const range = INTEGERS[schema.type]
  if (range !== undefined) return integerParser(schema.type, range)
  if (schema.type === 'FLOAT32' || schema.type === 'FLOAT64') return floatParser(schema.type)
  if (schema.type === 'BOOLEAN') return parseBoolean
  if (schema.type === 'BYTES') return (text) => Buffer.from(text, 'base64')
  return () => {
    throw new TypeError(`has the type ${schema.type}, which a cell of text cannot hold`)
  }
}

function integerParser(type: string, [least, most]: readonly [bigint, bigint]): TextParser {
  return (text) => {
    if (!/^[+-]?\d{1,20}$/.test(text)) throw new RangeError(`is not an integer (${type})`)
    const value = BigInt(text.startsWith('+') ? text.slice(1) : text)
    if (value < least || value > most) throw new RangeError(`is out of the range of ${type}`)
    return type === 'INT64' ? value : Number(value)
  }
}

function floatParser(type: string): TextParser {
  return (text) => {
    const value = /^[+-]?(\d|\.\d|NaN$|Infinity$)/.test(text) ? Number(text) : Number.NaN
    if (Number.isNaN(value) && text !== 'NaN') throw new RangeError(`is not a number (${type})`)
    return type === 'FLOAT32' ? Math.fround(value) : value
  }
}

function parseBoolean(text: string): boolean {
  const lower = text.toLowerCase()
  if (lower !== 'true' && lower !== 'false') throw new RangeError('is neither true nor false')
  return lower === 'true'
}

function decimalParser(scale: number): TextParser {
  return (text) => {
    try {
      return Decimal.parse(text).withScale(scale)
    } catch (error) {
      throw new RangeError(`is not a decimal number with at most ${scale} digits after the point`, { cause: error })
    }
  }
}

const DAY_MS = 86_400_000

function timeParser(name: string, { dateFormats, timeZone }: TextParserOptions): TextParser {
  const own = name === logicalNames.date ? ['yyyy-MM-dd'] : name === logicalNames.time ? ['HH:mm:ss'] : []
  // Days and times of the day are those that are written, in whatever zone.
  const zone = name === logicalNames.timestamp ? timeZone : 'UTC'
  const parsers = [...dateFormats, ...own].map((pattern) => dateParser(pattern, zone))
  return (text) => {
    for (const parse of parsers) {
      const instant = parse(text)
      if (instant === null) continue
      if (name === logicalNames.time) return ((instant % DAY_MS) + DAY_MS) % DAY_MS
      return new Date(name === logicalNames.date ? Math.floor(instant / DAY_MS) * DAY_MS : instant)
    }
    throw new RangeError(`is not a time of the form ${[...dateFormats, ...own].join(' or ')}`)
  }
}
