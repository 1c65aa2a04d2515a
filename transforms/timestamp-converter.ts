import {
  ConfigError,
  DataError,
  dateSchema,
  defineConfig,
  logicalNames,
  type Parsed,
  type Schema,
  type SchemaOptions,
  schemas,
  struct,
  timeSchema,
  timestampSchema,
  type Transform,
} from '@millrace/sdk'
import {
  basicsOf,
  copyStruct,
  fieldValue,
  kindOf,
  replaceNullWithDefault,
  requireMap,
  requireStruct,
  SchemaCache,
} from './data.ts'
import { checkDatePattern } from './date-pattern.ts'
import { defineSides, type Side } from './operating-side.ts'
import { SimpleDateFormat } from './simple-date-format.ts'

const config = defineConfig({
  field: {
    type: 'string',
    default: '',
    importance: 'high',
    doc: 'The field containing the timestamp, or empty if the entire value is a timestamp',
    example: 'created_at',
  },
  'target.type': {
    type: 'string',
    oneOf: ['string', 'unix', 'Date', 'Time', 'Timestamp'],
    importance: 'high',
    doc: 'The desired timestamp representation: string, unix, Date, Time, or Timestamp',
  },
  format: {
    type: 'string',
    default: '',
    validate: checkDatePattern,
    importance: 'medium',
    doc:
      'A SimpleDateFormat-compatible format for the timestamp. Used to generate the output when type=string or used ' +
      'to parse the input if the input is a string.',
    example: 'yyyy-MM-dd HH:mm:ss',
  },
  'unix.precision': {
    type: 'string',
    oneOf: ['nanoseconds', 'microseconds', 'milliseconds', 'seconds'],
    default: 'milliseconds',
    importance: 'low',
    doc:
      'The desired Unix precision for the timestamp: seconds, milliseconds, microseconds, or nanoseconds. Used to ' +
      'generate the output when type=unix or used to parse the input if the input is a Long.Note: This SMT will ' +
      'cause precision loss during conversions from, and to, values with sub-millisecond components.',
  },
  ...replaceNullWithDefault,
})

type Options = Parsed<typeof config>
type Target = Options['target.type']

const PURPOSE = 'converting timestamp formats'
const MS_PER_DAY = 86_400_000n
const MAX_LONG = 2n ** 63n - 1n

/** Converts timestamps between strings, Unix numbers and Connect's date types. */
export default defineSides(
  'TimestampConverter',
  'Convert timestamps between different formats such as Unix epoch, strings, and Connect Date/Timestamp types. ' +
    'Applies to individual fields or to the entire value.',
  config,
  create,
)

function create(side: Side, options: Options): Transform {
  const { field, 'target.type': target, 'replace.null.with.default': useDefault } = options
  if (target === 'string' && options.format === '') {
    throw new ConfigError('TimestampConverter requires format option to be specified when using string timestamps', {
      key: 'format',
    })
  }
  const converter = new Converter(options)
  const wholeSchemas = new SchemaCache((schema) => targetSchema(target, { optional: schema.optional }))
  const structSchemas = new SchemaCache((schema) => {
    const fields = schema.fields.map(({ name, schema: of }) => {
      return [name, name === field ? targetSchema(target, { optional: of.optional }) : of] as const
    })
    return struct(fields, { ...basicsOf(schema), optional: schema.optional })
  })
  return {
    apply(record) {
      const schema = side.schema(record)
      const value = side.value(record) ?? null
      if (value === null) {
        if (schema === null) return record
        if (field === '') return side.with(record, wholeSchemas.get(schema), converter.convert(schema, null))
        return schema.type === 'STRUCT' ? side.with(record, structSchemas.get(schema), null) : record
      }
      if (field === '') return side.with(record, schema && wholeSchemas.get(schema), converter.convert(schema, value))
      if (schema === null) {
        const copy: Record<string, unknown> = { ...requireMap(value, PURPOSE) }
        copy[field] = converter.convert(null, copy[field])
        return side.with(record, null, copy)
      }
      const source = requireStruct(schema, value, PURPOSE)
      const copy = copyStruct(schema, source, useDefault)
      const of = schema.field(field)?.schema
      if (of) copy[field] = converter.convert(of, fieldValue(source, field, of, useDefault))
      return side.with(record, structSchemas.get(schema), copy)
    },
  }
}

