import {
  type ConfigDef,
  type ConfigIssue,
  defineConfig,
  isConnectError,
  type Parsed,
  type RawConfig,
} from '@millrace/sdk'
import { SESSION_NAME, urlProblem } from '../../_shared/s3/index.ts'
import { isZone } from '../../_shared/storage-sink/index.ts'
import { fileNameTemplate, groupingOf } from './file-name.ts'

type All = Readonly<Record<string, unknown>>

const FIELDS = ['key', 'value', 'offset', 'timestamp', 'headers'] as const
export type OutputField = (typeof FIELDS)[number]

const needsZone = (zone: string): string | undefined =>
  isZone(zone)
    ? undefined
    : 'it is not a time zone; write UTC, a name such as Europe/Berlin, or an offset such as +02:00'

const awsKeys = {
  'aws.s3.bucket.name': {
    type: 'string',
    aliases: ['aws_s3_bucket'],
    nonEmpty: true,
    importance: 'high',
    doc: 'The bucket. It has to exist.',
    group: 'AWS',
    displayName: 'Bucket',
  },
  'aws.s3.region': {
    type: 'string',
    aliases: ['aws_s3_region'],
    default: 'us-east-1',
    nonEmpty: true,
    importance: 'medium',
    doc: 'The region of the bucket.',
    group: 'AWS',
    displayName: 'Region',
  },
  'aws.s3.endpoint': {
    type: 'string',
    aliases: ['aws_s3_endpoint'],
    default: null,
    importance: 'low',
    doc: 'The address of a server other than Amazon S3 that speaks its protocol; the bucket is in the path of its URLs.',
    example: 'http://minio:9000',
    validate: urlProblem,
    group: 'AWS',
    displayName: 'Address of the server',
  },
  'aws.access.key.id': {
    type: 'password',
    aliases: ['aws_access_key_id'],
    default: '',
    importance: 'medium',
    doc: 'The access key. Without it the usual places are looked at: environment, profile, role of the machine.',
    validate: (id: string, all: All) =>
      id !== '' && (all['aws.secret.access.key'] ?? '') === ''
        ? 'aws.secret.access.key is missing; set both or none'
        : undefined,
    group: 'AWS',
    displayName: 'Access key',
  },
  'aws.secret.access.key': {
    type: 'password',
    aliases: ['aws_secret_access_key'],
    default: '',
    importance: 'medium',
    doc: 'The secret of the access key.',
    group: 'AWS',
    displayName: 'Secret key',
  },
  'aws.sts.role.arn': {
    type: 'string',
    default: null,
    importance: 'medium',
    doc: 'A role to assume, with the keys or with what is found at the usual places.',
    example: 'arn:aws:iam::123456789012:role/writer',
    group: 'AWS STS',
    displayName: 'Role',
  },
  'aws.sts.role.external.id': {
    type: 'string',
    default: null,
    importance: 'medium',
    doc: 'The external id that the role asks for.',
    group: 'AWS STS',
    displayName: 'External id',
  },
  'aws.sts.role.session.name': {
    type: 'string',
    default: SESSION_NAME,
    nonEmpty: true,
    importance: 'medium',
    doc: 'The name of the session of the role, as logs of AWS show it.',
    group: 'AWS STS',
    displayName: 'Session name',
  },
  'aws.sts.role.session.duration': {
    type: 'int',
    default: 3600,
    min: 900,
    max: 43_200,
    importance: 'medium',
    doc: 'How long a session of the role lasts, in seconds; the next one is begun before it ends.',
    group: 'AWS STS',
    displayName: 'Session duration (s)',
  },
  'aws.sts.config.endpoint': {
    type: 'string',
    default: null,
    importance: 'medium',
    doc: 'The address of the Security Token Service; left out, that of the region.',
    example: 'https://sts.eu-north-1.amazonaws.com',
    validate: urlProblem,
    group: 'AWS STS',
    displayName: 'Address of STS',
  },
  'aws.s3.sse.algorithm': {
    type: 'string',
    default: null,
    importance: 'medium',
    doc: 'Encryption by the server: AES256, aws:kms or aws:kms:dsse.',
    group: 'AWS',
    displayName: 'Encryption',
  },
  'aws.s3.part.size.bytes': {
    type: 'long',
    default: 5_242_880,
    min: 5_242_880,
    max: 2_000_000_000,
    importance: 'medium',
    doc: 'Objects that are larger are uploaded in parts of this size, in bytes. S3 takes no smaller parts.',
    group: 'AWS',
    displayName: 'Part size',
  },
  'aws.s3.backoff.delay.ms': {
    type: 'long',
    default: 100,
    min: 1,
    importance: 'medium',
    doc: 'How long to wait before the first retry of a request, in milliseconds; it doubles with each further one.',
    group: 'Errors',
    displayName: 'Back-off of a request (ms)',
  },
  'aws.s3.backoff.max.delay.ms': {
    type: 'long',
    default: 20_000,
    min: 1,
    importance: 'medium',
    doc: 'The longest wait before a retry, in milliseconds.',
    group: 'Errors',
    displayName: 'Longest back-off (ms)',
  },
  'aws.s3.backoff.max.retries': {
    type: 'int',
    default: 3,
    min: 1,
    max: 30,
    importance: 'medium',
    doc: 'How often a request that failed for a passing reason is tried again at once, before the task waits.',
    group: 'Errors',
    displayName: 'Retries of a request',
  },
  'kafka.retry.backoff.ms': {
    type: 'long',
    default: 3000,
    min: 0,
    max: 86_400_000,
    importance: 'medium',
    doc: 'How long the task waits, in milliseconds, when uploads failed for a passing reason in spite of their retries.',
    group: 'Errors',
    displayName: 'Back-off of the task (ms)',
  },
} as const satisfies ConfigDef

