import { type ConfigIssue, defineSinkConnector } from '@millrace/sdk'
import { RedisLink } from '../_shared/redis/index.ts'
import {
  type KeyValueSinkConfig,
  keyValueSettings,
  keyValueSinkConfig,
  keyValueTaskConfig,
} from './key-value-config.ts'
import { redisKeyValueSinkManifest } from './manifest.ts'
import { RedisSinkTask } from './sink-task.ts'

async function validate(config: KeyValueSinkConfig): Promise<readonly ConfigIssue[]> {
  const link = new RedisLink(keyValueSettings(config))
  try {
    await link.client()
    return []
  } catch (error) {
    return [{ key: 'redis.hosts', message: (error as Error).message }]
  } finally {
    link.close()
  }
}

/** Sets keys to values, and deletes those without one. */
export default defineSinkConnector({
  name: redisKeyValueSinkManifest.name,
  version: redisKeyValueSinkManifest.version,
  aliases: redisKeyValueSinkManifest.aliases,
  config: keyValueSinkConfig,
  validate,
  taskConfigs: (_config, maxTasks, raw) => Array.from({ length: maxTasks }, () => raw),
  createTask: (config, context) => new RedisSinkTask(keyValueTaskConfig(config), context, keyValueSettings(config)),
})
