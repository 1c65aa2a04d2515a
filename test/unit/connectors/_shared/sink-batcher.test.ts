import { ConnectError, DataError, RetriableError } from '@millrace/sdk'
import { expect, test } from 'vitest'
import { dataFault, fatal, retriable } from '../../../../connectors/_shared/retry/index.ts'
import {
  type Batch,
  SinkBatcher,
  type SinkBatcherOptions,
  type WriteOutcome,
} from '../../../../connectors/_shared/sink-batcher/index.ts'
import { JumpingClock, sinkRecord } from './sink-world.ts'

type Answer = WriteOutcome | Error | undefined

interface Call {
  readonly values: readonly unknown[]
  readonly target: string
  readonly signal: AbortSignal
  answer(answer?: Answer): void
}

function setUp(options: Partial<SinkBatcherOptions<unknown>> = {}, hasReporter = true) {
  const clock = new JumpingClock()
  const calls: Call[] = []
  const reported: { offset: number; message: string }[] = []
  let commitsRequested = 0
  const batcher = new SinkBatcher<unknown>({
    context: {
      errantRecordReporter: hasReporter
        ? {
            async report(record, error) {
              reported.push({ offset: record.originalOffset, message: error.message })
            },
          }
        : null,
      requestCommit: () => commitsRequested++,
    },
    clock,
    random: () => 1,
    convert: (record) => ({ key: record.key as string, bytes: 1, data: record.value }),
    write: ({ items, target }: Batch<unknown>, signal) =>
      new Promise((resolve, reject) => {
        const answer = (given?: Answer) => (given instanceof Error ? reject(given) : resolve(given))
        calls.push({ values: items.map(({ data }) => data), target, signal, answer })
      }),
    classify: (error) => (error instanceof TypeError ? dataFault(error) : fatal(error)),
    ...options,
  })
  return { clock, calls, reported, batcher, commitsRequested: () => commitsRequested }
}

const p0 = { topic: 't', partition: 0 }
const record = (offset: number, key = 'k', partition = 0) => sinkRecord('t', partition, offset, key, `${key}${offset}`)
const settled = () => new Promise((resolve) => setImmediate(resolve))

test('a request is sent when it is full, or when its first record has waited', async () => {
  const { batcher, calls, clock } = setUp({ limits: { batchRecords: 2, lingerMs: 10, maxInFlight: 1 } })
  await batcher.put([record(0), record(1), record(2)])
  expect(calls.map(({ values }) => values)).toEqual([['k0', 'k1']])
  calls[0]!.answer()
  await clock.advance(9)
  expect(calls).toHaveLength(1)
  await clock.advance(1)
  expect(calls[1]!.values).toEqual(['k2'])
})

test('a request has no more bytes than it may, but for one record that is larger by itself', async () => {
  const { batcher, calls } = setUp({
    limits: { batchBytes: 10, lingerMs: 0, maxInFlight: 4 },
    convert: ({ value }) => ({ bytes: Number(value), data: value }),
  })
  await batcher.put([4, 4, 4, 30, 1].map((size, offset) => sinkRecord('t', 0, offset, 'k', size)))
  void batcher.preCommit([{ ...p0, offset: 5 }])
  expect(calls.map(({ values }) => values)).toEqual([[4, 4], [4], [30], [1]])
})

test('targets have requests of their own', async () => {
  const { batcher, calls } = setUp({
    convert: (r) => ({ target: r.key as string, bytes: 1, data: r.value }),
  })
  await batcher.put([record(0, 'a'), record(1, 'b'), record(2, 'a')])
  void batcher.preCommit([{ ...p0, offset: 3 }])
  expect(calls.map(({ target, values }) => [target, values])).toEqual([
    ['a', ['a0', 'a2']],
    ['b', ['b1']],
  ])
})

test('put waits while the buffer is full, and goes on when there is room', async () => {
  const { batcher, calls } = setUp({ limits: { bufferRecords: 2, batchRecords: 1, maxInFlight: 1 } })
  let isTaken = false
  const putting = batcher.put([record(0), record(1), record(2)]).then(() => (isTaken = true))
  await settled()
  expect(isTaken).toBe(false)
  expect(batcher.pendingRecords).toBe(2)
  calls[0]!.answer()
  await putting
})

test('put fails when the target makes no room for too long', async () => {
  const { batcher, clock } = setUp({ limits: { bufferRecords: 1, batchRecords: 1, maxInFlight: 1 }, putTimeoutMs: 700 })
  await expect(clock.run(batcher.put([record(0), record(1)]))).rejects.toThrow('the target took nothing for 700 ms')
})

