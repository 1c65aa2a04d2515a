import { dateSchema, primitive, timeSchema, timestampSchema } from '@millrace/sdk'
import type { JsonOutput } from '../../_shared/json-output/index.ts'
import {
  daysAt,
  epochMicros,
  isCommonEra,
  isoDate,
  isoTime,
  MICROS_PER_DAY,
  type Moment,
  parseMoment,
  parseTimeOfDay,
  timeOfDayAt,
} from './calendar.ts'
import { type ColumnCodec, semantic, stringCodec, type TypeOptions } from './column-codec.ts'

const isPositive = (text: string): boolean => !text.startsWith('-')

// A JavaScript Date ends here; Connect's own date types are Dates in memory, so infinities become these.
const DATE_DAYS_MAX = 100_000_000
const DATE_MS_MAX = 8_640_000_000_000_000

/** Infinite dates take the ends of INT32, which no date reaches. */
const infiniteDays = (text: string): number => (isPositive(text) ? 2_147_483_647 : -2_147_483_648)

export function dateCodec(options: TypeOptions): ColumnCodec {
  if (options.timeMode === 'connect') {
    return {
      schema: dateSchema(),
      value: (text) => {
        const days = parseMoment(text)?.days ?? (isPositive(text) ? DATE_DAYS_MAX : -DATE_DAYS_MAX)
        return new Date(Math.max(-DATE_DAYS_MAX, Math.min(DATE_DAYS_MAX, days)) * 86_400_000)
      },
      fallback: new Date(0),
    }
  }
  if (options.timeMode === 'isostring') {
    const value = (text: string): string => {
      const moment = parseMoment(text)
      return moment === undefined ? text : `${isoDate(moment.days)}Z`
    }
    return { schema: primitive('STRING', semantic('io.debezium.time.IsoDate')), value, fallback: '1970-01-01Z' }
  }
  const value = (text: string): number => parseMoment(text)?.days ?? infiniteDays(text)
  return {
    schema: primitive('INT32', semantic('io.debezium.time.Date')),
    value,
    write: (out, source, start, end) =>
      out.integer(
        isCommonEra(source, start, end) ? daysAt(source, start) : value(source.toString('latin1', start, end)),
      ),
    fallback: 0,
  }
}

/** time(precision); 24:00:00 is allowed. */
export function timeCodec(precision: number, options: TypeOptions): ColumnCodec {
  const { timeMode } = options
  const writeMicros = (out: JsonOutput, source: Buffer, start: number, end: number): void =>
    out.integer(timeOfDayAt(source, start, end))
  const millis = (text: string): number => Math.floor(parseTimeOfDay(text) / 1000)
  const writeMillis = (out: JsonOutput, source: Buffer, start: number, end: number): void =>
    out.integer(Math.floor(timeOfDayAt(source, start, end) / 1000))
  if (timeMode === 'connect') return { schema: timeSchema(), value: millis, write: writeMillis, fallback: 0 }
  if (timeMode === 'isostring') {
    const value = (text: string): string => `${isoTime(parseTimeOfDay(text) % MICROS_PER_DAY)}Z`
    return { schema: primitive('STRING', semantic('io.debezium.time.IsoTime')), value, fallback: '00:00:00Z' }
  }
  if (timeMode === 'nanoseconds') {
    const value = (text: string): bigint => BigInt(parseTimeOfDay(text)) * 1000n
    return { schema: primitive('INT64', semantic('io.debezium.time.NanoTime')), value, fallback: 0n }
  }
  if (timeMode === 'adaptive' && precision <= 3) {
    const schema = primitive('INT32', semantic('io.debezium.time.Time'))
    return { schema, value: millis, write: writeMillis, fallback: 0 }
  }
  return {
    schema: primitive('INT64', semantic('io.debezium.time.MicroTime')),
    value: (text) => BigInt(parseTimeOfDay(text)),
    write: writeMicros,
    fallback: 0n,
  }
}

/** timetz in UTC with the shortest fraction. */
function zonedTime(text: string): string {
  const match = /^([\d:.]+)([+-])(\d\d)(?::(\d\d))?(?::(\d\d))?$/.exec(text)
  if (match === null) return text
  const offset = Number(match[3]) * 3600 + Number(match[4] ?? 0) * 60 + Number(match[5] ?? 0)
  const micros = parseTimeOfDay(match[1] as string) - (match[2] === '-' ? -offset : offset) * 1e6
  return `${isoTime(((micros % MICROS_PER_DAY) + MICROS_PER_DAY) % MICROS_PER_DAY)}Z`
}

export const timetzCodec: ColumnCodec = {
  schema: primitive('STRING', semantic('io.debezium.time.ZonedTime')),
  value: zonedTime,
  fallback: '00:00:00Z',
}

interface TimestampForm {
  readonly name: string
  /** From microseconds since the epoch. */
  readonly convert: (micros: bigint) => bigint
  /** The same where the microseconds are a safe integer. */
  readonly convertSafe: (micros: number) => number
  readonly positiveInfinity: bigint
  readonly negativeInfinity: bigint
  /** Appended to the digits of `convertSafe`. */
  readonly suffix: string
}

const LONG_MAX = 2n ** 63n - 1n
const LONG_MIN = -(2n ** 63n)
const floorMillis = (micros: bigint): bigint => (micros - (((micros % 1000n) + 1000n) % 1000n)) / 1000n

