import { records } from '../../protocol/index.ts'
import type { Cluster } from '../cluster.ts'
import type { KafkaError } from '../errors.ts'
import {
  GroupMember,
  type GroupAssignment,
  type GroupOwner,
  type GroupProtocol,
  type LeaderRequest,
} from '../group/group-member.ts'
import type { Assignor, Subscriber, TopicPartition } from './assignors/assignor.ts'
import { type ConsumerConfig, isCooperative, type RebalanceListener } from './consumer-config.ts'
import { partitionKey, type Subscription } from './subscription.ts'

/** What the membership needs of its consumer. */
export interface MembershipHost {
  /** The topics wanted now, sorted. */
  topics(): readonly string[]
  /** Runs a task inside the next `poll`, where the application expects its listener to be called. */
  inPoll(task: () => Promise<void>): Promise<void>
  /** Commits what was consumed, if that is the consumer's job. */
  autoCommit(): Promise<void>
  onFatal(error: KafkaError): void
}

/** A consumer's part in its group: Kafka's consumer protocol on top of `GroupMember`. */
export class Membership implements GroupOwner {
  readonly member: GroupMember
  readonly #cluster: Cluster
  readonly #config: ConsumerConfig
  readonly #subscription: Subscription
  readonly #listener: RebalanceListener
  readonly #host: MembershipHost
  readonly #cooperative: boolean
  /** The last assignment, which the sticky assignor sends along although it was revoked. */
  #last: { owned: readonly TopicPartition[]; generation: number } = { owned: [], generation: -1 }
  /** As leader: partition counts the assignment was made from. */
  #assignedFrom: ReadonlyMap<string, number> | undefined

  constructor(
    cluster: Cluster,
    config: ConsumerConfig,
    subscription: Subscription,
    listener: RebalanceListener,
    host: MembershipHost,
  ) {
    this.#cluster = cluster
    this.#config = config
    this.#subscription = subscription
    this.#listener = listener
    this.#host = host
    this.#cooperative = isCooperative(config)
    const { sessionTimeoutMs, heartbeatIntervalMs, maxPollIntervalMs, groupInstanceId } = config
    this.member = new GroupMember(
      cluster,
      {
        groupId: config.groupId ?? '',
        protocolType: 'consumer',
        groupInstanceId,
        sessionTimeoutMs,
        heartbeatIntervalMs,
        rebalanceTimeoutMs: maxPollIntervalMs,
      },
      this,
    )
  }

  metadata(): readonly GroupProtocol[] {
    const owned = this.#subscription.list()
    const topics = [...this.#host.topics()]
    const byTopic = Map.groupBy(owned, ({ topic }) => topic)
    const ownedPartitions = [...byTopic].map(([topic, list]) => ({
      topic,
      partitions: list.map(({ partition }) => partition),
    }))
    return this.#config.assignors.map((assignor) => {
      const userData = assignor.userData(this.#last.owned, this.#last.generation)
      const generationId = owned.length > 0 ? this.#last.generation : -1
      const message = { topics, userData, ownedPartitions, generationId, rackId: null }
      return { name: assignor.name, metadata: records.consumerProtocolSubscription.encode(message) }
    })
  }

