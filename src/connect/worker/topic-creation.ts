import { ConfigError, ConnectError, type RawConfig } from '@millrace/sdk'
import { topicCreationRules } from '../config/topic-creation.ts'
import type { LogAdmin, NewTopic } from './log-clients.ts'

const BROKER_DEFAULT = -1

/**
 * How to create a topic (KIP-158): by the first group that wants it, the default one last. Where nothing is configured,
 * as the broker would by itself: Kafka leaves it to auto.create.topics.enable there, and its producer waits when that
 * is off.
 */
export function topicCreationRule(config: RawConfig): (topic: string) => NewTopic {
  const { groups, issues } = topicCreationRules(config)
  const [problem] = issues
  if (problem) throw new ConfigError(problem.message, { key: problem.key })
  if (groups.length === 0) {
    return (name) => ({ name, partitions: BROKER_DEFAULT, replicationFactor: BROKER_DEFAULT, configs: {} })
  }
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
    try {
      await this.#admin.createTopic(this.#rule(topic))
    } catch (error) {
      throw new ConnectError(
        `the topic ${topic} does not exist and cannot be created: ${(error as Error).message}. Create it, or change ` +
          'the topic.creation.* settings of the connector',
        { cause: error },
      )
    }
  }
}

/** Says what to do about a topic that the producer has waited for in vain. */
export function missingTopicError(topic: string, cause: unknown): ConnectError {
  return new ConnectError(
    `the topic ${topic} does not exist, and the broker did not create it: ${(cause as Error).message}. Create it, or ` +
      'set topic.creation.enable=true for the worker, or auto.create.topics.enable=true for the broker',
    { cause },
  )
}
