import type { Timer } from '../../base/index.ts'
import { Cluster } from '../cluster.ts'
import type { ClientConfig } from '../client-config.ts'
import { closedError, KafkaError } from '../errors.ts'
import type { PartitionInfo } from '../metadata.ts'
import type { TopicPartition } from './assignors/assignor.ts'
import {
  type ConsumerConfig,
  type ConsumerOptions,
  type RebalanceListener,
  resolveConsumerConfig,
} from './consumer-config.ts'
import { Fetcher } from './fetcher.ts'
import {
  type Committer,
  GroupOffsets,
  NO_MEMBER,
  type OffsetAndMetadata,
  type OffsetToCommit,
} from './group-offsets.ts'
import { EARLIEST, LATEST, listOffsets, type OffsetAndTimestamp, type TimestampQuery } from './list-offsets.ts'
import { Membership } from './membership.ts'
import type { ConsumerRecord } from './partition-reader.ts'
import { Positions } from './positions.ts'
import { type AssignedPartition, partitionKey, Subscription } from './subscription.ts'

/** What a consumer subscribes to: topics by name, or all that match a pattern. */
export type Topics = readonly string[] | RegExp

/** Identifies this consumer in its group, for sendOffsetsToTransaction and the like. */
export interface ConsumerGroupMetadata extends Committer {
  readonly groupId: string
}

/**
 * Reads records: from partitions of its own choice (`assign`) or as a member of a group (`subscribe`). One call at a
 * time, as Kafka's consumer; heartbeats go on between calls. Listener callbacks run inside `poll` and `close`.
 */
export class Consumer {
  readonly #cluster: Cluster
  readonly #config: ConsumerConfig
  readonly #subscription: Subscription
  readonly #fetcher: Fetcher
  readonly #positions: Positions
  readonly #offsets: GroupOffsets | undefined
  #topics: Topics = []
  #listener: RebalanceListener = {}
  #membership: Membership | undefined
  #subscribed = false
  #fatal: KafkaError | undefined
  readonly #tasks: (() => Promise<void>)[] = []
  #wakeUp: (() => void) | undefined
  #progress = false
  #polling = false
  #turn = 0
  #metadataVersion = 0
  #matched: readonly string[] = []
  #commitAtMs: number
  #pollTimer: Timer | undefined
  #closing: Promise<void> | undefined

  constructor(client: ClientConfig, options: ConsumerOptions = {}) {
    this.#config = resolveConsumerConfig(options)
    this.#cluster = new Cluster(client)
    this.#subscription = new Subscription(this.#config.checkCrcs)
    const { groupId } = this.#config
    this.#offsets = groupId === undefined ? undefined : new GroupOffsets(this.#cluster, groupId)
    const wake = () => this.#wake()
    this.#fetcher = new Fetcher(this.#cluster, this.#config, this.#subscription, wake)
    this.#positions = new Positions(this.#cluster, this.#config, this.#subscription, this.#offsets, wake)
    this.#commitAtMs = client.clock.monotonicMs() + this.#config.autoCommitIntervalMs
  }

  // --- what is read ---

