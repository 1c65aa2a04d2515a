import { type Log, LogError } from '../../log/index.ts'
import { BatchBuilder, RecordCursor, iterateBatches } from '../../record/index.ts'
import type { Clock } from '../../base/index.ts'
import type { BrokerConfig } from '../config/broker-config.ts'
import type { Topic, TopicRegistry } from '../topics/topic-registry.ts'
import type { GroupCoordinator, OffsetsLog } from './group-coordinator.ts'
import type { OffsetsRecord } from './group-records.ts'
import { partitionForGroup } from './partition-for-group.ts'

export const OFFSETS_TOPIC = '__consumer_offsets'

const READ_BYTES = 1 << 20
/** A partition is written anew when it holds so many records, and so many times what is needed of them. */
const TRIM_FROM_RECORDS = 100_000
const TRIM_RATIO = 4
const TRIM_BATCH = 500
/** How often a moment without commits is waited for; the next check comes anyway. */
const SETTLE_ROUNDS = 50

/** `__consumer_offsets`: made when the first group writes, with the number of partitions it then keeps. */
export class OffsetsTopic implements OffsetsLog {
  readonly #topics: TopicRegistry
  readonly #config: BrokerConfig
  readonly #clock: Clock
  readonly #builder = new BatchBuilder()

  readonly #trimFrom: number

  constructor(topics: TopicRegistry, config: BrokerConfig, clock: Clock, trimFromRecords: number = TRIM_FROM_RECORDS) {
    this.#trimFrom = trimFromRecords
    this.#topics = topics
    this.#config = config
    this.#clock = clock
  }

  async append(groupId: string, records: readonly OffsetsRecord[]): Promise<void> {
    const { logs } = this.#topic()
    await this.appendTo(logs[partitionForGroup(groupId, logs.length)]!, records)
  }

  /** Writes one batch and waits until it is durable, or as durable as the flush policy promises. */
  async appendTo(log: Log, records: readonly OffsetsRecord[]): Promise<void> {
    const timestamp = this.#clock.now()
    for (const { key, value } of records) this.#builder.append(timestamp, key, value)
    const batch = this.#builder.build({})
    const result = log.append(batch, { leaderEpoch: this.#topics.leaderEpoch, origin: 'coordinator' })
    if (result.error !== undefined) throw new LogError('LOG_STORAGE_FAILED', `${result.error}: ${result.message}`)
    await log.whenCommitted(result.lastOffset + 1)
  }

  /**
   * Keeps the partitions short: writes what the groups are now once more and removes everything before, as compaction
   * would. A crash in between leaves both, which read in order say the same.
   */
  async trim(groups: GroupCoordinator): Promise<void> {
    const { logs } = this.#topics.get(OFFSETS_TOPIC) ?? { logs: [] }
    for (const [partition, log] of logs.entries()) {
      const stored = log.logEndOffset - log.logStartOffset
      if (stored < this.#trimFrom) continue
      for (let round = 0; !groups.isSettled && round < SETTLE_ROUNDS; round++) await groups.writesDone()
      // Looked at without waiting in between: a commit that is in the log and not in memory would be removed for good.
      if (!groups.isSettled) continue
      const belongs = (groupId: string) => partitionForGroup(groupId, logs.length) === partition
      const live = [...groups.recordsOf(belongs)]
      if (live.length * TRIM_RATIO > stored) continue
      const start = log.logEndOffset
      const written: Promise<void>[] = []
      // All of it in one turn of the event loop, so that no commit comes between memory and log.
      for (let i = 0; i < live.length; i += TRIM_BATCH) written.push(this.appendTo(log, live.slice(i, i + TRIM_BATCH)))
      await Promise.all(written)
      const removed = log.deleteRecords(start, { origin: 'coordinator' })
      if (removed.error !== undefined) throw new LogError('LOG_STORAGE_FAILED', removed.message)
    }
  }

  /** Hands out every record there is, oldest first in each partition. */
  load(take: (key: Buffer, value: Buffer | null) => void): void {
    const cursor = new RecordCursor()
    for (const log of this.#topics.get(OFFSETS_TOPIC)?.logs ?? []) {
      let offset = log.logStartOffset
      while (offset < log.logEndOffset) {
        const { records, error } = log.read(offset, READ_BYTES, { upTo: 'logEnd' })
        if (error !== undefined || records.length === 0) {
          throw new LogError(
            'LOG_STORAGE_FAILED',
            `${OFFSETS_TOPIC}-${log.partition} cannot be read at ${offset}: ${error ?? 'no data'}`,
          )
        }
        for (const header of iterateBatches(records)) {
          offset = header.lastOffset + 1
          if (header.isControl) continue
          cursor.open(records, header.position)
          while (cursor.next()) {
            const key = cursor.key()
            if (key !== null && cursor.offset >= log.logStartOffset) take(key, cursor.value())
          }
        }
      }
    }
  }

  #topic(): Topic {
    const known = this.#topics.get(OFFSETS_TOPIC)
    if (known !== undefined) return known
    return this.#topics.create({
      name: OFFSETS_TOPIC,
      partitions: this.#config.number('offsets.topic.num.partitions'),
      configs: new Map([
        ['cleanup.policy', 'compact'],
        ['compression.type', 'producer'],
        ['segment.bytes', this.#config.string('offsets.topic.segment.bytes')],
      ]),
    })
  }
}
