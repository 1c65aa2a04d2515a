import { dateSchema, primitive, timeSchema } from '@millrace/sdk'
import type { ColumnReader, ReaderPlan, ReadOptions } from '../dialect.ts'
import { parseInstant, parseTime } from '../temporal.ts'
import { decimalPlan, numericPlan, type Plan, timestampPlan } from '../value-plans.ts'
import { utc, type Zone } from '../zone.ts'
import type { MysqlColumn } from './connection.ts'
import type { ZeroDates } from './driver-properties.ts'

/** Numbers of the types in the protocol, fixed since ever. */
const type = {
  decimal: 0x00,
  tiny: 0x01,
  short: 0x02,
  long: 0x03,
  float: 0x04,
  double: 0x05,
  timestamp: 0x07,
  longlong: 0x08,
  int24: 0x09,
  date: 0x0a,
  time: 0x0b,
  datetime: 0x0c,
  year: 0x0d,
  bit: 0x10,
  vector: 0xf2,
  newdecimal: 0xf6,
  geometry: 0xff,
} as const

export const TIMESTAMP_TYPE = type.timestamp

const NOT_NULL = 1
const UNSIGNED = 32
const INT64_MAX = 9_223_372_036_854_775_807n

/** Chooses schema and reader for each column of a result. */
export function planReaders(columns: readonly MysqlColumn[], options: ReadOptions, zeroDates: ZeroDates): ReaderPlan {
  const readers: ColumnReader[] = []
  const dropped: { name: string; type: string }[] = []
  columns.forEach((column, index) => {
    const plan = planColumn(column, options, zeroDates)
    if (plan === undefined) {
      dropped.push({ name: column.name, type: column.type === type.vector ? 'vector' : 'geometry' })
    } else readers.push({ name: column.name, index, ...plan })
  })
  return { readers, dropped }
}

function planColumn(column: MysqlColumn, options: ReadOptions, zeroDates: ZeroDates): Plan | undefined {
  const optional = (column.flags & NOT_NULL) === 0
  const unsigned = (column.flags & UNSIGNED) !== 0
  switch (column.type) {
    case type.tiny:
      return { schema: primitive(unsigned ? 'INT16' : 'INT8', { optional }), read: Number }
    case type.short:
      return { schema: primitive(unsigned ? 'INT32' : 'INT16', { optional }), read: Number }
    case type.int24:
      return { schema: primitive('INT32', { optional }), read: Number }
    case type.long:
      return unsigned
        ? { schema: primitive('INT64', { optional }), read: BigInt }
        : { schema: primitive('INT32', { optional }), read: Number }
    case type.longlong:
      return { schema: primitive('INT64', { optional }), read: unsigned ? readUnsigned : BigInt }
    case type.float:
      return { schema: primitive('FLOAT32', { optional }), read: (text) => Math.fround(Number(text)) }
    case type.double:
      return { schema: primitive('FLOAT64', { optional }), read: Number }
    case type.decimal:
    case type.newdecimal:
      return planDecimal(column, optional, unsigned, options)
    case type.bit:
      return planBits(column.length, optional)
    case type.date:
    case type.datetime:
    case type.timestamp:
      return planDate(column.type, optional, options, zeroDates)
    case type.time:
      return { schema: timeSchema({ optional }), read: (text) => parseTime(text, options.zone) }
    case type.year:
      return {
        schema: dateSchema({ optional }),
        read: (text) => new Date(parseInstant(`${text}-01-01`, utc, options.calendar).ms),
      }
    case type.geometry:
    case type.vector:
      return undefined
    default:
      return column.isBinary
        ? { schema: primitive('BYTES', { optional }), read: (text) => Buffer.from(text, 'hex') }
        : { schema: primitive('STRING', { optional }), read: (text) => text }
  }
}

function readUnsigned(text: string): bigint {
  const value = BigInt(text)
  if (value > INT64_MAX) throw new RangeError(`${text} is larger than INT64 holds; cast the column in a query`)
  return value
}

/** The length that the server gives counts the sign and the point. */
function planDecimal(column: MysqlColumn, optional: boolean, unsigned: boolean, options: ReadOptions): Plan {
  const scale = column.decimals
  const precision = column.length - (scale > 0 ? 1 : 0) - (unsigned ? 0 : 1)
  return precision > 0 && precision <= 65
    ? numericPlan(optional, precision, scale, options.numericMapping)
    : decimalPlan(optional, undefined, scale)
}

/** Up to eight bits are a number, more are bytes with the first bit on top. */
function planBits(bits: number, optional: boolean): Plan {
  return bits <= 8
    ? { schema: primitive('INT8', { optional }), read: (text) => (Number.parseInt(text, 16) << 24) >> 24 }
    : { schema: primitive('BYTES', { optional }), read: (text) => Buffer.from(text, 'hex') }
}

/** TIMESTAMP is a point in time, which our sessions read in UTC; DATETIME is a wall clock of `db.timezone`. */
function planDate(kind: number, required: boolean, options: ReadOptions, zeroDates: ZeroDates): Plan {
  const optional = required || zeroDates === 'null'
  const zone: Zone = kind === type.datetime ? options.zone : utc
  const whole = (text: string): string => {
    if (!/^\d{4}-00|^\d{4}-\d\d-00/.test(text)) return text
    if (zeroDates === 'round' && text.startsWith('0000-00-00')) return `0001-01-01${text.slice(10)}`
    throw new RangeError(
      `${text} is no date; put zeroDateTimeBehavior=CONVERT_TO_NULL or ROUND into connection.url, or correct the row`,
    )
  }
  const parse = (text: string) => parseInstant(whole(text), zone, options.calendar)
  const plan: Plan =
    kind === type.date
      ? { schema: dateSchema({ optional }), read: (text) => new Date(parse(text).ms) }
      : timestampPlan(optional, options, zone, parse)
  const read = (text: string): unknown => (text.startsWith('0000-00-00') ? null : plan.read(text))
  return { schema: plan.schema, read: zeroDates === 'null' ? read : (text) => plan.read(text), instant: parse }
}
