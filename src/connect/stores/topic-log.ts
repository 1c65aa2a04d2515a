import { type Clock, type Logger, sleep, type Timer } from '../../base/index.ts'
import type { Client, Consumer, ConsumerRecord, Producer, ProducerBatch, TopicPartition } from '../../client/index.ts'
import type { CompactedLog, LogRecord, LogWrite } from './compacted-log.ts'
import { ensureTopic, type InternalTopic, type TopicAdmin } from './internal-topic.ts'

export interface TopicLogOptions {
  readonly client: Client
  readonly admin: TopicAdmin
  readonly topic: InternalTopic
  readonly clientId: string
  readonly clock: Clock
  readonly logger: Logger
  /** Records of transactions that are open or were aborted are not read (exactly once). */
  readonly readCommitted: boolean
}

const POLL_MS = 1000
const READ_TIMEOUT_MS = 30_000
const METADATA_RETRY_MS = 50
const FAILURE_PAUSE_MS = 500
const CLOSE_MS_MAX = 1000

interface Waiter {
  readonly ends: ReadonlyMap<number, number>
  readonly resolve: () => void
  readonly timer: Timer
}

/** A compacted topic that is read to its end and then followed, as Kafka's KafkaBasedLog. */
export function createTopicLog(options: TopicLogOptions): CompactedLog {
  return new TopicLog(options)
}

class TopicLog implements CompactedLog {
  private readonly options: TopicLogOptions
  private readonly stopping = new AbortController()
  private readonly waiters = new Set<Waiter>()
  /** Where reading goes on, by partition; everything before it has been through the listener. */
  private readonly positions = new Map<number, number>()
  private producer: Producer | null = null
  private consumer: Consumer | null = null
  private partitions: readonly TopicPartition[] = []
  private onRecords: (records: readonly LogRecord[]) => void = () => {}
  private reading: Promise<void> = Promise.resolve()

  constructor(options: TopicLogOptions) {
    this.options = options
  }

  async start(onRecords: (records: readonly LogRecord[]) => void): Promise<void> {
    const { client, admin, topic, clientId, clock, logger, readCommitted } = this.options
    this.onRecords = onRecords
    await ensureTopic(admin, topic, clock, logger)
    this.producer = client.producer({ clientId, lingerMs: 0 })
    this.consumer = client.consumer({
      clientId,
      autoOffsetReset: 'earliest',
      enableAutoCommit: false,
      maxPollRecords: 10_000,
      isolationLevel: readCommitted ? 'read_committed' : 'read_uncommitted',
    })
    this.partitions = await this.findPartitions(this.consumer)
    this.consumer.assign(this.partitions)
    const begins = await this.consumer.beginningOffsets(this.partitions)
    this.partitions.forEach(({ partition }, i) => this.positions.set(partition, begins[i] ?? 0))
    this.consumer.seekToBeginning()
    this.reading = this.read(this.consumer)
    await this.readToEnd()
  }

  /** A topic that was just created takes a moment to be in the metadata. */
  private async findPartitions(consumer: Consumer): Promise<readonly TopicPartition[]> {
    const { clock, topic } = this.options
    const deadline = clock.monotonicMs() + READ_TIMEOUT_MS
    for (;;) {
      const found = await consumer.partitionsFor(topic.name)
      if (found.length > 0) return found.map((info) => ({ topic: topic.name, partition: info.partition }))
      if (clock.monotonicMs() > deadline) throw new Error(`topic ${topic.name} has no partitions in the metadata`)
      await sleep(clock, METADATA_RETRY_MS, this.stopping.signal)
    }
  }

  private async read(consumer: Consumer): Promise<void> {
    const { clock, logger, topic } = this.options
    const { signal } = this.stopping
    while (!signal.aborted) {
      try {
        const records = await consumer.poll(POLL_MS, { signal })
        this.deliver(records)
        for (const partition of this.partitions) {
          this.positions.set(partition.partition, await consumer.position(partition))
        }
        this.releaseWaiters()
      } catch (error) {
        if (signal.aborted) return
        logger.warn({ err: error, topic: topic.name }, 'reading an internal topic failed; trying again')
        await sleep(clock, FAILURE_PAUSE_MS, signal).catch(() => {})
      }
    }
  }

  private deliver(records: readonly ConsumerRecord[]): void {
    const keyed: LogRecord[] = []
    for (const { key, value, partition, offset, timestamp } of records) {
      if (key === null) continue
      // The bytes are views of a fetched block, which would stay in memory as a whole.
      const own = value === null ? null : Buffer.from(value)
      keyed.push({ key: key.toString('utf8'), value: own, partition, offset, timestampMs: timestamp })
    }
    if (keyed.length > 0) this.onRecords(keyed)
  }

  private releaseWaiters(): void {
    for (const waiter of this.waiters) {
      if (!this.isRead(waiter.ends)) continue
      this.waiters.delete(waiter)
      waiter.timer.cancel()
      waiter.resolve()
    }
  }

  private isRead(ends: ReadonlyMap<number, number>): boolean {
    for (const [partition, end] of ends) if ((this.positions.get(partition) ?? 0) < end) return false
    return true
  }

  private untilRead(ends: ReadonlyMap<number, number>): Promise<void> {
    if (this.isRead(ends)) return Promise.resolve()
    return new Promise((resolve, reject) => {
      const timer = this.options.clock.setTimer(
        READ_TIMEOUT_MS,
        () => {
          this.waiters.delete(waiter)
          reject(new Error(`topic ${this.options.topic.name} was not read to its end within ${READ_TIMEOUT_MS} ms`))
        },
        { unref: true },
      )
      const waiter: Waiter = { ends, resolve, timer }
      this.waiters.add(waiter)
    })
  }

  /** Resolves when the records are acknowledged and have been read back. */
  async append(records: readonly LogWrite[]): Promise<void> {
    const { producer } = this
    if (!producer) throw new Error('the log has not been started')
    const { name } = this.options.topic
    const sent: { readonly batch: ProducerBatch; readonly index: number }[] = []
    for (const { key, value } of records) {
      for (let wait = producer.ready(name); wait; wait = producer.ready(name)) await wait
      const batch = producer.append({ topic: name, key: Buffer.from(key), value })
      sent.push({ batch, index: batch.recordCount - 1 })
    }
    const ends = new Map<number, number>()
    for (const { batch, index } of sent) {
      await batch.done
      if (batch.error) throw batch.error
      ends.set(batch.partition, Math.max(ends.get(batch.partition) ?? 0, batch.baseOffset + index + 1))
    }
    await this.untilRead(ends)
  }

  async readToEnd(): Promise<void> {
    const { consumer } = this
    if (!consumer) throw new Error('the log has not been started')
    const ends = await consumer.endOffsets(this.partitions)
    await this.untilRead(new Map(this.partitions.map(({ partition }, i) => [partition, ends[i] ?? 0])))
  }

  async stop(): Promise<void> {
    this.stopping.abort()
    await this.reading
    for (const waiter of this.waiters) waiter.timer.cancel()
    await Promise.all([this.producer?.close({ timeoutMs: CLOSE_MS_MAX }), this.consumer?.close()])
  }
}
