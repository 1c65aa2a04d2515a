import { apis } from '../../protocol/index.ts'
import type { Cluster } from '../cluster.ts'
import { brokerError, KafkaError, throwOnError } from '../errors.ts'
import type { PartitionInfo } from '../metadata.ts'
import { listOffsets, type OffsetAndTimestamp, type TimestampQuery } from '../consumer/list-offsets.ts'
import type { TopicPartition } from '../consumer/assignors/assignor.ts'
import { collect, type KeyedResult } from './results.ts'

export interface NewTopic {
  readonly name: string
  /** Left out or -1: the broker's num.partitions. */
  readonly numPartitions?: number
  /** Left out or -1: the broker's default.replication.factor. */
  readonly replicationFactor?: number
  readonly configs?: Readonly<Record<string, string | null>>
  /** Brokers of each partition, instead of the two numbers. */
  readonly replicaAssignments?: readonly { readonly partition: number; readonly brokers: readonly number[] }[]
}

export interface CreatedTopic {
  readonly name: string
  readonly numPartitions: number
  readonly replicationFactor: number
}

export interface TopicDescription {
  readonly name: string
  readonly topicId: string | null
  readonly internal: boolean
  readonly partitions: readonly PartitionInfo[]
}

export interface AdminCallOptions {
  readonly timeoutMs?: number
}

/** The part of the admin client about topics and their records. */
export class TopicAdmin {
  readonly #cluster: Cluster

  constructor(cluster: Cluster) {
    this.#cluster = cluster
  }

