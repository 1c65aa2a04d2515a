import { DataError, type Schema } from '@millrace/sdk'

export type Compatibility = 'NONE' | 'BACKWARD' | 'FORWARD' | 'FULL'

/** Whether two schemas say the same of their values. */
export function sameSchema(a: Schema | null | undefined, b: Schema | null | undefined): boolean {
  if (a === b) return true
  if (!a || !b) return (a ?? null) === (b ?? null)
  return (
    a.type === b.type &&
    a.optional === b.optional &&
    a.name === b.name &&
    a.version === b.version &&
    a.doc === b.doc &&
    sameParameters(a, b) &&
    sameDefault(a.default, b.default) &&
    a.fields.length === b.fields.length &&
    a.fields.every((field, index) => {
      const other = b.fields[index] as typeof field
      return field.name === other.name && sameSchema(field.schema, other.schema)
    }) &&
    sameSchema(a.keySchema, b.keySchema) &&
    sameSchema(a.valueSchema, b.valueSchema)
  )
}

function sameParameters(a: Schema, b: Schema): boolean {
  const [ours, theirs] = [Object.entries(a.parameters ?? {}), b.parameters ?? {}]
  return ours.length === Object.keys(theirs).length && ours.every(([key, value]) => theirs[key] === value)
}

function sameDefault(a: unknown, b: unknown): boolean {
  if (a === b || typeof a !== 'object' || typeof b !== 'object') return a === b
  const plain = (value: unknown): string =>
    JSON.stringify(value, (_key, part: unknown) => {
      if (typeof part === 'bigint') return `${part}n`
      return part instanceof Map ? [...part] : part
    })
  return plain(a) === plain(b)
}

/** Whether a record with this schema cannot go into a file with that one, and ends it. */
export function endsFile(mode: Compatibility, file: Schema | null, record: Schema | null): boolean {
  if (sameSchema(file, record)) return false
  if (mode === 'NONE' || file === null || record === null) return true
  const [ours, theirs] = [file.version, record.version]
  if (ours === undefined || theirs === undefined) {
    throw new DataError(`schema.compatibility=${mode} needs schemas with versions; the schema of the record has none`)
  }
  if (file.name !== record.name || file.type !== record.type) return true
  return mode === 'FORWARD' ? theirs < ours : theirs > ours
}

/** Brings a value of one schema into the form of another; throws DataError where it does not fit. */
export function project(from: Schema, to: Schema, value: unknown): unknown {
  if (from === to) return value
  if (value === null || value === undefined) {
    if (to.default !== undefined) return to.default
    if (to.optional) return null
    throw new DataError('a value of an older schema is null where the schema of the file asks for one')
  }
  if (to.type === 'STRUCT' && from.type === 'STRUCT') return projectStruct(from, to, value)
  if (to.type === 'ARRAY' && from.type === 'ARRAY') {
    const [item, target] = [from.valueSchema as Schema, to.valueSchema as Schema]
    return (value as unknown[]).map((each) => project(item, target, each))
  }
  if (to.type === 'MAP' && from.type === 'MAP') {
    const [keys, values] = [from.keySchema as Schema, from.valueSchema as Schema]
    const pairs = [...(value as Map<unknown, unknown>)]
    const projected = pairs.map(([key, each]): [unknown, unknown] => [
      project(keys, to.keySchema as Schema, key),
      project(values, to.valueSchema as Schema, each),
    ])
    return new Map(projected)
  }
  if (from.name !== to.name || !promotes(from.type, to.type)) {
    throw new DataError(`a value of type ${from.name ?? from.type} does not fit ${to.name ?? to.type} of the file`)
  }
  if (to.type === 'INT64' && typeof value === 'number') return BigInt(value)
  return typeof value === 'bigint' && to.type.startsWith('FLOAT') ? Number(value) : value
}

const NUMBERS = ['INT8', 'INT16', 'INT32', 'INT64', 'FLOAT32', 'FLOAT64']

function promotes(from: string, to: string): boolean {
  const [low, high] = [NUMBERS.indexOf(from), NUMBERS.indexOf(to)]
  return from === to || (low >= 0 && high >= low)
}

function projectStruct(from: Schema, to: Schema, value: unknown): Record<string, unknown> {
  const members = value as Readonly<Record<string, unknown>>
  const result: Record<string, unknown> = {}
  for (const { name, schema } of to.fields) {
    const source = from.field(name)
    if (source !== undefined) result[name] = project(source.schema, schema, members[name])
    else if (schema.default !== undefined) result[name] = schema.default
    else if (schema.optional) result[name] = null
    else throw new DataError(`the field ${name} of the file's schema is not in that of the record and has no default`)
  }
  return result
}
