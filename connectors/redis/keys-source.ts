import { type ConfigIssue, defineSourceConnector } from '@millrace/sdk'
import { isConnectionLost, RedisLink, redisSettings } from '../_shared/redis/index.ts'
import { type KeysSourceConfig, keysSourceConfig } from './keys-source-config.ts'
import { redisKeysSourceManifest } from './manifest.ts'
import { RedisKeysTask } from './keys-task.ts'

async function validate(config: KeysSourceConfig): Promise<readonly ConfigIssue[]> {
  const link = new RedisLink(redisSettings(config))
  try {
    await link.client()
    const problem = await eventsProblem(link)
    return problem === undefined ? [] : [{ key: 'redis.keys.pattern', message: problem }]
  } catch (error) {
    return [{ key: config['redis.uri'] === '' ? 'redis.host' : 'redis.uri', message: (error as Error).message }]
  } finally {
    link.close()
  }
}

/** Without these events the source would be silent for ever. */
async function eventsProblem(link: RedisLink): Promise<string | undefined> {
  let events: string
  try {
    events = ((await link.call('CONFIG', 'GET', 'notify-keyspace-events')) as string[])[1] ?? ''
  } catch (error) {
    if (isConnectionLost(error)) throw error
    // Hosted servers often forbid CONFIG; then nobody can tell.
    return undefined
  }
  const isOn = events.includes('K') && /[Ag$lshzxetmdn]/.test(events.replaceAll('K', ''))
  return isOn
    ? undefined
    : `needs notify-keyspace-events=KEA in Redis, and it is "${events}"; run CONFIG SET notify-keyspace-events KEA`
}

/** Reads keys when they change. */
export default defineSourceConnector({
  name: redisKeysSourceManifest.name,
  version: redisKeysSourceManifest.version,
  aliases: redisKeysSourceManifest.aliases,
  config: keysSourceConfig,
  validate,
  // Every listener hears every event, so a second task would double the records.
  taskConfigs: (_config, _maxTasks, raw) => [raw],
  createTask: (config, context) => new RedisKeysTask(config, context),
})
