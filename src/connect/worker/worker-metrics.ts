import type { RawConfig } from '@millrace/sdk'
import { type FindPlugin, taskPluginSamples } from './plugin-metrics.ts'
import type { Unit } from './unit.ts'
import type { MetricSample, RunState } from './worker.ts'

class StartupCounts {
  attempts = 0
  successes = 0
  failures = 0
}

const TASK_STATES: readonly RunState[] = ['RUNNING', 'PAUSED', 'FAILED', 'UNASSIGNED', 'DESTROYED', 'RESTARTING']

/** The numbers of the worker itself, and those its units have reported. */
export class WorkerMetrics {
  readonly #startups = { connector: new StartupCounts(), task: new StartupCounts() }
  readonly #counted = new WeakSet<Unit>()

  startup(kind: 'connector' | 'task'): void {
    this.#startups[kind].attempts++
  }

  /** The first state after a start tells whether it succeeded. */
  state(unit: Unit, state: RunState): void {
    if (this.#counted.has(unit)) return
    this.#counted.add(unit)
    const counts = this.#startups[unit.task === null ? 'connector' : 'task']
    if (state === 'FAILED') counts.failures++
    else counts.successes++
  }

  samples(units: readonly Unit[], workerConfig: RawConfig, find: FindPlugin): MetricSample[] {
    const connectors = units.filter((unit) => unit.task === null)
    const tasks = units.filter((unit) => unit.task !== null)
    const samples: MetricSample[] = [
      worker('connector-count', connectors.length),
      worker('task-count', tasks.length),
      ...this.#startup('connector'),
      ...this.#startup('task'),
    ]
    for (const unit of connectors) samples.push(...connectorSamples(unit, tasks, find))
    for (const unit of tasks) {
      samples.push(...taskSamples(unit), ...taskPluginSamples(unit, workerConfig, find))
    }
    return samples
  }

  #startup(kind: 'connector' | 'task'): MetricSample[] {
    const { attempts, successes, failures } = this.#startups[kind]
    const all = Math.max(1, successes + failures)
    return [
      worker(`${kind}-startup-attempts-total`, attempts),
      worker(`${kind}-startup-success-total`, successes),
      worker(`${kind}-startup-success-percentage`, successes / all),
      worker(`${kind}-startup-failure-total`, failures),
      worker(`${kind}-startup-failure-percentage`, failures / all),
    ]
  }
}

function worker(name: string, value: number, labels: Readonly<Record<string, string>> = {}): MetricSample {
  return { group: 'connect-worker-metrics', name, labels, value }
}

function connectorSamples(unit: Unit, tasks: readonly Unit[], find: FindPlugin): MetricSample[] {
  const connector = unit.connector
  const own = tasks.filter((task) => task.connector === connector)
  const className = unit.connectorConfig['connector.class'] ?? ''
  const plugin = find(className)
  const group = 'connector-metrics'
  return [
    worker('connector-total-task-count', own.length, { connector }),
    ...TASK_STATES.map((state) =>
      worker(`connector-${state.toLowerCase()}-task-count`, own.filter((task) => task.state === state).length, {
        connector,
      }),
    ),
    { group, name: 'status', labels: { connector, status: unit.state.toLowerCase() }, value: 1 },
    { group, name: 'connector-class', labels: { connector, class: plugin?.class ?? className }, value: 1 },
    { group, name: 'connector-type', labels: { connector, type: plugin?.type ?? 'unknown' }, value: 1 },
    {
      group,
      name: 'connector-version',
      labels: { connector, version: unit.version ?? plugin?.version ?? '' },
      value: 1,
    },
  ]
}

/** The state is the worker's, which also knows it when the task's host is gone: a FAILED task keeps its metrics. */
function taskSamples(unit: Unit): MetricSample[] {
  const labels = { connector: unit.connector, task: String(unit.task) }
  const status: MetricSample = {
    group: 'connector-task-metrics',
    name: 'status',
    labels: { ...labels, status: unit.state.toLowerCase() },
    value: 1,
  }
  return [status, ...unit.metrics.filter((sample) => sample.name !== 'status')]
}
