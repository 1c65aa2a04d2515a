import { ConfigError } from '@millrace/sdk'

/** How texts are read when no format is set. */
export const ISO_FORMATS =
  "yyyy-MM-dd[['T'][ ]][HH:mm:ss[[.][SSSSSS][SSS]][ ]VV[ ]'['VV']'][HH:mm:ss[[.][SSSSSS][SSS]][ ]X][HH:mm:ss[[.][SSSSSS][SSS]]]"

const PARTS: Readonly<Record<string, string>> = {
  yyyy: '(?<year>\\d{4})',
  uuuu: '(?<year>\\d{4})',
  MM: '(?<month>\\d\\d)',
  dd: '(?<day>\\d\\d)',
  HH: '(?<hour>\\d\\d)',
  mm: '(?<minute>\\d\\d)',
  ss: '(?<second>\\d\\d)',
  SSS: '(?<fraction>\\d{3})',
  SSSSSS: '(?<fraction>\\d{6})',
}
/** By the number of letters. */
const ZONES = ['Z|[+-]\\d\\d(?:\\d\\d)?', 'Z|[+-]\\d{4}', 'Z|[+-]\\d\\d:\\d\\d']
const ISO =
  /^(?<date>\d{4}-\d\d-\d\d)(?:[T ]+(?<time>\d\d:\d\d:\d\d(?:\.\d{1,9})?) *(?<zone>Z|UTC|GMT|[+-]\d\d(?::?\d\d)?)?)?$/

/** Reads a text as a moment; undefined when it is none. */
export type DateReader = (text: string) => Date | undefined

/** The reader of a DateTimeFormatter pattern of digits. Throws ConfigError for parts that are not supported. */
export function dateReader(format: string): DateReader {
  if (format === ISO_FORMATS || format === '') return readIso
  let source = ''
  for (const [token] of format.matchAll(/([a-zA-Z])\1*|'[^']*'|[^a-zA-Z']/g)) {
    if (/^[a-zA-Z]/.test(token)) {
      const part = partOf(token)
      if (part === undefined) throw unsupported(token)
      source += part
    } else if (token === '[' || token === ']') throw unsupported(token)
    else source += escaped(token.length > 1 ? token.slice(1, -1) : token)
  }
  let pattern: RegExp
  try {
    pattern = new RegExp(`^${source}$`)
  } catch (error) {
    const key = 'timeseries.timefield.auto.convert.date.format'
    throw new ConfigError(`${key} names a part twice`, { key, cause: error })
  }
  return (text) => {
    const groups = pattern.exec(text)?.groups
    return groups && momentOf(groups)
  }
}

function partOf(token: string): string | undefined {
  if (!token.startsWith('X')) return PARTS[token]
  const zone = ZONES[token.length - 1]
  return zone && `(?<zone>${zone})`
}

function unsupported(token: string): ConfigError {
  const key = 'timeseries.timefield.auto.convert.date.format'
  const known = [...Object.keys(PARTS), 'X'].join(', ')
  return new ConfigError(`${key} has the part ${token}; supported are ${known} and texts in quotes`, { key })
}

function readIso(text: string): Date | undefined {
  const { date, time = '00:00:00', zone = 'Z' } = ISO.exec(text)?.groups ?? {}
  if (date === undefined) return undefined
  const offset = /^[A-Z]/.test(zone) ? 'Z' : `${zone.slice(0, 3)}:${zone.replace(':', '').slice(3) || '00'}`
  return valid(new Date(`${date}T${time}${offset}`))
}

function momentOf(groups: Readonly<Record<string, string | undefined>>): Date | undefined {
  const { year = '1970', month = '01', day = '01', hour = '00', minute = '00', second = '00' } = groups
  const { fraction = '000', zone = 'Z' } = groups
  const offset = zone === 'Z' ? 'Z' : `${zone.slice(0, 3)}:${zone.replace(':', '').slice(3) || '00'}`
  return valid(new Date(`${year}-${month}-${day}T${hour}:${minute}:${second}.${fraction}${offset}`))
}

/** The date, or undefined when it is no moment. */
export function valid(date: Date): Date | undefined {
  return Number.isNaN(date.getTime()) ? undefined : date
}

function escaped(text: string): string {
  return text.replace(/[$()*+.?[\\\]^{|}]/g, String.raw`\$&`)
}
