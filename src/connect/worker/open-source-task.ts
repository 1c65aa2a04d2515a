import { parseConfigOrThrow, type SourceConnector, type SourceRecord } from '@millrace/sdk'
import { parseSourceConnectorConfig } from '../config/connector-config.ts'
import { adminConfig, producerConfig } from './client-configs.ts'
import type { ErrorOperator } from './error-operator.ts'
import { createOffsetReader, createStoreWriter, createTopicWriter } from './offset-access.ts'
import { OffsetCommitter } from './offset-committer.ts'
import { PacedLogs } from './paced-logs.ts'
import { taskTimingOf } from './runtime-config.ts'
import { type InFlightRecord, SourcePipeline } from './source-pipeline.ts'
import { type OpenSourceTask, type SourceTaskHooks, SourceTaskRunner } from './source-task-runner.ts'
import { SubmittedRecords } from './submitted-records.ts'
import { TaskCounters } from './task-metrics.ts'
import { createChain, createConverters } from './task-plugins.ts'
import { createErrorOperator, type TaskSetup } from './task-setup.ts'
import { TopicCreation, topicCreationRule } from './topic-creation.ts'

/** Makes the runner of a source task; nothing of the plugin runs before `run`. */
export function createSourceTaskRunner(setup: TaskSetup, definition: SourceConnector): SourceTaskRunner {
  const { id, environment, connectorConfig } = setup
  const counters = new TaskCounters(environment.clock.monotonicMs())
  let errors: ErrorOperator | undefined
  return new SourceTaskRunner({
    id,
    target: setup.target,
    environment,
    events: setup.events,
    counters,
    version: definition.version,
    tolerates: (batch) => {
      const source = { topic: batch.topic, record: null }
      const about = { stage: 'KAFKA_PRODUCE' as const, className: 'Producer', consumed: null, source }
      return errors?.tolerateProduceFailure(about, batch.error, batch.recordCount) ?? false
    },
    open: async (hooks) => {
      const framework = parseSourceConnectorConfig(connectorConfig)
      errors = createErrorOperator(setup, framework, hooks, null)
      return openSourceTask(setup, definition, hooks, errors, framework['errors.tolerance'] === 'all')
    },
  })
}

async function openSourceTask(
  { id, environment, connectorConfig, taskConfig }: TaskSetup,
  definition: SourceConnector,
  hooks: SourceTaskHooks,
  errors: ErrorOperator,
  passFailed: boolean,
): Promise<OpenSourceTask> {
  const { clients, pluginClients, clock, logger, workerConfig, offsets, offsetsTopic, registry } = environment
  const timing = taskTimingOf(workerConfig, connectorConfig)
  const config = parseConfigOrThrow(definition.config, taskConfig)
  const rule = timing.topicCreation ? topicCreationRule(connectorConfig) : null
  const logs = new PacedLogs(logger, clock)
  const converters = await createConverters(registry, connectorConfig, workerConfig, logs)
  const chain = await createChain<SourceRecord>(registry, connectorConfig, logs)
  const task = definition.createTask(config, {
    connectorName: id.connector,
    taskId: id.task,
    logger,
    raw: taskConfig,
    kafka: pluginClients.kafka,
    offsets: createOffsetReader(id.connector, offsets),
  })
  const producer = clients.producer(producerConfig(workerConfig, connectorConfig, id), hooks.onBatchDone)
  const admin = rule === null ? null : clients.admin(adminConfig(workerConfig, connectorConfig, id))
  const submitted = new SubmittedRecords({ passFailed })
  const inFlight: InFlightRecord[] | null = task.commitRecord ? [] : null
  const { counters, onTopicUsed } = hooks
  const topics = rule === null || admin === null ? null : new TopicCreation(rule, admin)
  const write =
    offsetsTopic === null
      ? createStoreWriter(id.connector, offsets)
      : createTopicWriter(id.connector, offsetsTopic, producer)
  return {
    task,
    pipeline: new SourcePipeline({
      chain,
      converters,
      producer,
      submitted,
      errors,
      topics,
      counters,
      onTopicUsed,
      inFlight,
    }),
    committer: new OffsetCommitter({ submitted, write, timeoutMs: timing.flushTimeoutMs, clock, logger, counters }),
    producer,
    admin,
    inFlight,
    flushIntervalMs: timing.flushIntervalMs,
    flushTimeoutMs: timing.flushTimeoutMs,
    shutdownTimeoutMs: timing.shutdownTimeoutMs,
    closePlugins: async () => {
      chain.close()
      logs.close()
      await pluginClients.close()
    },
  }
}
