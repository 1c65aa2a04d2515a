import { defineSourceConnector } from '@millrace/sdk'
import { JsonReader } from '../_shared/file-source/index.ts'
import { schemalessJsonConfig } from './config.ts'
import { schemalessJsonManifest } from './manifest.ts'
import { createFileTask, taskConfigs, validateFiles } from './source.ts'

/** Publishes the objects of JSON files as text. */
export default defineSourceConnector({
  name: schemalessJsonManifest.name,
  version: schemalessJsonManifest.version,
  aliases: schemalessJsonManifest.aliases,
  config: schemalessJsonConfig,
  validate: validateFiles,
  taskConfigs,
  createTask: (config, context) =>
    createFileTask(
      config,
      context,
      () =>
        new JsonReader(
          {
            charset: config['file.charset'],
            schemas: null,
            parser: { dateFormats: [], timeZone: 'UTC' },
            timestampField: null,
          },
          new Map(),
        ),
    ),
})
