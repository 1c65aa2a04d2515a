/** Writes a local time, given as the milliseconds that it would be in UTC. */
export type TimeFormat = (localMs: number, offsetMs: number) => string

type Part = (local: Date, offsetMs: number) => string

const DAY_MS = 86_400_000

/**
 * Compiles a pattern of Joda-Time. Text in quotes is taken as it is, two quotes are one; letters that have no meaning are
 * refused. Throws RangeError that names the letter.
 */
export function jodaFormat(pattern: string, locale: string, zone: string): TimeFormat {
  const parts: Part[] = []
  const literal = (text: string): void => void parts.push(() => text)
  for (let at = 0; at < pattern.length; ) {
    const char = pattern[at] as string
    if (char === "'") {
      const { text, end } = quoted(pattern, at)
      literal(text)
      at = end
    } else if (/[a-zA-Z]/.test(char)) {
      let end = at
      while (pattern[end] === char) end++
      parts.push(part(char, end - at, locale.replaceAll('_', '-') || 'en-US', zone))
      at = end
    } else {
      literal(char)
      at++
    }
  }
  return (localMs, offsetMs) => {
    const local = new Date(localMs)
    return parts.map((write) => write(local, offsetMs)).join('')
  }
}

function quoted(pattern: string, start: number): { text: string; end: number } {
  if (pattern[start + 1] === "'") return { text: "'", end: start + 2 }
  let text = ''
  let at = start + 1
  for (; at < pattern.length; at++) {
    if (pattern[at] !== "'") text += pattern[at]
    else if (pattern[at + 1] === "'") {
      text += "'"
      at++
    } else return { text, end: at + 1 }
  }
  throw new RangeError(`the quote at ${start + 1} of the pattern is not closed`)
}

function part(letter: string, count: number, locale: string, zone: string): Part {
  const number = (value: (local: Date) => number): Part => {
    return (local) => String(value(local)).padStart(count, '0')
  }
  const name = (options: Intl.DateTimeFormatOptions): Part => {
    const format = new Intl.DateTimeFormat(locale, { ...options, timeZone: 'UTC' })
    return (local) => format.format(local)
  }
  switch (letter) {
    case 'G':
      return (local) => (local.getUTCFullYear() > 0 ? 'AD' : 'BC')
    case 'C':
      return number((local) => Math.floor(local.getUTCFullYear() / 100))
    case 'y':
    case 'Y':
      return count === 2 ? twoDigits((local) => local.getUTCFullYear()) : number((local) => local.getUTCFullYear())
    case 'x':
      return count === 2 ? twoDigits(weekYear) : number(weekYear)
    case 'w':
      return number(week)
    case 'e':
      return number((local) => local.getUTCDay() || 7)
    case 'E':
      return name({ weekday: count >= 4 ? 'long' : 'short' })
    case 'D':
      return number(dayOfYear)
    case 'M':
      return count >= 3 ? name({ month: count === 3 ? 'short' : 'long' }) : number((local) => local.getUTCMonth() + 1)
    case 'd':
      return number((local) => local.getUTCDate())
    case 'a':
      return (local) => (local.getUTCHours() < 12 ? 'AM' : 'PM')
    case 'K':
      return number((local) => local.getUTCHours() % 12)
    case 'h':
      return number((local) => local.getUTCHours() % 12 || 12)
    case 'H':
      return number((local) => local.getUTCHours())
    case 'k':
      return number((local) => local.getUTCHours() || 24)
    case 'm':
      return number((local) => local.getUTCMinutes())
    case 's':
      return number((local) => local.getUTCSeconds())
    case 'S':
      return (local) => String(local.getUTCMilliseconds()).padStart(3, '0').padEnd(count, '0').slice(0, count)
    case 'Z':
      return count >= 3 ? () => zone : (_local, offsetMs) => offsetText(offsetMs, count === 2 ? ':' : '')
    default:
      throw new RangeError(`the letter "${letter}" of the pattern has no meaning; put text in single quotes`)
  }
}

function twoDigits(value: (local: Date) => number): Part {
  return (local) => String(value(local) % 100).padStart(2, '0')
}

function dayOfYear(local: Date): number {
  return Math.floor((local.getTime() - Date.UTC(local.getUTCFullYear(), 0, 1)) / DAY_MS) + 1
}

/** The Thursday of a week decides to which year it belongs (ISO 8601). */
function thursday(local: Date): Date {
  return new Date(local.getTime() + (4 - (local.getUTCDay() || 7)) * DAY_MS)
}

function weekYear(local: Date): number {
  return thursday(local).getUTCFullYear()
}

function week(local: Date): number {
  return Math.ceil(dayOfYear(thursday(local)) / 7)
}

function offsetText(offsetMs: number, separator: string): string {
  const minutes = Math.abs(Math.round(offsetMs / 60_000))
  const two = (value: number): string => String(value).padStart(2, '0')
  return `${offsetMs < 0 ? '-' : '+'}${two(Math.floor(minutes / 60))}${separator}${two(minutes % 60)}`
}
