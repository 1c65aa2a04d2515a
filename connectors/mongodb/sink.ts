import { type ConfigIssue, defineSinkConnector, type RawConfig } from '@millrace/sdk'
import { connectionIssues, refusedKeys } from './connection.ts'
import { sinkManifest } from './manifest.ts'
import { type MongoSinkConfig, sinkConfig } from './sink-config.ts'
import { MongoSinkTask } from './sink-task.ts'
import { overrideIssues } from './topic-overrides.ts'

async function validate(config: MongoSinkConfig, raw: RawConfig): Promise<readonly ConfigIssue[]> {
  const issues = [...refusedKeys(raw), ...overrideIssues(raw)]
  return issues.length > 0 ? issues : connectionIssues(config)
}

export default defineSinkConnector({
  name: sinkManifest.name,
  version: sinkManifest.version,
  aliases: sinkManifest.aliases,
  config: sinkConfig,
  validate,
  taskConfigs: (_config, maxTasks, raw) => Array.from({ length: maxTasks }, () => ({ ...raw })),
  createTask: (config, context) => new MongoSinkTask(config, context),
})
