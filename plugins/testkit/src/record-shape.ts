import { isDecimal, logicalNames, type Schema, type SourceRecord } from '@millrace/sdk'

/** What is wrong with a value for a schema, or undefined. `place` says where it is. */
export function misfit(schema: Schema | null, value: unknown, place: string): string | undefined {
  if (schema === null) return schemalessMisfit(value, place)
  if (value === null || value === undefined) {
    return schema.optional || schema.default !== undefined ? undefined : `${place} is ${value} and not optional`
  }
  if (schema.type === 'STRUCT') return structMisfit(schema, value, place)
  if (schema.type === 'ARRAY') {
    if (!Array.isArray(value)) return `${place} is no array`
    return first(value.map((each, index) => misfit(schema.valueSchema ?? null, each, `${place}[${index}]`)))
  }
  if (schema.type === 'MAP') {
    if (!(value instanceof Map)) return `${place} is no Map`
    return first(
      [...value].map(
        ([key, each]) =>
          misfit(schema.keySchema ?? null, key, `a key of ${place}`) ??
          misfit(schema.valueSchema ?? null, each, `a value of ${place}`),
      ),
    )
  }
  const fits = isLogical(schema) ? fitsLogical(schema, value) : fitsPrimitive(schema, value)
  return fits ? undefined : `${place} is ${kindOf(value)}, its schema says ${schema.name ?? schema.type}`
}

function structMisfit(schema: Schema, value: unknown, place: string): string | undefined {
  if (typeof value !== 'object' || value === null || Array.isArray(value) || value instanceof Map) {
    return `${place} is ${kindOf(value)}, its schema says STRUCT`
  }
  const data = value as Readonly<Record<string, unknown>>
  const stranger = Object.keys(data).find((name) => !schema.field(name))
  if (stranger !== undefined) return `${place} has the field ${stranger}, which its schema does not have`
  return first(schema.fields.map((field) => misfit(field.schema, data[field.name], `${place}.${field.name}`)))
}

const RANGES: Readonly<Record<string, number>> = { INT8: 2 ** 7, INT16: 2 ** 15, INT32: 2 ** 31 }

function fitsPrimitive(schema: Schema, value: unknown): boolean {
  switch (schema.type) {
    case 'INT8':
    case 'INT16':
    case 'INT32': {
      const range = RANGES[schema.type] ?? 0
      return typeof value === 'number' && Number.isInteger(value) && value >= -range && value < range
    }
    case 'INT64':
      return typeof value === 'bigint' && BigInt.asIntN(64, value) === value
    case 'FLOAT32':
    case 'FLOAT64':
      return typeof value === 'number'
    case 'BOOLEAN':
      return typeof value === 'boolean'
    case 'STRING':
      return typeof value === 'string'
    default:
      return value instanceof Uint8Array
  }
}

const LOGICAL: ReadonlySet<string> = new Set(Object.values(logicalNames))

function isLogical(schema: Schema): boolean {
  return schema.name !== undefined && LOGICAL.has(schema.name)
}

function fitsLogical(schema: Schema, value: unknown): boolean {
  if (schema.name === logicalNames.decimal) return isDecimal(value)
  if (schema.name === logicalNames.time) return typeof value === 'number'
  return value instanceof Date
}

/** Schemaless data is what JSON has, with bytes, bigints and Maps beside it. */
function schemalessMisfit(value: unknown, place: string): string | undefined {
  if (typeof value === 'function' || typeof value === 'symbol') return `${place} is a ${typeof value}`
  return undefined
}

function kindOf(value: unknown): string {
  if (value === null) return 'null'
  if (typeof value !== 'object') return `the ${typeof value} ${String(value as string).slice(0, 40)}`
  return `a ${value.constructor?.name ?? 'object'}`
}

function first(problems: readonly (string | undefined)[]): string | undefined {
  return problems.find((problem) => problem !== undefined)
}

const FLAT: ReadonlySet<string> = new Set(['string', 'number', 'bigint', 'boolean'])

/** What is wrong with a record that a source gave, or undefined. */
export function sourceRecordMisfit(record: SourceRecord): string | undefined {
  const { topic, partition, timestamp, headers, sourcePartition, sourceOffset } = record
  if (typeof topic !== 'string' || topic === '') return 'a record has no topic'
  if (partition !== null && !(Number.isInteger(partition) && partition >= 0)) return `partition is ${String(partition)}`
  if (timestamp !== null && !Number.isFinite(timestamp)) return `timestamp is ${String(timestamp)}`
  if (!Array.isArray(headers)) return 'headers is no array'
  for (const [name, map] of Object.entries({ sourcePartition, sourceOffset })) {
    if (typeof map !== 'object' || map === null) return `${name} is no object`
    const deep = Object.entries(map).find(([, value]) => value !== null && !FLAT.has(typeof value))
    if (deep) return `${name}.${deep[0]} is no primitive; it has to be JSON in the offsets topic`
  }
  return (
    misfit(record.keySchema, record.key, 'key') ??
    misfit(record.valueSchema, record.value, 'value') ??
    first(headers.map((header) => misfit(header.schema, header.value, `header ${header.key}`)))
  )
}
