import { type Log, LogError } from '../../log/index.ts'
import { BatchBuilder, RecordCursor, iterateBatches } from '../../record/index.ts'
import type { Clock } from '../../base/index.ts'
import type { BrokerConfig } from '../config/broker-config.ts'
import type { Topic, TopicRegistry } from '../topics/topic-registry.ts'
import type { OffsetsLog } from './group-coordinator.ts'
import type { OffsetsRecord } from './group-records.ts'
import { partitionForGroup } from './partition-for-group.ts'

export const OFFSETS_TOPIC = '__consumer_offsets'

const READ_BYTES = 1 << 20

/** `__consumer_offsets`: made when the first group writes, with the number of partitions it then keeps. */
export class OffsetsTopic implements OffsetsLog {
  readonly #topics: TopicRegistry
  readonly #config: BrokerConfig
  readonly #clock: Clock
  readonly #builder = new BatchBuilder()

  constructor(topics: TopicRegistry, config: BrokerConfig, clock: Clock) {
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
