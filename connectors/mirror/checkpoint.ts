import { type ConfigIssue, defineSourceConnector, type RawConfig } from '@millrace/sdk'
import { type CheckpointConfig, checkpointConfig } from './checkpoint-config.ts'
import { MirrorCheckpointTask } from './checkpoint-task.ts'
import { commonIssues } from './common-config.ts'
import { giveGroups, watchGroups } from './group-monitor.ts'
import { mirrorCheckpointManifest } from './manifest.ts'
import { BYTES_AS_THEY_ARE } from './record.ts'

function validate(config: CheckpointConfig, raw: RawConfig): readonly ConfigIssue[] {
  const issues = commonIssues(raw)
  if (!config.enabled) return issues
  if (!config['emit.checkpoints.enabled']) {
    const message = 'is false, and checkpoints are all that this connector writes; remove the key or the connector'
    issues.push({ key: 'emit.checkpoints.enabled', message })
  }
  if (raw['emit.offset-syncs.enabled']?.trim().toLowerCase() === 'false') {
    const message =
      'is false, and without offset syncs nothing can be translated; remove it here and at the mirror of topics'
    issues.push({ key: 'emit.offset-syncs.enabled', message })
  }
  return issues
}

export default defineSourceConnector({
  name: mirrorCheckpointManifest.name,
  version: mirrorCheckpointManifest.version,
  aliases: mirrorCheckpointManifest.aliases,
  config: checkpointConfig,
  defaults: BYTES_AS_THEY_ARE,
  validate,
  taskConfigs: giveGroups,
  monitor: watchGroups,
  createTask: (config, context) => new MirrorCheckpointTask(config, context),
})
