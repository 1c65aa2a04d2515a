import type { ConfigDef, ConfigIssue, Parsed, RawConfig } from '@millrace/sdk'
import { defaultPolicy, identityPolicy, type ReplicationPolicy } from './replication-policy.ts'

const JAVA = 'org.apache.kafka.connect.mirror'

/** A key that names Java code: what is built in is accepted, anything else is refused. */
export function builtInClass(name: string, builtIn: readonly string[], instead: string) {
  const names = builtIn.flatMap((simple) => [`${name}.${simple}`, simple])
  return (value: string): string | undefined =>
    names.includes(value) ? undefined : `it is Java code, which does not run here; ${instead}`
}

/** As in MirrorMaker a negative interval means never; none at all would mean without a pause. */
export function intervalProblem(seconds: number): string | undefined {
  return seconds === 0 ? 'must be at least 1, or negative for never' : undefined
}

export const commonKeys = {
  'source.cluster.alias': {
    type: 'string',
    nonEmpty: true,
    importance: 'high',
    doc: 'Alias of source cluster',
    example: 'us-east',
    group: 'Clusters',
    displayName: 'Source alias',
  },
  'source.cluster.bootstrap.servers': {
    type: 'string',
    nonEmpty: true,
    importance: 'high',
    doc:
      'Brokers of the source cluster, host:port and comma separated. Other settings of its clients: consumer.<key>, ' +
      'producer.<key> and admin.<key> for those of both clusters, source.consumer.<key> and so on for this one.',
    aliases: ['source.bootstrap.servers'],
    example: 'kafka.us-east.example.com:9092',
    group: 'Clusters',
    displayName: 'Source brokers',
  },
  'target.cluster.alias': {
    type: 'string',
    default: 'target',
    nonEmpty: true,
    importance: 'high',
    doc: 'Alias of target cluster. Used in metrics reporting.',
    group: 'Clusters',
    displayName: 'Target alias',
  },
  'target.cluster.bootstrap.servers': {
    type: 'string',
    default: '',
    importance: 'high',
    doc:
      'Brokers of the target cluster, which is the one that the worker runs on: records are written by the worker. Empty ' +
      'takes those of the worker.',
    aliases: ['target.bootstrap.servers'],
    group: 'Clusters',
    displayName: 'Target brokers',
  },
  enabled: {
    type: 'boolean',
    default: true,
    importance: 'low',
    doc: 'Whether to replicate source->target.',
    group: 'Clusters',
    displayName: 'Enabled',
  },
  'admin.timeout.ms': {
    type: 'long',
    default: 60_000,
    min: 1,
    max: 2_147_483_647,
    importance: 'low',
    doc: 'Timeout for administrative tasks, e.g. detecting new topics.',
    group: 'Clusters',
    displayName: 'Admin timeout (ms)',
  },
  'replication.policy.class': {
    type: 'class',
    default: `${JAVA}.DefaultReplicationPolicy`,
    importance: 'low',
    doc:
      'How mirrored topics are called: DefaultReplicationPolicy puts the alias of the source and the separator before the ' +
      'name, IdentityReplicationPolicy keeps the name, but for heartbeats.',
    validate: builtInClass(
      JAVA,
      ['DefaultReplicationPolicy', 'IdentityReplicationPolicy'],
      'use DefaultReplicationPolicy or IdentityReplicationPolicy',
    ),
    group: 'Names',
    displayName: 'Replication policy',
  },
  'replication.policy.separator': {
    type: 'string',
    default: '.',
    nonEmpty: true,
    importance: 'low',
    doc: 'Separator used in remote topic naming convention.',
    group: 'Names',
    displayName: 'Separator',
  },
  'replication.policy.internal.topic.separator.enabled': {
    type: 'boolean',
    default: true,
    importance: 'low',
    doc: 'Whether the names of the topics of checkpoints and offset syncs have the separator too, or dots.',
    group: 'Names',
    displayName: 'Separator in internal topics',
  },
  'forwarding.admin.class': {
    type: 'class',
    default: 'org.apache.kafka.clients.admin.ForwardingAdmin',
    importance: 'low',
    doc: 'The admin client. Only the default one.',
    validate: builtInClass('org.apache.kafka.clients.admin', ['ForwardingAdmin'], 'leave the key out'),
    group: 'Java',
    displayName: 'Admin class',
  },
  'metric.reporters': {
    type: 'list',
    default: ['org.apache.kafka.common.metrics.JmxReporter'],
    importance: 'low',
    doc: 'Only the default, which has no effect: the numbers of tasks are at /metrics of the worker.',
    validate: (reporters: readonly string[]) =>
      reporters.every((name) => name === 'org.apache.kafka.common.metrics.JmxReporter')
        ? undefined
        : 'it is Java code, which does not run here; leave the key out and read /metrics of the worker',
    group: 'Java',
    displayName: 'Metric reporters',
  },
} as const satisfies ConfigDef

