import { defineSourceConnector } from '@millrace/sdk'
import { BinaryReader, type ReaderFactory } from '../_shared/file-source/index.ts'
import { binaryConfig } from './config.ts'
import { binaryManifest } from './manifest.ts'
import { createFileTask, taskConfigs, validateFiles } from './source.ts'

/** Publishes each file as one value. */
export default defineSourceConnector({
  name: binaryManifest.name,
  version: binaryManifest.version,
  aliases: binaryManifest.aliases,
  config: binaryConfig,
  validate: validateFiles,
  taskConfigs,
  createTask: (config, context) => createFileTask(config, context, binaryReaders(config['file.maximum.bytes'])),
})

/** Readers of files as one value. */
export function binaryReaders(maximumBytes: number): ReaderFactory {
  return () => new BinaryReader(maximumBytes)
}
