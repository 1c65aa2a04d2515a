import { type ConfigDef, defineConfig, type Parsed } from '@millrace/sdk'
import { connectionConfig } from '../_shared/s3/index.ts'
import { isZone } from './zone.ts'

type All = Readonly<Record<string, unknown>>

const FORMATS = ['JsonFormat', 'AvroFormat', 'ParquetFormat', 'ByteArrayFormat', 'CsvFormat'] as const
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

const isTimeBased = (all: All): boolean =>
  ['TimeBasedPartitioner', 'DailyPartitioner', 'HourlyPartitioner'].includes(
    partitionerOf(String(all['partitioner.class'])) ?? '',
  )

const oneOfClasses =
  (find: (text: string) => string | undefined, known: readonly string[]) =>
  (text: string): string | undefined =>
    find(text) === undefined ? `it has to be one of ${known.join(', ')}; other classes are Java code` : undefined

const formatKeys = {
  'format.class': {
    type: 'class',
    nonEmpty: true,
    importance: 'high',
    doc:
      'What the objects hold: JsonFormat (a JSON document a line), AvroFormat, ParquetFormat, ByteArrayFormat (the bytes ' +
      "of each value and a separator), or CsvFormat, an addition of Millrace. The original's class names are taken.",
    example: 'io.confluent.connect.s3.format.json.JsonFormat',
    validate: oneOfClasses(formatOf, FORMATS),
    group: 'Format',
    displayName: 'Format',
  },
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
  's3.compression.type': {
    type: 'string',
    default: 'none',
    oneOf: ['none', 'gzip', 'zstd'],
    ignoreCase: true,
    importance: 'low',
    doc: 'Whether objects of JSON, CSV and bytes are compressed; names then end with .gz or .zst. zstd is an addition of Millrace.',
    group: 'Format',
    displayName: 'Compression',
  },
  's3.compression.level': {
    type: 'int',
    default: -1,
    min: -1,
    max: 22,
    importance: 'low',
    doc: 'How hard s3.compression.type compresses: 1 to 9 for gzip, to 22 for zstd; -1 is their default.',
    group: 'Format',
    displayName: 'Compression level',
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

const namingKeys = {
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

const partitionKeys = {
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

const rotationKeys = {
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
      interval > 0 && !isTimeBased(all)
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

const recordKeys = {
  'behavior.on.null.values': {
    type: 'string',
    default: 'fail',
    oneOf: ['fail', 'ignore', 'write'],
    ignoreCase: true,
    importance: 'low',
    doc: 'What a record without a value does: fails the task, is left out, or has its key written (needs store.kafka.keys).',
    validate: (behavior: string, all: All) =>
      behavior === 'write' && all['store.kafka.keys'] !== true
        ? 'needs store.kafka.keys=true, for only the key is there to be written'
        : undefined,
    group: 'Records',
    displayName: 'Null values',
  },
  'tombstone.encoded.partition': {
    type: 'string',
    default: 'tombstone',
    nonEmpty: true,
    importance: 'low',
    doc: 'The folder of records without a value with behavior.on.null.values=write.',
    group: 'Records',
    displayName: 'Folder of tombstones',
  },
  'report.null.values.to.dlq': {
    type: 'boolean',
    default: true,
    importance: 'low',
    doc: 'Whether records that behavior.on.null.values=ignore leaves out go to the dead letter queue, if there is one.',
    group: 'Records',
    displayName: 'Null values to the DLQ',
  },
  'store.kafka.keys': {
    type: 'boolean',
    default: false,
    importance: 'low',
    doc: 'Whether keys are written into objects beside those of the values.',
    group: 'Records',
    displayName: 'Store keys',
  },
  'keys.format.class': {
    type: 'class',
    default: 'io.confluent.connect.s3.format.avro.AvroFormat',
    importance: 'low',
    doc: 'The format of the keys.',
    validate: oneOfClasses(formatOf, FORMATS),
    group: 'Records',
    displayName: 'Format of keys',
  },
  'store.kafka.headers': {
    type: 'boolean',
    default: false,
    importance: 'low',
    doc: 'Whether headers are written into objects beside those of the values.',
    group: 'Records',
    displayName: 'Store headers',
  },
  'headers.format.class': {
    type: 'class',
    default: 'io.confluent.connect.s3.format.avro.AvroFormat',
    importance: 'low',
    doc: 'The format of the headers.',
    validate: oneOfClasses(formatOf, FORMATS),
    group: 'Records',
    displayName: 'Format of headers',
  },
} as const satisfies ConfigDef

const uploadKeys = {
  's3.part.size': {
    type: 'int',
    default: 26_214_400,
    min: 5_242_880,
    importance: 'high',
    doc: 'Objects larger than this are uploaded in parts of this size, in bytes.',
    group: 'Upload',
    displayName: 'Part size',
  },
  's3.buffer.bytes': {
    type: 'long',
    default: 33_554_432,
    min: 1_048_576,
    importance: 'medium',
    doc:
      'How much memory the open files of a task may hold together; beyond that the largest go to temporary files on the ' +
      'disk. An addition of Millrace.',
    group: 'Upload',
    displayName: 'Memory of open files',
  },
  's3.upload.concurrency': {
    type: 'int',
    default: 4,
    min: 1,
    max: 64,
    importance: 'low',
    doc: 'How many objects of a task are uploaded at once. An addition of Millrace.',
    group: 'Upload',
    displayName: 'Uploads at once',
  },
  'retry.backoff.ms': {
    type: 'long',
    default: 5000,
    min: 0,
    importance: 'low',
    doc: 'How long the task waits, in milliseconds, when uploads failed for a passing reason in spite of s3.part.retries; then it tries again.',
    group: 'Errors',
    displayName: 'Back-off of the task (ms)',
  },
  'enable.conditional.writes': {
    type: 'boolean',
    default: true,
    importance: 'low',
    doc:
      'With rotate.schedule.interval.ms: objects are only written where there is none (If-None-Match). What is stored ' +
      'already after a restart is not written a second time.',
    group: 'Upload',
    displayName: 'Conditional writes',
  },
  'max.files.scan.limit': {
    type: 'int',
    default: 100,
    min: 1,
    importance: 'low',
    doc: 'How many objects in a row a restart may find stored already before the task gives up.',
    group: 'Upload',
    displayName: 'Stored objects in a row',
  },
  'max.write.duration.ms': {
    type: 'long',
    default: Number.MAX_SAFE_INTEGER,
    importance: 'low',
    doc: 'A batch that takes longer than this fails the task, for its partitions may belong to another one by then.',
    group: 'Upload',
    displayName: 'Longest write (ms)',
  },
  's3.object.tagging': {
    type: 'boolean',
    default: false,
    importance: 'low',
    doc: 'Whether objects get the tags startOffset, endOffset and recordCount.',
    group: 'Upload',
    displayName: 'Tags',
  },
  's3.object.tagging.key.value.pairs': {
    type: 'list',
    default: [] as readonly string[],
    importance: 'low',
    doc: 'More tags, as name:value.',
    validate: (list: readonly string[]) => {
      const wrong = list.find((pair) => !/^[^:]+:.+$/.test(pair))
      return wrong === undefined ? undefined : `"${wrong}" is not of the form name:value`
    },
    group: 'Upload',
    displayName: 'More tags',
  },
  'behavior.on.tagging.error': {
    type: 'string',
    default: 'ignore',
    oneOf: ['ignore', 'fail'],
    ignoreCase: true,
    importance: 'low',
    doc: 'Whether a tag that cannot be set is only logged, or fails the task.',
    group: 'Upload',
    displayName: 'Tags that cannot be set',
  },
  's3.ssea.name': {
    type: 'string',
    default: '',
    oneOf: ['', 'AES256', 'aws:kms'],
    importance: 'low',
    doc: 'How the server encrypts objects.',
    group: 'Upload',
    displayName: 'Encryption',
  },
  's3.sse.kms.key.id': {
    type: 'string',
    default: '',
    importance: 'low',
    doc: 'The key of aws:kms.',
    group: 'Upload',
    displayName: 'KMS key',
  },
  's3.sse.customer.key': {
    type: 'password',
    default: null,
    importance: 'low',
    doc: 'A key of yours (256 bits in base64) that the server encrypts with and forgets.',
    group: 'Upload',
    displayName: 'Customer key',
  },
  's3.acl.canned': {
    type: 'string',
    default: null,
    oneOf: [
      'private',
      'public-read',
      'public-read-write',
      'authenticated-read',
      'log-delivery-write',
      'bucket-owner-read',
      'bucket-owner-full-control',
      'aws-exec-read',
    ],
    importance: 'low',
    doc: 'The canned ACL of objects.',
    group: 'Upload',
    displayName: 'ACL',
  },
} as const satisfies ConfigDef

/** The configuration of the S3 sink. */
export const sinkConfig = defineConfig({
  ...connectionConfig,
  ...formatKeys,
  ...namingKeys,
  ...partitionKeys,
  ...rotationKeys,
  ...recordKeys,
  ...uploadKeys,
})

export type SinkConfig = Parsed<typeof sinkConfig>
