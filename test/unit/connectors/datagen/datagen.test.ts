import { readFileSync } from 'node:fs'
import { FINISHED, parseConfigOrThrow, type SourceOffset, type SourceRecord } from '@millrace/sdk'
import { expect, test } from 'vitest'
import { silentLogger } from '../../../../src/base/index.ts'
import { quickstarts } from '../../../../connectors/datagen/quickstarts.ts'
import definition from '../../../../connectors/datagen/source.ts'
import json from '../../../../src/connect/converters/json/json-converter.ts'

const logger = { debug() {}, info() {}, warn() {}, error() {} }
const never = new AbortController().signal

async function start(options: Record<string, string>, offset: SourceOffset | null = null) {
  const raw = { 'kafka.topic': 't', 'max.interval': '0', 'task.id': '1', ...options }
  const task = definition.createTask(parseConfigOrThrow(definition.config, raw), {
    connectorName: 'c',
    taskId: 1,
    logger,
    raw,
    offsets: { offset: async () => offset, offsets: async () => [offset] },
  })
  await task.start?.()
  return task
}

async function all(options: Record<string, string>, offset: SourceOffset | null = null): Promise<SourceRecord[]> {
  const task = await start(options, offset)
  const records: SourceRecord[] = []
  for (let batch = await task.poll(never); batch !== FINISHED; batch = await task.poll(never)) {
    records.push(...(batch as SourceRecord[]))
  }
  return records
}

const data = (records: SourceRecord[]) => records.map(({ key, value }) => ({ key, value }))

test('a limited task is finished after its iterations', async () => {
  const records = await all({ quickstart: 'users', iterations: '2500', seed: '7' })
  expect(records).toHaveLength(2500)
  expect(records.at(-1)).toMatchObject({
    topic: 't',
    sourcePartition: { 'task.id': 1 },
    sourceOffset: { 'current.iteration': 2500, 'random.seed': 7 },
  })
})

test('the same seed gives the same data, another seed other data', async () => {
  const run = (seed: string) => all({ quickstart: 'orders', iterations: '50', seed })
  expect(data(await run('1'))).toEqual(data(await run('1')))
  expect(data(await run('1'))).not.toEqual(data(await run('2')))
})

test('it resumes behind any committed offset with the record that comes next, also with a drawn seed', async () => {
  const records = await all({ quickstart: 'pageviews', iterations: '20' })
  const offset = records[11]?.sourceOffset ?? null
  const rest = await all({ quickstart: 'pageviews', iterations: '20' }, offset)
  expect(data(rest)).toEqual(data(records.slice(12)))
  expect(rest[0]?.sourceOffset['task.generation']).toBe(1)
})

test('tasks of one seed differ', async () => {
  const one = await all({ quickstart: 'users', iterations: '20', seed: '1', 'task.id': '0' })
  const other = await all({ quickstart: 'users', iterations: '20', seed: '1', 'task.id': '1' })
  expect(data(one)).not.toEqual(data(other))
  const raw = { 'kafka.topic': 't', quickstart: 'users' }
  const configs = await definition.taskConfigs(parseConfigOrThrow(definition.config, raw), 2, raw, {} as never)
  expect(configs.map((config) => config['task.id'])).toEqual(['0', '1'])
})

test('every quickstart fits its schema', async () => {
  const converter = json.create(parseConfigOrThrow(json.config, {}), { isKey: false, logger: silentLogger })
  for (const quickstart of Object.keys(quickstarts)) {
    for (const record of await all({ quickstart, iterations: '100', seed: '3' })) {
      const bytes = converter.fromConnectData('t', record.valueSchema, record.value)
      expect(converter.toConnectData('t', bytes).value).toEqual(record.value)
      expect(converter.fromConnectData('t', record.keySchema, record.key)).not.toBeNull()
      expect(record.keySchema).not.toBeNull()
    }
  }
})

test('with an interval one record comes at a time, and a stop ends the pause', async () => {
  const task = await start({ quickstart: 'users', 'max.interval': '1' })
  expect(await task.poll(never)).toHaveLength(1)
  const slow = await start({ quickstart: 'users', 'max.interval': '100000000' })
  const abort = new AbortController()
  const poll = slow.poll(abort.signal)
  abort.abort()
  expect(await poll).toBeNull()
})

test('a field that is none and schemas of one’s own are refused', async () => {
  const raw = { 'kafka.topic': 't', quickstart: 'users', 'schema.keyfield': 'nope', 'schema.string': '{}' }
  const issues = await definition.validate?.(parseConfigOrThrow(definition.config, raw), raw)
  expect(issues?.map((issue) => issue.key)).toEqual(['schema.string', 'schema.keyfield'])
})

test.each(['datagen/examples/orders', 'file/examples/source', 'file/examples/sink'])(
  'the example %s parses',
  async (path) => {
    const text = readFileSync(new URL(`../../../../connectors/${path}.json`, import.meta.url), 'utf8')
    const { config } = JSON.parse(text) as { config: Record<string, string> }
    const plugin = {
      DatagenSource: () => import('../../../../connectors/datagen/source.ts'),
      FileStreamSource: () => import('../../../../connectors/file/source.ts'),
      FileStreamSink: () => import('../../../../connectors/file/sink.ts'),
    }[config['connector.class'] ?? ''] as () => Promise<{ default: { config: object } }>
    const module = await plugin()
    expect(() => parseConfigOrThrow(module.default.config as never, config)).not.toThrow()
  },
)
