import { type ConfigIssue, defineSinkConnector, type RawConfig } from '@millrace/sdk'
import { connect } from './client.ts'
import { config as definition, type ElasticsearchConfig } from './config.ts'
import { refusal } from './connection-config.ts'
import { manifest } from './manifest.ts'
import { ElasticsearchSinkTask } from './sink-task.ts'

async function validate(config: ElasticsearchConfig, raw: RawConfig): Promise<readonly ConfigIssue[]> {
  const issues: ConfigIssue[] = []
  for (const [key, value] of Object.entries(raw)) {
    const reason = refusal(key, value)
    if (reason !== undefined) issues.push({ key, message: reason })
  }
  const unmapped = unmappedTopic(config, raw)
  if (unmapped !== undefined) {
    const message = `has no entry for the topic "${unmapped}"; add ${unmapped}:<resource>`
    issues.push({ key: 'topic.to.external.resource.mapping', message })
  }
  if (issues.length > 0) return issues
  try {
    await (await connect(config)).close()
    return []
  } catch (error) {
    const { key, message } = error as { key?: unknown; message: string }
    return [{ key: typeof key === 'string' ? key : 'connection.url', message }]
  }
}

function unmappedTopic(config: ElasticsearchConfig, raw: RawConfig): string | undefined {
  if (config['external.resource.usage'] === 'disabled') return undefined
  const mapped = new Set(config['topic.to.external.resource.mapping'].map((entry) => entry.trim().split(':')[0]))
  const topics = (raw['topics'] ?? '').split(',').map((topic) => topic.trim())
  return topics.find((topic) => topic !== '' && !mapped.has(topic))
}

export default defineSinkConnector({
  name: manifest.name,
  version: manifest.version,
  aliases: manifest.aliases,
  config: definition,
  validate,
  readsJsonValue: true,
  taskConfigs: (_config, maxTasks, raw) => Array.from({ length: maxTasks }, () => ({ ...raw })),
  createTask: (config, context) => new ElasticsearchSinkTask(config, context),
})