function targetSchema(target: Target, options: SchemaOptions): Schema {
  switch (target) {
    case 'string':
      return options.optional ? schemas.optional.string : schemas.string
    case 'unix':
      return options.optional ? schemas.optional.int64 : schemas.int64
    case 'Date':
      return dateSchema(options)
    case 'Time':
      return timeSchema(options)
    default:
      return timestampSchema(options)
  }
}

class Converter {
  readonly #target: Target
  readonly #precision: Options['unix.precision']
  readonly #format: SimpleDateFormat | undefined

  constructor(options: Options) {
    this.#target = options['target.type']
    this.#precision = options['unix.precision']
    this.#format = options.format === '' ? undefined : new SimpleDateFormat(options.format)
  }

  /** Null stays null. */
  convert(schema: Schema | null, value: unknown): unknown {
    if (schema !== null) requireTimestamp(schema)
    if (value === null || value === undefined) return null
    const ms = this.#read(schema, value)
    switch (this.#target) {
      case 'string':
        return this.#format?.format(dateOf(ms))
      case 'unix': {
        const unix = fromMillis(ms, this.#precision)
        return schema === null ? smallest(unix) : unix
      }
      case 'Date':
        return dateOf(ms - modulo(ms))
      case 'Time':
        return Number(modulo(ms))
      default:
        return dateOf(ms)
    }
  }

  #read(schema: Schema | null, value: unknown): bigint {
    if (value instanceof Date) return BigInt(value.getTime())
    if (schema?.name === logicalNames.time && typeof value === 'number') return BigInt(value)
    if (typeof value === 'string') {
      if (!this.#format) {
        throw new DataError('TimestampConverter requires format option to be specified when using string timestamps')
      }
      return BigInt(this.#format.parse(value).getTime())
    }
    const isUnix = schema === null ? typeof value === 'number' && Number.isInteger(value) : schema.type === 'INT64'
    if (typeof value === 'bigint' || isUnix) return toMillis(BigInt(value as bigint | number), this.#precision)
    throw new DataError(`TimestampConverter does not support ${kindOf(value)} objects as timestamps`)
  }
}

function dateOf(ms: bigint): Date {
  const date = new Date(Number(ms))
  if (Number.isNaN(date.getTime())) throw new DataError(`A date cannot hold ${ms} milliseconds since 1970`)
  return date
}

const LOGICAL: readonly (string | undefined)[] = [logicalNames.date, logicalNames.time, logicalNames.timestamp]

/** A null needs no converting, and yet a field that can hold no time is a mistake in the options. */
function requireTimestamp(schema: Schema): void {
  if (LOGICAL.includes(schema.name) || schema.type === 'STRING' || schema.type === 'INT64') return
  throw new DataError(`Schema ${schema.type} does not correspond to a known timestamp type format`)
}

/** Schemaless numbers are plain ones as long as they are exact. */
function smallest(value: bigint): number | bigint {
  return BigInt(Number(value)) === value && Number.isSafeInteger(Number(value)) ? Number(value) : value
}

function modulo(ms: bigint): bigint {
  return ((ms % MS_PER_DAY) + MS_PER_DAY) % MS_PER_DAY
}

/** As Java's TimeUnit: towards zero, and no further than a long. */
function toMillis(unix: bigint, precision: Options['unix.precision']): bigint {
  if (precision === 'seconds') return saturated(unix * 1000n)
  if (precision === 'microseconds') return unix / 1000n
  return precision === 'nanoseconds' ? unix / 1_000_000n : unix
}

function fromMillis(ms: bigint, precision: Options['unix.precision']): bigint {
  if (precision === 'seconds') return ms / 1000n
  if (precision === 'microseconds') return saturated(ms * 1000n)
  return precision === 'nanoseconds' ? saturated(ms * 1_000_000n) : ms
}

function saturated(long: bigint): bigint {
  if (long > MAX_LONG) return MAX_LONG
  return long < -MAX_LONG - 1n ? -MAX_LONG - 1n : long
}
