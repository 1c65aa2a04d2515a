import { DataError, defineConfig } from '@millrace/sdk'
import { replaceNullWithDefault, requireMap, requireStruct } from './data.ts'
import { mapValueAt, parseFieldPath, schemaAt, structValueAt } from './field-path.ts'
import { defineSides } from './operating-side.ts'

const config = defineConfig({
  field: { type: 'string', importance: 'medium', doc: 'Field name to extract.', example: 'id' },
  ...replaceNullWithDefault,
  'field.syntax.version': {
    type: 'string',
    oneOf: ['V1', 'V2'],
    ignoreCase: true,
    default: 'V1',
    importance: 'high',
    doc:
      'Defines the version of the syntax to access fields. If set to <code>V1</code>, then the field paths are limited ' +
      'to access the elements at the root level of the struct or map. If set to <code>V2</code>, the syntax will ' +
      'support accessing nested elements. To access nested elements, dotted notation is used. If dots are already ' +
      'included in the field name, then backtick pairs can be used to wrap field names containing dots. E.g. to ' +
      'access the subfield <code>baz</code> from a field named "foo.bar" in a struct/map the following format can be ' +
      'used to access its elements: "<code>`foo.bar`.baz</code>".',
  },
})

const PURPOSE = 'field extraction'

/** Replaces the data by one of its fields. */
export default defineSides(
  'ExtractField',
  'Extract the specified field from a Struct when schema present, or a Map in the case of schemaless data. Any null ' +
    'values are passed through unmodified.',
  config,
  (side, { field, 'field.syntax.version': syntax, 'replace.null.with.default': useDefault }) => {
    const path = syntax === 'V2' ? parseFieldPath(field) : [field]
    return {
      apply(record) {
        const schema = side.schema(record)
        const value = side.value(record) ?? null
        if (schema === null) {
          return side.with(record, null, value === null ? null : mapValueAt(requireMap(value, PURPOSE), path))
        }
        const struct = value === null ? null : requireStruct(schema, value, PURPOSE)
        if (schema.type !== 'STRUCT') throw new DataError('Cannot look up fields on non-struct type')
        const fieldSchema = schemaAt(schema, path)
        if (!fieldSchema) throw new DataError(`Unknown field: ${field}`)
        return side.with(record, fieldSchema, struct && structValueAt(schema, struct, path, useDefault))
      },
    }
  },
)
