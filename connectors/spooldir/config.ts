import { compileRegex, defineConfig } from '@millrace/sdk'
import { charsetProblem, dateParser, parseSchema } from '../_shared/file-source/index.ts'
import { placeKeys } from './remote-config.ts'

const messageOf = (step: () => unknown): string | undefined => {
  try {
    step()
    return undefined
  } catch (error) {
    return (error as Error).message
  }
}

const schemaIn = (key: string) => (text: string) => messageOf(() => parseSchema(key, text))
const charset = (name: string): string | undefined => charsetProblem(name)
const character = (code: number): string | undefined =>
  code >= 0 && code < 128 ? undefined : 'must be the number of an ASCII character, as 44 is that of the comma'

const fileKeys = {
  topic: {
    type: 'string',
    nonEmpty: true,
    importance: 'high',
    doc: 'The topic that the records go to.',
    example: 'orders',
    group: 'General',
  },
  'batch.size': {
    type: 'int',
    default: 1000,
    min: 1,
    importance: 'low',
    doc: 'How many records are read at a time.',
    group: 'General',
  },
  'empty.poll.wait.ms': {
    type: 'long',
    default: 500,
    min: 1,
    importance: 'low',
    doc: 'How long to wait before the folder is looked at again when there was nothing to read.',
    group: 'General',
  },
  'input.path': {
    type: 'string',
    nonEmpty: true,
    importance: 'high',
    doc: 'The folder to read from. It must exist, and be writable unless `cleanup.policy` is NONE.',
    example: '/data/in',
    group: 'File System',
  },
  'input.file.pattern': {
    type: 'string',
    nonEmpty: true,
    importance: 'high',
    doc: 'A regular expression that the whole name of a file has to match.',
    example: '.*\\.csv',
    validate: (pattern: string) => messageOf(() => compileRegex(pattern)),
    group: 'File System',
  },
  'input.path.walk.recursively': {
    type: 'boolean',
    default: false,
    importance: 'low',
    doc: 'Whether folders within `input.path` are read too.',
    group: 'File System',
  },
  'finished.path': {
    type: 'string',
    default: '',
    importance: 'high',
    doc: 'Where files go that were read, with `cleanup.policy` MOVE or MOVEBYDATE. It must exist and be writable.',
    example: '/data/finished',
    group: 'File System',
  },
  'error.path': {
    type: 'string',
    nonEmpty: true,
    importance: 'high',
    doc: 'Where files go that cannot be read, with `halt.on.error` false. It must exist and be writable.',
    example: '/data/error',
    group: 'File System',
  },
  'cleanup.policy': {
    type: 'string',
    default: 'MOVE',
    oneOf: ['NONE', 'DELETE', 'MOVE', 'MOVEBYDATE'],
    importance: 'medium',
    doc:
      'What becomes of a file when all of its records are in the log: it stays, is deleted, or moves to `finished.path`, ' +
      'or there to a folder named by the day of its last change (UTC). A file that stays is read again when it changes.',
    group: 'File System',
  },
  'cleanup.policy.maintain.relative.path': {
    type: 'boolean',
    default: false,
    importance: 'low',
    doc: 'Whether folders within `input.path` stay when all of their files were moved or deleted.',
    group: 'File System',
  },
  'halt.on.error': {
    type: 'boolean',
    default: true,
    importance: 'high',
    doc: 'Whether the task fails over a file that cannot be read. Else the file goes to `error.path`, and the next is read.',
    group: 'File System',
  },
  'file.minimum.age.ms': {
    type: 'long',
    default: 0,
    min: 0,
    importance: 'low',
    doc: 'How long ago a file must have been written to last before it is read.',
    group: 'File System',
  },
  'files.sort.attributes': {
    type: 'list',
    default: ['NameAsc'] as readonly string[],
    oneOf: ['NameAsc', 'NameDesc', 'LengthAsc', 'LengthDesc', 'LastModifiedAsc', 'LastModifiedDesc'],
    importance: 'low',
    doc: 'In which order files are read.',
    group: 'File System',
  },
  'processing.file.extension': {
    type: 'string',
    default: '.PROCESSING',
    validate: (text: string) => (/^.*\..+$/.test(text) ? undefined : 'must be an extension, as .PROCESSING is'),
    importance: 'low',
    doc: 'What the name of a lease adds to that of the file that is being read.',
    group: 'File System',
  },
  'lease.timeout.ms': {
    type: 'long',
    default: 60_000,
    min: 1000,
    importance: 'low',
    doc:
      'How long a lease of another connector (or a marker that SpoolDir left behind) has to be unchanged before its file ' +
      'is read here.',
    group: 'File System',
  },
  'task.partitioner': {
    type: 'string',
    default: 'ByName',
    oneOf: ['ByName'],
    importance: 'low',
    doc: 'How files are shared among tasks: by a hash of their names.',
    group: 'File System',
  },
  'file.buffer.size.bytes': {
    type: 'int',
    default: 131_072,
    min: 1,
    importance: 'low',
    doc: 'How many bytes are read at a time.',
    group: 'File System',
  },
  'metadata.location': {
    type: 'string',
    default: 'HEADERS',
    oneOf: ['HEADERS', 'NONE'],
    importance: 'low',
    doc: 'Whether records have headers that tell their file and place in it (`file.name`, `file.offset` and others).',
    group: 'General',
  },
  ...placeKeys,
} as const

