import { ConfigError, DataError, defineConfig, type Header, struct, withChanges } from '@millrace/sdk'
import { basicsOf, fieldValue, replaceNullWithDefault, requireMap, requireStruct, SchemaCache } from './data.ts'
import { defineSides } from './operating-side.ts'

const config = defineConfig({
  fields: {
    type: 'list',
    nonEmpty: true,
    importance: 'high',
    doc: 'Field names in the record whose values are to be copied or moved to headers.',
    example: 'id,origin',
  },
  headers: {
    type: 'list',
    nonEmpty: true,
    importance: 'high',
    doc: 'Header names, in the same order as the field names listed in the fields configuration property.',
    example: 'id,origin',
  },
  operation: {
    type: 'string',
    oneOf: ['move', 'copy'],
    importance: 'high',
    doc:
      'Either <code>move</code> if the fields are to be moved to the headers (removed from the key/value), or ' +
      '<code>copy</code> if the fields are to be copied to the headers (retained in the key/value).',
  },
  ...replaceNullWithDefault,
})

const PURPOSE = 'header from'

/** Copies or moves fields into headers. */
export default defineSides(
  'HeaderFrom',
  'Moves or copies fields in the key/value of a record into that record’s headers. Corresponding elements of ' +
    '<code>fields</code> and <code>headers</code> together identify a field and the header it should be moved or ' +
    'copied to.',
  config,
  (side, { fields, headers: names, operation, 'replace.null.with.default': useDefault }) => {
    if (fields.length !== names.length) {
      throw new ConfigError("'fields' config must have the same number of elements as 'headers' config.", {
        key: 'headers',
      })
    }
    const moved = new Set(operation === 'move' ? fields : [])
    const remaining = new SchemaCache((schema) => {
      const kept = schema.fields.filter((field) => !moved.has(field.name))
      return struct(
        kept.map((field) => [field.name, field.schema] as const),
        basicsOf(schema),
      )
    })
    return {
      apply(record) {
        const schema = side.schema(record)
        const value = side.value(record)
        const source = schema ? requireStruct(schema, value, PURPOSE) : requireMap(value, PURPOSE)
        const added = fields.map((name, i): Header => {
          const key = names[i] as string
          if (!schema) return { key, schema: null, value: source[name] ?? null }
          const field = schema.field(name)
          if (!field) throw new DataError(`Field does not exist: ${name}`)
          return { key, schema: field.schema, value: fieldValue(source, name, field.schema, useDefault) }
        })
        const headers = [...record.headers, ...added]
        if (moved.size === 0) return withChanges(record, { headers })
        const updated = schema && remaining.get(schema)
        const rest: Record<string, unknown> = {}
        if (schema && updated) {
          for (const field of updated.fields)
            rest[field.name] = fieldValue(source, field.name, field.schema, useDefault)
        } else {
          for (const [name, member] of Object.entries(source)) if (!moved.has(name)) rest[name] = member
        }
        return withChanges(side.with(record, updated, rest), { headers })
      },
    }
  },
)
