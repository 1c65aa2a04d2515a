import { type ConfigDef, type Parsed } from '@millrace/sdk'
import { isZone } from './zone.ts'

type All = Readonly<Record<string, unknown>>

const FORMATS = ['JsonFormat', 'AvroFormat', 'ParquetFormat', 'ByteArrayFormat', 'CsvFormat', 'TsvFormat'] as const
const PARTITIONERS = [
  'DefaultPartitioner',
  'FieldPartitioner',
  'TimeBasedPartitioner',
  'DailyPartitioner',
  'HourlyPartitioner',
] as const
const EXTRACTORS = ['Wallclock', 'Record', 'RecordField'] as const

export type FormatName = (typeof FORMATS)[number]
export type PartitionerName = (typeof PARTITIONERS)[number]
export type ExtractorName = (typeof EXTRACTORS)[number]

const lastName = (text: string): string => text.slice(Math.max(text.lastIndexOf('.'), text.lastIndexOf('$')) + 1)

/** The format that a class name of the original, or its last part, means. */
export function formatOf(className: string): FormatName | undefined {
  return FORMATS.find((name) => name === lastName(className))
}

/** The partitioner that a class name of the original, or its last part, means. */
export function partitionerOf(className: string): PartitionerName | undefined {
  return PARTITIONERS.find((name) => name === lastName(className))
}

/** The extractor that a word or class name of the original means. */
export function extractorOf(text: string): ExtractorName | undefined {
  return EXTRACTORS.find((name) => name === lastName(text) || `${name}TimestampExtractor` === lastName(text))
}

/** Whether a partitioner makes folders of times. */
export function isTimeBased(className: string): boolean {
  return ['TimeBasedPartitioner', 'DailyPartitioner', 'HourlyPartitioner'].includes(partitionerOf(className) ?? '')
}

/** Says of a class name that means none of those which are known. */
export const oneOfClasses =
  (find: (text: string) => string | undefined, known: readonly string[]) =>
  (text: string): string | undefined =>
    find(text) === undefined ? `it has to be one of ${known.join(', ')}; other classes are Java code` : undefined

/** How formats write records. */
export const formatKeys = {
  'format.bytearray.extension': {
    type: 'string',
    default: '.bin',
    importance: 'low',
    doc: 'How names end with ByteArrayFormat.',
    group: 'Format',
    displayName: 'Extension for bytes',
  },
  'format.bytearray.separator': {
    type: 'string',
    default: null,
    importance: 'low',
    doc: 'What follows each value with ByteArrayFormat; a line feed when it is not set. \\n, \\r and \\t are understood.',
    group: 'Format',
    displayName: 'Separator for bytes',
  },
  'csv.separator': {
    type: 'string',
    default: ',',
    nonEmpty: true,
    importance: 'low',
    doc: 'What separates values with CsvFormat. An addition of Millrace.',
    group: 'Format',
    displayName: 'CSV separator',
  },
  'csv.header': {
    type: 'boolean',
    default: true,
    importance: 'low',
    doc: 'Whether the first line names the columns with CsvFormat. An addition of Millrace.',
    group: 'Format',
    displayName: 'CSV header',
  },
  'json.decimal.format': {
    type: 'string',
    default: 'BASE64',
    oneOf: ['BASE64', 'NUMERIC'],
    ignoreCase: true,
    importance: 'low',
    doc: 'How JSON writes decimals: their bytes as text, or numbers.',
    group: 'Format',
    displayName: 'Decimals in JSON',
  },
  'avro.codec': {
    type: 'string',
    default: 'null',
    oneOf: ['null', 'deflate', 'snappy', 'zstandard', 'bzip2'],
    importance: 'low',
    doc: 'How blocks of Avro files are compressed.',
    validate: (codec: string) =>
      codec === 'bzip2' ? 'bzip2 is not supported; use deflate, snappy or zstandard' : undefined,
    group: 'Format',
    displayName: 'Avro codec',
  },
  'parquet.codec': {
    type: 'string',
    default: 'snappy',
    oneOf: ['none', 'gzip', 'snappy', 'zstd', 'lz4', 'lzo', 'brotli'],
    importance: 'low',
    doc: 'How pages of Parquet files are compressed.',
    validate: (codec: string) =>
      ['lz4', 'lzo', 'brotli'].includes(codec)
        ? `${codec} is not supported; use snappy, gzip, zstd or none`
        : undefined,
    group: 'Format',
    displayName: 'Parquet codec',
  },
} as const satisfies ConfigDef

/** How files are called. */
export const namingKeys = {
  'topics.dir': {
    type: 'string',
    default: 'topics',
    importance: 'high',
    doc: 'The first part of the name of every object; empty for none.',
    group: 'Names',
    displayName: 'Folder of topics',
  },
  'directory.delim': {
    type: 'string',
    default: '/',
    nonEmpty: true,
    importance: 'medium',
    doc: 'What separates folders.',
    group: 'Names',
    displayName: 'Folder separator',
  },
  'file.delim': {
    type: 'string',
    default: '+',
    nonEmpty: true,
    importance: 'medium',
    doc: 'What separates topic, partition and offset in the name of an object.',
    group: 'Names',
    displayName: 'Name separator',
  },
  'filename.offset.zero.pad.width': {
    type: 'int',
    default: 10,
    min: 0,
    max: 20,
    importance: 'low',
    doc: 'To how many digits offsets are filled with zeros in names.',
    group: 'Names',
    displayName: 'Digits of offsets',
  },
} as const satisfies ConfigDef