  beforeJoin(): Promise<void> {
    return this.#host.inPoll(async () => {
      await this.#host.autoCommit()
      const wanted = new Set(this.#host.topics())
      const given = this.#subscription.list().filter(({ topic }) => !this.#cooperative || !wanted.has(topic))
      await this.#revoke(given)
    })
  }

  async #revoke(given: readonly TopicPartition[]): Promise<void> {
    if (given.length === 0) return
    await this.#listener.onRevoked?.(given)
    const gone = new Set(given.map(({ topic, partition }) => partitionKey(topic, partition)))
    const kept = this.#subscription.list().filter(({ topic, partition }) => !gone.has(partitionKey(topic, partition)))
    this.#subscription.assign(kept, 'committed')
  }

  async assign({ protocol, members }: LeaderRequest): Promise<ReadonlyMap<string, Uint8Array>> {
    const assignor = this.#assignorNamed(protocol)
    const subscribers = members.map((member): Subscriber => {
      const { message } = records.consumerProtocolSubscription.decode(member.metadata)
      const claimed = message.ownedPartitions.flatMap(({ topic, partitions }) =>
        partitions.map((partition) => ({ topic, partition })),
      )
      const said = assignor.readUserData?.(message.userData) ?? { owned: claimed, generation: message.generationId }
      const { memberId, groupInstanceId } = member
      return { memberId, groupInstanceId, topics: message.topics, ...said }
    })
    const counts = await this.#partitionCounts(new Set(subscribers.flatMap(({ topics }) => topics)))
    this.#assignedFrom = counts
    const assignment = assignor.assign(subscribers, counts)
    return new Map([...assignment].map(([memberId, partitions]) => [memberId, encodeAssignment(partitions)]))
  }

  #assignorNamed(name: string): Assignor {
    // The coordinator chooses among the protocols that every member has named.
    return this.#config.assignors.find((assignor) => assignor.name === name) ?? this.#config.assignors[0]!
  }

  async #partitionCounts(topics: ReadonlySet<string>): Promise<ReadonlyMap<string, number>> {
    const { metadata } = this.#cluster
    this.#cluster.want(topics)
    if ([...topics].some((topic) => !metadata.topics.has(topic))) await this.#cluster.refresh().catch(() => undefined)
    return new Map([...topics].map((topic) => [topic, metadata.topics.get(topic)?.partitions.length ?? 0]))
  }

  /** Whether the leader would divide differently by what is known now. */
  get isOutdated(): boolean {
    if (!this.member.isLeader || !this.#assignedFrom) return false
    const { topics } = this.#cluster.metadata
    return [...this.#assignedFrom].some(([topic, count]) => (topics.get(topic)?.partitions.length ?? 0) !== count)
  }

  onAssigned({ assignment, generationId }: GroupAssignment): Promise<void> {
    return this.#host.inPoll(async () => {
      const assigned = decodeAssignment(assignment)
      const owned = this.#subscription.list()
      const now = new Set(assigned.map(({ topic, partition }) => partitionKey(topic, partition)))
      const before = new Set(owned.map(({ topic, partition }) => partitionKey(topic, partition)))
      const revoked = owned.filter(({ topic, partition }) => !now.has(partitionKey(topic, partition)))
      const added = assigned.filter(({ topic, partition }) => !before.has(partitionKey(topic, partition)))
      await this.#revoke(revoked)
      this.#last = { owned: assigned, generation: generationId }
      this.#cluster.want(new Set(assigned.map(({ topic }) => topic)))
      this.#subscription.assign(assigned, 'committed')
      await this.#listener.onAssigned?.(added)
      // What this member gave up can be given to others only in the next generation.
      if (this.#cooperative && revoked.length > 0) this.member.requestRejoin('partitions were given up')
    })
  }

  onLost(reason: string): Promise<void> {
    return this.#host.inPoll(async () => {
      const owned = this.#subscription.list()
      const { groupId } = this.#config
      this.#cluster.config.logger.warn({ groupId, partitions: owned.length }, `lost the assignment: ${reason}`)
      this.#last = { owned: [], generation: -1 }
      this.#subscription.assign([], 'committed')
      if (owned.length === 0) return
      if (this.#listener.onLost) await this.#listener.onLost(owned)
      else await this.#listener.onRevoked?.(owned)
    })
  }

  onFatal(error: KafkaError): void {
    this.#host.onFatal(error)
  }

  /** Gives everything up and leaves the group. */
  async leave(): Promise<void> {
    await this.#host.autoCommit()
    await this.#revoke(this.#subscription.list())
    await this.member.leave()
  }
}

function encodeAssignment(partitions: readonly TopicPartition[]): Buffer {
  const assignedPartitions = [...Map.groupBy(partitions, ({ topic }) => topic)].map(([topic, list]) => ({
    topic,
    partitions: list.map(({ partition }) => partition),
  }))
  return records.consumerProtocolAssignment.encode({ assignedPartitions, userData: null })
}

function decodeAssignment(bytes: Buffer): TopicPartition[] {
  if (bytes.length === 0) return []
  const { message } = records.consumerProtocolAssignment.decode(bytes)
  return message.assignedPartitions.flatMap(({ topic, partitions }) =>
    partitions.map((partition) => ({ topic, partition })),
  )
}
