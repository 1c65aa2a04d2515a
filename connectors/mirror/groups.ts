import type { CheckpointConfig } from './checkpoint-config.ts'
import { matcher } from './patterns.ts'

/** Tells whether offsets in a topic of the source cluster are translated. */
export function topicFilter(config: CheckpointConfig): (topic: string) => boolean {
  const isIncluded = matcher(config.topics)
  const isExcluded = matcher(config['topics.exclude'])
  return (topic) => isIncluded(topic) && !isExcluded(topic)
}

/** Tells whether a consumer group is translated. */
export function groupFilter(config: CheckpointConfig): (group: string) => boolean {
  const isIncluded = matcher(config.groups)
  const isExcluded = matcher(config['groups.exclude'])
  return (group) => isIncluded(group) && !isExcluded(group)
}

/** Divides groups into as many neighbouring parts as there are tasks, of sizes that differ by one at most. */
export function splitGroups(groups: readonly string[], maxTasks: number): readonly (readonly string[])[] {
  const count = Math.min(maxTasks, groups.length)
  const start = (task: number): number =>
    task * Math.floor(groups.length / count) + Math.min(task, groups.length % count)
  return Array.from({ length: count }, (_, task) => groups.slice(start(task), start(task + 1)))
}

/**
 * Groups as MirrorMaker writes them into the configuration of a task, a list with commas. Names that such a list would
 * tear apart, which it does there, are written with percent signs.
 */
export function writeGroups(groups: readonly string[]): string {
  return groups.map((group) => group.replace(/[%,\s]/g, encodeURIComponent)).join(',')
}

export function readGroups(text: string): readonly string[] {
  const names = text.split(',').filter((name) => name !== '')
  return names.map((name) => name.replace(/(%[0-9A-F]{2})+/g, decodeURIComponent))
}
