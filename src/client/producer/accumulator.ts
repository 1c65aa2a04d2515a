import { assert } from '../../base/index.ts'
import {
  BATCH_HEADER_SIZE,
  BatchBuilder,
  type BatchMemory,
  type RecordHeader,
  recordSizeUpperBound,
} from '../../record/index.ts'
import type { ClientConfig } from '../client-config.ts'
import { KafkaError } from '../errors.ts'
import type { Metadata, TopicInfo } from '../metadata.ts'
import { BatchPool } from './batch-pool.ts'
import { partitionForKey } from './murmur2.ts'
import { ProducerBatch } from './producer-batch.ts'
import type { ProducerConfig } from './producer-config.ts'
import { PartitionSequences } from './sequences.ts'
import { StickyPartitioner } from './sticky-partitioner.ts'

/** A record to be sent. Key, value and header values are copied by `append`, so they may be reused after it. */
export interface ProducerRecord {
  readonly topic: string
  /** Left out: by the key, or sticky when there is none. */
  readonly partition?: number | undefined
  readonly key: Uint8Array | null
  readonly value: Uint8Array | null
  readonly headers?: readonly RecordHeader[] | undefined
  /** Milliseconds; left out: now. */
  readonly timestamp?: number | undefined
}

/** What waits to be sent to one partition, in order. */
export class PartitionQueue {
  readonly topic: string
  readonly partition: number
  readonly sequences = new PartitionSequences()
  readonly builder: BatchBuilder
  /** The batch that still takes records. */
  open: ProducerBatch | undefined
  /** Encoded batches that are not on the wire. */
  readonly sealed: ProducerBatch[] = []
  onWire = 0
  batches = 0

  constructor(topic: string, partition: number, initialBytes: number, memory: BatchMemory) {
    this.topic = topic
    this.partition = partition
    this.builder = new BatchBuilder(initialBytes, memory)
  }

  /** Puts a batch that has to be sent again back in its place. */
  putBack(batch: ProducerBatch): void {
    const at = this.sealed.findIndex((other) => other.order > batch.order)
    this.sealed.splice(at < 0 ? this.sealed.length : at, 0, batch)
  }
}

const FIRST_BUILDER_BYTES = 4096
const KEY_PREVIEW_BYTES = 64
/** Free memory is kept for so many full batches: about what one turn of answers gives back. */
const FREE_BATCHES = 8

interface TopicQueues {
  readonly queues: (PartitionQueue | undefined)[]
  readonly sticky: StickyPartitioner
}

/** Collects records into one open batch per partition. */
export class Accumulator {
  readonly #config: ProducerConfig
  readonly #client: ClientConfig
  readonly #metadata: Metadata
  readonly #topics = new Map<string, TopicQueues>()
  /** Queues that hold something that is not on the wire. */
  readonly active = new Set<PartitionQueue>()
  /** Batches that have not ended. */
  readonly incomplete = new Set<ProducerBatch>()
  bufferedBytes = 0
  readonly #pool: BatchPool
  /** Called when a queue became active or has a full batch. */
  readonly #onWork: () => void

  constructor(config: ProducerConfig, client: ClientConfig, metadata: Metadata, onWork: () => void) {
    this.#config = config
    this.#client = client
    this.#metadata = metadata
    this.#onWork = onWork
    this.#pool = new BatchPool(FREE_BATCHES * config.batchSize)
  }

