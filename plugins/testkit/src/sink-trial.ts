import type { RawConfig, SinkConnector, SinkRecord } from '@millrace/sdk'
import { expectThat } from './check.ts'
import { onlyTaskConfig } from './connector-tasks.ts'
import { CLEAN_UP_MS, pause } from './deadline.ts'
import { eventIdsIn, makeEvents, type TestEvent } from './event.ts'
import { loadClients } from './kafka-clients.ts'
import type { Limits } from './limits.ts'
import { live, pointsOf } from './life-owner.ts'
import type { Guarantee, SinkOptions, SinkSystem } from './options.ts'
import { SinkRun } from './sink-run.ts'
import { eventRecord, type RecordParts, SinkTopic } from './sink-topic.ts'
import { packRecords } from './transfer.ts'

/** What the checks of one sink have in common. */
export interface SinkSubject {
  readonly definition: SinkConnector
  readonly options: SinkOptions
  readonly limits: Limits
  readonly seed: number
  readonly claimed: Guarantee
}

export const PARTITIONS = 2
const TOPIC = 'testkit-events'

/** A record of the topic with the event that it carries. */
interface Carried {
  readonly event: TestEvent
  readonly record: SinkRecord
}

/** One system with the lives of tasks that write to it, and what it should hold. */
export class SinkTrial implements AsyncDisposable {
  readonly system: SinkSystem
  readonly topic = new SinkTopic(TOPIC, PARTITIONS)
  /** What the group has committed. */
  readonly committed = new Map<number, number>()
  #config: Promise<RawConfig> | undefined
  readonly #subject: SinkSubject
  readonly #runs: SinkRun[] = []
  readonly #carried: Carried[] = []
  /** How many records were there when a key was removed: those that come later put it back. */
  readonly #removed = new Map<string, number>()

  constructor(subject: SinkSubject, system: SinkSystem) {
    this.#subject = subject
    this.system = system
  }

  static async open(subject: SinkSubject): Promise<SinkTrial> {
    return new SinkTrial(subject, await subject.options.open(TOPIC))
  }

