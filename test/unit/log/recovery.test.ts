import { describe, expect, test } from 'vitest'
import type { Log, LogConfig } from '../../../src/log/index.ts'
import { decodeRecords } from '../../../src/record/index.ts'
import { append, batchOf, DIRECTORY, LogBench } from './log-fixture.ts'

const CONFIG: Partial<LogConfig> = { flush: 'os', indexIntervalBytes: 100, segmentBytes: 1000 }
const SEGMENT = '00000000000000000000'

function fill(log: Log, count: number): void {
  for (let i = 0; i < count; i++) append(log, batchOf([`value ${i}`]))
}

function values(log: Log): string[] {
  const seen: string[] = []
  for (let offset = log.logStartOffset; offset < log.highWatermark; ) {
    const { records, error } = log.read(offset, 10_000)
    if (error) throw new Error(error)
    seen.push(...decodeRecords(records).map(({ value }) => value!.toString()))
    offset += decodeRecords(records).length
  }
  return seen
}

const expected = (count: number): string[] => Array.from({ length: count }, (_, i) => `value ${i}`)

/** Changes a file as a crash or a bad disk might. */
function change(bench: LogBench, name: string, action: (content: Buffer) => Buffer): void {
  const path = `${DIRECTORY}/${name}`
  const content = action(bench.disk.readFile(path))
  bench.disk.unlink(path)
  bench.disk.open(path, 'create').write([content], 0)
}

describe('after a crash', () => {
  test('everything that was written whole is there', () => {
    const bench = new LogBench()
    fill(bench.open(CONFIG), 40)
    const log = bench.open(CONFIG)
    expect(values(log)).toEqual(expected(40))
    expect(log.recovery).toMatchObject({ truncatedBytes: 0, lostBatches: 0 })
    expect(append(log, batchOf(['next']))).toBe(40)
  })

  test('a torn tail is cut at every possible length', () => {
    const bench = new LogBench()
    fill(bench.open(CONFIG), 3)
    const whole = bench.disk.readFile(`${DIRECTORY}/${SEGMENT}.log`)
    const size = whole.length / 3
    for (let length = size * 2; length < whole.length; length++) {
      change(bench, `${SEGMENT}.log`, () => whole.subarray(0, length))
      const log = bench.open(CONFIG)
      expect(values(log)).toEqual(expected(2))
      expect(log.recovery).toMatchObject({ truncatedBytes: length - size * 2, lostBatches: 0 })
    }
  })

  test('damage in the middle is cut and the loss of whole batches is told', () => {
    const bench = new LogBench()
    fill(bench.open({ ...CONFIG, segmentBytes: 100_000 }), 10)
    change(bench, `${SEGMENT}.log`, (content) => content.fill(0xff, 250, 260))
    const log = bench.open({ ...CONFIG, segmentBytes: 100_000 })
    expect(log.logEndOffset).toBe(3)
    expect(log.recovery.lostBatches).toBe(6)
  })

  test('segments behind a cut go away', () => {
    const bench = new LogBench()
    fill(bench.open(CONFIG), 40)
    change(bench, `${SEGMENT}.log`, (content) => content.subarray(0, content.length - 1))
    const log = bench.open(CONFIG)
    expect(log.segmentCount).toBe(1)
    expect(values(log)).toEqual(expected(log.logEndOffset))
    expect(bench.files().filter((name) => name.endsWith('.log'))).toEqual([`${SEGMENT}.log`])
  })

  test('only segments from the recovery point on are scanned', async () => {
    const bench = new LogBench()
    const log = bench.open(CONFIG)
    fill(log, 40)
    await bench.clock.settle(log.flush())
    expect(bench.open(CONFIG, { recoveryPoint: 40 }).recovery.scannedSegments).toBe(1)
    expect(bench.open(CONFIG, { recoveryPoint: 0 }).recovery.scannedSegments).toBe(log.segmentCount)
  })

  test('what was left half done is removed', () => {
    const bench = new LogBench()
    fill(bench.open(CONFIG), 3)
    for (const name of [`${SEGMENT}.log.deleted`, `${SEGMENT}.log.cleaned`, '00000000000000000007.index', 'x.tmp']) {
      bench.disk.open(`${DIRECTORY}/${name}`, 'create')
    }
    bench.open(CONFIG)
    expect(bench.files().filter((name) => /deleted|cleaned|tmp|07/.test(name))).toEqual([])
  })

  test('snapshots beyond the end are removed', () => {
    const bench = new LogBench()
    fill(bench.open(CONFIG), 3)
    bench.disk.open(`${DIRECTORY}/00000000000000000099.snapshot`, 'create')
    bench.open(CONFIG)
    expect(bench.files()).not.toContain('00000000000000000099.snapshot')
  })

  test('a log that ends below its start goes on empty at its start', () => {
    const bench = new LogBench()
    fill(bench.open(CONFIG), 3)
    const log = bench.open(CONFIG, { logStartOffset: 10 })
    expect([log.logStartOffset, log.logEndOffset]).toEqual([10, 10])
    expect(append(log, batchOf(['x']))).toBe(10)
  })
})

