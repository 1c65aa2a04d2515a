import { defineSinkConnector } from '@millrace/sdk'
import { ftpsSinkManifest } from '../manifest.ts'
import { connectFtps, refusedFtpsSettings } from './ftps-keys.ts'
import { type FtpsSinkConfig, ftpsSinkConfig } from './ftps-sink-config.ts'
import { type ServerPlace, serverSinkTask, validateServerSink } from './storage-sink.ts'

const CHUNK_BYTES = 131_072

function placeOf(config: FtpsSinkConfig): ServerPlace {
  return {
    connect: () => connectFtps(config, CHUNK_BYTES),
    folder: config['ftps.working.dir'],
    keys: { server: 'ftps.host', folder: 'ftps.working.dir' },
    topicsFolder: '',
    compression: config['ftps.compression.type'],
    // A connection by FTP does one thing at a time.
    concurrency: 1,
  }
}

/** Writes records into files on an FTPS server. */
export default defineSinkConnector({
  name: ftpsSinkManifest.name,
  version: ftpsSinkManifest.version,
  aliases: ftpsSinkManifest.aliases,
  config: ftpsSinkConfig,
  readsJsonValue: true,
  validate: async (config, raw) => [
    ...refusedFtpsSettings(raw),
    ...(await validateServerSink(config, raw, placeOf(config))),
  ],
  taskConfigs: (_config, maxTasks, raw) => Array.from({ length: maxTasks }, () => ({ ...raw })),
  createTask: (config, context) => serverSinkTask(config, placeOf(config), context),
})