const timeKeys = {
  'timestamp.mode': {
    type: 'string',
    default: 'PROCESS_TIME',
    oneOf: ['PROCESS_TIME', 'FILE_TIME', 'FIELD'],
    importance: 'medium',
    doc: 'The time of a record: when it was read, when its file was last changed, or what the field `timestamp.field` says.',
    group: 'Timestamps',
  },
  'timestamp.field': {
    type: 'string',
    default: '',
    importance: 'medium',
    doc: 'The field of `value.schema` that is the time of the record: a Timestamp that is not optional.',
    group: 'Timestamps',
  },
} as const

const plainTimeKeys = {
  'timestamp.mode': {
    ...timeKeys['timestamp.mode'],
    oneOf: ['PROCESS_TIME', 'FILE_TIME'],
    doc: 'The time of a record: when it was read, or when its file was last changed.',
  },
} as const

const schemaKeys = {
  'key.schema': {
    type: 'string',
    default: '',
    validate: schemaIn('key.schema'),
    importance: 'high',
    doc: 'The schema of keys, as JSON. Without one, or without fields in it, records have no key.',
    example: '{"type":"STRUCT","isOptional":false,"fieldSchemas":{"id":{"type":"INT64","isOptional":false}}}',
    group: 'Schema',
    width: 'long',
  },
  'value.schema': {
    type: 'string',
    default: '',
    validate: schemaIn('value.schema'),
    importance: 'high',
    doc: 'The schema of values, as JSON: `name`, `type`, `isOptional`, and `fieldSchemas` of a STRUCT.',
    group: 'Schema',
    width: 'long',
  },
  'schema.generation.enabled': {
    type: 'boolean',
    default: false,
    importance: 'medium',
    doc: 'Infers schemas from each file instead: all fields are optional text.',
    group: 'Schema Generation',
  },
  'schema.generation.key.fields': {
    type: 'list',
    default: [] as readonly string[],
    importance: 'medium',
    doc: 'The fields that inferred keys are made of.',
    group: 'Schema Generation',
  },
  'schema.generation.key.name': {
    type: 'string',
    default: 'com.github.jcustenborder.kafka.connect.model.Key',
    nonEmpty: true,
    importance: 'medium',
    doc: 'The name of the inferred schema of keys.',
    group: 'Schema Generation',
  },
  'schema.generation.value.name': {
    type: 'string',
    default: 'com.github.jcustenborder.kafka.connect.model.Value',
    nonEmpty: true,
    importance: 'medium',
    doc: 'The name of the inferred schema of values.',
    group: 'Schema Generation',
  },
  'parser.timestamp.timezone': {
    type: 'string',
    default: 'UTC',
    validate: (zone: string) => messageOf(() => dateParser('yyyy', zone)),
    importance: 'low',
    doc: 'The time zone of times that name none.',
    group: 'Timestamps',
  },
  'parser.timestamp.date.formats': {
    type: 'list',
    default: ["yyyy-MM-dd'T'HH:mm:ss", "yyyy-MM-dd' 'HH:mm:ss"] as readonly string[],
    nonEmpty: true,
    validate: (formats: readonly string[]) => messageOf(() => formats.map((format) => dateParser(format, 'UTC'))),
    importance: 'low',
    doc: 'The forms of times, in patterns of SimpleDateFormat; the first that fits counts.',
    group: 'Timestamps',
  },
} as const

const charsetKey = {
  type: 'string',
  default: 'UTF-8',
  validate: charset,
  importance: 'low',
  doc: 'The character set of the files; one that contains ASCII.',
  group: 'File System',
} as const

