import { defineManifest, type PluginManifest } from '@millrace/sdk'

const version = '0.1.0'
const JAVA = 'com.github.jcustenborder.kafka.connect.spooldir'

const sources = () => import('./sftp-sources.ts')

/** One of Confluent's SFTP connectors. */
const sftp = (name: string, title: string, summary: string, load: () => Promise<unknown>) =>
  defineManifest({
    kind: 'source',
    name,
    aliases: [`io.confluent.connect.sftp.${name}Connector`, `${name}Connector`],
    version,
    title,
    summary: `${summary} Takes the JSON of the Confluent connector.`,
    stability: 'stable',
    delivery: 'at-least-once',
    load: async () => ({ default: await load() }),
  })

/** `java` is the class of SpoolDir within its package, or null where SpoolDir has none. */
const source = (name: string, java: string | null, title: string, summary: string, load: () => Promise<unknown>) =>
  defineManifest({
    kind: 'source',
    name,
    aliases: [...(java === null ? [] : [`${JAVA}.${java}`]), `${name}Connector`],
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

export const avroManifest: PluginManifest = source(
  'SpoolDirAvroSource',
  'SpoolDirAvroSourceConnector',
  'Avro files',
  'Publishes the values of Avro container files in a folder, with their schemas.',
  () => import('./avro-source.ts'),
)

export const parquetManifest: PluginManifest = source(
  'SpoolDirParquetSource',
  null,
  'Parquet files',
  'Publishes the rows of Parquet files in a folder, with their schemas.',
  () => import('./parquet-source.ts'),
)

export const fixedWidthManifest: PluginManifest = source(
  'SpoolDirFixedWidthSource',
  null,
  'Fixed-width files',
  'Publishes the rows of files whose columns have fixed widths, with schemas that are given or inferred.',
  () => import('./fixed-width-source.ts'),
)

export const elfManifest: PluginManifest = source(
  'SpoolDirELFSource',
  'elf.SpoolDirELFSourceConnector',
  'Logs in the Extended Log File Format',
  'Publishes the entries of logs of web servers (W3C Extended Log File Format) in a folder.',
  () => import('./elf-source.ts'),
)

export const sftpGenericManifest: PluginManifest = sftp(
  'SftpGenericSource',
  'Files by SFTP',
  'Publishes files in a folder of an SFTP server: rows of CSV, objects of JSON, or whole files.',
  async () => (await sources()).sftpGenericSource,
)

export const sftpCsvManifest: PluginManifest = sftp(
  'SftpCsvSource',
  'CSV files by SFTP',
  'Publishes the rows of CSV files in a folder of an SFTP server.',
  async () => (await sources()).sftpCsvSource,
)

export const sftpJsonManifest: PluginManifest = sftp(
  'SftpJsonSource',
  'JSON files by SFTP',
  'Publishes the objects of JSON files in a folder of an SFTP server.',
  async () => (await sources()).sftpJsonSource,
)

export const sftpSchemalessJsonManifest: PluginManifest = sftp(
  'SftpSchemaLessJsonSource',
  'JSON files as text by SFTP',
  'Publishes each object of JSON files in a folder of an SFTP server as text.',
  async () => (await sources()).sftpSchemalessJsonSource,
)

export const sftpBinaryManifest: PluginManifest = sftp(
  'SftpBinaryFileSource',
  'Binary files by SFTP',
  'Publishes each file in a folder of an SFTP server as one record of bytes.',
  async () => (await sources()).sftpBinarySource,
)

export const ftpManifest: PluginManifest = defineManifest({
  kind: 'source',
  name: 'FtpSource',
  aliases: [
    'com.datamountaineer.streamreactor.connect.ftp.source.FtpSourceConnector',
    'io.lenses.streamreactor.connect.ftp.source.FtpSourceConnector',
    'FtpSourceConnector',
  ],
  version,
  title: 'Changing files by FTP',
  summary:
    'Publishes the bytes of files on an FTP, FTPS or SFTP server whenever they change: what was appended, or all. Takes the ' +
    'JSON of the connector of stream-reactor.',
  stability: 'preview',
  delivery: 'at-least-once',
  load: () => import('./ftp-source.ts'),
})

export const sinkManifest: PluginManifest = defineManifest({
  kind: 'sink',
  name: 'SpoolDirSink',
  aliases: ['SpoolDirSinkConnector'],
  version,
  title: 'CSV and JSON files',
  summary:
    'Writes records into files of JSON lines or CSV, on the disk, by SFTP, FTP and FTPS, or in a bucket of S3. A file appears ' +
    'when it is complete.',
  stability: 'stable',
  delivery: 'exactly-once',
  load: () => import('./sink.ts'),
})

export const ftpsSourceManifest: PluginManifest = defineManifest({
  kind: 'source',
  name: 'FtpsSource',
  aliases: ['io.confluent.connect.ftps.FtpsSourceConnector', 'FtpsSourceConnector'],
  version,
  title: 'CSV, JSON and text files by FTPS',
  summary:
    'Publishes the records of files in a folder of an FTPS server, read as their endings tell. Takes the JSON of the ' +
    'Confluent connector.',
  stability: 'stable',
  delivery: 'at-least-once',
  load: () => import('./confluent/ftps-source.ts'),
})

/** One of Confluent's sinks of files on servers. */
const serverSink = (kind: 'Sftp' | 'Ftps', load: () => Promise<unknown>) =>
  defineManifest({
    kind: 'sink',
    name: `${kind}Sink`,
    aliases: [`io.confluent.connect.${kind.toLowerCase()}.${kind}SinkConnector`, `${kind}SinkConnector`],
    version,
    title: `Files by ${kind.toUpperCase()}`,
    summary:
      `Writes records into files of Avro, JSON, CSV or Parquet on an ${kind.toUpperCase()} server, in folders by partition, ` +
      'field or time. Takes the JSON of the Confluent connector.',
    stability: 'stable',
    delivery: 'exactly-once',
    load,
  })

export const sftpSinkManifest: PluginManifest = serverSink('Sftp', () => import('./confluent/sftp-sink.ts'))

export const ftpsSinkManifest: PluginManifest = serverSink('Ftps', () => import('./confluent/ftps-sink.ts'))

export const spooldirManifests: readonly PluginManifest[] = [
  csvManifest,
  jsonManifest,
  schemalessJsonManifest,
  linesManifest,
  binaryManifest,
  avroManifest,
  parquetManifest,
  fixedWidthManifest,
  elfManifest,
  sftpGenericManifest,
  sftpCsvManifest,
  sftpJsonManifest,
  sftpSchemalessJsonManifest,
  sftpBinaryManifest,
  ftpManifest,
  ftpsSourceManifest,
  sinkManifest,
  sftpSinkManifest,
  ftpsSinkManifest,
]
