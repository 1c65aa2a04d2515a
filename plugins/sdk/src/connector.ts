import type { ConfigDef, Parsed } from './config.ts'
import type { KafkaClients } from './kafka.ts'
import type { SinkRecord, SourceOffset, SourcePartition, SourcePosition, SourceRecord } from './record.ts'

/** The logger of a plugin; its lines carry connector and task. Never log record values or passwords. */
export interface PluginLogger {
  debug(fields: object, message: string): void
  info(fields: object, message: string): void
  warn(fields: object, message: string): void
  error(fields: object, message: string): void
}

/**
 * What the runtime offers to transformations, predicates and converters. Their logger writes lines of one text once a
 * minute, with their number: put what differs from record to record into the fields.
 */
export interface PluginContext {
  readonly logger: PluginLogger
}

/** A configuration as users write it: every value is text. */
export type RawConfig = Readonly<Record<string, string>>

/** What `validate` says of a configuration beyond what its definition checks: one entry a problem, naming the key and the fix. */
export interface ConfigIssue {
  readonly key: string
  readonly message: string
}

/** What the runtime offers to a connector (not a task). */
export interface ConnectorContext {
  readonly connectorName: string
  readonly logger: PluginLogger
  /** Clients of Kafka clusters; left out by runtimes that have none. */
  readonly kafka?: KafkaClients
  /** Asks the runtime to call `taskConfigs` again, for example because a table appeared. */
  requestTaskReconfiguration(): void
  /** Marks the connector FAILED with this error. */
  raiseError(error: Error): void
}

/** The long-lived part of a connector, such as a watcher for new tables. */
export interface ConnectorMonitor {
  stop(): Promise<void> | void
}

interface ConnectorDefinition<D extends ConfigDef> {
  /** The simple class name users put in `connector.class`, for example `FileStreamSource`. */
  readonly name: string
  readonly version: string
  /** Other class names that mean this connector: the Java class names of existing JSON configs. */
  readonly aliases?: readonly string[]
  readonly config: D
  /**
   * Settings of the framework that the connector has unless its configuration says otherwise, such as converters: they
   * come before those of the worker.
   */
  readonly defaults?: RawConfig
  /** Checks that need the outside world or several keys: may connect; collects every problem instead of throwing at the first. */
  validate?(config: Parsed<D>, raw: RawConfig): Promise<readonly ConfigIssue[]> | readonly ConfigIssue[]
  /** Splits the work into at most `maxTasks` task configurations, each a full configuration for one task. */
  taskConfigs(
    config: Parsed<D>,
    maxTasks: number,
    raw: RawConfig,
    context: ConnectorContext,
  ): Promise<readonly RawConfig[]> | readonly RawConfig[]
  /** Starts what has to run beside the tasks; called once when the connector starts, stopped with it. */
  monitor?(config: Parsed<D>, raw: RawConfig, context: ConnectorContext): Promise<ConnectorMonitor> | ConnectorMonitor
}

/** Reads the offsets that were committed before this task started. */
export interface OffsetReader {
  /** The committed offset of one source partition, or null. Integers come back as number when safe, else bigint. */
  offset(partition: SourcePartition): Promise<SourceOffset | null>
  /** Several at once, in the order asked. */
  offsets(partitions: readonly SourcePartition[]): Promise<readonly (SourceOffset | null)[]>
}

/** What the runtime offers to a task. */
export interface TaskContext {
  readonly connectorName: string
  readonly taskId: number
  readonly logger: PluginLogger
  /** The task's configuration as text, with keys that its definition does not know. */
  readonly raw: RawConfig
  /** Clients of Kafka clusters; left out by runtimes that have none. */
  readonly kafka?: KafkaClients
}

export interface SourceTaskContext extends TaskContext {
  readonly offsets: OffsetReader
}

/** A source partition with the offset that is now durable. */
export interface CommittedOffset {
  readonly sourcePartition: SourcePartition
  readonly sourceOffset: SourceOffset
}

/** Where a record went. */
export interface RecordMetadata {
  readonly topic: string
  readonly partition: number
  readonly offset: number
}

/** Ends the task in good order: everything polled is produced and committed, the task is then shown as finished. */
export const FINISHED: unique symbol = Symbol.for('millrace.finished') as never

