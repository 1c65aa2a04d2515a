import { utc, type Zone } from './zone.ts'

/**
 * A point in time with nanoseconds: whole milliseconds since the epoch, and the nanoseconds of the second (as
 * java.sql.Timestamp).
 */
export interface Instant {
  readonly ms: number
  /** 0 to 999,999,999; holds the milliseconds of the second too. */
  readonly nanos: number
}

/** How days before 15 October 1582 are counted: `LEGACY` is Java's Julian calendar there. */
export type CalendarSystem = 'LEGACY' | 'PROLEPTIC_GREGORIAN'

const DAY_MS = 86_400_000
/** The first and last instant of a JavaScript Date stand for Postgres's -infinity and infinity. */
const DATE_MAX_MS = 8_640_000_000_000_000
const GREGORIAN_START_DAY = -141_427

export const EPOCH: Instant = { ms: 0, nanos: 0 }

export function compareInstants(a: Instant, b: Instant): number {
  return a.ms === b.ms ? a.nanos - b.nanos : a.ms - b.ms
}

/** The instant at a whole millisecond. */
export function instantOfMs(ms: number): Instant {
  return { ms, nanos: (((ms % 1000) + 1000) % 1000) * 1_000_000 }
}

/** Days since the epoch of a date, in the calendar that was in force then. */
export function daysOf(year: number, month: number, day: number, calendar: CalendarSystem): number {
  if (calendar === 'LEGACY' && (year < 1582 || (year === 1582 && (month < 10 || (month === 10 && day < 15))))) {
    return julianDays(year, month, day)
  }
  const y = month <= 2 ? year - 1 : year
  const era = Math.floor(y / 400)
  const yearOfEra = y - era * 400
  const dayOfYear = Math.floor((153 * (month + (month > 2 ? -3 : 9)) + 2) / 5) + day - 1
  return era * 146_097 + yearOfEra * 365 + Math.floor(yearOfEra / 4) - Math.floor(yearOfEra / 100) + dayOfYear - 719_468
}

function julianDays(year: number, month: number, day: number): number {
  const y = month <= 2 ? year - 1 : year
  const dayOfYear = Math.floor((153 * (month + (month > 2 ? -3 : 9)) + 2) / 5) + day - 1
  return 365 * y + Math.floor(y / 4) + dayOfYear - 719_470
}

/** Year, month and day of a day number. */
export function dateOf(days: number, calendar: CalendarSystem): readonly [year: number, month: number, day: number] {
  const julian = calendar === 'LEGACY' && days < GREGORIAN_START_DAY
  const z = days + (julian ? 719_470 : 719_468)
  const era = Math.floor(z / (julian ? 1461 : 146_097))
  const dayOfEra = z - era * (julian ? 1461 : 146_097)
  const yearOfEra = julian
    ? Math.floor((dayOfEra - Math.floor(dayOfEra / 1460)) / 365)
    : Math.floor(
        (dayOfEra - Math.floor(dayOfEra / 1460) + Math.floor(dayOfEra / 36_524) - Math.floor(dayOfEra / 146_096)) / 365,
      )
  const leap = julian ? 0 : Math.floor(yearOfEra / 4) - Math.floor(yearOfEra / 100)
  const dayOfYear = dayOfEra - (365 * yearOfEra + leap)
  const mp = Math.floor((5 * dayOfYear + 2) / 153)
  const day = dayOfYear - Math.floor((153 * mp + 2) / 5) + 1
  const month = mp < 10 ? mp + 3 : mp - 9
  return [yearOfEra + era * (julian ? 4 : 400) + (month <= 2 ? 1 : 0), month, day]
}

const FORM =
  /^(\d{1,7})-(\d{2})-(\d{2})(?: (\d{2}):(\d{2}):(\d{2})(?:\.(\d{1,9}))?)?(?:([+-])(\d{2})(?::(\d{2}))?(?::(\d{2}))?)?( BC)?$/

/**
 * Reads a database timestamp or date in ISO form, keeping every digit. An offset in the text wins over the zone.
 * Throws RangeError for anything else.
 */
