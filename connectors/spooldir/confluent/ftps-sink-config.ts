import { defineConfig, type Parsed } from '@millrace/sdk'
import { ftpsKeys } from './ftps-keys.ts'
import { storageSinkKeys } from './storage-sink-config.ts'

/** The options of FtpsSink: those of Confluent's FTPS sink, and the partitioners of its SFTP sink. */
export const ftpsSinkConfig = defineConfig({
  ...ftpsKeys,
  'ftps.working.dir': {
    type: 'string',
    nonEmpty: true,
    importance: 'high',
    doc: 'The folder on the server that the folders of topics are in. It must exist and be writable.',
    group: 'Files',
  },
  'ftps.compression.type': {
    type: 'string',
    default: 'none',
    oneOf: ['none', 'gzip'],
    ignoreCase: true,
    importance: 'low',
    doc: 'Whether files of JSON, CSV, TSV and bytes are compressed; names then end with .gz.',
    group: 'Format',
  },
  ...storageSinkKeys,
})

export type FtpsSinkConfig = Parsed<typeof ftpsSinkConfig>
