import { type ConfigDef, defineConfig, type Parsed } from '@millrace/sdk'
import { connectionConfig } from '../_shared/s3/index.ts'
import {
  formatKeys as commonFormatKeys,
  formatOf,
  namingKeys,
  oneOfClasses,
  partitionKeys,
  rotationKeys,
} from '../_shared/storage-sink/index.ts'

type All = Readonly<Record<string, unknown>>

const FORMATS = ['JsonFormat', 'AvroFormat', 'ParquetFormat', 'ByteArrayFormat', 'CsvFormat']

const isFormat = oneOfClasses((name) => FORMATS.find((each) => each === formatOf(name)), FORMATS)

const formatKeys = {
  'format.class': {
    type: 'class',
    nonEmpty: true,
    importance: 'high',
    doc:
      'What the objects hold: JsonFormat (a JSON document a line), AvroFormat, ParquetFormat, ByteArrayFormat (the bytes ' +
      "of each value and a separator), or CsvFormat, an addition of Millrace. The original's class names are taken.",
    example: 'io.confluent.connect.s3.format.json.JsonFormat',
    validate: isFormat,
    group: 'Format',
    displayName: 'Format',
  },
  ...commonFormatKeys,
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
    validate: isFormat,
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
    validate: isFormat,
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
