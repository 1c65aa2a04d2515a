import { RetriableError, type SinkRecord, type SinkTask, type TopicPartitionOffset } from '@millrace/sdk'
import { afterEach, describe, expect, it } from 'vitest'
import { silentLogger } from '../../../../src/base/index.ts'
import { realClock } from '../../../../src/base/real/index.ts'
import type { IncomingRecord, LogConsumer, Partition } from '../../../../src/connect/worker/log-clients.ts'
import type { SinkPipeline } from '../../../../src/connect/worker/sink-pipeline.ts'
import { type SinkTaskHooks, SinkTaskRunner } from '../../../../src/connect/worker/sink-task-runner.ts'
import { TaskCounters } from '../../../../src/connect/worker/task-metrics.ts'
import type { UnitEnvironment } from '../../../../src/connect/worker/unit-runner.ts'
import { DEADLINE_MS } from '../../../services/deadline.ts'

const tp = { topic: 't', partition: 0 }

/** A partition of numbered records with a consumer that belongs to nobody else. */
class FakeConsumer implements LogConsumer {
  hooks: SinkTaskHooks | undefined
  next = 0
  readonly paused = new Set<string>()
  readonly commits: number[] = []
  readonly seeks: number[] = []
  #assigned = false
  #revoke: readonly Partition[] | undefined
  readonly #end: number
  readonly #wakers = new Set<() => void>()

  constructor(end: number) {
    this.#end = end
  }

