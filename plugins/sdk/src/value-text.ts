import { type Decimal, isDecimal } from './decimal.ts'
import { doubleToString, floatToString } from './number-text.ts'
import { logicalNames, type Schema } from './schema.ts'

/**
 * A value as Java's `toString` shows it, which is what StringConverter and the file sink write: `Struct{a=1,b=x}`,
 * `{a=1}`, `[1, 2]`, `1.0E10`. Where Java would show an object's address (byte arrays) it is base64; dates are in UTC.
 */
export function valueToString(schema: Schema | null, value: unknown): string {
  if (typeof value === 'string') return value
  if (value === null || value === undefined) return 'null'
  if (typeof value === 'number') return schema === null ? schemalessNumber(value) : numberToString(schema, value)
  if (typeof value === 'object') return objectToString(schema, value)
  return String(value as boolean | bigint)
}

/** A schemaless number: whole ones as JSON writes them, the rest as Java's Double. */
export function schemalessNumber(value: number): string {
  return Number.isSafeInteger(value) ? String(value) : doubleToString(value)
}

/** Java's BigDecimal.toString: plain notation, scientific where the exponent is below -6 or the scale is negative. */
export function decimalToString(decimal: Decimal): string {
  const negative = decimal.unscaled < 0n
  const digits = (negative ? -decimal.unscaled : decimal.unscaled).toString()
  const exponent = digits.length - 1 - decimal.scale
  if (decimal.scale >= 0 && exponent >= -6) return decimal.toString()
  const mantissa = digits.length === 1 ? digits : `${digits[0]}.${digits.slice(1)}`
  return `${negative ? '-' : ''}${mantissa}E${exponent >= 0 ? '+' : ''}${exponent}`
}

/** Bytes as standard base64 with padding. */
export function toBase64(bytes: Uint8Array): string {
  let binary = ''
  for (let at = 0; at < bytes.length; at += 8192) binary += String.fromCharCode(...bytes.subarray(at, at + 8192))
  return btoa(binary)
}

function numberToString(schema: Schema, value: number): string {
  if (schema.type === 'FLOAT64') return doubleToString(value)
  if (schema.type === 'FLOAT32') return floatToString(value)
  if (schema.name === logicalNames.time) return dateToString(new Date(value))
  return String(value)
}

function objectToString(schema: Schema | null, value: object): string {
  if (Array.isArray(value)) {
    return `[${value.map((item) => valueToString(schema?.valueSchema ?? null, item)).join(', ')}]`
  }
  if (value instanceof Map) {
    const text = (of: Schema | undefined, part: unknown): string => valueToString(of ?? null, part)
    const entries = [...value].map(([k, v]) => `${text(schema?.keySchema, k)}=${text(schema?.valueSchema, v)}`)
    return `{${entries.join(', ')}}`
  }
  if (value instanceof Date) return dateToString(value)
  if (value instanceof Uint8Array) return toBase64(value)
  if (isDecimal(value)) return decimalToString(value)
  if (schema?.type === 'STRUCT') return structToString(schema, value as Readonly<Record<string, unknown>>)
  return `{${Object.entries(value)
    .map(([key, member]) => `${key}=${valueToString(null, member)}`)
    .join(', ')}}`
}

/** Java leaves fields without a value out, and puts no blank after the comma. */
function structToString(schema: Schema, value: Readonly<Record<string, unknown>>): string {
  const parts: string[] = []
  for (const field of schema.fields) {
    const member = value[field.name] ?? null
    if (member !== null) parts.push(`${field.name}=${valueToString(field.schema, member)}`)
  }
  return `Struct{${parts.join(',')}}`
}

const DAYS = ['Sun', 'Mon', 'Tue', 'Wed', 'Thu', 'Fri', 'Sat']
const MONTHS = ['Jan', 'Feb', 'Mar', 'Apr', 'May', 'Jun', 'Jul', 'Aug', 'Sep', 'Oct', 'Nov', 'Dec']

/** As java.util.Date.toString in UTC: `Tue Nov 14 22:13:20 UTC 2023`. */
function dateToString(date: Date): string {
  const two = (value: number): string => String(value).padStart(2, '0')
  const time = `${two(date.getUTCHours())}:${two(date.getUTCMinutes())}:${two(date.getUTCSeconds())}`
  const day = `${DAYS[date.getUTCDay()]} ${MONTHS[date.getUTCMonth()]} ${two(date.getUTCDate())}`
  return `${day} ${time} UTC ${date.getUTCFullYear()}`
}
