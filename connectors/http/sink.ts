import { type ConfigIssue, defineSinkConnector, type RawConfig } from '@millrace/sdk'
import { sinkManifest } from './manifest.ts'
import { config as definition, refusal } from './sink-config.ts'
import { HttpSinkTask } from './sink-task.ts'
import { tlsRefusal } from './tls-config.ts'

function validate(_config: unknown, raw: RawConfig): readonly ConfigIssue[] {
  return Object.entries(raw).flatMap(([key, value]) => {
    const reason = refusal(key, value) ?? tlsRefusal(key)
    return reason === undefined ? [] : [{ key, message: reason }]
  })
}

export default defineSinkConnector({
  name: sinkManifest.name,
  version: sinkManifest.version,
  aliases: sinkManifest.aliases,
  config: definition,
  validate,
  taskConfigs: (_config, maxTasks, raw) => Array.from({ length: maxTasks }, () => ({ ...raw })),
  createTask: (config, context) => new HttpSinkTask(config, context),
})
