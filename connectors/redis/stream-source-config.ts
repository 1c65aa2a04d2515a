import { type ConfigDef, defineConfig, type Parsed } from '@millrace/sdk'
import { redisConnectionConfig } from '../_shared/redis/index.ts'

const streamKeys = {
  'redis.stream.name': {
    type: 'string',
    nonEmpty: true,
    importance: 'high',
    doc: 'Name of the Redis stream to read from.',
    example: 'orders',
    group: 'Stream',
    displayName: 'Stream',
  },
  'redis.stream.offset': {
    type: 'string',
    default: '0-0',
    importance: 'medium',
    doc:
      'Stream offset to start reading from, where the consumer group does not exist yet: 0-0 is the beginning, $ only ' +
      'what comes from now on, or an id.',
    validate: (offset: string) =>
      /^(\$|\d+(-\d+)?)$/.test(offset)
        ? undefined
        : 'is no id of a stream entry; write 0-0, $ or an id such as 1700000000000-0',
    group: 'Stream',
    displayName: 'First offset',
  },
  'redis.stream.block': {
    type: 'long',
    default: 100,
    min: 1,
    max: 30_000,
    importance: 'low',
    doc: 'The max amount of time in milliseconds to wait while polling for stream messages (XREADGROUP BLOCK).',
    group: 'Stream',
    displayName: 'Block (ms)',
  },
  'redis.stream.consumer.group': {
    type: 'string',
    default: 'kafka-consumer-group',
    nonEmpty: true,
    importance: 'medium',
    doc: 'Stream consumer group. It is created when it is missing, and the stream with it.',
    group: 'Stream',
    displayName: 'Consumer group',
  },
  'redis.stream.consumer.name': {
    type: 'string',
    default: 'consumer-${task}',
    nonEmpty: true,
    importance: 'medium',
    doc: "A format string for the stream consumer, which may contain '${task}' as a placeholder for the number of the task.",
    group: 'Stream',
    displayName: 'Consumer name',
  },
  'redis.stream.delivery': {
    type: 'string',
    default: 'at-least-once',
    oneOf: ['at-least-once', 'at-most-once'],
    ignoreCase: true,
    importance: 'medium',
    doc:
      'at-least-once: entries are acknowledged (XACK) when their records are in the log. at-most-once: they count as ' +
      'done when they are read (NOACK).',
    group: 'Stream',
    displayName: 'Delivery',
  },
  'redis.stream.claim.idle.ms': {
    type: 'long',
    default: 60_000,
    min: 0,
    importance: 'medium',
    doc:
      'Entries that another consumer of the group was given this long ago and has not acknowledged are taken over ' +
      '(XAUTOCLAIM); 0 never takes any. An addition of Millrace.',
    group: 'Stream',
    displayName: 'Take over after (ms)',
  },
  'batch.size': {
    type: 'int',
    default: 500,
    min: 1,
    max: 100_000,
    importance: 'low',
    doc: 'Maximum number of records to include in a single read when polling for new data.',
    group: 'Stream',
    displayName: 'Batch size',
  },
  topic: {
    type: 'string',
    default: '${stream}',
    nonEmpty: true,
    importance: 'medium',
    doc:
      "Name of the destination topic, which may contain '${stream}' as a placeholder for the originating stream name. For " +
      "example redis_${stream} for the stream 'orders' will map to the topic name 'redis_orders'.",
    group: 'Topic',
    displayName: 'Topic',
  },
} as const satisfies ConfigDef

/** The configuration of the Redis streams source. */
export const streamSourceConfig = defineConfig({ ...streamKeys, ...redisConnectionConfig })

export type StreamSourceConfig = Parsed<typeof streamSourceConfig>

/** The name under which a task reads. */
export function consumerName(config: StreamSourceConfig, task: number): string {
  return config['redis.stream.consumer.name'].replaceAll('${task}', String(task))
}
