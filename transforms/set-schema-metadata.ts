import { ConfigError, DataError, defineConfig, withOptions } from '@millrace/sdk'
import { copyStruct, isMembers, replaceNullWithDefault, SchemaCache } from './data.ts'
import { defineSides } from './operating-side.ts'

const config = defineConfig({
  'schema.name': {
    type: 'string',
    default: null,
    importance: 'high',
    doc: 'Schema name to set.',
    example: 'shop.Order',
  },
  'schema.version': { type: 'int', default: null, importance: 'high', doc: 'Schema version to set.' },
  ...replaceNullWithDefault,
})

/** Sets name and version of the schema. */
export default defineSides(
  'SetSchemaMetadata',
  'Set the schema name, version or both on the record’s key or value schema.',
  config,
  (side, { 'schema.name': name, 'schema.version': version, 'replace.null.with.default': useDefault }) => {
    if (name === null && version === null) {
      throw new ConfigError('Neither schema name nor version configured', { key: 'schema.name' })
    }
    const changes = { ...(name === null ? {} : { name }), ...(version === null ? {} : { version }) }
    const updated = new SchemaCache((schema) => withOptions(schema, changes))
    return {
      apply(record) {
        const schema = side.schema(record)
        const value = side.value(record) ?? null
        if (schema === null) {
          if (value === null) return record
          throw new DataError('Schema required for [updating schema metadata]')
        }
        const copy = schema.type === 'STRUCT' && isMembers(value) ? copyStruct(schema, value, useDefault) : value
        return side.with(record, updated.get(schema), copy)
      },
    }
  },
)