  /** Reads these partitions and no others, without a group's coordination. */
  assign(partitions: readonly TopicPartition[]): void {
    this.#check()
    if (this.#subscribed)
      throw new KafkaError('CLIENT_CONFIG', 'subscribe and assign exclude each other: unsubscribe first')
    this.#cluster.wantOnly(new Set(partitions.map(({ topic }) => topic)))
    this.#subscription.assign(partitions, this.#offsets ? 'committed' : 'policy')
    this.#startReading()
  }

  /** Takes part in the group; partitions arrive with `poll`. A second call changes the topics. */
  subscribe(topics: Topics, listener: RebalanceListener = {}): void {
    this.#check()
    if (this.#config.groupId === undefined) throw new KafkaError('CLIENT_CONFIG', 'subscribe needs a group.id')
    if (!this.#subscribed && this.#subscription.partitions.size > 0) {
      throw new KafkaError('CLIENT_CONFIG', 'subscribe and assign exclude each other: unsubscribe first')
    }
    this.#subscribed = true
    this.#topics = topics
    this.#listener = listener
    if (topics instanceof RegExp) this.#cluster.wantAllTopics()
    else this.#cluster.wantOnly(topics)
    this.#matched = this.#match()
    this.#membership?.member.requestRejoin('the subscription has changed')
  }

  /** Leaves the group and drops all partitions. */
  async unsubscribe(): Promise<void> {
    this.#check()
    await this.#leaveGroup()
    this.#subscribed = false
    this.#subscription.assign([], 'policy')
  }

  assignment(): TopicPartition[] {
    return this.#subscription.list()
  }

  groupMetadata(): ConsumerGroupMetadata {
    return { groupId: this.#config.groupId ?? '', ...this.#committer() }
  }

  // --- poll ---

  /**
   * Resolves with the next records, at most max.poll.records, or with none after `timeoutMs`. Order within a partition
   * is kept. Rejects with the signal's reason when it aborts, and with what only the application can decide.
   */
  async poll(timeoutMs: number, options: { signal?: AbortSignal } = {}): Promise<ConsumerRecord[]> {
    this.#check()
    if (this.#polling) throw new KafkaError('CLIENT_CONFIG', 'poll is under way: a consumer serves one call at a time')
    this.#polling = true
    this.#pollTimer?.cancel()
    const deadline = this.#now + timeoutMs
    try {
      for (;;) {
        options.signal?.throwIfAborted()
        if (this.#closing) throw closedError('The consumer')
        this.#progress = false
        await this.#housekeeping()
        const records = this.#collect()
        const waitMs = deadline - this.#now
        if (records.length > 0 || (waitMs <= 0 && !this.#progress)) return records
        if (!this.#progress) await this.#wait(waitMs, options.signal)
      }
    } finally {
      this.#polling = false
      this.#watchPollInterval()
    }
  }

  get #now(): number {
    return this.#cluster.config.clock.monotonicMs()
  }

  async #housekeeping(): Promise<void> {
    if (this.#subscribed && !this.#membership) this.#join()
    if (this.#cluster.isMetadataStale) this.#fetcher.refresh()
    if (this.#metadataVersion !== this.#cluster.metadata.version) this.#onMetadata()
    for (let task = this.#tasks.shift(); task; task = this.#tasks.shift()) await task()
    this.#throwErrors()
    this.#positions.start()
    this.#fetcher.pump()
    if (this.#config.enableAutoCommit && this.#now >= this.#commitAtMs) {
      this.#commitAtMs = this.#now + this.#config.autoCommitIntervalMs
      void this.commitAsync().catch((error: unknown) => {
        this.#cluster.config.logger.warn({ groupId: this.#config.groupId, error: String(error) }, 'auto commit failed')
      })
    }
  }

  #throwErrors(): void {
    if (this.#fatal) throw this.#fatal
    const error = this.#positions.error ?? this.#fetcher.error
    this.#positions.error = undefined
    this.#fetcher.error = undefined
    if (error) throw error
  }

  #collect(): ConsumerRecord[] {
    const out: ConsumerRecord[] = []
    const partitions = [...this.#subscription.partitions.values()]
    const limit = this.#config.maxPollRecords
    for (let i = 0; i < partitions.length && out.length < limit; i++) {
      const partition = partitions[(this.#turn + i) % partitions.length]!
      if (partition.paused || partition.reader.bufferedBytes === 0) continue
      try {
        partition.reader.take(out, limit - out.length)
      } catch (error) {
        if (out.length === 0) throw error
        break
      }
    }
    this.#turn++
    if (out.length > 0) this.#fetcher.pump()
    return out
  }

  #wake(): void {
    this.#progress = true
    this.#wakeUp?.()
  }

  async #wait(ms: number, signal: AbortSignal | undefined): Promise<void> {
    const { promise, resolve } = Promise.withResolvers<void>()
    const timer = this.#cluster.config.clock.setTimer(ms, resolve)
    this.#wakeUp = resolve
    signal?.addEventListener('abort', resolve as () => void, { once: true })
    await promise
    timer.cancel()
    // The signal may live as long as the application: nothing must stay behind on it.
    signal?.removeEventListener('abort', resolve as () => void)
    this.#wakeUp = undefined
  }

  /** Fetching starts before the first poll, so that it finds something. */
  #startReading(): void {
    this.#positions.start()
    this.#fetcher.pump()
  }

  // --- group ---

  #join(): void {
    this.#membership = new Membership(this.#cluster, this.#config, this.#subscription, this.#listener, {
      topics: () => this.#matched,
      inPoll: (task) => this.#inPoll(task),
      autoCommit: () => this.#autoCommitNow(),
      onFatal: (error) => {
        this.#fatal = error
        this.#wake()
      },
    })
    this.#membership.member.start()
  }

  #inPoll(task: () => Promise<void>): Promise<void> {
    // After close nobody polls: the membership ends anyway.
    if (this.#closing) return Promise.resolve()
    return new Promise((resolve, reject) => {
      this.#tasks.push(() => task().then(resolve, reject))
      this.#wake()
    })
  }

  #match(): readonly string[] {
    if (!(this.#topics instanceof RegExp)) return [...new Set(this.#topics)].toSorted()
    const pattern = new RegExp(this.#topics.source, this.#topics.flags.replace('g', '').replace('y', ''))
    const all = [...this.#cluster.metadata.topics.values()]
    return all
      .filter(({ name, internal }) => !internal && pattern.test(name))
      .map(({ name }) => name)
      .toSorted()
  }

  #onMetadata(): void {
    this.#metadataVersion = this.#cluster.metadata.version
    if (!this.#membership) return
    const matched = this.#match()
    const changed = matched.length !== this.#matched.length || matched.some((name, i) => name !== this.#matched[i])
    this.#matched = matched
    if (changed) this.#membership.member.requestRejoin('other topics match the subscription')
    else if (this.#membership.isOutdated) this.#membership.member.requestRejoin('topics have changed')
  }

  /** A member that does not poll holds its partitions for nothing: it leaves, and joins again with the next poll. */
  #watchPollInterval(): void {
    if (!this.#membership || this.#closing) return
    const expire = () => {
      const membership = this.#membership
      if (!membership || this.#polling) return
      const { groupId, maxPollIntervalMs } = this.#config
      this.#cluster.config.logger.warn({ groupId, maxPollIntervalMs }, 'leaving the group: poll was not called in time')
      this.#membership = undefined
      this.#tasks.length = 0
      void membership.onLost('poll was not called within max.poll.interval.ms')
      void membership.member.leave()
    }
    this.#pollTimer = this.#cluster.config.clock.setTimer(this.#config.maxPollIntervalMs, expire, { unref: true })
  }

  async #leaveGroup(): Promise<void> {
    this.#pollTimer?.cancel()
    this.#tasks.length = 0
    await this.#membership?.leave()
    this.#membership = undefined
  }

  // --- positions ---

  /** The next `poll` gives this partition's records from `offset` on. */
  seek({ topic, partition }: TopicPartition, offset: number): void {
    this.#subscription.seek(this.#assigned(topic, partition), offset)
    this.#fetcher.pump()
  }

  /** All assigned partitions when none are named. */
  seekToBeginning(partitions: readonly TopicPartition[] = this.assignment()): void {
    this.#seekTo(partitions, EARLIEST)
  }

  seekToEnd(partitions: readonly TopicPartition[] = this.assignment()): void {
    this.#seekTo(partitions, LATEST)
  }

  #seekTo(partitions: readonly TopicPartition[], timestamp: number): void {
    for (const { topic, partition } of partitions) {
      this.#subscription.restart(this.#assigned(topic, partition), timestamp)
    }
    this.#positions.start()
  }

  /** Offset of the next record; waits until it is known. */
  async position({ topic, partition }: TopicPartition, timeoutMs?: number): Promise<number> {
    const deadline = this.#now + (timeoutMs ?? this.#cluster.config.defaultApiTimeoutMs)
    for (;;) {
      const assigned = this.#assigned(topic, partition)
      if (assigned.fetchOffset !== undefined) return assigned.reader.position
      this.#throwErrors()
      this.#positions.start()
      const waitMs = deadline - this.#now
      if (waitMs <= 0) {
        throw new KafkaError('CLIENT_TIMED_OUT', `No position of ${topic}-${partition} in time`, { retriable: true })
      }
      await this.#wait(waitMs, undefined)
    }
  }

  /** Records between the position and the end of the partition, as of the last fetch; undefined before it. */
  lag({ topic, partition }: TopicPartition): number | undefined {
    const { fetchOffset, reader, highWatermark, lastStableOffset } = this.#assigned(topic, partition)
    const end = this.#config.readCommitted ? lastStableOffset : highWatermark
    return fetchOffset === undefined || end < 0 ? undefined : Math.max(0, end - reader.position)
  }

  /** `poll` gives no records of these partitions until they are resumed; what is buffered stays. */
  pause(partitions: readonly TopicPartition[]): void {
    for (const { topic, partition } of partitions) this.#assigned(topic, partition).paused = true
  }

  resume(partitions: readonly TopicPartition[]): void {
    for (const { topic, partition } of partitions) this.#assigned(topic, partition).paused = false
    this.#wake()
  }

  paused(): TopicPartition[] {
    const paused = [...this.#subscription.partitions.values()].filter((partition) => partition.paused)
    return paused.map(({ topic, partition }) => ({ topic, partition }))
  }

  #assigned(topic: string, partition: number): AssignedPartition {
    this.#check()
    const assigned = this.#subscription.get(topic, partition)
    if (!assigned)
      throw new KafkaError('CLIENT_NOT_ASSIGNED', `Partition ${topic}-${partition} is not assigned to this consumer`)
    return assigned
  }

  // --- offsets of partitions ---

  /** First offsets, in the order asked. */
  beginningOffsets(partitions: readonly TopicPartition[], timeoutMs?: number): Promise<number[]> {
    return this.#offsetsAt(partitions, EARLIEST, timeoutMs)
  }

  /** Offsets after the last record (for read_committed: the last stable offset), in the order asked. */
  endOffsets(partitions: readonly TopicPartition[], timeoutMs?: number): Promise<number[]> {
    return this.#offsetsAt(partitions, LATEST, timeoutMs)
  }

  async #offsetsAt(partitions: readonly TopicPartition[], timestamp: number, timeoutMs?: number): Promise<number[]> {
    const found = await this.#listOffsets(
      partitions.map((partition) => ({ ...partition, timestamp })),
      timeoutMs,
    )
    return found.map(({ offset }) => offset)
  }

  /** The first record at or after each timestamp, in the order asked; null where there is none. */
  async offsetsForTimes(
    queries: readonly TimestampQuery[],
    timeoutMs?: number,
  ): Promise<(OffsetAndTimestamp | null)[]> {
    const found = await this.#listOffsets(queries, timeoutMs)
    return found.map((one) => (one.offset < 0 ? null : one))
  }

  async #listOffsets(queries: readonly TimestampQuery[], timeoutMs?: number): Promise<OffsetAndTimestamp[]> {
    this.#check()
    const { readCommitted } = this.#config
    const options = timeoutMs === undefined ? { readCommitted } : { readCommitted, timeoutMs }
    const found = await listOffsets(this.#cluster, queries, options)
    return queries.map((query) => found.get(query) ?? { offset: -1, timestamp: -1, leaderEpoch: -1 })
  }

  /** The partitions of a topic. */
  async partitionsFor(topic: string): Promise<readonly PartitionInfo[]> {
    this.#check()
    this.#cluster.want([topic])
    if (!this.#cluster.metadata.topics.has(topic)) {
      await this.#cluster.retrying(`Metadata of topic ${topic}`, () => this.#cluster.refresh())
    }
    return this.#cluster.metadata.topics.get(topic)?.partitions ?? []
  }

  // --- committed offsets ---

  /** Commits these offsets, or the positions of all assigned partitions; retried until it is done or refused. */
  async commit(offsets?: readonly OffsetToCommit[], options: { timeoutMs?: number } = {}): Promise<void> {
    await this.#group().commit(offsets ?? this.#consumed(), () => this.#committer(), options.timeoutMs)
  }

  /** The same with a single attempt. */
  async commitAsync(offsets?: readonly OffsetToCommit[]): Promise<void> {
    await this.#group().commitOnce(offsets ?? this.#consumed(), this.#committer())
  }

  /** Committed offsets, in the order asked; null where there is none. */
  async committed(partitions: readonly TopicPartition[], timeoutMs?: number): Promise<(OffsetAndMetadata | null)[]> {
    const found = await this.#group().committed(partitions, timeoutMs)
    return partitions.map(({ topic, partition }) => found.get(partitionKey(topic, partition)) ?? null)
  }

  #group(): GroupOffsets {
    this.#check()
    if (!this.#offsets) throw new KafkaError('CLIENT_CONFIG', 'committed offsets need a group.id')
    return this.#offsets
  }

  #consumed(): OffsetToCommit[] {
    const known = [...this.#subscription.partitions.values()].filter(({ fetchOffset }) => fetchOffset !== undefined)
    return known.map(({ topic, partition, reader: { position, leaderEpoch } }) => ({
      topic,
      partition,
      offset: position,
      leaderEpoch,
    }))
  }

  #committer(): Committer {
    const member = this.#membership?.member
    if (!member) return NO_MEMBER
    const { memberId, generationId, groupInstanceId } = member
    return { memberId, generationId, groupInstanceId }
  }

  async #autoCommitNow(): Promise<void> {
    if (!this.#config.enableAutoCommit || !this.#offsets) return
    const offsets = this.#consumed()
    const committing = this.#offsets.commit(offsets, () => this.#committer(), this.#config.autoCommitIntervalMs)
    // The records are read again by whoever is next: at least once, as Kafka's consumer.
    await committing.catch((error: unknown) => {
      this.#cluster.config.logger.warn({ groupId: this.#config.groupId, error: String(error) }, 'auto commit failed')
    })
  }

  #check(): void {
    // While closing, the listener may still commit.
    if (this.#cluster.isClosed) throw closedError('The consumer')
  }

  /** Commits if that is its job, tells the listener, leaves the group and closes. Idempotent. */
  close(options: { timeoutMs?: number } = {}): Promise<void> {
    this.#closing ??= this.#close(options.timeoutMs ?? 30_000)
    return this.#closing
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.close()
  }

  async #close(timeoutMs: number): Promise<void> {
    // A poll under way ends.
    this.#wake()
    const timeout = Promise.withResolvers<void>()
    const timer = this.#cluster.config.clock.setTimer(timeoutMs, timeout.resolve)
    try {
      const leaving = this.#membership ? this.#leaveGroup() : this.#autoCommitNow()
      await Promise.race([leaving, timeout.promise])
    } finally {
      timer.cancel()
      this.#fetcher.stop()
      this.#cluster.close()
      this.#wake()
    }
  }
}