test('preCommit gives what is delivered in a row, by the coordinates of the log', async () => {
  const { batcher, calls, clock } = setUp({
    limits: { batchRecords: 1, maxInFlight: 3 },
    convert: ({ value }) => ({ bytes: 1, data: value }),
  })
  await batcher.put([record(5, 'a'), record(6, 'b'), record(7, 'c')])
  calls.find(({ values }) => values[0] === 'a5')!.answer()
  calls.find(({ values }) => values[0] === 'c7')!.answer()
  const none = { topic: 't', partition: 9, offset: 40 }
  const committed = await clock.run(batcher.preCommit([{ ...p0, offset: 8 }, none]))
  expect(committed).toEqual([{ ...p0, offset: 6 }, none])
})

test('a retriable failure sends the same request again, no sooner than asked for', async () => {
  const { batcher, calls, clock } = setUp({ limits: { batchRecords: 2, maxInFlight: 1 } })
  await batcher.put([record(0), record(1)])
  calls[0]!.answer(new RetriableError('too many requests', { retryAfterMs: 2500 }))
  const committing = batcher.preCommit([{ ...p0, offset: 2 }])
  await clock.advance(2499)
  expect(calls).toHaveLength(1)
  await clock.advance(1)
  expect(calls[1]!.values).toEqual(['k0', 'k1'])
  calls[1]!.answer()
  expect(await committing).toEqual([{ ...p0, offset: 2 }])
})

test('after its retries a failure ends the task; what was delivered before is committed', async () => {
  const { batcher, calls, clock, commitsRequested } = setUp({
    limits: { batchRecords: 1, maxInFlight: 1, retry: { maxRetries: 1, backoffMs: 1, maxBackoffMs: 1 } },
  })
  await batcher.put([record(0), record(1)])
  calls[0]!.answer()
  await settled()
  calls[1]!.answer(new RetriableError('away'))
  const committing = batcher.preCommit([{ ...p0, offset: 2 }])
  await clock.advance(1)
  calls[2]!.answer(new RetriableError('still away'))
  expect(await committing).toEqual([{ ...p0, offset: 1 }])
  expect(commitsRequested()).toBe(1)
  await expect(batcher.put([])).rejects.toThrow('a write failed and so did 1 retries: still away')
})

test('a failure that is nobody’s fault but the target’s ends the task and reports no record', async () => {
  const { batcher, calls, reported } = setUp({ limits: { batchRecords: 2, maxInFlight: 1 } })
  await batcher.put([record(0), record(1)])
  calls[0]!.answer(new Error('no permission'))
  await settled()
  await expect(batcher.put([record(2)])).rejects.toThrow('a write failed: no permission')
  expect(reported).toEqual([])
})

test('a write whose bad record nobody takes ends the task with the error of the record', async () => {
  const { batcher, calls } = setUp({ limits: { batchRecords: 2, maxInFlight: 1 } })
  await batcher.put([record(0), record(1)])
  const cause = new DataError('the record at 1 cannot be written')
  calls[0]!.answer(new ConnectError('the write was given up', { cause }))
  await settled()
  await expect(batcher.put([record(2)])).rejects.toBe(cause)
})

test('the bad record of a batch is found by halves, in order, and only it is reported', async () => {
  const { batcher, calls, reported } = setUp({ limits: { batchRecords: 5, maxInFlight: 1 } })
  await batcher.put([0, 1, 2, 3, 4].map((offset) => record(offset)))
  const committing = batcher.preCommit([{ ...p0, offset: 5 }])
  for (let at = 0; reported.length === 0 || at < calls.length; await settled()) {
    const call = calls[at]
    if (!call) continue
    call.answer(call.values.includes('k3') ? new TypeError('bad value') : undefined)
    at++
  }
  expect(await committing).toEqual([{ ...p0, offset: 5 }])
  const parts = calls.map(({ values }) => values.join())
  expect(parts).toEqual(['k0,k1,k2,k3,k4', 'k0,k1', 'k2,k3,k4', 'k2', 'k3,k4', 'k3', 'k4'])
  const message = "the record (topic='t',partition=0,offset=3) cannot be written: bad value"
  expect(reported).toEqual([{ offset: 3, message }])
})

test('without a dead letter queue a bad record ends the task, and is not committed', async () => {
  const { batcher, calls, clock } = setUp({ limits: { batchRecords: 1, maxInFlight: 1 } }, false)
  await batcher.put([record(0)])
  calls[0]!.answer(new TypeError('bad value'))
  await settled()
  expect(await clock.run(batcher.preCommit([{ ...p0, offset: 1 }]))).toEqual([{ ...p0, offset: 0 }])
  await expect(batcher.put([])).rejects.toThrow('offset=0) cannot be written: bad value')
})

test('a record that cannot be converted is reported, and its offset waits for the report', async () => {
  const report = Promise.withResolvers<void>()
  const { batcher, clock } = setUp({
    convert: () => {
      throw new DataError('no key')
    },
    reject: () => report.promise,
  })
  await batcher.put([record(0)])
  expect(await clock.run(batcher.preCommit([{ ...p0, offset: 1 }]))).toEqual([{ ...p0, offset: 0 }])
  report.resolve()
  expect(await batcher.preCommit([{ ...p0, offset: 1 }])).toEqual([{ ...p0, offset: 1 }])
})

