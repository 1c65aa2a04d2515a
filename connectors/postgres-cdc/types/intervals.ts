import { primitive } from '@millrace/sdk'
import { MICROS_PER_DAY } from './calendar.ts'
import { type ColumnCodec, semantic, type TypeOptions } from './column-codec.ts'

/** The parts of an interval, each with its sign. */
interface Interval {
  readonly months: number
  readonly days: number
  readonly micros: bigint
}

/** Reads IntervalStyle postgres: `1 year 2 mons -3 days -04:05:06.78`. */
function parseInterval(text: string): Interval {
  const count = (unit: string): number => Number(new RegExp(`([+-]?\\d+) ${unit}`).exec(text)?.[1] ?? 0)
  const time = /([+-]?)(\d+):(\d\d):(\d\d)(?:\.(\d+))?$/.exec(text)
  let micros = 0n
  if (time !== null) {
    const [, sign, hours = '0', minutes = '0', seconds = '0', fraction = ''] = time
    micros =
      (BigInt(hours) * 3600n + BigInt(minutes) * 60n + BigInt(seconds)) * 1_000_000n + BigInt(fraction.padEnd(6, '0'))
    if (sign === '-') micros = -micros
  }
  return { months: count('year') * 12 + count('mon'), days: count('day'), micros }
}

/** A month is a twelfth of 365.25 days. */
const MICROS_PER_MONTH = BigInt((365.25 / 12) * MICROS_PER_DAY)

/** Postgres 17 knows infinite intervals; they take the ends of INT64. */
const INFINITE: Readonly<Record<string, bigint>> = { infinity: 2n ** 63n - 1n, '-infinity': -(2n ** 63n) }

function toMicros(text: string): bigint {
  const infinite = INFINITE[text]
  if (infinite !== undefined) return infinite
  const { months, days, micros } = parseInterval(text)
  return BigInt(months) * MICROS_PER_MONTH + BigInt(days) * BigInt(MICROS_PER_DAY) + micros
}

/** `P1Y2M3DT4H5M6.78S`, always with all parts. */
function toIso(text: string): string {
  if (text in INFINITE) return text
  const { months, days, micros } = parseInterval(text)
  const seconds = micros / 1_000_000n
  const rest = micros % 1_000_000n
  const sign = micros < 0n && seconds % 60n === 0n && rest !== 0n ? '-' : ''
  const fraction = String(rest < 0n ? -rest : rest)
    .padStart(6, '0')
    .replace(/0+$/, '')
  const time = `${seconds / 3600n}H${(seconds / 60n) % 60n}M${sign}${seconds % 60n}${fraction && `.${fraction}`}S`
  return `P${Math.trunc(months / 12)}Y${months % 12}M${days}DT${time}`
}

export function intervalCodec(options: TypeOptions): ColumnCodec {
  if (options.intervalMode === 'string') {
    const schema = primitive('STRING', semantic('io.debezium.time.Interval'))
    return { schema, value: toIso, fallback: 'P0Y0M0DT0H0M0S' }
  }
  return { schema: primitive('INT64', semantic('io.debezium.time.MicroDuration')), value: toMicros, fallback: 0n }
}