  /** Takes the partition away with the next poll. */
  revoke(): void {
    this.#revoke = [tp]
    for (const wake of this.#wakers) wake()
  }

  async poll(timeoutMs: number, signal: AbortSignal): Promise<readonly IncomingRecord[]> {
    if (!this.#assigned) {
      this.#assigned = true
      await this.hooks!.listener.onAssigned([tp])
    }
    if (this.#revoke) {
      await this.hooks!.listener.onRevoked(this.#revoke)
      this.#revoke = undefined
      this.paused.add('t0')
    }
    if (this.paused.size === 0 && this.next < this.#end) return [this.#record(this.next++), this.#record(this.next++)]
    await new Promise<void>((resolve) => {
      const timer = realClock.setTimer(Math.min(timeoutMs, 20), resolve)
      const wake = () => {
        timer.cancel()
        resolve()
      }
      this.#wakers.add(wake)
      signal.addEventListener('abort', wake, { once: true })
    })
    return []
  }

  #record(offset: number): IncomingRecord {
    return { ...tp, offset, timestamp: 0, key: null, value: Buffer.from(String(offset)), headers: [] }
  }

  position = () => Promise.resolve(this.next)
  seek(_: Partition, offset: number): void {
    this.seeks.push(offset)
    this.next = offset
  }
  pause(partitions: readonly Partition[]): void {
    for (const { topic, partition } of partitions) this.paused.add(topic + partition)
  }
  resume(partitions: readonly Partition[]): void {
    for (const { topic, partition } of partitions) this.paused.delete(topic + partition)
  }
  commit(offsets: readonly TopicPartitionOffset[]): Promise<void> {
    this.commits.push(...offsets.map(({ offset }) => offset))
    return Promise.resolve()
  }
  lag = () => 0
  close = () => Promise.resolve()
}

const pipeline = {
  convert: (consumed: readonly IncomingRecord[]) =>
    Promise.resolve(
      consumed.map(({ offset }) => ({ originalTopic: 't', originalPartition: 0, originalOffset: offset })),
    ),
} as unknown as SinkPipeline

const runners: SinkTaskRunner[] = []

afterEach(async () => {
  await Promise.all(runners.splice(0).map((runner) => runner.stop(1000)))
})

function start(end: number, task: SinkTask | ((hooks: SinkTaskHooks) => SinkTask), flushIntervalMs = 60_000) {
  const consumer = new FakeConsumer(end)
  const states: string[] = []
  let trace = ''
  const runner = new SinkTaskRunner({
    id: { connector: 'c', task: 0 },
    target: 'STARTED',
    environment: { clock: realClock, logger: silentLogger } as unknown as UnitEnvironment,
    events: {
      onState: (state, detail) => {
        states.push(state)
        trace = detail.trace ?? ''
      },
      onTopicUsed: () => {},
    },
    counters: new TaskCounters(0),
    version: '1',
    open: (hooks) => {
      consumer.hooks = hooks
      return Promise.resolve({
        task: typeof task === 'function' ? task(hooks) : task,
        pipeline,
        consumer,
        producer: null,
        flushIntervalMs,
        flushTimeoutMs: DEADLINE_MS,
        shutdownTimeoutMs: DEADLINE_MS,
        closePlugins: () => {},
      })
    },
  })
  runners.push(runner)
  void runner.run()
  return { consumer, runner, states, trace: () => trace }
}

async function until(condition: () => boolean): Promise<void> {
  for (const deadline = realClock.monotonicMs() + DEADLINE_MS; !condition(); ) {
    if (realClock.monotonicMs() > deadline) throw new Error('waited in vain')
    await new Promise<void>((resolve) => {
      realClock.setTimer(1, resolve)
    })
  }
}

/** A task that notes the offsets it was given. */
function noting(): { readonly seen: number[]; readonly put: (records: readonly SinkRecord[]) => void } {
  const seen: number[] = []
  return { seen, put: (records) => void seen.push(...records.map(({ originalOffset }) => originalOffset)) }
}

describe('a sink task', () => {
  it('commits at its end what put has taken', async () => {
    const { seen, put } = noting()
    const { consumer, runner } = start(6, { put })
    await until(() => seen.length === 6)
    expect(consumer.commits).toEqual([])
    expect(await runner.stop(DEADLINE_MS)).toBe(true)
    expect(consumer.commits).toEqual([6])
  })

  it('commits no more than preCommit allows, and nothing beyond what was delivered', async () => {
    const { seen, put } = noting()
    const preCommit = (offsets: readonly TopicPartitionOffset[]) => [
      ...offsets.map((offset) => ({ ...offset, offset: offset.offset - 1 })),
      { ...tp, offset: 100 },
    ]
    const { consumer, runner } = start(6, { put, preCommit })
    await until(() => seen.length === 6)
    await runner.stop(DEADLINE_MS)
    expect(consumer.commits).toEqual([5])
  })

  it('goes back to what was committed when preCommit fails, and delivers that again', async () => {
    const { seen, put } = noting()
    let failures = 1
    const preCommit = (offsets: readonly TopicPartitionOffset[]) => {
      if (failures-- > 0) throw new Error('not flushed')
      return offsets
    }
    const { consumer, runner } = start(4, (hooks) => ({
      put: (records) => {
        put(records)
        if (seen.length === 4) hooks.control.requestCommit()
      },
      preCommit,
    }))
    await until(() => seen.length === 8)
    expect(seen).toEqual([0, 1, 2, 3, 0, 1, 2, 3])
    expect(consumer.seeks).toEqual([0])
    await runner.stop(DEADLINE_MS)
    expect(consumer.commits).toEqual([4])
  })

  it('is paused while a batch waits for its retry, and gets that batch again before any other', async () => {
    const { seen, put } = noting()
    let failures = 2
    const pausedAtRetry: number[] = []
    const { consumer } = start(6, {
      put: (records) => {
        if (records.length > 0 && records[0]?.originalOffset === 2) {
          pausedAtRetry.push(consumer.paused.size)
          if (failures-- > 0) throw new RetriableError('later', { retryAfterMs: 1 })
        }
        put(records)
      },
    })
    await until(() => seen.length === 6)
    expect(seen).toEqual([0, 1, 2, 3, 4, 5])
    expect(pausedAtRetry).toEqual([0, 1, 1])
    expect(consumer.paused.size).toBe(0)
  })

  it('reads on where its task says', async () => {
    const { seen, put } = noting()
    const { consumer } = start(6, (hooks) => ({
      open: () => hooks.control.rewind([{ ...tp, offset: 4 }]),
      put,
    }))
    await until(() => seen.length === 2)
    expect(seen).toEqual([4, 5])
    expect(consumer.seeks).toEqual([4])
  })

  it('commits and closes what it loses, and forgets a batch that waits', async () => {
    const hooks: string[] = []
    const { consumer, states } = start(4, {
      put: (records) => {
        if (records[0]?.originalOffset === 2) throw new RetriableError('later', { retryAfterMs: 60_000 })
      },
      preCommit: (offsets) => {
        hooks.push(`preCommit ${offsets.map(({ offset }) => offset).join()}`)
        return offsets
      },
      close: (partitions) => void hooks.push(`close ${partitions.length}`),
    })
    await until(() => consumer.next === 4 && consumer.paused.size === 1)
    consumer.revoke()
    await until(() => hooks.length === 2)
    expect(hooks).toEqual(['preCommit 2', 'close 1'])
    expect(consumer.commits).toEqual([2])
    expect(states).toEqual(['RUNNING'])
  })

  it('fails when put throws anything else, and still commits what was taken before', async () => {
    const { seen, put } = noting()
    const { consumer, states, trace } = start(6, {
      put: (records) => {
        if (records[0]?.originalOffset === 4) throw new TypeError('no such thing')
        put(records)
      },
    })
    await until(() => states.includes('FAILED'))
    expect(trace()).toMatch(/^TypeError: no such thing\n/)
    expect(seen).toEqual([0, 1, 2, 3])
    expect(consumer.commits).toEqual([4])
  })

  it('fails when open throws', async () => {
    const open = () => {
      throw new Error('no access')
    }
    const { states, trace } = start(2, { open, put: () => {} })
    await until(() => states.includes('FAILED'))
    expect(trace()).toMatch(/^Error: no access/)
  })

  it('is cut off when put never ends, and commits nothing of it', async () => {
    const { consumer, runner } = start(2, {
      put: (records) => (records.length > 0 ? new Promise(() => {}) : undefined),
    })
    await until(() => consumer.next === 2)
    expect(await runner.stop(50)).toBe(false)
    expect(consumer.commits).toEqual([])
  })
})
