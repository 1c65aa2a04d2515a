import { type CheckResult, runSinkChecks, type SinkCheck, type SinkOptions } from '@millrace/testkit'
import { describe, expect, test } from 'vitest'
import { badSink, type SinkFlaw } from './bad/bad-sink.ts'
import { memorySystem } from './bad/memory-system.ts'

const options: SinkOptions = {
  guarantee: 'idempotent',
  limits: { floodEvents: 200, starts: 5 },
  bad: ({ id }) => ({ value: id }),
  tombstones: 'write',
  open() {
    const system = memorySystem()
    return {
      config: { system: system.name },
      read: () => system.written,
      outage: () => {
        system.away = true
      },
      restore: () => {
        system.away = false
      },
    }
  },
}

const NOT_HERE = { manifest: 'there is none', 'invalid-config': 'every text is valid' }

function run(flaw: SinkFlaw, left: readonly SinkCheck[], limits: SinkOptions['limits']) {
  const notApplicable = { ...NOT_HERE, ...Object.fromEntries(left.map((check) => [check, 'looked at by itself'])) }
  return runSinkChecks(badSink(flaw), {
    ...options,
    notApplicable,
    limits: { ...options.limits, ...(flaw.startsWith('leaves') ? { starts: 30 } : {}), ...limits },
  })
}

const good = await run('nothing', [], {})
const names = good.map(({ check }) => check as SinkCheck)

/** Runs the checks; those that are to fail by what never comes wait for it only shortly. */
async function failuresOf(flaw: SinkFlaw, expected: readonly SinkCheck[]): Promise<readonly CheckResult[]> {
  const others = names.filter((check) => !expected.includes(check))
  const patient = await run(flaw, expected, {})
  const impatient = await run(flaw, others, { deadlineMs: 1500, stopDeadlineMs: 1500 })
  return [...patient, ...impatient].filter(({ outcome }) => outcome === 'failed')
}

/** The flaw, the checks that have to see it, and what one of them says. */
const FLAWS: readonly (readonly [SinkFlaw, readonly SinkCheck[], string])[] = [
  [
    'reverses',
    [
      'back-pressure',
      'bad-records',
      'commit',
      'delivery',
      'duplicates',
      'kill',
      'outage',
      'rebalance',
      'schema-evolution',
      'tombstones',
    ],
    'is in the target after a later record of its partition',
  ],
  ['leaves-timer', ['start-stop'], 'more timers after 30 starts'],
  [
    'written-at-stop',
    [
      'back-pressure',
      'bad-records',
      'commit',
      'duplicates',
      'kill',
      'outage',
      'rebalance',
      'schema-evolution',
      'tombstones',
    ],
    'preCommit let the offset of event-000000 be committed, but it is not in the target',
  ],
  ['leaves-lock', ['kill'], 'of seed 1'],
  ['appends-again', ['duplicates', 'kill'], 'is in the target more than once: not idempotent'],
  ['forgets-others-at-close', ['rebalance'], 'not in the target'],
  ['gathers', ['back-pressure'], 'put takes more and more'],
  ['outage-is-fatal', ['outage'], 'while the target was away put failed for good'],
  ['fails-on-tombstone', ['tombstones'], 'value is null'],
  ['keeps-first-shape', ['schema-evolution'], 'the table has no such column'],
  ['swallows-bad', ['bad-records'], 'the bad record was reported 0 times'],
  ['bad-is-unknown', ['bad-records'], 'no object'],
]

describe('the checks of a sink', () => {
  test('let a sink without a flaw pass', () => {
    expect(good.filter(({ outcome, check }) => outcome !== 'passed' && !(check in NOT_HERE))).toEqual([])
    expect(names).toHaveLength(17)
  })

  test.each(FLAWS)('see the flaw %s by %s', async (flaw, expected, reason) => {
    const failures = await failuresOf(flaw, expected)
    expect(failures.map(({ check }) => check).toSorted()).toEqual(expected)
    expect(failures.map((failure) => failure.reason).join('\n')).toContain(reason)
  })
})
