import {
  DataError,
  decimalToString,
  doubleToString,
  floatToString,
  isDecimal,
  logicalNames,
  type Schema,
  schemalessNumber,
} from '@millrace/sdk'

const MS_PER_DAY = 86_400_000

/** A header value as text: strings as they are, strings within arrays and maps in quotes (Kafka's `Values.convertToString`). */
export function headerText(schema: Schema | null, value: unknown): string {
  return typeof value === 'string' ? value : embedded(schema, value)
}

function embedded(schema: Schema | null, value: unknown): string {
  if (value === null || value === undefined) return 'null'
  switch (typeof value) {
    case 'string':
      return `"${value.replace(/["\\]/g, '\\$&')}"`
    case 'number':
      return numberText(schema, value)
    case 'boolean':
    case 'bigint':
      return value.toString()
    case 'object':
      return objectText(schema, value)
    default:
      throw new DataError(`A header cannot hold a ${typeof value}`)
  }
}

function numberText(schema: Schema | null, value: number): string {
  if (schema === null) return schemalessNumber(value)
  if (schema.name === logicalNames.time) return new Date(value).toISOString().slice(11)
  if (schema.type === 'FLOAT64') return doubleToString(value)
  return schema.type === 'FLOAT32' ? floatToString(value) : String(value)
}

function objectText(schema: Schema | null, value: object): string {
  if (Array.isArray(value)) {
    return `[${value.map((item) => embedded(schema?.valueSchema ?? null, item)).join(',')}]`
  }
  if (value instanceof Date) return dateText(value)
  if (value instanceof Uint8Array) {
    return Buffer.from(value.buffer, value.byteOffset, value.byteLength).toString('base64')
  }
  if (isDecimal(value)) return decimalToString(value)
  const entries: Iterable<[unknown, unknown]> = value instanceof Map ? value : Object.entries(value)
  const parts: string[] = []
  for (const [key, member] of entries) {
    const memberSchema = schema?.type === 'STRUCT' ? schema.field(String(key as string))?.schema : schema?.valueSchema
    parts.push(`${embedded(schema?.keySchema ?? null, key)}:${embedded(memberSchema ?? null, member)}`)
  }
  return `{${parts.join(',')}}`
}

/** Kafka looks at the value, not at the schema: a timestamp at midnight is written as a bare date. */
function dateText(date: Date): string {
  const ms = date.getTime()
  if (ms >= 0 && ms < MS_PER_DAY) return date.toISOString().slice(11)
  return ms % MS_PER_DAY === 0 ? date.toISOString().slice(0, 10) : date.toISOString()
}