  append(record: ProducerRecord): ProducerBatch {
    const { topic, key, value, headers } = record
    const info = this.#metadata.topics.get(topic)
    if (!info) throw new KafkaError('CLIENT_NO_METADATA', `Topic ${topic}: await ready(topic) before append`)
    if (this.bufferedBytes >= this.#config.bufferMemory) {
      const limit = this.#config.bufferMemory
      throw new KafkaError('CLIENT_BUFFER_FULL', `buffer.memory of ${limit} bytes is full: await ready() before append`)
    }
    const bytes = recordSizeUpperBound(key, value, headers)
    if (bytes + BATCH_HEADER_SIZE > this.#config.maxRequestSize) throw this.#tooLarge(record, bytes)
    let queues = this.#topics.get(topic)
    if (!queues) {
      queues = { queues: [], sticky: new StickyPartitioner(this.#client.random, this.#config.batchSize) }
      this.#topics.set(topic, queues)
    }
    const sticky = record.partition === undefined && key === null
    const partition = this.#partitionOf(record, info, queues)
    let queue = queues.queues[partition]
    if (!queue) {
      const initialBytes = Math.min(this.#config.batchSize, FIRST_BUILDER_BYTES)
      queue = new PartitionQueue(topic, partition, initialBytes, this.#pool)
      queues.queues[partition] = queue
    }
    if (queue.open && queue.builder.sizeInBytes + bytes > this.#config.batchSize) this.seal(queue)
    const batch = queue.open ?? this.#openBatch(queue)
    const timestamp = record.timestamp ?? this.#client.clock.now()
    const size = queue.builder.append(timestamp, key, value, headers)
    const added = size - batch.sizeInBytes
    if (sticky) queues.sticky.added(added)
    batch.recordCount++
    batch.sizeInBytes = size
    this.bufferedBytes += added
    if (size >= this.#config.batchSize || this.bufferedBytes >= this.#config.bufferMemory) this.seal(queue)
    return batch
  }

  #partitionOf(record: ProducerRecord, info: TopicInfo, queues: TopicQueues): number {
    const count = info.partitions.length
    const { partition, key } = record
    if (partition === undefined) return key === null ? queues.sticky.choose(info) : partitionForKey(key, count)
    if (!Number.isInteger(partition) || partition < 0 || partition >= count) {
      const message = `Partition ${partition} of topic ${record.topic} does not exist, it has ${count} partitions`
      throw new KafkaError('UNKNOWN_TOPIC_OR_PARTITION', message)
    }
    return partition
  }

  #openBatch(queue: PartitionQueue): ProducerBatch {
    const batch = new ProducerBatch(queue.topic, queue.partition, this.#client.clock.monotonicMs())
    batch.order = queue.batches++
    queue.open = batch
    this.incomplete.add(batch)
    this.active.add(queue)
    this.#onWork()
    return batch
  }

  /** Encodes the open batch of a queue. */
  seal(queue: PartitionQueue): void {
    const batch = queue.open
    assert(batch, 'there is an open batch to seal')
    const { compressionType: codec, compressionLevels: levels, idempotent } = this.#config
    // With its sequence an idempotent batch gets its CRC.
    batch.bytes = queue.builder.build({ codec, levels, transfer: true, crc: !idempotent })
    queue.open = undefined
    queue.sealed.push(batch)
    this.#onWork()
  }

  /** Ends a batch and gives its memory back; false when it had ended before. */
  finish(batch: ProducerBatch, error: KafkaError | undefined, baseOffset: number, logAppendTimeMs: number): boolean {
    const { bytes } = batch
    if (!batch.finish(error, baseOffset, logAppendTimeMs)) return false
    // Of one that was sent once and answered, every byte was read. An earlier attempt may still be in a socket.
    const isRead = batch.state === 'acked' && batch.attempts === 1 && this.#config.acks !== 0
    if (isRead && bytes !== undefined && this.#config.compressionType === 'none') this.#pool.give(bytes)
    this.incomplete.delete(batch)
    this.bufferedBytes -= batch.sizeInBytes
    return true
  }

  /** Drops the queues that have nothing to send any more from the active ones. */
  retire(queue: PartitionQueue): void {
    if (!queue.open && queue.sealed.length === 0) this.active.delete(queue)
  }

  #tooLarge({ topic, key, value, headers = [] }: ProducerRecord, bytes: number): KafkaError {
    const preview = key === null ? 'null' : `'${Buffer.from(key.subarray(0, KEY_PREVIEW_BYTES)).toString('utf8')}'`
    const headerText = headers.length === 0 ? '' : `, ${headers.length} headers`
    return new KafkaError(
      'MESSAGE_TOO_LARGE',
      `The message is ${bytes} bytes when serialized, larger than max.request.size of ${this.#config.maxRequestSize}: ` +
        `topic ${topic}, key ${preview} of ${key?.length ?? 0} bytes, value of ${value?.length ?? 0} bytes${headerText}`,
    )
  }
}
