import { DataError } from '@millrace/sdk'

/**
 * Dates by a pattern of Java's SimpleDateFormat, in UTC and English, as lenient as Java: a 45th day goes into the next
 * month. Weeks are ISO weeks. Letters that Java does not know are refused when the pattern is compiled.
 */
export class SimpleDateFormat {
  readonly #pattern: string
  readonly #tokens: readonly Token[]

  constructor(pattern: string) {
    this.#pattern = pattern
    this.#tokens = tokensOf(pattern)
  }

  format(date: Date): string {
    return this.#tokens.map((token) => (typeof token === 'string' ? token : formatField(token, date))).join('')
  }

  /** Reads what the pattern says from the start of the text; what follows is ignored, as in Java. */
  parse(text: string): Date {
    const found: Found = {}
    let at = 0
    for (const [index, token] of this.#tokens.entries()) {
      const end = typeof token === 'string' ? literalEnd(text, at, token) : this.#parseField(text, at, index, found)
      if (end < 0) throw this.#unparseable()
      at = end
    }
    return dateOf(found)
  }

  #parseField(text: string, start: number, index: number, found: Found): number {
    const field = this.#tokens[index] as Field
    const at = start + (/^\s*/.exec(text.slice(start))?.[0].length ?? 0)
    if (field.letter === 'M' && field.width >= 3) return takeName(text, at, MONTHS, (month) => (found.month = month))
    if (field.letter === 'E') return takeName(text, at, DAYS, () => undefined)
    if (field.letter === 'a') return takeName(text, at, ['AM', 'PM'], (half) => (found.half = half))
    if ('XZz'.includes(field.letter)) return takeZone(text, at, found)
    const next = this.#tokens[index + 1]
    const isAbutting = typeof next === 'object' && !'EaXZz'.includes(next.letter)
    const match = (isAbutting ? new RegExp(`^\\d{1,${field.width}}`) : /^-?\d+/).exec(text.slice(at, at + 20))
    if (!match) return -1
    store(field, match[0], found)
    return at + match[0].length
  }

  #unparseable(): DataError {
    return new DataError(`Could not parse timestamp: value does not match pattern (${this.#pattern})`)
  }
}

interface Field {
  readonly letter: string
  readonly width: number
}

type Token = string | Field

/** What parsing found; months count from 0. */
interface Found {
  year?: number
  month?: number
  day?: number
  dayOfYear?: number
  hour?: number
  half?: number
  minute?: number
  second?: number
  ms?: number
  offsetMinutes?: number
}

const LETTERS = 'yYMLdDEuaHkKhmsSzZXFwW'
const MONTHS = [
  'January',
  'February',
  'March',
  'April',
  'May',
  'June',
  'July',
  'August',
  'September',
  'October',
  'November',
  'December',
]
const DAYS = ['Sunday', 'Monday', 'Tuesday', 'Wednesday', 'Thursday', 'Friday', 'Saturday']
const MS_PER_DAY = 86_400_000

function tokensOf(pattern: string): Token[] {
  const tokens: Token[] = []
  for (const match of pattern.matchAll(/''|'((?:[^']|'')*)'|([a-zA-Z])\2*|'|[^a-zA-Z']+/g)) {
    const [whole, quoted, letter] = match
    if (whole === "'") throw new DataError(`Unterminated quote in the date pattern ${pattern}`)
    if (letter === undefined) tokens.push(whole === "''" ? "'" : (quoted ?? whole).replaceAll("''", "'"))
    else if (LETTERS.includes(letter)) tokens.push({ letter: letter === 'L' ? 'M' : letter, width: whole.length })
    else throw new DataError(`Illegal pattern character '${letter}' in the date pattern ${pattern}`)
  }
  return tokens
}

function formatField({ letter, width }: Field, date: Date): string {
  const number = (value: number): string => String(value).padStart(width, '0')
  const hour = date.getUTCHours()
  switch (letter) {
    case 'y':
      return formatYear(date.getUTCFullYear(), width)
    case 'Y':
      return formatYear(isoWeek(date).year, width)
    case 'M': {
      const name = MONTHS[date.getUTCMonth()] ?? ''
      if (width >= 4) return name
      return width === 3 ? name.slice(0, 3) : number(date.getUTCMonth() + 1)
    }
    case 'E': {
      const name = DAYS[date.getUTCDay()] ?? ''
      return width >= 4 ? name : name.slice(0, 3)
    }
    case 'a':
      return hour < 12 ? 'AM' : 'PM'
    case 'X':
      return 'Z'
    case 'Z':
      return '+0000'
    case 'z':
      return 'UTC'
    default:
      return number(numberOf(letter, date))
  }
}

