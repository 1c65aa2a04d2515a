import { defineSourceConnector } from '@millrace/sdk'
import { avroReader } from '../_shared/file-source/index.ts'
import { containerConfig } from './config.ts'
import { avroManifest } from './manifest.ts'
import { createFileTask, taskConfigs, validateFiles } from './source.ts'

/** Publishes the values of Avro container files. */
export default defineSourceConnector({
  name: avroManifest.name,
  version: avroManifest.version,
  aliases: avroManifest.aliases,
  config: containerConfig,
  validate: validateFiles,
  taskConfigs,
  createTask: (config, context) => createFileTask(config, context, () => avroReader),
})
