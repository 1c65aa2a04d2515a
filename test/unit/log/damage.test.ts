import fc from 'fast-check'
import { expect, test } from 'vitest'
import type { Log, LogConfig } from '../../../src/log/index.ts'
import { decodeRecords, RecordError } from '../../../src/record/index.ts'
import { append, batchOf, DIRECTORY, LogBench } from './log-fixture.ts'
import '../property-settings.ts'

const CONFIG: Partial<LogConfig> = { flush: 'os', indexIntervalBytes: 100, segmentBytes: 700 }
const COUNT = 24

async function stoppedLog(): Promise<LogBench> {
  const bench = new LogBench()
  bench.cacheBytes = 1
  const log = bench.open(CONFIG)
  for (let i = 0; i < COUNT; i++) {
    const identity = i % 2 ? { producerId: 7, producerEpoch: 0, baseSequence: (i - 1) / 2 } : {}
    append(log, batchOf([`value ${i}`], identity), Math.floor(i / 10))
  }
  await bench.close(log)
  return bench
}

/** What can be read at each offset: a value, or undefined where the log says that it cannot. */
function readEach(log: Log): (string | undefined)[] {
  return Array.from({ length: log.logEndOffset }, (_, offset) => {
    const { error, records } = log.read(offset, 1)
    if (error) {
      // A segment that is gone from the start looks like one that retention took.
      expect(error).toBe(offset < log.logStartOffset ? 'OFFSET_OUT_OF_RANGE' : 'CORRUPT_MESSAGE')
      return undefined
    }
    const [record] = decodeRecords(records)
    expect(record!.offset).toBe(offset)
    return record!.value!.toString()
  })
}

function lookUp(log: Log): void {
  for (let i = 0; i < COUNT; i += 5) {
    try {
      log.offsetForTimestamp(1_700_000_000_000 + i)
    } catch (error) {
      expect(error).toBeInstanceOf(RecordError)
    }
  }
}

/** Some file of the directory, and what happens to it. */
const damage = fc.record({
  file: fc.nat(),
  clean: fc.boolean(),
  kind: fc.constantFrom('cut', 'zeros', 'garbage', 'gone'),
  at: fc.double({ min: 0, max: 1, noNaN: true }),
})

test('whatever happens to one file, what is read is what was written', async () => {
  const names = (await stoppedLog()).files()
  await fc.assert(
    fc.asyncProperty(damage, async ({ file, clean, kind, at }) => {
      const bench = await stoppedLog()
      const name = names[file % names.length]!
      const path = `${DIRECTORY}/${name}`
      const content = bench.disk.readFile(path)
      const position = Math.floor(at * content.length)
      bench.disk.unlink(path)
      const bytes = Buffer.from(content)
      if (kind === 'zeros') bytes.fill(0, position, Math.min(position + 30, bytes.length))
      if (kind === 'garbage') bytes.fill(0xa7, position, Math.min(position + 3, bytes.length))
      if (kind !== 'gone')
        bench.disk.open(path, 'create').write([kind === 'cut' ? bytes.subarray(0, position) : bytes], 0)
      const log = bench.open(CONFIG, { cleanShutdown: clean, recoveryPoint: clean ? COUNT : 0 })
      for (const [offset, value] of readEach(log).entries()) {
        if (value !== undefined) expect(value).toBe(`value ${offset}`)
      }
      lookUp(log)
      expect(append(log, batchOf(['after']), 9)).toBe(log.logEndOffset - 1)
      // Files that are no batches cost nothing.
      if (!name.endsWith('.log')) expect(readEach(log)).toHaveLength(COUNT + 1)
    }),
    { numRuns: 150, seed: 20261121 },
  )
})
