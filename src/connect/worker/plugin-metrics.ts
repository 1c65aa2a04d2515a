import type { PluginKind, RawConfig } from '@millrace/sdk'
import { type AliasedPlugin, converterOf, predicatesOf, transformationSteps } from '../config/connector-config.ts'
import type { Unit } from './unit.ts'
import type { MetricSample, PluginInfo } from './worker.ts'

/** Finds a plugin by the class name that a user wrote, the newest version in the range that he wrote. */
export type FindPlugin = (className: string, kind?: PluginKind, range?: string) => PluginInfo | undefined

type Labels = Readonly<Record<string, string>>

/** What a task is made of: classes and versions, as Kafka Connect 4.1 and later tell them. Text is a label of a 1. */
export function taskPluginSamples(unit: Unit, workerConfig: RawConfig, find: FindPlugin): MetricSample[] {
  const { connector, connectorConfig } = unit
  const labels = { connector, task: String(unit.task) }
  const group = 'connector-task-metrics'
  const plugin = find(connectorConfig['connector.class'] ?? '', undefined, connectorConfig['connector.plugin.version'])
  const connectorClass = plugin?.class ?? connectorConfig['connector.class'] ?? ''
  const version = unit.version ?? plugin?.version ?? ''
  const facts: readonly (readonly [string, Labels])[] = [
    ['connector-class', { class: connectorClass }],
    ['connector-type', { type: plugin?.type ?? 'unknown' }],
    ['connector-version', { version }],
    ['task-class', { class: unit.config['task.class'] ?? connectorClass }],
    ['task-version', { version }],
  ]
  return [
    ...facts.map(([name, fact]) => ({ group, name, labels: { ...labels, ...fact }, value: 1 })),
    ...(['key.converter', 'value.converter', 'header.converter'] as const).flatMap((key) => {
      const { className, config } = converterOf(key, connectorConfig, workerConfig)
      const range = config['plugin.version']
      const converter = key === 'header.converter' ? find(className, 'header-converter', range) : undefined
      const found = converter ?? find(className, 'converter', range)
      return classAndVersion(group, key.replace('.', '-'), labels, className, found)
    }),
    ...stepSamples('transform', labels, transformationSteps(connectorConfig), (name, range) =>
      find(name, 'transformation', range),
    ),
    ...stepSamples('predicate', labels, predicatesOf(connectorConfig), (name, range) => find(name, 'predicate', range)),
  ]
}

function stepSamples(
  kind: 'transform' | 'predicate',
  labels: Labels,
  steps: readonly AliasedPlugin[],
  find: (className: string, range: string | undefined) => PluginInfo | undefined,
): MetricSample[] {
  const group = `connector-${kind}-metrics`
  return steps.flatMap(({ alias, className, config }) =>
    classAndVersion(group, kind, { ...labels, [kind]: alias }, className, find(className, config['plugin.version'])),
  )
}

function classAndVersion(
  group: string,
  name: string,
  labels: Labels,
  className: string,
  plugin: PluginInfo | undefined,
): MetricSample[] {
  return [
    { group, name: `${name}-class`, labels: { ...labels, class: plugin?.class ?? className }, value: 1 },
    { group, name: `${name}-version`, labels: { ...labels, version: plugin?.version ?? '' }, value: 1 },
  ]
}
