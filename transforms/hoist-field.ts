import { DataError, defineConfig, struct } from '@millrace/sdk'
import { SchemaCache } from './data.ts'
import { defineSides } from './operating-side.ts'

const config = defineConfig({
  field: {
    type: 'string',
    importance: 'medium',
    doc: 'Field name for the single field that will be created in the resulting Struct or Map.',
    example: 'line',
  },
})

/** Wraps the data in a struct or map with one field. */
export default defineSides(
  'HoistField',
  'Wrap data using the specified field name in a Struct when schema present, or a Map in the case of schemaless data.',
  config,
  (side, { field }) => {
    const hoisted = new SchemaCache((schema) => {
      if (field === '') throw new DataError('A field of a struct needs a name: set field')
      return struct([[field, schema]])
    })
    return {
      structs: {
        part: side.part,
        plan: (schema) => ({ schema: hoisted.get(schema), sources: [{ from: 'whole' }] }),
      },
      apply(record) {
        const schema = side.schema(record)
        return side.with(record, schema && hoisted.get(schema), { [field]: side.value(record) })
      },
    }
  },
)
