import { defineSourceConnector } from '@millrace/sdk'
import { parquetReader } from '../_shared/file-source/index.ts'
import { containerConfig } from './config.ts'
import { parquetManifest } from './manifest.ts'
import { createFileTask, taskConfigs, validateFiles } from './source.ts'

/** Publishes the rows of Parquet files. */
export default defineSourceConnector({
  name: parquetManifest.name,
  version: parquetManifest.version,
  aliases: parquetManifest.aliases,
  config: containerConfig,
  validate: validateFiles,
  taskConfigs,
  createTask: (config, context) => createFileTask(config, context, () => parquetReader),
})
