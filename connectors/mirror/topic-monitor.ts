import {
  type ConnectorContext,
  type ConnectorMonitor,
  isRetriable,
  type KafkaAdmin,
  type KafkaTopic,
  type RawConfig,
} from '@millrace/sdk'
import { type MirrorClients, mirrorClients, type Side, withAdmin } from './clients.ts'
import { offsetSyncsTopic, policyOf } from './common-config.ts'
import { createInternalTopic, createTopic, hasKafkaCode } from './internal-topic.ts'
import { repeat, type Repeated } from './repeat.ts'
import type { SourceConfig } from './source-config.ts'
import { remoteAcls } from './topic-acls.ts'
import { settingChanges, settingsOfNewTopic } from './topic-settings.ts'
import { missingTopics, selectTopics, splitPartitions, writePartitions } from './topics.ts'

/** The topics that the tasks of a connector were last made of. */
const lastGiven = new WeakMap<ConnectorContext, string>()

const signature = (topics: readonly KafkaTopic[]): string =>
  topics.map(({ name, partitions }) => `${name} ${partitions}`).join(',')

/** Makes the topics on the target cluster that are missing, and deals the partitions out to tasks. */
export async function givePartitions(
  config: SourceConfig,
  maxTasks: number,
  raw: RawConfig,
  context: ConnectorContext,
): Promise<readonly RawConfig[]> {
  if (!config.enabled) return []
  const clients = mirrorClients(config, raw, context)
  try {
    const topics = await withAdmin(clients.admin('source', 'replication-source-admin'), (source) =>
      withAdmin(clients.admin('target', 'replication-target-admin'), (target) =>
        prepareTopics({ config, raw, context, clients, source, target }),
      ),
    )
    lastGiven.set(context, signature(topics))
    return splitPartitions(topics, maxTasks).map((partitions, index) => ({
      ...raw,
      'task.assigned.partitions': writePartitions(partitions),
      'task.index': String(index),
    }))
  } catch (error) {
    // What passes is tried again by the worker; anything else has to be seen.
    if (!isRetriable(error)) context.raiseError(error as Error)
    throw error
  }
}

interface Work {
  readonly config: SourceConfig
  readonly raw: RawConfig
  readonly context: ConnectorContext
  readonly clients: MirrorClients
  readonly source: KafkaAdmin
  readonly target: KafkaAdmin
}

async function prepareTopics(work: Work): Promise<readonly KafkaTopic[]> {
  const { config, source, target } = work
  const [sourceTopics, targetTopics] = [await source.topics(), await target.topics()]
  if (config['emit.offset-syncs.enabled']) await createOffsetSyncs(work, sourceTopics, targetTopics)
  const topics = selectTopics(config, sourceTopics)
  await createRemoteTopics(work, missingTopics(config, topics, targetTopics), targetTopics)
  return topics
}

async function createOffsetSyncs(
  { config, raw, context, source, target }: Work,
  sourceTopics: readonly KafkaTopic[],
  targetTopics: readonly KafkaTopic[],
): Promise<void> {
  const isAtSource = config['offset-syncs.topic.location'] === 'source'
  const name = offsetSyncsTopic(config)
  if ((isAtSource ? sourceTopics : targetTopics).some((topic) => topic.name === name)) return
  const key = 'offset-syncs.topic.replication.factor'
  const topic = { name, replicationFactor: config[key], isDefaultFactor: raw[key] === undefined }
  await createInternalTopic(isAtSource ? source : target, topic, context.logger)
}

async function createRemoteTopics(
  { config, raw, context, source, target }: Work,
  missing: readonly KafkaTopic[],
  targetTopics: readonly KafkaTopic[],
): Promise<void> {
  const policy = policyOf(config)
  const there = new Set(targetTopics.map(({ name }) => name))
  const isDefaultFactor = raw['replication.factor'] === undefined
  const settings = await source.topicSettings(missing.map(({ name }) => name))
  for (const { name, partitions } of missing) {
    const remote = policy.remoteTopic(config['source.cluster.alias'], name)
    if (there.has(remote)) {
      await target.raisePartitions(remote, partitions)
      context.logger.info({ topic: remote, partitions }, 'partitions were added')
      continue
    }
    const topic = {
      name: remote,
      partitions,
      replicationFactor: config['replication.factor'],
      settings: settingsOfNewTopic(config, settings.get(name) ?? []),
    }
    try {
      await createTopic(target, topic, isDefaultFactor, context.logger)
    } catch (error) {
      if (!hasKafkaCode(error, 'INVALID_CONFIG')) throw error
      // The settings that the cluster does know are copied by the next sync of settings.
      context.logger.warn(
        { topic: remote, err: error },
        'the cluster refuses settings of the topic; creating it without',
      )
      await createTopic(target, { ...topic, settings: {} }, isDefaultFactor, context.logger)
    }
  }
}

