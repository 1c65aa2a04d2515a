import { type ConfigDef, defineConfig, type Parsed } from '@millrace/sdk'
import { commonKeys, intervalProblem } from './common-config.ts'

const heartbeatKeys = {
  'emit.heartbeats.enabled': {
    type: 'boolean',
    default: true,
    importance: 'low',
    doc: 'Whether to emit heartbeats to target cluster.',
    group: 'Heartbeats',
    displayName: 'Write heartbeats',
  },
  'emit.heartbeats.interval.seconds': {
    type: 'long',
    default: 1,
    importance: 'low',
    doc: 'Frequency of heartbeats.',
    validate: intervalProblem,
    group: 'Heartbeats',
    displayName: 'Heartbeat every (s)',
  },
  'heartbeats.topic.replication.factor': {
    type: 'short',
    default: 3,
    min: -1,
    importance: 'low',
    doc:
      'Replication factor for heartbeats topic. Where it is left out and the cluster has too few brokers, that of the ' +
      'cluster is taken.',
    group: 'Heartbeats',
    displayName: 'Replication factor',
  },
} as const satisfies ConfigDef

/** The configuration of heartbeats: MirrorHeartbeatConfig of Kafka 4.3. */
export const heartbeatConfig = defineConfig({
  ...commonKeys,
  // A heartbeat only names the source, which it needs not reach.
  'source.cluster.bootstrap.servers': {
    ...commonKeys['source.cluster.bootstrap.servers'],
    default: '',
    nonEmpty: false,
  },
  ...heartbeatKeys,
})

export type HeartbeatConfig = Parsed<typeof heartbeatConfig>
