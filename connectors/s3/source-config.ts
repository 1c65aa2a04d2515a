import { type ConfigDef, defineConfig, type Parsed } from '@millrace/sdk'
import { connectionConfig } from '../_shared/s3/index.ts'

const FORMATS = ['JsonFormat', 'AvroFormat', 'ParquetFormat', 'ByteArrayFormat', 'StringFormat'] as const
export type SourceFormat = (typeof FORMATS)[number]

/** The format that a class name of the original, or its last part, means. */
export function sourceFormatOf(className: string): SourceFormat | undefined {
  return FORMATS.find((name) => name === className.slice(className.lastIndexOf('.') + 1))
}

const sourceKeys = {
  mode: {
    type: 'string',
    default: 'RESTORE_BACKUP',
    oneOf: ['RESTORE_BACKUP', 'GENERIC'],
    ignoreCase: true,
    importance: 'high',
    doc:
      'RESTORE_BACKUP: objects that the sink wrote; records go to the topics and partitions that their names tell. GENERIC: ' +
      'any objects; topic.regex.list tells their topics.',
    group: 'Objects',
    displayName: 'Mode',
  },
  'topics.dir': {
    type: 'string',
    default: 'topics',
    importance: 'high',
    doc: 'The folder of the objects: what their names begin with; empty for all of the bucket.',
    group: 'Objects',
    displayName: 'Folder',
  },
  'directory.delim': {
    type: 'string',
    default: '/',
    nonEmpty: true,
    importance: 'medium',
    doc: 'What separates folders.',
    group: 'Objects',
    displayName: 'Folder separator',
  },
  'file.delim': {
    type: 'string',
    default: '+',
    nonEmpty: true,
    importance: 'medium',
    doc: 'What separates topic, partition and offset in the names of the sink.',
    group: 'Objects',
    displayName: 'Name separator',
  },
  'topic.regex.list': {
    type: 'list',
    default: [] as readonly string[],
    importance: 'medium',
    doc: 'With GENERIC, entries topic:regex; an object goes to the topic of the first regex that matches all of its name. Others are not read.',
    example: 'orders:imports/orders/.*\\.json',
    validate: (list: readonly string[], all: Readonly<Record<string, unknown>>) => {
      if (list.length === 0 && all['mode'] === 'GENERIC') return 'mode=GENERIC needs at least one entry topic:regex'
      for (const entry of list) {
        const problem = regexProblem(entry)
        if (problem !== undefined) return problem
      }
      return undefined
    },
    group: 'Objects',
    displayName: 'Topics of objects',
  },
  'format.class': {
    type: 'class',
    nonEmpty: true,
    importance: 'high',
    doc:
      'What the objects hold: JsonFormat (documents in lines), AvroFormat, ParquetFormat, ByteArrayFormat (bytes up to a ' +
      'separator), StringFormat (lines of text). Objects that end with .gz or .zst are decompressed.',
    example: 'io.confluent.connect.s3.format.json.JsonFormat',
    validate: (name: string) =>
      sourceFormatOf(name) === undefined
        ? `it has to be one of ${FORMATS.join(', ')}; other classes are Java code`
        : undefined,
    group: 'Format',
    displayName: 'Format',
  },
  'format.bytearray.separator': {
    type: 'string',
    default: null,
    importance: 'low',
    doc: 'What ends each value with ByteArrayFormat; a line feed when it is not set. \\n, \\r and \\t are understood.',
    group: 'Format',
    displayName: 'Separator for bytes',
  },
  's3.poll.interval.ms': {
    type: 'long',
    default: 60_000,
    min: 1,
    importance: 'medium',
    doc: 'How often to look for new objects, in milliseconds.',
    group: 'Objects',
    displayName: 'Interval (ms)',
  },
  'record.batch.max.size': {
    type: 'int',
    default: 200,
    min: 1,
    importance: 'medium',
    doc: 'The most records given to the worker at once.',
    group: 'Objects',
    displayName: 'Batch size',
  },
} as const satisfies ConfigDef

function regexProblem(entry: string): string | undefined {
  const at = entry.indexOf(':')
  if (at < 1 || at === entry.length - 1) return `"${entry}" is not of the form topic:regex`
  try {
    new RegExp(`^(?:${entry.slice(at + 1)})$`, 'u')
    return undefined
  } catch (error) {
    return `"${entry}" has no legal regular expression: ${(error as Error).message}`
  }
}

/** The configuration of the S3 source. */
export const sourceConfig = defineConfig({ ...connectionConfig, ...sourceKeys })

export type SourceConfig = Parsed<typeof sourceConfig>
