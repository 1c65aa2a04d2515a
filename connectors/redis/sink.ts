import { type ConfigIssue, defineSinkConnector } from '@millrace/sdk'
import { RedisLink, redisSettings } from '../_shared/redis/index.ts'
import { redisSinkManifest } from './manifest.ts'
import { moduleProblem } from './modules.ts'
import { type SinkConfig, sinkConfig } from './sink-config.ts'
import { RedisSinkTask } from './sink-task.ts'

async function validate(config: SinkConfig): Promise<readonly ConfigIssue[]> {
  const link = new RedisLink(redisSettings(config))
  try {
    await link.client()
    const problem = await moduleProblem(link, config['redis.type'])
    return problem === undefined ? [] : [{ key: 'redis.type', message: problem }]
  } catch (error) {
    return [{ key: config['redis.uri'] === '' ? 'redis.host' : 'redis.uri', message: (error as Error).message }]
  } finally {
    link.close()
  }
}

/** Writes records into Redis. */
export default defineSinkConnector({
  name: redisSinkManifest.name,
  version: redisSinkManifest.version,
  aliases: redisSinkManifest.aliases,
  config: sinkConfig,
  validate,
  taskConfigs: (_config, maxTasks, raw) => Array.from({ length: maxTasks }, () => raw),
  createTask: (config, context) => new RedisSinkTask(config, context, redisSettings(config)),
})
