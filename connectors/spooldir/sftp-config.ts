import { type ConfigDef, defineConfig } from '@millrace/sdk'
import { binaryConfig, csvConfig, jsonConfig, schemalessJsonConfig } from './config.ts'

/** Options of Confluent's SFTP connectors that are called or work otherwise than those of SpoolDir. */
const sftpKeys = {
  topic: { ...csvConfig.topic, aliases: ['kafka.topic'] },
  'file.system': {
    ...csvConfig['file.system'],
    default: 'sftp',
    oneOf: ['sftp'],
    doc: 'Where the folders are: on a server that is reached by SFTP.',
  },
  'empty.poll.wait.ms': { ...csvConfig['empty.poll.wait.ms'], default: 250 },
  'behavior.on.error': {
    type: 'string',
    default: 'FAIL',
    oneOf: ['FAIL', 'IGNORE', 'LOG'],
    ignoreCase: true,
    importance: 'high',
    doc:
      'What to do about a file that cannot be read: fail the task, or put the file into `error.path`, log it and read the ' +
      'next. `halt.on.error` counts where both are set.',
    group: 'File System',
  },
} as const satisfies ConfigDef

/** The options of SftpGenericSource: those of the four below, and which of them it is. */
export const sftpGenericConfig = defineConfig({
  ...csvConfig,
  'file.maximum.bytes': binaryConfig['file.maximum.bytes'],
  ...sftpKeys,
  'input.file.parser.format': {
    type: 'string',
    default: 'JSON',
    oneOf: ['JSON', 'CSV', 'SCHEMALESS_JSON', 'BINARY'],
    ignoreCase: true,
    importance: 'high',
    doc: 'How files are read: objects of JSON with schemas or as text, rows of CSV, or each file as one value.',
    group: 'General',
  },
})

/** The options of SftpCsvSource. */
export const sftpCsvConfig = defineConfig({ ...csvConfig, ...sftpKeys })

/** The options of SftpJsonSource. */
export const sftpJsonConfig = defineConfig({ ...jsonConfig, ...sftpKeys })

/** The options of SftpSchemaLessJsonSource. */
export const sftpSchemalessJsonConfig = defineConfig({ ...schemalessJsonConfig, ...sftpKeys })

/** The options of SftpBinaryFileSource. */
export const sftpBinaryConfig = defineConfig({ ...binaryConfig, ...sftpKeys })