export function parseInstant(text: string, zone: Zone, calendar: CalendarSystem): Instant {
  if (text === 'infinity') return instantOfMs(DATE_MAX_MS)
  if (text === '-infinity') return instantOfMs(-DATE_MAX_MS)
  const fast = fastInstant(text, zone)
  if (fast !== undefined) return fast
  const match = FORM.exec(text)
  if (!match) throw new RangeError(`not a timestamp: "${text}"`)
  const year = match[12] === undefined ? Number(match[1]) : 1 - Number(match[1])
  const seconds = Number(match[4] ?? 0) * 3600 + Number(match[5] ?? 0) * 60 + Number(match[6] ?? 0)
  const nanos = Number((match[7] ?? '').padEnd(9, '0'))
  const localMs = daysOf(year, Number(match[2]), Number(match[3]), calendar) * DAY_MS + seconds * 1000
  let wholeSecond = localMs
  if (match[8] === undefined) wholeSecond = zone.toUtc(localMs)
  else {
    const offset = Number(match[9]) * 3600 + Number(match[10] ?? 0) * 60 + Number(match[11] ?? 0)
    wholeSecond = localMs - (match[8] === '-' ? -offset : offset) * 1000
  }
  return { ms: wholeSecond + Math.floor(nanos / 1_000_000), nanos }
}

const two = (text: string, at: number): number => (text.charCodeAt(at) - 48) * 10 + text.charCodeAt(at + 1) - 48

/** The common form `2024-01-02 03:04:05[.f]` after 1583, with no offset or `+00`; undefined for the others. */
function fastInstant(text: string, zone: Zone): Instant | undefined {
  let end = text.length
  const hasOffset = text.endsWith('+00')
  if (hasOffset) end -= 3
  if (end < 19 || end === 20 || end > 29 || text.charCodeAt(4) !== 45 || text.charCodeAt(10) !== 32) return undefined
  const year = two(text, 0) * 100 + two(text, 2)
  let nanos = 0
  for (let i = 20, unit = 100_000_000; i < end; i++, unit /= 10) {
    const digit = text.charCodeAt(i) - 48
    if (digit < 0 || digit > 9) return undefined
    nanos += digit * unit
  }
  const seconds = two(text, 11) * 3600 + two(text, 14) * 60 + two(text, 17)
  if (!(year > 1582 && seconds >= 0)) return undefined
  if (end > 19 && text.charCodeAt(19) !== 46) return undefined
  const localMs = daysOf(year, two(text, 5), two(text, 8), 'PROLEPTIC_GREGORIAN') * DAY_MS + seconds * 1000
  const wholeSecond = hasOffset || zone === utc ? localMs : zone.toUtc(localMs)
  return { ms: wholeSecond + Math.floor(nanos / 1_000_000), nanos }
}

/** Reads a time of day, `03:04:05.678`, with an offset or not, as milliseconds of the day in UTC. */
export function parseTime(text: string, zone: Zone): number {
  const match = /^(\d{2}):(\d{2}):(\d{2})(?:\.(\d{1,9}))?(?:([+-])(\d{2})(?::(\d{2}))?(?::(\d{2}))?)?$/.exec(text)
  if (!match) throw new RangeError(`not a time of day: "${text}"`)
  let ms = (Number(match[1]) * 3600 + Number(match[2]) * 60 + Number(match[3])) * 1000
  ms += Math.floor(Number((match[4] ?? '').padEnd(9, '0')) / 1_000_000)
  if (match[5] === undefined) ms -= zone.offsetAt(0)
  else {
    const offset = (Number(match[6]) * 3600 + Number(match[7] ?? 0) * 60 + Number(match[8] ?? 0)) * 1000
    ms -= match[5] === '-' ? -offset : offset
  }
  // 24:00:00 is a legal time in Postgres; Connect's Time has no such value.
  return ((ms % DAY_MS) + DAY_MS) % DAY_MS
}

const pad = (value: number, width: number): string => String(value).padStart(width, '0')

function formatDays(days: number, calendar: CalendarSystem): { date: string; era: string } {
  const [year, month, day] = dateOf(days, calendar)
  const shown = year > 0 ? year : 1 - year
  return { date: `${pad(shown, 4)}-${pad(month, 2)}-${pad(day, 2)}`, era: year > 0 ? '' : ' BC' }
}

