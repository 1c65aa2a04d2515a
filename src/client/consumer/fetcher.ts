import type { Timer } from '../../base/index.ts'
import { apis, ErrorCode, errorByCode, type FetchResponse, ZERO_UUID } from '../../protocol/index.ts'
import { backoffMs } from '../backoff.ts'
import type { Cluster } from '../cluster.ts'
import { brokerError, isRetriable, KafkaError } from '../errors.ts'
import type { ConsumerConfig } from './consumer-config.ts'
import { type AssignedPartition, partitionKey, type Subscription } from './subscription.ts'

/** The last Fetch version that names topics instead of their ids. */
const LAST_VERSION_WITH_NAMES = 12
const NO_SESSION = { sessionId: 0, sessionEpoch: -1 }

type PartitionAnswer = FetchResponse['responses'][number]['partitions'][number]

interface Asked {
  readonly partition: AssignedPartition
  readonly epoch: number
  readonly offset: number
}

/** Keeps fetches going to the leaders of the assigned partitions, within the bounds of what may be buffered. */
export class Fetcher {
  readonly #cluster: Cluster
  readonly #config: ConsumerConfig
  readonly #subscription: Subscription
  readonly #onProgress: () => void
  readonly #busyNodes = new Set<number>()
  #timer: Timer | undefined
  #timerAtMs = Number.POSITIVE_INFINITY
  #refreshing = false
  /** An error that `poll` has to report. */
  error: KafkaError | undefined

  constructor(cluster: Cluster, config: ConsumerConfig, subscription: Subscription, onProgress: () => void) {
    this.#cluster = cluster
    this.#config = config
    this.#subscription = subscription
    this.#onProgress = onProgress
  }

  /** Starts every fetch that may start now. */
  pump(): void {
    if (this.#cluster.isClosed) return
    const { clock } = this.#cluster.config
    const now = clock.monotonicMs()
    if (this.#subscription.bufferedBytes >= this.#config.prefetchMaxBytes) return
    const perNode = new Map<number, AssignedPartition[]>()
    for (const partition of this.#subscription.partitions.values()) {
      if (partition.paused || partition.inFlight || partition.fetchOffset === undefined) continue
      // One answer waits for poll while the next one is on its way.
      if (partition.reader.bufferedBytes >= this.#config.maxPartitionFetchBytes) continue
      if (partition.retryAtMs > now) {
        this.#pumpAt(partition.retryAtMs)
        continue
      }
      const leader = this.#cluster.metadata.leader(partition.topic, partition.partition)
      if (leader < 0) this.#retry(partition, true)
      else if (!this.#busyNodes.has(leader)) {
        const list = perNode.get(leader)
        if (list) list.push(partition)
        else perNode.set(leader, [partition])
      }
    }
    for (const [leader, partitions] of perNode) void this.#fetch(leader, partitions)
  }

  #pumpAt(atMs: number): void {
    if (atMs >= this.#timerAtMs) return
    this.#timer?.cancel()
    this.#timerAtMs = atMs
    const { clock } = this.#cluster.config
    const fire = () => {
      this.#timerAtMs = Number.POSITIVE_INFINITY
      this.pump()
    }
    this.#timer = clock.setTimer(Math.max(0, atMs - clock.monotonicMs()), fire, { unref: true })
  }

  async #fetch(leader: number, partitions: AssignedPartition[]): Promise<void> {
    this.#busyNodes.add(leader)
    const asked = new Map<string, Asked>()
    for (const partition of partitions) {
      partition.inFlight = true
      const key = partitionKey(partition.topic, partition.partition)
      asked.set(key, { partition, epoch: partition.epoch, offset: partition.fetchOffset! })
    }
    try {
      const connection = await this.#cluster.connection(leader, 'fetch')
      const request = this.#request(asked)
      const withIds = request.topics.every(({ topicId }) => topicId !== ZERO_UUID)
      const timeoutMs = this.#cluster.config.requestTimeoutMs + this.#config.fetchMaxWaitMs
      const options = withIds ? { timeoutMs } : { timeoutMs, maxVersion: LAST_VERSION_WITH_NAMES }
      this.#onResponse(asked, await connection.request(apis.fetch, request, options))
    } catch (error) {
      this.#onFailure(asked, error)
    } finally {
      this.#busyNodes.delete(leader)
      for (const { partition } of asked.values()) partition.inFlight = false
      this.pump()
      this.#onProgress()
    }
  }

  #request(asked: ReadonlyMap<string, Asked>) {
    const { metadata } = this.#cluster
    const byTopic = Map.groupBy(asked.values(), ({ partition }) => partition.topic)
    const topics = [...byTopic].map(([topic, list]) => ({
      topic,
      topicId: metadata.topics.get(topic)?.id ?? ZERO_UUID,
      partitions: list.map(({ partition, offset }) => ({
        partition: partition.partition,
        currentLeaderEpoch: metadata.leaderEpoch(topic, partition.partition),
        fetchOffset: offset,
        partitionMaxBytes: this.#config.maxPartitionFetchBytes,
      })),
    }))
    return {
      ...NO_SESSION,
      maxWaitMs: this.#config.fetchMaxWaitMs,
      minBytes: this.#config.fetchMinBytes,
      maxBytes: this.#config.fetchMaxBytes,
      isolationLevel: this.#config.readCommitted ? 1 : 0,
      topics,
    }
  }

  #onResponse(asked: ReadonlyMap<string, Asked>, response: FetchResponse): void {
    if (response.errorCode !== 0) throw brokerError(response.errorCode, 'Fetch')
    for (const topic of response.responses) {
      const name = topic.topic || this.#cluster.metadata.topicName(topic.topicId)
      for (const answer of topic.partitions) {
        const one = name === undefined ? undefined : asked.get(partitionKey(name, answer.partitionIndex))
        if (!one || one.partition.epoch !== one.epoch) continue
        if (answer.errorCode === 0) this.#onRecords(one, answer)
        else this.#onError(one.partition, answer, response)
      }
    }
  }

