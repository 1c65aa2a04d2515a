import { defineSourceConnector } from '@millrace/sdk'
import { JsonReader, type ReaderFactory } from '../_shared/file-source/index.ts'
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
  createTask: (config, context) => createFileTask(config, context, jsonTextReaders(config['file.charset'])),
})

/** Readers of the objects of JSON files as text. */
export function jsonTextReaders(charset: string): ReaderFactory {
  const parser = { dateFormats: [], timeZone: 'UTC' }
  return () => new JsonReader({ charset, schemas: null, parser, timestampField: null }, new Map())
}
