/** Reads a time by a pattern of Java's SimpleDateFormat; null when the text is not of that form. Milliseconds of UTC. */
export type DateParser = (text: string) => number | null

type Part = 'y' | 'M' | 'd' | 'H' | 'h' | 'm' | 's' | 'S' | 'a' | 'zone'

const LETTERS: Readonly<Record<string, Part>> = {
  y: 'y',
  u: 'y',
  M: 'M',
  d: 'd',
  H: 'H',
  h: 'h',
  m: 'm',
  s: 's',
  S: 'S',
  a: 'a',
  X: 'zone',
  Z: 'zone',
}
const MONTHS = ['jan', 'feb', 'mar', 'apr', 'may', 'jun', 'jul', 'aug', 'sep', 'oct', 'nov', 'dec']
const TWO_DIGIT_YEARS_FROM = 1950

/** Throws RangeError for letters that are not understood. */
export function dateParser(pattern: string, zone: string): DateParser {
  const { regex, parts } = compile(pattern)
  const offset = zoneOffset(zone)
  return (text) => {
    const match = regex.exec(text.trim())
    if (match === null) return null
    const found: Partial<Record<Part, string>> = {}
    for (const [index, part] of parts.entries()) found[part] = match[index + 1] as string
    return instantOf(found, offset)
  }
}

function compile(pattern: string): { regex: RegExp; parts: readonly Part[] } {
  const parts: Part[] = []
  let source = ''
  for (const [whole, quoted, letters] of pattern.matchAll(/'((?:[^']|'')*)'|(([a-zA-Z])\3*)|[^]/g)) {
    if (letters === undefined) {
      source += (quoted === undefined ? whole : quoted === '' ? "'" : quoted.replaceAll("''", "'")).replace(
        /[.*+?^${}()|[\]\\/]/g,
        '\\$&',
      )
      continue
    }
    const part = LETTERS[letters[0] as string]
    if (part === undefined) throw new RangeError(`the letter ${letters[0]} in the pattern ${pattern} is not understood`)
    parts.push(part)
    source += sourceOf(part, letters.length)
  }
  return { regex: new RegExp(`^${source}$`, 'i'), parts }
}

function sourceOf(part: Part, length: number): string {
  if (part === 'zone') return String.raw`(z|[+-]\d{2}:?\d{2}|[+-]\d{2})`
  if (part === 'a') return '(am|pm)'
  if (part === 'M' && length > 2) return '([a-z]{3,9})'
  if (part === 'y' && length !== 2) return String.raw`(\d{4,})`
  return part === 'S' ? String.raw`(\d{1,9})` : String.raw`(\d{1,2})`
}

function instantOf(found: Partial<Record<Part, string>>, offset: (localMs: number) => number): number | null {
  const number = (part: Part, otherwise: number): number =>
    found[part] === undefined ? otherwise : Number(found[part])
  let year = number('y', 1970)
  if (found.y?.length === 2) year += year + 2000 < TWO_DIGIT_YEARS_FROM + 100 ? 2000 : 1900
  const month = /^\d/.test(found.M ?? '1')
    ? number('M', 1)
    : MONTHS.indexOf((found.M as string).slice(0, 3).toLowerCase()) + 1
  let hour = number('H', number('h', 0))
  if (found.a !== undefined) hour = (hour % 12) + (found.a.toLowerCase() === 'pm' ? 12 : 0)
  const day = number('d', 1)
  if (month < 1 || month > 12 || day < 1 || day > 31 || hour > 24) return null
  const date = new Date(0)
  date.setUTCFullYear(year, month - 1, day)
  // Java counts S as milliseconds, however many digits; a fraction of three digits or more is what is meant.
  const fraction = found.S === undefined ? 0 : Math.floor(Number(`0.${found.S.padStart(3, '0')}`) * 1000)
  date.setUTCHours(hour, number('m', 0), number('s', 0), fraction)
  if (found.zone !== undefined) return date.getTime() - writtenOffset(found.zone)
  return date.getTime() - offset(date.getTime())
}

function writtenOffset(text: string): number {
  if (text.toLowerCase() === 'z') return 0
  const digits = text.slice(1).replace(':', '')
  const minutes = Number(digits.slice(0, 2)) * 60 + Number(digits.slice(2) || 0)
  return (text[0] === '-' ? -minutes : minutes) * 60_000
}

/** Says what a wall clock is ahead of UTC when it shows this time. Throws RangeError for an unknown zone. */
function zoneOffset(zone: string): (localMs: number) => number {
  if (/^(utc|gmt|z)$/i.test(zone)) return () => 0
  const fixed = /^(?:gmt|utc)?([+-]\d{1,2}(?::?\d{2})?)$/i.exec(zone)
  if (fixed) {
    const offset = writtenOffset((fixed[1] as string).replace(/^([+-])(\d)(?!\d)/, '$10$2'))
    return () => offset
  }
  const format = new Intl.DateTimeFormat('en-US', { timeZone: zone, timeZoneName: 'longOffset' })
  const at = (utcMs: number): number => {
    const name = format.formatToParts(utcMs).find(({ type }) => type === 'timeZoneName')?.value ?? 'GMT'
    return name === 'GMT' ? 0 : writtenOffset(name.slice(3))
  }
  return (localMs) => {
    const first = at(localMs)
    return at(localMs - first)
  }
}