/** Looks for new topics and partitions, and keeps settings and ACLs of the remote topics as those of their sources. */
export function watchTopics(config: SourceConfig, raw: RawConfig, context: ConnectorContext): ConnectorMonitor {
  if (!config.enabled) return { stop: () => undefined }
  const clients = mirrorClients(config, raw, context)
  const admin = (side: Side): KafkaAdmin => clients.admin(side, `replication-${side}-admin`)
  const work: Work = { config, raw, context, clients, source: admin('source'), target: admin('target') }
  const stopping = new AbortController()
  const every = (what: string, key: 'refresh.topics' | 'sync.topic.configs' | 'sync.topic.acls', job: Job) => {
    const intervalSeconds = config[`${key}.interval.seconds`]
    if (!config[`${key}.enabled`] || intervalSeconds < 0) return Promise.resolve()
    const repeated: Repeated = {
      intervalSeconds,
      // New topics were looked for when the tasks were made.
      atOnce: key !== 'refresh.topics',
      work: () => job(work),
      onFailure: (error) => context.logger.warn({ err: error }, `${what} failed; trying again after the interval`),
    }
    return repeat(repeated, stopping.signal)
  }
  const running = Promise.all([
    every('looking for new topics', 'refresh.topics', refreshTopics),
    every('copying settings of topics', 'sync.topic.configs', syncSettings),
    every('copying ACLs of topics', 'sync.topic.acls', syncAcls),
  ])
  return {
    async stop() {
      stopping.abort()
      // What is under way ends with its connections.
      await Promise.all([work.source.close(), work.target.close()])
      await running
    },
  }
}

type Job = (work: Work) => Promise<void>

async function refreshTopics({ config, context, source, target }: Work): Promise<void> {
  const topics = selectTopics(config, await source.topics())
  const missing = missingTopics(config, topics, await target.topics())
  const before = lastGiven.get(context)
  // Before the first split there is nothing that could have changed.
  if (before === undefined || (before === signature(topics) && missing.length === 0)) return
  context.logger.info({ topics: topics.length, missing: missing.length }, 'the topics changed; asking for new tasks')
  context.requestTaskReconfiguration()
}

async function syncSettings({ config, context, source, target }: Work): Promise<void> {
  const policy = policyOf(config)
  const remoteOf = (topic: string): string => policy.remoteTopic(config['source.cluster.alias'], topic)
  const there = new Set((await target.topics()).map(({ name }) => name))
  const topics = selectTopics(config, await source.topics()).filter(({ name }) => there.has(remoteOf(name)))
  if (topics.length === 0) return
  const [sources, targets] = [
    await source.topicSettings(topics.map(({ name }) => name)),
    await target.topicSettings(topics.map(({ name }) => remoteOf(name))),
  ]
  for (const { name } of topics) {
    const remote = remoteOf(name)
    const changes = settingChanges(config, sources.get(name) ?? [], targets.get(remote) ?? [])
    if (Object.keys(changes).length === 0) continue
    try {
      await target.alterTopicSettings(remote, changes)
      context.logger.info({ topic: remote, changes }, 'settings were copied')
    } catch (error) {
      // One topic whose settings are refused must not keep the others from theirs.
      context.logger.warn({ topic: remote, err: error }, 'settings of the topic could not be copied')
    }
  }
}

async function syncAcls({ config, source, target }: Work): Promise<void> {
  const acls = await source.topicAcls()
  if (acls === null) return
  // A cluster that keeps no rules lets everybody read the copies, which is its own decision.
  if ((await target.topicAcls()) === null) return
  await target.createTopicAcls(remoteAcls(config, acls))
}
