// A sink that keeps its offsets with its data, under rebalances, retries and rewinds at any moment: a model of the
// target says what must have arrived, record by record.
import { RetriableError, type SinkRecord, type SinkTask, type TopicPartitionOffset } from '@millrace/sdk'
import fc from 'fast-check'
import { expect, it } from 'vitest'
import { silentLogger } from '../../../../src/base/index.ts'
import { realClock } from '../../../../src/base/real/index.ts'
import type { IncomingRecord, LogConsumer, Partition } from '../../../../src/connect/worker/log-clients.ts'
import type { SinkPipeline } from '../../../../src/connect/worker/sink-pipeline.ts'
import { type SinkTaskHooks, SinkTaskRunner } from '../../../../src/connect/worker/sink-task-runner.ts'
import { TaskCounters } from '../../../../src/connect/worker/task-metrics.ts'
import type { UnitEnvironment } from '../../../../src/connect/worker/unit-runner.ts'
import { DEADLINE_MS } from '../../../services/deadline.ts'
import '../../property-settings.ts'

const PARTITIONS = [0, 1, 2]
const LENGTH = 12
const asPartition = (partition: number): Partition => ({ topic: 't', partition })

/** What happens in one poll. */
type Step =
  | { readonly type: 'records'; readonly count: number }
  | { readonly type: 'revoke' | 'lose' | 'assign'; readonly partitions: readonly number[] }
  /** The task asks for a position while the poll is under way and records are already read. */
  | { readonly type: 'rewind'; readonly partition: number; readonly count: number }

interface Reading {
  position: number
  paused: boolean
}

/** A consumer whose polls follow a script; when that has run out, everything is assigned and read to its end. */
class ScriptedConsumer implements LogConsumer {
  hooks!: SinkTaskHooks
  readonly #script: Step[]
  readonly #assigned = new Map<number, Reading>()
  readonly #committed = new Map<number, number>()
  readonly #written: ReadonlyMap<number, number>

  constructor(script: readonly Step[], written: ReadonlyMap<number, number>) {
    this.#script = [...script]
    this.#written = written
  }

  async poll(): Promise<readonly IncomingRecord[]> {
    await new Promise((resolve) => setImmediate(resolve))
    const step = this.#script.shift() ?? { type: 'assign', partitions: PARTITIONS }
    switch (step.type) {
      case 'records':
        return this.#read(step.count)
      case 'rewind': {
        const read = this.#read(step.count)
        const offset = this.#written.get(step.partition) ?? 0
        this.hooks.control.rewind([{ ...asPartition(step.partition), offset }])
        return read
      }
      case 'assign': {
        const added = step.partitions.filter((partition) => !this.#assigned.has(partition))
        for (const partition of added) {
          this.#assigned.set(partition, { position: this.#committed.get(partition) ?? 0, paused: false })
        }
        if (added.length > 0) await this.hooks.listener.onAssigned(added.map(asPartition))
        return this.#read(3)
      }
      case 'revoke':
      case 'lose': {
        const gone = step.partitions.filter((partition) => this.#assigned.has(partition))
        if (gone.length === 0) return []
        if (step.type === 'revoke') await this.hooks.listener.onRevoked(gone.map(asPartition))
        for (const partition of gone) this.#assigned.delete(partition)
        if (step.type === 'lose') await this.hooks.listener.onLost(gone.map(asPartition))
        return []
      }
    }
  }

  #read(count: number): IncomingRecord[] {
    const records: IncomingRecord[] = []
    for (const [partition, reading] of this.#assigned) {
      for (let n = 0; n < count && !reading.paused && reading.position < LENGTH; n++) {
        const offset = reading.position++
        records.push({ ...asPartition(partition), offset, timestamp: 0, key: null, value: null, headers: [] })
      }
    }
    return records
  }

  #of({ partition }: Partition): Reading {
    const reading = this.#assigned.get(partition)
    if (!reading) throw new Error(`partition ${partition} is not assigned`)
    return reading
  }

