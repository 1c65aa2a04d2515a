import { Decimal, decimalSchema, primitive, type Schema, timestampSchema } from '@millrace/sdk'
import type { NumericMapping, ReadOptions } from './dialect.ts'
import { type NumericTarget, numericTarget } from './numeric-mapping.ts'
import { formatIso, type Instant, parseInstant, unitsOf } from './temporal.ts'
import type { Zone } from './zone.ts'

/** The schema of a column, and how its text becomes a value. */
export interface Plan {
  readonly schema: Schema
  read(text: string): unknown
  /** For timestamp columns whose text the zone of the config does not explain. */
  instant?(text: string): Instant
}

/** A timestamp, as `timestamp.granularity` says. `zone` is the one in which the text is meant. */
export function timestampPlan(
  optional: boolean,
  options: ReadOptions,
  zone: Zone,
  parse: (text: string) => Instant = (text) => parseInstant(text, zone, options.calendar),
): Plan {
  const { calendar, granularity } = options
  switch (granularity) {
    case 'connect_logical':
      return { schema: timestampSchema({ optional }), read: (text) => new Date(parse(text).ms) }
    case 'micros_long':
      return { schema: primitive('INT64', { optional }), read: (text) => unitsOf(parse(text), 1_000_000) }
    case 'nanos_long':
      return { schema: primitive('INT64', { optional }), read: (text) => unitsOf(parse(text), 1_000_000_000) }
    case 'micros_string':
      return { schema: primitive('STRING', { optional }), read: (text) => String(unitsOf(parse(text), 1_000_000)) }
    case 'nanos_string':
      return { schema: primitive('STRING', { optional }), read: (text) => String(unitsOf(parse(text), 1_000_000_000)) }
    case 'micros_iso_datetime_string':
      return {
        schema: primitive('STRING', { optional }),
        read: (text) => formatIso(parse(text), options.zone, 6, calendar),
      }
    case 'nanos_iso_datetime_string':
      return {
        schema: primitive('STRING', { optional }),
        read: (text) => formatIso(parse(text), options.zone, 9, calendar),
      }
  }
}

/** A number of declared precision and scale, as `numeric.mapping` says. */
export function numericPlan(optional: boolean, precision: number, scale: number, mapping: NumericMapping): Plan {
  const target = numericTarget(mapping, precision, scale)
  if (target === 'decimal') return decimalPlan(optional, precision, scale)
  return { schema: numericSchema(target, optional), read: target === 'int64' ? BigInt : Number }
}

function numericSchema(target: Exclude<NumericTarget, 'decimal'>, optional: boolean): Schema {
  const types = { int8: 'INT8', int16: 'INT16', int32: 'INT32', int64: 'INT64', float64: 'FLOAT64' } as const
  return primitive(types[target], { optional })
}

/** A Decimal; `precision` undefined: the column was declared without one. */
export function decimalPlan(optional: boolean, precision: number | undefined, scale: number): Plan {
  const parameters = precision === undefined ? {} : { parameters: { 'connect.decimal.precision': String(precision) } }
  return {
    schema: decimalSchema(scale, { optional, ...parameters }),
    read(text) {
      if (/^-?(NaN|Infinity)$/.test(text))
        throw new RangeError(`${text} is no decimal; use numeric.mapping=best_fit_eager_double`)
      return Decimal.parse(text).withScale(scale)
    },
  }
}
