import type { RawConfig, SourceConnector, SourceRecord } from '@millrace/sdk'
import { expectThat } from './check.ts'
import { onlyTaskConfig } from './connector-tasks.ts'
import { CLEAN_UP_MS, pause } from './deadline.ts'
import { makeEvents, type TestEvent } from './event.ts'
import { eventIdOf, identityOf } from './identity.ts'
import { loadClients } from './kafka-clients.ts'
import type { Limits } from './limits.ts'
import { live, pointsOf } from './life-owner.ts'
import { OffsetStore, textOf } from './offset-store.ts'
import type { Guarantee, SourceOptions, SourceSystem } from './options.ts'
import { SourceRun } from './source-run.ts'

/** Whether a source may lose what happens while no task runs. */
export function isLossy({ claimed }: Pick<SourceSubject, 'claimed'>): boolean {
  return claimed === 'at-most-once'
}

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
  #config: Promise<RawConfig> | undefined
  readonly #subject: SourceSubject
  readonly #runs: SourceRun[] = []
  readonly #places = new Map<string, number>()
  readonly #seen = new Set<string>()
  readonly #acknowledged = new Set<string>()
  readonly #openIds: (string | undefined)[] = []
  /** Events that happen when a task listens. */
  readonly #waiting: TestEvent[] = []
  #isListening = false
  #processes = 0
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
    this.#waiting.push(...events)
    if (this.#isListening || !isLossy(this.#subject)) await this.#produceWaiting()
    return events
  }

  /** For sources that may lose: nothing of what happened so far has to come, and nothing of what came may come again. */
  letGo(): void {
    this.forgetOpen()
    this.#isListening = false
    for (const id of this.#seen) this.#acknowledged.add(id)
    for (const id of this.#places.keys()) this.#seen.add(id)
    this.#waiting.length = 0
  }

  expectIds(ids: readonly string[]): void {
    for (const id of ids) if (!this.#places.has(id)) this.#places.set(id, this.#places.size)
  }

  /** A new life of the task, from what is committed. */
  async run(): Promise<SourceRun> {
    const run = await this.newRun()
    this.#runs.push(run)
    this.#begin()
    await run.start()
    if (isLossy(this.#subject)) await this.listen(run)
    return run
  }

  /** Polls until one does not fail: from then on a source that may lose hears of what happens. */
  async listen(run: SourceRun): Promise<void> {
    const end = performance.now() + this.#subject.limits.deadlineMs
    const failures: Error[] = []
    do {
      expectThat(performance.now() < end, () => `no poll succeeded in time: ${failures.at(-1)?.message}`)
      failures.length = 0
      await this.poll(run, (error) => failures.push(error))
    } while (failures.length > 0)
    this.#isListening = true
    await this.#produceWaiting()
  }

  /** A life that has not begun, and that whoever asked for it has to end. */
  async newRun(): Promise<SourceRun> {
    const { definition, limits, options } = this.#subject
    const config = await this.#taskConfig()
    return new SourceRun(definition, config, { store: this.store, clients: await loadClients(options.kafka), limits })
  }

  /** A life in a process, which is killed at this await point; 0 lets it go to its end. Gives the await points it had then. */
  async liveInProcess(module: URL, seed: number, endAt: number): Promise<number> {
    const { limits, options } = this.#subject
    const config = await this.#taskConfig()
    this.#begin()
    const life = {
      kind: 'source',
      module: module.href,
      ...(options.kafka ? { kafka: options.kafka.href } : {}),
      config,
      seed,
      endAt,
      limits,
      offsets: this.store.list(),
      hasEvents: this.system.produce !== undefined,
      listens: isLossy(this.#subject),
      wanted: isLossy(this.#subject) ? this.#waiting.length : this.#places.size,
    } as const
    this.#processes++
    const journal = await live(life, () => this.#produceWaiting())
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

  /** Asked for once: a worker, too, restarts a task with the configuration that it has. */
  #taskConfig(): Promise<RawConfig> {
    const { definition, options } = this.#subject
    return (this.#config ??= onlyTaskConfig(definition, this.system.config, options.kafka))
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await Promise.race([Promise.allSettled(this.#runs.map((run) => run.stop())), pause(CLEAN_UP_MS)])
    await this.system.close?.()
  }

  #begin(): void {
    this.#furthest = new Map()
    this.#isListening = false
    this.forgetOpen()
  }

  async #produceWaiting(): Promise<void> {
    await this.system.produce?.(this.#waiting.splice(0))
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
    // In a first life there is no offset to begin behind.
    const fault =
      this.#runs.length + this.#processes > 1
        ? '; a task has to begin right behind the committed offset of the one before it, and may not tell its system that a ' +
          'record is done before `commit` says so'
        : ''
    return `${missing.length} of ${this.#places.size} records never came (${shown}): ${when}${fault}`
  }
}
