import { apis, ErrorCode } from '../../protocol/index.ts'
import type { BrokerConnection } from '../broker-connection.ts'
import type { Cluster } from '../cluster.ts'
import { brokerError, KafkaError } from '../errors.ts'
import { connectCoordinator } from '../group/coordinator.ts'
import type { TopicPartition } from './assignors/assignor.ts'
import { partitionKey } from './subscription.ts'

/** Later versions address topics by id, which gives nothing for a topic that is gone. */
const LAST_VERSION_WITH_NAMES = 9
const GROUPS_VERSION = 8

export interface OffsetAndMetadata {
  readonly offset: number
  /** -1 when unknown. */
  readonly leaderEpoch: number
  readonly metadata: string
}

export interface OffsetToCommit extends TopicPartition {
  readonly offset: number
  readonly leaderEpoch?: number
  readonly metadata?: string
}

/** Who commits: a member of a generation, or nobody in particular. */
export interface Committer {
  readonly memberId: string
  readonly generationId: number
  readonly groupInstanceId: string | null
}

export const NO_MEMBER: Committer = { memberId: '', generationId: -1, groupInstanceId: null }

/** Committed offsets of one group. */
export class GroupOffsets {
  readonly #cluster: Cluster
  readonly #groupId: string
  #connection: BrokerConnection | undefined

  constructor(cluster: Cluster, groupId: string) {
    this.#cluster = cluster
    this.#groupId = groupId
  }

  async #coordinator(): Promise<BrokerConnection> {
    if (!this.#connection?.isOpen) this.#connection = await connectCoordinator(this.#cluster, this.#groupId)
    return this.#connection
  }

  /** Forgets the coordinator when that is what the error means. */
  #check(errorCode: number, what: string): void {
    if (errorCode === 0) return
    if (errorCode === ErrorCode.NOT_COORDINATOR || errorCode === ErrorCode.COORDINATOR_NOT_AVAILABLE) {
      this.#connection = undefined
    }
    throw brokerError(errorCode, what)
  }

  /** One attempt to commit. */
  async commitOnce(offsets: readonly OffsetToCommit[], committer: Committer): Promise<void> {
    if (offsets.length === 0) return
    const connection = await this.#coordinator()
    const byTopic = Map.groupBy(offsets, ({ topic }) => topic)
    const request = {
      groupId: this.#groupId,
      generationIdOrMemberEpoch: committer.generationId,
      memberId: committer.memberId,
      groupInstanceId: committer.groupInstanceId,
      topics: [...byTopic].map(([name, partitions]) => ({
        name,
        partitions: partitions.map(({ partition, offset, leaderEpoch, metadata }) => ({
          partitionIndex: partition,
          committedOffset: offset,
          committedLeaderEpoch: leaderEpoch ?? -1,
          committedMetadata: metadata ?? '',
        })),
      })),
    }
    const answer = await connection.request(apis.offsetCommit, request, { maxVersion: LAST_VERSION_WITH_NAMES })
    for (const { name, partitions } of answer.topics) {
      for (const { partitionIndex, errorCode } of partitions) {
        const what = `Offset commit of ${name}-${partitionIndex} in group ${this.#groupId}`
        // A topic that is gone does not come back because we wait for it.
        const gone = errorCode === ErrorCode.UNKNOWN_TOPIC_OR_PARTITION
        if (gone) throw new KafkaError('UNKNOWN_TOPIC_OR_PARTITION', `${what}: the topic or partition does not exist`)
        this.#check(errorCode, what)
      }
    }
  }

  /** Commits, retrying what may heal. */
  async commit(offsets: readonly OffsetToCommit[], committer: () => Committer, timeoutMs?: number): Promise<void> {
    const options = timeoutMs === undefined ? {} : { timeoutMs }
    await this.#cluster.retrying('The offset commit', () => this.commitOnce(offsets, committer()), options)
  }

  /** Committed offsets; partitions without one are left out. `null` asks for all partitions of the group. */
  async committed(
    partitions: readonly TopicPartition[] | null,
    timeoutMs?: number,
  ): Promise<Map<string, OffsetAndMetadata & TopicPartition>> {
    const options = timeoutMs === undefined ? {} : { timeoutMs }
    return this.#cluster.retrying('Reading committed offsets', () => this.#fetchOnce(partitions), options)
  }

  async #fetchOnce(
    partitions: readonly TopicPartition[] | null,
  ): Promise<Map<string, OffsetAndMetadata & TopicPartition>> {
    const connection = await this.#coordinator()
    const topics =
      partitions &&
      [...Map.groupBy(partitions, ({ topic }) => topic)].map(([name, list]) => ({
        name,
        partitionIndexes: list.map(({ partition }) => partition),
      }))
    const version = connection.versionOf(apis.offsetFetch, LAST_VERSION_WITH_NAMES)
    const request =
      version >= GROUPS_VERSION
        ? { groups: [{ groupId: this.#groupId, topics }], requireStable: true }
        : { groupId: this.#groupId, topics, requireStable: true }
    const answer = await connection.request(apis.offsetFetch, request, { maxVersion: LAST_VERSION_WITH_NAMES })
    const what = `Committed offsets of group ${this.#groupId}`
    const group = version >= GROUPS_VERSION ? answer.groups[0] : answer
    if (!group) throw new KafkaError('CLIENT_BAD_RESPONSE', `${what}: the answer names no group`)
    this.#check(group.errorCode, what)
    const found = new Map<string, OffsetAndMetadata & TopicPartition>()
    for (const topic of group.topics) {
      for (const one of topic.partitions) {
        this.#check(one.errorCode, `${what} for ${topic.name}-${one.partitionIndex}`)
        if (one.committedOffset < 0) continue
        found.set(partitionKey(topic.name, one.partitionIndex), {
          topic: topic.name,
          partition: one.partitionIndex,
          offset: one.committedOffset,
          leaderEpoch: one.committedLeaderEpoch,
          metadata: one.metadata ?? '',
        })
      }
    }
    return found
  }
}