export const metricNamesKey = {
  'metric.names.formats': {
    type: 'list',
    default: ['legacy'],
    oneOf: ['legacy', 'new'],
    importance: 'low',
    doc: 'Accepted without effect: the numbers of tasks are at /metrics of the worker.',
    group: 'Java',
    displayName: 'Metric names',
  },
} as const satisfies ConfigDef

export const topicFilterKey = {
  'topic.filter.class': {
    type: 'class',
    default: `${JAVA}.DefaultTopicFilter`,
    importance: 'low',
    doc: 'The filter of topics. Only the default one, which takes topics and topics.exclude.',
    validate: builtInClass(JAVA, ['DefaultTopicFilter'], 'use topics and topics.exclude'),
    group: 'Java',
    displayName: 'Topic filter',
  },
} as const satisfies ConfigDef

/** The two places where offset syncs may be kept. */
export const offsetSyncsKeys = {
  'offset-syncs.topic.location': {
    type: 'string',
    default: 'source',
    oneOf: ['source', 'target'],
    importance: 'low',
    doc:
      'The location (source/target) of the offset-syncs topic. The connectors of topics and of consumer groups have to ' +
      'agree on it.',
    group: 'Offset syncs',
    displayName: 'Location',
  },
} as const satisfies ConfigDef

export type CommonConfig = Parsed<typeof commonKeys>
export type OffsetSyncsConfig = CommonConfig & Parsed<typeof offsetSyncsKeys>

export function policyOf(config: CommonConfig): ReplicationPolicy {
  const options = {
    separator: config['replication.policy.separator'],
    separatesInternalTopics: config['replication.policy.internal.topic.separator.enabled'],
  }
  const keepsNames = config['replication.policy.class'].endsWith('IdentityReplicationPolicy')
  return keepsNames ? identityPolicy(config['source.cluster.alias'], options) : defaultPolicy(options)
}

/** The topic of offset syncs is called after the cluster that it is not on. */
export function offsetSyncsTopic(config: OffsetSyncsConfig): string {
  const isAtSource = config['offset-syncs.topic.location'] === 'source'
  const other = config[isAtSource ? 'target.cluster.alias' : 'source.cluster.alias']
  return policyOf(config).offsetSyncsTopic(other)
}

const SECURITY = /^((source|target)\.cluster|((source|target)\.)?(consumer|producer|admin))\.security\.protocol$/

/** What all three connectors refuse beyond their keys. */
export function commonIssues(raw: RawConfig): ConfigIssue[] {
  const issues: ConfigIssue[] = []
  for (const [key, value] of Object.entries(raw)) {
    if (SECURITY.test(key) && value.trim().toUpperCase() !== 'PLAINTEXT') {
      // Sending in the clear what was meant to be encrypted would be worse than not starting.
      issues.push({ key, message: `"${value}" is not possible: clients speak PLAINTEXT only so far; remove it` })
    }
  }
  // MirrorMaker writes its providers into each connector; the worker has put in the values of those that it has.
  const providers = (raw['config.providers'] ?? '').split(',').map((name) => name.trim())
  for (const [key, value] of Object.entries(raw)) {
    const missing = providers.find((name) => name !== '' && value.includes(`\${${name}:`))
    if (missing !== undefined) {
      const message = `the worker has no config provider ${missing}; set it up in the properties of the worker`
      issues.push({ key, message })
    }
  }
  return issues
}
