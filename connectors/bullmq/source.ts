import { type ConfigIssue, defineSourceConnector } from '@millrace/sdk'
import { RedisLink, redisSettings } from '../_shared/redis/index.ts'
import { bullmqSourceManifest } from './manifest.ts'
import { type BullmqSourceConfig, sourceConfig } from './source-config.ts'
import { BullmqSourceTask } from './source-task.ts'

async function validate(config: BullmqSourceConfig): Promise<readonly ConfigIssue[]> {
  const link = new RedisLink(redisSettings(config))
  try {
    await link.client()
    return []
  } catch (error) {
    return [{ key: config['redis.uri'] === '' ? 'redis.host' : 'redis.uri', message: (error as Error).message }]
  } finally {
    link.close()
  }
}

/** Reads queues: their jobs, their events, or what they hold. */
export default defineSourceConnector({
  name: bullmqSourceManifest.name,
  version: bullmqSourceManifest.version,
  aliases: bullmqSourceManifest.aliases,
  config: sourceConfig,
  validate,
  taskConfigs(config, maxTasks, raw) {
    const names = config['queue.name']
    const tasks = Math.min(maxTasks, names.length)
    return Array.from({ length: tasks }, (_, task) => ({
      ...raw,
      'queue.name': names.filter((_name, index) => index % tasks === task).join(','),
    }))
  },
  createTask: (config, context) => new BullmqSourceTask(config, context),
})
