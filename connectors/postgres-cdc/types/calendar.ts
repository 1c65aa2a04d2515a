/** Dates and times as Postgres prints them (DateStyle ISO), in the proleptic Gregorian calendar. */

export const MICROS_PER_DAY = 86_400_000_000

/** Days since 1970-01-01; the year is astronomical (1 BC is 0). */
export function daysFromCivil(year: number, month: number, day: number): number {
  const shifted = month <= 2 ? year - 1 : year
  const era = Math.floor(shifted / 400)
  const yearOfEra = shifted - era * 400
  const dayOfYear = Math.floor((153 * (month + (month > 2 ? -3 : 9)) + 2) / 5) + day - 1
  const dayOfEra = yearOfEra * 365 + Math.floor(yearOfEra / 4) - Math.floor(yearOfEra / 100) + dayOfYear
  return era * 146_097 + dayOfEra - 719_468
}

/** The inverse of `daysFromCivil`. */
export function civilFromDays(days: number): { year: number; month: number; day: number } {
  const shifted = days + 719_468
  const era = Math.floor(shifted / 146_097)
  const dayOfEra = shifted - era * 146_097
  const yearOfEra = Math.floor(
    (dayOfEra - Math.floor(dayOfEra / 1460) + Math.floor(dayOfEra / 36_524) - Math.floor(dayOfEra / 146_096)) / 365,
  )
  const dayOfYear = dayOfEra - (365 * yearOfEra + Math.floor(yearOfEra / 4) - Math.floor(yearOfEra / 100))
  const monthIndex = Math.floor((5 * dayOfYear + 2) / 153)
  const month = monthIndex < 10 ? monthIndex + 3 : monthIndex - 9
  const year = yearOfEra + era * 400 + (month <= 2 ? 1 : 0)
  return { year, month, day: dayOfYear - Math.floor((153 * monthIndex + 2) / 5) + 1 }
}

/** A moment without time zone: the day and the microsecond in it; or an infinity. */
export interface Moment {
  readonly days: number
  readonly micros: number
}

/** Reads `2016-11-04`, `2016-11-04 13:51:30.123456`, `0044-03-15 12:00:00 BC`; undefined for infinities. */
export function parseMoment(text: string): Moment | undefined {
  const match = /^(\d+)-(\d\d)-(\d\d)(?: ([\d:.]+))?(?:[+-][\d:]+)?( BC)?$/.exec(text)
  if (match === null) return undefined
  const year = match[5] === undefined ? Number(match[1]) : 1 - Number(match[1])
  return {
    days: daysFromCivil(year, Number(match[2]), Number(match[3])),
    micros: match[4] === undefined ? 0 : parseTimeOfDay(match[4]),
  }
}

/** Reads `13:51:30.123456` as microseconds; 24:00:00 is 86400000000. */
export function parseTimeOfDay(text: string): number {
  const [hours, minutes, seconds = '0'] = text.split(':')
  const [whole, fraction = ''] = seconds.split('.')
  return (Number(hours) * 3600 + Number(minutes) * 60 + Number(whole)) * 1e6 + Number(fraction.padEnd(6, '0'))
}

/** Microseconds since the epoch; exact beyond 2^53 too. */
export function epochMicros(moment: Moment): bigint {
  return BigInt(moment.days) * 86_400_000_000n + BigInt(moment.micros)
}

const two = (value: number): string => String(value).padStart(2, '0')

/** `2016-11-04`; years beyond four digits with a sign, as ISO 8601 and java.time write them. */
export function isoDate(days: number): string {
  const { year, month, day } = civilFromDays(days)
  const digits = String(Math.abs(year)).padStart(4, '0')
  const sign = year < 0 ? '-' : digits.length > 4 ? '+' : ''
  return `${sign}${digits}-${two(month)}-${two(day)}`
}

/** `13:51:30.5`: the shortest fraction, or exactly so many digits. */
export function isoTime(micros: number, digits?: number): string {
  const seconds = Math.floor(micros / 1e6)
  const fraction = String(micros - seconds * 1e6).padStart(6, '0')
  const shown = digits === undefined ? fraction.replace(/0+$/, '') : fraction.slice(0, digits)
  const time = `${two(Math.floor(seconds / 3600))}:${two(Math.floor(seconds / 60) % 60)}:${two(seconds % 60)}`
  return shown === '' ? time : `${time}.${shown}`
}

const digit = (source: Buffer, at: number): number => (source[at] as number) - 0x30

/** Days of a date written `YYYY-MM-DD` at `start`. */
export function daysAt(source: Buffer, start: number): number {
  const year =
    digit(source, start) * 1000 +
    digit(source, start + 1) * 100 +
    digit(source, start + 2) * 10 +
    digit(source, start + 3)
  const month = digit(source, start + 5) * 10 + digit(source, start + 6)
  return daysFromCivil(year, month, digit(source, start + 8) * 10 + digit(source, start + 9))
}

/** Microseconds of a time written `HH:MM:SS[.ffffff]`. */
export function timeOfDayAt(source: Buffer, start: number, end: number): number {
  const seconds =
    (digit(source, start) * 10 + digit(source, start + 1)) * 3600 +
    (digit(source, start + 3) * 10 + digit(source, start + 4)) * 60 +
    digit(source, start + 6) * 10 +
    digit(source, start + 7)
  let micros = 0
  let unit = 100_000
  for (let index = start + 9; index < end; index++) {
    micros += digit(source, index) * unit
    unit = Math.floor(unit / 10)
  }
  return seconds * 1e6 + micros
}

/** True when the text begins with a year of four digits and does not end in BC. */
export function isCommonEra(source: Buffer, start: number, end: number): boolean {
  return end - start >= 10 && source[start + 4] === 0x2d && source[end - 1] !== 0x43
}
