// A target with faults, a log that is delivered in turns, and a clock that jumps: what a sink batcher lives between.
import { DataError, type SinkRecord, type TopicPartitionOffset } from '@millrace/sdk'
import { dataFault, fatal, retriable } from '../../../../connectors/_shared/retry/index.ts'
import {
  type Batch,
  type BatcherClock,
  type BatchLimits,
  type ItemFailure,
  SinkBatcher,
  type WriteOutcome,
} from '../../../../connectors/_shared/sink-batcher/index.ts'
import { seededRandom } from '../../../../src/base/index.ts'

export interface WorldOptions {
  readonly seed: number
  readonly records: number
  readonly partitions: number
  readonly keys: number
  readonly limits: Partial<BatchLimits>
  /** Chances from 0 to 1. */
  readonly requestFails: number
  readonly itemFails: number
  /** Records that the target never takes. */
  readonly poison: number
  /** The target tells of bad records only that there is one among them. */
  readonly blamesAll: boolean
  /** The target stops at the first error, as an ordered bulk. */
  readonly stopsAtError: boolean
  readonly keyless: boolean
}

interface Timer {
  readonly atMs: number
  readonly order: number
  readonly action: () => void
}

/** Time passes only when nothing else happens. */
export class JumpingClock implements BatcherClock {
  #now = 0
  #order = 0
  readonly #timers = new Set<Timer>()

  nowMs(): number {
    return this.#now
  }

  setTimer(delayMs: number, action: () => void): { cancel(): void } {
    const timer = { atMs: this.#now + delayMs, order: this.#order++, action }
    this.#timers.add(timer)
    return { cancel: () => this.#timers.delete(timer) }
  }

  /** Moves time on by hand; all that timers set off is done when it resolves. */
  async advance(ms: number): Promise<void> {
    const untilMs = this.#now + ms
    for (;;) {
      await new Promise((resolve) => setImmediate(resolve))
      const next = this.#next()
      if (!next || next.atMs > untilMs) break
      this.#fire(next)
    }
    this.#now = untilMs
  }

  /** Waits for work, moving time on whenever nothing but timers is left. */
  async run<R>(work: Promise<R>): Promise<R> {
    let isDone = false
    const done = work.finally(() => (isDone = true))
    done.catch(() => {})
    for (;;) {
      // All that promises can do is done after a turn of the event loop.
      await new Promise((resolve) => setImmediate(resolve))
      if (isDone) return done
      const next = this.#next()
      if (!next) throw new Error('the work waits for something that never comes')
      this.#fire(next)
    }
  }

  #next(): Timer | undefined {
    return [...this.#timers].sort((a, b) => a.atMs - b.atMs || a.order - b.order)[0]
  }

  #fire(timer: Timer): void {
    this.#timers.delete(timer)
    this.#now = Math.max(this.#now, timer.atMs)
    timer.action()
  }
}

export function sinkRecord(topic: string, partition: number, offset: number, key: string, value: unknown): SinkRecord {
  return {
    // A transformation has renamed the topic: offsets must not care.
    topic: `renamed-${topic}`,
    partition,
    key,
    keySchema: null,
    value,
    valueSchema: null,
    headers: [],
    timestamp: 0,
    offset,
    timestampType: 'CreateTime',
    originalTopic: topic,
    originalPartition: partition,
    originalOffset: offset,
  }
}

const idOf = (record: SinkRecord) => `${record.originalPartition}-${record.originalOffset}`

export class World {
  readonly clock = new JumpingClock()
  readonly log: SinkRecord[] = []
  readonly poisoned = new Set<string>()
  readonly reported = new Set<string>()
  readonly written = new Set<string>()
  /** For each key the offsets that were written, in the order of arrival. */
  readonly history = new Map<string, SinkRecord[]>()
  readonly batcher: SinkBatcher<SinkRecord>
  readonly #o: WorldOptions
  readonly #random: () => number
  inFlight = 0
  inFlightMax = 0
  batchMax = 0
  heldMax = 0
  requests = 0

