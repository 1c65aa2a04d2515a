import { type ConfigDef, defineConfig, type Parsed } from '@millrace/sdk'
import { redisConnectionConfig } from '../_shared/redis/index.ts'

type All = Readonly<Record<string, unknown>>

const keysKeys = {
  'redis.keys.pattern': {
    type: 'string',
    default: '*',
    nonEmpty: true,
    importance: 'medium',
    doc: 'Keyspace glob-style pattern to subscribe to.',
    validate: (_: string, all: All) =>
      all['redis.cluster'] === true
        ? 'cannot be watched with redis.cluster, for each node tells only of its own keys; run a connector for each node'
        : undefined,
    group: 'Keys',
    displayName: 'Pattern',
  },
  mode: {
    type: 'string',
    default: 'LIVE',
    oneOf: ['LIVE', 'LIVEONLY'],
    ignoreCase: true,
    importance: 'medium',
    doc: 'Key reading mode. Use LIVE for snapshot + updates, LIVEONLY for just updates.',
    group: 'Keys',
    displayName: 'Mode',
  },
  'redis.keys.timeout': {
    type: 'long',
    default: 0,
    min: 0,
    importance: 'low',
    doc: 'Idle timeout in millis: the task is finished when nothing changed for so long. Use 0 to disable.',
    group: 'Keys',
    displayName: 'Idle timeout (ms)',
  },
  'batch.size': {
    type: 'int',
    default: 500,
    min: 1,
    max: 10_000,
    importance: 'low',
    doc: 'Maximum number of records to include in a single read when polling for new data.',
    group: 'Keys',
    displayName: 'Batch size',
  },
  topic: {
    type: 'string',
    default: 'rediskeys',
    nonEmpty: true,
    importance: 'medium',
    doc: 'Name of the destination topic.',
    group: 'Topic',
    displayName: 'Topic',
  },
} as const satisfies ConfigDef

/** The configuration of the Redis keys source. */
export const keysSourceConfig = defineConfig({ ...keysKeys, ...redisConnectionConfig })

export type KeysSourceConfig = Parsed<typeof keysSourceConfig>
