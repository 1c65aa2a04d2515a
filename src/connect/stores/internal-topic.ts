import { type Clock, type Logger, sleep } from '../../base/index.ts'

/** One of the topics in which a Connect cluster keeps its configuration, offsets and statuses. */
export interface InternalTopic {
  readonly name: string
  /** The worker property that names it, for messages. */
  readonly property: string
  /** What would be lost without compaction, for messages. */
  readonly content: string
  readonly partitions: number
  /** -1 takes the broker's default. */
  readonly replicationFactor: number
  /** Whether the replication factor was written by the user; a default gives way to a smaller cluster. */
  readonly replicationFactorIsExplicit: boolean
  readonly settings: Readonly<Record<string, string>>
  /** The config topic must have exactly one partition: its records have one order. */
  readonly singlePartition: boolean
}

/** What is asked of the log's cluster. */
export interface TopicAdmin {
  /** Null when the topic does not exist. */
  describe(name: string): Promise<{ readonly partitions: number; readonly cleanupPolicy: string } | null>
  /** Rejects with a `code` TOPIC_ALREADY_EXISTS or INVALID_REPLICATION_FACTOR where those are the reason. */
  create(topic: {
    readonly name: string
    readonly partitions: number
    readonly replicationFactor: number
    readonly settings: Readonly<Record<string, string>>
  }): Promise<void>
}

/** An internal topic that cannot be used as it is. */
export class InternalTopicError extends Error {
  override name = 'InternalTopicError'
  readonly code = 'INTERNAL_TOPIC'
}

const CREATE_ATTEMPTS_MAX = 50
const CREATE_RETRY_MS = 100

function codeOf(error: unknown): unknown {
  return typeof error === 'object' && error !== null ? (error as { code?: unknown }).code : undefined
}

/** Creates the topic when it is missing and refuses one in which records would get lost. */
export async function ensureTopic(
  admin: TopicAdmin,
  topic: InternalTopic,
  clock: Clock,
  logger: Logger,
): Promise<void> {
  let replicationFactor = topic.replicationFactor
  for (let attempt = 1; ; attempt++) {
    const found = await admin.describe(topic.name)
    if (found) {
      check(topic, found)
      return
    }
    try {
      const settings = { ...topic.settings, 'cleanup.policy': 'compact' }
      await admin.create({ name: topic.name, partitions: topic.partitions, replicationFactor, settings })
      logger.info({ topic: topic.name, partitions: topic.partitions, replicationFactor }, 'created an internal topic')
      return
    } catch (error) {
      const code = codeOf(error)
      if (attempt >= CREATE_ATTEMPTS_MAX) throw error
      if (code === 'INVALID_REPLICATION_FACTOR' && !topic.replicationFactorIsExplicit && replicationFactor !== -1) {
        replicationFactor = -1
      } else if (code === 'TOPIC_ALREADY_EXISTS' || code === 'INVALID_REPLICATION_FACTOR') {
        // Another worker that starts at the same time was faster, and the broker asked may not have heard of it yet; or
        // brokers are only just joining their cluster.
        await sleep(clock, CREATE_RETRY_MS)
      } else {
        throw error
      }
    }
  }
}

function check(topic: InternalTopic, found: { readonly partitions: number; readonly cleanupPolicy: string }): void {
  if (topic.singlePartition && found.partitions !== 1) {
    throw new InternalTopicError(
      `Topic '${topic.name}' supplied via the '${topic.property}' property is required to have a single partition in ` +
        `order to guarantee consistency of ${topic.content}, but found ${found.partitions} partitions.`,
    )
  }
  if (found.cleanupPolicy === 'compact') return
  throw new InternalTopicError(
    `Topic '${topic.name}' supplied via the '${topic.property}' property is required to have 'cleanup.policy=compact' ` +
      `to guarantee consistency and durability of ${topic.content}, but found the topic currently has ` +
      `'cleanup.policy=${found.cleanupPolicy}'. Continuing would likely result in eventually losing ${topic.content} ` +
      `and problems restarting this Connect cluster in the future. Change the '${topic.property}' property in the ` +
      "Connect worker configurations to use a topic with 'cleanup.policy=compact'.",
  )
}
