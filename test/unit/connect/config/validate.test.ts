import {
  defineConfig,
  defineSinkConnector,
  defineSourceConnector,
  type PluginDefinition,
  type RawConfig,
  type SinkConnector,
  type SourceConnector,
} from '@millrace/sdk'
import { describe, expect, test } from 'vitest'
import { converterOf, transformationSteps } from '../../../../src/connect/config/connector-config.ts'
import { versionInRange } from '../../../../src/connect/config/plugin-version.ts'
import { topicCreationRules } from '../../../../src/connect/config/topic-creation.ts'
import {
  connectorPluginConfig,
  redactedConfig,
  validateConnectorConfig,
  type WorkerPolicy,
} from '../../../../src/connect/config/validate.ts'
import predicate from '../../../../transforms/predicates/record-is-tombstone.ts'
import insertField from '../../../../transforms/insert-field.ts'

const config = defineConfig({
  secret: { type: 'password', importance: 'high', doc: 'd' },
  url: { type: 'string', default: 'x', importance: 'high', doc: 'd', group: 'Connection' },
})

const source = defineSourceConnector({
  name: 'S',
  version: '1.2',
  config,
  validate: ({ secret, url }) => (url === 'bad' ? [{ key: 'url', message: `Cannot connect with ${secret}` }] : []),
  taskConfigs: (_config, _max, raw) => [raw],
  createTask: () => ({ poll: () => null }),
}) as unknown as SourceConnector

const sink = defineSinkConnector({
  name: 'K',
  version: '1.2',
  config: defineConfig({}),
  taskConfigs: (_config, _max, raw) => [raw],
  createTask: () => ({ put: () => undefined }),
}) as unknown as SinkConnector

const known: Record<string, PluginDefinition> = {
  Insert: insertField.value as unknown as PluginDefinition,
  Tombstone: predicate as unknown as PluginDefinition,
}

async function errorsOf(plugin: SourceConnector | SinkConnector, raw: RawConfig, worker: Partial<WorkerPolicy> = {}) {
  const infos = await validateConnectorConfig({
    raw: { name: 'n', 'connector.class': plugin.name, ...raw },
    plugin,
    resolvePlugin: (className) => known[className],
    worker: {
      overridePolicy: { name: 'All' },
      groupId: 'connect-cluster',
      topicCreationEnabled: true,
      ...worker,
    },
  })
  const found = infos.configs.filter((info) => info.value.errors.length > 0)
  expect(infos.error_count).toBe(found.reduce((sum, info) => sum + info.value.errors.length, 0))
  return Object.fromEntries(found.map((info) => [info.value.name, info.value.errors]))
}

test('a good configuration has no errors, and passwords are hidden', async () => {
  expect(await errorsOf(source, { secret: 'hunter2' })).toEqual({})
})

test('the plugin’s own check runs, and what it says never shows a password', async () => {
  expect(await errorsOf(source, { secret: 'hunter2', url: 'bad' })).toEqual({
    url: ['Cannot connect with [hidden]'],
  })
})

describe('what Kafka accepts and fails on later', () => {
  test('an undefined predicate is refused', async () => {
    const raw = {
      secret: 's',
      transforms: 'a',
      'transforms.a.type': 'Insert',
      'transforms.a.static.field': 'f',
      'transforms.a.static.value': 'v',
      'transforms.a.predicate': 'p',
    }
    expect(await errorsOf(source, raw)).toEqual({
      'transforms.a.predicate': [
        'Invalid value p for configuration transforms.a.predicate: No predicate of this name; none is defined. Add it to "predicates".',
      ],
    })
    expect(await errorsOf(source, { ...raw, predicates: 'p', 'predicates.p.type': 'Tombstone' })).toEqual({})
  })

  test('a transformation that cannot be created is named', async () => {
    const raw = { secret: 's', transforms: 'a', 'transforms.a.type': 'Insert' }
    expect(await errorsOf(source, raw)).toEqual({ 'transforms.a.type': ['No field insertion configured'] })
  })

  test('wrong topic creation values are refused', async () => {
    const raw = {
      secret: 's',
      'topic.creation.groups': 'g',
      'topic.creation.default.partitions': '0',
      'topic.creation.g.include': '[',
    }
    const errors = await errorsOf(source, raw)
    expect(Object.keys(errors)).toEqual([
      'topic.creation.g.include',
      'topic.creation.default.replication.factor',
      'topic.creation.default.partitions',
    ])
    expect(await errorsOf(source, raw, { topicCreationEnabled: false })).toEqual({})
  })
})

