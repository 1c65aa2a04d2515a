const OFFSET = /^(?:UTC|GMT)?([+-])(\d{1,2})(?::?(\d{2}))?$/
/** The offset of a zone changes only at quarters of an hour. */
const QUARTER_MS = 900_000
const CACHE_MAX = 4096

/** Gives how far a zone is ahead of UTC at a time, in milliseconds. */
export type ZoneOffset = (atMs: number) => number

/** Whether a text names a time zone: UTC, a name such as Europe/Berlin, or an offset such as +02:00. */
export function isZone(text: string): boolean {
  if (OFFSET.test(text)) return true
  try {
    new Intl.DateTimeFormat('en-US', { timeZone: text }).format(0)
    return true
  } catch {
    return false
  }
}

/** The offsets of a zone. */
export function zoneOffset(zone: string): ZoneOffset {
  const fixed = OFFSET.exec(zone)
  if (fixed !== null) {
    const minutes = Number(fixed[2]) * 60 + Number(fixed[3] ?? 0)
    const offset = (fixed[1] === '-' ? -minutes : minutes) * 60_000
    return () => offset
  }
  if (/^(UTC|GMT|Z|Etc\/UTC)$/i.test(zone)) return () => 0
  const format = new Intl.DateTimeFormat('en-US', {
    timeZone: zone,
    hourCycle: 'h23',
    year: 'numeric',
    month: 'numeric',
    day: 'numeric',
    hour: 'numeric',
    minute: 'numeric',
    second: 'numeric',
    era: 'short',
  })
  const known = new Map<number, number>()
  return (atMs) => {
    const quarter = Math.floor(atMs / QUARTER_MS)
    let offset = known.get(quarter)
    if (offset === undefined) {
      offset = offsetAt(format, quarter * QUARTER_MS)
      if (known.size >= CACHE_MAX) known.clear()
      known.set(quarter, offset)
    }
    return offset
  }
}

function offsetAt(format: Intl.DateTimeFormat, atMs: number): number {
  const parts = new Map(format.formatToParts(atMs).map(({ type, value }) => [type, value]))
  const number = (type: Intl.DateTimeFormatPartTypes): number => Number(parts.get(type))
  const year = parts.get('era')?.startsWith('B') ? 1 - number('year') : number('year')
  const local = new Date(0)
  local.setUTCFullYear(year, number('month') - 1, number('day'))
  local.setUTCHours(number('hour'), number('minute'), number('second'), 0)
  return local.getTime() - atMs
}