/** Into which folders records go. */
export const partitionKeys = {
  'partitioner.class': {
    type: 'class',
    default: 'io.confluent.connect.storage.partitioner.DefaultPartitioner',
    importance: 'high',
    doc:
      'Into which folder a record goes: DefaultPartitioner (partition=<n>), FieldPartitioner (by the values of fields), ' +
      "TimeBasedPartitioner, DailyPartitioner or HourlyPartitioner (by time). The original's class names are taken.",
    validate: oneOfClasses(partitionerOf, PARTITIONERS),
    group: 'Partitioner',
    displayName: 'Partitioner',
  },
  'partition.field.name': {
    type: 'list',
    default: [] as readonly string[],
    importance: 'medium',
    doc: 'The fields of FieldPartitioner; a dot steps into a nested one.',
    group: 'Partitioner',
    displayName: 'Fields',
  },
  'partition.duration.ms': {
    type: 'long',
    default: -1,
    importance: 'medium',
    doc: 'How long a period of TimeBasedPartitioner is, in milliseconds.',
    group: 'Partitioner',
    displayName: 'Period (ms)',
  },
  'path.format': {
    type: 'string',
    default: '',
    importance: 'medium',
    doc: 'The folder of a period with TimeBasedPartitioner, in the letters of Joda-Time.',
    example: "'year'=YYYY/'month'=MM/'day'=dd/'hour'=HH",
    group: 'Partitioner',
    displayName: 'Folder of a period',
  },
  locale: {
    type: 'string',
    default: '',
    importance: 'medium',
    doc: 'The language of names of months and days in path.format. Required for partitions by time.',
    example: 'en-US',
    validate: (locale: string) => {
      if (locale === '') return undefined
      try {
        Intl.getCanonicalLocales(locale.replaceAll('_', '-'))
        return undefined
      } catch {
        return 'it is no locale; write one such as en-US'
      }
    },
    group: 'Partitioner',
    displayName: 'Locale',
  },
  timezone: {
    type: 'string',
    default: '',
    importance: 'medium',
    doc: 'The zone of folders by time and of rotate.schedule.interval.ms. Required for both.',
    example: 'UTC',
    validate: (zone: string) =>
      zone === '' || isZone(zone) ? undefined : 'it is no time zone; write UTC, Europe/Berlin or +02:00',
    group: 'Partitioner',
    displayName: 'Time zone',
  },
  'timestamp.extractor': {
    type: 'string',
    default: 'Wallclock',
    importance: 'medium',
    doc: 'Whose time counts: Wallclock (now), Record (the timestamp of the record), RecordField (timestamp.field).',
    validate: (text: string) =>
      extractorOf(text) === undefined
        ? `it has to be one of ${EXTRACTORS.join(', ')}; others are Java code`
        : undefined,
    group: 'Partitioner',
    displayName: 'Time of a record',
  },
  'timestamp.field': {
    type: 'string',
    default: 'timestamp',
    importance: 'medium',
    doc: 'The field of RecordField: milliseconds, a Timestamp, or text in ISO 8601. A dot steps into a nested one.',
    group: 'Partitioner',
    displayName: 'Field with the time',
  },
  'rotate.file.on.partition.change': {
    type: 'boolean',
    default: true,
    importance: 'low',
    doc: 'Whether, with rotate.interval.ms, files end when a record belongs to another period. false avoids tiny files of late records.',
    group: 'Partitioner',
    displayName: 'Rotate on a new period',
  },
  'partitioner.max.open.files': {
    type: 'int',
    default: -1,
    importance: 'low',
    doc: 'How many files of one topic partition may be open; with more, all of them are ended. -1 for no limit: memory is bounded in any case.',
    group: 'Partitioner',
    displayName: 'Open files',
  },
} as const satisfies ConfigDef

/** When files end. */
export const rotationKeys = {
  'flush.size': {
    type: 'int',
    min: 1,
    importance: 'high',
    doc: 'After how many records of a topic partition its files end and are uploaded.',
    group: 'Rotation',
    displayName: 'Records per upload',
  },
  'rotate.interval.ms': {
    type: 'long',
    default: -1,
    importance: 'high',
    doc: 'After how many milliseconds, by the times of the records, files end. Only with partitions by time.',
    validate: (interval: number, all: All) =>
      interval > 0 && !isTimeBased(String(all['partitioner.class']))
        ? 'needs a partitioner by time, whose extractor gives the times of the records'
        : undefined,
    group: 'Rotation',
    displayName: 'Rotation by the time of records (ms)',
  },
  'rotate.schedule.interval.ms': {
    type: 'long',
    default: -1,
    importance: 'medium',
    doc: 'After how many milliseconds of the clock files end, counted from midnight of the time zone; also without new records.',
    validate: (interval: number, all: All) =>
      interval > 0 && all['timezone'] === '' ? 'needs timezone, whose midnight it counts from' : undefined,
    group: 'Rotation',
    displayName: 'Rotation by the clock (ms)',
  },
  'schema.compatibility': {
    type: 'string',
    default: 'NONE',
    oneOf: ['NONE', 'BACKWARD', 'FORWARD', 'FULL'],
    ignoreCase: true,
    importance: 'high',
    doc:
      'When a schema that differs ends a file. NONE: always. BACKWARD, FULL: when its version is newer; older records are ' +
      'brought into the form of the file. FORWARD: when it is older; newer ones are.',
    group: 'Rotation',
    displayName: 'Schema compatibility',
  },
} as const satisfies ConfigDef

/** The keys that all sinks of files by partitioners have in common. */
export type StorageConfig = Parsed<typeof formatKeys & typeof namingKeys & typeof partitionKeys & typeof rotationKeys>
