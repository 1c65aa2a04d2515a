// Confluent's SFTP connectors: the sources of files with the names and defaults of their options.
import {
  type ConfigDef,
  defineSourceConnector,
  type Parsed,
  type PluginManifest,
  type RawConfig,
  type SourceConnector,
} from '@millrace/sdk'
import type { ReaderFactory } from '../_shared/file-source/index.ts'
import binarySource, { binaryReaders } from './binary-source.ts'
import csvSource, { csvReaders } from './csv-source.ts'
import jsonSource, { jsonReaders } from './json-source.ts'
import {
  sftpBinaryManifest,
  sftpCsvManifest,
  sftpGenericManifest,
  sftpJsonManifest,
  sftpSchemalessJsonManifest,
} from './manifest.ts'
import schemalessJsonSource, { jsonTextReaders } from './schemaless-json-source.ts'
import {
  sftpBinaryConfig,
  sftpCsvConfig,
  sftpGenericConfig,
  sftpJsonConfig,
  sftpSchemalessJsonConfig,
} from './sftp-config.ts'
import { createFileTask, schemaProblems, taskConfigs, validateFiles } from './source.ts'

interface Halting {
  readonly 'behavior.on.error': string
  readonly 'halt.on.error': boolean
}

function haltsOnError(config: Halting, raw: RawConfig): boolean {
  return raw['halt.on.error'] === undefined ? config['behavior.on.error'] === 'FAIL' : config['halt.on.error']
}

function sftpSource<Own extends ConfigDef, D extends ConfigDef>(
  source: SourceConnector<Own>,
  manifest: PluginManifest,
  config: D,
): SourceConnector<D> {
  const own = (parsed: Parsed<D>, raw: RawConfig): Parsed<Own> => {
    const all = parsed as unknown as Parsed<Own> & Halting
    return { ...all, 'halt.on.error': haltsOnError(all, raw) }
  }
  return defineSourceConnector({
    name: manifest.name,
    version: manifest.version,
    aliases: manifest.aliases,
    config,
    validate: async (parsed, raw) => (await source.validate?.(own(parsed, raw), raw)) ?? [],
    taskConfigs: (parsed, maxTasks, raw, context) => source.taskConfigs(own(parsed, raw), maxTasks, raw, context),
    createTask: (parsed, context) => source.createTask(own(parsed, context.raw), context),
  })
}

const genericSource = defineSourceConnector({
  name: sftpGenericManifest.name,
  version: sftpGenericManifest.version,
  aliases: sftpGenericManifest.aliases,
  config: sftpGenericConfig,
  validate: async (config, raw) => [
    ...(['JSON', 'CSV'].includes(config['input.file.parser.format']) ? schemaProblems(config) : []),
    ...(await validateFiles(config, raw)),
  ],
  taskConfigs,
  createTask(config, context) {
    const readers: Readonly<Record<(typeof config)['input.file.parser.format'], ReaderFactory>> = {
      JSON: jsonReaders(config),
      CSV: csvReaders(config),
      SCHEMALESS_JSON: jsonTextReaders('UTF-8'),
      BINARY: binaryReaders(config['file.maximum.bytes']),
    }
    return createFileTask(config, context, readers[config['input.file.parser.format']])
  },
})

/** Publishes what is in files on an SFTP server, in one of four formats. */
export const sftpGenericSource = sftpSource(genericSource, sftpGenericManifest, sftpGenericConfig)
/** Publishes the rows of CSV files on an SFTP server. */
export const sftpCsvSource = sftpSource(csvSource, sftpCsvManifest, sftpCsvConfig)
/** Publishes the objects of JSON files on an SFTP server. */
export const sftpJsonSource = sftpSource(jsonSource, sftpJsonManifest, sftpJsonConfig)
/** Publishes each object of JSON files on an SFTP server as text. */
export const sftpSchemalessJsonSource = sftpSource(
  schemalessJsonSource,
  sftpSchemalessJsonManifest,
  sftpSchemalessJsonConfig,
)
/** Publishes each file of an SFTP server as one value. */
export const sftpBinarySource = sftpSource(binarySource, sftpBinaryManifest, sftpBinaryConfig)
