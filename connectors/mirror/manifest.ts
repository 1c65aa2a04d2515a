import { defineManifest } from '@millrace/sdk'

const version = '0.1.0'

/** Copies topics, their settings and rules of access. */
export const mirrorSourceManifest = defineManifest({
  kind: 'source',
  name: 'MirrorSource',
  aliases: ['MirrorSourceConnector', 'org.apache.kafka.connect.mirror.MirrorSourceConnector'],
  version,
  title: 'Mirror: topics',
  summary:
    'Copies topics of another Kafka or Millrace cluster byte for byte, with partitions that are added, settings and ACLs, ' +
    'and notes which offset became which. Takes the JSON and goes on from the offsets of MirrorMaker 2.',
  stability: 'stable',
  delivery: 'at-least-once',
  load: () => import('./source.ts'),
})

/** Translates the offsets of consumer groups. */
export const mirrorCheckpointManifest = defineManifest({
  kind: 'source',
  name: 'MirrorCheckpoint',
  aliases: ['MirrorCheckpointConnector', 'org.apache.kafka.connect.mirror.MirrorCheckpointConnector'],
  version,
  title: 'Mirror: consumer groups',
  summary:
    'Translates the committed offsets of consumer groups to the mirrored topics, as checkpoints and, when asked for, as ' +
    'committed offsets of the same groups, so that consumers can move. Takes the JSON of MirrorMaker 2.',
  stability: 'stable',
  delivery: 'at-least-once',
  load: () => import('./checkpoint.ts'),
})

/** Writes a sign of life. */
export const mirrorHeartbeatManifest = defineManifest({
  kind: 'source',
  name: 'MirrorHeartbeat',
  aliases: ['MirrorHeartbeatConnector', 'org.apache.kafka.connect.mirror.MirrorHeartbeatConnector'],
  version,
  title: 'Mirror: heartbeats',
  summary:
    'Writes a heartbeat into a topic that mirrors copy along, which shows which clusters a record passed and how late it ' +
    'comes. Takes the JSON of MirrorMaker 2.',
  stability: 'stable',
  delivery: 'at-least-once',
  load: () => import('./heartbeat.ts'),
})

/** All of MirrorMaker 2. */
export const mirrorManifests = [mirrorSourceManifest, mirrorCheckpointManifest, mirrorHeartbeatManifest]