describe('what needs transactions', () => {
  test.each([
    ['exactly.once.support', 'required'],
    ['transaction.boundary', 'connector'],
    ['transaction.boundary', 'Interval'],
    ['transaction.boundary.interval.ms', '1000'],
    ['offsets.storage.topic', 'my-offsets'],
  ])('is refused: %s=%s', async (key, value) => {
    const errors = await errorsOf(source, { [key]: value })
    expect(JSON.stringify(errors)).toContain(
      `Invalid value ${value} for configuration ${key}: sources write at least once`,
    )
  })

  test('has one error when it is no value at all', async () => {
    for (const key of ['exactly.once.support', 'transaction.boundary']) {
      const errors = await errorsOf(source, { [key]: 'no' })
      expect(JSON.stringify(errors).match(/Invalid value no/g)).toHaveLength(1)
    }
  })

  test('may be named with the value that asks for nothing', async () => {
    const usual = { 'exactly.once.support': 'requested', 'transaction.boundary': 'POLL' }
    expect(await errorsOf(source, usual)).toEqual(await errorsOf(source, {}))
  })
})

describe('client overrides', () => {
  const raw = { secret: 's', 'producer.override.acks': '1', 'producer.override.sasl.mechanism': 'PLAIN' }
  const acks = "The 'Principal' policy does not allow 'acks' to be overridden in the connector configuration."

  test.each([
    [{ name: 'All' }, []],
    [{ name: 'Principal' }, [acks]],
    [{ name: 'Allowlist', allowed: ['acks', 'sasl.mechanism'] }, []],
  ] as const)('policy %j', async (overridePolicy, messages) => {
    const errors = await errorsOf(source, raw, { overridePolicy })
    expect(Object.values(errors).flat()).toEqual(messages)
  })

  test('a refused key is listed although it has no definition', async () => {
    const errors = await errorsOf(source, raw, { overridePolicy: { name: 'None' } })
    expect(Object.keys(errors)).toEqual(['producer.override.acks', 'producer.override.sasl.mechanism'])
  })
})

test('the group of a sink may not be the group of the workers', async () => {
  const conflict = 'Consumer group for sink connector named cluster conflicts with Connect worker group connect-cluster'
  expect(await errorsOf(sink, { topics: 't', name: 'cluster' })).toEqual({ name: [conflict] })
  expect(await errorsOf(sink, { topics: 't', name: 'cluster' }, { groupId: null })).toEqual({})
  const overridden = { topics: 't', 'consumer.override.group.id': 'connect-cluster' }
  expect(Object.keys(await errorsOf(sink, overridden))).toEqual(['consumer.override.group.id'])
})

test('a standalone worker refuses a connector whose labels it lacks; in a group it may wait for another worker', async () => {
  const raw = { secret: 'x', 'required.worker.labels': 'zone=a, role=edge' }
  expect(await errorsOf(source, raw, { groupId: null, labels: new Set(['zone=a']) })).toEqual({
    'required.worker.labels': [
      'Invalid value zone=a, role=edge for configuration required.worker.labels: this standalone worker lacks role=edge; ' +
        'start it with worker.labels=role=edge,zone=a, or leave the key out',
    ],
  })
  expect(await errorsOf(source, raw, { groupId: null, labels: new Set(['zone=a', 'role=edge']) })).toEqual({})
  expect(await errorsOf(source, raw)).toEqual({})
  const bad = await errorsOf(source, { ...raw, 'required.worker.labels': 'edge' }, { groupId: null })
  expect(bad['required.worker.labels']).toEqual([expect.stringContaining('"edge" is no label')])
})

test('the definition of a plugin lists its own keys first', () => {
  const infos = connectorPluginConfig(source)
  expect(infos.slice(0, 3).map((info) => info.name)).toEqual(['secret', 'url', 'name'])
  expect(infos[0]).toMatchObject({ type: 'PASSWORD', required: true, default_value: null, order_in_group: -1 })
  expect(infos.find((info) => info.name === 'connector.plugin.version')?.default_value).toBe('1.2')
})

