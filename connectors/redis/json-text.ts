import { decimalToString, isDecimal, type Schema, toBase64 } from '@millrace/sdk'

/** A value as JSON: whole numbers keep all their digits, bytes are base64, dates milliseconds, decimals plain numbers. */
export function jsonText(schema: Schema | null, value: unknown): string {
  if (value === null || value === undefined) return 'null'
  switch (typeof value) {
    case 'string':
      return JSON.stringify(value)
    case 'number':
      return Number.isFinite(value) ? String(value) : 'null'
    case 'bigint':
    case 'boolean':
      return String(value)
    default:
      return objectText(schema, value as object)
  }
}

function objectText(schema: Schema | null, value: object): string {
  if (Array.isArray(value)) {
    return `[${value.map((item) => jsonText(schema?.valueSchema ?? null, item)).join(',')}]`
  }
  if (value instanceof Uint8Array) return `"${toBase64(value)}"`
  if (value instanceof Date) return String(value.getTime())
  if (isDecimal(value)) return decimalToString(value)
  const entries = value instanceof Map ? [...value] : Object.entries(value)
  const isStruct = schema?.type === 'STRUCT'
  const members = entries.map(([name, member]) => {
    const of = isStruct ? schema.field(String(name))?.schema : schema?.valueSchema
    return `${JSON.stringify(String(name))}:${jsonText(of ?? null, member)}`
  })
  return `{${members.join(',')}}`
}
