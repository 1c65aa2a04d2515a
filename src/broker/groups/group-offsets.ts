import { ProtocolError, records } from '../../protocol/index.ts'
import { type GroupState, metadataFor } from './classic/group-state.ts'
import type { CommittedOffset } from './group-records.ts'

export interface PartitionOffset {
  readonly topic: string
  readonly partition: number
  readonly committed: CommittedOffset
}

const CONSUMER_PROTOCOL_TYPE = 'consumer'

/** The committed offsets of one group. */
export class GroupOffsets {
  readonly #topics = new Map<string, Map<number, CommittedOffset>>()
  #size = 0

  get size(): number {
    return this.#size
  }

  get(topic: string, partition: number): CommittedOffset | undefined {
    return this.#topics.get(topic)?.get(partition)
  }

  set(topic: string, partition: number, committed: CommittedOffset): void {
    let partitions = this.#topics.get(topic)
    if (partitions === undefined) {
      partitions = new Map()
      this.#topics.set(topic, partitions)
    }
    if (!partitions.has(partition)) this.#size++
    partitions.set(partition, committed)
  }

  delete(topic: string, partition: number): void {
    const partitions = this.#topics.get(topic)
    if (partitions?.delete(partition) !== true) return
    this.#size--
    if (partitions.size === 0) this.#topics.delete(topic)
  }

  topics(): IterableIterator<string> {
    return this.#topics.keys()
  }

  partitionsOf(topic: string): number[] {
    return [...(this.#topics.get(topic)?.keys() ?? [])]
  }

  *all(): Generator<PartitionOffset> {
    for (const [topic, partitions] of this.#topics) {
      for (const [partition, committed] of partitions) yield { topic, partition, committed }
    }
  }

  /**
   * Offsets past their retention (KIP-211). A group without members keeps its offsets from the moment it became empty;
   * a consumer that assigns by hand has no such moment, so its commits count; a live consumer group keeps what it is
   * subscribed to for ever.
   */
  expired(state: GroupState, now: number, retentionMs: number): { topic: string; partition: number }[] {
    const simple = state.protocolType === null
    if (!simple && state.phase !== 'Empty') {
      const subscribed = subscribedTopics(state)
      if (state.phase !== 'Stable' || subscribed === undefined) return []
      return this.#older(now - retentionMs, (offset) =>
        subscribed.has(offset.topic) ? Number.POSITIVE_INFINITY : offset.committed.commitTimestamp,
      )
    }
    return this.#older(now - retentionMs, ({ committed }) =>
      simple ? committed.commitTimestamp : Math.max(state.phaseSinceMs, committed.commitTimestamp),
    )
  }

  #older(limitMs: number, usedAt: (offset: PartitionOffset) => number): { topic: string; partition: number }[] {
    return [...this.all()].filter((offset) => usedAt(offset) <= limitMs)
  }
}

/** The topics the members of a consumer group read; undefined for other groups and for metadata of another kind. */
export function subscribedTopics(state: GroupState): Set<string> | undefined {
  if (state.protocolType !== CONSUMER_PROTOCOL_TYPE) return undefined
  const topics = new Set<string>()
  for (const member of state.members.values()) {
    try {
      const { message } = records.consumerProtocolSubscription.decode(metadataFor(member, state.protocolName))
      for (const topic of message.topics) topics.add(topic)
    } catch (error) {
      // Metadata is opaque: a client may speak the consumer type with bytes of its own.
      if (error instanceof ProtocolError) return undefined
      throw error
    }
  }
  return topics
}
