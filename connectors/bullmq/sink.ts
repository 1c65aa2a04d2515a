import { type ConfigIssue, defineSinkConnector } from '@millrace/sdk'
import { RedisLink, redisSettings } from '../_shared/redis/index.ts'
import { constantProblems } from './jobs.ts'
import { bullmqSinkManifest } from './manifest.ts'
import { type BullmqSinkConfig, sinkConfig } from './sink-config.ts'
import { BullmqSinkTask } from './sink-task.ts'

async function validate(config: BullmqSinkConfig): Promise<readonly ConfigIssue[]> {
  const issues = constantProblems(config)
  const link = new RedisLink(redisSettings(config))
  try {
    await link.client()
  } catch (error) {
    issues.push({ key: config['redis.uri'] === '' ? 'redis.host' : 'redis.uri', message: (error as Error).message })
  } finally {
    link.close()
  }
  return issues
}

/** Adds a job for each record. */
export default defineSinkConnector({
  name: bullmqSinkManifest.name,
  version: bullmqSinkManifest.version,
  aliases: bullmqSinkManifest.aliases,
  config: sinkConfig,
  validate,
  taskConfigs: (_config, maxTasks, raw) => Array.from({ length: maxTasks }, () => raw),
  createTask: (config, context) => new BullmqSinkTask(config, context),
})
