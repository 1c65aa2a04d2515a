import type { CommittedOffset } from '@millrace/sdk'
import type { Clock, Logger } from '../../base/index.ts'
import type { OffsetWriter } from './offset-access.ts'
import { partitionKey, type SubmittedRecords } from './submitted-records.ts'
import type { TaskCounters } from './task-metrics.ts'

export interface OffsetCommitterOptions {
  readonly submitted: SubmittedRecords
  readonly write: OffsetWriter
  readonly timeoutMs: number
  readonly clock: Clock
  readonly logger: Logger
  readonly counters: TaskCounters
}

/** Makes the committable offsets of one source task durable, one commit at a time. */
export class OffsetCommitter {
  readonly #options: OffsetCommitterOptions
  /** Offsets of commits that failed: they go with the next one, unless it brings newer ones. */
  readonly #uncommitted = new Map<string, CommittedOffset>()
  #running: Promise<readonly CommittedOffset[]> | undefined

  constructor(options: OffsetCommitterOptions) {
    this.#options = options
  }

  /** Resolves with the offsets that are durable now; a failure is logged, counted and tried again with the next commit. */
  async commit(): Promise<readonly CommittedOffset[]> {
    if (this.#running) await this.#running
    const run = this.#commit()
    this.#running = run
    try {
      return await run
    } finally {
      if (this.#running === run) this.#running = undefined
    }
  }

  async #commit(): Promise<readonly CommittedOffset[]> {
    const { submitted, write, clock, counters, logger } = this.#options
    // Invariant 1: only offsets whose records are acknowledged are taken.
    for (const offset of submitted.takeCommittable()) {
      this.#uncommitted.set(partitionKey(offset.sourcePartition), offset)
    }
    const batch = [...this.#uncommitted.entries()]
    if (batch.length === 0) return []
    const startedMs = clock.monotonicMs()
    const offsets = batch.map(([, offset]) => offset)
    try {
      await this.#withTimeout(write(offsets))
    } catch (error) {
      counters.commitFailures++
      logger.warn({ err: error, partitions: batch.length }, 'source offsets could not be committed; trying again later')
      return []
    }
    counters.commits++
    counters.commitMs.add(clock.monotonicMs() - startedMs)
    for (const [key, offset] of batch) if (this.#uncommitted.get(key) === offset) this.#uncommitted.delete(key)
    return offsets
  }

  async #withTimeout(writing: Promise<void>): Promise<void> {
    const { clock, timeoutMs } = this.#options
    const late = Promise.withResolvers<never>()
    const timer = clock.setTimer(timeoutMs, () => late.reject(new Error(`not acknowledged within ${timeoutMs} ms`)))
    writing.catch(() => {})
    try {
      await Promise.race([writing, late.promise])
    } finally {
      timer.cancel()
    }
  }
}
