import { type ConfigIssue, defineSourceConnector, type RawConfig } from '@millrace/sdk'
import { commonIssues } from './common-config.ts'
import { mirrorSourceManifest } from './manifest.ts'
import { type SourceConfig, sourceConfig } from './source-config.ts'
import { MirrorSourceTask } from './source-task.ts'
import { BYTES_AS_THEY_ARE } from './record.ts'
import { givePartitions, watchTopics } from './topic-monitor.ts'

function validate(config: SourceConfig, raw: RawConfig): readonly ConfigIssue[] {
  const issues = commonIssues(raw)
  const sets = Object.keys(raw).find((key) => key.startsWith('offset-syncs-') || key.startsWith('offset-syncs.topic.'))
  if (!config['emit.offset-syncs.enabled'] && sets !== undefined) {
    const message = `is false, and ${sets} sets up what it switches off; remove one of the two`
    issues.push({ key: 'emit.offset-syncs.enabled', message })
  }
  return issues
}

export default defineSourceConnector({
  name: mirrorSourceManifest.name,
  version: mirrorSourceManifest.version,
  aliases: mirrorSourceManifest.aliases,
  config: sourceConfig,
  defaults: BYTES_AS_THEY_ARE,
  validate,
  taskConfigs: givePartitions,
  monitor: watchTopics,
  createTask: (config, context) => new MirrorSourceTask(config, context),
})
