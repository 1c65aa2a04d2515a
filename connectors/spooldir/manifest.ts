import { defineManifest, type PluginManifest } from '@millrace/sdk'

const version = '0.1.0'
const JAVA = 'com.github.jcustenborder.kafka.connect.spooldir'

const source = (name: string, java: string, title: string, summary: string, load: () => Promise<unknown>) =>
  defineManifest({
    kind: 'source',
    name,
    aliases: [`${JAVA}.${java}`, java],
    version,
    title,
    summary: `${summary} Files go to another folder when all of their records are in the log.`,
    stability: 'stable',
    delivery: 'at-least-once',
    load,
  })

export const csvManifest: PluginManifest = source(
  'SpoolDirCsvSource',
  'SpoolDirCsvSourceConnector',
  'CSV files',
  'Publishes the rows of CSV files in a folder, with schemas that are given or inferred.',
  () => import('./csv-source.ts'),
)

export const jsonManifest: PluginManifest = source(
  'SpoolDirJsonSource',
  'SpoolDirJsonSourceConnector',
  'JSON files',
  'Publishes the objects of JSON files in a folder, with schemas that are given or inferred.',
  () => import('./json-source.ts'),
)

export const schemalessJsonManifest: PluginManifest = source(
  'SpoolDirSchemaLessJsonSource',
  'SpoolDirSchemaLessJsonSourceConnector',
  'JSON files as text',
  'Publishes each object of JSON files in a folder as text.',
  () => import('./schemaless-json-source.ts'),
)

export const linesManifest: PluginManifest = source(
  'SpoolDirLineDelimitedSource',
  'SpoolDirLineDelimitedSourceConnector',
  'Text files',
  'Publishes each line of the files in a folder.',
  () => import('./lines-source.ts'),
)

export const binaryManifest: PluginManifest = source(
  'SpoolDirBinaryFileSource',
  'SpoolDirBinaryFileSourceConnector',
  'Binary files',
  'Publishes each file of a folder as one record of bytes.',
  () => import('./binary-source.ts'),
)

export const sinkManifest: PluginManifest = defineManifest({
  kind: 'sink',
  name: 'SpoolDirSink',
  aliases: ['SpoolDirSinkConnector'],
  version,
  title: 'CSV and JSON files',
  summary:
    'Writes records into files of JSON lines or CSV, on the disk or by SFTP, FTP and FTPS. A file appears when it is complete.',
  stability: 'stable',
  delivery: 'exactly-once',
  load: () => import('./sink.ts'),
})

export const spooldirManifests: readonly PluginManifest[] = [
  csvManifest,
  jsonManifest,
  schemalessJsonManifest,
  linesManifest,
  binaryManifest,
  sinkManifest,
]
