import { describe, expect, it } from 'vitest'
import { restartPolicyOf } from '../../../../src/connect/worker/runtime-config.ts'
import { TaskCounters } from '../../../../src/connect/worker/task-metrics.ts'
import { Unit } from '../../../../src/connect/worker/unit.ts'
import { WorkerMetrics } from '../../../../src/connect/worker/worker-metrics.ts'
import type { MetricSample, PluginInfo } from '../../../../src/connect/worker/worker.ts'

const id = { connector: 'c', task: 3 }
const namesOf = (samples: readonly MetricSample[], group: string) =>
  samples.filter((sample) => sample.group === group).map(({ name }) => name)
const valueOf = (samples: readonly MetricSample[], name: string) =>
  samples.find((sample) => sample.name === name)?.value

describe('the metrics of a task', () => {
  it('have the names of Kafka Connect', () => {
    const counters = new TaskCounters(0)
    const source = counters.samples(id, 'source', 1000)
    expect(namesOf(source, 'connector-task-metrics')).toEqual([
      'status',
      'running-ratio',
      'pause-ratio',
      'offset-commit-max-time-ms',
      'offset-commit-avg-time-ms',
      'offset-commit-success-percentage',
      'offset-commit-failure-percentage',
      'batch-size-max',
      'batch-size-avg',
    ])
    expect(namesOf(source, 'source-task-metrics')).toEqual([
      'source-record-poll-total',
      'source-record-poll-rate',
      'source-record-write-total',
      'source-record-write-rate',
      'poll-batch-max-time-ms',
      'poll-batch-avg-time-ms',
      'source-record-active-count',
      'source-record-active-count-max',
      'source-record-active-count-avg',
    ])
    expect(namesOf(source, 'task-error-metrics')).toEqual([
      'total-record-failures',
      'total-record-errors',
      'total-records-skipped',
      'total-retries',
      'total-errors-logged',
      'deadletterqueue-produce-requests',
      'deadletterqueue-produce-failures',
      'last-error-timestamp',
    ])
    const sink = namesOf(counters.samples(id, 'sink', 1000), 'sink-task-metrics')
    expect(sink).toEqual([
      'sink-record-read-total',
      'sink-record-read-rate',
      'sink-record-send-total',
      'sink-record-send-rate',
      'sink-record-lag-max',
      'partition-count',
      'offset-commit-seq-no',
      'offset-commit-completion-total',
      'offset-commit-completion-rate',
      'offset-commit-skip-total',
      'offset-commit-skip-rate',
      'put-batch-max-time-ms',
      'put-batch-avg-time-ms',
      'sink-record-active-count',
      'sink-record-active-count-max',
      'sink-record-active-count-avg',
    ])
    for (const sample of source) expect(sample.labels).toMatchObject({ connector: 'c', task: '3' })
  })

  it('tell the share of time in a state, and rates over the last half minute', () => {
    const counters = new TaskCounters(0)
    counters.enter('RUNNING', 0)
    counters.recordsIn = 1000
    const early = counters.samples(id, 'source', 10_000)
    expect(valueOf(early, 'source-record-poll-rate')).toBe(100)
    counters.enter('PAUSED', 30_000)
    counters.samples(id, 'source', 30_000)
    const late = counters.samples(id, 'source', 60_000)
    expect(valueOf(late, 'running-ratio')).toBe(0.5)
    expect(valueOf(late, 'pause-ratio')).toBe(0.5)
    expect(valueOf(late, 'source-record-poll-rate')).toBe(0)
    expect(valueOf(late, 'source-record-poll-total')).toBe(1000)
  })
})

