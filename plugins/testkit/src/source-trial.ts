import type { SourceConnector, SourceRecord } from '@millrace/sdk'
import { expectThat } from './check.ts'
import { taskConfigs } from './connector-tasks.ts'
import { CLEAN_UP_MS, pause } from './deadline.ts'
import { makeEvents, type TestEvent } from './event.ts'
import { eventIdOf, identityOf } from './identity.ts'
import type { Limits } from './limits.ts'
import { live, pointsOf } from './life-owner.ts'
import { OffsetStore, textOf } from './offset-store.ts'
import type { Guarantee, SourceOptions, SourceSystem } from './options.ts'
import { SourceRun } from './source-run.ts'

/** What the checks of one source have in common. */
export interface SourceSubject {
  readonly definition: SourceConnector
  readonly options: SourceOptions
  readonly limits: Limits
  readonly seed: number
  readonly claimed: Guarantee
  /** For sources that make their data themselves: what an undisturbed run gives. */
  readonly reference: () => Promise<readonly string[]>
}

/** One system with the lives of tasks that read it, and what came of it. */
export class SourceTrial implements AsyncDisposable {
  readonly system: SourceSystem
  readonly store = new OffsetStore()
  readonly #subject: SourceSubject
  readonly #runs: SourceRun[] = []
  readonly #places = new Map<string, number>()
  readonly #seen = new Set<string>()
  readonly #acknowledged = new Set<string>()
  readonly #openIds: (string | undefined)[] = []
  #furthest = new Map<string, number>()
  #repeated: string | undefined

  constructor(subject: SourceSubject, system: SourceSystem) {
    this.#subject = subject
    this.system = system
  }

  static async open(subject: SourceSubject): Promise<SourceTrial> {
    const trial = new SourceTrial(subject, await subject.options.open())
    if (!trial.system.produce) trial.expectIds(await subject.reference())
    return trial
  }

  /** Makes events happen; a source that makes its data itself has them already. */
  async produce(count: number, payloadBytes = 0): Promise<readonly TestEvent[]> {
    if (!this.system.produce) return []
    const events = makeEvents(this.#places.size, count, payloadBytes)
    this.expectIds(events.map(({ id }) => id))
    await this.system.produce(events)
    return events
  }

  expectIds(ids: readonly string[]): void {
    for (const id of ids) if (!this.#places.has(id)) this.#places.set(id, this.#places.size)
  }

  /** A new life of the task, from what is committed. */
  async run(): Promise<SourceRun> {
    const { definition, limits } = this.#subject
    const [config] = await taskConfigs(definition, this.system.config, 1)
    expectThat(config, 'taskConfigs gave no task for a system that has something to read')
    const run = new SourceRun(definition, config, this.store, limits)
    this.#runs.push(run)
    this.#begin()
    await run.start()
    return run
  }

  /** A life in a thread, which ends at this await point; 0 lets it go to its end. Gives the await points it had then. */
  async liveInThread(module: URL, seed: number, endAt: number): Promise<number> {
    const { definition, limits } = this.#subject
    const [config] = await taskConfigs(definition, this.system.config, 1)
    expectThat(config, 'taskConfigs gave no task')
    this.#begin()
    const journal = await live({
      kind: 'source',
      module: module.href,
      config,
      seed,
      endAt,
      limits,
      offsets: this.store.list(),
      hasEvents: this.system.produce !== undefined,
      wanted: this.#places.size,
    })
    for (const line of journal) {
      if ('polled' in line) this.#look(line.polled ?? undefined, line.partition)
      if (!('acknowledged' in line)) continue
      this.store.restore({ sourcePartition: line.of, sourceOffset: line.offset })
      if (line.acknowledged !== null) this.#acknowledged.add(line.acknowledged)
    }
    return pointsOf(journal)
  }

  /** One poll, with a look at what came. */
  async poll(run: SourceRun, onRetriable?: (error: Error) => void): Promise<readonly SourceRecord[]> {
    const records = await run.poll(onRetriable)
    for (const record of records) this.#look(this.idOf(record), textOf(record.sourcePartition))
    return records
  }

  async acknowledge(run: SourceRun, count: number): Promise<void> {
    for (const id of this.#openIds.splice(0, count)) if (id !== undefined) this.#acknowledged.add(id)
    await run.acknowledge(count)
  }

  /** What was polled and not acknowledged will never be, since the task ended before: all of it has to come again. */
  forgetOpen(): void {
    for (const id of this.#openIds) if (id !== undefined && !this.#acknowledged.has(id)) this.#seen.delete(id)
    this.#openIds.length = 0
  }

  /** Polls and acknowledges until everything that was expected has come. */
  async drain(run: SourceRun, onRetriable?: (error: Error) => void): Promise<readonly SourceRecord[]> {
    const end = performance.now() + this.#subject.limits.deadlineMs
    const all: SourceRecord[] = []
    while (this.missing().length > 0) {
      const records = await this.poll(run, onRetriable)
      all.push(...records)
      await this.acknowledge(run, records.length)
      const isOver = run.finished || performance.now() > end
      expectThat(!isOver || this.missing().length === 0, () => this.#loss(run.finished))
    }
    return all
  }

  /** Expected events that never came. */
  missing(): readonly string[] {
    return [...this.#places.keys()].filter((id) => !this.#seen.has(id))
  }

  /** The first event that came again although its offset was committed. */
  get repeated(): string | undefined {
    return this.#repeated
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await Promise.race([Promise.allSettled(this.#runs.map((run) => run.stop())), pause(CLEAN_UP_MS)])
    await this.system.close?.()
  }

  #begin(): void {
    this.#furthest = new Map()
    this.forgetOpen()
  }

  #look(id: string | undefined, partition: string): void {
    this.#openIds.push(id)
    const place = id === undefined ? undefined : this.#places.get(id)
    if (id === undefined || place === undefined) return
    this.#seen.add(id)
    if (this.#acknowledged.has(id)) this.#repeated ??= id
    const furthest = this.#furthest.get(partition) ?? -1
    expectThat(this.#subject.options.ordered === false || place >= furthest, () => {
      const before = [...this.#places.keys()][furthest]
      return `${id} came after ${before} in the source partition ${partition}, although it happened before it`
    })
    this.#furthest.set(partition, place)
  }

  /** What tells a record from others; undefined for one that belongs to no event, such as a heartbeat. */
  idOf(record: SourceRecord): string | undefined {
    if (this.system.produce) return eventIdOf(record)
    return (this.#subject.options.identify ?? identityOf)(record)
  }

  #loss(finished: boolean): string {
    const missing = this.missing()
    const when = finished ? 'the task said FINISHED' : `nothing more came within ${this.#subject.limits.deadlineMs} ms`
    const shown = missing.slice(0, 5).join(', ').slice(0, 300)
    return `${missing.length} of ${this.#places.size} records never came (${shown}): ${when}`
  }
}
