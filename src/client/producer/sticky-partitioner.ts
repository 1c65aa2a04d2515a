import type { Random } from '../../base/index.ts'
import type { TopicInfo } from '../metadata.ts'

/**
 * Where records without a key go: to one partition until it got a batch's worth of bytes, then to another, chosen at
 * random among those that have a leader (KIP-794). Batches stay full and partitions even.
 */
export class StickyPartitioner {
  readonly #random: Random
  readonly #switchBytes: number
  #partition = -1
  #bytes = 0

  constructor(random: Random, switchBytes: number) {
    this.#random = random
    this.#switchBytes = switchBytes
  }

  choose(topic: TopicInfo): number {
    const current = topic.partitions[this.#partition]
    if (current === undefined || current.leader < 0 || this.#bytes >= this.#switchBytes) {
      const available = topic.partitions.filter((partition) => partition.leader >= 0)
      const candidates = available.length > 0 ? available : topic.partitions
      this.#partition = candidates[Math.floor(this.#random.next() * candidates.length)]?.partition ?? 0
      this.#bytes = 0
    }
    return this.#partition
  }

  /** Tells how many bytes the chosen partition got. */
  added(bytes: number): void {
    this.#bytes += bytes
  }
}
