import { ErrorCode, type MetadataResponse, ZERO_UUID } from '../protocol/index.ts'
import type { Address } from './client-config.ts'

export interface Broker extends Address {
  readonly id: number
  readonly rack: string | null
}

export interface PartitionInfo {
  readonly partition: number
  /** -1 when there is none. */
  leader: number
  leaderEpoch: number
  readonly replicas: readonly number[]
  readonly isr: readonly number[]
  readonly offlineReplicas: readonly number[]
}

export interface TopicInfo {
  readonly name: string
  /** Null from a broker that has no topic ids. */
  readonly id: string | null
  readonly internal: boolean
  /** By partition number. */
  readonly partitions: readonly PartitionInfo[]
}

/** What is known of a cluster. Pure state: it is told answers and hints. */
export class Metadata {
  brokers = new Map<number, Broker>()
  readonly topics = new Map<string, TopicInfo>()
  readonly #namesById = new Map<string, string>()
  /** Error codes of topics in the last answer that mentioned them. */
  readonly topicErrors = new Map<string, number>()
  controllerId = -1
  clusterId: string | null = null
  updatedMs = Number.NEGATIVE_INFINITY
  /** Counts updates, so that waiters see progress. */
  version = 0

  topicName(id: string): string | undefined {
    return this.#namesById.get(id)
  }

  leader(topic: string, partition: number): number {
    return this.topics.get(topic)?.partitions[partition]?.leader ?? -1
  }

  leaderEpoch(topic: string, partition: number): number {
    return this.topics.get(topic)?.partitions[partition]?.leaderEpoch ?? -1
  }

  /** Takes in an answer. Topics that it reports as gone are dropped. */
  update(response: MetadataResponse, nowMs: number): void {
    if (response.brokers.length > 0) {
      this.brokers = new Map(
        response.brokers.map(({ nodeId, host, port, rack }) => [nodeId, { id: nodeId, host, port, rack }]),
      )
    }
    this.controllerId = response.controllerId
    this.clusterId = response.clusterId ?? this.clusterId
    for (const topic of response.topics) this.#updateTopic(topic)
    this.updatedMs = nowMs
    this.version++
  }

  #updateTopic(answer: MetadataResponse['topics'][number]): void {
    const name = answer.name
    if (name === null) return
    this.topicErrors.set(name, answer.errorCode)
    const old = this.topics.get(name)
    if (answer.errorCode !== 0) {
      const gone = answer.errorCode === ErrorCode.UNKNOWN_TOPIC_OR_PARTITION
      if (gone) this.#drop(name)
      return
    }
    const id = answer.topicId === ZERO_UUID ? null : answer.topicId
    const sameTopic = old?.id === id
    const partitions: PartitionInfo[] = []
    for (const partition of answer.partitions) {
      const known = sameTopic ? old?.partitions[partition.partitionIndex] : undefined
      // An answer from a broker that lags behind must not undo a newer leader.
      const stale = known !== undefined && partition.leaderEpoch !== -1 && partition.leaderEpoch < known.leaderEpoch
      partitions[partition.partitionIndex] = stale
        ? known
        : {
            partition: partition.partitionIndex,
            leader: partition.leaderId,
            leaderEpoch: partition.leaderEpoch,
            replicas: partition.replicaNodes,
            isr: partition.isrNodes,
            offlineReplicas: partition.offlineReplicas,
          }
    }
    if (old?.id && !sameTopic) this.#namesById.delete(old.id)
    this.topics.set(name, { name, id, internal: answer.isInternal, partitions })
    if (id) this.#namesById.set(id, name)
  }

  #drop(name: string): void {
    const id = this.topics.get(name)?.id
    if (id) this.#namesById.delete(id)
    this.topics.delete(name)
  }

  /** A broker's hint who leads now (KIP-951); true when it is news. */
  updateLeader(topic: string, partition: number, leader: number, leaderEpoch: number, endpoint?: Broker): boolean {
    const known = this.topics.get(topic)?.partitions[partition]
    if (!known || leader < 0 || leaderEpoch <= known.leaderEpoch) return false
    if (endpoint) this.brokers.set(leader, endpoint)
    if (!this.brokers.has(leader)) return false
    known.leader = leader
    known.leaderEpoch = leaderEpoch
    return true
  }
}
