// Packages that are wrong as a whole or in part, and plugins that lie about offsets, in a worker that has good ones too: what
// it says of each, and that the good ones go on. What bad code does while it runs is in task-isolation and bad-input.
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, afterEach, beforeAll, expect, test } from 'vitest'
import {
  type MillraceBroker,
  type MillraceWorker,
  startMillraceBroker,
  startMillraceWorker,
} from '../../services/millrace.ts'
import { clientOf } from '../client/clusters.ts'
import { rest, until } from '../connect/connect-cluster.ts'
import { topicValues } from '../support/topic-values.ts'
import { examples } from '../worker-harness.ts'

let folder: string
let broker: MillraceBroker
let worker: MillraceWorker

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'millrace-bad-plugins-'))
  broker = await startMillraceBroker()
  worker = await startMillraceWorker(broker.bootstrapServers, 'bad-plugins', {
    'plugin.path': `${examples},${examples}/misbehaving/packages`,
    'offset.flush.interval.ms': '100',
    'offset.storage.partitions': '1',
  })
  await create('steady', { 'connector.class': 'SteadySource', topic: 'steady' })
})
afterAll(async () => {
  await worker?.stop()
  await broker?.stop()
  await rm(folder, { recursive: true, force: true })
})
// Whatever was done before: the neighbour goes on.
afterEach(() => goesOn('steady'))

const post = (name: string, config: Record<string, string>) =>
  rest(worker.url, 'POST', '/connectors', { name, config: { 'restart.policy': 'never', ...config } })

async function create(name: string, config: Record<string, string>): Promise<void> {
  const { status, body } = await post(name, config)
  expect([status, body]).toEqual([201, expect.anything()])
}

async function metric(name: string, connector: string): Promise<number> {
  const { body } = await rest(worker.url, 'GET', '/metrics')
  const series = `${name}{connector="${connector}",task="0"} `
  const line = (body as string).split('\n').find((one) => one.startsWith(series))
  return Number(line?.slice(series.length) ?? 0)
}

const written = (name: string) => metric('kafka_connect_source_task_metrics_source_record_write_total', name)

async function goesOn(name: string): Promise<void> {
  const before = await written(name)
  await until(
    `${name} writes on`,
    () => written(name),
    (now) => now > before,
  )
}

const said = (what: string | RegExp) =>
  until(
    `the worker says ${what}`,
    () => Promise.resolve(worker.output()),
    (output) => (typeof what === 'string' ? output.includes(what) : what.test(output)),
  )

test.each([
  ['is made for another SDK', 'FutureSource', 'needs @millrace/sdk ^99.0.0, and this Millrace has'],
  ['lacks its files', 'ForgottenSource', 'there is no dist/source.js in the package'],
])('a package that %s is left out, with the reason', async (_, className, reason) => {
  await said(reason)
  const { status, body } = await post('left-out', { 'connector.class': className })
  expect([status, body.message]).toEqual([400, expect.stringContaining(`which name matches ${className}`)])
})

test('a package cannot take over a class of another or one that is built in, whatever its version', async () => {
  await said(
    'SteadySource of @millrace-examples/duplicate-names@0.0.1 cannot be used because a class of this name belongs to',
  )
  await said(
    'FileStreamSource of @millrace-examples/duplicate-names@0.0.1 cannot be used because a class of this name is built in',
  )
  const { body } = await rest(worker.url, 'GET', '/connector-plugins')
  const versions = body.filter((one: any) => ['SteadySource', 'FileStreamSource'].includes(one.class))
  expect(versions.map((one: any) => [one.class, one.version === '99.0.0'])).toEqual([
    ['FileStreamSource', false],
    ['SteadySource', false],
  ])
  await create('honest', { 'connector.class': 'HonestSource', topic: 'honest' })
})

test.each([
  ['throws as it is imported', 'ExplodingSource', /thrown on purpose while the module is imported/],
  ['exports something else than it declares', 'MixedUpSource', /declared as source but its module exports a sink/],
])('a module that %s fails its own connector', async (_, className, reason) => {
  const { status, body } = await post('broken', { 'connector.class': className, topic: 'broken' })
  expect(status).toBeGreaterThanOrEqual(400)
  expect(body.message).toMatch(reason)
})

test('a source whose offsets cannot be stored is told so, writes on as in Kafka Connect, and none of them is stored', async () => {
  await create('liar', { 'connector.class': 'MisbehavingSource', topic: 'liar', mode: 'lie', 'after.polls': '3' })
  await said('field next of a source offset contains object')
  await goesOn('liar')
  const stored = (await topicValues(broker, 'bad-plugins-offsets')).map((value) => JSON.parse(value))
  expect(stored.length).toBeGreaterThan(0)
  expect(stored.filter(({ next }) => typeof next !== 'number')).toEqual([])
})

test('a sink that claims to have stored what it was never given commits nothing beyond what it was given', async () => {
  await create('counted', { 'connector.class': 'SteadySource', topic: 'counted', 'max.records': '10' })
  await create('lying-sink', { 'connector.class': 'MisbehavingSink', topics: 'counted', hook: 'lie' })
  await said(/the task was given records only up to offset/)
  const admin = clientOf(broker).admin()
  const committed = await admin.groups.offsets('connect-lying-sink')
  await admin.close()
  expect(committed.filter(({ offset }) => offset > 10)).toEqual([])
})
