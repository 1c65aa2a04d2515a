import { expect, test } from 'vitest'
import { type Log, type LogConfig } from '../../../src/log/index.ts'
import { append, batchOf, LogBench } from './log-fixture.ts'

const NONE: Partial<LogConfig> = { flush: 'os', retentionMs: Number.POSITIVE_INFINITY, fileDeleteDelayMs: 1000 }

function fill(bench: LogBench, log: Log, count: number): void {
  for (let i = 0; i < count; i++) append(log, batchOf([`value ${i}`], { timestamp: bench.clock.now() }))
}

test('a segment rolls when it is full', () => {
  const bench = new LogBench()
  const log = bench.open({ ...NONE, segmentBytes: 400 })
  fill(bench, log, 20)
  const bases = bench
    .files()
    .filter((name) => name.endsWith('.log'))
    .map((name) => Number(name.slice(0, 20)))
  expect(bases).toEqual([0, 5, 10, 15])
  expect(bench.files()).toContain('00000000000000000005.snapshot')
})

test('a segment rolls after segment.ms of record time', () => {
  const bench = new LogBench()
  const log = bench.open({ ...NONE, segmentMs: 1000, timestampAfterMaxMs: Number.POSITIVE_INFINITY })
  const at = (offsetMs: number) => append(log, batchOf(['x'], { timestamp: bench.clock.now() + offsetMs }))
  at(0)
  at(1000)
  expect(log.segmentCount).toBe(1)
  at(1001)
  expect(log.segmentCount).toBe(2)
})

test('a segment rolls when its index is full', () => {
  const bench = new LogBench()
  const log = bench.open({ ...NONE, segmentIndexBytes: 36, indexIntervalBytes: 1 })
  fill(bench, log, 20)
  expect(log.segmentCount).toBe(4)
})

test('retention by size deletes the oldest segments until the rest fits', async () => {
  const bench = new LogBench()
  const log = bench.open({ ...NONE, segmentBytes: 400, retentionBytes: 900 })
  fill(bench, log, 30)
  expect(log.applyRetention()).toBeGreaterThan(0)
  expect(log.sizeInBytes).toBeLessThanOrEqual(900 + 400)
  expect(log.sizeInBytes).toBeGreaterThan(900 - 400)
  expect(log.read(0, 100).error).toBe('OFFSET_OUT_OF_RANGE')
  expect(log.read(log.logStartOffset, 100).error).toBeUndefined()
  expect(bench.startsMoved).toBe(1)
  expect(bench.files().some((name) => name.endsWith('.deleted'))).toBe(true)
  await bench.clock.advance(1000)
  expect(bench.files().some((name) => name.endsWith('.deleted'))).toBe(false)
  expect(bench.files().some((name) => name.startsWith('00000000000000000000.'))).toBe(false)
})

test('retention by time deletes what is old and rolls the newest segment when it is old too', async () => {
  const bench = new LogBench()
  const log = bench.open({ ...NONE, segmentBytes: 400, retentionMs: 10_000 })
  fill(bench, log, 10)
  await bench.clock.advance(6000)
  fill(bench, log, 10)
  expect(log.applyRetention()).toBe(0)
  await bench.clock.advance(6000)
  log.applyRetention()
  expect(log.logStartOffset).toBe(10)
  await bench.clock.advance(20_000)
  log.applyRetention()
  expect([log.logStartOffset, log.logEndOffset, log.segmentCount]).toEqual([20, 20, 1])
  expect(append(log, batchOf(['next'], { timestamp: bench.clock.now() }))).toBe(20)
})

test('nothing above the high watermark is deleted', async () => {
  const bench = new LogBench()
  const log = bench.open({ ...NONE, flush: 'commit', segmentBytes: 400, retentionBytes: 0 })
  fill(bench, log, 20)
  expect(log.applyRetention()).toBe(0)
  await bench.clock.settle(log.flush())
  expect(log.applyRetention()).toBeGreaterThan(0)
})

test('a compacted topic is not touched by retention', () => {
  const bench = new LogBench()
  const log = bench.open({ ...NONE, cleanupPolicy: ['compact'], segmentBytes: 400, retentionBytes: 0 })
  for (let i = 0; i < 20; i++) append(log, batchOf(['v'], { key: `k${i}`, timestamp: bench.clock.now() }))
  expect(log.applyRetention()).toBe(0)
  expect(log.deleteRecords(5)).toMatchObject({ error: 'POLICY_VIOLATION' })
  expect(log.deleteRecords(5, { origin: 'coordinator' })).toEqual({ error: undefined, lowWatermark: 5 })
})

test('deleteRecords moves the start, also into the middle of a batch, and deletes whole segments', async () => {
  const bench = new LogBench()
  const log = bench.open({ ...NONE, segmentBytes: 400 })
  for (let i = 0; i < 10; i++) append(log, batchOf(['a', 'b', 'c'], { timestamp: bench.clock.now() }))
  expect(log.deleteRecords(13)).toEqual({ error: undefined, lowWatermark: 13 })
  expect(log.read(12, 1000).error).toBe('OFFSET_OUT_OF_RANGE')
  expect(log.read(13, 1000).error).toBeUndefined()
  expect(log.deleteRecords(5)).toEqual({ error: undefined, lowWatermark: 13 })
  expect(log.deleteRecords(31)).toMatchObject({ error: 'OFFSET_OUT_OF_RANGE' })
  expect(log.deleteRecords(-1)).toEqual({ error: undefined, lowWatermark: 30 })
  expect(bench.startsMoved).toBe(2)
  await bench.close(log)
  const again = bench.open(NONE, { cleanShutdown: true, logStartOffset: 30 })
  expect([again.logStartOffset, again.logEndOffset]).toEqual([30, 30])
})