/** Writes a date, given as days since the epoch. */
export function formatDate(days: number, calendar: CalendarSystem): string {
  const { date, era } = formatDays(days, calendar)
  return date + era
}

/** Writes a time of day; `nanos` is the number of nanoseconds since midnight. */
export function formatTime(nanosOfDay: bigint): string {
  const seconds = Number(nanosOfDay / 1_000_000_000n)
  const fraction = trimmedFraction(Number(nanosOfDay % 1_000_000_000n))
  return `${pad(Math.floor(seconds / 3600), 2)}:${pad(Math.floor(seconds / 60) % 60, 2)}:${pad(seconds % 60, 2)}${fraction}`
}

function trimmedFraction(nanos: number): string {
  if (nanos === 0) return ''
  return `.${pad(nanos, 9).replace(/0+$/, '')}`
}

/**
 * Writes a timestamp as the wall clock of the zone shows it, with the zone's offset: columns without a time zone ignore
 * the offset, columns with one use it, so the same text fits both.
 */
export function formatInstant(instant: Instant, zone: Zone, calendar: CalendarSystem): string {
  if (instant.ms >= DATE_MAX_MS) return 'infinity'
  if (instant.ms <= -DATE_MAX_MS) return '-infinity'
  const offset = zone === utc ? 0 : zone.offsetAt(instant.ms)
  const { days, time } = wallClock(instant, offset)
  const { date, era } = formatDays(days, calendar)
  return `${date} ${time}${trimmedFraction(instant.nanos)}${formatOffset(offset)}${era}`
}

/** `2024-01-02T03:04:05.678901` with as many digits as asked, as the wall clock of the zone shows it. */
export function formatIso(instant: Instant, zone: Zone, digits: number, calendar: CalendarSystem): string {
  const { days, time } = wallClock(instant, zone.offsetAt(instant.ms))
  return `${formatDays(days, calendar).date}T${time}.${pad(instant.nanos, 9).slice(0, digits)}`
}

function wallClock(instant: Instant, offset: number): { days: number; time: string } {
  const localSeconds = Math.floor((instant.ms + offset) / 1000)
  const days = Math.floor(localSeconds / 86_400)
  const rest = localSeconds - days * 86_400
  return { days, time: `${pad(Math.floor(rest / 3600), 2)}:${pad(Math.floor(rest / 60) % 60, 2)}:${pad(rest % 60, 2)}` }
}

function formatOffset(offsetMs: number): string {
  if (offsetMs === 0) return '+00'
  const seconds = Math.abs(offsetMs) / 1000
  const text = `${offsetMs < 0 ? '-' : '+'}${pad(Math.floor(seconds / 3600), 2)}:${pad(Math.floor(seconds / 60) % 60, 2)}`
  return seconds % 60 === 0 ? text : `${text}:${pad(seconds % 60, 2)}`
}

/**
 * Whole units since the epoch: 1,000 units a second for milliseconds, 1,000,000 for microseconds, 1,000,000,000
 * for nanoseconds.
 */
export function unitsOf(instant: Instant, unitsPerSecond: number): bigint {
  const seconds = Math.floor(instant.ms / 1000)
  return BigInt(seconds) * BigInt(unitsPerSecond) + BigInt(Math.floor(instant.nanos / (1_000_000_000 / unitsPerSecond)))
}

/** The inverse of `unitsOf`. */
export function instantOfUnits(units: bigint, unitsPerSecond: number): Instant {
  const per = BigInt(unitsPerSecond)
  let seconds = units / per
  let rest = units % per
  if (rest < 0n) {
    rest += per
    seconds -= 1n
  }
  const nanos = Number(rest) * (1_000_000_000 / unitsPerSecond)
  return { ms: Number(seconds) * 1000 + Math.floor(nanos / 1_000_000), nanos }
}

/** `2024-01-02 03:04:05[.f]` as the wall clock of the zone shows it, without an offset. */
export function formatWallClock(instant: Instant, zone: Zone, calendar: CalendarSystem): string {
  const { days, time } = wallClock(instant, zone === utc ? 0 : zone.offsetAt(instant.ms))
  return `${formatDate(days, calendar)} ${time}${trimmedFraction(instant.nanos)}`
}