function numberOf(letter: string, date: Date): number {
  const hour = date.getUTCHours()
  const day = date.getUTCDate()
  switch (letter) {
    case 'd':
      return day
    case 'D':
      return Math.floor((date.getTime() - Date.UTC(date.getUTCFullYear(), 0, 1)) / MS_PER_DAY) + 1
    case 'u':
      return date.getUTCDay() || 7
    case 'H':
      return hour
    case 'k':
      return hour || 24
    case 'K':
      return hour % 12
    case 'h':
      return hour % 12 || 12
    case 'm':
      return date.getUTCMinutes()
    case 's':
      return date.getUTCSeconds()
    case 'S':
      return date.getUTCMilliseconds()
    case 'F':
      return Math.ceil(day / 7)
    case 'w':
      return isoWeek(date).week
    default:
      return Math.ceil(
        (day + ((new Date(Date.UTC(date.getUTCFullYear(), date.getUTCMonth(), 1)).getUTCDay() + 6) % 7)) / 7,
      )
  }
}

function formatYear(year: number, width: number): string {
  return width === 2 ? String(year % 100).padStart(2, '0') : String(year).padStart(width, '0')
}

function isoWeek(date: Date): { readonly year: number; readonly week: number } {
  const thursday = new Date(date.getTime() + (4 - (date.getUTCDay() || 7)) * MS_PER_DAY)
  const year = thursday.getUTCFullYear()
  return { year, week: Math.floor((thursday.getTime() - Date.UTC(year, 0, 1)) / (7 * MS_PER_DAY)) + 1 }
}

function literalEnd(text: string, at: number, literal: string): number {
  return text.startsWith(literal, at) ? at + literal.length : -1
}

/** Takes a name, long or by its first three letters, without regard to case. */
function takeName(text: string, at: number, names: readonly string[], take: (index: number) => unknown): number {
  for (const length of [Number.POSITIVE_INFINITY, 3]) {
    const index = names.findIndex((name) => {
      const wanted = name.slice(0, length)
      return text.slice(at, at + wanted.length).toLowerCase() === wanted.toLowerCase()
    })
    if (index < 0) continue
    take(index)
    return at + (names[index] ?? '').slice(0, length).length
  }
  return -1
}

function takeZone(text: string, at: number, found: Found): number {
  const match = /^(?:Z|UTC|GMT)?(?:([+-])(\d{2}):?(\d{2})?)?/.exec(text.slice(at, at + 12))
  if (!match || match[0] === '') return -1
  const minutes = Number(match[2] ?? 0) * 60 + Number(match[3] ?? 0)
  found.offsetMinutes = match[1] === '-' ? -minutes : minutes
  return at + match[0].length
}

function store({ letter, width }: Field, text: string, found: Found): void {
  const value = Number(text)
  switch (letter) {
    case 'y':
    case 'Y':
      found.year = width <= 2 && text.length === 2 ? centuryOf(value) : value
      break
    case 'M':
      found.month = value - 1
      break
    case 'd':
      found.day = value
      break
    case 'D':
      found.dayOfYear = value
      break
    case 'H':
    case 'K':
      found.hour = value
      break
    case 'k':
      found.hour = value % 24
      break
    case 'h':
      found.hour = value % 12
      break
    case 'm':
      found.minute = value
      break
    case 's':
      found.second = value
      break
    case 'S':
      found.ms = value
      break
    default:
  }
}

/** Two digits of a year are of the 100 years that end 20 years from now in Java; a fixed window keeps results the same for ever. */
function centuryOf(value: number): number {
  return value < 50 ? 2000 + value : 1900 + value
}

function dateOf(found: Found): Date {
  const { year = 1970, month = 0, day = 1, hour = 0, half = 0, minute = 0, second = 0, ms = 0 } = found
  const date = new Date(0)
  if (found.dayOfYear === undefined) date.setUTCFullYear(year, month, day)
  else date.setUTCFullYear(year, 0, found.dayOfYear)
  date.setUTCHours(hour + half * 12, minute - (found.offsetMinutes ?? 0), second, ms)
  return date
}