describe('the metrics of a worker', () => {
  function unit(task: number | null, state: Unit['state']): Unit {
    const created = new Unit({
      id: task === null ? { connector: 'c', task: null } : { connector: 'c', task },
      connectorConfig: { 'connector.class': 'X' },
      config: {},
      target: 'STARTED',
      policy: restartPolicyOf({}),
      home: { name: 'builtin', maxHosts: 1 },
    })
    created.state = state
    return created
  }

  it('keep the state of a task that has failed and has no host any more', () => {
    const metrics = new WorkerMetrics()
    const samples = metrics.samples([unit(null, 'RUNNING'), unit(0, 'RUNNING'), unit(1, 'FAILED')], {}, () => undefined)
    const states = samples.filter(({ group, name }) => group === 'connector-task-metrics' && name === 'status')
    expect(states.map(({ labels }) => [labels['task'], labels['status']])).toEqual([
      ['0', 'running'],
      ['1', 'failed'],
    ])
    expect(valueOf(samples, 'connector-count')).toBe(1)
    expect(valueOf(samples, 'task-count')).toBe(2)
    expect(valueOf(samples, 'connector-total-task-count')).toBe(2)
    expect(valueOf(samples, 'connector-running-task-count')).toBe(1)
    expect(valueOf(samples, 'connector-failed-task-count')).toBe(1)
  })

  it('count each start once, by its first state', () => {
    const metrics = new WorkerMetrics()
    const [good, bad] = [unit(0, 'RUNNING'), unit(1, 'FAILED')]
    for (const one of [good, bad]) {
      metrics.startup('task')
      metrics.state(one, one.state)
      metrics.state(one, 'RUNNING')
    }
    const samples = metrics.samples([], {}, () => undefined)
    expect(valueOf(samples, 'task-startup-attempts-total')).toBe(2)
    expect(valueOf(samples, 'task-startup-success-total')).toBe(1)
    expect(valueOf(samples, 'task-startup-failure-total')).toBe(1)
    expect(valueOf(samples, 'task-startup-success-percentage')).toBe(0.5)
  })

  it('tell classes and versions of a task, of its converters, transformations and predicates, also of a failed one', () => {
    const task = new Unit({
      id: { connector: 'c', task: 0 },
      connectorConfig: {
        'connector.class': 'Source',
        'key.converter': 'StringConverter',
        transforms: 'mask,gone',
        'transforms.mask.type': 'MaskField',
        'transforms.mask.predicate': 'some',
        'transforms.gone.type': 'NotThere',
        predicates: 'some',
        'predicates.some.type': 'IsTombstone',
      },
      config: { 'task.class': 'SourceTask' },
      target: 'STARTED',
      policy: restartPolicyOf({}),
      home: { name: 'builtin', maxHosts: 1 },
    })
    task.state = 'FAILED'
    const plugins = new Map<string, PluginInfo>([
      ['Source', { class: 'org.example.Source', type: 'source', version: '1.2', aliases: [] }],
      ['StringConverter', { class: 'org.example.StringConverter', type: 'converter', version: '4', aliases: [] }],
      ['Json', { class: 'org.example.Json', type: 'converter', version: '5', aliases: [] }],
      ['MaskField', { class: 'org.example.MaskField', type: 'transformation', version: '6', aliases: [] }],
      ['IsTombstone', { class: 'org.example.IsTombstone', type: 'predicate', version: '7', aliases: [] }],
    ])
    const find = (name: string, kind?: string) => {
      const plugin = plugins.get(name)
      return kind === undefined || plugin?.type === kind ? plugin : undefined
    }
    const samples = new WorkerMetrics().samples([task], { 'value.converter': 'Json' }, find)
    const textOf = (name: string) => {
      const labels = samples.filter((sample) => sample.name === name).map((sample) => sample.labels)
      return labels.map((label) => label['class'] ?? label['version'] ?? label['type'])
    }
    expect(textOf('connector-class')).toEqual(['org.example.Source'])
    expect(textOf('connector-type')).toEqual(['source'])
    expect(textOf('connector-version')).toEqual(['1.2'])
    expect(textOf('task-class')).toEqual(['SourceTask'])
    expect(textOf('task-version')).toEqual(['1.2'])
    expect(textOf('key-converter-class')).toEqual(['org.example.StringConverter'])
    expect(textOf('key-converter-version')).toEqual(['4'])
    expect(textOf('value-converter-class')).toEqual(['org.example.Json'])
    expect(textOf('header-converter-class')).toEqual(['org.apache.kafka.connect.storage.SimpleHeaderConverter'])
    expect(samples.filter(({ group }) => group === 'connector-transform-metrics')).toEqual([
      sample('transform', 'mask', 'class', 'org.example.MaskField'),
      sample('transform', 'mask', 'version', '6'),
      sample('transform', 'gone', 'class', 'NotThere'),
      sample('transform', 'gone', 'version', ''),
    ])
    expect(samples.filter(({ group }) => group === 'connector-predicate-metrics')).toEqual([
      sample('predicate', 'some', 'class', 'org.example.IsTombstone'),
      sample('predicate', 'some', 'version', '7'),
    ])
  })
})

function sample(kind: 'transform' | 'predicate', alias: string, fact: 'class' | 'version', text: string): MetricSample {
  const labels = { connector: 'c', task: '0', [kind]: alias, [fact]: text }
  return { group: `connector-${kind}-metrics`, name: `${kind}-${fact}`, labels, value: 1 }
}
