import type { Cluster } from '../cluster.ts'
import { isRetriable, KafkaError } from '../errors.ts'
import type { ConsumerConfig } from './consumer-config.ts'
import type { GroupOffsets } from './group-offsets.ts'
import { EARLIEST, LATEST, listOffsets } from './list-offsets.ts'
import { type AssignedPartition, partitionKey, type Subscription } from './subscription.ts'

/** Finds out where partitions without a position begin: committed offset, then the reset policy. */
export class Positions {
  readonly #cluster: Cluster
  readonly #config: ConsumerConfig
  readonly #subscription: Subscription
  readonly #offsets: GroupOffsets | undefined
  readonly #onProgress: () => void
  #running: Promise<void> | undefined
  /** An error that `poll` has to report. */
  error: KafkaError | undefined

  constructor(
    cluster: Cluster,
    config: ConsumerConfig,
    subscription: Subscription,
    offsets: GroupOffsets | undefined,
    onProgress: () => void,
  ) {
    this.#cluster = cluster
    this.#config = config
    this.#subscription = subscription
    this.#offsets = offsets
    this.#onProgress = onProgress
  }

  /** Starts looking up what is missing, unless a look-up is under way. */
  start(): void {
    if (this.#running || this.#cluster.isClosed) return
    const missing = [...this.#subscription.partitions.values()].filter(({ start }) => start !== undefined)
    if (missing.length === 0) return
    this.#running = this.#find(missing)
      .catch((error: unknown) => {
        if (isRetriable(error) || this.#cluster.isClosed) return
        this.error =
          error instanceof KafkaError
            ? error
            : new KafkaError('UNKNOWN_SERVER_ERROR', `Looking up positions: ${String(error)}`, { cause: error })
      })
      .finally(() => {
        this.#running = undefined
        this.#onProgress()
      })
  }

  async #find(missing: readonly AssignedPartition[]): Promise<void> {
    const epochs = new Map(missing.map((partition) => [partition, partition.epoch]))
    await this.#fromCommitted(missing.filter(({ start }) => start === 'committed'))
    const byTime: { partition: AssignedPartition; timestamp: number }[] = []
    for (const partition of missing) {
      if (partition.epoch !== epochs.get(partition) || partition.start === undefined) continue
      byTime.push({ partition, timestamp: this.#timestampOf(partition) })
    }
    const queries = byTime.map(({ partition: { topic, partition }, timestamp }) => ({ topic, partition, timestamp }))
    const found = await listOffsets(this.#cluster, queries, { readCommitted: this.#config.readCommitted })
    byTime.forEach(({ partition }, index) => {
      const offset = found.get(queries[index]!)?.offset ?? -1
      if (partition.epoch === epochs.get(partition) && offset >= 0) this.#subscription.seek(partition, offset)
    })
  }

  #timestampOf({ start, topic, partition }: AssignedPartition): number {
    if (typeof start === 'number') return start
    switch (this.#config.autoOffsetReset) {
      case 'earliest':
        return EARLIEST
      case 'latest':
        return LATEST
      case 'none': {
        const message = `No usable offset for ${topic}-${partition}, and auto.offset.reset is none: seek to an offset`
        throw new KafkaError('CLIENT_NO_RESET_POLICY', message)
      }
    }
  }

  async #fromCommitted(partitions: readonly AssignedPartition[]): Promise<void> {
    if (partitions.length === 0) return
    const epochs = new Map(partitions.map((partition) => [partition, partition.epoch]))
    const committed = await this.#offsets?.committed(partitions)
    for (const partition of partitions) {
      if (partition.epoch !== epochs.get(partition)) continue
      const found = committed?.get(partitionKey(partition.topic, partition.partition))
      if (found) this.#subscription.seek(partition, found.offset)
      else partition.start = 'policy'
    }
  }
}