  position = (partition: Partition) => Promise.resolve(this.#of(partition).position)
  seek(partition: Partition, offset: number): void {
    this.#of(partition).position = offset
  }
  pause(partitions: readonly Partition[]): void {
    for (const partition of partitions) this.#of(partition).paused = true
  }
  resume(partitions: readonly Partition[]): void {
    for (const partition of partitions) this.#of(partition).paused = false
  }
  commit(offsets: readonly TopicPartitionOffset[]): Promise<void> {
    for (const { partition, offset } of offsets) this.#committed.set(partition, offset)
    return Promise.resolve()
  }
  lag = () => 0
  close = () => Promise.resolve()
}

const pipeline = {
  convert: (consumed: readonly IncomingRecord[]) =>
    Promise.resolve(
      consumed.map(({ topic, partition, offset }) => ({
        originalTopic: topic,
        originalPartition: partition,
        originalOffset: offset,
      })),
    ),
} as unknown as SinkPipeline

/** The target: each partition's next offset, moved together with the data. */
function createTask(hooks: SinkTaskHooks, written: Map<number, number>, failures: boolean[], gaps: string[]): SinkTask {
  return {
    open: (partitions) => {
      const offsets = partitions.flatMap(({ partition }) => {
        const offset = written.get(partition)
        return offset === undefined ? [] : [{ ...asPartition(partition), offset }]
      })
      hooks.control.rewind(offsets)
    },
    put: (records: readonly SinkRecord[]) => {
      if (records.length > 0 && failures.shift()) throw new RetriableError('later', { retryAfterMs: 1 })
      for (const { originalPartition, originalOffset } of records) {
        const next = written.get(originalPartition) ?? 0
        if (originalOffset > next) gaps.push(`partition ${originalPartition}: ${originalOffset} came at ${next}`)
        if (originalOffset === next) written.set(originalPartition, next + 1)
      }
    },
  }
}

async function run(script: readonly Step[], failures: boolean[]): Promise<void> {
  const written = new Map<number, number>()
  const gaps: string[] = []
  const consumer = new ScriptedConsumer(script, written)
  let failed = ''
  const runner = new SinkTaskRunner({
    id: { connector: 'c', task: 0 },
    target: 'STARTED',
    environment: { clock: realClock, logger: silentLogger } as unknown as UnitEnvironment,
    events: {
      onState: (state, { trace }) => {
        if (state === 'FAILED') failed = trace ?? 'FAILED'
      },
      onTopicUsed: () => {},
    },
    counters: new TaskCounters(0),
    version: '1',
    open: (hooks) => {
      consumer.hooks = hooks
      const task = createTask(hooks, written, failures, gaps)
      const timing = { flushIntervalMs: 60_000, flushTimeoutMs: DEADLINE_MS, shutdownTimeoutMs: DEADLINE_MS }
      return Promise.resolve({ task, pipeline, consumer, producer: null, ...timing, closePlugins: () => {} })
    },
  })
  const running = runner.run()
  const isDone = () => failed !== '' || PARTITIONS.every((partition) => written.get(partition) === LENGTH)
  for (const deadline = realClock.monotonicMs() + DEADLINE_MS; !isDone() && realClock.monotonicMs() < deadline; ) {
    await new Promise((resolve) => setImmediate(resolve))
  }
  await runner.stop(DEADLINE_MS)
  await running
  expect(failed).toBe('')
  expect(gaps).toEqual([])
  expect(Object.fromEntries(written)).toEqual({ 0: LENGTH, 1: LENGTH, 2: LENGTH })
}

it('gets every record once and in order, whatever happens around its batches', async () => {
  const partitions = fc.uniqueArray(fc.constantFrom(...PARTITIONS), { minLength: 1 })
  const count = fc.integer({ min: 0, max: 4 })
  const step: fc.Arbitrary<Step> = fc.oneof(
    fc.record({ type: fc.constant('records' as const), count }),
    fc.record({ type: fc.constantFrom('revoke' as const, 'lose' as const, 'assign' as const), partitions }),
    fc.record({ type: fc.constant('rewind' as const), partition: fc.constantFrom(...PARTITIONS), count }),
  )
  const script = fc.array(step, { maxLength: 25 })
  await fc.assert(
    fc.asyncProperty(script, fc.array(fc.boolean(), { maxLength: 8 }), async (steps, failures) => {
      await run(steps, [...failures])
    }),
    { numRuns: 150, seed: 20261121 },
  )
})
