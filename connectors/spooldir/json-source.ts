import { defineSourceConnector, type Schema } from '@millrace/sdk'
import { type JsonOptions, JsonReader, type ReaderFactory } from '../_shared/file-source/index.ts'
import { jsonConfig } from './config.ts'
import { jsonManifest } from './manifest.ts'
import {
  createFileTask,
  parserOptions,
  type SchemaConfig,
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
  createTask: (config, context) => createFileTask(config, context, jsonReaders(config)),
})

/** Readers of the objects of JSON files as a configuration describes them. */
export function jsonReaders(config: SchemaConfig): ReaderFactory {
  const options: JsonOptions = {
    charset: 'UTF-8',
    schemas: schemaSettings(config),
    parser: parserOptions(config),
    timestampField: timestampField(config),
  }
  const inferred = new Map<string, { readonly key: Schema | null; readonly value: Schema }>()
  return () => new JsonReader(options, inferred)
}
