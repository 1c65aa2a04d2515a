import { ConfigError, type RawConfig } from '@millrace/sdk'
import { topicCreationRules } from '../config/topic-creation.ts'
import type { LogAdmin, NewTopic } from './log-clients.ts'

/** How to create a topic (KIP-158): by the first group that wants it, the default one last; null when it is not configured. */
export function topicCreationRule(config: RawConfig): ((topic: string) => NewTopic) | null {
  const { groups, issues } = topicCreationRules(config)
  const [problem] = issues
  if (problem) throw new ConfigError(problem.message, { key: problem.key })
  if (groups.length === 0) return null
  return (topic) => {
    const group = groups.find((candidate) => candidate.matches(topic)) ?? groups.at(-1)!
    const { partitions, replicationFactor, configs } = group
    return { name: topic, partitions, replicationFactor, configs }
  }
}

/** Creates missing topics before the first record goes to them. Existing topics stay as they are. */
export class TopicCreation {
  readonly #rule: (topic: string) => NewTopic
  readonly #admin: LogAdmin

  constructor(rule: (topic: string) => NewTopic, admin: LogAdmin) {
    this.#rule = rule
    this.#admin = admin
  }

  async ensure(topic: string): Promise<void> {
    if (await this.#admin.topicExists(topic)) return
    await this.#admin.createTopic(this.#rule(topic))
  }
}
