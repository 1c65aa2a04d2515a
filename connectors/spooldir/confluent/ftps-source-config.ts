import { type ConfigDef, defineConfig, type Parsed } from '@millrace/sdk'
import { csvConfig, linesConfig } from '../config.ts'
import { ftpsKeys } from './ftps-keys.ts'

const PREFIX = 'ftps.'

type Prefixed<D> = { readonly [K in keyof D & string as `${typeof PREFIX}${K}`]: D[K] }

function prefixed<const D extends ConfigDef>(keys: D): Prefixed<D> {
  return Object.fromEntries(Object.entries(keys).map(([key, def]) => [PREFIX + key, def])) as unknown as Prefixed<D>
}

/** The options of SpoolDir that have this prefix here. */
const fileKeys = prefixed({
  'timestamp.mode': csvConfig['timestamp.mode'],
  'timestamp.field': {
    ...csvConfig['timestamp.field'],
    doc: 'The field of `value.schema` that is the time of the record with ftps.timestamp.mode FIELD.',
  },
  'input.path': { ...csvConfig['input.path'], doc: 'The folder on the server to read from.', example: '/in' },
  'input.file.pattern': { ...csvConfig['input.file.pattern'], default: '.+' },
  'finished.path': {
    ...csvConfig['finished.path'],
    doc: 'Where files go that were read, with `ftps.cleanup.policy` MOVE. It must exist and be writable.',
    example: '/finished',
  },
  'error.path': {
    type: 'string',
    default: '',
    importance: 'high',
    doc: 'Where files go that cannot be read, unless `ftps.behavior.on.error` is FAIL. It must exist and be writable.',
    example: '/error',
    group: 'File System',
  },
  'behavior.on.error': {
    type: 'string',
    default: 'LOG',
    oneOf: ['LOG', 'IGNORE', 'FAIL'],
    ignoreCase: true,
    importance: 'medium',
    doc:
      'What to do about a file that cannot be read: fail the task, or put the file into `ftps.error.path`, log it and read ' +
      'the next.',
    group: 'File System',
  },
  'cleanup.policy': {
    type: 'string',
    default: 'NONE',
    oneOf: ['NONE', 'DELETE', 'MOVE'],
    ignoreCase: true,
    importance: 'medium',
    doc:
      'What becomes of a file when all of its records are in the log: it stays, is deleted, or moves to ' +
      '`ftps.finished.path`. A file that stays is read again when it changes.',
    group: 'File System',
  },
  'file.minimum.age.ms': csvConfig['file.minimum.age.ms'],
  'schemaless.json.parsing': {
    type: 'boolean',
    default: false,
    importance: 'medium',
    doc: 'Whether objects of JSON files are published as text, without a schema.',
    group: 'Formats',
  },
  'ignore.file.extension': {
    type: 'boolean',
    default: false,
    importance: 'medium',
    doc: 'Whether all files are read by `ftps.parser.type`. Else the ending tells: .csv, .json or .txt.',
    group: 'Formats',
  },
  'parser.type': {
    type: 'string',
    default: 'TXT',
    oneOf: ['TXT', 'CSV', 'JSON'],
    ignoreCase: true,
    importance: 'medium',
    doc: 'How files are read with `ftps.ignore.file.extension`.',
    group: 'Formats',
  },
  'server.timezone': {
    type: 'string',
    default: 'UTC',
    importance: 'low',
    doc: 'Accepted without effect: servers tell the times of files in UTC when they are asked by MDTM.',
    group: 'File System',
  },
  'txt.file.charset': { ...linesConfig['file.charset'], group: 'Formats' },
  'csv.first.row.as.header': csvConfig['csv.first.row.as.header'],
  'csv.separator.char': csvConfig['csv.separator.char'],
  'csv.quote.char': csvConfig['csv.quote.char'],
  'csv.escape.char': csvConfig['csv.escape.char'],
  'csv.skip.lines': csvConfig['csv.skip.lines'],
  'csv.strict.quotes': csvConfig['csv.strict.quotes'],
  'csv.ignore.leading.whitespace': csvConfig['csv.ignore.leading.whitespace'],
  'csv.ignore.quotations': csvConfig['csv.ignore.quotations'],
  'csv.keep.carriage.return': csvConfig['csv.keep.carriage.return'],
  'csv.null.field.indicator': csvConfig['csv.null.field.indicator'],
  'csv.file.charset': { ...csvConfig['csv.file.charset'], aliases: [] },
  'csv.case.sensitive.field.names': csvConfig['csv.case.sensitive.field.names'],
  'csv.rfc.4180.parser.enabled': csvConfig['csv.rfc.4180.parser.enabled'],
})

/** The options of FtpsSource: those of Confluent's FTPS source, and a few of SpoolDir's. */
export const ftpsSourceConfig = defineConfig({
  'kafka.topic': csvConfig.topic,
  'batch.size': csvConfig['batch.size'],
  'empty.poll.wait.ms': { ...csvConfig['empty.poll.wait.ms'], default: 10_000 },
  ...ftpsKeys,
  ...fileKeys,
  'key.schema': csvConfig['key.schema'],
  'value.schema': csvConfig['value.schema'],
  'schema.generation.enabled': { ...csvConfig['schema.generation.enabled'], default: true },
  'schema.generation.key.fields': csvConfig['schema.generation.key.fields'],
  'schema.generation.key.name': { ...csvConfig['schema.generation.key.name'], default: 'default_key_schema_name' },
  'schema.generation.value.name': {
    ...csvConfig['schema.generation.value.name'],
    default: 'default_value_schema_name',
  },
  'parser.timestamp.timezone': csvConfig['parser.timestamp.timezone'],
  'parser.timestamp.date.formats': csvConfig['parser.timestamp.date.formats'],
  'files.sort.attributes': csvConfig['files.sort.attributes'],
  'processing.file.extension': csvConfig['processing.file.extension'],
  'lease.timeout.ms': csvConfig['lease.timeout.ms'],
  'file.buffer.size.bytes': csvConfig['file.buffer.size.bytes'],
  'metadata.location': csvConfig['metadata.location'],
})

export type FtpsSourceConfig = Parsed<typeof ftpsSourceConfig>

/** The name that an option of SpoolDir has here. */
export function ftpsName(key: string): string {
  return PREFIX + key in ftpsSourceConfig ? PREFIX + key : key
}

/** The options under the names that SpoolDir has for them. */
export function withoutPrefix(config: FtpsSourceConfig): Readonly<Record<string, unknown>> {
  return Object.fromEntries(
    Object.entries(config).map(([key, value]) => [key.startsWith(PREFIX) ? key.slice(PREFIX.length) : key, value]),
  )
}
