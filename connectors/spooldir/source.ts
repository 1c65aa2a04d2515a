import {
  type ConfigIssue,
  type ConnectorContext,
  fullMatch,
  type Parsed,
  type RawConfig,
  type SourceTask,
  type SourceTaskContext,
} from '@millrace/sdk'
import {
  type FileAttribute,
  type FileSystem,
  FileSourceTask,
  parseSchema,
  type ReaderFactory,
  type SchemaSettings,
  type TextParserOptions,
} from '../_shared/file-source/index.ts'
import type { jsonConfig, schemalessJsonConfig } from './config.ts'
import { connectTo } from './connect.ts'
import { folderProblems } from './folders.ts'
import { placeIssues } from './place-check.ts'
import { refusedSettings } from './refused.ts'
import type { placeKeys } from './remote-config.ts'

/** The options that all sources of files have. */
export type FileConfig = Omit<Parsed<typeof schemalessJsonConfig>, 'file.charset' | 'timestamp.mode'> & {
  readonly 'timestamp.mode': string
}
/** Those of them that do not say where the folders are. */
export type FolderConfig = Omit<FileConfig, keyof typeof placeKeys>

/** What says how the fields of values are read. */
export type SchemaConfig = Pick<
  Parsed<typeof jsonConfig>,
  Extract<keyof typeof jsonConfig, `schema.${string}` | `parser.${string}` | `${string}.schema` | `timestamp.${string}`>
>

const TASK_INDEX = 'task.index'
const TASK_COUNT = 'task.count'

/** What is wrong with the folders and options of a configuration. */
export async function validateFiles(config: FileConfig, raw: RawConfig): Promise<ConfigIssue[]> {
  return [...refusedSettings(raw), ...(await placeIssues(config, (system) => folderProblems(system, config)))]
}

/** One task configuration for each task; files are shared among them by name. */
export function taskConfigs(
  _config: unknown,
  maxTasks: number,
  raw: RawConfig,
  _context: ConnectorContext,
): readonly RawConfig[] {
  return Array.from({ length: maxTasks }, (_, index) => ({
    ...raw,
    [TASK_INDEX]: String(index),
    [TASK_COUNT]: String(maxTasks),
  }))
}

export function createFileTask(config: FileConfig, context: SourceTaskContext, makeReader: ReaderFactory): SourceTask {
  return createTaskIn(() => connectTo(config, context.logger), config, context, makeReader)
}

/** The task over files in a place that the options tell otherwise. */
export function createTaskIn(
  connect: () => Promise<FileSystem>,
  config: FolderConfig,
  context: SourceTaskContext,
  makeReader: ReaderFactory,
): SourceTask {
  return new FileSourceTask(
    {
      connect,
      makeReader,
      topic: config.topic,
      matches: fullMatch(config['input.file.pattern']),
      recursive: config['input.path.walk.recursively'],
      sort: config['files.sort.attributes'] as readonly FileAttribute[],
      minimumAgeMs: config['file.minimum.age.ms'],
      batchSize: config['batch.size'],
      emptyPollWaitMs: config['empty.poll.wait.ms'],
      haltOnError: config['halt.on.error'],
      fileTime: config['timestamp.mode'] === 'FILE_TIME',
      withHeaders: config['metadata.location'] === 'HEADERS',
      cleanup: {
        policy: config['cleanup.policy'],
        inputFolder: config['input.path'],
        finishedFolder: config['finished.path'],
        errorFolder: config['error.path'],
        keepsFolders: config['cleanup.policy.maintain.relative.path'],
      },
      leaseExtension: config['processing.file.extension'],
      leaseTimeoutMs: config['lease.timeout.ms'],
      taskIndex: Number(context.raw[TASK_INDEX] ?? 0),
      taskCount: Number(context.raw[TASK_COUNT] ?? 1),
    },
    context,
  )
}

/** The schemas of a configuration; `validateSchemas` has looked at them. */
export function schemaSettings(config: SchemaConfig): SchemaSettings {
  const isInferred = config['schema.generation.enabled']
  return {
    key: isInferred ? null : parseSchema('key.schema', config['key.schema']),
    value: isInferred ? null : parseSchema('value.schema', config['value.schema']),
    keyFields: config['schema.generation.key.fields'],
    keyName: config['schema.generation.key.name'],
    valueName: config['schema.generation.value.name'],
  }
}

export function parserOptions(config: SchemaConfig): TextParserOptions {
  return { dateFormats: config['parser.timestamp.date.formats'], timeZone: config['parser.timestamp.timezone'] }
}

/** The field that is the time of a record; null when it comes from elsewhere. */
export function timestampField(config: SchemaConfig): string | null {
  return config['timestamp.mode'] === 'FIELD' ? config['timestamp.field'] : null
}

/** What is wrong with the schemas of a configuration, taken together. */
export function schemaProblems(config: SchemaConfig): ConfigIssue[] {
  const issues: ConfigIssue[] = []
  if (!config['schema.generation.enabled'] && config['value.schema'] === '') {
    issues.push({ key: 'value.schema', message: 'is needed unless schema.generation.enabled is true' })
  }
  const field = timestampField(config)
  if (field === null) return issues
  const schema = parseSchemaQuietly(config)?.field(field)?.schema
  if (schema?.name !== 'org.apache.kafka.connect.data.Timestamp' || schema.optional) {
    issues.push({
      key: 'timestamp.field',
      message:
        `"${field}" must be a field of value.schema of the type ` +
        '{"name":"org.apache.kafka.connect.data.Timestamp","type":"INT64","version":1,"isOptional":false}',
    })
  }
  return issues
}

function parseSchemaQuietly(config: SchemaConfig): SchemaSettings['value'] {
  try {
    return schemaSettings(config).value
  } catch {
    // The key itself is reported already.
    return null
  }
}
