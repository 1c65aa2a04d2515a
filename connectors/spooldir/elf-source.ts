import { defineSourceConnector } from '@millrace/sdk'
import { ExtendedLogReader } from '../_shared/file-source/index.ts'
import { containerConfig } from './config.ts'
import { elfManifest } from './manifest.ts'
import { createFileTask, taskConfigs, validateFiles } from './source.ts'

/** Publishes the entries of logs in the Extended Log File Format. */
export default defineSourceConnector({
  name: elfManifest.name,
  version: elfManifest.version,
  aliases: elfManifest.aliases,
  config: containerConfig,
  validate: validateFiles,
  taskConfigs,
  createTask(config, context) {
    const plans: ConstructorParameters<typeof ExtendedLogReader>[0] = new Map()
    return createFileTask(config, context, () => new ExtendedLogReader(plans))
  },
})