const fileKeys = {
  'file.name.template': {
    type: 'string',
    default: null,
    importance: 'medium',
    doc:
      'The names of objects, with {{topic}}, {{partition}}, {{start_offset}}, {{timestamp:unit=yyyy|MM|dd|HH}} and {{key}}; ' +
      '{{partition:padding=true}} and {{start_offset:padding=true}} have leading zeros. Which variables it has decides how ' +
      'records are grouped. Left out: {{topic}}-{{partition}}-{{start_offset}} and the ending of the compression.',
    example: 'logs/{{topic}}/{{partition}}-{{start_offset:padding=true}}.gz',
    validate: (text: string) => reasonOf(() => groupingOf(fileNameTemplate(text))),
    group: 'File',
    displayName: 'Name template',
  },
  'aws.s3.prefix': {
    type: 'string',
    aliases: ['aws_s3_prefix'],
    default: null,
    importance: 'medium',
    doc:
      'The older way to name objects: this text, which may have the variables of file.name.template except for the key, ' +
      '{{utc_date}} and {{local_date}}, then topic, partition and offset.',
    validate: (text: string) => reasonOf(() => fileNameTemplate(text, ['utc_date', 'local_date'])),
    group: 'File',
    displayName: 'Prefix',
  },
  'file.compression.type': {
    type: 'string',
    aliases: ['output_compression'],
    default: 'gzip',
    oneOf: ['none', 'gzip', 'zstd', 'snappy'],
    ignoreCase: true,
    importance: 'medium',
    doc: 'The compression of objects; that of the pages in Parquet, which alone may have snappy.',
    validate: (type: string, all: All) =>
      type === 'snappy' && all['format.output.type'] !== 'parquet'
        ? 'snappy is possible with format.output.type=parquet alone; use zstd or gzip'
        : undefined,
    group: 'File',
    displayName: 'Compression',
  },
  'file.max.records': {
    type: 'int',
    default: 0,
    min: 0,
    importance: 'medium',
    doc: 'How many records an object has at most; 0 for no limit.',
    validate: (count: number, all: All) =>
      count > 1 && typeof all['file.name.template'] === 'string' && isByKey(all['file.name.template'])
        ? 'objects that are named by the key have the latest record of the key alone; leave it out'
        : undefined,
    group: 'File',
    displayName: 'Records of an object',
  },
  'file.name.timestamp.timezone': {
    type: 'string',
    aliases: ['timestamp.timezone'],
    default: 'UTC',
    importance: 'low',
    doc: 'The time zone of the variable timestamp.',
    validate: needsZone,
    group: 'File',
    displayName: 'Time zone',
  },
  'file.name.timestamp.source': {
    type: 'string',
    aliases: ['timestamp.source'],
    default: 'wallclock',
    oneOf: ['wallclock', 'event'],
    ignoreCase: true,
    importance: 'low',
    doc: 'What the variable timestamp is: the time of writing (wallclock) or of the record (event).',
    group: 'File',
    displayName: 'Source of times',
  },
} as const satisfies ConfigDef