const MILLIS: TimestampForm = {
  name: 'io.debezium.time.Timestamp',
  convert: floorMillis,
  convertSafe: (micros) => Math.floor(micros / 1000),
  // What the Postgres driver for Java makes of infinity.
  positiveInfinity: 9_223_372_036_825_200_000n,
  negativeInfinity: -9_223_372_036_832_400_000n,
  suffix: '',
}
const MICROS: TimestampForm = {
  name: 'io.debezium.time.MicroTimestamp',
  convert: (micros) => micros,
  convertSafe: (micros) => micros,
  positiveInfinity: LONG_MAX,
  negativeInfinity: LONG_MIN,
  suffix: '',
}

/** Beyond the years 1677 to 2262 nanoseconds do not fit INT64; such values stop at its ends, like the infinities. */
const clamp = (value: bigint): bigint => (value > LONG_MAX ? LONG_MAX : value < LONG_MIN ? LONG_MIN : value)
const NANOS: TimestampForm = {
  name: 'io.debezium.time.NanoTimestamp',
  convert: (micros) => clamp(micros * 1000n),
  convertSafe: (micros) => micros,
  positiveInfinity: LONG_MAX,
  negativeInfinity: LONG_MIN,
  suffix: '000',
}

function timestampForm(form: TimestampForm): ColumnCodec {
  const value = (text: string): bigint => {
    const moment = parseMoment(text)
    if (moment !== undefined) return form.convert(epochMicros(moment))
    return isPositive(text) ? form.positiveInfinity : form.negativeInfinity
  }
  const write = (out: JsonOutput, source: Buffer, start: number, end: number): void => {
    if (isCommonEra(source, start, end)) {
      const days = daysAt(source, start)
      // Within 270 years of the epoch everything stays below 2^53, and nanoseconds below 2^63.
      if (days > -98_000 && days < 98_000) {
        const converted = form.convertSafe(days * MICROS_PER_DAY + timeOfDayAt(source, start + 11, end))
        out.integer(converted)
        if (converted !== 0) out.ascii(form.suffix)
        return
      }
    }
    out.ascii(String(value(source.toString('latin1', start, end))))
  }
  return { schema: primitive('INT64', semantic(form.name)), value, write, fallback: 0n }
}

/** timestamp(precision) without time zone, taken as UTC. */
export function timestampCodec(precision: number, options: TypeOptions): ColumnCodec {
  switch (options.timeMode) {
    case 'connect':
      return {
        schema: timestampSchema(),
        value: (text) => {
          const moment = parseMoment(text)
          if (moment === undefined) return new Date(isPositive(text) ? DATE_MS_MAX : -DATE_MS_MAX)
          const millis = Number(floorMillis(epochMicros(moment)))
          return new Date(Math.max(-DATE_MS_MAX, Math.min(DATE_MS_MAX, millis)))
        },
        fallback: new Date(0),
      }
    case 'isostring':
      return {
        schema: primitive('STRING', semantic('io.debezium.time.IsoTimestamp')),
        value: isoTimestamp,
        fallback: '1970-01-01T00:00:00Z',
      }
    case 'microseconds':
      return timestampForm(MICROS)
    case 'nanoseconds':
      return timestampForm(NANOS)
    default:
      return timestampForm(precision <= 3 ? MILLIS : MICROS)
  }
}

function isoTimestamp(text: string): string {
  const moment = parseMoment(text)
  // The ends that Debezium's driver gives.
  if (moment === undefined) return isPositive(text) ? '+292278994-08-16T23:00:00Z' : '-292275055-05-16T23:00:00Z'
  return `${isoDate(moment.days)}T${isoTime(moment.micros)}Z`
}

/**
 * timestamptz(precision): the session runs in UTC, so only the form changes; the fraction has exactly `precision`
 * digits.
 */
export function timestamptzCodec(precision: number): ColumnCodec {
  const value = (text: string): string => {
    const moment = parseMoment(text)
    return moment === undefined ? text : zoned(moment, precision)
  }
  const write = (out: JsonOutput, source: Buffer, start: number, end: number): void => {
    // 2016-11-04 13:51:30.123+00
    const timeEnd = end - 3
    if (!isCommonEra(source, start, end) || source[timeEnd] !== 0x2b || source[start + 10] !== 0x20) {
      out.text(value(source.toString('latin1', start, end)))
      return
    }
    out.ensure(40)
    const { buffer } = out
    let position = out.position
    buffer[position++] = 0x22
    for (let index = start; index < timeEnd; index++) buffer[position++] = source[index] as number
    buffer[position - (timeEnd - start) + 10] = 0x54
    let digits = timeEnd - start - 20
    if (digits < 0) {
      if (precision > 0) buffer[position++] = 0x2e
      digits = 0
    }
    for (; digits < precision; digits++) buffer[position++] = 0x30
    buffer[position++] = 0x5a
    buffer[position++] = 0x22
    out.position = position
  }
  const base = stringCodec('io.debezium.time.ZonedTimestamp')
  return { schema: base.schema, value, write, fallback: '1970-01-01T00:00:00Z' }
}

function zoned(moment: Moment, precision: number): string {
  return `${isoDate(moment.days)}T${isoTime(moment.micros, precision)}Z`
}
