import type { KafkaGroupOffset } from '@millrace/sdk'
import { originalTopic, type ReplicationPolicy } from './replication-policy.ts'
import type { Checkpoint } from './wire.ts'

export interface CheckpointOptions {
  readonly policy: ReplicationPolicy
  readonly source: string
  readonly target: string
  /** Which topics of the source cluster are wanted. */
  readonly isSelected: (topic: string) => boolean
  /** The offset on the target cluster; undefined when it is not known. */
  readonly translate: (topic: string, partition: number, upstreamOffset: number) => number | undefined
}

const keyOf = ({ topic, partition }: { readonly topic: string; readonly partition: number }): string =>
  `${partition} ${topic}`

/** The newest checkpoints of each group. */
export class Checkpoints {
  readonly #byGroup = new Map<string, Map<string, Checkpoint>>()

  put(checkpoint: Checkpoint): void {
    const ofGroup = this.#byGroup.get(checkpoint.group) ?? new Map<string, Checkpoint>()
    this.#byGroup.set(checkpoint.group, ofGroup)
    ofGroup.set(keyOf(checkpoint), checkpoint)
  }

  of(group: string): readonly Checkpoint[] {
    return [...(this.#byGroup.get(group)?.values() ?? [])]
  }

  /** What has changed for a group with these offsets on the source cluster. */
  news(group: string, offsets: readonly KafkaGroupOffset[], options: CheckpointOptions): readonly Checkpoint[] {
    const found: Checkpoint[] = []
    for (const { topic, partition, offset, metadata } of offsets) {
      if (!options.isSelected(topic)) continue
      const downstreamOffset = options.translate(topic, partition, offset)
      if (downstreamOffset === undefined) continue
      const remote = remoteName(topic, options)
      const checkpoint = { group, topic: remote, partition, upstreamOffset: offset, downstreamOffset, metadata }
      if (this.#isNews(checkpoint)) found.push(checkpoint)
    }
    return found
  }

  /** A group goes back on the target cluster only when it went back on the source. */
  #isNews(checkpoint: Checkpoint): boolean {
    const last = this.#byGroup.get(checkpoint.group)?.get(keyOf(checkpoint))
    return (
      last === undefined ||
      checkpoint.upstreamOffset < last.upstreamOffset ||
      checkpoint.downstreamOffset > last.downstreamOffset
    )
  }
}

/** A topic that the source cluster has from the target cluster is called there as it always was. */
function remoteName(topic: string, { policy, source, target }: CheckpointOptions): string {
  return policy.topicSource(topic) === target ? originalTopic(policy, topic) : policy.remoteTopic(source, topic)
}
