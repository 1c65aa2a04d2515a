import {
  DataError,
  Decimal,
  defineConfig,
  type Field,
  type FieldSource,
  isDecimal,
  logicalNames,
  type Parsed,
  type Schema,
  type Transform,
} from '@millrace/sdk'
import { copyStruct, isMembers, keptField, kindOf, replaceNullWithDefault, requireMap, requireStruct } from './data.ts'
import { defineSides, type Side } from './operating-side.ts'

const config = defineConfig({
  fields: {
    type: 'list',
    nonEmpty: true,
    unique: true,
    importance: 'high',
    doc: 'Names of fields to mask.',
    example: 'password,card_number',
  },
  replacement: {
    type: 'string',
    default: null,
    nonEmpty: true,
    importance: 'low',
    doc:
      "Custom value replacement, that will be applied to all 'fields' values (numeric or non-empty string values " +
      'only).',
    example: '***',
  },
  ...replaceNullWithDefault,
})

const PURPOSE = 'mask fields'

function create(side: Side, options: Parsed<typeof config>): Transform {
  const { fields, replacement } = options
  const useDefault = options['replace.null.with.default']
  const masked = (field: Field): FieldSource => {
    const fallback = useDefault ? field.schema.default : undefined
    return {
      from: 'field',
      name: field.name,
      map: (value) => mask(field.schema, value ?? fallback, replacement),
    }
  }
  return {
    structs: {
      part: side.part,
      plan(schema) {
        if (schema.type !== 'STRUCT') return undefined
        const source = (field: Field) => (fields.includes(field.name) ? masked(field) : keptField(field, useDefault))
        return { schema, sources: schema.fields.map(source) }
      },
    },
    apply(record) {
      const schema = side.schema(record)
      const value = side.value(record)
      if (schema === null) {
        const copy: Record<string, unknown> = { ...requireMap(value, PURPOSE) }
        for (const name of fields) copy[name] = mask(null, copy[name], replacement)
        return side.with(record, null, copy)
      }
      const copy = copyStruct(schema, requireStruct(schema, value, PURPOSE), useDefault)
      for (const name of fields) {
        const field = schema.field(name)
        if (field) copy[name] = mask(field.schema, copy[name], replacement)
      }
      return side.with(record, schema, copy)
    },
  }
}

/** What stands for a value: null stays null, anything else becomes the zero of its type or the replacement. */
function mask(schema: Schema | null, value: unknown, replacement: string | null): unknown {
  if (value === null || value === undefined) return null
  return replacement === null ? zeroOf(schema, value) : replaced(schema, value, replacement)
}

function zeroOf(schema: Schema | null, value: unknown): unknown {
  switch (typeof value) {
    case 'string':
      return ''
    case 'number':
      return 0
    case 'bigint':
      return 0n
    case 'boolean':
      return false
    default:
      break
  }
  if (Array.isArray(value)) return []
  if (value instanceof Map) return new Map()
  if (value instanceof Date) return new Date(0)
  if (isDecimal(value)) return new Decimal(0n, value.scale)
  if (schema === null && isMembers(value)) return {}
  throw new DataError(`Cannot mask value of type: class ${kindOf(value)}`)
}

function replaced(schema: Schema | null, value: unknown, replacement: string): unknown {
  const isTime = schema?.name === logicalNames.time
  if (typeof value === 'string') return replacement
  if (!isTime && typeof value === 'number') return replacementNumber(schema, value, replacement)
  if (typeof value === 'bigint') return replacementInteger(replacement, 64)
  if (isDecimal(value)) {
    const { scale } = value
    return attempt(replacement, () => Decimal.parse(replacement).withScale(scale))
  }
  throw new DataError(`Cannot mask value of type: class ${kindOf(value)} with custom replacement.`)
}

const BITS: Readonly<Record<string, number>> = { INT8: 8, INT16: 16, INT32: 32 }

function replacementNumber(schema: Schema | null, value: number, replacement: string): number {
  const whole = schema ? schema.type.startsWith('INT') : Number.isInteger(value)
  if (whole) return Number(replacementInteger(replacement, BITS[schema?.type ?? ''] ?? 64))
  const number = attempt(replacement, () => Decimal.parse(replacement).toNumber())
  return schema?.type === 'FLOAT32' ? Math.fround(number) : number
}

/** As Java narrows a number: the fraction is cut off, and what does not fit wraps. */
function replacementInteger(replacement: string, bits: number): bigint {
  const whole = attempt(replacement, () => Decimal.parse(replacement).withScale(0, 'truncate').unscaled)
  return BigInt.asIntN(bits, whole)
}

function attempt<T>(replacement: string, parse: () => T): T {
  try {
    return parse()
  } catch (error) {
    if (error instanceof RangeError) throw notANumber(replacement)
    throw error
  }
}

function notANumber(replacement: string): DataError {
  return new DataError(`Unable to convert ${replacement} (class java.lang.String) to a number`)
}

/** Replaces values by the zero of their type, or by a constant. */
export default defineSides(
  'MaskField',
  'Mask specified fields with a valid null value for the field type (i.e. 0, false, empty string, and so on).<p/>' +
    'For numeric and string fields, an optional replacement value can be specified that is converted to the correct type.',
  config,
  create,
)
