import { defineConfig, parseConfigOrThrow, type RawConfig } from '@millrace/sdk'
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
})

/** What tasks take of the worker's properties; all with Kafka's names and defaults but for those of task hosts. */
export const taskWorkerConfig = defineConfig({
  'offset.flush.interval.ms': {
    type: 'long',
    default: 60_000,
    min: 1,
    importance: 'low',
    doc: 'Interval at which to try committing offsets for tasks.',
  },
  'offset.flush.timeout.ms': {
    type: 'long',
    default: 5000,
    min: 1,
    importance: 'low',
    doc: 'Maximum number of milliseconds to wait for records to flush and partition offset data to be committed.',
  },
  'task.shutdown.graceful.timeout.ms': {
    type: 'long',
    default: 5000,
    min: 1,
    importance: 'low',
    doc: 'Amount of time to wait for tasks to shutdown gracefully. This is the total amount of time, not per task.',
  },
  'topic.creation.enable': {
    type: 'boolean',
    default: true,
    importance: 'low',
    doc: 'Whether to allow automatic creation of topics used by source connectors.',
  },
})

/** The keys of task hosts, Millrace's own additions to the worker's properties. */
export const taskHostConfig = defineConfig({
  'task.host.count': {
    type: 'int',
    default: 0,
    min: 0,
    importance: 'low',
    doc: 'How many processes share the tasks of the built-in connectors, and at most how many those of one plugin package. 0: one for each processor core.',
  },
  'task.host.memory.max.mb': {
    type: 'int',
    default: 1024,
    min: 64,
    importance: 'low',
    doc: 'A task host whose resident memory grows beyond this many megabytes is killed and the task to blame is found by splitting its tasks.',
  },
  'task.host.stall.timeout.ms': {
    type: 'long',
    default: 10_000,
    min: 100,
    importance: 'low',
    doc: 'A task host whose main loop stands still so long is killed; the task whose code it stands in is restarted in a host of its own, and fails when it stalls again.',
  },
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