/** The options of SpoolDirCsvSource. */
export const csvConfig = defineConfig({
  ...fileKeys,
  ...timeKeys,
  ...schemaKeys,
  'csv.first.row.as.header': {
    type: 'boolean',
    default: false,
    importance: 'medium',
    doc: 'Whether the first row names the columns. Else they are those of the schema, or column01, column02 and so on.',
    group: 'CSV',
  },
  'csv.separator.char': {
    type: 'int',
    default: 44,
    validate: character,
    importance: 'low',
    doc: 'The character between cells, as a number: 44 is a comma, 9 a tab, 59 a semicolon.',
    group: 'CSV',
  },
  'csv.quote.char': {
    type: 'int',
    default: 34,
    validate: character,
    importance: 'low',
    doc: 'The character around cells, as a number: 34 is ", 39 is \'.',
    group: 'CSV',
  },
  'csv.escape.char': {
    type: 'int',
    default: 92,
    validate: character,
    importance: 'low',
    doc:
      'The character before a quote that is meant as itself, as a number: 92 is a backslash. Before another character it ' +
      'is left out, as opencsv does; `csv.rfc.4180.parser.enabled` reads it as any other character.',
    group: 'CSV',
  },
  'csv.skip.lines': {
    type: 'int',
    default: 0,
    min: 0,
    importance: 'low',
    doc: 'How many lines are left out at the start of a file.',
    group: 'CSV',
  },
  'csv.strict.quotes': {
    type: 'boolean',
    default: false,
    importance: 'low',
    doc: 'Whether characters outside of quotes are ignored.',
    group: 'CSV',
  },
  'csv.ignore.leading.whitespace': {
    type: 'boolean',
    default: true,
    importance: 'low',
    doc: 'Whether white space before a quote is ignored.',
    group: 'CSV',
  },
  'csv.ignore.quotations': {
    type: 'boolean',
    default: false,
    importance: 'low',
    doc: 'Whether separators and ends of lines count within quotes too.',
    group: 'CSV',
  },
  'csv.keep.carriage.return': {
    type: 'boolean',
    default: false,
    importance: 'low',
    doc: 'Whether a carriage return at the end of a line belongs to its last cell.',
    group: 'CSV',
  },
  'csv.null.field.indicator': {
    type: 'string',
    default: 'NEITHER',
    oneOf: ['NEITHER', 'EMPTY_SEPARATORS', 'EMPTY_QUOTES', 'BOTH'],
    importance: 'low',
    doc: 'Which empty cells are null: none, those without quotes, those with quotes, or both.',
    group: 'CSV',
  },
  'csv.file.charset': {
    type: 'string',
    default: 'UTF-8',
    validate: charset,
    importance: 'low',
    doc: 'The character set of the files; one that contains ASCII.',
    group: 'CSV',
    aliases: ['file.charset'],
  },
  'csv.case.sensitive.field.names': {
    type: 'boolean',
    default: false,
    importance: 'low',
    doc: 'Whether the names of columns have to be those of the schema in upper and lower case too.',
    group: 'CSV',
  },
  'csv.rfc.4180.parser.enabled': {
    type: 'boolean',
    default: false,
    importance: 'low',
    doc: 'Reads by RFC 4180: only quotes, doubled within quotes, and no character that escapes.',
    group: 'CSV',
  },
  'csv.verify.reader': {
    type: 'boolean',
    default: true,
    importance: 'low',
    doc: 'Accepted; whether the file can be read is always looked at.',
    group: 'CSV',
  },
})

/** The options of SpoolDirJsonSource. */
export const jsonConfig = defineConfig({ ...fileKeys, ...timeKeys, ...schemaKeys })

/** The options of SpoolDirSchemaLessJsonSource. */
export const schemalessJsonConfig = defineConfig({
  ...fileKeys,
  ...plainTimeKeys,
  'file.charset': charsetKey,
})

/** The options of SpoolDirLineDelimitedSource. */
export const linesConfig = schemalessJsonConfig

/** The options of sources of files that say themselves what is in them: SpoolDirAvroSource, -ParquetSource and -ELFSource. */
export const containerConfig = defineConfig({ ...fileKeys, ...plainTimeKeys })

/** The options of SpoolDirFixedWidthSource. */
export const fixedWidthConfig = defineConfig({
  ...fileKeys,
  ...timeKeys,
  ...schemaKeys,
  'fixed.field.lengths': {
    type: 'list',
    nonEmpty: true,
    validate: (lengths: readonly string[]) => {
      const wrong = lengths.find((length) => !/^[1-9]\d{0,6}$/.test(length))
      return wrong === undefined ? undefined : `"${wrong}" is not the width of a column, a number from 1 on`
    },
    importance: 'high',
    doc: 'The widths of the columns in characters, from left to right. What is behind the last one is left out.',
    example: '8,20,12',
    group: 'Fixed width',
  },
  'fixed.field.names': {
    type: 'list',
    default: [] as readonly string[],
    importance: 'high',
    doc: 'The names of the columns. Without them they are those of `value.schema` in its order, or column01, column02 and so on.',
    example: 'id,name,city',
    group: 'Fixed width',
  },
  'fixed.first.row.as.header': {
    type: 'boolean',
    default: false,
    importance: 'medium',
    doc: 'Whether the first line names the columns, in the same widths.',
    group: 'Fixed width',
  },
  'fixed.padding.char': {
    type: 'int',
    default: 32,
    validate: character,
    importance: 'low',
    doc: 'The character that cells are filled up with, as a number: 32 is a blank. It is taken off on both sides.',
    group: 'Fixed width',
  },
  'fixed.empty.is.null': {
    type: 'boolean',
    default: false,
    importance: 'low',
    doc: 'Whether an empty cell of text is null. Those of other types always are.',
    group: 'Fixed width',
  },
  'fixed.skip.lines': {
    type: 'int',
    default: 0,
    min: 0,
    importance: 'low',
    doc: 'How many lines are left out at the start of a file.',
    group: 'Fixed width',
  },
  'file.charset': charsetKey,
})

/** The options of SpoolDirBinaryFileSource. */
export const binaryConfig = defineConfig({
  ...fileKeys,
  ...plainTimeKeys,
  'file.maximum.bytes': {
    type: 'int',
    default: 67_108_864,
    min: 1,
    importance: 'low',
    doc: 'A larger file is an error: a file has to fit into memory and into a message.',
    group: 'File System',
  },
})
