import { type ConfigIssue, defineSourceConnector, type RawConfig } from '@millrace/sdk'
import { connectionIssues, refusedKeys } from './connection.ts'
import { sourceManifest } from './manifest.ts'
import { type MongoSourceConfig, sourceConfig } from './source-config.ts'
import { MongoSourceTask } from './source-task.ts'

async function validate(config: MongoSourceConfig, raw: RawConfig): Promise<readonly ConfigIssue[]> {
  const issues = refusedKeys(raw)
  return issues.length > 0 ? issues : connectionIssues(config)
}

export default defineSourceConnector({
  name: sourceManifest.name,
  version: sourceManifest.version,
  aliases: sourceManifest.aliases,
  config: sourceConfig,
  validate,
  // A change stream has one order, so one task reads it.
  taskConfigs: (_config, _maxTasks, raw) => [{ ...raw }],
  createTask: (config, context) => new MongoSourceTask(config, context),
})
