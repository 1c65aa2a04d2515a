import type { TopicPartition } from './assignors/assignor.ts'
import { PartitionReader } from './partition-reader.ts'

/** One assigned partition. */
export interface AssignedPartition extends TopicPartition {
  readonly reader: PartitionReader
  /** Offset to fetch next; undefined until a position is known. */
  fetchOffset: number | undefined
  /** Set by a seek or a reset, so that a fetch under way before it is ignored. */
  epoch: number
  paused: boolean
  inFlight: boolean
  retryAtMs: number
  failures: number
  /** Where to start once asked for: by committed offset, then the reset policy, or a timestamp (-2 earliest, -1 latest). */
  start: 'committed' | 'policy' | number | undefined
  highWatermark: number
  lastStableOffset: number
  logStartOffset: number
}

export function partitionKey(topic: string, partition: number): string {
  return `${partition} ${topic}`
}

/** The partitions a consumer reads, with their positions. */
export class Subscription {
  readonly partitions = new Map<string, AssignedPartition>()
  readonly #checkCrcs: boolean

  constructor(checkCrcs: boolean) {
    this.#checkCrcs = checkCrcs
  }

  get(topic: string, partition: number): AssignedPartition | undefined {
    return this.partitions.get(partitionKey(topic, partition))
  }

  list(): TopicPartition[] {
    return [...this.partitions.values()].map(({ topic, partition }) => ({ topic, partition }))
  }

  /** Makes these the assigned partitions; those that stay keep position, buffer and pause. */
  assign(wanted: readonly TopicPartition[], start: 'committed' | 'policy'): void {
    const keys = new Set(wanted.map(({ topic, partition }) => partitionKey(topic, partition)))
    for (const key of this.partitions.keys()) if (!keys.has(key)) this.partitions.delete(key)
    for (const { topic, partition } of wanted) {
      const key = partitionKey(topic, partition)
      if (this.partitions.has(key)) continue
      this.partitions.set(key, {
        topic,
        partition,
        reader: new PartitionReader(topic, partition, this.#checkCrcs),
        fetchOffset: undefined,
        epoch: 0,
        paused: false,
        inFlight: false,
        retryAtMs: 0,
        failures: 0,
        start,
        highWatermark: -1,
        lastStableOffset: -1,
        logStartOffset: -1,
      })
    }
  }

  seek(partition: AssignedPartition, offset: number): void {
    partition.epoch++
    partition.reader.reset(offset)
    partition.fetchOffset = offset
    partition.start = undefined
    partition.retryAtMs = 0
  }

  /** Forgets the position; it is looked up again before the next fetch. */
  restart(partition: AssignedPartition, start: 'committed' | 'policy' | number): void {
    partition.epoch++
    partition.reader.reset(0)
    partition.fetchOffset = undefined
    partition.start = start
    partition.retryAtMs = 0
  }

  get bufferedBytes(): number {
    let bytes = 0
    for (const { reader } of this.partitions.values()) bytes += reader.bufferedBytes
    return bytes
  }
}
