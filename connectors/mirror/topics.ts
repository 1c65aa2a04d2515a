import type { KafkaTopic, TopicPartition } from '@millrace/sdk'
import { policyOf } from './common-config.ts'
import { matcher } from './patterns.ts'
import { HEARTBEATS_TOPIC, hasComeFrom, originalTopic } from './replication-policy.ts'
import type { SourceConfig } from './source-config.ts'

/** Tells which topics of the source cluster are mirrored. */
export function topicSelection(config: SourceConfig): (topic: string) => boolean {
  const policy = policyOf(config)
  const isIncluded = matcher(config.topics)
  const isExcluded = matcher(config['topics.exclude'])
  const isHeartbeats = (topic: string): boolean =>
    config['heartbeats.replication.enabled'] && originalTopic(policy, topic) === HEARTBEATS_TOPIC
  return (topic) =>
    ((isIncluded(topic) && !isExcluded(topic)) || isHeartbeats(topic)) &&
    !policy.isInternal(topic) &&
    !hasComeFrom(policy, topic, config['target.cluster.alias'])
}

/** The topics that are mirrored, by name. */
export function selectTopics(config: SourceConfig, topics: readonly KafkaTopic[]): readonly KafkaTopic[] {
  const isMirrored = topicSelection(config)
  return topics.filter(({ name }) => isMirrored(name)).toSorted((a, b) => (a.name < b.name ? -1 : 1))
}

/** The mirrored topics that the target cluster does not have, or has with fewer partitions. */
export function missingTopics(
  config: SourceConfig,
  topics: readonly KafkaTopic[],
  targetTopics: readonly KafkaTopic[],
): readonly KafkaTopic[] {
  const policy = policyOf(config)
  const counts = new Map(targetTopics.map(({ name, partitions }) => [name, partitions]))
  const remoteCount = (topic: string): number =>
    counts.get(policy.remoteTopic(config['source.cluster.alias'], topic)) ?? 0
  return topics.filter(({ name, partitions }) => remoteCount(name) < partitions)
}

/** Deals the partitions of all topics out to tasks in turns, so that each topic is spread. */
export function splitPartitions(
  topics: readonly KafkaTopic[],
  maxTasks: number,
): readonly (readonly TopicPartition[])[] {
  const all = topics.flatMap(({ name, partitions }) =>
    Array.from({ length: partitions }, (_, partition) => ({ topic: name, partition })),
  )
  const count = Math.min(maxTasks, all.length)
  return Array.from({ length: count }, (_, task) => all.filter((_, index) => index % count === task))
}

/** Partitions as MirrorMaker writes them into the configuration of a task. */
export function writePartitions(partitions: readonly TopicPartition[]): string {
  return partitions.map(({ topic, partition }) => `${topic}-${partition}`).join(',')
}

export function readPartitions(text: string): readonly TopicPartition[] {
  const names = text.split(',').filter((name) => name !== '')
  return names.map((name) => {
    const dash = name.lastIndexOf('-')
    return { topic: name.slice(0, dash), partition: Number(name.slice(dash + 1)) }
  })
}
