import { defineSinkConnector, type PluginLogger } from '@millrace/sdk'
import { connectSftp, quiet } from '../connect.ts'
import { sftpSinkManifest } from '../manifest.ts'
import { type SftpSinkConfig, sftpSinkConfig } from './sftp-sink-config.ts'
import { type ServerPlace, serverSinkTask, validateServerSink } from './storage-sink.ts'

/** Requests of several files share one connection. */
const FILES_AT_ONCE = 4
const CHUNK_BYTES = 131_072

function placeOf(config: SftpSinkConfig, logger: PluginLogger): ServerPlace {
  const text = config['tls.private.key'].replaceAll('\\r', '').replaceAll('\\n', '\n')
  const key = text === '' ? config['tls.pemfile'] : text
  return {
    connect: () => connectSftp({ ...config, 'tls.pemfile': key }, CHUNK_BYTES, logger),
    folder: config['sftp.working.dir'],
    keys: { server: 'sftp.host', folder: 'sftp.working.dir' },
    topicsFolder: config['topics.dir'],
    compression: config['sftp.compression.type'],
    concurrency: FILES_AT_ONCE,
  }
}

/** Writes records into files on an SFTP server. */
export default defineSinkConnector({
  name: sftpSinkManifest.name,
  version: sftpSinkManifest.version,
  aliases: sftpSinkManifest.aliases,
  config: sftpSinkConfig,
  readsJsonValue: true,
  validate: (config, raw) => validateServerSink(config, raw, placeOf(config, quiet)),
  taskConfigs: (_config, maxTasks, raw) => Array.from({ length: maxTasks }, () => ({ ...raw })),
  createTask: (config, context) => serverSinkTask(config, placeOf(config, context.logger), context),
})
