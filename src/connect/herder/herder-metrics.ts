import type { MetricSample, RunState } from '../worker/worker.ts'
import type { ConfigState } from './config-state.ts'
import type { MembershipMetrics } from './membership.ts'
import type { StatusState } from './status-state.ts'

export interface HerderMetricsInput {
  readonly config: ConfigState
  readonly statuses: StatusState
  readonly membership: MembershipMetrics
  readonly leaderUrl: string | null
  readonly nowMs: number
}

/** The states of connect-worker-metrics that Kafka counts by connector. */
const COUNTED: readonly RunState[] = ['RUNNING', 'PAUSED', 'FAILED', 'UNASSIGNED', 'DESTROYED', 'RESTARTING']

/** What only the herder can count: tasks by state, and rebalances. */
export function herderMetrics(input: HerderMetricsInput): readonly MetricSample[] {
  const samples: MetricSample[] = []
  for (const connector of input.config.connectors()) samples.push(...connectorSamples(input, connector))
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

function connectorSamples(input: HerderMetricsInput, connector: string): readonly MetricSample[] {
  const group = 'connect-worker-metrics'
  const labels = { connector }
  const tasks = input.config.tasks(connector)
  const states = tasks.map((key) => input.statuses.task(key)?.state ?? 'UNASSIGNED')
  return [
    { group, name: 'connector-total-task-count', labels, value: tasks.length },
    ...COUNTED.map((state) => ({
      group,
      name: `connector-${state.toLowerCase()}-task-count`,
      labels,
      value: states.filter((found) => found === state).length,
    })),
  ]
}
