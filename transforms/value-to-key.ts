import { DataError, defineConfig, type Schema, struct, withChanges } from '@millrace/sdk'
import { fieldValue, replaceNullWithDefault, requireMap, requireStruct, SchemaCache } from './data.ts'
import { defineWhole } from './operating-side.ts'

const config = defineConfig({
  fields: {
    type: 'list',
    nonEmpty: true,
    unique: true,
    importance: 'high',
    doc: 'Field names on the record value to extract as the record key.',
    example: 'id',
  },
  ...replaceNullWithDefault,
})

const PURPOSE = 'copying fields from value to key'

/** Makes the key of fields of the value. */
export default defineWhole(
  'ValueToKey',
  'Replace the record key with a new key formed from a subset of fields in the record value.',
  config,
  ({ fields, 'replace.null.with.default': useDefault }) => {
    const keySchemas = new SchemaCache((schema) => keySchemaOf(schema, fields))
    return {
      apply(record) {
        const { valueSchema } = record
        const key: Record<string, unknown> = {}
        if (valueSchema === null) {
          const value = requireMap(record.value, PURPOSE)
          for (const name of fields) key[name] = value[name] ?? null
          return withChanges(record, { keySchema: null, key })
        }
        const value = requireStruct(valueSchema, record.value, PURPOSE)
        const keySchema = keySchemas.get(valueSchema)
        for (const { name, schema } of keySchema.fields) key[name] = fieldValue(value, name, schema, useDefault)
        return withChanges(record, { keySchema, key })
      },
    }
  },
)

function keySchemaOf(schema: Schema, fields: readonly string[]): Schema {
  return struct(
    fields.map((name) => {
      const field = schema.field(name)
      if (!field) throw new DataError(`Field does not exist: ${name}`)
      return [name, field.schema] as const
    }),
  )
}
