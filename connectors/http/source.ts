import { type ConfigIssue, defineSourceConnector, type RawConfig } from '@millrace/sdk'
import { sourceManifest } from './manifest.ts'
import { config as definition, refusal } from './source-config.ts'
import { HttpSourceTask } from './source-task.ts'
import { tlsRefusal } from './tls-config.ts'

function validate(_config: unknown, raw: RawConfig): readonly ConfigIssue[] {
  return Object.entries(raw).flatMap(([key, value]) => {
    const reason = refusal(key, value) ?? tlsRefusal(key)
    return reason === undefined ? [] : [{ key, message: reason }]
  })
}

export default defineSourceConnector({
  name: sourceManifest.name,
  version: sourceManifest.version,
  aliases: sourceManifest.aliases,
  config: definition,
  validate,
  // One list has one offset, so there is one task, whatever tasks.max says.
  taskConfigs: (_config, _maxTasks, raw) => [{ ...raw }],
  createTask: (config, context) => new HttpSourceTask(config, context),
})
