import { defineConfig } from '@millrace/sdk'

/** Self-healing: what the worker does about a FAILED connector or task. Millrace's own keys, legal in every connector. */
export const restartPolicyConfig = defineConfig({
  'restart.policy': {
    type: 'string',
    default: 'on-failure',
    oneOf: ['on-failure', 'always', 'never'],
    importance: 'low',
    doc:
      "What to do when the connector or one of its tasks fails: 'on-failure' restarts it after a back-off, 'always' " +
      "also restarts a task that has finished, 'never' leaves it FAILED until it is restarted by hand.",
    group: 'Error Handling',
    order: 9,
    width: 'short',
    displayName: 'Restart Policy',
  },
  'restart.backoff.ms': {
    type: 'long',
    default: 1000,
    min: 0,
    importance: 'low',
    doc: 'How long to wait before the first restart; the wait doubles with each further one.',
    group: 'Error Handling',
    order: 10,
    width: 'short',
    displayName: 'Restart Back-off',
  },
  'restart.backoff.max.ms': {
    type: 'long',
    default: 60_000,
    min: 0,
    importance: 'low',
    doc: 'The longest wait between two restarts.',
    group: 'Error Handling',
    order: 11,
    width: 'short',
    displayName: 'Maximum Restart Back-off',
  },
  'restart.max.attempts': {
    type: 'int',
    default: 10,
    min: 0,
    importance: 'low',
    doc: 'After so many restarts in a row without a healthy time between them it stays FAILED.',
    group: 'Error Handling',
    order: 12,
    width: 'short',
    displayName: 'Maximum Restart Attempts',
  },
  'restart.reset.ms': {
    type: 'long',
    default: 600_000,
    min: 0,
    importance: 'low',
    doc: 'A connector or task that has run so long counts as healthy: its restarts are counted from zero again.',
    group: 'Error Handling',
    order: 13,
    width: 'short',
    displayName: 'Restart Reset Time',
  },
})

export interface RestartPolicy {
  readonly policy: 'on-failure' | 'always' | 'never'
  readonly backoffMs: number
  readonly backoffMaxMs: number
  readonly maxAttempts: number
  readonly resetMs: number
}

/** What the policy has seen of one connector or task. */
export interface RestartHistory {
  /** Restarts since the last healthy time. */
  readonly attempts: number
  /** When it last came to run, on the monotonic clock. */
  readonly runningSinceMs: number | null
}

export const NO_RESTARTS: RestartHistory = { attempts: 0, runningSinceMs: null }

export type RestartEvent =
  | { readonly type: 'running'; readonly nowMs: number }
  | { readonly type: 'failed' | 'finished'; readonly nowMs: number }

/** What to do: wait so long and restart, or nothing. */
export type RestartDecision = { readonly restartInMs: number } | null

/** The restart policy as a pure step. */
export function stepRestart(
  policy: RestartPolicy,
  history: RestartHistory,
  event: RestartEvent,
): [RestartHistory, RestartDecision] {
  if (event.type === 'running') return [{ ...history, runningSinceMs: event.nowMs }, null]
  const healthyMs = history.runningSinceMs === null ? 0 : event.nowMs - history.runningSinceMs
  const before = history.runningSinceMs !== null && healthyMs >= policy.resetMs ? 0 : history.attempts
  const wanted = policy.policy === 'always' || (policy.policy === 'on-failure' && event.type === 'failed')
  if (!wanted || before >= policy.maxAttempts) return [{ attempts: before, runningSinceMs: null }, null]
  const restartInMs = Math.min(policy.backoffMaxMs, policy.backoffMs * 2 ** Math.min(before, 40))
  return [{ attempts: before + 1, runningSinceMs: null }, { restartInMs }]
}
