import type { RawConfig, TopicPartition, TopicPartitionOffset } from './connector.ts'
import { ConnectError } from './errors.ts'

/** A record as it is in a topic. Key, value and header values are views that stay as they are. */
export interface KafkaRecord extends TopicPartitionOffset {
  /** Milliseconds since the epoch; -1 when the record has none. */
  readonly timestamp: number
  readonly key: Uint8Array | null
  readonly value: Uint8Array | null
  readonly headers: readonly { readonly key: string; readonly value: Uint8Array | null }[]
}

/** Reads partitions of its own choice. One call at a time. */
export interface KafkaConsumer {
  /** Reads these and no others, each from where `auto.offset.reset` says. */
  assign(partitions: readonly TopicPartition[]): void
  seek(partition: TopicPartition, offset: number): void
  /** The next records, in order within a partition; empty after `timeoutMs` or when the signal aborts. */
  poll(timeoutMs: number, signal?: AbortSignal): Promise<readonly KafkaRecord[]>
  /** The offset of the next record that `poll` gives. */
  position(partition: TopicPartition): Promise<number>
  /** Offsets after the last record, in the order asked. */
  endOffsets(partitions: readonly TopicPartition[]): Promise<readonly number[]>
  close(): Promise<void>
}

export interface KafkaProducer {
  /** Resolves with the record's offset when the cluster has it. Order within a partition is that of the calls. */
  send(record: {
    readonly topic: string
    readonly partition: number
    readonly key: Uint8Array | null
    readonly value: Uint8Array | null
  }): Promise<number>
  /** Sends what is left, for at most this long. */
  close(timeoutMs?: number): Promise<void>
}

export interface KafkaTopic {
  readonly name: string
  readonly partitions: number
}

/** A setting of a topic as the cluster tells it. */
export interface KafkaTopicSetting {
  readonly name: string
  readonly value: string | null
  /** The setting is nobody's choice: the cluster's built-in default. */
  readonly isDefault: boolean
  /** It comes from the properties file of a broker. */
  readonly isOfBroker: boolean
  readonly isReadOnly: boolean
  readonly isSensitive: boolean
}

/** A rule of access to topics, in Kafka's words: `LITERAL`, `READ`, `ALLOW`. */
export interface KafkaTopicAcl {
  readonly topic: string
  readonly patternType: string
  readonly principal: string
  readonly host: string
  readonly operation: string
  readonly permission: string
}

export interface KafkaGroup {
  readonly groupId: string
  /** `consumer` for consumer groups, '' for groups that only have offsets, `connect` and others. */
  readonly protocolType: string
}

export interface KafkaGroupOffset extends TopicPartitionOffset {
  readonly metadata: string
}

/** Administers a cluster. Every call rejects with a `KafkaCallError`. */
export interface KafkaAdmin {
  /** All topics, internal ones too. */
  topics(): Promise<readonly KafkaTopic[]>
  /** False when the topic is there already. A replication factor of -1 is the cluster's default. */
  createTopic(topic: {
    readonly name: string
    readonly partitions: number
    readonly replicationFactor: number
    readonly settings: Readonly<Record<string, string>>
  }): Promise<boolean>
  /** Raises the number of partitions; does nothing when there are as many. */
  raisePartitions(topic: string, count: number): Promise<void>
  topicSettings(topics: readonly string[]): Promise<ReadonlyMap<string, readonly KafkaTopicSetting[]>>
  /** Changes settings of a topic; null takes one back to its default. */
  alterTopicSettings(topic: string, changes: Readonly<Record<string, string | null>>): Promise<void>
  /** Null when the cluster keeps no rules of access. */
  topicAcls(): Promise<readonly KafkaTopicAcl[] | null>
  createTopicAcls(acls: readonly KafkaTopicAcl[]): Promise<void>
  groups(): Promise<readonly KafkaGroup[]>
  /** `Stable`, `Empty`, ...; `Dead` for a group that does not exist. */
  groupState(groupId: string): Promise<string>
  groupOffsets(groupId: string): Promise<readonly KafkaGroupOffset[]>
  /** Sets committed offsets; refused while the group has members. */
  alterGroupOffsets(groupId: string, offsets: readonly KafkaGroupOffset[]): Promise<void>
  close(): Promise<void>
}

/**
 * Makes clients of any Kafka cluster, with Kafka's own configuration names such as `bootstrap.servers`. Without
 * `bootstrap.servers` they are of the cluster that the worker runs on. The runtime closes what is still open when the
 * connector or task ends.
 */
export interface KafkaClients {
  consumer(config: RawConfig): KafkaConsumer
  producer(config: RawConfig): KafkaProducer
  admin(config: RawConfig): KafkaAdmin
}

/** A call to a Kafka cluster failed. `retriable`: the same call may succeed later. */
export class KafkaCallError extends ConnectError {
  override name = 'KafkaCallError'
  override readonly code: 'CONNECT' | 'RETRIABLE'
  override readonly retriable: boolean
  /** Kafka's name of the error, such as `INVALID_REPLICATION_FACTOR`, or one of the client's own that begins with `CLIENT_`. */
  readonly kafkaCode: string

  constructor(message: string, options: ErrorOptions & { kafkaCode: string; retriable: boolean }) {
    super(message, options)
    this.kafkaCode = options.kafkaCode
    this.retriable = options.retriable
    this.code = options.retriable ? 'RETRIABLE' : 'CONNECT'
  }
}
