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

const sourceKeys = {
  topics: {
    type: 'list',
    default: ['.*'],
    unique: true,
    importance: 'high',
    doc: 'Topics to replicate. Supports comma-separated topic names and regexes.',
    validate: patternsProblem,
    group: 'Topics',
    displayName: 'Topics',
  },
  'topics.exclude': {
    type: 'list',
    default: ['mm2.*\\.internal', '.*\\.replica', '__.*'],
    unique: true,
    importance: 'high',
    doc: 'Excluded topics. Supports comma-separated topic names and regexes. Excludes take precedence over includes.',
    validate: patternsProblem,
    group: 'Topics',
    displayName: 'Excluded topics',
  },
  'replication.factor': {
    type: 'int',
    default: 2,
    min: -1,
    importance: 'low',
    doc:
      'Replication factor for newly created remote topics. Where it is left out and the target cluster has too few ' +
      'brokers, that of the cluster is taken.',
    group: 'Topics',
    displayName: 'Replication factor',
  },
  'refresh.topics.enabled': {
    type: 'boolean',
    default: true,
    importance: 'low',
    doc: 'Whether to periodically check for new topics and partitions.',
    group: 'Topics',
    displayName: 'Look for new topics',
  },
  'refresh.topics.interval.seconds': {
    type: 'long',
    default: 600,
    importance: 'low',
    doc: 'Frequency of topic refresh.',
    validate: intervalProblem,
    group: 'Topics',
    displayName: 'Look every (s)',
  },
  'heartbeats.replication.enabled': {
    type: 'boolean',
    default: true,
    importance: 'low',
    doc: 'Whether to replicate the heartbeats topics even when the topic filter does not include them.',
    group: 'Topics',
    displayName: 'Heartbeats',
  },
  'consumer.poll.timeout.ms': {
    type: 'long',
    default: 1000,
    min: 1,
    max: 60_000,
    importance: 'low',
    doc: 'Timeout when polling source cluster.',
    group: 'Topics',
    displayName: 'Poll timeout (ms)',
  },
  'sync.topic.configs.enabled': {
    type: 'boolean',
    default: true,
    importance: 'low',
    doc: 'Whether to periodically configure remote topics to match their corresponding upstream topics.',
    group: 'Settings and ACLs',
    displayName: 'Copy settings',
  },
  'sync.topic.configs.interval.seconds': {
    type: 'long',
    default: 600,
    importance: 'low',
    doc: 'Frequency of topic config sync.',
    validate: intervalProblem,
    group: 'Settings and ACLs',
    displayName: 'Copy settings every (s)',
  },
  'config.properties.exclude': {
    type: 'list',
    default: [
      'follower.replication.throttled.replicas',
      'leader.replication.throttled.replicas',
      'message.timestamp.difference.max.ms',
      'log.message.timestamp.before.max.ms',
      'log.message.timestamp.after.max.ms',
      'message.timestamp.type',
      'unclean.leader.election.enable',
      'min.insync.replicas',
    ],
    unique: true,
    importance: 'high',
    doc: 'Topic config properties that should not be replicated. Supports comma-separated property names and regexes.',
    validate: patternsProblem,
    group: 'Settings and ACLs',
    displayName: 'Excluded settings',
  },
  'use.defaults.from': {
    type: 'string',
    default: 'target',
    oneOf: ['source', 'target'],
    importance: 'medium',
    doc: "Which cluster's defaults (source or target) to use when syncing topic configurations that have default values.",
    group: 'Settings and ACLs',
    displayName: 'Defaults of',
  },
  'sync.topic.acls.enabled': {
    type: 'boolean',
    default: true,
    importance: 'low',
    doc:
      'Whether to periodically configure remote topic ACLs to match their corresponding upstream topics. Of what may be ' +
      'written nothing is copied; where a cluster keeps no ACLs there is nothing to do.',
    group: 'Settings and ACLs',
    displayName: 'Copy ACLs',
  },
  'sync.topic.acls.interval.seconds': {
    type: 'long',
    default: 600,
    importance: 'low',
    doc: 'Frequency of topic ACL sync.',
    validate: intervalProblem,
    group: 'Settings and ACLs',
    displayName: 'Copy ACLs every (s)',
  },
  'emit.offset-syncs.enabled': {
    type: 'boolean',
    default: true,
    importance: 'low',
    doc:
      'Whether to store the new offset of the replicated records in offset-syncs topic or not. Without it no offset of a ' +
      'consumer group can be translated.',
    group: 'Offset syncs',
    displayName: 'Write offset syncs',
  },
  'offset.lag.max': {
    type: 'long',
    default: 100,
    min: 0,
    importance: 'low',
    doc: 'How out-of-sync a remote partition can be before it is resynced.',
    group: 'Offset syncs',
    displayName: 'Offset lag',
  },
  'offset-syncs.topic.replication.factor': {
    type: 'short',
    default: 3,
    min: -1,
    importance: 'low',
    doc:
      'Replication factor for offset-syncs topic. Where it is left out and the cluster has too few brokers, that of the ' +
      'cluster is taken.',
    group: 'Offset syncs',
    displayName: 'Replication factor',
  },
  'config.property.filter.class': {
    type: 'class',
    default: 'org.apache.kafka.connect.mirror.DefaultConfigPropertyFilter',
    importance: 'low',
    doc: 'The filter of settings. Only the default one, which takes config.properties.exclude and use.defaults.from.',
    validate: builtInClass(
      'org.apache.kafka.connect.mirror',
      ['DefaultConfigPropertyFilter'],
      'use config.properties.exclude',
    ),
    group: 'Java',
    displayName: 'Config filter',
  },
} as const satisfies ConfigDef

/** The configuration of the mirror of topics: MirrorSourceConfig of Kafka 4.3. */
export const sourceConfig = defineConfig({
  ...commonKeys,
  ...sourceKeys,
  ...offsetSyncsKeys,
  ...topicFilterKey,
  ...metricNamesKey,
})

export type SourceConfig = Parsed<typeof sourceConfig>
