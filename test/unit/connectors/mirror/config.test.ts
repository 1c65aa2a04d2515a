import { readdirSync, readFileSync } from 'node:fs'
import { type ConfigDef, type ConfigIssue, parseConfig, type RawConfig } from '@millrace/sdk'
import { describe, expect, test } from 'vitest'
import { mirrorClients } from '../../../../connectors/mirror/clients.ts'
import { mirrorManifests } from '../../../../connectors/mirror/manifest.ts'
import { MirrorRecord, mirroredPartition } from '../../../../connectors/mirror/record.ts'
import type { SourceConfig } from '../../../../connectors/mirror/source-config.ts'

const folder = new URL('../../../../connectors/mirror/examples/', import.meta.url)
const examples = readdirSync(folder).filter((name) => name.endsWith('.json'))

interface Definition {
  readonly config: ConfigDef
  readonly defaults: RawConfig
  validate(config: unknown, raw: RawConfig): readonly ConfigIssue[]
}

async function definitionOf(className: string): Promise<Definition> {
  const manifest = mirrorManifests.find(({ name, aliases }) => [name, ...aliases].includes(className))
  return ((await manifest!.load()) as { default: Definition }).default
}

async function issuesOf(className: string, raw: RawConfig): Promise<string[]> {
  const definition = await definitionOf(className)
  const { values, issues } = parseConfig(definition.config, raw)
  return [...issues, ...definition.validate(values, raw)].map(({ key }) => key)
}

const clusters = { 'source.cluster.alias': 'here', 'source.cluster.bootstrap.servers': 'localhost:1' }

describe('the configuration of a mirror', () => {
  test.each(examples)('%s is legal', async (name) => {
    const { config } = JSON.parse(readFileSync(new URL(name, folder), 'utf8')) as { config: RawConfig }
    expect(await issuesOf(config['connector.class'] ?? '', config)).toEqual([])
  })

  test.each(mirrorManifests)('the definition of $name is that of its manifest', async (manifest) => {
    const { kind, name, aliases, version } = manifest
    expect(await manifest.load()).toMatchObject({ default: { kind, name, aliases, version } })
  })

  test.each([
    ['topic.filter.class', 'com.acme.Filter'],
    ['config.property.filter.class', 'com.acme.Filter'],
    ['replication.policy.class', 'com.acme.Policy'],
    ['forwarding.admin.class', 'com.acme.Admin'],
    ['metric.reporters', 'com.acme.Reporter'],
    ['source.cluster.security.protocol', 'SASL_SSL'],
    ['target.cluster.security.protocol', 'SSL'],
    ['source.consumer.security.protocol', 'SSL'],
    ['topics', '(('],
    ['replication.policy.separator', ''],
    ['refresh.topics.interval.seconds', '0'],
  ])('%s=%s is refused by name', async (key, value) => {
    expect(await issuesOf('MirrorSource', { ...clusters, [key]: value })).toEqual([key])
  })

  test('config providers of MirrorMaker are accepted as long as the worker has them', async () => {
    const raw = { ...clusters, 'config.providers': 'env, file' }
    expect(await issuesOf('MirrorSource', { ...raw, 'source.cluster.sasl.jaas.config': 'resolved' })).toEqual([])
    const left = { ...raw, 'source.cluster.sasl.jaas.config': 'password=${file:/run/secrets:password}' }
    expect(await issuesOf('MirrorSource', left)).toEqual(['source.cluster.sasl.jaas.config'])
  })

  test('what is of no use together is refused', async () => {
    const off = { ...clusters, 'emit.offset-syncs.enabled': 'false' }
    expect(await issuesOf('MirrorSource', { ...off, 'offset-syncs.topic.replication.factor': '1' })).toEqual([
      'emit.offset-syncs.enabled',
    ])
    expect(await issuesOf('MirrorCheckpoint', off)).toEqual(['emit.offset-syncs.enabled'])
    expect(await issuesOf('MirrorCheckpoint', { ...clusters, 'emit.checkpoints.enabled': 'false' })).toEqual([
      'emit.checkpoints.enabled',
    ])
    expect(await issuesOf('MirrorCheckpoint', { ...clusters, 'group.filter.class': 'com.acme.F' })).toEqual([
      'group.filter.class',
    ])
  })

  test('the source has to be named, by either of its names', async () => {
    expect(await issuesOf('MirrorSource', { 'source.cluster.alias': 'here' })).toEqual([
      'source.cluster.bootstrap.servers',
    ])
    const short = { 'source.cluster.alias': 'here', 'source.bootstrap.servers': 'localhost:1' }
    expect(await issuesOf('MirrorSource', short)).toEqual([])
  })

  test('bytes stay bytes unless the configuration names converters', async () => {
    for (const { name } of mirrorManifests) {
      const { defaults } = await definitionOf(name)
      expect(defaults['value.converter']).toBe('org.apache.kafka.connect.converters.ByteArrayConverter')
    }
  })
})

test('the clients of both clusters have the settings of their prefixes', async () => {
  const raw = {
    ...clusters,
    'target.cluster.alias': 'there',
    'consumer.fetch.min.bytes': '5',
    'consumer.max.poll.records': '6',
    'source.consumer.max.poll.records': '7',
    'source.consumer.client.id': 'mine',
    'admin.timeout.ms': '123',
  }
  const { config } = await definitionOf('MirrorSource')
  const made: RawConfig[] = []
  const note = (settings: RawConfig): never => made.push(settings) as never
  const kafka = { consumer: note, producer: note, admin: note }
  const context = { kafka, connectorName: 'm', taskId: 2 }
  const clients = mirrorClients(parseConfig(config, raw).values as unknown as SourceConfig, raw, context)
  clients.consumer('source', 'reader')
  clients.admin('target', 'boss')
  expect(made).toEqual([
    {
      'auto.offset.reset': 'earliest',
      'bootstrap.servers': 'localhost:1',
      'fetch.min.bytes': '5',
      'max.poll.records': '7',
      'client.id': 'mine|here->there|m-2|reader',
    },
    // Without servers of its own the target is the cluster of the worker.
    { 'default.api.timeout.ms': '123', 'timeout.ms': '123', 'client.id': 'here->there|m-2|boss' },
  ])
})

test('a record without a timestamp leaves it to the target, and its partition has the fields in the order of MirrorMaker', () => {
  const sourcePartition = mirroredPartition('us-east', 'orders', 3)
  expect(JSON.stringify(sourcePartition)).toBe('{"cluster":"us-east","partition":3,"topic":"orders"}')
  const route = { topic: 'us-east.orders', partition: 3, sourcePartition }
  const record = new MirrorRecord(
    { topic: 'orders', partition: 3, offset: 42, timestamp: -1, key: null, value: null, headers: [] },
    route,
  )
  expect([record.timestamp, record.sourceOffset, record.topic, record.partition]).toEqual([
    null,
    { offset: 42 },
    'us-east.orders',
    3,
  ])
})