  #onRecords({ partition, offset }: Asked, answer: PartitionAnswer): void {
    partition.failures = 0
    partition.highWatermark = answer.highWatermark
    partition.lastStableOffset = answer.lastStableOffset
    partition.logStartOffset = answer.logStartOffset
    const records = answer.records
    if (!records || records.length === 0) return
    const aborted = this.#config.readCommitted ? (answer.abortedTransactions ?? []) : []
    const next = partition.reader.add(records, offset, aborted)
    if (next > offset) {
      partition.fetchOffset = next
      return
    }
    const where = `${partition.topic}-${partition.partition} at offset ${offset}`
    this.error = new KafkaError(
      'CLIENT_BAD_RESPONSE',
      `Fetch of ${where}: ${records.length} bytes without a whole batch`,
    )
    this.#retry(partition, false)
  }

  #onError(partition: AssignedPartition, answer: PartitionAnswer, response: FetchResponse): void {
    const { errorCode } = answer
    const what = `Fetch of ${partition.topic}-${partition.partition}`
    if (errorCode === ErrorCode.OFFSET_OUT_OF_RANGE) {
      const { fetchOffset } = partition
      this.#cluster.config.logger.info({ topic: partition.topic, partition: partition.partition, fetchOffset }, what)
      // Records that were fetched before are given out first.
      if (partition.reader.bufferedBytes === 0) this.#subscription.restart(partition, 'policy')
      else this.#retry(partition, false)
      return
    }
    const { leaderId, leaderEpoch } = answer.currentLeader
    const endpoint = response.nodeEndpoints.find(({ nodeId }) => nodeId === leaderId)
    const broker = endpoint && { id: leaderId, host: endpoint.host, port: endpoint.port, rack: endpoint.rack }
    const { metadata } = this.#cluster
    if (metadata.updateLeader(partition.topic, partition.partition, leaderId, leaderEpoch, broker)) return
    // As Kafka's consumer: a server error of one fetch is no reason to give up reading.
    const retriable = errorByCode(errorCode).retriable || errorCode === ErrorCode.UNKNOWN_SERVER_ERROR
    if (!retriable) this.error = brokerError(errorCode, what)
    this.#retry(partition, retriable)
  }

  #onFailure(asked: ReadonlyMap<string, Asked>, error: unknown): void {
    if (this.#cluster.isClosed) return
    if (!isRetriable(error)) {
      this.error =
        error instanceof KafkaError ? error : new KafkaError('UNKNOWN_SERVER_ERROR', String(error), { cause: error })
    }
    for (const { partition } of asked.values()) this.#retry(partition, true)
  }

  #retry(partition: AssignedPartition, refresh: boolean): void {
    const { clock, random, retryBackoffMs, retryBackoffMaxMs } = this.#cluster.config
    partition.failures++
    partition.retryAtMs = clock.monotonicMs() + backoffMs(random, retryBackoffMs, retryBackoffMaxMs, partition.failures)
    this.#pumpAt(partition.retryAtMs)
    if (refresh) this.refresh()
  }

  /** Asks for metadata in the background. */
  refresh(): void {
    if (this.#refreshing || this.#cluster.isClosed) return
    this.#refreshing = true
    void this.#cluster
      .refresh()
      // A failure shows as a leader that stays unknown, which is tried again.
      .catch(() => undefined)
      .then(() => {
        this.#refreshing = false
        this.pump()
        this.#onProgress()
      })
  }

  stop(): void {
    this.#timer?.cancel()
  }
}
