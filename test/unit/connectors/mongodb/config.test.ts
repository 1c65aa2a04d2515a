import { readdir, readFile } from 'node:fs/promises'
import { type ConfigDef, parseConfig, parseConfigOrThrow } from '@millrace/sdk'
import { expect, test } from 'vitest'
import { hostsOf, refusedKeys } from '../../../../connectors/mongodb/connection.ts'
import { operationTime } from '../../../../connectors/mongodb/operation-time.ts'
import { sinkConfig } from '../../../../connectors/mongodb/sink-config.ts'
import { copiesExisting, sourceConfig } from '../../../../connectors/mongodb/source-config.ts'
import { overrideIssues } from '../../../../connectors/mongodb/topic-overrides.ts'

function problemsOf(definition: ConfigDef, raw: Record<string, string>): string {
  return parseConfig(definition, raw)
    .issues.map(({ message }) => message)
    .join('\n')
}

test.each([
  [{}, 'database'],
  [{ database: 'a.b' }, 'a character that names of databases may not have'],
  [{ 'connection.uri': 'localhost' }, 'is no connection string'],
  [{ 'document.id.strategy': 'com.example.MyStrategy' }, 'Classes of your own are written in Java'],
  [{ 'writemodel.strategy': 'Nope' }, 'is not known'],
  [{ 'post.processor.chain': 'FieldValueTransformPostProcessor' }, 'use a transformation of the connector instead'],
  [{ 'change.data.capture.handler': 'com.example.Handler' }, 'use one of com.mongodb'],
  [{ 'delete.on.null.values': 'true' }, 'needs a document.id.strategy of the key'],
  [
    {
      'delete.on.null.values': 'true',
      'document.id.strategy': 'FullKeyStrategy',
      'delete.writemodel.strategy': 'DeleteOneTombstoneBusinessKeyStrategy',
    },
    'needs document.id.strategy=PartialKeyStrategy',
  ],
  [{ 'timeseries.metafield': 'a' }, 'needs timeseries.timefield'],
  [{ 'timeseries.granularity': 'hours' }, 'needs timeseries.timefield'],
  [{ 'timeseries.timefield': 'a', 'writemodel.strategy': 'UpdateOneDefaultStrategy' }, 'are only inserted'],
  [{ 'timeseries.timefield.auto.convert.locale.language.tag': 'de' }, 'use a pattern of digits'],
  [{ 'timeseries.timefield.auto.convert.date.format': 'yyyy MMM' }, 'has the part MMM'],
  [{ 'field.renamer.mapping': '{}' }, 'JSON array of objects with oldName, newName'],
  [{ 'field.renamer.regexp': '[{"regexp": "(", "pattern": "a", "replace": "b"}]' }, 'Invalid regular expression'],
  [
    { 'field.renamer.regexp': '[{"regexp": "a", "pattern": "a", "replace": "$1"}]' },
    'the pattern has no group $1 of the replacement',
  ],
  [{ 'document.id.strategy': 'PartialKeyStrategy' }, 'needs document.id.strategy.partial.key.projection.type'],
  [{ 'namespace.mapper': 'FieldPathNamespaceMapper' }, 'needs a field'],
  [
    {
      'namespace.mapper': 'FieldPathNamespaceMapper',
      'namespace.mapper.key.database.field': 'a',
      'namespace.mapper.value.database.field': 'b',
    },
    'not both',
  ],
  [{ 'server.api.version': '2' }, 'server.api.version'],
])('the sink refuses %j', (raw, message) => {
  const base: Record<string, string> = message === 'database' ? {} : { database: 'shop' }
  expect(problemsOf(sinkConfig, { ...base, ...(raw as Record<string, string>) })).toContain(message)
})

