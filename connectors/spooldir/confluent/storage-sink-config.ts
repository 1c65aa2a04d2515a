import type { ConfigDef, ConfigIssue, Parsed, RawConfig } from '@millrace/sdk'
import {
  formatKeys,
  formatOf,
  namingKeys,
  oneOfClasses,
  partitionKeys,
  rotationKeys,
} from '../../_shared/storage-sink/index.ts'

const FORMATS = ['AvroFormat', 'JsonFormat', 'CsvFormat', 'TsvFormat', 'ParquetFormat', 'ByteArrayFormat']

const ignored = (type: 'int' | 'long' | 'boolean' | 'string', why: string) =>
  ({
    type,
    default: null,
    importance: 'low',
    doc: `Accepted without effect: ${why}.`,
    group: 'Without effect',
  }) as const

/** What Confluent's sinks of files on SFTP and FTPS servers have in common. */
export const storageSinkKeys = {
  'format.class': {
    type: 'class',
    nonEmpty: true,
    importance: 'high',
    doc:
      'What the files hold: AvroFormat, JsonFormat (a JSON document a line), CsvFormat, TsvFormat (values between tabs), ' +
      "ParquetFormat or ByteArrayFormat (the bytes of each value and a separator). The original's class names are taken.",
    validate: oneOfClasses((name) => FORMATS.find((each) => each === formatOf(name)), FORMATS),
    group: 'Format',
  },
  ...formatKeys,
  'filename.offset.zero.pad.width': namingKeys['filename.offset.zero.pad.width'],
  'directory.delim': {
    ...namingKeys['directory.delim'],
    doc: 'What separates folders; the server knows no other than /.',
    validate: (text: string) => (text === '/' ? undefined : 'folders of the server are separated by /'),
  },
  'file.delim': {
    ...namingKeys['file.delim'],
    doc: 'What separates topic, partition and offset in the name of a file.',
    validate: (text: string) => (text.includes('/') ? 'a name of a file has no /' : undefined),
  },
  ...partitionKeys,
  ...rotationKeys,
  'rotate.interval.ms': {
    type: 'long',
    default: -1,
    importance: 'high',
    doc:
      'After how many milliseconds files end: by the times of the records with partitions by time, by the clock from the ' +
      'first record on with others.',
    group: 'Rotation',
  },
  'behavior.on.null.values': {
    type: 'string',
    default: 'fail',
    oneOf: ['fail', 'ignore'],
    ignoreCase: true,
    importance: 'low',
    doc: 'What a record without a value does: fails the task, or is left out. An addition of Millrace.',
    group: 'Records',
  },
  'retry.backoff.ms': {
    type: 'long',
    default: 5000,
    min: 0,
    importance: 'low',
    doc: 'How long to wait, in milliseconds, before files are stored again when the server was away.',
    group: 'Errors',
  },
  'file.buffer.size.bytes': {
    type: 'int',
    default: 33_554_432,
    min: 1,
    importance: 'low',
    doc:
      'How much memory the open files of a task may hold together; beyond that the largest go to temporary files on the ' +
      'disk of the worker. An addition of Millrace.',
    group: 'Files',
  },
  'connection.timeout.ms': {
    type: 'int',
    default: 30_000,
    min: 1,
    importance: 'low',
    doc: 'How long to wait for the server. An addition of Millrace.',
    group: 'Connection',
  },
  'schema.cache.size': ignored('int', 'what is known of schemas lives as long as they do'),
  'schema.cache.config': ignored('int', 'it is schema.cache.size under another name'),
  'connect.meta.data': ignored('boolean', 'Avro schemas tell names and logical types, and nothing else of Connect'),
  'enhanced.avro.schema.support': ignored('boolean', 'names keep their packages in any case'),
  'shutdown.timeout.ms': ignored('long', 'files are stored before offsets are committed, not when the task ends'),
} as const satisfies ConfigDef

/** What the task of these sinks reads. */
export type ServerSinkConfig = Parsed<typeof storageSinkKeys>

interface Refused {
  readonly accepted: RegExp
  readonly reason: string
}

const PROXIES: Refused = { accepted: /^$/, reason: 'proxies are not supported' }
const KERBEROS: Refused = { accepted: /^$/, reason: 'there is no login by Kerberos; log in with a key or a password' }

/** Options of the originals that are refused, with the values that change nothing. */
const REFUSED: Readonly<Record<string, Refused>> = {
  'storage.class': {
    accepted:
      /^(io\.confluent\.connect\.(sftp\.sink\.storage\.SftpSinkStorage|ftps\.sink\.storage\.FtpsSinkStorage))?$/,
    reason: 'it is Java code, and there is one storage',
  },
  'schema.generator.class': {
    accepted: /^(io\.confluent\.connect\.storage\.hive\.schema\.(Default|TimeBased)SchemaGenerator)?$/,
    reason: 'it is Java code that makes schemas for Hive, which nothing is told to',
  },
  'store.url': { accepted: /^$/, reason: 'the options of the server say where it is' },
  'sftp.proxy.url': PROXIES,
  'proxy.username': PROXIES,
  'proxy.password': PROXIES,
  'sftp.proxy.username': PROXIES,
  'sftp.proxy.password': PROXIES,
  'kerberos.user.principal': KERBEROS,
  'kerberos.keytab.path': KERBEROS,
}

/** Options that are set to something that these sinks do not do. */
export function refusedSinkSettings(raw: RawConfig): readonly ConfigIssue[] {
  return Object.entries(REFUSED).flatMap(([key, { accepted, reason }]) => {
    const value = raw[key]?.trim()
    if (value === undefined || accepted.test(value)) return []
    // Without the value: some of them are secrets.
    return [{ key, message: `it is not possible: ${reason}; remove it` }]
  })
}
