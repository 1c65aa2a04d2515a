import type { MetricSample } from '../worker/worker.ts'
import type { MembershipMetrics } from './membership.ts'

export interface HerderMetricsInput {
  readonly membership: MembershipMetrics
  readonly leaderUrl: string | null
  readonly nowMs: number
}

/** What only the herder can count: rebalances. */
export function herderMetrics(input: HerderMetricsInput): readonly MetricSample[] {
  const samples: MetricSample[] = []
  const { membership } = input
  const group = 'connect-worker-rebalance-metrics'
  const add = (name: string, value: number, labels: Readonly<Record<string, string>> = {}) =>
    samples.push({ group, name, labels, value })
  add('connect-protocol', 1, { status: membership.protocol })
  if (input.leaderUrl !== null) add('leader-name', 1, { status: input.leaderUrl })
  add('epoch', membership.generation)
  add('completed-rebalances-total', membership.completedRebalances)
  add('rebalancing', membership.rebalancing ? 1 : 0)
  add('rebalance-max-time-ms', membership.rebalanceMsMax)
  add('rebalance-avg-time-ms', membership.rebalanceMsAverage)
  if (membership.lastRebalanceAtMs !== null) {
    add('time-since-last-rebalance-ms', input.nowMs - membership.lastRebalanceAtMs)
  }
  return samples
}
