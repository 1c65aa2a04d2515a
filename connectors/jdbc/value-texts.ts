import { DataError, Decimal, isDecimal, logicalNames, type Schema } from '@millrace/sdk'
import { debeziumTimes, debeziumTimestamps } from './debezium-types.ts'
import type { BindOptions } from './sink-dialect.ts'
import { formatDate, formatTime, type Instant, instantOfMs, instantOfUnits, parseInstant } from './temporal.ts'
import { utc } from './zone.ts'

const DAY_MS = 86_400_000

/** What a value is to a database without types of its own for arrays and the like. */
export type PlainValue =
  | { readonly kind: 'text' | 'number' | 'date' | 'time'; readonly text: string }
  | { readonly kind: 'bytes'; readonly bytes: Uint8Array }
  | { readonly kind: 'instant'; readonly instant: Instant; readonly wallClock: boolean }

/** Takes a value of the schema apart. */
export type Reading = (value: unknown) => PlainValue

/** What columns of the asked kinds can take; others get Debezium's numbers as they are. */
export interface ColumnTakes {
  readonly dates: boolean
  readonly times: boolean
  readonly instants: boolean
}

/** Chooses how values of a schema are read. Throws DataError for a type that no column of the database holds. */
export function readingOf(name: string, schema: Schema, takes: ColumnTakes, options: BindOptions): Reading {
  if (options.timestampFields.has(name) && (schema.type === 'INT64' || schema.type === 'STRING')) {
    const units = options.timestampUnitsPerSecond
    return (value) => instantValue(instantOfUnits(BigInt(value as string | bigint), units))
  }
  const named = logicalReading(schema, options) ?? debeziumReading(schema, takes)
  if (named !== undefined) return named
  switch (schema.type) {
    case 'STRING':
      return (value) => (typeof value === 'string' ? { kind: 'text', text: value } : mismatch(name, schema))
    case 'BOOLEAN':
      return (value) =>
        typeof value === 'boolean' ? { kind: 'number', text: value ? '1' : '0' } : mismatch(name, schema)
    case 'INT8':
    case 'INT16':
    case 'INT32':
    case 'INT64':
    case 'FLOAT32':
    case 'FLOAT64':
      return (value) => numberValue(name, schema, value)
    case 'BYTES':
      return (value) => (value instanceof Uint8Array ? { kind: 'bytes', bytes: value } : mismatch(name, schema))
    default:
      throw new DataError(
        `the field ${name} is ${schema.name ?? schema.type}, for which there is no column type; ` +
          'flatten or drop it with a transform',
      )
  }
}

function numberValue(name: string, schema: Schema, value: unknown): PlainValue {
  if (typeof value !== 'number' && typeof value !== 'bigint') return mismatch(name, schema)
  if (typeof value === 'number' && !Number.isFinite(value)) {
    throw new DataError(`the field ${name} is ${value}, which the database cannot hold`)
  }
  return { kind: 'number', text: String(value) }
}

function mismatch(name: string, schema: Schema): never {
  throw new DataError(`the value of the field ${name} is not ${schema.type} as its schema says`)
}

const instantValue = (instant: Instant, wallClock = false): PlainValue => ({ kind: 'instant', instant, wallClock })

function logicalReading(schema: Schema, options: BindOptions): Reading | undefined {
  const { zone, dateZone, calendar } = options
  switch (schema.name) {
    case logicalNames.decimal:
      return (value) => (isDecimal(value) ? { kind: 'number', text: value.toString() } : mismatch('Decimal', schema))
    case logicalNames.date:
      return (value) => {
        const ms = (value as Date).getTime()
        return { kind: 'date', text: formatDate(Math.floor((ms + dateZone.offsetAt(ms)) / DAY_MS), calendar) }
      }
    case logicalNames.time:
      return (value) => {
        const ms = value instanceof Date ? value.getTime() : (value as number)
        const local = (((ms + zone.offsetAt(ms)) % DAY_MS) + DAY_MS) % DAY_MS
        return { kind: 'time', text: formatTime(BigInt(local) * 1_000_000n) }
      }
    case logicalNames.timestamp:
      return (value) => instantValue(instantOfMs((value as Date).getTime()))
    default:
      return undefined
  }
}

function debeziumReading(schema: Schema, takes: ColumnTakes): Reading | undefined {
  const name = schema.name ?? ''
  if (!name.startsWith('io.debezium.')) return undefined
  if (name === 'io.debezium.time.Date' && takes.dates) {
    return (value) => ({ kind: 'date', text: formatDate(Number(value), 'PROLEPTIC_GREGORIAN') })
  }
  const perSecond = debeziumTimes[name]
  if (perSecond !== undefined && takes.times) {
    const nanos = 1_000_000_000n / perSecond
    return (value) => ({ kind: 'time', text: formatTime(BigInt(value as number | bigint) * nanos) })
  }
  const units = debeziumTimestamps[name]
  if (units !== undefined && takes.instants) {
    // A wall clock that was never in any zone: its digits are kept.
    return (value) => instantValue(instantOfUnits(BigInt(value as number | bigint), units), true)
  }
  if (name === 'io.debezium.time.ZonedTimestamp' && takes.instants) {
    return (value) => {
      const text = String(value).replace('T', ' ').replace(/Z$/, '+00')
      return instantValue(parseInstant(text, utc, 'PROLEPTIC_GREGORIAN'))
    }
  }
  if (name === 'io.debezium.data.VariableScaleDecimal') {
    return (value) => {
      const { scale, value: bytes } = value as { scale: number; value: Uint8Array }
      return { kind: 'number', text: Decimal.fromBytes(bytes, scale).toString() }
    }
  }
  return undefined
}
