import { readFileSync } from 'node:fs'
import { expect, test } from 'vitest'
import { Log } from '../../src/log/index.ts'
import { logSimulation, logSimulationWith, type OpenLog } from './log-sim.ts'

const past = JSON.parse(readFileSync(new URL('seeds.json', import.meta.url), 'utf8')) as { log: number[] }
const SEEDS = 500

async function failures(seeds: readonly number[], run = logSimulation.run): Promise<string[]> {
  const failed: string[] = []
  for (const seed of seeds) {
    const result = await run(seed)
    if (!result.ok) failed.push(`seed ${seed}: ${result.failure}\n${result.trace?.join('\n')}`)
  }
  return failed
}

const range = (count: number): number[] => Array.from({ length: count }, (_, i) => i)

test('the log keeps its promises over a failing disk, for every seed that ever broke it', async () => {
  expect(await failures(past.log)).toEqual([])
})

test(`the log keeps its promises over a failing disk, for ${SEEDS} seeds`, async () => {
  expect(await failures(range(SEEDS))).toEqual([])
})

test('the same seed gives the same run', async () => {
  expect(await logSimulation.run(7)).toEqual(await logSimulation.run(7))
})

/** A log with one method replaced. */
function broken(change: (log: Log) => void): OpenLog {
  return (options, context) => {
    const log = Log.open(options, context)
    change(log)
    return log
  }
}

test('the checker sees a log that acknowledges before the sync', async () => {
  const hasty = broken((log) => {
    log.whenCommitted = () => undefined
  })
  expect((await failures(range(60), logSimulationWith(hasty).run)).join()).toContain('was acknowledged and is lost')
})

test('the checker sees a log that serves wrong bytes', async () => {
  const lying = broken((log) => {
    const read = log.read.bind(log)
    log.read = (offset, maxBytes, options) => {
      const result = read(offset, maxBytes, options)
      if (result.records.length < 100 || offset % 7 !== 3) return result
      const records = Buffer.from(result.records)
      records[80] = records[80]! ^ 1
      return { ...result, records }
    }
  })
  expect((await failures(range(20), logSimulationWith(lying).run)).join()).toContain('reads differently')
})

test('the checker sees a log that forgets which batches it has', async () => {
  const forgetful: OpenLog = (options, context) => Log.open(options, { ...context, producerExpirationMs: 0 })
  expect((await failures(range(40), logSimulationWith(forgetful).run)).join()).toContain('is in the log twice')
})

test('the checker sees a log that trusts what lies behind a crash', async () => {
  const trusting: OpenLog = (options, context) => Log.open({ ...options, cleanShutdown: true }, context)
  expect(await failures(range(60), logSimulationWith(trusting).run)).not.toEqual([])
})
