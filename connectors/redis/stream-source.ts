import { type ConfigIssue, defineSourceConnector, type RawConfig } from '@millrace/sdk'
import { RedisLink, redisSettings } from '../_shared/redis/index.ts'
import { redisStreamSourceManifest } from './manifest.ts'
import { type StreamSourceConfig, streamSourceConfig } from './stream-source-config.ts'
import { RedisStreamTask } from './stream-task.ts'

async function validate(config: StreamSourceConfig, raw: RawConfig): Promise<readonly ConfigIssue[]> {
  if (Number(raw['tasks.max'] ?? 1) > 1 && !config['redis.stream.consumer.name'].includes('${task}')) {
    const message = 'has to contain ${task} with tasks.max above 1, or the tasks would be one and the same consumer'
    return [{ key: 'redis.stream.consumer.name', message }]
  }
  const link = new RedisLink(redisSettings(config))
  try {
    const type = await link.call('TYPE', config['redis.stream.name'])
    if (type === 'stream' || type === 'none') return []
    return [{ key: 'redis.stream.name', message: `is a ${String(type)} in Redis and no stream; name a stream` }]
  } catch (error) {
    return [{ key: config['redis.uri'] === '' ? 'redis.host' : 'redis.uri', message: (error as Error).message }]
  } finally {
    link.close()
  }
}

/** Reads a stream as consumers of one group. */
export default defineSourceConnector({
  name: redisStreamSourceManifest.name,
  version: redisStreamSourceManifest.version,
  aliases: redisStreamSourceManifest.aliases,
  config: streamSourceConfig,
  validate,
  taskConfigs: (_config, maxTasks, raw) =>
    Array.from({ length: maxTasks }, (_, task) => ({
      ...raw,
      'task.id': String(task),
      'task.count': String(maxTasks),
    })),
  createTask: (config, context) => new RedisStreamTask(config, context),
})
