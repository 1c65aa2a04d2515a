import { defineConfig, type Parsed } from '@millrace/sdk'

/** The options of JsonConverter, without the prefix `key.converter.` or `value.converter.`. */
export const jsonConverterConfig = defineConfig({
  'schemas.enable': {
    type: 'boolean',
    default: true,
    importance: 'high',
    doc: 'Include schemas within each of the serialized values and keys.',
    group: 'Schemas',
    order: 0,
    width: 'medium',
    displayName: 'Enable Schemas',
  },
  'schemas.cache.size': {
    type: 'int',
    default: 1000,
    importance: 'high',
    doc: 'The maximum number of schemas that can be cached in this converter instance.',
    group: 'Schemas',
    order: 1,
    width: 'medium',
    displayName: 'Schema Cache Size',
  },
  'schema.content': {
    type: 'string',
    default: null,
    importance: 'high',
    doc:
      'When set, this is used as the schema for all messages, and should be a JSON schema definition. The schema is ' +
      'then not expected inside of each message that is read.',
    group: 'Schemas',
    order: 2,
    width: 'medium',
    displayName: 'Schema Content',
    example: '{"type":"struct","fields":[{"field":"id","type":"int32","optional":false}],"optional":false}',
  },
  'decimal.format': {
    type: 'string',
    oneOf: ['BASE64', 'NUMERIC'],
    ignoreCase: true,
    default: 'BASE64',
    importance: 'low',
    doc:
      'Controls which format this converter will serialize decimals in. This value is case insensitive and can be ' +
      "either 'BASE64' (default) or 'NUMERIC'",
    group: 'Serialization',
    order: 0,
    width: 'medium',
    displayName: 'Decimal Format',
  },
  'replace.null.with.default': {
    type: 'boolean',
    default: true,
    importance: 'low',
    doc:
      'Whether to replace fields that have a default value and that are null to the default value. When set to true, ' +
      'the default value is used, otherwise null is used.',
    group: 'Serialization',
    order: 1,
    width: 'medium',
    displayName: 'Replace null with default',
  },
})

export type JsonConverterOptions = Parsed<typeof jsonConverterConfig>
