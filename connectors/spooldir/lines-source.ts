import { defineSourceConnector } from '@millrace/sdk'
import { LinesReader } from '../_shared/file-source/index.ts'
import { linesConfig } from './config.ts'
import { linesManifest } from './manifest.ts'
import { createFileTask, taskConfigs, validateFiles } from './source.ts'

/** Publishes the lines of text files. */
export default defineSourceConnector({
  name: linesManifest.name,
  version: linesManifest.version,
  aliases: linesManifest.aliases,
  config: linesConfig,
  validate: validateFiles,
  taskConfigs,
  createTask: (config, context) => createFileTask(config, context, () => new LinesReader(config['file.charset'])),
})
