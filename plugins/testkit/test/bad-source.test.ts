import { defineManifest } from '@millrace/sdk'
import { describe, expect, test } from 'vitest'
import { type CheckResult, runSourceChecks, type SourceCheck, type SourceOptions } from '@millrace/testkit'
import { badSource, type SourceFlaw } from './bad/bad-source.ts'
import { memorySystem } from './bad/memory-system.ts'

const manifest = defineManifest({
  kind: 'source',
  name: 'BadSource',
  aliases: [],
  version: '1.0.0',
  title: 'Bad source',
  summary: '',
  stability: 'stable',
  load: async () => ({}),
})

const options: SourceOptions = {
  manifest,
  required: ['topic'],
  invalid: [{ config: { pause: '-5' }, key: 'pause' }],
  limits: { floodEvents: 200, starts: 5, kills: 8 },
  open() {
    const system = memorySystem()
    let evolved = false
    return {
      config: { system: system.name, topic: 't' },
      produce: (events) => void system.events.push(...events.map((event) => ({ ...event, evolved }))),
      remove: (events) => void system.events.push(...events.map((event) => ({ ...event, removed: true, evolved }))),
      evolve: () => {
        evolved = true
      },
      outage: () => {
        system.away = true
      },
      restore: () => {
        system.away = false
      },
    }
  },
}

const names = (await run('nothing', [], {})).map(({ check }) => check as SourceCheck)

/** Runs the checks; those that are to fail by what never comes wait for it only shortly. */
async function failuresOf(flaw: SourceFlaw, expected: readonly SourceCheck[]): Promise<readonly CheckResult[]> {
  const others = names.filter((check) => !expected.includes(check))
  const patient = await run(flaw, expected, {})
  const impatient = await run(flaw, others, { deadlineMs: 1500, stopDeadlineMs: 1500 })
  return [...patient, ...impatient].filter(({ outcome }) => outcome === 'failed')
}

function run(flaw: SourceFlaw, left: readonly SourceCheck[], limits: SourceOptions['limits']) {
  const notApplicable = Object.fromEntries(left.map((check) => [check, 'looked at by itself']))
  return runSourceChecks(badSource(flaw), {
    ...options,
    notApplicable,
    guarantee: flaw === 'repeats-after-restart' ? 'exactly-once' : 'at-least-once',
    // A trend of memory shows only over many starts.
    limits: { ...options.limits, ...(flaw.startsWith('leaves') ? { starts: 30 } : {}), ...limits },
  })
}

test('a source without a flaw passes every check', async () => {
  const results = await run('nothing', [], {})
  expect(results.filter(({ outcome }) => outcome !== 'passed')).toEqual([])
  expect(results.map(({ check }) => check)).toEqual(names)
})

/** The flaw, the checks that have to see it, and what the first of them says. */
const FLAWS: readonly (readonly [SourceFlaw, readonly SourceCheck[], string])[] = [
  ['illegal-default', ['definition'], 'the default of retries is not valid'],
  ['old-version', ['manifest'], 'the manifest has version "1.0.0", the definition "0.9.0"'],
  ['needs-what-has-a-default', ['required-config'], 'refused without "topic"'],
  ['takes-any-number', ['invalid-config'], 'a configuration with pause=-5 was taken'],
  ['too-many-tasks', ['task-configs'], '2 configurations for 1 tasks'],
  ['value-beside-schema', ['records', 'schema-evolution'], 'value.payload is the number 5'],
  ['deep-offset', ['records', 'schema-evolution'], 'sourceOffset.deep is no primitive'],
  ['leaves-timer', ['start-stop'], 'more timers after 30 starts'],
  ['leaves-listener', ['start-stop'], 'more listeners of the process after 30 starts'],
  ['leaves-tasks', ['start-stop'], 'more tasks in memory after 30 starts'],
  ['leaves-memory', ['start-stop'], 'memory grows by'],
  ['hangs-in-stop', ['stop-while-polling'], 'stop: not within 1500 ms'],
  [
    'ignores-signal',
    ['kill', 'stop-while-polling'],
    'the end of a poll whose signal has aborted, after stop: not within 1500 ms',
  ],
  ['forgets-at-stop', ['resume'], 'after a stop with the offsets of 1 records committed'],
  ['delivered-by-next-poll', ['kill'], 'of seed 1'],
  ['skips-after-restart', ['kill', 'resume'], 'a task has to begin right behind the committed offset'],
  ['repeats-after-restart', ['kill', 'resume'], 'came again'],
  ['reads-all', ['back-pressure'], 'after one poll memory grew'],
  ['outage-is-fatal', ['outage'], 'while the system was away a poll failed for good'],
  ['no-tombstone', ['tombstones'], '2 things were removed, 0 records without a value came'],
  ['old-schema', ['schema-evolution'], 'value has the field note, which its schema does not have'],
]

describe('the checks of a source', () => {
  test.each(FLAWS)('see the flaw %s by %s', async (flaw, expected, reason) => {
    const failures = await failuresOf(flaw, expected)
    expect(failures.map(({ check }) => check).toSorted()).toEqual(expected)
    expect(failures.map((failure) => failure.reason).join('\n')).toContain(reason)
  })

  test.each([
    ['nothing', [], ''],
    ['repeats-after-restart', ['kill', 'resume'], 'came again'],
    ['deaf-after-restart', ['kill', 'resume'], 'never came'],
  ] as const)('hold one that may lose to giving nothing twice and to going on: %s', async (flaw, expected, reason) => {
    const results = await runSourceChecks(badSource(flaw), {
      ...options,
      guarantee: 'at-most-once',
      notApplicable: Object.fromEntries(
        names.filter((name) => name !== 'kill' && name !== 'resume').map((n) => [n, '']),
      ),
      limits: { kills: 8, ...(flaw === 'deaf-after-restart' ? { deadlineMs: 1500, kills: 3 } : {}) },
    })
    const failures = results.filter(({ outcome }) => outcome === 'failed')
    expect(failures.map(({ check }) => check).toSorted()).toEqual(expected)
    expect(failures.map((failure) => failure.reason).join('\n')).toContain(reason)
  })

  test('see a source that takes no configuration', async () => {
    const failures = await run(
      'refuses-all',
      names.filter((check) => check !== 'valid-config'),
      {},
    )
    expect(failures.filter(({ outcome }) => outcome === 'failed')).toMatchObject([
      { check: 'valid-config', reason: expect.stringContaining('system is never right') },
    ])
  })
})
