import { expect, test } from 'vitest'
import type { LogConfig } from '../../../src/log/index.ts'
import { append, batchOf, LogBench } from './log-fixture.ts'

const CONFIG: Partial<LogConfig> = { flush: 'os', indexIntervalBytes: 150, segmentBytes: 600 }
const T = 1_700_000_000_000

test('the first record at or after a time is found, with the epoch that wrote it', () => {
  const log = new LogBench().open(CONFIG)
  for (let i = 0; i < 20; i++)
    append(log, batchOf(['a', 'b', 'c'], { timestamp: T + i * 10, codec: i % 2 ? 'gzip' : 'none' }), i < 10 ? 3 : 5)
  expect(log.offsetForTimestamp(0)).toEqual({ offset: 0, timestamp: T, leaderEpoch: 3 })
  expect(log.offsetForTimestamp(T + 41)).toEqual({ offset: 13, timestamp: T + 41, leaderEpoch: 3 })
  expect(log.offsetForTimestamp(T + 43)).toEqual({ offset: 15, timestamp: T + 50, leaderEpoch: 3 })
  expect(log.offsetForTimestamp(T + 150)).toEqual({ offset: 45, timestamp: T + 150, leaderEpoch: 5 })
  expect(log.offsetForTimestamp(T + 193)).toBeUndefined()
})

test('times that go back do not hide earlier records', () => {
  const log = new LogBench().open(CONFIG)
  const times = [50, 10, 90, 20, 80, 30, 95, 1, 2, 3]
  for (const time of times) append(log, batchOf(['x'], { timestamp: T + time }))
  for (let t = 0; t <= 96; t++) {
    const first = times.findIndex((time) => time >= t)
    expect(log.offsetForTimestamp(T + t)?.offset ?? -1).toBe(first)
  }
  expect(log.offsetOfMaxTimestamp()).toMatchObject({ offset: 6, timestamp: T + 95 })
})

test('nothing is found in an empty log, above the high watermark or below the start', async () => {
  const bench = new LogBench()
  const log = bench.open({ ...CONFIG, flush: 'commit' })
  expect(log.offsetForTimestamp(0)).toBeUndefined()
  expect(log.offsetOfMaxTimestamp()).toBeUndefined()
  append(log, batchOf(['a', 'b']))
  expect(log.offsetForTimestamp(0)).toBeUndefined()
  await bench.clock.settle(log.flush())
  log.deleteRecords(1)
  expect(log.offsetForTimestamp(0)!.offset).toBe(1)
})

test('the largest timestamp is that of what readers see', async () => {
  const bench = new LogBench()
  const log = bench.open({ ...CONFIG, flush: 'commit' })
  for (let i = 0; i < 10; i++) append(log, batchOf(['x'], { timestamp: T + i }))
  await bench.clock.settle(log.flush())
  for (let i = 10; i < 20; i++) append(log, batchOf(['x'], { timestamp: T + i }))
  expect(log.offsetOfMaxTimestamp()).toMatchObject({ offset: 9, timestamp: T + 9 })
  await bench.clock.settle(log.flush())
  expect(log.offsetOfMaxTimestamp()).toMatchObject({ offset: 19, timestamp: T + 19 })
})

test('records without a time are found by none', () => {
  const log = new LogBench().open(CONFIG)
  append(log, batchOf(['x'], { timestamp: -1 }))
  expect(log.offsetForTimestamp(0)).toBeUndefined()
})

test('an epoch ends where the next one starts', () => {
  const log = new LogBench().open(CONFIG)
  append(log, batchOf(['a', 'b']), 1)
  append(log, batchOf(['c']), 4)
  append(log, batchOf(['d']), 4)
  expect(log.latestEpoch).toBe(4)
  expect(log.endOffsetForEpoch(0)).toEqual({ leaderEpoch: 0, endOffset: 0 })
  expect(log.endOffsetForEpoch(1)).toEqual({ leaderEpoch: 1, endOffset: 2 })
  expect(log.endOffsetForEpoch(3)).toEqual({ leaderEpoch: 1, endOffset: 2 })
  expect(log.endOffsetForEpoch(4)).toEqual({ leaderEpoch: 4, endOffset: 4 })
  expect(log.endOffsetForEpoch(5)).toEqual({ leaderEpoch: -1, endOffset: -1 })
  expect(log.endOffsetForEpoch(-1)).toEqual({ leaderEpoch: -1, endOffset: -1 })
  expect([log.epochAt(0), log.epochAt(1), log.epochAt(2)]).toEqual([1, 1, 4])
})