test('a retriable error of a conversion brings the batch again: only the second way of its records counts', async () => {
  let isAway = true
  const { batcher, calls } = setUp({
    limits: { maxInFlight: 1, lingerMs: 0 },
    convert: async (r) => {
      if (isAway && r.originalOffset === 1) throw new RetriableError('the mapping cannot be made now')
      return { bytes: 1, data: r.value }
    },
  })
  await expect(batcher.put([record(0), record(1)])).rejects.toThrow('the mapping cannot be made now')
  isAway = false
  await batcher.put([record(0), record(1)])
  const committing = batcher.preCommit([{ ...p0, offset: 2 }])
  await settled()
  expect(calls.map(({ values }) => values)).toEqual([['k0', 'k0', 'k1']])
  calls[0]!.answer()
  expect(await committing).toEqual([{ ...p0, offset: 2 }])
})

test('a write that is repeated is followed by what came behind it on the same key', async () => {
  const { batcher, calls, clock } = setUp({ limits: { batchRecords: 4, maxInFlight: 1 } })
  await batcher.put([record(0, 'a'), record(1, 'b'), record(2, 'a'), record(3, 'b')])
  calls[0]!.answer({ failures: [{ index: 0, failure: retriable(new Error('busy')) }] })
  await clock.advance(100)
  expect(calls[1]!.values).toEqual(['a0', 'a2'])
  calls[1]!.answer()
})

test('what a bulk did not attempt comes again at once', async () => {
  const { batcher, calls, clock, reported } = setUp({ limits: { batchRecords: 3, maxInFlight: 1 } })
  await batcher.put([record(0), record(1), record(2)])
  calls[0]!.answer({ failures: [{ index: 1, failure: dataFault(new Error('bad')) }], attempted: 2 })
  await settled()
  expect(calls[1]!.values).toEqual(['k2'])
  expect(clock.nowMs()).toBe(0)
  expect(reported.map(({ offset }) => offset)).toEqual([1])
  calls[1]!.answer()
})

test('close lets go what is not sent, waits for what is, and leaves other partitions alone', async () => {
  const { batcher, calls, clock } = setUp({ limits: { batchRecords: 2, maxInFlight: 1 } })
  await batcher.put([record(0), record(1), record(2), record(0, 'x', 1)])
  const closing = batcher.close([p0])
  await settled()
  calls[0]!.answer()
  await closing
  await clock.advance(100)
  expect(calls.map(({ values }) => values)).toEqual([['k0', 'k1'], ['x0']])
  expect(batcher.pendingRecords).toBe(1)
  calls[1]!.answer()
})

test('close calls back a request that takes too long, and its other records are written again', async () => {
  const { batcher, calls, clock } = setUp({ limits: { batchRecords: 2, maxInFlight: 1 } })
  await batcher.put([record(0), record(0, 'x', 1)])
  const closing = batcher.close([p0])
  await clock.advance(999)
  expect(calls[0]!.signal.aborted).toBe(false)
  await clock.advance(1)
  expect(calls[0]!.signal.aborted).toBe(true)
  calls[0]!.answer(new Error('aborted'))
  await closing
  await clock.advance(100)
  expect(calls[1]!.values).toEqual(['x0'])
  calls[1]!.answer()
})

test('stop calls back what is on its way, and nothing is sent after it', async () => {
  const { batcher, calls } = setUp({ limits: { batchRecords: 1, maxInFlight: 1 } })
  await batcher.put([record(0), record(1)])
  const stopping = batcher.stop()
  expect(calls[0]!.signal.aborted).toBe(true)
  calls[0]!.answer()
  await stopping
  expect(calls).toHaveLength(1)
  await expect(batcher.put([record(2)])).rejects.toThrow('the task has stopped')
})

test('records from before of what is on its way count anew, as when a topic was made again', async () => {
  const { batcher, calls } = setUp({ limits: { batchRecords: 1, maxInFlight: 1 } })
  await batcher.put([record(100)])
  await batcher.put([record(0), record(1)])
  const committing = batcher.preCommit([{ ...p0, offset: 2 }])
  await settled()
  calls[0]!.answer(new Error('no permission'))
  expect(await committing).toEqual([{ ...p0, offset: 0 }])
})

test('what is delivered but held back by one before it counts as memory too', async () => {
  const { batcher, calls } = setUp({
    limits: { bufferRecords: 3, batchRecords: 1, maxInFlight: 2 },
    convert: ({ value }) => ({ bytes: 1, data: value }),
  })
  const putting = batcher.put([0, 1, 2, 3].map((offset) => record(offset)))
  for (const place of [1, 2]) {
    await settled()
    calls[place]!.answer()
  }
  await settled()
  expect(batcher.pendingRecords).toBe(1)
  expect(calls).toHaveLength(3)
  calls[0]!.answer()
  await putting
})
