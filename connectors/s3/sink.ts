import { type ConfigIssue, defineSinkConnector, type RawConfig } from '@millrace/sdk'
import { bucketIssues, storeSettings } from '../_shared/s3/index.ts'
import { ObjectStore } from '../_shared/s3/object-store.ts'
import { partitionerIssues } from '../_shared/storage-sink/index.ts'
import { sinkManifest } from './manifest.ts'
import { refusedSettings } from './refused-settings.ts'
import { type SinkConfig, sinkConfig } from './sink-config.ts'
import { s3SinkTask } from './sink-task.ts'

async function validate(config: SinkConfig, raw: RawConfig): Promise<readonly ConfigIssue[]> {
  const issues = [...refusedSettings(raw), ...partitionerIssues(config)]
  const settings = storeSettings(config)
  return [...issues, ...(await bucketIssues(new ObjectStore(settings), settings))]
}

export default defineSinkConnector({
  name: sinkManifest.name,
  version: sinkManifest.version,
  aliases: sinkManifest.aliases,
  config: sinkConfig,
  validate,
  readsJsonValue: true,
  taskConfigs: (_config, maxTasks, raw) => Array.from({ length: maxTasks }, () => ({ ...raw })),
  createTask: s3SinkTask,
})
