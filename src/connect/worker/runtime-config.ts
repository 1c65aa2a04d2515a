import { defineConfig, parseConfigOrThrow, type RawConfig } from '@millrace/sdk'
import { requiredLabelsConfig } from '../config/worker-labels.ts'
import { commonWorkerConfig } from '../config/worker-config.ts'
import { restartPolicyConfig, type RestartPolicy } from './restart-policy.ts'

/** Keys of Millrace's own that every connector may set beside Kafka Connect's. */
export const runtimeConnectorConfig = defineConfig({
  ...restartPolicyConfig,
  'offset.flush.interval.ms': {
    type: 'long',
    default: null,
    min: 1,
    importance: 'low',
    doc: "How often the offsets of this connector's tasks are committed; left out, as often as the worker's offset.flush.interval.ms says.",
    group: 'Common',
    order: 15,
    width: 'short',
    displayName: 'Offset Flush Interval',
  },
  ...requiredLabelsConfig,
})

/** What tasks take of the worker's properties. */
const taskWorkerConfig = defineConfig({
  'offset.flush.interval.ms': commonWorkerConfig['offset.flush.interval.ms'],
  'offset.flush.timeout.ms': commonWorkerConfig['offset.flush.timeout.ms'],
  'task.shutdown.graceful.timeout.ms': commonWorkerConfig['task.shutdown.graceful.timeout.ms'],
  'topic.creation.enable': commonWorkerConfig['topic.creation.enable'],
})

/** The restart policy of a connector; throws ConfigError for a bad value. */
export function restartPolicyOf(raw: RawConfig): RestartPolicy {
  const config = parseConfigOrThrow(restartPolicyConfig, raw)
  return {
    policy: config['restart.policy'],
    backoffMs: config['restart.backoff.ms'],
    backoffMaxMs: config['restart.backoff.max.ms'],
    maxAttempts: config['restart.max.attempts'],
    resetMs: config['restart.reset.ms'],
  }
}

export interface TaskTiming {
  readonly flushIntervalMs: number
  readonly flushTimeoutMs: number
  readonly shutdownTimeoutMs: number
  readonly topicCreation: boolean
}

/** How long tasks of a worker get to stop, all together. */
export function shutdownTimeoutOf(worker: RawConfig): number {
  return parseConfigOrThrow(taskWorkerConfig, worker)['task.shutdown.graceful.timeout.ms']
}

/** How a task times its commits and its end. */
export function taskTimingOf(worker: RawConfig, connector: RawConfig): TaskTiming {
  const defaults = parseConfigOrThrow(taskWorkerConfig, worker)
  const own = parseConfigOrThrow(runtimeConnectorConfig, connector)
  return {
    flushIntervalMs: own['offset.flush.interval.ms'] ?? defaults['offset.flush.interval.ms'],
    flushTimeoutMs: defaults['offset.flush.timeout.ms'],
    shutdownTimeoutMs: defaults['task.shutdown.graceful.timeout.ms'],
    topicCreation: defaults['topic.creation.enable'],
  }
}
