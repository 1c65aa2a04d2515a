import { DataError, RetriableError } from '@millrace/sdk'
import { describe, expect, it } from 'vitest'
import { type Clock, seededRandom } from '../../../../src/base/index.ts'
import {
  ErrorOperator,
  type ErrorReporter,
  type Failure,
  retryDelayMs,
  SKIPPED,
  type Stage,
} from '../../../../src/connect/worker/error-operator.ts'
import { ErrorCounters } from '../../../../src/connect/worker/task-metrics.ts'

/** A clock whose timers fire at once and move it on. */
function jumpingClock(): Clock & { readonly waits: number[] } {
  let now = 1000
  const waits: number[] = []
  return {
    waits,
    now: () => now,
    monotonicMs: () => now,
    setTimer(delayMs, fn) {
      waits.push(delayMs)
      queueMicrotask(() => {
        now += delayMs
        fn()
      })
      return { cancel: () => {} }
    },
  }
}

function setUp(options: { tolerance?: 'none' | 'all'; retryTimeoutMs?: number; pending?: Promise<void> } = {}) {
  const clock = jumpingClock()
  const counters = new ErrorCounters()
  const failures: Failure[] = []
  const stop = new AbortController()
  const reporter: ErrorReporter = {
    report(failure) {
      failures.push(failure)
      return options.pending
    },
  }
  const operator = new ErrorOperator({
    settings: {
      tolerance: options.tolerance ?? 'none',
      retryTimeoutMs: options.retryTimeoutMs ?? 0,
      retryDelayMaxMs: 60_000,
    },
    reporters: [reporter],
    counters,
    clock,
    random: seededRandom(1),
    signal: stop.signal,
  })
  return { operator, clock, counters, failures, stop }
}

const about = (stage: Stage) => ({ stage, className: 'X', consumed: null, source: null })
const ignore = () => {}

/** Fails so often, then gives 'done'. */
function failing(times: number, error: Error): () => string {
  let left = times
  return () => {
    if (left-- > 0) throw error
    return 'done'
  }
}

const RECORD_STAGES: readonly Stage[] = ['TRANSFORMATION', 'KEY_CONVERTER', 'VALUE_CONVERTER', 'HEADER_CONVERTER']
const OTHER_STAGES: readonly Stage[] = ['TASK_POLL', 'TASK_PUT', 'KAFKA_PRODUCE', 'KAFKA_CONSUME']

describe('what becomes of a failure', () => {
  const data = new DataError('bad')
  const retriable = new RetriableError('later')
  const plain = new TypeError('unknown')
  const table: readonly [Stage, Error, 'none' | 'all', 'skip' | 'tolerance' | 'fatal'][] = [
    ...RECORD_STAGES.flatMap((stage) =>
      [data, retriable, plain].flatMap((error): [Stage, Error, 'none' | 'all', 'skip' | 'tolerance'][] => [
        [stage, error, 'all', 'skip'],
        [stage, error, 'none', 'tolerance'],
      ]),
    ),
    ...OTHER_STAGES.flatMap((stage): [Stage, Error, 'none' | 'all', 'skip' | 'tolerance' | 'fatal'][] => [
      [stage, retriable, 'all', 'skip'],
      [stage, retriable, 'none', 'tolerance'],
      [stage, data, 'all', 'fatal'],
      [stage, plain, 'none', 'fatal'],
    ]),
  ]
  for (const [stage, error, tolerance, outcome] of table) {
    it(`${stage}, ${error.name}, tolerance ${tolerance}: ${outcome}`, async () => {
      const { operator, counters, failures } = setUp({ tolerance })
      const result = operator.run(about(stage), failing(1, error), ignore)
      if (outcome === 'skip') expect(await result).toBe(SKIPPED)
      else if (outcome === 'fatal') await expect(result).rejects.toBe(error)
      else {
        await expect(result).rejects.toMatchObject({ message: 'Tolerance exceeded in error handler', cause: error })
      }
      expect(counters.failures).toBe(1)
      expect(counters.skipped).toBe(outcome === 'skip' ? 1 : 0)
      expect(counters.errors).toBe(outcome === 'skip' ? 0 : 1)
      // Invariant 3: whatever is not fatal for its own reason has been reported.
      expect(failures).toHaveLength(outcome === 'fatal' ? 0 : 1)
    })
  }
})

