import type { RawConfig } from '@millrace/sdk'

/** All records of one produced batch share its fate; see `ProducerBatch` of the client. */
export interface SentBatch {
  readonly topic: string
  readonly partition: number
  readonly state: 'pending' | 'acked' | 'failed'
  readonly error: Error | undefined
  readonly baseOffset: number
  readonly recordCount: number
  /** Resolves when the batch is acked or failed; never rejects. */
  readonly done: Promise<unknown>
}

export interface OutgoingHeader {
  readonly key: string
  readonly value: Uint8Array | null
}

export interface OutgoingRecord {
  readonly topic: string
  readonly partition?: number | undefined
  readonly key: Uint8Array | null
  readonly value: Uint8Array | null
  readonly headers?: readonly OutgoingHeader[] | undefined
  readonly timestamp?: number | undefined
}

/** What tasks need of a producer. */
export interface LogProducer {
  ready(topic?: string): Promise<void> | undefined
  append(record: OutgoingRecord): SentBatch
  flush(): Promise<void>
  close(options?: { timeoutMs?: number }): Promise<void>
}

export interface IncomingRecord {
  readonly topic: string
  readonly partition: number
  readonly offset: number
  readonly timestamp: number
  /** Left out: CreateTime. */
  readonly timestampType?: 'CreateTime' | 'LogAppendTime' | 'NoTimestampType' | undefined
  readonly key: Uint8Array | null
  readonly value: Uint8Array | null
  readonly headers: readonly OutgoingHeader[]
}

export interface Partition {
  readonly topic: string
  readonly partition: number
}

export interface PartitionOffset extends Partition {
  readonly offset: number
}

/** Told of changes of the assignment; the promises are awaited before the group goes on. */
export interface RebalanceListener {
  onAssigned(partitions: readonly Partition[]): Promise<void>
  /** The partitions still belong to this member: it may commit. */
  onRevoked(partitions: readonly Partition[]): Promise<void>
  /** They belong to somebody else already. */
  onLost(partitions: readonly Partition[]): Promise<void>
}

/** What sink tasks need of a consumer. */
export interface LogConsumer {
  /** Records of the assigned, not paused partitions; empty after `timeoutMs` or when the signal aborts. */
  poll(timeoutMs: number, signal: AbortSignal): Promise<readonly IncomingRecord[]>
  /** The next offset that `poll` would read. */
  position(partition: Partition): number | undefined | Promise<number>
  seek(partition: Partition, offset: number): void
  pause(partitions: readonly Partition[]): void
  resume(partitions: readonly Partition[]): void
  commit(offsets: readonly PartitionOffset[]): Promise<void>
  /** Distance to the end of the log, where it is known. */
  lag(partition: Partition): number | undefined
  close(options?: { timeoutMs?: number }): Promise<void>
}

export interface NewTopic {
  readonly name: string
  readonly partitions: number
  readonly replicationFactor: number
  readonly configs: Readonly<Record<string, string>>
}

/** What tasks need of an admin client. */
export interface LogAdmin {
  topicExists(name: string): Promise<boolean>
  /** Resolves also when the topic exists already. */
  createTopic(topic: NewTopic): Promise<void>
  /** Takes the members with this client id out of a consumer group; resolves with how many there were. */
  removeMembersOf(groupId: string, clientId: string): Promise<number>
  close(): Promise<void>
}

export interface Subscription {
  readonly topics: readonly string[]
  /** Used when there are no `topics`. */
  readonly pattern: RegExp | null
}

/** Makes the clients of one task from Kafka's own configuration names. */
export interface LogClients {
  producer(config: RawConfig, onBatchDone?: (batch: SentBatch) => void): LogProducer
  consumer(config: RawConfig, subscription: Subscription, listener: RebalanceListener): LogConsumer
  admin(config: RawConfig): LogAdmin
}
