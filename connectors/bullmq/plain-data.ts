import { decimalToString, isDecimal, type Schema, toBase64 } from '@millrace/sdk'

/**
 * A value as JSON has it, since BullMQ keeps data as JSON: maps become objects, bytes base64, dates milliseconds, decimals
 * text, and whole numbers beyond 2^53 text, which would lose digits otherwise.
 */
export function plainData(schema: Schema | null, value: unknown): unknown {
  if (value === undefined) return null
  if (typeof value === 'bigint') {
    const number = Number(value)
    return Number.isSafeInteger(number) ? number : String(value)
  }
  if (typeof value !== 'object' || value === null) return value
  if (schema === null && isPlain(value)) return value
  if (Array.isArray(value)) return value.map((item) => plainData(schema?.valueSchema ?? null, item))
  if (value instanceof Uint8Array) return toBase64(value)
  if (value instanceof Date) return value.getTime()
  if (isDecimal(value)) return decimalToString(value)
  const plain: Record<string, unknown> = {}
  for (const [name, member] of value instanceof Map ? value : Object.entries(value)) {
    const of = schema?.type === 'STRUCT' ? schema.field(String(name))?.schema : schema?.valueSchema
    const data = plainData(of ?? null, member)
    // Assigning to this name would change what the object inherits from; defining each member takes far longer.
    if (name === '__proto__') Object.defineProperty(plain, name, { value: data, enumerable: true })
    else plain[String(name)] = data
  }
  return plain
}

/** Whether data without a schema is what JSON has already, as most is: then it needs no copy. */
function isPlain(value: unknown): boolean {
  switch (typeof value) {
    case 'string':
    case 'number':
    case 'boolean':
      return true
    case 'object':
      return value === null || isPlainObject(value)
    default:
      return false
  }
}

function isPlainObject(value: object): boolean {
  if (Array.isArray(value)) return value.every(isPlain)
  if (Object.getPrototypeOf(value) !== Object.prototype) return false
  const members = value as Readonly<Record<string, unknown>>
  for (const name in members) if (!isPlain(members[name])) return false
  return true
}
