/** Reads and writes times by a pattern of Java's DateTimeFormatter; the part of it that is numbers. */
export interface DatePattern {
  /** Milliseconds since the epoch; undefined for text that does not fit. */
  parse(text: string): number | undefined
  format(ms: number): string
}

type Part = { readonly literal: string } | { readonly field: string; readonly width: number }

interface Fields {
  [field: string]: number | undefined
}

const FIELDS = new Set(['y', 'u', 'M', 'd', 'H', 'm', 's', 'S', 'X', 'x', 'Z'])
const ZONES = new Set(['X', 'x', 'Z'])

/** Compiles a pattern; the zone counts where the text has none. Throws what is wrong with either. */
export function compileDatePattern(pattern: string, zone: string): DatePattern {
  const offset = zoneOffset(zone)
  let regex = ''
  const groups: Part[] = []
  const parts: Part[] = []
  for (const token of tokens(pattern)) {
    if (typeof token === 'string') {
      regex += token === '[' ? '(?:' : ')?'
      continue
    }
    parts.push(token)
    if ('literal' in token) regex += token.literal.replace(/[$()*+.?[\\\]^{|}]/g, String.raw`\$&`)
    else {
      groups.push(token)
      regex += regexOf(token)
    }
  }
  const expression = new RegExp(`^${regex}$`)
  return {
    parse(text) {
      const match = expression.exec(text.trim())
      if (match === null) return undefined
      const fields: Fields = {}
      for (const [index, part] of groups.entries()) {
        const found = match[index + 1]
        if (found !== undefined && 'field' in part) fields[part.field] = numberOf(part.field, found)
      }
      return instant(fields, offset)
    },
    format: (ms) => format(parts, ms, offset(ms)),
  }
}

function* tokens(pattern: string): Generator<Part | '[' | ']'> {
  for (let at = 0; at < pattern.length; ) {
    const char = pattern[at]!
    if (char === '[' || char === ']') {
      yield char
      at++
    } else if (char === "'") {
      const end = pattern.indexOf("'", at + 1)
      if (end < 0) throw new TypeError(`the pattern "${pattern}" has a quote that is not closed`)
      yield { literal: end === at + 1 ? "'" : pattern.slice(at + 1, end) }
      at = end + 1
    } else if (/[A-Za-z]/.test(char)) {
      let width = 1
      while (pattern[at + width] === char) width++
      if (!FIELDS.has(char) || (char === 'M' && width > 2)) {
        throw new TypeError(
          `the pattern "${pattern}" has "${char.repeat(width)}"; only numbers are understood: yMdHmsSXxZ`,
        )
      }
      yield { field: char === 'u' ? 'y' : char, width }
      at += width
    } else {
      yield { literal: char }
      at++
    }
  }
}

function regexOf(part: { readonly field: string; readonly width: number }): string {
  const { field, width } = part
  if (field === 'X') return String.raw`(Z|[+-]\d\d(?::?\d\d)?)`
  if (field === 'x' || field === 'Z') return String.raw`([+-]\d\d(?::?\d\d)?)`
  if (field === 'y') return width === 2 ? String.raw`(\d\d)` : String.raw`(\d{4})`
  return width === 1 ? String.raw`(\d{1,2})` : String.raw`(\d{${width}})`
}

function numberOf(field: string, text: string): number {
  if (field === 'S') return Number(`0.${text}`) * 1000
  if (field === 'y' && text.length === 2) return 2000 + Number(text)
  if (!ZONES.has(field)) return Number(text)
  if (text === 'Z') return 0
  const digits = text.replaceAll(/\D/g, '').padEnd(4, '0')
  const ms = (Number(digits.slice(0, 2)) * 60 + Number(digits.slice(2))) * 60_000
  return text.startsWith('-') ? -ms : ms
}

function instant(fields: Fields, offset: (ms: number) => number): number | undefined {
  const { y = 1970, M = 1, d = 1, H = 0, m = 0, s = 0, S = 0 } = fields
  const local = Date.UTC(y, M - 1, d, H, m, s) + Math.floor(S)
  const date = new Date(local)
  // Date.UTC turns the 31st of June into the 1st of July.
  if (date.getUTCMonth() !== M - 1 || date.getUTCDate() !== d || H > 23 || m > 59 || s > 59) return undefined
  const given = fields['X'] ?? fields['x'] ?? fields['Z']
  if (given !== undefined) return local - given
  // The offset at the local time taken for UTC is right but for the hours around a change; the second look is right there.
  return local - offset(local - offset(local))
}

function format(parts: readonly Part[], ms: number, offsetMs: number): string {
  const date = new Date(ms + offsetMs)
  const values: Readonly<Record<string, number>> = {
    y: date.getUTCFullYear(),
    M: date.getUTCMonth() + 1,
    d: date.getUTCDate(),
    H: date.getUTCHours(),
    m: date.getUTCMinutes(),
    s: date.getUTCSeconds(),
  }
  let text = ''
  for (const part of parts) {
    if ('literal' in part) text += part.literal
    else if (part.field === 'S')
      text += String(date.getUTCMilliseconds()).padStart(3, '0').padEnd(part.width, '0').slice(0, part.width)
    else if (ZONES.has(part.field)) text += zoneText(part, offsetMs)
    else
      text += String(values[part.field])
        .padStart(part.width, '0')
        .slice(part.field === 'y' && part.width === 2 ? -2 : 0)
  }
  return text
}

function zoneText({ field, width }: { readonly field: string; readonly width: number }, offsetMs: number): string {
  if (field === 'X' && offsetMs === 0) return 'Z'
  const minutes = Math.abs(offsetMs) / 60_000
  const two = (value: number): string => String(Math.floor(value)).padStart(2, '0')
  const tail =
    field !== 'Z' && width === 1 && minutes % 60 === 0
      ? ''
      : `${width === 3 && field !== 'Z' ? ':' : ''}${two(minutes % 60)}`
  return `${offsetMs < 0 ? '-' : '+'}${two(minutes / 60)}${tail}`
}

/** What is to be added to UTC in a zone at a time. */
function zoneOffset(zone: string): (ms: number) => number {
  if (zone === 'UTC' || zone === 'Z' || zone === 'GMT') return () => 0
  let formatter: Intl.DateTimeFormat
  try {
    formatter = new Intl.DateTimeFormat('en-US', { timeZone: zone, timeZoneName: 'longOffset' })
  } catch {
    throw new TypeError(
      `unknown time zone "${zone}"; write UTC, a name such as Europe/Berlin, or an offset such as +02:00`,
    )
  }
  return (ms) => {
    const name = formatter.formatToParts(ms).find(({ type }) => type === 'timeZoneName')?.value ?? 'GMT'
    return name === 'GMT' ? 0 : numberOf('X', name.slice(3))
  }
}
