import {
  ConfigError,
  type ConnectRecord,
  DataError,
  decimalToString,
  defineConfig,
  doubleToString,
  floatToString,
  isDecimal,
  logicalNames,
  type Parsed,
  primitive,
  type Schema,
  type SchemaType,
  struct,
  toBase64,
  type Transform,
  withOptions,
} from '@millrace/sdk'
import {
  basicsOf,
  copyStruct,
  isMembers,
  kindOf,
  replaceNullWithDefault,
  requireMap,
  requireStruct,
  SchemaCache,
} from './data.ts'
import { defineSides, type Side } from './operating-side.ts'

const TARGETS = ['int8', 'int16', 'int32', 'int64', 'float32', 'float64', 'boolean', 'string'] as const
type Target = (typeof TARGETS)[number]

function checkSpec(spec: readonly string[]): string | undefined {
  for (const entry of spec) {
    const parts = entry.split(':')
    if (parts.length > 2) return `Invalid rename mapping: ${entry}`
    const type = (parts.at(-1) ?? '').trim().toLowerCase()
    if (!TARGETS.includes(type as Target))
      return `Unknown or unsupported target type ${type}, use ${TARGETS.join(', ')}`
    if (parts.length === 1 && spec.length > 1) {
      return 'Cast transformations that specify a type to cast the entire value to may ONLY specify a single cast in their spec'
    }
  }
  return undefined
}

const config = defineConfig({
  spec: {
    type: 'list',
    nonEmpty: true,
    validate: checkSpec,
    importance: 'high',
    doc:
      'List of fields and the type to cast them to of the form field1:type,field2:type to cast fields of Maps or ' +
      'Structs. A single type to cast the entire value. Valid types are int8, int16, int32, int64, float32, float64, ' +
      'boolean, and string. Note that binary fields can only be cast to string.',
    example: 'price:float64,id:string',
  },
  ...replaceNullWithDefault,
})

const PURPOSE = 'cast types'
const MS_PER_DAY = 86_400_000

/** Casts fields or the whole value to another type. */
export default defineSides(
  'Cast',
  'Cast fields or the entire key or value to a specific type, e.g. to force an integer field to a smaller width. Cast ' +
    'from integers, floats, boolean and string to any other type, and cast binary to string (base64 encoded).',
  config,
  create,
)

function create(side: Side, options: Parsed<typeof config>): Transform {
  const problem = checkSpec(options.spec)
  if (problem !== undefined) throw new ConfigError(problem, { key: 'spec' })
  const [first = ''] = options.spec
  if (!first.includes(':')) return castWhole(side, first.trim().toLowerCase() as Target)
  const casts = new Map(
    options.spec.map((entry) => {
      const [field = '', type = ''] = entry.split(':')
      return [field.trim(), type.trim().toLowerCase() as Target]
    }),
  )
  return castFields(side, casts, options['replace.null.with.default'])
}

function castWhole(side: Side, target: Target): Transform {
  const updated = new SchemaCache((schema) => {
    // The name of a logical type would be wrong on another type; Kafka leaves it, and converters then fail.
    const isLogical = (Object.values(logicalNames) as (string | undefined)[]).includes(schema.name)
    const plain = castSchema(schema, target)
    return isLogical ? plain : withOptions(plain, basicsOf(schema))
  })
  return {
    apply(record) {
      const value = side.value(record)
      if (value === null || value === undefined) return record
      const schema = side.schema(record)
      return side.with(record, schema && updated.get(schema), cast(schema, value, target))
    },
  }
}

function castFields(side: Side, casts: ReadonlyMap<string, Target>, useDefault: boolean): Transform {
  const updated = new SchemaCache((schema) => {
    const fields = schema.fields.map(({ name, schema: of }) => {
      const target = casts.get(name)
      return [name, target === undefined ? of : castSchema(of, target)] as const
    })
    return struct(fields, { ...basicsOf(schema), optional: schema.optional, default: schema.default })
  })
  return {
    apply<R extends ConnectRecord>(record: R): R {
      const value = side.value(record)
      if (value === null || value === undefined) return record
      const schema = side.schema(record)
      const copy = schema
        ? copyStruct(schema, requireStruct(schema, value, PURPOSE), useDefault)
        : { ...requireMap(value, PURPOSE) }
      for (const [name, target] of casts) {
        const field = schema?.field(name)
        // Without a schema a field that is missing is added as null, as in Kafka.
        if (schema === null || field) copy[name] = cast(field?.schema ?? null, copy[name] ?? null, target)
      }
      return side.with(record, schema && updated.get(schema), copy)
    },
  }
}

/** The plain schema of the target: optional stays, the default is cast, name and the rest are gone. */
function castSchema(schema: Schema, target: Target): Schema {
  const fallback = schema.default === undefined ? {} : { default: cast(schema, schema.default, target) }
  return primitive(target.toUpperCase() as Exclude<SchemaType, 'STRUCT' | 'ARRAY' | 'MAP'>, {
    optional: schema.optional,
    ...fallback,
  })
}

