import type { MetricSample } from '../connect/index.ts'
import { METRIC_HELP } from './metric-help.ts'

/** The name that the usual JMX exporter rules give: status is a label of a series that is always 1. */
export function prometheusName(sample: MetricSample): string {
  const group = sample.name === 'status' ? sample.group.replace(/-metrics$/, '') : sample.group
  return `kafka_connect_${group}_${sample.name}`.replaceAll(/[^a-zA-Z0-9_]/g, '_')
}

function escapeLabel(value: string): string {
  return value.replaceAll('\\', '\\\\').replaceAll('"', '\\"').replaceAll('\n', '\\n')
}

function renderLabels(labels: Readonly<Record<string, string>>): string {
  const parts = Object.entries(labels).map(([name, value]) => {
    const text = name === 'status' ? value.toLowerCase() : value
    return `${name.replaceAll(/[^a-zA-Z0-9_]/g, '_')}="${escapeLabel(text)}"`
  })
  return parts.length === 0 ? '' : `{${parts.join(',')}}`
}

function renderValue(value: number): string {
  if (Number.isNaN(value)) return 'NaN'
  if (!Number.isFinite(value)) return value > 0 ? '+Inf' : '-Inf'
  return String(value)
}

/** A metric without a text of its own is told by the names that Kafka Connect gives it. */
function help({ group, name }: MetricSample): string {
  return METRIC_HELP[`${group}/${name}`] ?? `${name} of ${group}`
}

/** The samples in Prometheus' text format; those of one name stand together, as the format asks. */
export function renderPrometheus(samples: readonly MetricSample[]): string {
  const lines = new Map<string, string[]>()
  for (const sample of samples) {
    const name = prometheusName(sample)
    let series = lines.get(name)
    if (!series) {
      series = [`# HELP ${name} ${help(sample)}`, `# TYPE ${name} ${name.endsWith('_total') ? 'counter' : 'gauge'}`]
      lines.set(name, series)
    }
    series.push(`${name}${renderLabels(sample.labels)} ${renderValue(sample.value)}`)
  }
  return [...lines.values()].flat().join('\n').concat('\n')
}
