import { ConnectError, type ErrantRecordReporter, RetriableError } from '@millrace/sdk'
import { classifyRedisError, classifyReply, type RedisLink } from '../_shared/redis/index.ts'
import { retriable } from '../_shared/retry/index.ts'
import { type BatchItem, type ItemFailure, reportOrFail, type WriteOutcome } from '../_shared/sink-batcher/index.ts'
import type { Operation } from './operations.ts'
import type { OffsetSteps, SinkOffsets } from './sink-offsets.ts'
import { slotOf } from './slot.ts'
import { type ScriptResult, WriteScript } from './write-script.ts'

/** The commands of a record. */
export interface RecordWrite {
  readonly operations: readonly Operation[]
  /** Why it cannot be written; it waits for its turn to be reported. */
  readonly refused?: Error
}
type Item = BatchItem<RecordWrite>

/** Writes one batch in its order. */
export interface BatchWriter {
  write(items: readonly Item[]): Promise<WriteOutcome | undefined>
}

/** Writes at least once: what a lost answer leaves open is written again. */
export class PlainWriter implements BatchWriter {
  readonly #script: WriteScript
  readonly #isCluster: boolean

  constructor(link: RedisLink, isCluster: boolean) {
    this.#script = new WriteScript(link)
    this.#isCluster = isCluster
  }

  async write(items: readonly Item[]): Promise<WriteOutcome | undefined> {
    const groups = this.#isCluster ? bySlot(items) : [items.map((_, index) => index)]
    const outcomes = await Promise.all(groups.map((indices) => this.#writeGroup(items, indices)))
    if (groups.length === 1) return outcomes[0]
    const failures = outcomes.flatMap((outcome, place) => {
      if (outcome === undefined) return []
      const { attempted = 0 } = outcome
      const later = (groups[place] as number[]).slice(attempted)
      const failure = retriable(new RetriableError('a command before it on the same node failed'))
      return [...outcome.failures, ...later.map((index) => ({ index, failure }))]
    })
    return { failures }
  }

  /** In a group that is part of a batch `attempted` counts within the group. */
  async #writeGroup(items: readonly Item[], indices: readonly number[]): Promise<WriteOutcome | undefined> {
    const owners: number[] = []
    const commands = indices.flatMap((index, place) => {
      const { operations } = (items[index] as Item).data
      for (let left = operations.length; left > 0; left--) owners.push(place)
      return operations
    })
    let result: ScriptResult
    try {
      result = await this.#script.run({ moves: [], steps: '', operations: commands })
    } catch (error) {
      if (!this.#isCluster) throw error
      // Other nodes may have written their part: only this one's is open.
      const failure = classifyRedisError(error)
      return { failures: indices.map((index) => ({ index, failure })), attempted: indices.length }
    }
    if ('moved' in result || result.error === undefined) return undefined
    const place = owners[result.done] as number
    const failed: ItemFailure = { index: indices[place] as number, failure: classifyReply(result.error) }
    return { failures: [failed], attempted: place + 1 }
  }
}

function bySlot(items: readonly Item[]): number[][] {
  const groups = new Map<number, number[]>()
  items.forEach(({ data }, index) => {
    const slot = slotOf(data.operations[0]?.[1] ?? '')
    const group = groups.get(slot)
    if (group === undefined) groups.set(slot, [index])
    else group.push(index)
  })
  return [...groups.values()]
}

/** Writes exactly once: offsets move in the script that writes, and what was written before is left out. */
export class ExactlyOnceWriter implements BatchWriter {
  readonly #script: WriteScript
  readonly #offsets: SinkOffsets
  readonly #reporter: ErrantRecordReporter | null

  constructor(link: RedisLink, offsets: SinkOffsets, reporter: ErrantRecordReporter | null) {
    this.#script = new WriteScript(link)
    this.#offsets = offsets
    this.#reporter = reporter
  }

  async write(items: readonly Item[]): Promise<undefined> {
    let rest = items
    while (rest.length > 0) rest = await this.#writeSome(rest)
  }

  /** Writes up to the first record that cannot be written, and reports that one; gives what is left. */
  async #writeSome(items: readonly Item[]): Promise<readonly Item[]> {
    await this.#offsets.refresh()
    const step = this.#offsets.begin()
    const owners: number[] = []
    const operations: Operation[] = []
    let end = 0
    for (; end < items.length; end++) {
      const { record, data } = items[end] as Item
      if (!step.isNew(record)) continue
      if (data.refused !== undefined) break
      step.take(record, data.operations.length)
      for (const operation of data.operations) {
        operations.push(operation)
        owners.push(end)
      }
    }
    const refused = items[end]
    if (operations.length > 0) {
      const failed = await this.#run(step, operations)
      if (failed !== undefined) {
        const place = owners[failed.done] as number
        await this.#report(items[place] as Item, failed.error)
        return items.slice(place + 1)
      }
    }
    if (refused?.data.refused === undefined) return []
    await this.#report(refused, refused.data.refused)
    return items.slice(end + 1)
  }

  /** Undefined when all is written. */
  async #run(step: OffsetSteps, operations: readonly Operation[]): Promise<{ done: number; error: Error } | undefined> {
    // Whatever comes now but a plain success leaves the offsets in doubt.
    this.#offsets.doubt()
    const result = await this.#script.run({ moves: step.moves, steps: step.steps, operations })
    if ('moved' in result) {
      await this.#offsets.refresh()
      throw new RetriableError('the offsets in Redis have moved: a write without an answer came through late')
    }
    if (result.error === undefined) {
      step.done()
      this.#offsets.trust()
      return undefined
    }
    const { kind, error } = classifyReply(result.error)
    if (kind === 'retriable') throw new RetriableError(error.message, { cause: error })
    if (kind === 'fatal') throw error
    return { done: result.done, error }
  }

  /** Invariant 3: the offset in Redis passes the record only after its report is durable. */
  async #report({ record }: Item, error: Error): Promise<void> {
    try {
      await reportOrFail(this.#reporter, record, error)
    } catch (reason) {
      // No fault of the data any more: whatever is written now would pass the record.
      throw new ConnectError((reason as Error).message, { cause: reason })
    }
  }
}