export type PollResult = readonly (SourceRecord | SourcePosition)[] | null | typeof FINISHED

/** A running source task. Calls never overlap, except `stop`, which may come during `poll`. */
export interface SourceTask {
  start?(): Promise<void> | void
  /** Waits for data and gives a batch; null or an empty array when there was none for a while. Returns soon after the signal aborts. */
  poll(signal: AbortSignal): Promise<PollResult> | PollResult
  /** Called after offsets became durable in the log. */
  commit?(offsets: readonly CommittedOffset[]): Promise<void> | void
  /** Called for each record once it is acknowledged; metadata is null for a record that was filtered or skipped. */
  commitRecord?(record: SourceRecord, metadata: RecordMetadata | null): Promise<void> | void
  stop?(): Promise<void> | void
}

export interface SourceConnector<D extends ConfigDef = ConfigDef> extends ConnectorDefinition<D> {
  readonly kind: 'source'
  createTask(config: Parsed<D>, context: SourceTaskContext): SourceTask
}

export interface TopicPartition {
  readonly topic: string
  readonly partition: number
}

/** The offset is the next one to read, as Kafka commits it. */
export interface TopicPartitionOffset extends TopicPartition {
  readonly offset: number
}

/** Takes records that the sink cannot write; present when a dead letter queue or error logging is configured. */
export interface ErrantRecordReporter {
  /** Resolves when the report is durable; rejects when errors are not tolerated. */
  report(record: SinkRecord, error: Error): Promise<void>
}

/** Writes to topics of the log that the worker runs on, as sinks do that keep the answers of what they write to. */
export interface TopicPublisher {
  /** Resolves when the record is durable. A topic that is missing is created. */
  publish(record: {
    readonly topic: string
    readonly key: Uint8Array | null
    readonly value: Uint8Array | null
    readonly headers?: readonly { readonly key: string; readonly value: Uint8Array | null }[]
  }): Promise<void>
}

export interface SinkTaskContext extends TaskContext {
  readonly errantRecordReporter: ErrantRecordReporter | null
  /** Left out by runtimes that cannot write. */
  readonly publisher?: TopicPublisher
  /** The partitions this task has now. */
  assignment(): readonly TopicPartition[]
  /** Continues reading at these offsets; for sinks that keep offsets in the target. */
  offset(offsets: readonly TopicPartitionOffset[]): void
  /** How long to wait before the batch of a RetriableError comes again, in milliseconds. */
  timeout(delayMs: number): void
  pause(partitions: readonly TopicPartition[]): void
  resume(partitions: readonly TopicPartition[]): void
  /** Asks for an offset commit soon. */
  requestCommit(): void
}

/** A running sink task. Calls never overlap. */
export interface SinkTask {
  start?(): Promise<void> | void
  /** New partitions; before the first `put` of them. */
  open?(partitions: readonly TopicPartition[]): Promise<void> | void
  /** Takes a batch, possibly empty. RetriableError brings the same batch again; any other error fails the task. */
  put(records: readonly SinkRecord[]): Promise<void> | void
  /** Makes what `put` took durable up to these offsets and says which may be committed (fewer or lower is fine). Left out: all. */
  preCommit?(
    offsets: readonly TopicPartitionOffset[],
  ): Promise<readonly TopicPartitionOffset[]> | readonly TopicPartitionOffset[]
  /** Partitions go to another task. */
  close?(partitions: readonly TopicPartition[]): Promise<void> | void
  stop?(): Promise<void> | void
}

export interface SinkConnector<D extends ConfigDef = ConfigDef> extends ConnectorDefinition<D> {
  readonly kind: 'sink'
  /**
   * Tasks take `jsonValue` of records where there is one. Such records have getters: they are not to be copied by spreading.
   */
  readonly readsJsonValue?: boolean
  createTask(config: Parsed<D>, context: SinkTaskContext): SinkTask
}

/** Declares a source connector. */
export function defineSourceConnector<const D extends ConfigDef>(
  definition: Omit<SourceConnector<D>, 'kind'>,
): SourceConnector<D> {
  return { kind: 'source', ...definition }
}

/** Declares a sink connector. */
export function defineSinkConnector<const D extends ConfigDef>(
  definition: Omit<SinkConnector<D>, 'kind'>,
): SinkConnector<D> {
  return { kind: 'sink', ...definition }
}
