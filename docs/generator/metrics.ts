import { herderMetrics } from '../../src/connect/herder/herder-metrics.ts'
import { TaskCounters } from '../../src/connect/worker/task-metrics.ts'
import { Unit } from '../../src/connect/worker/unit.ts'
import { WorkerMetrics } from '../../src/connect/worker/worker-metrics.ts'
import type { MetricSample, TaskId } from '../../src/connect/index.ts'
import { METRIC_HELP } from '../../src/rest/metric-help.ts'
import { prometheusName } from '../../src/rest/prometheus.ts'
import { cell, page, table } from './tables.ts'

const AN_ID: TaskId = { connector: 'c', task: 0 }

function aUnit(task: number | null): Unit {
  return new Unit({
    id: task === null ? { connector: 'c', task } : { connector: 'c', task },
    connectorConfig: { transforms: 't', predicates: 'p' },
    config: {},
    target: 'STARTED',
    policy: { policy: 'never', backoffMs: 0, backoffMaxMs: 0, maxAttempts: 0, resetMs: 0 },
    home: { name: 'built-in', maxHosts: 1 },
  })
}

/** What a worker with one connector, one source task and one sink task shows, from the code that shows it. */
export function everyMetric(): readonly MetricSample[] {
  const membership = {
    protocol: 'sessioned',
    generation: 1,
    completedRebalances: 1,
    rebalancing: false,
    rebalanceMsMax: 0,
    rebalanceMsAverage: 0,
    lastRebalanceAtMs: 0,
  }
  return [
    ...new WorkerMetrics().samples([aUnit(null), aUnit(0)], {}, () => undefined),
    ...herderMetrics({ membership, leaderUrl: 'http://127.0.0.1:8083/', nowMs: 0 }),
    ...new TaskCounters(0).samples(AN_ID, 'source', 0),
    ...new TaskCounters(0).samples(AN_ID, 'sink', 0),
  ]
}

interface Line {
  readonly group: string
  readonly name: string
  readonly labels: string
  readonly meaning: string
}

/** One line a metric. Throws when a metric has no meaning, or a meaning no metric. */
export function metricLines(samples: readonly MetricSample[]): readonly Line[] {
  const lines = new Map<string, Line>()
  for (const sample of samples) {
    const name = prometheusName(sample)
    const meaning = METRIC_HELP[`${sample.group}/${sample.name}`]
    if (meaning === undefined) throw new Error(`docs: no meaning of the metric ${sample.group}/${sample.name}`)
    lines.set(name, { group: sample.group, name, labels: Object.keys(sample.labels).join(', '), meaning })
  }
  const shown = new Set(samples.map((sample) => `${sample.group}/${sample.name}`))
  const gone = Object.keys(METRIC_HELP).filter((key) => !shown.has(key))
  if (gone.length > 0) throw new Error(`docs: there is no metric ${gone.join(', ')}`)
  return [...lines.values()]
}

/** Names, labels and meanings of /metrics. */
export function metricsPage(): string {
  const lines = metricLines(everyMetric())
  const sections = [...new Set(lines.map((line) => line.group))].map((group) => {
    const rows = lines.filter((line) => line.group === group)
    const cells = rows.map(({ name, labels, meaning }) => [`\`${name}\``, labels || '-', cell(meaning)])
    return `## ${group}\n\n${table(['metric', 'labels', 'meaning'], cells)}`
  })
  const intro = `What \`GET /metrics\` of a worker shows, in the text format of Prometheus. Groups and names are Kafka Connect's; the
series are named as the usual rules of the JMX exporter name them, so dashboards made for Kafka Connect go on working. Each
worker shows what runs on it. Rates are of the last half minute, averages since the task started.`
  return page('Metrics', intro, sections)
}
