import { expect, test } from 'vitest'
import { CommitSyncer } from '../../../src/log/index.ts'
import { drain } from '../../simulation/sim-clock.ts'
import { append, batchOf, LogBench } from './log-fixture.ts'

test('with flush commit, readers and acknowledgements wait for the sync', async () => {
  const bench = new LogBench()
  const log = bench.open({ flush: 'commit' })
  append(log, batchOf(['a']))
  expect(log.highWatermark).toBe(0)
  expect(log.read(0, 100).records).toHaveLength(0)
  expect(log.read(0, 100, { upTo: 'logEnd' }).records.length).toBeGreaterThan(0)
  const committed = log.whenCommitted(1)
  expect(committed).toBeInstanceOf(Promise)
  await bench.clock.settle(committed!)
  expect(log.highWatermark).toBe(1)
  expect(log.recoveryPoint).toBe(1)
  expect(log.whenCommitted(1)).toBeUndefined()
})

test('many appends share one sync and one promise', async () => {
  const bench = new LogBench()
  const log = bench.open({ flush: 'commit' })
  await bench.clock.settle(log.flush())
  append(log, batchOf(['warm']))
  await bench.clock.settle(log.whenCommitted(1)!)
  const before = bench.disk.syncs
  const promises = new Set(
    Array.from({ length: 100 }, (_, i) => {
      append(log, batchOf([`${i}`]))
      return log.whenCommitted(log.logEndOffset)
    }),
  )
  expect(promises.size).toBe(1)
  await bench.clock.settle([...promises][0]!)
  expect(bench.disk.syncs - before).toBe(1)
  expect(log.highWatermark).toBe(101)
})

test('appends during a sync are covered by the next one', async () => {
  const bench = new LogBench()
  const log = bench.open({ flush: 'commit' })
  append(log, batchOf(['a']))
  const first = log.whenCommitted(1)!
  await Promise.resolve()
  append(log, batchOf(['b']))
  const second = log.whenCommitted(2)!
  expect(second).not.toBe(first)
  await bench.clock.settle(second)
  expect(log.highWatermark).toBe(2)
})

test('with flush os, everything is visible and acknowledged at once', () => {
  const log = new LogBench().open({ flush: 'os' })
  append(log, batchOf(['a']))
  expect(log.highWatermark).toBe(1)
  expect(log.whenCommitted(1)).toBeUndefined()
  expect(log.recoveryPoint).toBe(0)
})

test('flush.messages makes acknowledgements wait for the sync that it asks for', async () => {
  const bench = new LogBench()
  const log = bench.open({ flush: 'os', flushMessages: 3 })
  append(log, batchOf(['a', 'b']))
  expect(log.whenCommitted(2)).toBeUndefined()
  append(log, batchOf(['c']))
  await bench.clock.settle(log.whenCommitted(3)!)
  expect(log.recoveryPoint).toBe(3)
})

test('flush.ms syncs after that time', async () => {
  const bench = new LogBench()
  const log = bench.open({ flush: 'os', flushMs: 500 })
  append(log, batchOf(['a']))
  await bench.clock.advance(450)
  expect(log.recoveryPoint).toBe(0)
  await bench.clock.advance(100)
  expect(log.recoveryPoint).toBe(1)
})

test('a listener hears of every move of the high watermark until it leaves', async () => {
  const bench = new LogBench()
  const log = bench.open({ flush: 'commit' })
  const seen: number[] = []
  const leave = log.onAdvance(() => seen.push(log.highWatermark))
  append(log, batchOf(['a']))
  await bench.clock.settle(log.flush())
  append(log, batchOf(['b']))
  await bench.clock.settle(log.flush())
  leave()
  append(log, batchOf(['c']))
  await bench.clock.settle(log.flush())
  expect(seen).toEqual([1, 2])
})

test('after a failed sync nothing is acknowledged or appended any more', async () => {
  const bench = new LogBench()
  const log = bench.open({ flush: 'commit' })
  append(log, batchOf(['a']))
  bench.disk.faults.syncError = 1
  await expect(bench.clock.settle(log.whenCommitted(1)!)).rejects.toMatchObject({ code: 'LOG_STORAGE_FAILED' })
  expect(log.append(batchOf(['b']), { leaderEpoch: 0 }).error).toBe('KAFKA_STORAGE_ERROR')
  await expect(log.whenCommitted(1)).rejects.toMatchObject({ code: 'LOG_STORAGE_FAILED' })
  expect(log.highWatermark).toBe(0)
})

test('a full disk refuses the append, and the next one goes where it would have gone', () => {
  const bench = new LogBench()
  const log = bench.open({ flush: 'os' })
  append(log, batchOf(['a']))
  bench.disk.faults.writeError = 1
  expect(log.append(batchOf(['b']), { leaderEpoch: 0 }).error).toBe('KAFKA_STORAGE_ERROR')
  bench.disk.faults.writeError = 0
  expect(append(log, batchOf(['c']))).toBe(1)
  expect(log.failure).toBeUndefined()
})

test('a log that is given up during a sync tells those who wait', async () => {
  const bench = new LogBench()
  const log = bench.open({ flush: 'commit' })
  append(log, batchOf(['a']))
  const committed = log.whenCommitted(1)!
  await Promise.resolve()
  const abandoned = log.abandon()
  await expect(committed).rejects.toMatchObject({ code: 'LOG_CLOSED' })
  await bench.clock.settle(abandoned)
  expect(log.highWatermark).toBe(0)
  expect(log.append(batchOf(['b']), { leaderEpoch: 0 }).error).toBe('KAFKA_STORAGE_ERROR')
})

test('close waits for what was appended and takes nothing more', async () => {
  const bench = new LogBench()
  const log = bench.open({ flush: 'commit' })
  append(log, batchOf(['a']))
  const closed = log.close()
  expect(log.append(batchOf(['b']), { leaderEpoch: 0 }).error).toBe('KAFKA_STORAGE_ERROR')
  await bench.clock.settle(closed)
  expect(bench.open({}, { cleanShutdown: true }).logEndOffset).toBe(1)
})

test('no more syncs run at once than allowed, and every log gets its turn', async () => {
  const syncer = new CommitSyncer(2)
  let running = 0
  let most = 0
  const finish: (() => void)[] = []
  const served: number[] = []
  const logs = Array.from({ length: 6 }, (_, i) => ({
    syncOnce: async () => {
      most = Math.max(most, ++running)
      await new Promise<void>((resolve) => finish.push(resolve))
      running--
      served.push(i)
    },
  }))
  for (const log of logs) syncer.request(log)
  syncer.request(logs[0]!)
  while (served.length < 6) {
    await drain()
    finish.shift()!()
    await drain()
  }
  expect(most).toBe(2)
  expect(served).toEqual([0, 1, 2, 3, 4, 5])
})

test('changing the policy to os shows what waits for a sync', () => {
  const bench = new LogBench()
  const log = bench.open({ flush: 'commit' })
  append(log, batchOf(['a']))
  log.updateConfig({ ...log.config, flush: 'os' })
  expect(log.highWatermark).toBe(1)
})
