import { readdirSync, readFileSync } from 'node:fs'
import { parseConfig, parseConfigOrThrow } from '@millrace/sdk'
import { expect, test } from 'vitest'
import { sinkManifest, sourceManifest } from '../../../../connectors/http/manifest.ts'
import sink from '../../../../connectors/http/sink.ts'
import { batchForm, retriedStatuses } from '../../../../connectors/http/sink-settings.ts'
import source from '../../../../connectors/http/source.ts'

const folder = new URL('../../../../connectors/http/examples/', import.meta.url)
const sourceBase = { 'http.request.url': 'http://localhost/items', 'kafka.topic': 'items' }
const sinkBase = { 'http.url': 'http://localhost/items' }

test.each(readdirSync(folder))('%s is a legal config', (name) => {
  const example = JSON.parse(readFileSync(new URL(name, folder), 'utf8')) as { config: Record<string, string> }
  const connectorClass = example.config['connector.class'] ?? ''
  const found = [source, sink].find((each) => [each.name, ...(each.aliases ?? [])].includes(connectorClass))
  expect(found).toBeDefined()
  expect(parseConfig(found!.config, example.config).issues).toEqual([])
})

test('the definitions are those of the manifests', async () => {
  for (const [manifest, definition] of [
    [sourceManifest, source],
    [sinkManifest, sink],
  ] as const) {
    const { kind, name, aliases, version } = manifest
    expect(definition).toMatchObject({ kind, name, aliases, version })
    expect(await manifest.load()).toMatchObject({ default: definition })
  }
})

test.each([
  [{ 'http.request.url': 'localhost' }, 'is no URL'],
  [{ 'http.request.url': 'http://a/${offset' }, 'without "}"'],
  [{ 'http.request.params': 'a=${offset.a?eval}' }, '"?eval"'],
  [{ 'http.request.body': '<#list a as b>' }, 'only <#if>'],
  [{ 'http.offset.initial': 'nothing' }, 'not of the form name=value'],
  [{ 'http.response.list.pointer': 'items' }, 'is no JSON pointer'],
  [{ 'http.response.record.offset.pointer': '/id' }, 'name=/pointer'],
  [{ 'http.response.policy.codes.process': '2xx' }, 'is no range'],
  [{ 'http.response.record.mapper': 'a.b.OwnMapper' }, 'has to be one of'],
  [{ 'http.response.record.timestamp.parser': 'x.NattyTimestampParser' }, 'is not supported'],
  [{ 'http.response.record.timestamp.parser.pattern': 'EEE' }, 'only numbers are understood'],
  [{ 'http.response.record.timestamp.parser.zone': 'Nowhere' }, 'unknown time zone'],
  [{ 'http.pagination.mode': 'cursor' }, 'is needed with http.pagination.mode=cursor'],
  [{ 'http.auth.type': 'OAuth2' }, 'is needed with http.auth.type=OAuth2'],
])('the source refuses %j', (raw, message) => {
  const { issues } = parseConfig(source.config, { ...sourceBase, ...raw })
  expect(issues.map((issue) => issue.message).join()).toContain(message)
})

test.each([
  [{ 'http.url': 'http://a/${field}' }, 'understood are ${topic} and ${key}'],
  [{ 'regex.patterns': 'a~b', 'regex.replacements': 'x' }, 'has 2 patterns for 1'],
  [{ 'http.authorization.type': 'static' }, 'is needed with http.authorization.type=static'],
  [{ 'auth.type': 'OAUTH2' }, 'is needed with OAuth2'],
  [{ 'auth.type': 'BASIC' }, 'is needed with auth.type=BASIC'],
  [{ 'retry.on.status.codes': '5xx' }, 'is no list such as'],
])('the sink refuses %j', (raw, message) => {
  const { issues } = parseConfig(sink.config, { ...sinkBase, ...raw })
  expect(issues.map((issue) => issue.message).join()).toContain(message)
})

test('what the originals have and these have not is refused by name', async () => {
  const raw = {
    ...sourceBase,
    'http.client': 'my.own.Client',
    'http.timer': 'com.github.castorm.kafka.connect.timer.FixedIntervalTimer',
    'http.response.record.timestamp.parser.regex': '.*',
    'https.ssl.truststore.type': 'JKS',
  }
  const issues = await source.validate!(parseConfigOrThrow(source.config, raw) as never, raw)
  expect(issues.map(({ key }) => key)).toEqual([
    'http.client',
    'http.response.record.timestamp.parser.regex',
    'https.ssl.truststore.type',
  ])
  const sinkRaw = { ...sinkBase, 'oauth2.client.headers': 'a:b', 'reporter.producer.acks': '1' }
  const refused = await sink.validate!(parseConfigOrThrow(sink.config, sinkRaw) as never, sinkRaw)
  expect(refused.map(({ key }) => key)).toEqual(['oauth2.client.headers', 'reporter.producer.acks'])
})

test.each([
  [{ 'http.url': 'http://a' }, { records: 1, prefix: '', suffix: '', separator: '' }],
  [
    { 'http.url': 'http://a', 'batch.max.size': '9' },
    { records: 1, prefix: '', suffix: '', separator: '' },
  ],
  [
    { 'http.url': 'http://a', 'batching.enabled': 'true' },
    { records: 500, prefix: '', suffix: '\n', separator: '\n' },
  ],
  [
    { 'http.api.url': 'http://a', 'batch.max.size': '9' },
    { records: 9, prefix: '', suffix: '', separator: ',' },
  ],
  [
    { 'http.api.url': 'http://a', 'batch.max.size': '9', 'batch.separator': ' ' },
    { records: 9, prefix: '', suffix: '', separator: ' ' },
  ],
  [
    { 'http.url': 'http://a', 'batch.json.as.array': 'true' },
    { records: 1, prefix: '[', suffix: ']', separator: ',' },
  ],
])('%j has the batches of its original', (raw: Record<string, string>, form) => {
  expect(batchForm(parseConfigOrThrow(sink.config, raw), raw)).toEqual(form)
})

test('statuses to try again may be open ranges', () => {
  expect(retriedStatuses('')).toBeNull()
  const isRetried = retriedStatuses('409,500-')!
  expect([400, 409, 500, 599].map(isRetried)).toEqual([false, true, true, true])
})
