/** Minutes and seconds of a wall clock against UTC. Offsets are looked up by Intl and kept per quarter of an hour. */
export interface Zone {
  readonly name: string
  /** Milliseconds to add to UTC to read the wall clock at this instant. */
  offsetAt(utcMs: number): number
  /**
   * The instant at which the wall clock shows `localMs` (as if it were UTC). In a gap or overlap the earlier
   * offset counts.
   */
  toUtc(localMs: number): number
}

const QUARTER_MS = 900_000
const CACHE_MAX = 10_000

export const utc: Zone = { name: 'UTC', offsetAt: () => 0, toUtc: (localMs) => localMs }

/**
 * Finds a time zone by an IANA name (`Europe/Berlin`), `UTC`, or a fixed offset (`GMT+02:00`, `+02:00`). Throws
 * RangeError for an unknown one.
 */
export function zoneOf(name: string): Zone {
  if (/^(utc|gmt|z|etc\/utc|etc\/gmt)$/i.test(name)) return utc
  const fixed = /^(?:gmt|utc)?([+-])(\d{1,2})(?::?(\d{2}))?$/i.exec(name)
  if (fixed) {
    const sign = fixed[1] === '-' ? -1 : 1
    const offset = sign * (Number(fixed[2]) * 60 + Number(fixed[3] ?? 0)) * 60_000
    return { name, offsetAt: () => offset, toUtc: (localMs) => localMs - offset }
  }
  return namedZone(name)
}

function namedZone(name: string): Zone {
  const format = new Intl.DateTimeFormat('en-US', {
    timeZone: name,
    hourCycle: 'h23',
    era: 'short',
    year: 'numeric',
    month: 'numeric',
    day: 'numeric',
    hour: 'numeric',
    minute: 'numeric',
    second: 'numeric',
  })
  const cache = new Map<number, number>()
  const lookup = (utcMs: number): number => {
    const part: Record<string, string> = {}
    for (const { type, value } of format.formatToParts(utcMs)) part[type] = value
    const year = part['era'] === 'BC' ? 1 - Number(part['year']) : Number(part['year'])
    const local = new Date(0)
    local.setUTCFullYear(year, Number(part['month']) - 1, Number(part['day']))
    local.setUTCHours(Number(part['hour']), Number(part['minute']), Number(part['second']))
    return local.getTime() - Math.floor(utcMs / 1000) * 1000
  }
  const offsetAt = (utcMs: number): number => {
    const quarter = Math.floor(utcMs / QUARTER_MS)
    let offset = cache.get(quarter)
    if (offset === undefined) {
      if (cache.size >= CACHE_MAX) cache.clear()
      offset = lookup(quarter * QUARTER_MS)
      cache.set(quarter, offset)
    }
    return offset
  }
  const toUtc = (localMs: number): number => {
    const before = offsetAt(localMs - 86_400_000)
    const candidate = localMs - before
    if (offsetAt(candidate) === before) return candidate
    const after = offsetAt(localMs + 86_400_000)
    return offsetAt(localMs - after) === after ? localMs - after : candidate
  }
  return { name, offsetAt, toUtc }
}
