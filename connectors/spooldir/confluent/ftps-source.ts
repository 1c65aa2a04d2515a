import { type ConfigIssue, DataError, defineSourceConnector, type RawConfig } from '@millrace/sdk'
import { type FileSystem, LinesReader, nameOf, type ReaderFactory } from '../../_shared/file-source/index.ts'
import { type CsvReaderConfig, csvReaders } from '../csv-source.ts'
import { folderProblems } from '../folders.ts'
import { jsonReaders } from '../json-source.ts'
import { ftpsSourceManifest } from '../manifest.ts'
import { issuesOf } from '../place-check.ts'
import { jsonTextReaders } from '../schemaless-json-source.ts'
import { createTaskIn, type FolderConfig, schemaProblems, taskConfigs } from '../source.ts'
import { connectFtps, refusedFtpsSettings } from './ftps-keys.ts'
import { type FtpsSourceConfig, ftpsName, ftpsSourceConfig, withoutPrefix } from './ftps-source-config.ts'

type Parser = FtpsSourceConfig['ftps.parser.type']

/** The options as the sources of folders have them. */
function folderConfig(config: FtpsSourceConfig): FolderConfig & CsvReaderConfig {
  return {
    ...withoutPrefix(config),
    topic: config['kafka.topic'],
    'halt.on.error': config['ftps.behavior.on.error'] === 'FAIL',
    'input.path.walk.recursively': false,
    'cleanup.policy.maintain.relative.path': false,
    'csv.verify.reader': true,
  } as unknown as FolderConfig & CsvReaderConfig
}

/** How a file is read, which its ending tells; what it is compressed with does not count. */
function parserOf(path: string): Parser {
  const ending = /\.(csv|json|txt)(?:\.(?:gz|zst|zstd))?$/i.exec(path)?.[1]
  if (ending !== undefined) return ending.toUpperCase() as Parser
  throw new DataError(
    `the name ${nameOf(path)} ends with none of .csv, .json and .txt; set ftps.ignore.file.extension and ftps.parser.type`,
  )
}

function readersOf(config: FtpsSourceConfig): ReaderFactory {
  const options = folderConfig(config)
  const readers: Readonly<Record<Parser, ReaderFactory>> = {
    CSV: csvReaders(options),
    JSON: config['ftps.schemaless.json.parsing'] ? jsonTextReaders('UTF-8') : jsonReaders(options),
    TXT: () => new LinesReader(config['ftps.txt.file.charset']),
  }
  const only = config['ftps.ignore.file.extension'] ? config['ftps.parser.type'] : null
  return (file) => readers[only ?? parserOf(file.path)](file)
}

const connect = (config: FtpsSourceConfig): Promise<FileSystem> => connectFtps(config, config['file.buffer.size.bytes'])

async function validate(config: FtpsSourceConfig, raw: RawConfig): Promise<readonly ConfigIssue[]> {
  const options = folderConfig(config)
  const issues = schemaProblems(options)
  if (config['ftps.error.path'] === '' && config['ftps.behavior.on.error'] !== 'FAIL') {
    issues.push({ key: 'error.path', message: 'is needed unless ftps.behavior.on.error is FAIL' })
  }
  issues.push(
    ...(await issuesOf(
      () => connect(config),
      'ftps.host',
      (system) => folderProblems(system, options),
    )),
  )
  return [...refusedFtpsSettings(raw), ...issues.map(({ key, message }) => ({ key: ftpsName(key), message }))]
}

/** Publishes the records of CSV, JSON and text files on an FTPS server. */
export default defineSourceConnector({
  name: ftpsSourceManifest.name,
  version: ftpsSourceManifest.version,
  aliases: ftpsSourceManifest.aliases,
  config: ftpsSourceConfig,
  validate,
  taskConfigs,
  createTask: (config, context) =>
    createTaskIn(() => connect(config), folderConfig(config), context, readersOf(config)),
})