test('several versions are recommended, and a range is held against all of them', async () => {
  const errors = async (raw: RawConfig) => {
    const infos = await validateConnectorConfig({
      raw: { name: 'n', 'connector.class': 'K', topics: 't', ...raw },
      plugin: sink,
      resolvePlugin: (className, _kind, range) => (range === 'asked' ? undefined : known[className]),
      pluginVersions: (className) => (className === 'K' ? ['1.0', '1.2'] : ['2.0', '3.0']),
      worker: { overridePolicy: { name: 'All' }, groupId: null, topicCreationEnabled: true },
    })
    return infos.configs.filter((info) => info.value.errors.length > 0 || info.value.name.endsWith('plugin.version'))
  }
  const version = (infos: Awaited<ReturnType<typeof errors>>, key: string) =>
    infos.find((info) => info.value.name === key)
  const none = version(await errors({ 'connector.plugin.version': '[2,)' }), 'connector.plugin.version')
  expect(none?.value.errors).toEqual([
    'Plugin K not found that matches the version range [2,), available versions: [1.0, 1.2]',
  ])
  expect(none?.value.recommended_values).toEqual(['1.0', '1.2'])
  for (const fine of ['1.0', 'latest', '[1,2)']) {
    expect(
      version(await errors({ 'connector.plugin.version': fine }), 'connector.plugin.version')?.value.errors,
    ).toEqual([])
  }
  const transforms = { transforms: 't', 'transforms.t.type': 'Tombstone' }
  const insert = {
    transforms: 't',
    'transforms.t.type': 'Insert',
    'transforms.t.static.field': 'a',
    'transforms.t.static.value': 'b',
  }
  expect(
    version(await errors({ ...insert, 'transforms.t.plugin.version': '4' }), 'transforms.t.plugin.version')?.value
      .errors,
  ).toEqual([expect.stringContaining('version range [4,4], available versions: [2.0, 3.0]')])
  const asked = await errors({ ...transforms, 'transforms.t.plugin.version': 'asked' })
  expect(version(asked, 'transforms.t.type')?.value.errors).toEqual([expect.stringContaining('could not be found')])
})

test('passwords and what looks like one are redacted, references are not', async () => {
  const raw = { secret: 'hunter2', url: 'x', 'producer.override.sasl.jaas.config': 'geheim', other: '1' }
  const infos = await validateConnectorConfig({
    raw,
    plugin: source,
    resolvePlugin: () => undefined,
    worker: {
      overridePolicy: { name: 'All' },
      groupId: null,
      topicCreationEnabled: true,
    },
  })
  expect(JSON.stringify(infos)).not.toContain('hunter2')
  expect(redactedConfig(raw, infos)).toEqual({
    secret: '[hidden]',
    url: 'x',
    'producer.override.sasl.jaas.config': '[hidden]',
    other: '1',
  })
  expect(redactedConfig({ secret: '${file:/a:b}' }, infos)).toEqual({ secret: '${file:/a:b}' })
})

test('a connector that names a converter takes none of the options of the worker', () => {
  const worker = { 'value.converter': 'Json', 'value.converter.schemas.enable': 'false' }
  expect(converterOf('value.converter', {}, worker)).toEqual({
    className: 'Json',
    config: { 'schemas.enable': 'false' },
  })
  const own = { 'value.converter': 'Json', 'value.converter.decimal.format': 'NUMERIC' }
  expect(converterOf('value.converter', own, worker).config).toEqual({ 'decimal.format': 'NUMERIC' })
  expect(converterOf('header.converter', {}, worker).className).toMatch(/SimpleHeaderConverter$/)
})

test('the chain of transformations keeps the order of its list', () => {
  const raw = {
    transforms: 'b, a',
    'transforms.a.type': 'A',
    'transforms.b.type': 'B',
    'transforms.b.predicate': 'p',
    'transforms.b.negate': 'TRUE',
    'transforms.b.x': '1',
  }
  expect(transformationSteps(raw)).toEqual([
    {
      alias: 'b',
      className: 'B',
      predicate: 'p',
      negate: true,
      config: { type: 'B', predicate: 'p', negate: 'TRUE', x: '1' },
    },
    { alias: 'a', className: 'A', predicate: null, negate: false, config: { type: 'A' } },
  ])
})

test('rules for new topics: the first group that matches, defaults of the default group', () => {
  const { groups, issues } = topicCreationRules({
    'topic.creation.groups': 'logs',
    'topic.creation.logs.include': 'log-.*,audit',
    'topic.creation.logs.exclude': 'log-raw',
    'topic.creation.logs.partitions': '3',
    'topic.creation.logs.cleanup.policy': 'compact',
    'topic.creation.default.partitions': '1',
    'topic.creation.default.replication.factor': '-1',
  })
  expect(issues).toEqual([])
  const groupOf = (topic: string) => groups.find((group) => group.matches(topic))?.name
  expect(['log-a', 'log-raw', 'audit', 'xaudit'].map(groupOf)).toEqual(['logs', 'default', 'logs', 'default'])
  expect(groups[0]).toMatchObject({ partitions: 3, replicationFactor: -1, configs: { 'cleanup.policy': 'compact' } })
  expect(topicCreationRules({ file: 'x' })).toEqual({ groups: [], issues: [] })
})

test.each([
  ['4.3.1', '4.3.1', true],
  ['4.3.1', '4.3', false],
  ['4.3.0', '4.3', true],
  ['1.5', '[1.0,2.0)', true],
  ['2.0', '[1.0,2.0)', false],
  ['2.0', '(,2.0]', true],
  ['1.10', '(1.9,)', true],
  ['3', '[1,2],[3]', true],
  ['1.0-beta', '[1.0,)', false],
  ['1', '[1', undefined],
])('version %s in %s: %s', (version, range, expected) => {
  expect(versionInRange(version, range)).toBe(expected)
})
