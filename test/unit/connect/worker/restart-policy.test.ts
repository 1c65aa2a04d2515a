import { ConfigError } from '@millrace/sdk'
import { describe, expect, it } from 'vitest'
import {
  NO_RESTARTS,
  type RestartEvent,
  type RestartPolicy,
  stepRestart,
} from '../../../../src/connect/worker/restart-policy.ts'
import { restartPolicyOf } from '../../../../src/connect/worker/runtime-config.ts'

const policy: RestartPolicy = { policy: 'on-failure', backoffMs: 100, backoffMaxMs: 500, maxAttempts: 4, resetMs: 1000 }

/** The waits before the restarts that a row of events brings; null where there is none. */
function waits(own: Partial<RestartPolicy>, events: readonly RestartEvent[]): (number | null)[] {
  let history = NO_RESTARTS
  return events.flatMap((event) => {
    const [next, decision] = stepRestart({ ...policy, ...own }, history, event)
    history = next
    return event.type === 'running' ? [] : [decision?.restartInMs ?? null]
  })
}

const failures = (count: number): RestartEvent[] => Array.from({ length: count }, () => ({ type: 'failed', nowMs: 0 }))

describe('the restart policy', () => {
  it('doubles its back-off up to the cap and gives up after the limit', () => {
    expect(waits({}, failures(6))).toEqual([100, 200, 400, 500, null, null])
  })

  it('counts from zero after a healthy time, and only then', () => {
    const ran = (forMs: number): RestartEvent[] => [
      { type: 'running', nowMs: 0 },
      { type: 'failed', nowMs: forMs },
    ]
    expect(waits({}, [...failures(2), ...ran(999)])).toEqual([100, 200, 400])
    expect(waits({}, [...failures(2), ...ran(1000)])).toEqual([100, 200, 100])
    expect(waits({}, [...failures(4), ...ran(1000)])).toEqual([100, 200, 400, 500, 100])
  })

  it('restarts what has finished only with always, and nothing with never', () => {
    const finished: RestartEvent = { type: 'finished', nowMs: 0 }
    expect(waits({}, [finished])).toEqual([null])
    expect(waits({ policy: 'always' }, [finished, ...failures(1)])).toEqual([100, 200])
    expect(waits({ policy: 'never' }, [finished, ...failures(1)])).toEqual([null, null])
  })

  it('is read from the configuration of the connector', () => {
    expect(restartPolicyOf({})).toMatchObject({ policy: 'on-failure', backoffMs: 1000, maxAttempts: 10 })
    expect(restartPolicyOf({ 'restart.policy': 'never' }).policy).toBe('never')
    expect(() => restartPolicyOf({ 'restart.policy': 'sometimes' })).toThrow(ConfigError)
    expect(() => restartPolicyOf({ 'restart.policy': 'sometimes' })).toThrow(/restart\.policy/)
  })
})