function cast(schema: Schema | null, value: unknown, target: Target): unknown {
  if (value === null || value === undefined) return null
  const nested = nestedType(schema, value)
  if (nested !== undefined) {
    throw new DataError(`Cast transformation does not support casting from ${nested}; supported types are [${SOURCES}]`)
  }
  if (target === 'string') return toText(schema, value)
  const plain = epochOf(schema, value)
  if (target === 'boolean') return toBoolean(plain)
  if (!target.startsWith('int')) return toFloat(plain, target)
  const isFloating = schema ? schema.type.startsWith('FLOAT') : !Number.isInteger(plain)
  return toInteger(plain, Number(target.slice(3)), isFloating)
}

const SOURCES = 'INT8, INT16, INT32, INT64, FLOAT32, FLOAT64, BOOLEAN, STRING, BYTES'

/** The type of a value that holds others, which cannot be cast. */
function nestedType(schema: Schema | null, value: unknown): string | undefined {
  if (schema !== null) return ['STRUCT', 'MAP', 'ARRAY'].includes(schema.type) ? schema.type : undefined
  if (Array.isArray(value)) return 'ARRAY'
  return value instanceof Map || isMembers(value) ? 'MAP' : undefined
}

/** The number behind a logical date type. */
function epochOf(schema: Schema | null, value: unknown): unknown {
  if (!(value instanceof Date)) return value
  return schema?.name === logicalNames.date ? value.getTime() / MS_PER_DAY : value.getTime()
}

function toText(schema: Schema | null, value: unknown): string {
  switch (typeof value) {
    case 'string':
      return value
    case 'boolean':
    case 'bigint':
      return value.toString()
    case 'number':
      if (schema?.name === logicalNames.time) return new Date(value).toISOString().slice(11)
      if (schema?.type === 'FLOAT32') return floatToString(value)
      return schema?.type === 'FLOAT64' || !Number.isInteger(value) ? doubleToString(value) : String(value)
    default:
      break
  }
  if (value instanceof Date) {
    return schema?.name === logicalNames.date ? value.toISOString().slice(0, 10) : value.toISOString()
  }
  if (value instanceof Uint8Array) return toBase64(value)
  if (isDecimal(value)) return decimalToString(value)
  throw new DataError(`Unexpected type in Cast transformation: ${kindOf(value)}`)
}

function toBoolean(value: unknown): boolean {
  switch (typeof value) {
    case 'boolean':
      return value
    case 'bigint':
      return value !== 0n
    case 'number':
      return Math.trunc(value) !== 0 && !Number.isNaN(value)
    case 'string':
      return value.toLowerCase() === 'true'
    default:
      if (isDecimal(value)) return value.withScale(0, 'truncate').unscaled !== 0n
      throw new DataError(`Unexpected type in Cast transformation: ${kindOf(value)}`)
  }
}

/** As Java narrows: fractions are cut, too large integers wrap, too large floating numbers stop at the bounds of int or long. */
function toInteger(value: unknown, bits: number, isFloating: boolean): number | bigint {
  let whole: bigint
  if (typeof value === 'boolean') whole = value ? 1n : 0n
  else if (typeof value === 'bigint') whole = value
  else if (typeof value === 'number') whole = isFloating ? saturated(value, Math.max(bits, 32)) : BigInt(value)
  else if (isDecimal(value)) whole = value.withScale(0, 'truncate').unscaled
  else if (typeof value === 'string') return parsedInteger(value, bits)
  else throw new DataError(`Unexpected type in Cast transformation: ${kindOf(value)}`)
  const narrow = BigInt.asIntN(bits, whole)
  return bits === 64 ? narrow : Number(narrow)
}

/** A floating number without its fraction, stopped at the bounds of int or long. */
function saturated(value: number, bits: number): bigint {
  if (Number.isNaN(value)) return 0n
  const bound = 2n ** BigInt(bits - 1)
  if (value >= Number(bound)) return bound - 1n
  return value <= -Number(bound) ? -bound : BigInt(Math.trunc(value))
}

function parsedInteger(text: string, bits: number): number | bigint {
  const outOfRange = (): DataError =>
    new DataError(`Value (${text.length} characters) was out of range for requested data type`)
  if (!/^[+-]?\d{1,30}$/.test(text)) throw outOfRange()
  const whole = BigInt(text.replace(/^\+/, ''))
  if (BigInt.asIntN(bits, whole) !== whole) throw outOfRange()
  return bits === 64 ? whole : Number(whole)
}

function toFloat(value: unknown, target: Target): number {
  let number: number
  if (typeof value === 'boolean') number = value ? 1 : 0
  else if (typeof value === 'number' || typeof value === 'bigint') number = Number(value)
  else if (isDecimal(value)) number = value.toNumber()
  else if (typeof value === 'string' && value.trim() !== '' && /^[^xX_]*$/.test(value)) {
    number = Number(value.trim().replace(/[dDfF]$/, ''))
    if (Number.isNaN(number) && value.trim() !== 'NaN') throw notANumber()
  } else if (typeof value === 'string') throw notANumber()
  else throw new DataError(`Unexpected type in Cast transformation: ${kindOf(value)}`)
  return target === 'float32' ? Math.fround(number) : number
}

function notANumber(): DataError {
  return new DataError('Value is not a number that can be cast to a floating type')
}
