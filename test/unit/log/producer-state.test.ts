import { describe, expect, test } from 'vitest'
import type { Log } from '../../../src/log/index.ts'
import { append, batchOf, DIRECTORY, LogBench } from './log-fixture.ts'

function send(
  log: Log,
  sequence: number,
  options: { epoch?: number; count?: number; transactional?: boolean; id?: number } = {},
) {
  const values = Array.from({ length: options.count ?? 1 }, (_, i) => `${sequence + i}`)
  const identity = { producerId: options.id ?? 9, producerEpoch: options.epoch ?? 0, baseSequence: sequence }
  return log.append(batchOf(values, { ...identity, transactional: options.transactional ?? false }), { leaderEpoch: 0 })
}

const OS = { flush: 'os' } as const

describe('an idempotent producer', () => {
  test('is answered the first offsets for each of its last five batches', () => {
    const log = new LogBench().open(OS)
    for (let i = 0; i < 7; i++) send(log, i * 2, { count: 2 })
    for (let i = 2; i < 7; i++) {
      expect(send(log, i * 2, { count: 2 })).toMatchObject({
        duplicate: true,
        baseOffset: i * 2,
        lastOffset: i * 2 + 1,
      })
    }
    expect(send(log, 2, { count: 2 }).error).toBe('OUT_OF_ORDER_SEQUENCE_NUMBER')
    expect(log.logEndOffset).toBe(14)
  })

  test('is refused with a gap, and with an overlap that is no repetition', () => {
    const log = new LogBench().open(OS)
    send(log, 0, { count: 2 })
    expect(send(log, 3).error).toBe('OUT_OF_ORDER_SEQUENCE_NUMBER')
    expect(send(log, 1, { count: 2 }).error).toBe('OUT_OF_ORDER_SEQUENCE_NUMBER')
    expect(send(log, 2).error).toBeUndefined()
  })

  test('may start anywhere when it is not known', () => {
    expect(send(new LogBench().open(OS), 17).error).toBeUndefined()
  })

  test('starts a new epoch at 0 and leaves the old one behind', () => {
    const log = new LogBench().open(OS)
    send(log, 0)
    expect(send(log, 1, { epoch: 1 }).error).toBe('OUT_OF_ORDER_SEQUENCE_NUMBER')
    expect(send(log, 0, { epoch: 1 })).toMatchObject({ error: undefined, duplicate: false })
    expect(send(log, 1, { epoch: 0 }).error).toBe('INVALID_PRODUCER_EPOCH')
  })

  test('wraps its sequence after 2^31-1', () => {
    const log = new LogBench().open(OS)
    send(log, 0x7fffffff - 1, { count: 4 })
    expect(send(log, 0x7fffffff - 1, { count: 4 })).toMatchObject({ duplicate: true, baseOffset: 0 })
    expect(send(log, 2)).toMatchObject({ error: undefined, duplicate: false })
  })

  test('does not mix transactional and other batches', () => {
    const log = new LogBench().open(OS)
    send(log, 0, { transactional: true })
    expect(send(log, 1).error).toBe('INVALID_TXN_STATE')
    expect(send(log, 1, { transactional: true }).error).toBeUndefined()
  })

  test('is known after a clean restart, with all of its last five batches', async () => {
    const bench = new LogBench()
    let log = bench.open({ ...OS, segmentBytes: 300 })
    for (let i = 0; i < 8; i++) send(log, i)
    await bench.close(log)
    log = bench.open({ ...OS, segmentBytes: 300 }, { cleanShutdown: true })
    for (let i = 3; i < 8; i++) expect(send(log, i)).toMatchObject({ duplicate: true, baseOffset: i })
    expect(send(log, 8)).toMatchObject({ duplicate: false, baseOffset: 8 })
  })

  test('is known after a crash, also when its records are years old', () => {
    const bench = new LogBench()
    const log = bench.open(OS)
    const old = () => batchOf(['x'], { producerId: 9, producerEpoch: 0, baseSequence: 0, timestamp: 1000 })
    append(log, old())
    expect(bench.open(OS).append(old(), { leaderEpoch: 0 })).toMatchObject({ duplicate: true, baseOffset: 0 })
  })

  test('is known when the newest snapshot is damaged', async () => {
    const bench = new LogBench()
    let log = bench.open({ ...OS, segmentBytes: 200 })
    for (let i = 0; i < 6; i++) send(log, i)
    await bench.close(log)
    bench.disk.flipBit((path) => path.endsWith('06.snapshot'))
    log = bench.open({ ...OS, segmentBytes: 200 }, { cleanShutdown: true })
    expect(send(log, 5)).toMatchObject({ duplicate: true, baseOffset: 5 })
  })

  test('is not taken for an older self when its batches were deleted with their snapshot', () => {
    const bench = new LogBench()
    const log = bench.open({ ...OS, segmentBytes: 200 })
    for (let i = 0; i < 6; i++) send(log, i)
    const stale = bench.disk.readFile(`${DIRECTORY}/00000000000000000002.snapshot`)
    log.roll()
    log.deleteRecords(6)
    for (const name of bench.files().filter((file) => file.endsWith('.snapshot')))
      bench.disk.unlink(`${DIRECTORY}/${name}`)
    bench.disk.open(`${DIRECTORY}/00000000000000000002.snapshot`, 'create').write([stale], 0)
    const again = bench.open({ ...OS, segmentBytes: 200 }, { logStartOffset: 6 })
    expect(send(again, 9).error).toBeUndefined()
  })

  test('is forgotten after producer.id.expiration.ms of silence', async () => {
    const bench = new LogBench()
    bench.producerExpirationMs = 1000
    const log = bench.open(OS)
    send(log, 0)
    await bench.clock.advance(2000)
    send(log, 0, { id: 10 })
    log.applyRetention()
    expect(log.activeProducers().map(({ producerId }) => producerId)).toEqual([10])
  })
})
