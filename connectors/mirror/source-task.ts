import {
  DataError,
  type KafkaConsumer,
  type PollResult,
  type RecordMetadata,
  type SourceOffset,
  type SourceRecord,
  type SourceTask,
  type SourceTaskContext,
  type TopicPartition,
} from '@millrace/sdk'
import { type MirrorClients, mirrorClients } from './clients.ts'
import { offsetSyncsTopic, policyOf } from './common-config.ts'
import { OffsetSyncWriter } from './offset-sync-writer.ts'
import { mirroredPartition, MirrorRecord, type RecordRoute } from './record.ts'
import type { SourceConfig } from './source-config.ts'
import { readPartitions } from './topics.ts'

/** Copies some partitions of the source cluster. */
export class MirrorSourceTask implements SourceTask {
  readonly #config: SourceConfig
  readonly #context: SourceTaskContext
  readonly #clients: MirrorClients
  /** By topic, then by partition. */
  readonly #routes = new Map<string, RecordRoute[]>()
  #consumer: KafkaConsumer | undefined
  #syncs: OffsetSyncWriter | undefined
  /** Left out without offset syncs: the runtime then keeps nothing of each record. */
  readonly commitRecord?: (record: SourceRecord, metadata: RecordMetadata | null) => void

  constructor(config: SourceConfig, context: SourceTaskContext) {
    this.#config = config
    this.#context = context
    this.#clients = mirrorClients(config, context.raw, context)
    if (config['emit.offset-syncs.enabled']) {
      this.commitRecord = (record, metadata) => {
        if (metadata !== null) this.#noteOffsets(record, metadata.offset)
      }
    }
  }

  async start(): Promise<void> {
    const { raw, offsets, logger } = this.#context
    const cluster = this.#config['source.cluster.alias']
    const policy = policyOf(this.#config)
    const partitions = readPartitions(raw['task.assigned.partitions'] ?? '')
    for (const { topic, partition } of partitions) {
      const routes = this.#routes.get(topic) ?? []
      const sourcePartition = mirroredPartition(cluster, topic, partition)
      routes[partition] = { topic: policy.remoteTopic(cluster, topic), partition, sourcePartition }
      this.#routes.set(topic, routes)
    }
    const committed = await offsets.offsets(
      partitions.map(({ topic, partition }) => mirroredPartition(cluster, topic, partition)),
    )
    if (this.#config['emit.offset-syncs.enabled']) {
      const location = this.#config['offset-syncs.topic.location']
      const producer = this.#clients.producer(location, `offset-syncs-${location}-producer`)
      const [topic, lagMax] = [offsetSyncsTopic(this.#config), this.#config['offset.lag.max']]
      this.#syncs = new OffsetSyncWriter({ producer, topic, lagMax, logger })
    }
    this.#consumer = this.#clients.consumer('source', 'replication-consumer')
    this.#consumer.assign(partitions)
    for (const [index, partition] of partitions.entries()) {
      // The offset is that of the last record; without one the reset policy of the consumer decides.
      const offset = readOffset(partition, committed[index]?.['offset'])
      if (offset >= 0) this.#consumer.seek(partition, offset + 1)
    }
  }

  async poll(signal: AbortSignal): Promise<PollResult> {
    const records = await this.#consumer?.poll(this.#config['consumer.poll.timeout.ms'], signal)
    return (
      records?.map((record) => {
        return new MirrorRecord(record, this.#routes.get(record.topic)?.[record.partition] as RecordRoute)
      }) ?? null
    )
  }

  /** What was held back goes out with each commit, so that topics with few records are in step as well. */
  commit(): void {
    this.#syncs?.sendDelayed()
  }

  async stop(): Promise<void> {
    await Promise.all([this.#consumer?.close(), this.#syncs?.close()])
  }

  #noteOffsets(record: SourceRecord, downstreamOffset: number): void {
    const { topic, partition } = record.sourcePartition as { topic: string; partition: number }
    this.#syncs?.note({ topic, partition, upstreamOffset: record.sourceOffset['offset'] as number, downstreamOffset })
  }
}

function readOffset({ topic, partition }: TopicPartition, offset: SourceOffset[string] | undefined): number {
  if (offset === undefined || offset === null) return -1
  if (typeof offset === 'number') return offset
  throw new DataError(
    `The stored offset of ${topic}-${partition} is ${offset}, not a number; another connector name begins anew`,
  )
}