  /** Creates topics. The result has an entry for each: the topic or its error, such as TOPIC_ALREADY_EXISTS. */
  async create(
    topics: readonly NewTopic[],
    options: AdminCallOptions & { validateOnly?: boolean } = {},
  ): Promise<KeyedResult<CreatedTopic>> {
    const request = {
      topics: topics.map(({ name, numPartitions, replicationFactor, configs, replicaAssignments }) => ({
        name,
        numPartitions: replicaAssignments ? -1 : (numPartitions ?? -1),
        replicationFactor: replicaAssignments ? -1 : (replicationFactor ?? -1),
        assignments: (replicaAssignments ?? []).map(({ partition, brokers }) => ({
          partitionIndex: partition,
          brokerIds: brokers,
        })),
        configs: Object.entries(configs ?? {}).map(([key, value]) => ({ name: key, value })),
      })),
      timeoutMs: this.#timeout(options),
      validateOnly: options.validateOnly ?? false,
    }
    const answer = await this.#controller('CreateTopics', options, async () => {
      const response = await this.#cluster.request('controller', apis.createTopics, request)
      for (const { errorCode, name } of response.topics) throwIfNotController(errorCode, `Topic ${name}`)
      return response
    })
    return collect(
      answer.topics.map(({ name, errorCode, errorMessage, numPartitions, replicationFactor }) => ({
        key: name,
        errorCode,
        errorMessage,
        value: { name, numPartitions, replicationFactor },
      })),
      'Topic',
    )
  }

  async delete(names: readonly string[], options: AdminCallOptions = {}): Promise<KeyedResult<void>> {
    const timeoutMs = this.#timeout(options)
    const request = { topicNames: names, timeoutMs }
    const answer = await this.#controller('DeleteTopics', options, async () => {
      // Version 6 only adds topic ids.
      const response = await this.#cluster.request('controller', apis.deleteTopics, request, { maxVersion: 5 })
      for (const { errorCode, name } of response.responses) throwIfNotController(errorCode, `Topic ${name}`)
      return response
    })
    return collect(
      answer.responses.map(({ name, errorCode, errorMessage }) => ({
        key: name ?? '',
        errorCode,
        errorMessage,
        value: undefined,
      })),
      'Topic',
    )
  }

  /** Raises the partition counts. */
  async createPartitions(
    counts: Readonly<Record<string, number>>,
    options: AdminCallOptions & { validateOnly?: boolean } = {},
  ): Promise<KeyedResult<void>> {
    const request = {
      topics: Object.entries(counts).map(([name, count]) => ({ name, count, assignments: null })),
      timeoutMs: this.#timeout(options),
      validateOnly: options.validateOnly ?? false,
    }
    const answer = await this.#controller('CreatePartitions', options, async () => {
      const response = await this.#cluster.request('controller', apis.createPartitions, request)
      for (const { errorCode, name } of response.results) throwIfNotController(errorCode, `Topic ${name}`)
      return response
    })
    return collect(
      answer.results.map(({ name, errorCode, errorMessage }) => ({
        key: name,
        errorCode,
        errorMessage,
        value: undefined,
      })),
      'Topic',
    )
  }

  /** All topics, internal ones when asked for. */
  async list(options: AdminCallOptions & { listInternal?: boolean } = {}): Promise<TopicDescription[]> {
    const answer = await this.#metadata(null, options)
    const topics = answer.topics.filter(({ isInternal }) => options.listInternal || !isInternal)
    return topics.map(describe).toSorted((a, b) => (a.name < b.name ? -1 : 1))
  }

  async describe(names: readonly string[], options: AdminCallOptions = {}): Promise<KeyedResult<TopicDescription>> {
    const answer = await this.#metadata(names, options)
    return collect(
      answer.topics.map((topic) => ({ key: topic.name ?? '', errorCode: topic.errorCode, value: describe(topic) })),
      'Topic',
    )
  }

  async #metadata(names: readonly string[] | null, options: AdminCallOptions) {
    return this.#cluster.retrying(
      'Metadata',
      async () => {
        const topics = names && names.map((name) => ({ name }))
        const response = await this.#cluster.request('any', apis.metadata, { topics, allowAutoTopicCreation: false })
        this.#cluster.metadata.update(response, this.#cluster.config.clock.monotonicMs())
        return response
      },
      options,
    )
  }

  /** Offsets by timestamp: -2 earliest, -1 latest, -3 largest timestamp; in the order asked, offset -1 when there is none. */
  async listOffsets(
    queries: readonly TimestampQuery[],
    options: AdminCallOptions & { readCommitted?: boolean } = {},
  ): Promise<OffsetAndTimestamp[]> {
    const found = await listOffsets(this.#cluster, queries, options)
    return queries.map((query) => found.get(query) ?? { offset: -1, timestamp: -1, leaderEpoch: -1 })
  }

  /** Deletes the records before an offset (-1: all); answers the new first offset of each partition, in the order asked. */
  async deleteRecords(
    before: readonly (TopicPartition & { readonly offset: number })[],
    options: AdminCallOptions = {},
  ): Promise<number[]> {
    this.#cluster.want(new Set(before.map(({ topic }) => topic)))
    const lowWatermarks = new Map<string, number>()
    const attempt = async () => {
      await this.#cluster.refresh()
      const open = before.filter(({ topic, partition }) => !lowWatermarks.has(`${partition} ${topic}`))
      const byLeader = Map.groupBy(open, ({ topic, partition }) => this.#cluster.metadata.leader(topic, partition))
      for (const [leader, list] of byLeader) await this.#deleteOn(leader, list, lowWatermarks, options)
    }
    await this.#cluster.retrying('DeleteRecords', attempt, options)
    return before.map(({ topic, partition }) => lowWatermarks.get(`${partition} ${topic}`) ?? -1)
  }

  async #deleteOn(
    leader: number,
    list: readonly (TopicPartition & { readonly offset: number })[],
    lowWatermarks: Map<string, number>,
    options: AdminCallOptions,
  ): Promise<void> {
    const [first] = list
    if (leader < 0 && first) throw brokerError(3, `Partition ${first.topic}-${first.partition}`)
    const answer = await this.#cluster.request(leader, apis.deleteRecords, {
      timeoutMs: this.#timeout(options),
      topics: [...Map.groupBy(list, ({ topic }) => topic)].map(([name, partitions]) => ({
        name,
        partitions: partitions.map(({ partition, offset }) => ({ partitionIndex: partition, offset })),
      })),
    })
    for (const { name, partitions } of answer.topics) {
      for (const { partitionIndex, errorCode, lowWatermark } of partitions) {
        throwOnError(errorCode, `DeleteRecords of ${name}-${partitionIndex}`)
        lowWatermarks.set(`${partitionIndex} ${name}`, lowWatermark)
      }
    }
  }

  #timeout({ timeoutMs }: AdminCallOptions): number {
    return timeoutMs ?? this.#cluster.config.requestTimeoutMs
  }

  /** Requests that only the controller serves: after a move of the controller the metadata is read again. */
  #controller<T>(what: string, options: AdminCallOptions, attempt: () => Promise<T>): Promise<T> {
    const moved = async (error: unknown): Promise<never> => {
      if (error instanceof KafkaError && error.retriable) await this.#cluster.refresh().catch(() => undefined)
      throw error
    }
    return this.#cluster.retrying(what, () => attempt().catch(moved), options)
  }
}

const NOT_CONTROLLER = 41

function throwIfNotController(errorCode: number, what: string): void {
  if (errorCode === NOT_CONTROLLER) throw brokerError(errorCode, what)
}

interface TopicAnswer {
  readonly name: string | null
  readonly topicId: string
  readonly isInternal: boolean
  readonly partitions: readonly {
    readonly partitionIndex: number
    readonly leaderId: number
    readonly leaderEpoch: number
    readonly replicaNodes: readonly number[]
    readonly isrNodes: readonly number[]
    readonly offlineReplicas: readonly number[]
  }[]
}

function describe({ name, topicId, isInternal, partitions }: TopicAnswer): TopicDescription {
  return {
    name: name ?? '',
    topicId: /^A*$/.test(topicId) ? null : topicId,
    internal: isInternal,
    partitions: partitions
      .map((one) => ({
        partition: one.partitionIndex,
        leader: one.leaderId,
        leaderEpoch: one.leaderEpoch,
        replicas: one.replicaNodes,
        isr: one.isrNodes,
        offlineReplicas: one.offlineReplicas,
      }))
      .toSorted((a, b) => a.partition - b.partition),
  }
}
