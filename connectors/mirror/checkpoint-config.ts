import { type ConfigDef, defineConfig, type Parsed } from '@millrace/sdk'
import {
  builtInClass,
  commonKeys,
  intervalProblem,
  metricNamesKey,
  offsetSyncsKeys,
  topicFilterKey,
} from './common-config.ts'
import { patternsProblem } from './patterns.ts'
import { sourceConfig } from './source-config.ts'

const checkpointKeys = {
  groups: {
    type: 'list',
    default: ['.*'],
    unique: true,
    importance: 'high',
    doc: 'Consumer groups to replicate. Supports comma-separated group IDs and regexes.',
    validate: patternsProblem,
    group: 'Groups',
    displayName: 'Groups',
  },
  'groups.exclude': {
    type: 'list',
    default: ['console-consumer-.*', 'connect-.*', '__.*'],
    unique: true,
    importance: 'high',
    doc: 'Exclude groups. Supports comma-separated group IDs and regexes. Excludes take precedence over includes.',
    validate: patternsProblem,
    group: 'Groups',
    displayName: 'Excluded groups',
  },
  topics: { ...sourceConfig.topics, doc: 'Topics whose offsets are translated; as for the mirror of topics.' },
  'topics.exclude': sourceConfig['topics.exclude'],
  'refresh.groups.enabled': {
    type: 'boolean',
    default: true,
    importance: 'low',
    doc: 'Whether to periodically check for new consumer groups.',
    group: 'Groups',
    displayName: 'Look for new groups',
  },
  'refresh.groups.interval.seconds': {
    type: 'long',
    default: 600,
    importance: 'low',
    doc: 'Frequency of group refresh.',
    validate: intervalProblem,
    group: 'Groups',
    displayName: 'Look every (s)',
  },
  'emit.checkpoints.enabled': {
    type: 'boolean',
    default: true,
    importance: 'low',
    doc: 'Whether to replicate consumer offsets to target cluster.',
    group: 'Checkpoints',
    displayName: 'Write checkpoints',
  },
  'emit.checkpoints.interval.seconds': {
    type: 'long',
    default: 60,
    importance: 'low',
    doc: 'Frequency of checkpoints.',
    validate: intervalProblem,
    group: 'Checkpoints',
    displayName: 'Checkpoints every (s)',
  },
  'checkpoints.topic.replication.factor': {
    type: 'short',
    default: 3,
    min: -1,
    importance: 'low',
    doc:
      'Replication factor for checkpoints topic. Where it is left out and the cluster has too few brokers, that of the ' +
      'cluster is taken.',
    group: 'Checkpoints',
    displayName: 'Replication factor',
  },
  'sync.group.offsets.enabled': {
    type: 'boolean',
    default: false,
    importance: 'low',
    doc:
      'Whether to periodically write the translated offsets to __consumer_offsets topic in target cluster, as long as no ' +
      'active consumers in that group are connected to the target cluster',
    group: 'Committed offsets',
    displayName: 'Commit for groups',
  },
  'sync.group.offsets.interval.seconds': {
    type: 'long',
    default: 60,
    importance: 'low',
    doc: 'Frequency of consumer group offset sync.',
    validate: intervalProblem,
    group: 'Committed offsets',
    displayName: 'Commit every (s)',
  },
  'consumer.poll.timeout.ms': {
    ...sourceConfig['consumer.poll.timeout.ms'],
    doc: 'Timeout when polling for offset syncs and earlier checkpoints.',
    group: 'Checkpoints',
  },
  'group.filter.class': {
    type: 'class',
    default: 'org.apache.kafka.connect.mirror.DefaultGroupFilter',
    importance: 'low',
    doc: 'The filter of groups. Only the default one, which takes groups and groups.exclude.',
    validate: builtInClass('org.apache.kafka.connect.mirror', ['DefaultGroupFilter'], 'use groups and groups.exclude'),
    group: 'Java',
    displayName: 'Group filter',
  },
} as const satisfies ConfigDef

/** The configuration of the mirror of consumer groups: MirrorCheckpointConfig of Kafka 4.3, with the filter of topics. */
export const checkpointConfig = defineConfig({
  ...commonKeys,
  ...checkpointKeys,
  ...offsetSyncsKeys,
  ...topicFilterKey,
  ...metricNamesKey,
})

export type CheckpointConfig = Parsed<typeof checkpointConfig>
