import type { TopicPartition, TopicPartitionOffset } from '@millrace/sdk'

export function keyOf({ topic, partition }: TopicPartition): string {
  return `${topic}\u0000${partition}`
}

interface Progress extends TopicPartition {
  /** Next offset after what `put` took. */
  delivered: number
  /** Next offset after what was committed. */
  committed: number
  /** Writes to the dead letter queue that a commit has to wait for. */
  readonly reports: Set<Promise<void>>
}

/** What a preCommit answer was worth. */
export interface CommitPlan {
  readonly commit: readonly TopicPartitionOffset[]
  /** Answers that were not used, and why. */
  readonly ignored: readonly { readonly offset: TopicPartitionOffset; readonly reason: string }[]
}

/**
 * How far a sink task is, per assigned partition.
 * Invariant 2: offsets move on only after `put` took the records, are committed only up to what `preCommit` allows, and
 * never go back but for `rewind`.
 */
export class SinkOffsets {
  readonly #partitions = new Map<string, Progress>()

  assign({ topic, partition, offset }: TopicPartitionOffset): void {
    const progress = { topic, partition, delivered: offset, committed: offset, reports: new Set<Promise<void>>() }
    this.#partitions.set(keyOf(progress), progress)
  }

  remove(partition: TopicPartition): void {
    this.#partitions.delete(keyOf(partition))
  }

  has(partition: TopicPartition): boolean {
    return this.#partitions.has(keyOf(partition))
  }

  /** Everything before this offset was taken by the task, dropped, or reported. */
  delivered({ topic, partition, offset }: TopicPartitionOffset): void {
    const progress = this.#partitions.get(keyOf({ topic, partition }))
    if (progress) progress.delivered = offset
  }

  /** The reading position was set by the task: offsets may go back. */
  rewind({ topic, partition, offset }: TopicPartitionOffset): void {
    const progress = this.#partitions.get(keyOf({ topic, partition }))
    if (!progress) return
    progress.delivered = offset
    progress.committed = Math.min(progress.committed, offset)
  }

  /** A durable report that offsets of the partition must not overtake. */
  addReport(partition: TopicPartition, report: Promise<void>): void {
    const reports = this.#partitions.get(keyOf(partition))?.reports
    if (!reports) return
    reports.add(report)
    // A failed report stays: the commit that waits for it has to fail.
    report.then(
      () => reports.delete(report),
      () => {},
    )
  }

  /** Resolves when the reports of these partitions are durable; rejects when one is not. */
  async reported(partitions: readonly TopicPartition[]): Promise<void> {
    for (const partition of partitions) {
      const reports = this.#partitions.get(keyOf(partition))?.reports
      if (reports && reports.size > 0) await Promise.all(reports)
    }
  }

  list(): TopicPartition[] {
    return [...this.#partitions.values()].map(({ topic, partition }) => ({ topic, partition }))
  }

  /** What may be committed of these partitions if the task agrees. */
  deliveredOf(partitions: readonly TopicPartition[]): TopicPartitionOffset[] {
    return this.#pick(partitions, 'delivered')
  }

  committedOf(partitions: readonly TopicPartition[]): TopicPartitionOffset[] {
    return this.#pick(partitions, 'committed')
  }

  #pick(partitions: readonly TopicPartition[], which: 'delivered' | 'committed'): TopicPartitionOffset[] {
    const found: TopicPartitionOffset[] = []
    for (const wanted of partitions) {
      const progress = this.#partitions.get(keyOf(wanted))
      if (progress) found.push({ topic: progress.topic, partition: progress.partition, offset: progress[which] })
    }
    return found
  }

  /** Checks what `preCommit` answered. */
  plan(answer: readonly TopicPartitionOffset[]): CommitPlan {
    const commit: TopicPartitionOffset[] = []
    const ignored: { offset: TopicPartitionOffset; reason: string }[] = []
    for (const offset of answer) {
      const progress = this.#partitions.get(keyOf(offset))
      if (!progress) ignored.push({ offset, reason: 'the partition is not assigned to this task' })
      else if (offset.offset > progress.delivered) {
        ignored.push({ offset, reason: `the task was given records only up to offset ${progress.delivered}` })
      } else if (offset.offset > progress.committed) commit.push(offset)
    }
    return { commit, ignored }
  }

  committed(offsets: readonly TopicPartitionOffset[]): void {
    for (const offset of offsets) {
      const progress = this.#partitions.get(keyOf(offset))
      if (progress && offset.offset > progress.committed) progress.committed = offset.offset
    }
  }
}