describe('after a clean stop', () => {
  async function stopped(): Promise<LogBench> {
    const bench = new LogBench()
    const log = bench.open(CONFIG)
    fill(log, 40)
    await bench.close(log)
    return bench
  }

  test('nothing is scanned', async () => {
    const log = (await stopped()).open(CONFIG, { cleanShutdown: true })
    expect(log.recovery.scannedSegments).toBe(0)
    expect(values(log)).toEqual(expected(40))
  })

  test.each([
    ['missing', () => undefined],
    ['cut inside an entry', (content: Buffer) => content.subarray(0, content.length - 3)],
    ['zeroed', (content: Buffer) => Buffer.alloc(content.length)],
    ['of another log', (content: Buffer) => Buffer.alloc(content.length, 0x7f)],
  ])('an index that is %s is made anew', async (_name, damage) => {
    for (const suffix of ['index', 'timeindex']) {
      const bench = await stopped()
      const before = bench.disk.readFile(`${DIRECTORY}/${SEGMENT}.${suffix}`)
      const content = damage(before)
      bench.disk.unlink(`${DIRECTORY}/${SEGMENT}.${suffix}`)
      if (content) bench.disk.open(`${DIRECTORY}/${SEGMENT}.${suffix}`, 'create').write([content], 0)
      const log = bench.open(CONFIG, { cleanShutdown: true })
      expect(values(log)).toEqual(expected(40))
      expect(log.offsetForTimestamp(1_700_000_000_000)!.offset).toBe(0)
      expect(bench.disk.readFile(`${DIRECTORY}/${SEGMENT}.${suffix}`).equals(before)).toBe(true)
    }
  })

  test('a damaged batch is an error when it is read, and its neighbours are there', async () => {
    const bench = await stopped()
    change(bench, `${SEGMENT}.log`, (content) => content.fill(0xff, 240, 241))
    const log = bench.open(CONFIG, { cleanShutdown: true })
    expect(log.logEndOffset).toBe(40)
    expect(log.read(0, 10_000).error).toBeUndefined()
    expect(log.read(3, 10_000).error).toBe('CORRUPT_MESSAGE')
    expect(log.read(39, 10_000).error).toBeUndefined()
  })

  test.each([
    ['base offset', 7],
    ['leader epoch', 15],
  ])('a damaged %s, which no CRC covers, is an error too', async (_name, at) => {
    const bench = await stopped()
    const size = bench.disk.readFile(`${DIRECTORY}/${SEGMENT}.log`).readInt32BE(8) + 12
    change(bench, `${SEGMENT}.log`, (content) => {
      content[size * 2 + at] = content[size * 2 + at]! ^ 1
      return content
    })
    const log = bench.open(CONFIG, { cleanShutdown: true })
    expect(log.read(2, 10_000).error).toBe('CORRUPT_MESSAGE')
  })

  test('a damaged epoch checkpoint is made anew from the batches', async () => {
    const bench = new LogBench()
    let log = bench.open(CONFIG)
    for (let i = 0; i < 12; i++) append(log, batchOf([`value ${i}`]), Math.floor(i / 4))
    await bench.close(log)
    for (const text of ['', '0\n3\n0 0\n', '0\n3\n0 0\n1 5\n2 8\n', '0\n3\n0 0\n1 4\n7 8\n', '0\n1\n0 0\n']) {
      change(bench, 'leader-epoch-checkpoint', () => Buffer.from(text))
      log = bench.open(CONFIG, { cleanShutdown: true })
      expect(values(log)).toHaveLength(12)
      expect(log.endOffsetForEpoch(1)).toEqual({ leaderEpoch: 1, endOffset: 8 })
      await bench.close(log)
    }
  })
})