const formatKeys = {
  'format.output.type': {
    type: 'string',
    default: 'csv',
    oneOf: ['csv', 'jsonl', 'json', 'parquet', 'avro'],
    ignoreCase: true,
    importance: 'medium',
    doc: 'What objects hold: lines of fields in base64 (csv), JSON documents a line (jsonl) or in an array (json), Parquet, Avro.',
    group: 'Format',
    displayName: 'Format',
  },
  'format.output.fields': {
    type: 'list',
    aliases: ['output_fields'],
    default: ['value'],
    oneOf: FIELDS,
    nonEmpty: true,
    importance: 'medium',
    doc: 'What of a record is written, in this order.',
    group: 'Format',
    displayName: 'Fields',
  },
  'format.output.fields.value.encoding': {
    type: 'string',
    default: 'base64',
    oneOf: ['base64', 'none'],
    ignoreCase: true,
    importance: 'medium',
    doc: 'How csv has values. Keys and headers are in base64 always.',
    group: 'Format',
    displayName: 'Encoding of values',
  },
  'format.output.envelope': {
    type: 'boolean',
    default: true,
    importance: 'medium',
    doc: 'Whether a single field is wrapped into an object with its name.',
    validate: (wraps: boolean, all: All) =>
      !wraps && ((all['format.output.fields'] as readonly string[] | undefined)?.length ?? 1) > 1
        ? 'false is possible with one field in format.output.fields alone'
        : undefined,
    group: 'Format',
    displayName: 'Envelope',
  },
  'avro.codec': {
    type: 'string',
    default: 'null',
    oneOf: ['null', 'deflate', 'snappy', 'zstandard'],
    importance: 'medium',
    doc: 'The compression of blocks in Avro files.',
    group: 'Format',
    displayName: 'Avro codec',
  },
  's3.buffer.bytes': {
    type: 'long',
    default: 33_554_432,
    min: 1_048_576,
    importance: 'medium',
    doc:
      'How much memory the open files of a task may hold together; beyond that the largest go to temporary files on the ' +
      'disk, and many small ones are written before it is time. An addition of Millrace.',
    group: 'File',
    displayName: 'Memory of open files',
  },
} as const satisfies ConfigDef

export const aivenSinkConfig = defineConfig({ ...awsKeys, ...fileKeys, ...formatKeys })
export type AivenSinkConfig = Parsed<typeof aivenSinkConfig>

function reasonOf(check: () => unknown): string | undefined {
  try {
    check()
    return undefined
  } catch (error) {
    if (!isConnectError(error)) throw error
    return error.message
  }
}

/** Whether objects hold the latest record of a key; what is wrong with the template itself is told by its own key. */
function isByKey(template: string): boolean {
  const grouping = () => groupingOf(fileNameTemplate(template))
  return reasonOf(grouping) === undefined && grouping() === 'key'
}

const REFUSED: Readonly<Record<string, string>> = {
  'aws.credentials.provider': 'it is Java code; use keys, a role, or the usual places of credentials',
  'file.prefix.template': 'the original does not read it in this connector; begin file.name.template with the prefix',
}

/** Keys of the original that do nothing here, each with the reason. */
export function refusedSettings(raw: RawConfig): readonly ConfigIssue[] {
  return Object.entries(REFUSED).flatMap(([key, reason]) =>
    (raw[key] ?? '').trim() === '' ? [] : [{ key, message: `${key}: this setting is not possible here: ${reason}` }],
  )
}
