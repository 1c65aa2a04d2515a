import { defineManifest, type PluginManifest } from '@millrace/sdk'

const VERSION = '4.3.1'

const NUMBERS = ['Boolean', 'Double', 'Float', 'Integer', 'Long', 'Short']

/** The converters that come with Millrace; loaded like any plugin. */
export const converterManifests: readonly PluginManifest[] = [
  defineManifest({
    kind: 'converter',
    name: 'org.apache.kafka.connect.json.JsonConverter',
    aliases: ['JsonConverter', 'Json'],
    version: VERSION,
    title: 'JSON',
    summary: 'JSON with or without the schema in each message.',
    stability: 'stable',
    load: () => import('./json/json-converter.ts'),
  }),
  defineManifest({
    kind: 'converter',
    name: 'org.apache.kafka.connect.storage.StringConverter',
    aliases: ['StringConverter', 'String'],
    version: VERSION,
    title: 'String',
    summary: 'The string form of values.',
    stability: 'stable',
    load: () => import('./string-converter.ts'),
  }),
  defineManifest({
    kind: 'converter',
    name: 'org.apache.kafka.connect.converters.ByteArrayConverter',
    aliases: ['ByteArrayConverter', 'ByteArray'],
    version: VERSION,
    title: 'Byte array',
    summary: 'Bytes as they are.',
    stability: 'stable',
    load: () => import('./byte-array-converter.ts'),
  }),
  ...NUMBERS.map((name) =>
    defineManifest({
      kind: 'converter',
      name: `org.apache.kafka.connect.converters.${name}Converter`,
      aliases: [`${name}Converter`, name],
      version: VERSION,
      title: name,
      summary: 'One number or boolean as its bytes.',
      stability: 'stable',
      load: async () => ({ default: (await import('./number-converters.ts')).numberConverters.get(name) }),
    }),
  ),
  defineManifest({
    kind: 'header-converter',
    name: 'org.apache.kafka.connect.storage.SimpleHeaderConverter',
    aliases: ['SimpleHeaderConverter', 'Simple'],
    version: VERSION,
    title: 'Simple header',
    summary: 'Header values as text, their types inferred when read.',
    stability: 'stable',
    load: () => import('./simple-header-converter.ts'),
  }),
]
