import {
  type CommittedOffset,
  type Converter,
  FINISHED,
  type HeaderConverter,
  type PollResult,
  type RecordMetadata,
  RetriableError,
  type SourceRecord,
  type SourceTask,
} from '@millrace/sdk'
import { afterEach, describe, expect, it } from 'vitest'
import { seededRandom, silentLogger } from '../../../../src/base/index.ts'
import { realClock } from '../../../../src/base/real/index.ts'
import { ErrorOperator } from '../../../../src/connect/worker/error-operator.ts'
import type { LogProducer, OutgoingRecord, SentBatch } from '../../../../src/connect/worker/log-clients.ts'
import { OffsetCommitter } from '../../../../src/connect/worker/offset-committer.ts'
import { SourcePipeline } from '../../../../src/connect/worker/source-pipeline.ts'
import { SourceTaskRunner } from '../../../../src/connect/worker/source-task-runner.ts'
import { SubmittedRecords } from '../../../../src/connect/worker/submitted-records.ts'
import { TaskCounters } from '../../../../src/connect/worker/task-metrics.ts'
import { TransformationChain } from '../../../../src/connect/worker/transformation-chain.ts'
import type { UnitEnvironment } from '../../../../src/connect/worker/unit-runner.ts'
import { DEADLINE_MS } from '../../../services/deadline.ts'

class Batch implements SentBatch {
  readonly topic = 't'
  readonly partition = 0
  state: 'pending' | 'acked' | 'failed' = 'pending'
  error: Error | undefined
  baseOffset = -1
  recordCount = 0
  readonly values: string[] = []
  readonly #ended = Promise.withResolvers<void>()
  readonly done = this.#ended.promise

  end(error?: Error, baseOffset = 0): void {
    this.state = error ? 'failed' : 'acked'
    this.error = error
    this.baseOffset = baseOffset
    this.#ended.resolve()
  }
}

/** A producer whose batches hold two records and end when the test says so, or at once. */
class FakeProducer implements LogProducer {
  readonly batches: Batch[] = []
  autoAck = true
  onBatchDone: (batch: SentBatch) => void = () => {}
  refuse: string | undefined
  #acked = 0

  ready = () => undefined

  append({ value }: OutgoingRecord): SentBatch {
    const text = Buffer.from(value ?? '').toString()
    if (text === this.refuse) throw Object.assign(new Error('too large'), { code: 'MESSAGE_TOO_LARGE' })
    let batch = this.batches.at(-1)
    if (!batch || batch.state !== 'pending' || batch.recordCount === 2) {
      batch = new Batch()
      this.batches.push(batch)
      const opened = batch
      if (this.autoAck) queueMicrotask(() => this.ack(opened))
    }
    batch.recordCount++
    batch.values.push(text)
    return batch
  }

