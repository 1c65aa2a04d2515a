import {
  type ConnectorContext,
  type ConnectorMonitor,
  isRetriable,
  type KafkaAdmin,
  type RawConfig,
} from '@millrace/sdk'
import type { CheckpointConfig } from './checkpoint-config.ts'
import { mirrorClients, withAdmin } from './clients.ts'
import { policyOf } from './common-config.ts'
import { groupFilter, splitGroups, topicFilter, writeGroups } from './groups.ts'
import { createInternalTopic } from './internal-topic.ts'
import { repeat } from './repeat.ts'

/** The groups that the tasks of a connector were last made of. */
const lastGiven = new WeakMap<ConnectorContext, string>()

const isActive = (config: CheckpointConfig): boolean =>
  config.enabled && config['emit.checkpoints.enabled'] && config['emit.checkpoints.interval.seconds'] > 0

/** Makes the topic of checkpoints and divides the groups among tasks. */
export async function giveGroups(
  config: CheckpointConfig,
  maxTasks: number,
  raw: RawConfig,
  context: ConnectorContext,
): Promise<readonly RawConfig[]> {
  if (!isActive(config)) return []
  const clients = mirrorClients(config, raw, context)
  try {
    const key = 'checkpoints.topic.replication.factor'
    const topic = {
      name: policyOf(config).checkpointsTopic(config['source.cluster.alias']),
      replicationFactor: config[key],
      isDefaultFactor: raw[key] === undefined,
    }
    await withAdmin(clients.admin('target', 'checkpoint-target-admin'), (target) =>
      createInternalTopic(target, topic, context.logger),
    )
    const groups = await withAdmin(clients.admin('source', 'checkpoint-source-admin'), (source) =>
      findGroups(config, source),
    )
    lastGiven.set(context, groups.join('\n'))
    return splitGroups(groups, maxTasks).map((part, index) => ({
      ...raw,
      'task.assigned.groups': writeGroups(part),
      'task.index': String(index),
    }))
  } catch (error) {
    // What passes is tried again by the worker; anything else has to be seen.
    if (!isRetriable(error)) context.raiseError(error as Error)
    throw error
  }
}

/** Looks for groups that appear or go, and asks for new tasks then. */
export function watchGroups(config: CheckpointConfig, raw: RawConfig, context: ConnectorContext): ConnectorMonitor {
  const intervalSeconds = config['refresh.groups.interval.seconds']
  if (!isActive(config) || !config['refresh.groups.enabled'] || intervalSeconds < 0) return { stop: () => undefined }
  const source = mirrorClients(config, raw, context).admin('source', 'checkpoint-source-admin')
  const stopping = new AbortController()
  const work = async (): Promise<void> => {
    const groups = await findGroups(config, source)
    const before = lastGiven.get(context)
    // Before the first split there is nothing that could have changed.
    if (before === undefined || before === groups.join('\n')) return
    context.logger.info({ groups: groups.length }, 'the groups changed; asking for new tasks')
    context.requestTaskReconfiguration()
  }
  const onFailure = (error: unknown): void =>
    context.logger.warn({ err: error }, 'looking for consumer groups failed; trying again after the interval')
  const running = repeat({ intervalSeconds, atOnce: false, work, onFailure }, stopping.signal)
  return {
    async stop() {
      stopping.abort()
      // What is under way ends with its connection.
      await source.close()
      await running
    },
  }
}

/** The groups that have committed an offset in a topic of the filter. */
async function findGroups(config: CheckpointConfig, source: KafkaAdmin): Promise<readonly string[]> {
  const isWanted = groupFilter(config)
  const isSelected = topicFilter(config)
  const found: string[] = []
  for (const { groupId, protocolType } of await source.groups()) {
    // Groups of other kinds, such as Connect's workers, commit no offsets of topics.
    if ((protocolType !== 'consumer' && protocolType !== '') || !isWanted(groupId)) continue
    const offsets = await source.groupOffsets(groupId)
    if (offsets.some(({ topic }) => isSelected(topic))) found.push(groupId)
  }
  return found.toSorted()
}
