import { DataError, defineConfig, type Parsed, type Schema, struct, type Transform } from '@millrace/sdk'
import {
  basicsOf,
  keptField,
  fieldValue,
  replaceNullWithDefault,
  requireMap,
  requireStruct,
  SchemaCache,
} from './data.ts'
import { defineSides, type Side } from './operating-side.ts'

const config = defineConfig({
  exclude: {
    type: 'list',
    default: [],
    unique: true,
    importance: 'medium',
    doc: 'Fields to exclude. This takes precedence over the fields to include.',
    example: 'password,internal',
  },
  include: {
    type: 'list',
    default: [],
    unique: true,
    importance: 'medium',
    doc: 'Fields to include. If specified, only these fields will be used.',
    example: 'id,name',
  },
  renames: {
    type: 'list',
    default: [],
    importance: 'medium',
    doc: 'Field rename mappings.',
    example: 'foo:bar,abc:xyz',
    validate: (pairs: readonly string[]) => {
      // As Java splits: an empty new name is none.
      const wrong = pairs.find((pair) => pair.split(':').length !== 2 || pair.endsWith(':'))
      return wrong === undefined ? undefined : `Invalid rename mapping: ${wrong}`
    },
  },
  ...replaceNullWithDefault,
})

const PURPOSE = 'field replacement'

/** A field that is kept: its name before and after. */
interface Kept {
  readonly from: string
  readonly to: string
  readonly schema: Schema
}

function create(side: Side, options: Parsed<typeof config>): Transform {
  const exclude = new Set(options.exclude)
  const include = new Set(options.include)
  const renames = new Map(options.renames.map((pair) => pair.split(':').map((part) => part.trim()) as [string, string]))
  const targets = new Set(renames.values())
  const useDefault = options['replace.null.with.default']
  const isKept = (name: string): boolean => !exclude.has(name) && (include.size === 0 || include.has(name))
  const layouts = new SchemaCache((schema) => {
    const kept: Kept[] = schema.fields
      .filter((field) => isKept(field.name))
      .map((field) => ({ from: field.name, to: renames.get(field.name) ?? field.name, schema: field.schema }))
    // As in Kafka a field may not keep a name that another one is given, although that one may be missing.
    for (const [i, { from, to }] of kept.entries()) {
      if ((from === to && !renames.has(from) && targets.has(to)) || kept.findIndex((one) => one.to === to) < i) {
        throw new DataError(`renames gives the name ${to} to one more field`)
      }
    }
    return {
      kept,
      schema: struct(
        kept.map(({ to, schema: of }) => [to, of] as const),
        basicsOf(schema),
      ),
    }
  })
  return {
    structs: {
      part: side.part,
      plan(schema) {
        if (schema.type !== 'STRUCT') return undefined
        const kept = schema.fields.filter((field) => isKept(field.name))
        return { schema: layouts.get(schema).schema, sources: kept.map((field) => keptField(field, useDefault)) }
      },
    },
    apply(record) {
      const value = side.value(record)
      if (value === null || value === undefined) return record
      const schema = side.schema(record)
      const result: Record<string, unknown> = {}
      if (schema === null) {
        for (const [name, member] of Object.entries(requireMap(value, PURPOSE))) {
          if (isKept(name)) result[renames.get(name) ?? name] = member
        }
        return side.with(record, null, result)
      }
      const source = requireStruct(schema, value, PURPOSE)
      const layout = layouts.get(schema)
      for (const { from, to, schema: of } of layout.kept) result[to] = fieldValue(source, from, of, useDefault)
      return side.with(record, layout.schema, result)
    },
  }
}

/** Keeps, drops and renames fields; what is kept is decided by the old names. */
export default defineSides('ReplaceField', 'Filter or rename fields.', config, create)
