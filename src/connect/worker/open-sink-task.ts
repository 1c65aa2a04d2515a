import {
  ConfigError,
  ConnectError,
  type ErrantRecordReporter,
  parseConfigOrThrow,
  type RawConfig,
  type SinkConnector,
  type SinkRecord,
  type SinkTaskContext,
  compileRegex,
} from '@millrace/sdk'
import { parseSinkConnectorConfig, type SinkConnectorConfig } from '../config/connector-config.ts'
import { adminConfig, consumerClientId, consumerConfig, producerConfig } from './client-configs.ts'
import { createDeadLetterQueue, ensureDeadLetterTopic } from './dead-letter-queue.ts'
import type { ErrorOperator, ErrorReporter } from './error-operator.ts'
import type { IncomingRecord, LogProducer, Subscription } from './log-clients.ts'
import { PacedLogs } from './paced-logs.ts'
import { taskTimingOf } from './runtime-config.ts'
import type { SinkOffsets } from './sink-offsets.ts'
import { SinkPipeline } from './sink-pipeline.ts'
import { type OpenSinkTask, type SinkTaskHooks, SinkTaskRunner } from './sink-task-runner.ts'
import { TaskCounters } from './task-metrics.ts'
import { createChain, createConverters } from './task-plugins.ts'
import { createErrorOperator, type TaskSetup } from './task-setup.ts'
import { createTopicPublisher } from './topic-publisher.ts'

/** Makes the runner of a sink task; nothing of the plugin runs before `run`. */
export function createSinkTaskRunner(setup: TaskSetup, definition: SinkConnector): SinkTaskRunner {
  const { id, environment, events, target } = setup
  const counters = new TaskCounters(environment.clock.monotonicMs())
  const { version } = definition
  const open = (hooks: SinkTaskHooks) => openSinkTask(setup, definition, hooks)
  return new SinkTaskRunner({ id, target, environment, events, counters, version, open })
}

function subscriptionOf(framework: SinkConnectorConfig): Subscription {
  const { topics, 'topics.regex': regex } = framework
  if (topics.length > 0) return { topics, pattern: null }
  if (regex === '') throw new ConfigError('Must configure one of topics or topics.regex', { key: 'topics' })
  const { source, flags } = compileRegex(regex)
  // Java's Pattern.matches: the whole name.
  return { topics: [], pattern: new RegExp(`^(?:${source})$`, flags) }
}

async function openSinkTask(setup: TaskSetup, definition: SinkConnector, hooks: SinkTaskHooks): Promise<OpenSinkTask> {
  const { id, environment, connectorConfig, taskConfig } = setup
  const { clients, workerConfig, registry } = environment
  const framework = parseSinkConnectorConfig(connectorConfig)
  const timing = taskTimingOf(workerConfig, connectorConfig)
  const config = parseConfigOrThrow(definition.config, taskConfig)
  const subscription = subscriptionOf(framework)
  const logs = new PacedLogs(environment.logger, environment.clock)
  const converters = await createConverters(registry, connectorConfig, workerConfig, logs)
  const chain = await createChain<SinkRecord>(registry, connectorConfig, logs)
  const queue = await openDeadLetterQueue(setup, framework, hooks)
  const errors = createErrorOperator(setup, framework, hooks, queue?.reporter ?? null)
  const origins = errors.hasReporters ? new WeakMap<SinkRecord, IncomingRecord>() : null
  const { offsets, counters } = hooks
  const reporter = origins === null ? null : errantReporter(errors, origins, offsets, definition.name)
  const publisher = createTopicPublisher(setup, framework['errors.deadletterqueue.topic.replication.factor'])
  const task = definition.createTask(config, { ...createContext(setup, hooks, reporter), publisher })
  const consumerProperties = consumerConfig(workerConfig, connectorConfig, id)
  await clearFormerMember(setup, consumerProperties)
  const consumer = clients.consumer(consumerProperties, subscription, hooks.listener)
  return {
    task,
    pipeline: new SinkPipeline({
      chain,
      converters,
      errors,
      onReport: (consumed, pending) => offsets.addReport(consumed, pending),
      onDropped: () => {
        counters.recordsDropped++
      },
      origins,
      readsJsonValue: definition.readsJsonValue === true,
    }),
    consumer,
    producer: {
      close: async (options) => {
        await Promise.all([queue?.producer.close(options), publisher.close(options)])
      },
    },
    flushIntervalMs: timing.flushIntervalMs,
    flushTimeoutMs: timing.flushTimeoutMs,
    shutdownTimeoutMs: timing.shutdownTimeoutMs,
    closePlugins: async () => {
      chain.close()
      logs.close()
      await environment.pluginClients.close()
    },
  }
}

