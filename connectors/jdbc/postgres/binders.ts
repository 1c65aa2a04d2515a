import { DataError, Decimal, isDecimal, logicalNames, type Schema } from '@millrace/sdk'
import { debeziumTimes, debeziumTimestamps } from '../debezium-types.ts'
import type { BindOptions, TextBinder } from '../sink-dialect.ts'
import { formatDate, formatInstant, formatTime, instantOfMs, instantOfUnits } from '../temporal.ts'
import { utc } from '../zone.ts'

const DAY_MS = 86_400_000
const SPECIAL = /["\\]/

/**
 * Chooses how values of a schema are written as text, which a column of this type reads. Throws DataError for a type
 * that has no text.
 */
export function textBinderOf(name: string, schema: Schema, columnType: string, options: BindOptions): TextBinder {
  const named = namedBinderOf(name, schema, columnType, options)
  if (named !== undefined) return named
  switch (schema.type) {
    case 'STRING':
      return (value) => (typeof value === 'string' ? value : mismatch(name, schema))
    case 'BOOLEAN':
      return (value) => (value === true ? 'true' : value === false ? 'false' : mismatch(name, schema))
    case 'INT8':
    case 'INT16':
    case 'INT32':
    case 'INT64':
    case 'FLOAT32':
    case 'FLOAT64':
      return (value) =>
        typeof value === 'number' || typeof value === 'bigint' ? String(value) : mismatch(name, schema)
    case 'BYTES':
      return (value) => (value instanceof Uint8Array ? hex(value) : mismatch(name, schema))
    case 'ARRAY': {
      const element = textBinderOf(name, schema.valueSchema as Schema, columnType.replace(/\[\]$/, ''), options)
      return (value) => (Array.isArray(value) ? arrayText(value, element) : mismatch(name, schema))
    }
    default:
      throw new DataError(
        `the field ${name} is ${schema.name ?? schema.type}, for which there is no column type; ` +
          'flatten or drop it with a transform',
      )
  }
}

/** What the name of the field or its schema asks for, whatever the schema's own type is. */
export function namedBinderOf(
  name: string,
  schema: Schema,
  columnType: string,
  options: BindOptions,
): TextBinder | undefined {
  if (options.timestampFields.has(name) && (schema.type === 'INT64' || schema.type === 'STRING')) {
    const units = options.timestampUnitsPerSecond
    return (value) =>
      formatInstant(instantOfUnits(BigInt(value as string | bigint), units), options.zone, options.calendar)
  }
  return logicalBinder(schema, options) ?? debeziumBinder(schema, columnType)
}

export function mismatch(name: string, schema: Schema): never {
  throw new DataError(`the value of the field ${name} is not ${schema.type} as its schema says`)
}

function hex(bytes: Uint8Array): string {
  return `\\x${Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength).toString('hex')}`
}

/** An array as Postgres reads it; arrays inside are further dimensions. */
function arrayText(values: readonly unknown[], element: TextBinder): string {
  const parts = values.map((value) => {
    if (value === null || value === undefined) return 'NULL'
    return Array.isArray(value) ? element(value) : quoteElement(element(value))
  })
  return `{${parts.join(',')}}`
}

/** Quotes one element of an array. */
function quoteElement(text: string): string {
  return `"${escapeElement(text)}"`
}

/** What stands between the quotes of such an element. */
export function escapeElement(text: string): string {
  return SPECIAL.test(text) ? text.replace(/["\\]/g, '\\$&') : text
}

function logicalBinder(schema: Schema, options: BindOptions): TextBinder | undefined {
  const { zone, dateZone, calendar } = options
  switch (schema.name) {
    case logicalNames.decimal:
      return (value) => (isDecimal(value) ? value.toString() : mismatch('Decimal', schema))
    case logicalNames.date:
      return (value) => {
        const ms = (value as Date).getTime()
        return formatDate(Math.floor((ms + dateZone.offsetAt(ms)) / DAY_MS), calendar)
      }
    case logicalNames.time:
      return (value) => {
        const ms = value instanceof Date ? value.getTime() : (value as number)
        const local = (((ms + zone.offsetAt(ms)) % DAY_MS) + DAY_MS) % DAY_MS
        return formatTime(BigInt(local) * 1_000_000n)
      }
    case logicalNames.timestamp:
      return (value) => formatInstant(instantOfMs((value as Date).getTime()), zone, calendar)
    default:
      return undefined
  }
}

/**
 * Debezium's semantic types, where the column is of the matching kind; else they are written as the numbers
 * they are.
 */
function debeziumBinder(schema: Schema, columnType: string): TextBinder | undefined {
  const name = schema.name ?? ''
  if (!name.startsWith('io.debezium.')) return undefined
  if (name === 'io.debezium.time.Date' && /^(date|timestamp)/.test(columnType)) {
    return (value) => formatDate(Number(value), 'PROLEPTIC_GREGORIAN')
  }
  const perSecond = debeziumTimes[name]
  if (perSecond !== undefined && columnType.startsWith('time ')) {
    return (value) => formatTime(BigInt(value as number | bigint) * (1_000_000_000n / perSecond))
  }
  const units = debeziumTimestamps[name]
  if (units !== undefined && columnType.startsWith('timestamp')) {
    return (value) => formatInstant(instantOfUnits(BigInt(value as number | bigint), units), utc, 'PROLEPTIC_GREGORIAN')
  }
  if (name === 'io.debezium.time.MicroDuration' && columnType === 'interval')
    return (value) => `${value as bigint} microseconds`
  if (name === 'io.debezium.data.Bits' && columnType.includes('bit')) {
    const length = Number(schema.parameters?.['length'] ?? 0)
    return (value) => bitText(value as Uint8Array, length)
  }
  if (name === 'io.debezium.data.VariableScaleDecimal') {
    return (value) => {
      const { scale, value: bytes } = value as { scale: number; value: Uint8Array }
      return Decimal.fromBytes(bytes, scale).toString()
    }
  }
  return undefined
}

/** Debezium sends bits with the lowest byte first. */
function bitText(bytes: Uint8Array, length: number): string {
  let text = ''
  for (const byte of bytes) text = byte.toString(2).padStart(8, '0') + text
  return length > 0 ? text.padStart(length, '0').slice(-length) : text
}