  ack(batch: Batch): void {
    batch.end(undefined, this.#acked)
    this.#acked += batch.recordCount
    this.onBatchDone(batch)
  }

  fail(batch: Batch): void {
    batch.end(new Error('the log said no'))
    this.onBatchDone(batch)
  }

  async flush(): Promise<void> {
    await Promise.all(this.batches.map((batch) => batch.done))
  }
  close = () => Promise.resolve()
}

const text: Converter = {
  fromConnectData: (_topic, _schema, value) => (value === null ? null : Buffer.from(value as string)),
  toConnectData: () => ({ schema: null, value: null }),
}

function record(value: number): SourceRecord {
  const rest = { key: null, keySchema: null, valueSchema: null, headers: [], timestamp: null, partition: null }
  return { ...rest, topic: 't', value: String(value), sourcePartition: { p: 1 }, sourceOffset: { next: value } }
}

const runners: SourceTaskRunner[] = []

afterEach(async () => {
  await Promise.all(runners.splice(0).map((runner) => runner.stop(500)))
})

interface Options {
  readonly tolerance?: 'none' | 'all'
  readonly flushIntervalMs?: number
  readonly failWrites?: number
}

function start(task: SourceTask, options: Options = {}) {
  const { tolerance = 'none', flushIntervalMs = 60_000 } = options
  const producer = new FakeProducer()
  const committed: number[] = []
  const states: string[] = []
  let trace = ''
  let failWrites = options.failWrites ?? 0
  const counters = new TaskCounters(0)
  const errors = new ErrorOperator({
    settings: { retryTimeoutMs: 0, retryDelayMaxMs: 1000, tolerance },
    reporters: [],
    counters: counters.error,
    clock: realClock,
    random: seededRandom(1),
    signal: new AbortController().signal,
  })
  const yieldLoop = () =>
    new Promise<void>((resolve) => {
      setImmediate(resolve)
    })
  const runner = new SourceTaskRunner({
    id: { connector: 'c', task: 0 },
    target: 'STARTED',
    environment: {
      clock: realClock,
      logger: silentLogger,
      offsetsTopic: null,
      yieldLoop,
    } as unknown as UnitEnvironment,
    events: {
      onState: (state, detail) => {
        states.push(detail.finished ? 'FINISHED' : state)
        trace = detail.trace ?? trace
      },
      onTopicUsed: () => {},
    },
    counters,
    version: '1',
    tolerates: (batch) => {
      const about = { stage: 'KAFKA_PRODUCE' as const, className: 'P', consumed: null, source: null }
      return errors.tolerateProduceFailure(about, batch.error, batch.recordCount)
    },
    open: (hooks) => {
      producer.onBatchDone = hooks.onBatchDone
      const submitted = new SubmittedRecords({ passFailed: tolerance === 'all' })
      const inFlight = task.commitRecord ? [] : null
      const converters = {
        key: text,
        value: text,
        header: {} as HeaderConverter,
        keyClass: 'K',
        valueClass: 'V',
        headerClass: 'H',
      }
      const chain = new TransformationChain<SourceRecord>([])
      const { onTopicUsed } = hooks
      return Promise.resolve({
        task,
        pipeline: new SourcePipeline({
          chain,
          converters,
          producer,
          submitted,
          errors,
          topics: null,
          counters,
          onTopicUsed,
          inFlight,
        }),
        committer: new OffsetCommitter({
          submitted,
          write: (offsets) => {
            if (failWrites-- > 0) return Promise.reject(new Error('the store is away'))
            committed.push(...offsets.map(({ sourceOffset }) => Number(sourceOffset['next'])))
            return Promise.resolve()
          },
          timeoutMs: DEADLINE_MS,
          clock: realClock,
          logger: silentLogger,
          counters,
        }),
        producer,
        admin: null,
        inFlight,
        flushIntervalMs,
        flushTimeoutMs: 100,
        shutdownTimeoutMs: 500,
        closePlugins: () => {},
      })
    },
  })
  runners.push(runner)
  void runner.run()
  return { producer, runner, states, committed, counters, trace: () => trace }
}

async function until(condition: () => boolean): Promise<void> {
  for (const deadline = realClock.monotonicMs() + DEADLINE_MS; !condition(); ) {
    if (realClock.monotonicMs() > deadline) throw new Error('waited in vain')
    await new Promise<void>((resolve) => {
      realClock.setTimer(1, resolve)
    })
  }
}

/** Gives these results in turn, then waits for the signal. */
function polling(...results: (PollResult | Error)[]): (signal: AbortSignal) => Promise<PollResult> {
  return async (signal) => {
    const next = results.shift()
    if (next instanceof Error) throw next
    if (next !== undefined) return next
    if (!signal.aborted) {
      await new Promise<void>((resolve) => {
        signal.addEventListener('abort', () => resolve(), { once: true })
      })
    }
    return null
  }
}

describe('a source task', () => {
  it('commits at its end everything that was acknowledged, also bare positions', async () => {
    const position = { topic: null, sourcePartition: { p: 1 }, sourceOffset: { next: 9 } } as const
    const { producer, runner, committed } = start({ poll: polling([record(1), record(2), record(3)], [position]) })
    await until(() => producer.batches.length === 2)
    expect(await runner.stop(DEADLINE_MS)).toBe(true)
    expect(committed).toEqual([9])
  })

  it('commits no offset beyond a record that is not acknowledged', async () => {
    const { producer, runner, committed } = start({ poll: polling([1, 2, 3, 4].map(record)) })
    producer.autoAck = false
    await until(() => producer.batches.length === 2)
    producer.ack(producer.batches[0]!)
    await runner.stop(DEADLINE_MS)
    expect(committed).toEqual([2])
  })

  it('fails when the log refuses a batch, and leaves its offset alone', async () => {
    const { producer, states, trace, committed } = start({ poll: polling([1, 2, 3].map(record)) })
    producer.autoAck = false
    await until(() => producer.batches.length === 2)
    producer.ack(producer.batches[0]!)
    producer.fail(producer.batches[1]!)
    await until(() => states.includes('FAILED'))
    expect(trace()).toContain('the log said no')
    expect(committed).toEqual([2])
  })

  it('calls commitRecord for no record of a batch that the log refuses, nor for what came after it', async () => {
    const seen: string[] = []
    const commitRecord = ({ value }: SourceRecord) => void seen.push(String(value))
    const { producer, states } = start({ poll: polling([1, 2, 3, 4, 5].map(record)), commitRecord })
    producer.autoAck = false
    await until(() => producer.batches.length === 3)
    producer.ack(producer.batches[0]!)
    producer.fail(producer.batches[1]!)
    producer.ack(producer.batches[2]!)
    await until(() => states.includes('FAILED'))
    expect(seen).toEqual(['1', '2'])
  })

  it('passes what the log refuses with errors.tolerance=all, and counts it', async () => {
    const { producer, runner, states, committed, counters } = start(
      { poll: polling([1, 2, 3].map(record)) },
      { tolerance: 'all' },
    )
    producer.autoAck = false
    await until(() => producer.batches.length === 2)
    producer.fail(producer.batches[0]!)
    producer.ack(producer.batches[1]!)
    await runner.stop(DEADLINE_MS)
    expect(states).toEqual(['RUNNING'])
    expect(committed).toEqual([3])
    expect(counters.error.skipped).toBe(2)
  })

  it('skips a record that is too large with errors.tolerance=all, and fails with none', async () => {
    const results = [record(1), record(2), record(3)]
    const tolerant = start({ poll: polling(results) }, { tolerance: 'all' })
    tolerant.producer.refuse = '2'
    await until(() => tolerant.producer.batches.flatMap(({ values }) => values).length === 2)
    expect(tolerant.producer.batches.flatMap(({ values }) => values)).toEqual(['1', '3'])
    expect(tolerant.counters.error.skipped).toBe(1)
    const failing = start({ poll: polling(results) })
    failing.producer.refuse = '2'
    await until(() => failing.states.includes('FAILED'))
    expect(failing.trace()).toContain('too large')
  })

  it('keeps offsets that could not be written for the next commit, and tells the plugin only what is durable', async () => {
    const told: CommittedOffset[] = []
    const commit = (offsets: readonly CommittedOffset[]) => void told.push(...offsets)
    const { committed, counters } = start({ poll: polling([record(1)]), commit }, { flushIntervalMs: 5, failWrites: 2 })
    await until(() => told.length > 0)
    expect(counters.commitFailures).toBe(2)
    expect(committed).toEqual([1])
    expect(told).toEqual([{ sourcePartition: { p: 1 }, sourceOffset: { next: 1 } }])
  })

  it('calls commitRecord for each record in order, with where it is', async () => {
    const seen: [string, RecordMetadata | null][] = []
    const commitRecord = (committed: SourceRecord, metadata: RecordMetadata | null) =>
      void seen.push([String(committed.value), metadata])
    start({ poll: polling([1, 2, 3].map(record)), commitRecord })
    await until(() => seen.length === 3)
    expect(seen).toEqual([
      ['1', { topic: 't', partition: 0, offset: 0 }],
      ['2', { topic: 't', partition: 0, offset: 1 }],
      ['3', { topic: 't', partition: 0, offset: 2 }],
    ])
  })

  it('never overlaps its calls', async () => {
    let inside = 0
    let overlaps = 0
    const guarded = async () => {
      if (inside++ > 0) overlaps++
      await new Promise<void>((resolve) => {
        setImmediate(resolve)
      })
      inside--
    }
    let polls = 0
    const { runner } = start(
      {
        poll: async () => {
          await guarded()
          polls++
          return [record(polls)]
        },
        commit: guarded,
        commitRecord: guarded,
      },
      { flushIntervalMs: 1 },
    )
    await until(() => polls > 100)
    await runner.stop(DEADLINE_MS)
    expect(overlaps).toBe(0)
  })

  it('polls again after a RetriableError and fails after any other', async () => {
    const retried = start({ poll: polling(new RetriableError('busy', { retryAfterMs: 1 }), [record(1)]) })
    await until(() => retried.producer.batches.length === 1)
    expect(retried.states).toEqual(['RUNNING'])
    const failed = start({ poll: polling(new TypeError('broken')) })
    await until(() => failed.states.includes('FAILED'))
    expect(failed.trace()).toMatch(/^TypeError: broken\n/)
  })

  it('ends in good order when the source has reached its end', async () => {
    let stopped = false
    const stop = () => {
      stopped = true
    }
    const { states, committed, counters } = start({ poll: polling([record(1), record(2)], FINISHED), stop })
    await until(() => states.includes('FINISHED'))
    expect(states).toEqual(['RUNNING', 'FINISHED'])
    expect(committed).toEqual([2])
    expect(stopped).toBe(true)
    expect(counters.recordsOut).toBe(2)
  })

  it('is paused in the middle of a poll that waits for data', async () => {
    const { runner, states } = start({ poll: polling() })
    await until(() => states.includes('RUNNING'))
    runner.setTarget('PAUSED')
    await until(() => states.includes('PAUSED'))
    runner.setTarget('STARTED')
    await until(() => states.length === 3)
    expect(states).toEqual(['RUNNING', 'PAUSED', 'RUNNING'])
  })

  it('calls stop into a poll that ignores its signal, and is cut off when that does not help', async () => {
    const calls: string[] = []
    let release: () => void = () => {}
    const waiting = (): Promise<PollResult> =>
      new Promise((resolve) => {
        release = () => resolve(null)
      })
    const helped = start({
      poll: waiting,
      stop: () => {
        calls.push('stop')
        release()
      },
    })
    await until(() => helped.states.includes('RUNNING'))
    expect(await helped.runner.stop(DEADLINE_MS)).toBe(true)
    expect(calls).toEqual(['stop'])
    const hung = start({ poll: () => new Promise<PollResult>(() => {}) })
    await until(() => hung.states.includes('RUNNING'))
    expect(await hung.runner.stop(50)).toBe(false)
  })
})
