import { defineConfig, type Parsed } from '@millrace/sdk'
import { namingKeys } from '../../_shared/storage-sink/index.ts'
import { placeKeys } from '../remote-config.ts'
import { storageSinkKeys } from './storage-sink-config.ts'

/** The options of SftpSink: those of Confluent's SFTP sink. */
export const sftpSinkConfig = defineConfig({
  'sftp.host': { ...placeKeys['sftp.host'], default: '127.0.0.1' },
  'sftp.port': placeKeys['sftp.port'],
  'sftp.username': {
    type: 'string',
    nonEmpty: true,
    importance: 'high',
    doc: placeKeys['sftp.username'].doc,
    group: 'Connection',
  },
  'sftp.password': placeKeys['sftp.password'],
  'tls.private.key': {
    type: 'password',
    default: '',
    importance: 'low',
    doc: 'The private key that logs in, as PEM text; ends of lines may be written as \\r\\n or \\n.',
    group: 'Connection',
  },
  'tls.public.key': {
    type: 'password',
    default: '',
    importance: 'low',
    doc: 'Accepted without effect: the private key tells the public one.',
    group: 'Connection',
  },
  'tls.pemfile': placeKeys['tls.pemfile'],
  'tls.passphrase': placeKeys['tls.passphrase'],
  'sftp.host.fingerprint': placeKeys['sftp.host.fingerprint'],
  'sftp.working.dir': {
    type: 'string',
    default: '/home',
    nonEmpty: true,
    importance: 'high',
    doc: 'The folder on the server that all files are below. It must exist and be writable.',
    group: 'Files',
  },
  'topics.dir': {
    ...namingKeys['topics.dir'],
    doc: 'The folder in it that the folders of topics are in; empty for none.',
  },
  'sftp.compression.type': {
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

export type SftpSinkConfig = Parsed<typeof sftpSinkConfig>