test.each([
  [{ collection: 'a' }, 'needs database'],
  [{ pipeline: '{}' }, 'is not a JSON array of aggregation stages'],
  [{ collation: '[]' }, 'is not a JSON document'],
  [{ 'topic.mapper': 'com.example.Mapper' }, 'is not known'],
  [{ 'startup.mode.timestamp.start.at.operation.time': 'soon' }, 'is neither seconds'],
  [{ 'startup.mode.copy.existing.namespace.regex': '(' }, 'Invalid regular expression'],
  [{ 'change.stream.full.document': 'all' }, 'change.stream.full.document'],
  [{ 'heartbeat.topic.name': '' }, 'heartbeat.topic.name'],
  [{ 'output.schema.value': '{}' }, 'type record'],
])('the source refuses %j', (raw, message) => {
  expect(problemsOf(sourceConfig, raw as Record<string, string>)).toContain(message)
})

test('Java key stores and authentication classes are refused by name, when they are set', () => {
  expect(refusedKeys({ 'connection.ssl.truststore': '', 'mongo.custom.auth.mechanism.enable': 'false' })).toEqual([])
  expect(refusedKeys({ 'connection.ssl.truststore': 'a.jks' })).toEqual([
    { key: 'connection.ssl.truststore', message: expect.stringContaining('PEM') },
  ])
})

test('overrides name a topic, which may have dots, and a key of the sink', () => {
  const base = { database: 'shop' }
  expect(overrideIssues({ ...base, 'topic.override.a.b.collection': 'c' })).toEqual([])
  const issues = overrideIssues({
    ...base,
    'topic.override.a.nope': 'c',
    'topic.override.a.connection.uri': 'mongodb://x',
    'topic.override.a.writemodel.strategy': 'Nope',
  })
  expect(issues.map(({ key, message }) => `${key}: ${message}`)).toEqual([
    expect.stringContaining('topic.override.a.nope: names no key'),
    expect.stringContaining('topic.override.a.connection.uri: connection.uri is the same for all topics'),
    expect.stringContaining('topic.override.a.writemodel.strategy:'),
  ])
})

test('the older copy.existing counts where the newer key is not set', () => {
  const copies = (raw: Record<string, string>): boolean => copiesExisting(parseConfigOrThrow(sourceConfig, raw), raw)
  expect(copies({})).toBe(false)
  expect(copies({ 'startup.mode': '', 'copy.existing': 'true' })).toBe(true)
  expect(copies({ 'copy.existing': 'true' })).toBe(true)
  expect(copies({ 'copy.existing': 'true', 'startup.mode': 'latest' })).toBe(false)
  expect(copies({ 'startup.mode': 'COPY_EXISTING' })).toBe(true)
  const older = parseConfigOrThrow(sourceConfig, { 'copy.existing.queue.size': '5' })
  expect(older['startup.mode.copy.existing.queue.size']).toBe(5)
})

test('offsets are kept under the hosts, and nothing secret', () => {
  expect(hostsOf('mongodb://user:pass@b:2,a:1/db?x=y')).toBe('mongodb://a:1,b:2')
  expect(hostsOf('mongodb+srv://cluster.example.com/?x=y')).toBe('mongodb+srv://cluster.example.com')
})

test.each([
  ['30', { seconds: 30, increment: 0 }],
  ['1970-01-01T00:00:30.5Z', { seconds: 30, increment: 0 }],
  ['{"$timestamp": {"t": 30, "i": 4}}', { seconds: 30, increment: 4 }],
  ['99999999999', undefined],
  ['{}', undefined],
  ['-1', undefined],
])('the operation time %s', (text, expected) => {
  expect(operationTime(text)).toEqual(expected)
})

test('the examples are configurations without a problem', async () => {
  const folder = new URL('../../../../connectors/mongodb/examples/', import.meta.url)
  for (const file of await readdir(folder)) {
    const { name, config } = JSON.parse(await readFile(new URL(file, folder), 'utf8')) as {
      name: string
      config: Record<string, string>
    }
    const definition = config['connector.class']?.includes('Source') ? sourceConfig : sinkConfig
    expect(`${file} ${name} ${problemsOf(definition, config)}`).toBe(`${file} mongo-${file.replace('.json', '')} `)
    expect(overrideIssues(config)).toEqual([])
  }
})