/**
 * Takes this task's former member out of the consumer group. After a kill -9 of its host or worker the group would keep
 * the partitions for it until its session ends, though the task already runs here.
 * Invariant 4: the task runs once, so whoever has its client id is its former self, and is fenced by this.
 */
async function clearFormerMember(
  { id, environment, connectorConfig }: TaskSetup,
  properties: RawConfig,
): Promise<void> {
  const { clients, workerConfig, logger } = environment
  const { 'group.id': groupId = '', 'client.id': clientId } = properties
  // A client id of the user's may be that of all tasks.
  if (clientId !== consumerClientId(id)) return
  const admin = clients.admin(adminConfig(workerConfig, connectorConfig, id))
  try {
    const removed = await admin.removeMembersOf(groupId, clientId)
    if (removed > 0) logger.info({ groupId, removed }, 'the former member of this task was taken out of its group')
  } catch (error) {
    // Then it takes a session time-out; the rights of the task may not allow more.
    logger.info({ err: error, groupId }, 'could not look for a former member of this task in its group')
  } finally {
    await admin.close()
  }
}

function createContext(
  { id, environment, taskConfig }: TaskSetup,
  { offsets, control }: SinkTaskHooks,
  errantRecordReporter: ErrantRecordReporter | null,
): SinkTaskContext {
  return {
    connectorName: id.connector,
    taskId: id.task,
    logger: environment.logger,
    raw: taskConfig,
    kafka: environment.pluginClients.kafka,
    errantRecordReporter,
    assignment: () => offsets.list(),
    offset: (wanted) => control.rewind(wanted),
    timeout: (delayMs) => control.timeout(delayMs),
    pause: (partitions) => control.pause(partitions),
    resume: (partitions) => control.resume(partitions),
    requestCommit: () => control.requestCommit(),
  }
}

async function openDeadLetterQueue(
  { id, environment, connectorConfig }: TaskSetup,
  framework: SinkConnectorConfig,
  { counters }: SinkTaskHooks,
): Promise<{ readonly reporter: ErrorReporter; readonly producer: LogProducer } | null> {
  const topic = framework['errors.deadletterqueue.topic.name']
  if (topic === '') return null
  const { clients, workerConfig } = environment
  const admin = clients.admin(adminConfig(workerConfig, connectorConfig, id))
  const replicationFactor = framework['errors.deadletterqueue.topic.replication.factor']
  try {
    await ensureDeadLetterTopic(admin, topic, replicationFactor)
  } catch (error) {
    throw new ConnectError(`Could not create the dead letter queue topic ${topic}`, { cause: error })
  } finally {
    await admin.close()
  }
  const producer = clients.producer(producerConfig(workerConfig, connectorConfig, id, 'dlq-producer'))
  const contextHeaders = framework['errors.deadletterqueue.context.headers.enable']
  const reporter = createDeadLetterQueue({
    topic,
    connector: id.connector,
    task: id.task,
    contextHeaders,
    producer,
    counters: counters.error,
  })
  return { reporter, producer }
}

function errantReporter(
  errors: ErrorOperator,
  origins: WeakMap<SinkRecord, IncomingRecord>,
  offsets: SinkOffsets,
  className: string,
): ErrantRecordReporter {
  return {
    async report(record, error) {
      const consumed = origins.get(record)
      if (!consumed) throw new ConnectError('Only a record that was given to put can be reported', { cause: error })
      const about = { stage: 'TASK_PUT' as const, className, consumed, source: null }
      let durable: Promise<void> | undefined
      await errors.reportErrant(about, error, (pending) => {
        durable = pending
        offsets.addReport(consumed, pending)
      })
      await durable
    },
  }
}
