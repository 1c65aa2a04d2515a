import { DataError, type Schema } from '@millrace/sdk'
import type { BindOptions, TextBinder } from '../sink-dialect.ts'
import type { SqlValue } from '../sql.ts'
import { formatWallClock, parseInstant } from '../temporal.ts'
import { readingOf } from '../value-texts.ts'
import { utc } from '../zone.ts'

/** The first letter says what the rest is; `valueOf` reads it. */
const tag = { integer: 'i', real: 'r', text: 't', bytes: 'b' } as const

/** Chooses how values are written, so that each arrives with the type that it has in SQLite. */
export function binderOf(name: string, schema: Schema, columnType: string, options: BindOptions): TextBinder {
  const type = columnType.toUpperCase()
  // Times are numbers where the column is one, as the JDBC driver writes them, and else the text of SQLite's functions.
  const isNumber = /INT|NUMERIC|DECIMAL|REAL|FLOA|DOUB/.test(type)
  const isText = /CHAR|TEXT|CLOB/.test(type)
  const isDate = /DATE|TIME/.test(type)
  const takes = { dates: isDate || isText, times: isDate || isText, instants: isDate || isText }
  const read = readingOf(name, schema, takes, options)
  const isDecimal = schema.name?.endsWith('Decimal') === true
  const isReal = schema.type === 'FLOAT32' || schema.type === 'FLOAT64'
  return (value) => {
    const plain = read(value)
    switch (plain.kind) {
      case 'bytes':
        return tag.bytes + Buffer.from(plain.bytes).toString('latin1')
      case 'number':
        // A decimal keeps all its digits as text; a column of numbers makes a number of it where none is lost.
        if (isText || isDecimal) return tag.text + plain.text
        return (isReal ? tag.real : tag.integer) + plain.text
      case 'date':
        return isNumber ? tag.integer + dateMs(plain.text, options) : tag.text + plain.text
      case 'time':
        return isNumber ? tag.integer + timeMs(value) : tag.text + plain.text
      case 'instant':
        if (isNumber) return tag.integer + String(plain.instant.ms)
        return tag.text + wallClock(plain.instant.ms, plain, options)
      default:
        return tag.text + plain.text
    }
  }
}

function wallClock(
  ms: number,
  plain: { readonly instant: { readonly nanos: number }; readonly wallClock: boolean },
  options: BindOptions,
): string {
  const text = formatWallClock(
    { ms, nanos: plain.instant.nanos },
    plain.wallClock ? utc : options.zone,
    plain.wallClock ? 'PROLEPTIC_GREGORIAN' : options.calendar,
  )
  // Three digits, as SQLite's functions write them, unless there are more to keep.
  const [whole, fraction = ''] = text.split('.') as [string, string?]
  return `${whole}.${fraction.padEnd(3, '0')}`
}

/** Midnight of the day, in the zone of the config, as the JDBC driver writes it. */
function dateMs(text: string, options: BindOptions): number {
  return parseInstant(`${text} 00:00:00`, options.zone, options.calendar).ms
}

const timeMs = (value: unknown): number => (value instanceof Date ? value.getTime() : Number(value))

/** The parameter that a bound text stands for. */
export function valueOf(text: string | null | undefined): SqlValue {
  if (text === null || text === undefined) return null
  const rest = text.slice(1)
  switch (text[0]) {
    case tag.integer:
      return BigInt(rest)
    case tag.real:
      return Number(rest)
    case tag.bytes:
      return Buffer.from(rest, 'latin1')
    default:
      return rest
  }
}

/** A default as SQL. */
export function literalOf(text: string): string {
  const value = valueOf(text)
  if (value === null) throw new DataError('a default is never null')
  if (typeof value === 'string') return `'${value.replaceAll("'", "''")}'`
  return typeof value === 'object' ? `X'${Buffer.from(value).toString('hex')}'` : String(value)
}