  /** Appends records of new events; those of one key go to one partition. */
  append(count: number, record = this.#subject.options.record ?? eventRecord, payloadBytes = 0): readonly SinkRecord[] {
    return makeEvents(this.#carried.length, count, payloadBytes).map((event) => this.#appendOne(event, record(event)))
  }

  /** Appends a record that is not expected in the target. */
  appendUnexpected(parts: (event: TestEvent) => RecordParts): SinkRecord {
    const [event] = makeEvents(this.#carried.length + UNEXPECTED, 1) as [TestEvent]
    return this.topic.append(partitionOf(event.key), parts(event))
  }

  /** Appends a record without value for a key that has one, and is not the key of the next event. */
  appendTombstone(): SinkRecord {
    const [next] = makeEvents(this.#carried.length, 1)
    const first = this.#carried.find(({ event }) => event.key !== next?.key)
    expectThat(first, 'there is no record to remove')
    const { key, keySchema } = first.record
    if (this.#subject.options.tombstones === 'delete') this.#removed.set(first.event.key, this.#carried.length)
    return this.topic.append(first.record.partition, { key, ...(keySchema ? { keySchema } : {}) })
  }

  /** A new life of the task with these partitions, from what is committed. */
  async run(partitions: readonly number[] = [0, 1], hasQueue = true): Promise<SinkRun> {
    const run = await this.newRun(hasQueue)
    this.#runs.push(run)
    await run.start(partitions)
    return run
  }

  /** A life that has not begun, and that whoever asked for it has to end. */
  async newRun(hasQueue = true): Promise<SinkRun> {
    const { definition, limits, options } = this.#subject
    const config = await this.#taskConfig()
    const clients = await loadClients(options.kafka)
    const { topic, committed } = this
    return new SinkRun(definition, config, { topic, committed, clients, limits, hasQueue })
  }

  /** A life in a process, which is killed at this await point; 0 lets it go to its end. Gives the await points it had then. */
  async liveInProcess(module: URL, seed: number, endAt: number): Promise<number> {
    const { limits, options } = this.#subject
    const config = await this.#taskConfig()
    const journal = await live({
      kind: 'sink',
      module: module.href,
      ...(options.kafka ? { kafka: options.kafka.href } : {}),
      config,
      seed,
      endAt,
      limits,
      topic: this.topic.name,
      partitions: PARTITIONS,
      records: packRecords(this.topic.all()),
      committed: [...this.committed],
    })
    for (const line of journal) if ('committed' in line) this.committed.set(line.partition, line.committed)
    return pointsOf(journal)
  }

  /** The target holds what the topic says. */
  async expectTarget(): Promise<void> {
    const found = await this.idsInTarget()
    if (this.#subject.options.target === 'latest') this.#expectLatest(found)
    else this.#expectAll(found)
  }

  /** What is committed is in the target. */
  async expectCommitted(): Promise<void> {
    const found = new Set(await this.idsInTarget())
    const committed = this.#expected().filter(
      ({ record: { partition, offset } }) => offset < (this.committed.get(partition) ?? 0),
    )
    // A later record of its key may have replaced one in the target.
    const isReplaced = ({ event }: Carried) =>
      this.#subject.options.target === 'latest' &&
      this.#carried.some((later) => later.event.key === event.key && found.has(later.event.id))
    const lost = committed.find((each) => !found.has(each.event.id) && !isReplaced(each))
    expectThat(!lost, () => `preCommit let the offset of ${lost?.event.id} be committed, but it is not in the target`)
  }

  /** The ids of events in the target, entry by entry. */
  async idsInTarget(): Promise<readonly string[]> {
    const entries = await this.system.read()
    return entries.flatMap((entry) => [...new Set(eventIdsIn(entry))])
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

  #appendOne(event: TestEvent, parts: RecordParts): SinkRecord {
    const record = this.topic.append(partitionOf(event.key), parts)
    this.#carried.push({ event, record })
    return record
  }

  #expected(): readonly Carried[] {
    return this.#carried.filter(({ event }, index) => index >= (this.#removed.get(event.key) ?? 0))
  }

  #expectAll(found: readonly string[]): void {
    const there = new Set(found)
    const missing = this.#expected().filter(({ event }) => !there.has(event.id))
    expectThat(missing.length === 0, () => lossOf(missing.map(({ event }) => event.id)))
    const { claimed, options } = this.#subject
    if (claimed === 'idempotent' || claimed === 'exactly-once') {
      const repeated = found.find((id, index) => found.indexOf(id) !== index)
      expectThat(repeated === undefined, `${repeated} is in the target more than once: not ${claimed}`)
    }
    if (options.ordered === false) return
    const first = [...there]
    for (const { partition } of this.topic.partitions) {
      const ids = new Set(this.#carried.filter(({ record }) => record.partition === partition).map((c) => c.event.id))
      const order = first.filter((id) => ids.has(id))
      const late = order.find((id, index) => index > 0 && id < (order[index - 1] ?? ''))
      expectThat(late === undefined, `${late} is in the target after a later record of its partition`)
    }
  }

  #expectLatest(found: readonly string[]): void {
    const latest = new Map(this.#expected().map(({ event }) => [event.key, event.id]))
    const wanted = new Set(latest.values())
    const missing = [...wanted].filter((id) => !found.includes(id))
    expectThat(missing.length === 0, () => lossOf(missing))
    const stale = found.filter((id) => !wanted.has(id))
    expectThat(stale.length === 0, () => `still in the target, although replaced or removed later: ${listOf(stale)}`)
    const repeated = found.find((id, index) => found.indexOf(id) !== index)
    expectThat(repeated === undefined, `${repeated} is in the target more than once`)
  }
}

/** Numbers of events that are not expected begin here. */
const UNEXPECTED = 500_000

function partitionOf(key: string): number {
  return Number(key.slice(key.lastIndexOf('-') + 1)) % PARTITIONS
}

function lossOf(ids: readonly string[]): string {
  return (
    `not in the target, although put took them and their offsets were committed: ${listOf(ids)}. Is an error passed over, ` +
    'or is something still being written when put or preCommit resolves?'
  )
}

function listOf(ids: readonly string[]): string {
  return ids.length > 5 ? `${ids.slice(0, 5).join(', ')} and ${ids.length - 5} more` : ids.join(', ')
}
