import { describe, expect, test } from 'vitest'
import type { LogConfig } from '../../../src/log/index.ts'
import { decodeBatch, decodeRecords, iterateBatches, peekBatchHeader } from '../../../src/record/index.ts'
import { append, batchOf, LogBench } from './log-fixture.ts'

const OS: Partial<LogConfig> = { flush: 'os' }
const text = (records: Buffer): string[] => decodeRecords(records).map(({ value }) => value!.toString())

describe('append', () => {
  test('gives offsets in order and writes them and the epoch into the batch', () => {
    const log = new LogBench().open(OS)
    expect(log.append(batchOf(['a', 'b']), { leaderEpoch: 4 })).toMatchObject({
      baseOffset: 0,
      lastOffset: 1,
      duplicate: false,
    })
    const batch = batchOf(['c'])
    expect(log.append(batch, { leaderEpoch: 4 })).toMatchObject({ baseOffset: 2, lastOffset: 2, logAppendTime: -1 })
    expect(peekBatchHeader(batch)).toMatchObject({ baseOffset: 2, partitionLeaderEpoch: 4 })
    expect(log.logEndOffset).toBe(3)
  })

  test('refuses a batch above max.message.bytes or segment.bytes', () => {
    const log = new LogBench().open({ ...OS, maxMessageBytes: 300, segmentBytes: 200 })
    expect(log.append(batchOf(['x'.repeat(300)]), { leaderEpoch: 0 }).error).toBe('MESSAGE_TOO_LARGE')
    expect(log.append(batchOf(['x'.repeat(200)]), { leaderEpoch: 0 }).error).toBe('RECORD_LIST_TOO_LARGE')
    expect(log.logEndOffset).toBe(0)
  })

  test('refuses damaged bytes and leaves the log as it was', () => {
    const log = new LogBench().open(OS)
    const batch = batchOf(['a'])
    batch[65] = batch[65]! ^ 1
    expect(log.append(batch, { leaderEpoch: 0 }).error).toBe('CORRUPT_MESSAGE')
    expect(log.logEndOffset).toBe(0)
  })

  test('refuses control batches of clients and takes those of the coordinator', () => {
    const log = new LogBench().open(OS)
    const marker = () => batchOf(['x'], { control: true, producerId: 1, producerEpoch: 0, transactional: true })
    expect(log.append(marker(), { leaderEpoch: 0 }).error).toBe('INVALID_RECORD')
    const ours = batchOf([null], { control: true, transactional: true, producerId: 1, producerEpoch: 0 })
    expect(() => log.append(ours, { leaderEpoch: 0, origin: 'coordinator' })).toThrow(/control record/)
  })

  test('a compacted topic needs a key in every record and names the one without', () => {
    const log = new LogBench().open({ ...OS, cleanupPolicy: ['compact'] })
    expect(log.append(batchOf(['a', 'b'], { key: 'k' }), { leaderEpoch: 0 }).error).toBeUndefined()
    const keyless = batchOf(['a'], { codec: 'zstd' })
    expect(log.append(keyless, { leaderEpoch: 0 })).toMatchObject({ error: 'INVALID_RECORD', recordIndex: 0 })
  })

  test('timestamps outside of the bounds of the topic are refused', () => {
    const bench = new LogBench()
    const log = bench.open({ ...OS, timestampAfterMaxMs: 1000, timestampBeforeMaxMs: 500 })
    const at = (delta: number) =>
      log.append(batchOf(['a'], { timestamp: bench.clock.now() + delta }), { leaderEpoch: 0 })
    expect(at(1001).error).toBe('INVALID_TIMESTAMP')
    expect(at(-501)).toMatchObject({ error: 'INVALID_TIMESTAMP', recordIndex: 0 })
    expect(at(1000).error).toBeUndefined()
    expect(at(-500).error).toBeUndefined()
  })

  test('LogAppendTime stamps the records and tells the time', () => {
    const bench = new LogBench()
    const log = bench.open({ ...OS, timestampType: 'LogAppendTime' })
    const result = log.append(batchOf(['a'], { timestamp: 5 }), { leaderEpoch: 0 })
    expect(result).toMatchObject({ logAppendTime: bench.clock.now() })
    expect(decodeRecords(log.read(0, 1000).records)[0]!.timestamp).toBe(bench.clock.now())
  })

  test('compression.type of the topic is what is stored', () => {
    const log = new LogBench().open({ ...OS, compressionType: 'zstd' })
    append(log, batchOf(['a', 'b'], { codec: 'gzip' }))
    const { header, records } = decodeBatch(log.read(0, 1000).records)
    expect(header.codec).toBe('zstd')
    expect(records).toHaveLength(2)
  })
})

