import type { KafkaProducer, PluginLogger } from '@millrace/sdk'
import { encodeOffsetSync, type OffsetSync } from './wire.ts'

export interface OffsetSyncWriterOptions {
  readonly producer: KafkaProducer
  readonly topic: string
  /** How far the copy may be beyond what the last sync can translate. */
  readonly lagMax: number
  readonly logger: PluginLogger
}

interface PartitionState {
  upstream: number
  downstream: number
  /** Downstream offset of the last sync that was sent. */
  synced: number
}

/** Syncs on their way at a time. */
const IN_FLIGHT_MAX = 10
const CLOSE_MS = 5000

/**
 * Writes down now and then which offset of the source cluster became which on the target cluster. Between two syncs only
 * the newest offset of a partition is kept, so memory follows the partitions and not the records.
 */
export class OffsetSyncWriter {
  readonly #o: OffsetSyncWriterOptions
  readonly #states = new Map<string, PartitionState>()
  /** By partition: what is to be sent as soon as there is room, and what can wait for the next commit. */
  readonly #due = new Map<string, OffsetSync>()
  readonly #delayed = new Map<string, OffsetSync>()
  #inFlight = 0

  constructor(options: OffsetSyncWriterOptions) {
    this.#o = options
  }

  /** A record is on the target cluster; calls come in the order of the partition. */
  note(sync: OffsetSync): void {
    const key = `${sync.topic}-${sync.partition}`
    if (this.#isDue(key, sync)) {
      this.#delayed.delete(key)
      this.#due.set(key, sync)
      this.#send()
    } else this.#delayed.set(key, sync)
  }

  /** Sends what was not due yet. */
  sendDelayed(): void {
    for (const [key, sync] of this.#delayed) this.#due.set(key, sync)
    this.#delayed.clear()
    this.#send()
  }

  /** Sends what is left, as far as the cluster takes it soon: what is lost makes a consumer repeat records, no more. */
  async close(): Promise<void> {
    this.sendDelayed()
    await this.#o.producer.close(CLOSE_MS)
  }

  /** A sync that is missing would let consumers repeat more than lagMax records, or skip some behind a gap. */
  #isDue(key: string, { upstreamOffset, downstreamOffset }: OffsetSync): boolean {
    const state = this.#states.get(key)
    if (!state) {
      this.#states.set(key, { upstream: upstreamOffset, downstream: downstreamOffset, synced: downstreamOffset })
      return true
    }
    const isDue =
      // A sync translates to one behind itself.
      downstreamOffset - (state.synced + 1) >= this.#o.lagMax ||
      upstreamOffset !== state.upstream + 1 ||
      downstreamOffset < state.downstream
    state.upstream = upstreamOffset
    state.downstream = downstreamOffset
    if (isDue) state.synced = downstreamOffset
    return isDue
  }

  #send(): void {
    for (const [key, sync] of this.#due) {
      if (this.#inFlight >= IN_FLIGHT_MAX) return
      this.#due.delete(key)
      this.#inFlight++
      void this.#sendOne(key, sync)
    }
  }

  async #sendOne(key: string, sync: OffsetSync): Promise<void> {
    const { producer, topic, logger } = this.#o
    try {
      await producer.send({ topic, partition: 0, ...encodeOffsetSync(sync) })
    } catch (error) {
      // It goes out with the next commit, unless there is a newer one by then.
      if (!this.#due.has(key) && !this.#delayed.has(key)) this.#delayed.set(key, sync)
      logger.warn({ topic: sync.topic, partition: sync.partition, err: error }, 'an offset sync could not be written')
    } finally {
      this.#inFlight--
    }
    this.#send()
  }
}
