import { defineSourceConnector } from '@millrace/sdk'
import { bucketIssues, storeSettings } from '../_shared/s3/index.ts'
import { ObjectStore } from '../_shared/s3/object-store.ts'
import { sourceManifest } from './manifest.ts'
import { refusedSettings } from './refused-settings.ts'
import { sourceConfig } from './source-config.ts'
import { S3SourceTask, TASK_COUNT, TASK_INDEX } from './source-task.ts'

export default defineSourceConnector({
  name: sourceManifest.name,
  version: sourceManifest.version,
  aliases: sourceManifest.aliases,
  config: sourceConfig,
  async validate(config, raw) {
    const settings = storeSettings(config)
    return [...refusedSettings(raw), ...(await bucketIssues(new ObjectStore(settings), settings))]
  },
  taskConfigs: (_config, maxTasks, raw) =>
    Array.from({ length: maxTasks }, (_, index) => ({
      ...raw,
      [TASK_INDEX]: String(index),
      [TASK_COUNT]: String(maxTasks),
    })),
  createTask: (config, context) => new S3SourceTask(config, context),
})