describe('retries', () => {
  it('wait 300 ms doubled each time until errors.retry.timeout has passed', async () => {
    const { operator, clock, counters } = setUp({ tolerance: 'all', retryTimeoutMs: 2000 })
    const never = failing(Number.POSITIVE_INFINITY, new RetriableError('later'))
    expect(await operator.run(about('VALUE_CONVERTER'), never, ignore)).toBe(SKIPPED)
    expect(clock.waits).toEqual([300, 600, 1100])
    expect(counters.retries).toBe(3)
    expect(counters.failures).toBe(4)
  })

  it('go on for ever with -1', async () => {
    const { operator, counters } = setUp({ retryTimeoutMs: -1 })
    expect(await operator.run(about('TASK_POLL'), failing(40, new RetriableError('later')), ignore)).toBe('done')
    expect(counters.retries).toBe(40)
  })

  it('wait as long as the plugin asks', async () => {
    const { operator, clock } = setUp({ retryTimeoutMs: -1 })
    await operator.run(about('TASK_POLL'), failing(1, new RetriableError('later', { retryAfterMs: 7 })), ignore)
    expect(clock.waits).toEqual([7])
  })

  it('are not made for other errors', async () => {
    const { operator, clock } = setUp({ tolerance: 'all', retryTimeoutMs: -1 })
    expect(await operator.run(about('TRANSFORMATION'), failing(1, new DataError('bad')), ignore)).toBe(SKIPPED)
    expect(clock.waits).toEqual([])
  })

  it('end when the task stops', async () => {
    const { operator, stop } = setUp({ retryTimeoutMs: -1 })
    const reason = new Error('stopped')
    const operation = () => {
      stop.abort(reason)
      throw new RetriableError('later')
    }
    await expect(operator.run(about('TASK_POLL'), operation, ignore)).rejects.toBe(reason)
  })

  it('have a delay between 0 and the cap once the doubled delay is beyond it', () => {
    const random = seededRandom(7)
    for (let attempt = 1; attempt < 100; attempt++) {
      const delay = retryDelayMs(attempt, 1000, random)
      if (attempt <= 2) expect(delay).toBe(300 * 2 ** (attempt - 1))
      else expect(delay).toBeLessThan(1000)
    }
  })
})

describe('reports', () => {
  it('hold offsets back with tolerance all, and the task itself with tolerance none', async () => {
    const durable = Promise.withResolvers<void>()
    const all = setUp({ tolerance: 'all', pending: durable.promise })
    const held: Promise<void>[] = []
    expect(await all.operator.run(about('KEY_CONVERTER'), failing(1, new DataError('bad')), (p) => held.push(p))).toBe(
      SKIPPED,
    )
    expect(held).toEqual([durable.promise])

    const none = setUp({ tolerance: 'none', pending: durable.promise })
    let ended = false
    const run = none.operator.run(about('KEY_CONVERTER'), failing(1, new DataError('bad')), ignore)
    const end = run.catch(() => {
      ended = true
    })
    await Promise.resolve()
    expect(ended).toBe(false)
    durable.resolve()
    await end
    expect(ended).toBe(true)
  })

  it('of a sink task itself fail it when errors are not tolerated', async () => {
    const error = new Error('not wanted')
    const tolerant = setUp({ tolerance: 'all' })
    await tolerant.operator.reportErrant(about('TASK_PUT'), error, ignore)
    expect(tolerant.counters.skipped).toBe(1)
    const strict = setUp({ tolerance: 'none' })
    await expect(strict.operator.reportErrant(about('TASK_PUT'), error, ignore)).rejects.toMatchObject({ cause: error })
    expect(strict.failures).toHaveLength(1)
  })
})