  constructor(options: WorldOptions) {
    this.#o = options
    const random = seededRandom(options.seed)
    this.#random = () => random.next()
    const nextOffset = new Map<number, number>()
    for (let index = 0; index < options.records; index++) {
      const key = `k${Math.floor(this.#random() * options.keys)}`
      const partition = key.charCodeAt(key.length - 1) % options.partitions
      const offset = nextOffset.get(partition) ?? 0
      // Offsets have holes: compaction and transactions leave them.
      nextOffset.set(partition, offset + 1 + (this.#random() < 0.1 ? 3 : 0))
      const record = sinkRecord('t', partition, offset, key, index)
      this.log.push(record)
      if (this.#random() < options.poison) this.poisoned.add(idOf(record))
    }
    this.batcher = new SinkBatcher<SinkRecord>({
      context: { errantRecordReporter: { report: (record) => this.#report(record) }, requestCommit: () => {} },
      limits: options.limits,
      clock: this.clock,
      random: this.#random,
      convert: (record) => {
        if (record.originalOffset % 17 === 13) return null
        if (record.originalOffset % 19 === 13) throw new DataError('cannot be converted')
        const size = 10 + (record.originalOffset % 7)
        return { key: options.keyless ? undefined : (record.key as string), bytes: size, data: record }
      },
      write: (batch) => this.#write(batch),
      classify: (error) =>
        error instanceof TypeError ? dataFault(error) : error instanceof RangeError ? fatal(error) : retriable(error),
    })
  }

  #sleep(mostMs: number): Promise<void> {
    return new Promise((resolve) => this.clock.setTimer(this.#random() * mostMs, resolve))
  }

  async #report(record: SinkRecord): Promise<void> {
    await this.#sleep(20)
    this.reported.add(idOf(record))
  }

  /** The record needs nothing more. */
  isSettled(record: SinkRecord): boolean {
    const id = idOf(record)
    return record.originalOffset % 17 === 13 || this.written.has(id) || this.reported.has(id)
  }

  async #write({ items }: Batch<SinkRecord>): Promise<WriteOutcome | undefined> {
    this.requests++
    this.inFlight++
    this.inFlightMax = Math.max(this.inFlightMax, this.inFlight)
    this.batchMax = Math.max(this.batchMax, items.length)
    this.heldMax = Math.max(this.heldMax, this.batcher.pendingRecords)
    try {
      await this.#sleep(30)
      const fails = this.#random() < this.#o.requestFails
      // The answer may be lost after the writes are done.
      if (fails && this.#random() < 0.5) throw new Error('away')
      const failures: ItemFailure[] = []
      let attempted = items.length
      if (this.#o.blamesAll && items.some(({ data }) => this.poisoned.has(idOf(data)))) throw new TypeError('bad')
      for (const [index, { data }] of items.entries()) {
        const isPoison = this.poisoned.has(idOf(data))
        if (isPoison || this.#random() < this.#o.itemFails) {
          failures.push({ index, failure: isPoison ? dataFault(new Error('bad')) : retriable(new Error('busy')) })
          if (!this.#o.stopsAtError) continue
          attempted = index + 1
          break
        }
        this.written.add(idOf(data))
        const key = data.key as string
        this.history.set(key, [...(this.history.get(key) ?? []), data])
      }
      if (fails) throw new Error('answer lost')
      return failures.length > 0 ? { failures, attempted } : undefined
    } finally {
      this.inFlight--
    }
  }

  /** Delivers the whole log as a runtime does; `check` sees each answer of preCommit. */
  async deliver(check: (committed: readonly TopicPartitionOffset[]) => void): Promise<void> {
    const taken = new Map<number, number>()
    for (let at = 0; at < this.log.length; ) {
      const batch = this.log.slice(at, at + 1 + Math.floor(this.#random() * 40))
      at += batch.length
      await this.clock.run(this.batcher.put(batch))
      for (const { originalPartition, originalOffset } of batch) taken.set(originalPartition, originalOffset + 1)
      if (this.#random() < 0.1) check(await this.#commit(taken))
    }
    check(await this.#commit(taken))
  }

  #commit(taken: ReadonlyMap<number, number>): Promise<readonly TopicPartitionOffset[]> {
    const offsets = [...taken].map(([partition, offset]) => ({ topic: 't', partition, offset }))
    return this.clock.run(this.batcher.preCommit(offsets))
  }
}
