import { type ConfigIssue, defineSinkConnector, type RawConfig } from '@millrace/sdk'
import { bucketIssues } from '../../_shared/s3/index.ts'
import { ObjectStore } from '../../_shared/s3/object-store.ts'
import { aivenSinkManifest } from '../manifest.ts'
import { aivenSinkConfig, type AivenSinkConfig, refusedSettings } from './config.ts'
import { AivenSinkTask } from './sink-task.ts'
import { aivenStoreSettings } from './store-settings.ts'

const KEYS = {
  bucket: 'aws.s3.bucket.name',
  region: 'aws.s3.region',
  accessKey: 'aws.access.key.id',
  url: 'aws.s3.endpoint',
}

async function validate(config: AivenSinkConfig, raw: RawConfig): Promise<readonly ConfigIssue[]> {
  const settings = aivenStoreSettings(config)
  return [...refusedSettings(raw), ...(await bucketIssues(new ObjectStore(settings), settings, KEYS))]
}

export default defineSinkConnector({
  name: aivenSinkManifest.name,
  version: aivenSinkManifest.version,
  aliases: aivenSinkManifest.aliases,
  config: aivenSinkConfig,
  validate,
  taskConfigs: (_config, maxTasks, raw) => Array.from({ length: maxTasks }, () => ({ ...raw })),
  createTask: (config, context) => new AivenSinkTask(config, context),
})
