/** How topics of one cluster are called on another. */
export interface ReplicationPolicy {
  /** The name that a topic of the cluster `source` has where it is mirrored. */
  remoteTopic(source: string, topic: string): string
  /** The alias of the cluster that a topic was mirrored from; null for one that was not. */
  topicSource(topic: string): string | null
  /** The name of a mirrored topic on the cluster it was mirrored from; null for one that was not. */
  upstreamTopic(topic: string): string | null
  offsetSyncsTopic(otherCluster: string): string
  checkpointsTopic(source: string): string
  /** Topics that Kafka or a mirror keeps for itself. */
  isInternal(topic: string): boolean
}

export interface PolicyOptions {
  readonly separator: string
  /** Whether the names of a mirror's own topics have the separator too, or a dot. */
  readonly separatesInternalTopics: boolean
}

export const HEARTBEATS_TOPIC = 'heartbeats'

/** MirrorMaker's DefaultReplicationPolicy: `<alias>.<topic>`. */
export function defaultPolicy({ separator, separatesInternalTopics }: PolicyOptions): ReplicationPolicy {
  const dot = separatesInternalTopics ? separator : '.'
  const checkpointsSuffix = `${dot}checkpoints${dot}internal`
  const topicSource = (topic: string): string | null => {
    const parts = topic.split(separator)
    // As in Java, what ends in separators has nothing behind them.
    while (parts.at(-1) === '') parts.pop()
    return parts.length < 2 ? null : (parts[0] as string)
  }
  return {
    remoteTopic: (source, topic) => `${source}${separator}${topic}`,
    topicSource,
    upstreamTopic: (topic) => {
      const source = topicSource(topic)
      return source === null ? null : topic.slice(source.length + separator.length)
    },
    offsetSyncsTopic: (otherCluster) => `mm2-offset-syncs${dot}${otherCluster}${dot}internal`,
    checkpointsTopic: (source) => `${source}${checkpointsSuffix}`,
    isInternal: (topic) =>
      (topic.startsWith('mm2') && topic.endsWith(`${dot}internal`)) ||
      topic.endsWith(checkpointsSuffix) ||
      topic.startsWith('__') ||
      topic.startsWith('.'),
  }
}

/** MirrorMaker's IdentityReplicationPolicy: topics keep their names, but for heartbeats. */
export function identityPolicy(source: string, options: PolicyOptions): ReplicationPolicy {
  const renaming = defaultPolicy(options)
  const isRenamed = (topic: string): boolean => topic.endsWith(HEARTBEATS_TOPIC)
  return {
    ...renaming,
    remoteTopic: (from, topic) => (isRenamed(topic) ? renaming.remoteTopic(from, topic) : topic),
    topicSource: (topic) => (isRenamed(topic) ? renaming.topicSource(topic) : source),
    upstreamTopic: (topic) => (isRenamed(topic) ? renaming.upstreamTopic(topic) : topic),
  }
}

/** The name of a topic on the cluster where it was first written, however often it was mirrored since. */
export function originalTopic(policy: ReplicationPolicy, topic: string): string {
  const upstream = policy.upstreamTopic(topic)
  return upstream === null || upstream === topic ? topic : originalTopic(policy, upstream)
}

/** Whether a topic has come from the cluster `target`, directly or over others: mirroring it back would go round for ever. */
export function hasComeFrom(policy: ReplicationPolicy, topic: string, target: string): boolean {
  const source = policy.topicSource(topic)
  if (source === null) return false
  if (source === target) return true
  const upstream = policy.upstreamTopic(topic)
  // Policies that keep names cannot tell.
  return upstream !== null && upstream !== topic && hasComeFrom(policy, upstream, target)
}