describe.each([
  ['from the cache', 1_000_000],
  ['from the disk', 1],
])('read %s', (_name, cacheBytes) => {
  const filled = (config: Partial<LogConfig> = {}) => {
    const bench = new LogBench()
    bench.cacheBytes = cacheBytes
    const log = bench.open({ ...OS, indexIntervalBytes: 100, ...config })
    for (let i = 0; i < 30; i += 3) append(log, batchOf([`v${i}`, `v${i + 1}`, `v${i + 2}`]))
    return log
  }

  test('starts with the batch that contains the offset', () => {
    const log = filled()
    for (let offset = 0; offset < 30; offset++) {
      const { error, records } = log.read(offset, 1)
      expect(error).toBeUndefined()
      const [header] = iterateBatches(records)
      expect(header!.baseOffset).toBe(offset - (offset % 3))
    }
  })

  test('gives whole batches only, as many as fit', () => {
    const log = filled()
    const size = log.read(0, 1).records.length
    expect(text(log.read(4, size * 2 + size / 2).records)).toEqual(['v3', 'v4', 'v5', 'v6', 'v7', 'v8'])
  })

  test('gives one batch that is larger than asked, unless told not to', () => {
    const log = filled()
    expect(text(log.read(0, 10).records)).toEqual(['v0', 'v1', 'v2'])
    expect(log.read(0, 10, { minOneBatch: false }).records).toHaveLength(0)
  })

  test('gives nothing at the end and an error outside', () => {
    const log = filled()
    expect(log.read(30, 100)).toMatchObject({ error: undefined, highWatermark: 30, logStartOffset: 0 })
    expect(log.read(30, 100).records).toHaveLength(0)
    expect(log.read(31, 100).error).toBe('OFFSET_OUT_OF_RANGE')
    expect(log.read(-1, 100).error).toBe('OFFSET_OUT_OF_RANGE')
  })

  test('goes on over segments', () => {
    const log = filled({ segmentBytes: 250 })
    expect(log.segmentCount).toBeGreaterThan(3)
    const seen: string[] = []
    for (let offset = 0; offset < 30; ) {
      const values = text(log.read(offset, 10_000).records)
      seen.push(...values)
      offset += values.length
    }
    expect(seen).toEqual(Array.from({ length: 30 }, (_, i) => `v${i}`))
  })
})

test('bytes that were read do not change with later appends', () => {
  const log = new LogBench().open(OS)
  append(log, batchOf(['first']))
  const { records } = log.read(0, 1000)
  const before = Buffer.from(records)
  for (let i = 0; i < 1000; i++) append(log, batchOf([`later ${i}`]))
  expect(records.equals(before)).toBe(true)
})

test('memory for reads from the disk is the callers to choose', () => {
  const bench = new LogBench()
  bench.cacheBytes = 1
  const log = bench.open(OS)
  append(log, batchOf(['first']))
  append(log, batchOf(['x'.repeat(500)]))
  const memory = Buffer.alloc(1000)
  const sizes: number[] = []
  const allocate = (size: number) => {
    sizes.push(size)
    return memory
  }
  expect(text(log.read(0, 80, { allocate }).records)).toEqual(['first'])
  expect(log.read(1, 80, { allocate }).records.buffer).toBe(memory.buffer)
  expect(text(log.read(1, 80, { allocate }).records)).toEqual(['x'.repeat(500)])
  expect(Math.max(...sizes)).toBeLessThan(1000)
})

test('the memory of the tail caches of all logs is bounded', () => {
  const bench = new LogBench()
  bench.cacheBytes = 100_000
  const log = bench.open(OS)
  for (let i = 0; i < 200; i++) append(log, batchOf(['x'.repeat(5000)]))
  expect(text(log.read(0, 1).records)).toHaveLength(1)
  expect(text(log.read(199, 1).records)).toHaveLength(1)
})
