import { defineSourceConnector, type Schema } from '@millrace/sdk'
import { type JsonOptions, JsonReader } from '../_shared/file-source/index.ts'
import { jsonConfig } from './config.ts'
import { jsonManifest } from './manifest.ts'
import {
  createFileTask,
  parserOptions,
  schemaProblems,
  schemaSettings,
  taskConfigs,
  timestampField,
  validateFiles,
} from './source.ts'

/** Publishes the objects of JSON files. */
export default defineSourceConnector({
  name: jsonManifest.name,
  version: jsonManifest.version,
  aliases: jsonManifest.aliases,
  config: jsonConfig,
  validate: async (config, raw) => [...schemaProblems(config), ...(await validateFiles(config, raw))],
  taskConfigs,
  createTask(config, context) {
    const options: JsonOptions = {
      charset: 'UTF-8',
      schemas: schemaSettings(config),
      parser: parserOptions(config),
      timestampField: timestampField(config),
    }
    const inferred = new Map<string, { readonly key: Schema | null; readonly value: Schema }>()
    return createFileTask(config, context, () => new JsonReader(options, inferred))
  },
})
