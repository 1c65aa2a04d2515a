import type { Clock } from '../../base/index.ts'
import { Cluster } from '../cluster.ts'
import type { ClientConfig } from '../client-config.ts'
import { brokerError, closedError, KafkaError } from '../errors.ts'
import type { PartitionInfo } from '../metadata.ts'
import { errorByCode } from '../../protocol/index.ts'
import { Accumulator, type ProducerRecord } from './accumulator.ts'
import type { ProducerBatch } from './producer-batch.ts'
import { type ProducerConfig, type ProducerOptions, resolveProducerConfig } from './producer-config.ts'
import { Sender } from './sender.ts'

export interface RecordMetadata {
  readonly topic: string
  readonly partition: number
  /** -1 with acks=0. */
  readonly offset: number
  /** The broker's time of the append when the topic uses LogAppendTime, else -1. */
  readonly logAppendTimeMs: number
}

/**
 * Sends records. The hot path is `while ((wait = producer.ready(topic))) await wait; producer.append(record)`: no
 * promise and no closure per record. Order within a partition is the order of `append`.
 */
export class Producer {
  readonly #cluster: Cluster
  readonly #config: ProducerConfig
  readonly #clock: Clock
  readonly #accumulator: Accumulator
  readonly #sender: Sender
  readonly #topicWaits = new Map<string, Promise<void>>()
  #memoryWait: Promise<void> | undefined
  #memoryFreed: (() => void) | undefined
  #closing: Promise<void> | undefined

  constructor(client: ClientConfig, options: ProducerOptions = {}) {
    this.#config = resolveProducerConfig(options, client.requestTimeoutMs)
    this.#clock = client.clock
    this.#cluster = new Cluster(client)
    this.#accumulator = new Accumulator(this.#config, client, this.#cluster.metadata, () => this.#sender.wake())
    this.#sender = new Sender(
      this.#cluster,
      this.#config,
      () => this.#accumulator,
      (batch) => this.#onBatchDone(batch),
    )
  }

  /**
   * Undefined when `append` to this topic may be called now. Else a promise: of memory below buffer.memory, or of the
   * topic's metadata (rejects after max.block.ms, or at once when the broker says the topic cannot be used).
   */
  ready(topic?: string): Promise<void> | undefined {
    if (this.#closing || this.#sender.fatal) {
      const rejected = Promise.reject(this.#sender.fatal ?? closedError('The producer'))
      // Whoever only looks whether there is something to wait for must not crash the process.
      rejected.catch(() => undefined)
      return rejected
    }
    if (this.#accumulator.bufferedBytes >= this.#config.bufferMemory) return this.#waitForMemory()
    if (topic === undefined || this.#cluster.metadata.topics.has(topic)) return undefined
    let wait = this.#topicWaits.get(topic)
    if (!wait) {
      wait = this.#waitForTopic(topic).finally(() => this.#topicWaits.delete(topic))
      this.#topicWaits.set(topic, wait)
    }
    return wait
  }

  /**
   * Adds a record to the open batch of its partition and returns that batch; the record's index in it is
   * `batch.recordCount - 1` right after the call. Throws MESSAGE_TOO_LARGE, UNKNOWN_TOPIC_OR_PARTITION, and
   * CLIENT_BUFFER_FULL or CLIENT_NO_METADATA when `ready` was not awaited.
   */
  append(record: ProducerRecord): ProducerBatch {
    if (this.#closing || this.#sender.fatal) throw this.#sender.fatal ?? closedError('The producer')
    return this.#accumulator.append(record)
  }

  /** Sends one record and waits for its acknowledgement. */
  async send(record: ProducerRecord): Promise<RecordMetadata> {
    for (let wait = this.ready(record.topic); wait; wait = this.ready(record.topic)) await wait
    const batch = this.append(record)
    const index = batch.recordCount - 1
    await batch.done
    if (batch.error && batch.state === 'failed') throw batch.error
    return {
      topic: batch.topic,
      partition: batch.partition,
      offset: batch.baseOffset < 0 ? -1 : batch.baseOffset + index,
      logAppendTimeMs: batch.logAppendTimeMs,
    }
  }

  /** Sends what is there without lingering and waits until every record appended before is acked or has failed. */
  async flush(): Promise<void> {
    const batches = [...this.#accumulator.incomplete]
    if (batches.length === 0) return
    this.#sender.flushing++
    this.#sender.wake()
    try {
      for (const batch of batches) await batch.done
    } finally {
      this.#sender.flushing--
    }
  }

  /** Bytes of records that are not acked yet. */
  get bufferedBytes(): number {
    return this.#accumulator.bufferedBytes
  }

  /** The partitions of a topic. */
  async partitionsFor(topic: string): Promise<readonly PartitionInfo[]> {
    if (!this.#cluster.metadata.topics.has(topic)) await this.#waitForTopic(topic)
    return this.#cluster.metadata.topics.get(topic)?.partitions ?? []
  }

  /** Sends what is left and closes; after `timeoutMs` what is not acked fails. */
  close(options: { timeoutMs?: number } = {}): Promise<void> {
    this.#closing ??= this.#close(options.timeoutMs ?? this.#config.deliveryTimeoutMs)
    return this.#closing
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.close()
  }

  async #close(timeoutMs: number): Promise<void> {
    if (timeoutMs > 0) {
      const timer = Promise.withResolvers<void>()
      const timeout = this.#clock.setTimer(timeoutMs, timer.resolve)
      await Promise.race([this.flush(), timer.promise])
      timeout.cancel()
    }
    this.#sender.stop()
    this.#cluster.close()
    this.#memoryFreed?.()
  }

  #onBatchDone(batch: ProducerBatch): void {
    this.#config.onBatchDone?.(batch)
    if (this.#memoryFreed && this.#accumulator.bufferedBytes < this.#config.bufferMemory) this.#memoryFreed()
  }

  #waitForMemory(): Promise<void> {
    this.#memoryWait ??= new Promise((resolve) => {
      this.#memoryFreed = () => {
        this.#memoryWait = undefined
        this.#memoryFreed = undefined
        resolve()
      }
    })
    return this.#memoryWait
  }

  async #waitForTopic(topic: string): Promise<void> {
    const { metadata } = this.#cluster
    this.#cluster.want([topic])
    const attempt = async () => {
      await this.#cluster.refresh()
      if (metadata.topics.has(topic)) return
      const errorCode = metadata.topicErrors.get(topic) ?? 3
      const retriable = errorCode === 0 || errorByCode(errorCode).retriable
      if (!retriable) throw brokerError(errorCode, `Topic ${topic}`)
      throw new KafkaError('CLIENT_NO_METADATA', `Topic ${topic} not present in metadata`, { retriable: true })
    }
    await this.#cluster.retrying(`Metadata of topic ${topic}`, attempt, { timeoutMs: this.#config.maxBlockMs })
  }
}
