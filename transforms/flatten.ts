import { DataError, defineConfig, type Schema, struct, withOptions } from '@millrace/sdk'
import { basicsOf, isMembers, type Members, requireMap, requireStruct, SchemaCache } from './data.ts'
import { defineSides } from './operating-side.ts'

const config = defineConfig({
  delimiter: {
    type: 'string',
    default: '.',
    importance: 'medium',
    doc: 'Delimiter to insert between field names from the input record when generating field names for the output record',
  },
})

const PURPOSE = 'flattening'

/** A field of the result and the steps that lead to it. */
interface Leaf {
  readonly name: string
  readonly path: readonly string[]
  readonly schema: Schema
  /** The default of the field itself, which stands for null; that of a parent does not. */
  readonly own: unknown
}

/** Makes one level of nested structs or maps; the names of the levels are joined. */
export default defineSides(
  'Flatten',
  'Flatten a nested data structure, generating names for each field by concatenating the field names at each level ' +
    'with a configurable delimiter character. Applies to Struct when schema present, or a Map in the case of ' +
    'schemaless data. Array fields and their contents are not modified. The default delimiter is ' +
    "'.'.",
  config,
  (side, { delimiter }) => {
    const layouts = new SchemaCache((schema) => {
      const leaves = leavesOf(schema, [], delimiter, schema.optional, schema.default)
      return {
        leaves,
        schema: struct(
          leaves.map((leaf) => [leaf.name, leaf.schema] as const),
          basicsOf(schema),
        ),
      }
    })
    return {
      apply(record) {
        const value = side.value(record)
        if (value === null || value === undefined) return record
        const schema = side.schema(record)
        const result: Record<string, unknown> = {}
        if (schema === null) {
          flattenMap(requireMap(value, PURPOSE), '', delimiter, result)
          return side.with(record, null, result)
        }
        const source = requireStruct(schema, value, PURPOSE)
        const layout = layouts.get(schema)
        for (const { name, path, own } of layout.leaves) result[name] = valueAt(source, path, own)
        return side.with(record, layout.schema, result)
      },
    }
  },
)

/** An optional parent makes its children optional, and its default gives theirs. */
function leavesOf(
  schema: Schema,
  path: readonly string[],
  delimiter: string,
  optional: boolean,
  fallback: unknown,
): Leaf[] {
  return schema.fields.flatMap((field): Leaf[] => {
    const steps = [...path, field.name]
    const name = steps.join(delimiter)
    const isOptional = optional || field.schema.optional
    const given = isMembers(fallback) ? (fallback[field.name] ?? undefined) : undefined
    const value = field.schema.default ?? given
    if (field.schema.type === 'MAP') {
      throw new DataError(`Flatten transformation does not support MAP for record with schemas (for field ${name}).`)
    }
    if (field.schema.type === 'STRUCT') return leavesOf(field.schema, steps, delimiter, isOptional, value)
    return [
      {
        name,
        path: steps,
        schema: withOptions(field.schema, { optional: isOptional, default: value }),
        own: field.schema.default,
      },
    ]
  })
}

function valueAt(source: Members, path: readonly string[], fallback: unknown): unknown {
  let current: unknown = source
  for (const step of path) {
    if (!isMembers(current)) return null
    current = Object.hasOwn(current, step) ? current[step] : null
  }
  return current ?? fallback ?? null
}

function flattenMap(source: Members, prefix: string, delimiter: string, result: Record<string, unknown>): void {
  for (const [key, value] of Object.entries(source)) {
    const name = prefix === '' ? key : prefix + delimiter + key
    if (value instanceof Map) flattenMap(Object.fromEntries(value) as Members, name, delimiter, result)
    else if (isMembers(value)) flattenMap(value, name, delimiter, result)
    else result[name] = value
  }
}
