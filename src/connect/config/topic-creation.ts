import {
  compileRegex,
  type ConfigDef,
  type ConfigIssue,
  defineConfig,
  fullMatch,
  parseConfig,
  type Parsed,
  type RawConfig,
} from '@millrace/sdk'
import { aliasesOf } from './connector-config.ts'
import { withoutPrefix } from './config-def.ts'

/** How topics of a group are created (KIP-158). */
export interface TopicCreationGroup {
  readonly name: string
  /** -1 is the default of the broker. */
  readonly partitions: number
  readonly replicationFactor: number
  /** Other settings of the topic. */
  readonly configs: RawConfig
  matches(topic: string): boolean
}

const PREFIX = 'topic.creation.'
const COUNT = 'Value must be at least 1, or -1 to use the default of the broker'

const positiveOrDefault = (value: number): string | undefined => (value >= 1 || value === -1 ? undefined : COUNT)

function regexes(patterns: readonly string[]): string | undefined {
  for (const pattern of patterns) {
    try {
      compileRegex(pattern)
    } catch (error) {
      return `Invalid regex: ${(error as Error).message}`
    }
  }
  return undefined
}

/** The keys of one group, shown as `topic.creation.<group>.<key>`. */
export const topicCreationGroupConfig = defineConfig({
  include: {
    type: 'list',
    default: [],
    validate: regexes,
    importance: 'low',
    doc:
      'A list of strings representing regular expressions that may match topic names. This list is used to include ' +
      "topics that match their values and apply this group's specific configuration to the topics that match this " +
      'inclusion list. $alias applies to any group defined in topic.creation.groups but not the default',
    displayName: 'Inclusion Topic Pattern',
    width: 'long',
  },
  exclude: {
    type: 'list',
    default: [],
    validate: regexes,
    importance: 'low',
    doc:
      'A list of strings representing regular expressions that may match topic names. This list is used to exclude ' +
      "topics that match their values and refrain from applying this group's specific configuration to the topics " +
      'that match this exclusion list. Exclusion rules have precedent and override any inclusion rules for topics.',
    displayName: 'Exclusion Topic Pattern',
    width: 'long',
  },
  'replication.factor': {
    type: 'short',
    default: null,
    validate: positiveOrDefault,
    importance: 'low',
    doc: 'The replication factor for new topics created for this connector using this group. It may not be larger than the number of brokers; -1 uses the default of the broker.',
    displayName: 'Replication Factor for Topics in Group',
    width: 'long',
  },
  partitions: {
    type: 'int',
    default: null,
    validate: positiveOrDefault,
    importance: 'low',
    doc: 'The number of partitions for new topics created for this connector using this group; -1 uses the default of the broker.',
    displayName: 'Partition Count for Topics in Group',
    width: 'long',
  },
})

/** True when the connector asks for its topics to be created by rules. */
export function usesTopicCreation(raw: RawConfig): boolean {
  return Object.keys(raw).some((key) => key.startsWith(PREFIX))
}

/** The definition of one group: the default group must say how many partitions and replicas. */
export function topicCreationDefinition(group: string): ConfigDef {
  const { include, exclude, ...counts } = topicCreationGroupConfig
  if (group === 'default') {
    const { default: _none, ...partitions } = counts.partitions
    const { default: _nothing, ...factor } = counts['replication.factor']
    return { 'replication.factor': factor, partitions }
  }
  return { include, exclude, ...counts }
}

/** The groups that a configuration has, the default one last. */
export function topicCreationAliases(raw: RawConfig): string[] {
  if (!usesTopicCreation(raw)) return []
  return [...aliasesOf(raw, 'topic.creation.groups').filter((group) => group !== 'default'), 'default']
}

/**
 * The rules for new topics: groups in the order in which they are tried, the default one last. Empty when the
 * connector does not use topic creation, or when a rule is wrong; then `issues` says what.
 */
export function topicCreationRules(raw: RawConfig): {
  readonly groups: readonly TopicCreationGroup[]
  readonly issues: readonly ConfigIssue[]
} {
  const issues: ConfigIssue[] = []
  const parsed = topicCreationAliases(raw).map((name) => {
    const prefix = `${PREFIX}${name}.`
    const definition = topicCreationDefinition(name)
    const named = Object.fromEntries(
      Object.entries(definition).map(([key, value]) => [prefix + key, value]),
    ) as ConfigDef
    issues.push(...parseConfig(named, raw).issues)
    const config = withoutPrefix(raw, prefix)
    return { name, config, values: parseConfig(definition, config).values as Partial<GroupValues> }
  })
  if (issues.length > 0) return { groups: [], issues }
  const fallback = parsed.at(-1)?.values
  return { groups: parsed.map(({ name, config, values }) => toGroup(name, config, values, fallback ?? {})), issues }
}

type GroupValues = Parsed<typeof topicCreationGroupConfig>

function toGroup(
  name: string,
  config: RawConfig,
  values: Partial<GroupValues>,
  fallback: Partial<GroupValues>,
): TopicCreationGroup {
  const includes = (values.include ?? ['.*']).map(fullMatch)
  const excludes = (values.exclude ?? []).map(fullMatch)
  const others = Object.entries(config).filter(([key]) => !(key in topicCreationGroupConfig))
  return {
    name,
    partitions: values.partitions ?? fallback.partitions ?? -1,
    replicationFactor: values['replication.factor'] ?? fallback['replication.factor'] ?? -1,
    configs: Object.fromEntries(others),
    matches: (topic) => includes.some((match) => match(topic)) && !excludes.some((match) => match(topic)),
  }
}
