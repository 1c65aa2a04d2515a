import { dateSchema, primitive, timeSchema } from '@millrace/sdk'
import type { ColumnReader, ReaderPlan, ReadOptions } from '../dialect.ts'
import { type Instant, instantOfMs, parseInstant, parseTime } from '../temporal.ts'
import { decimalPlan, numericPlan, type Plan, timestampPlan } from '../value-plans.ts'
import { utc } from '../zone.ts'
import { isBytes, type SqliteColumn } from './connection.ts'

/** Chooses schema and reader for each column of a result, by its declared type. */
export function planReaders(
  columns: readonly SqliteColumn[],
  isOptional: (column: SqliteColumn) => boolean,
  options: ReadOptions,
): ReaderPlan {
  const readers = columns.map(
    (column, index): ColumnReader => ({
      name: column.name,
      index,
      ...planColumn(column, isOptional(column), options),
      instant: (text) => comparedInstant(text, options),
    }),
  )
  return { readers, dropped: [] }
}

/** INTEGER holds 64 bits, so it is INT64; the shorter types are taken at their word. */
function planColumn(column: SqliteColumn, optional: boolean, options: ReadOptions): Plan {
  const type = column.declared.toUpperCase()
  const [, name = '', precision, scale] = /^([A-Z0-9_ ]*?)\s*(?:\((\d+)(?:\s*,\s*(\d+))?\))?$/.exec(type) ?? []
  if (isBytes(type)) return { schema: primitive('BYTES', { optional }), read: (text) => Buffer.from(text, 'hex') }
  if (name === 'BOOLEAN' || name === 'BOOL') return { schema: primitive('BOOLEAN', { optional }), read: readBoolean }
  if (name === 'TINYINT') return { schema: primitive('INT8', { optional }), read: whole(-128n, 127n) }
  if (name === 'SMALLINT' || name === 'INT2') {
    return { schema: primitive('INT16', { optional }), read: whole(-32_768n, 32_767n) }
  }
  if (name.startsWith('TIMESTAMP') || name.startsWith('DATETIME')) {
    return timestampPlan(optional, options, options.zone, (text) => readInstant(text, options))
  }
  if (name === 'DATE') return { schema: dateSchema({ optional }), read: (text) => readDate(text, options) }
  if (name === 'TIME') return { schema: timeSchema({ optional }), read: (text) => readTime(text, options) }
  if (name.includes('INT')) return { schema: primitive('INT64', { optional }), read: BigInt }
  if (/REAL|FLOA|DOUB/.test(name)) return { schema: primitive('FLOAT64', { optional }), read: readNumber }
  if (name === 'NUMERIC' || name === 'DECIMAL' || name === 'NUMBER') {
    return planNumeric(precision, scale, optional, options)
  }
  return { schema: primitive('STRING', { optional }), read: (text) => text }
}

/** Without a declared precision a column holds any number, and no digit may be lost. */
function planNumeric(
  precision: string | undefined,
  scale: string | undefined,
  optional: boolean,
  options: ReadOptions,
): Plan {
  const plan =
    precision === undefined
      ? options.numericMapping.startsWith('best_fit')
        ? { schema: primitive('FLOAT64', { optional }), read: Number }
        : decimalPlan(optional, undefined, UNDECLARED_SCALE)
      : numericPlan(optional, Number(precision), Number(scale ?? 0), options.numericMapping)
  return {
    schema: plan.schema,
    read(text) {
      if (!NUMBER.test(text)) throw new RangeError(`not a number: ${text.length} characters of text`)
      return plan.read(/e/i.test(text) ? plainDigits(text) : text)
    },
  }
}

const UNDECLARED_SCALE = 127
const NUMBER = /^-?\d+(\.\d+)?(e[+-]?\d+)?$/i

/** Writes `1.5e-7` as `0.00000015`. */
function plainDigits(text: string): string {
  const [, sign, whole, fraction = '', exponent] = /^(-?)(\d+)(?:\.(\d+))?e([+-]?\d+)$/i.exec(text) as RegExpExecArray
  const point = (whole as string).length + Number(exponent)
  const digits = (whole as string) + fraction
  if (point <= 0) return `${sign}0.${'0'.repeat(-point)}${digits}`
  if (point >= digits.length) return sign + digits.padEnd(point, '0')
  return `${sign}${digits.slice(0, point)}.${digits.slice(point)}`
}

function readBoolean(text: string): boolean {
  if (/^(1|true|t|yes|on)$/i.test(text)) return true
  if (/^(0|false|f|no|off)$/i.test(text)) return false
  throw new RangeError('not a boolean')
}

function readNumber(text: string): number {
  if (!/^(-?Infinity|.*\d.*)$/.test(text) || Number.isNaN(Number(text))) throw new RangeError('not a number')
  return Number(text)
}

function whole(min: bigint, max: bigint): (text: string) => number {
  return (text) => {
    const value = BigInt(text)
    if (value < min || value > max) throw new RangeError(`${text} is not between ${min} and ${max}`)
    return Number(value)
  }
}

/** A time since the epoch in milliseconds, as the JDBC driver writes it, or text as SQLite's functions write it. */
function readInstant(text: string, options: ReadOptions): Instant {
  if (/^-?\d+(\.0)?$/.test(text) && !/^\d{4}$/.test(text)) return instantOfMs(Number(text))
  const written = text.replace('T', ' ').replace(/ ?Z$/, '+00')
  // SQLite takes times without seconds too.
  return parseInstant(written.replace(/ (\d\d:\d\d)(?=$|[+-])/, ' $1:00'), options.zone, options.calendar)
}

function readDate(text: string, options: ReadOptions): Date {
  if (!/^-?\d+$/.test(text)) return new Date(parseInstant(text.slice(0, 10), utc, options.calendar).ms)
  const ms = Number(text)
  const local = ms + options.zone.offsetAt(ms)
  return new Date(Math.floor(local / 86_400_000) * 86_400_000)
}

function readTime(text: string, options: ReadOptions): number {
  if (/^-?\d+$/.test(text)) return ((Number(text) % 86_400_000) + 86_400_000) % 86_400_000
  return parseTime(/^\d\d:\d\d$/.test(text) ? `${text}:00` : text, options.zone)
}

/**
 * The instant by which a row is found again. Conditions are compared with the precision of SQLite's own functions, which
 * is milliseconds, and as wall clocks of one zone; a value that says more could be found twice or never.
 */
function comparedInstant(text: string, options: ReadOptions): Instant {
  const instant = readInstant(text, options)
  if (instant.nanos % 1_000_000 !== 0) {
    throw new RangeError(`"${text}" is finer than milliseconds, which SQLite cannot compare; round the column`)
  }
  if (options.zone !== utc && /^-?\d+(\.0)?$|Z$|[+-]\d\d:\d\d$/.test(text)) {
    throw new RangeError(`"${text}" is a time in UTC; set db.timezone=UTC`)
  }
  return instant
}
