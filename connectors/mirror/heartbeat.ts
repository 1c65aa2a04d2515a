import {
  type ConnectorContext,
  defineSourceConnector,
  isRetriable,
  type PollResult,
  type RawConfig,
  schemas,
  type SourceTask,
} from '@millrace/sdk'
import { pause } from '../_shared/retry/index.ts'
import { mirrorClients, withAdmin } from './clients.ts'
import { commonIssues } from './common-config.ts'
import { type HeartbeatConfig, heartbeatConfig } from './heartbeat-config.ts'
import { createInternalTopic } from './internal-topic.ts'
import { mirrorHeartbeatManifest } from './manifest.ts'
import { BYTES_AS_THEY_ARE } from './record.ts'
import { HEARTBEATS_TOPIC } from './replication-policy.ts'
import { timerMs } from './repeat.ts'
import { encodeHeartbeat } from './wire.ts'

async function taskConfigs(
  config: HeartbeatConfig,
  _maxTasks: number,
  raw: RawConfig,
  context: ConnectorContext,
): Promise<readonly RawConfig[]> {
  // Also of a flow that is not enabled: a flow in the other direction copies the heartbeats.
  const isActive = config['emit.heartbeats.enabled'] && config['emit.heartbeats.interval.seconds'] > 0
  if (!isActive) return []
  const key = 'heartbeats.topic.replication.factor'
  const topic = { name: HEARTBEATS_TOPIC, replicationFactor: config[key], isDefaultFactor: raw[key] === undefined }
  try {
    await withAdmin(mirrorClients(config, raw, context).admin('target', 'heartbeats-target-admin'), (target) =>
      createInternalTopic(target, topic, context.logger),
    )
  } catch (error) {
    // What passes is tried again by the worker; anything else has to be seen.
    if (!isRetriable(error)) context.raiseError(error as Error)
    throw error
  }
  return [{ ...raw }]
}

function createTask(config: HeartbeatConfig): SourceTask {
  const sourceClusterAlias = config['source.cluster.alias']
  const targetClusterAlias = config['target.cluster.alias']
  const intervalMs = timerMs(config['emit.heartbeats.interval.seconds'])
  let nextMs = performance.now() + intervalMs
  return {
    async poll(signal): Promise<PollResult> {
      // A poll that is called off has waited for a part of the interval, which the next one goes on with.
      await pause(Math.max(0, nextMs - performance.now()), signal)
      if (signal.aborted) return null
      nextMs = performance.now() + intervalMs
      const timestamp = Date.now()
      const { key, value } = encodeHeartbeat({ sourceClusterAlias, targetClusterAlias, timestamp })
      return [
        {
          // As MirrorMaker writes it; nothing is read from it.
          sourcePartition: { sourceClusterAlias, targetClusterAlias },
          sourceOffset: { offset: 0 },
          topic: HEARTBEATS_TOPIC,
          partition: 0,
          key,
          keySchema: schemas.bytes,
          value,
          valueSchema: schemas.bytes,
          headers: [],
          timestamp,
        },
      ]
    },
  }
}

export default defineSourceConnector({
  name: mirrorHeartbeatManifest.name,
  version: mirrorHeartbeatManifest.version,
  aliases: mirrorHeartbeatManifest.aliases,
  config: heartbeatConfig,
  defaults: BYTES_AS_THEY_ARE,
  validate: (_config, raw) => commonIssues(raw),
  taskConfigs,
  createTask,
})
