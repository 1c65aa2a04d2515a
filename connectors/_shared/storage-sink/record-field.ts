import { DataError, type Schema, type SinkRecord } from '@millrace/sdk'

/** Whether a record has a value; one that is JSON text is not read for it. */
export function hasValue(record: SinkRecord): boolean {
  return !!record.jsonValue?.() || (record.value !== null && record.value !== undefined)
}

/** A value found by the path of its field, with its schema where there is one. */
export interface FoundField {
  readonly schema: Schema | null
  readonly value: unknown
}

/** Looks a field up; a dot steps into a nested one. Throws DataError when it does not exist. */
export function fieldAt(schema: Schema | null, value: unknown, path: string): FoundField {
  let found: FoundField = { schema, value }
  for (const name of path.split('.')) {
    const next = member(found, name)
    if (next === undefined) throw new DataError(`the value of the record has no field ${path}`)
    found = next
  }
  return found
}

function member({ schema, value }: FoundField, name: string): FoundField | undefined {
  if (schema !== null && schema.type === 'STRUCT') {
    const field = schema.field(name)
    if (field === undefined) return undefined
    const struct = value as Readonly<Record<string, unknown>> | null
    return { schema: field.schema, value: struct?.[name] ?? field.schema.default ?? null }
  }
  if (value instanceof Map)
    return value.has(name) ? { schema: schema?.valueSchema ?? null, value: value.get(name) } : undefined
  if (schema !== null || typeof value !== 'object' || value === null || !Object.hasOwn(value, name)) return undefined
  return { schema: null, value: (value as Readonly<Record<string, unknown>>)[name] }
}
