// A worker whose plugin directory changes while it runs: packages come, run, live side by side, and leave when nobody uses
// them.
import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, expect, test } from 'vitest'
import {
  type MillraceBroker,
  type MillraceWorker,
  startMillraceBroker,
  startMillraceWorker,
} from '../../services/millrace.ts'
import { rest, until } from '../connect/connect-cluster.ts'
import { PluginCli, sourceModule, sourcePackage, writePackage } from './plugin-cli.ts'

let folder: string
let directory: string
let cli: PluginCli
let broker: MillraceBroker
let worker: MillraceWorker

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'millrace-worker-plugins-'))
  directory = join(folder, 'plugins')
  cli = new PluginCli(folder)
  broker = await startMillraceBroker()
  worker = await startMillraceWorker(broker.bootstrapServers, 'worker-plugins', { 'plugin.path': directory })
})
afterAll(async () => {
  await worker?.stop()
  await broker?.stop()
  await rm(folder, { recursive: true, force: true })
})

const inDirectory = (...args: string[]) => cli.run(...args, '--dir', directory)

async function add(version: string): Promise<void> {
  const files = { 'source.js': sourceModule('WaveSource', version, `since.${version}`) }
  const spec = writePackage(join(folder, version), sourcePackage('@acme/wave', version, 'WaveSource'), files)
  const { exitCode, stderr } = await inDirectory('add', spec)
  expect([exitCode, stderr]).toEqual([0, ''])
}

async function versions(): Promise<string[]> {
  const { body } = await rest(worker.url, 'GET', '/connector-plugins')
  return body.filter((one: any) => one.class === 'WaveSource').map((one: any) => one.version)
}

const create = (name: string, more: Record<string, string> = {}) =>
  rest(worker.url, 'POST', '/connectors', {
    name,
    config: { 'connector.class': 'WaveSource', topic: name, 'restart.policy': 'never', ...more },
  })

const running = (name: string) =>
  until(
    `${name} runs`,
    async () => (await rest(worker.url, 'GET', `/connectors/${name}/status`)).body,
    (status) => status.connector?.state === 'RUNNING' && status.tasks[0]?.state === 'RUNNING',
  )

/** The key of the configuration by which one version of the plugin differs from others. */
async function ownKey(range: string): Promise<string | undefined> {
  const path = `/connector-plugins/WaveSource/config?version=${encodeURIComponent(range)}`
  const { body } = await rest(worker.url, 'GET', path)
  return body.map((one: any) => one.name).find((name: string) => name.startsWith('since.'))
}

async function written(name: string): Promise<number> {
  const { body } = await rest(worker.url, 'GET', '/metrics')
  const series = `kafka_connect_source_task_metrics_source_record_write_total{connector="${name}",task="0"} `
  const line = (body as string).split('\n').find((one) => one.startsWith(series))
  return Number(line?.slice(series.length) ?? 0)
}

test('a running worker takes packages that are added, several versions of one, and lets go of those that are removed', async () => {
  expect(await versions()).toEqual([])
  const unknown = await create('early')
  expect([unknown.status, unknown.body.message]).toEqual([400, expect.stringContaining('WaveSource')])

  await add('1.0.0')
  expect((await create('first')).status).toBe(201)
  expect((await running('first')).connector.version).toBe('1.0.0')
  await until(
    'first writes',
    () => written('first'),
    (count) => count > 0,
  )

  await add('2.0.0')
  expect(await versions()).toEqual(['1.0.0', '2.0.0'])
  expect((await create('pinned', { 'connector.plugin.version': '[1.0,2.0)' })).status).toBe(201)
  expect((await create('newest')).status).toBe(201)
  expect((await running('pinned')).tasks[0].version).toBe('1.0.0')
  expect((await running('newest')).tasks[0].version).toBe('2.0.0')
  // What runs goes on with its version.
  expect((await running('first')).connector.version).toBe('1.0.0')

  const none = await create('none', { 'connector.plugin.version': '[3.0,)' })
  expect(none.body.message).toContain(
    'Plugin WaveSource not found that matches the version range [3.0,), available versions: [1.0.0, 2.0.0]',
  )
  expect(await ownKey('1.0.0')).toBe('since.1.0.0')
  expect(await ownKey('latest')).toBe('since.2.0.0')
  const missing = await rest(worker.url, 'GET', '/connector-plugins/WaveSource/config?version=9')
  expect([missing.status, missing.body.message]).toEqual([400, expect.stringContaining('version range [9,9]')])
  const wrong = await rest(worker.url, 'GET', '/connector-plugins/WaveSource/config?version=%5B1')
  expect([wrong.status, wrong.body.message]).toEqual([400, 'Invalid version specification: [1'])

  // In use: by a range, by nothing but being the newest, and by running since before there was a newer one.
  const refused = await inDirectory('remove', '@acme/wave@1.0.0', '--worker', worker.url)
  expect([refused.exitCode, refused.stderr]).toEqual([1, expect.stringContaining('is in use by first (')])
  expect(refused.stderr).toContain('pinned (connector.class=WaveSource)')
  const other = await inDirectory('remove', '@acme/wave@2.0.0', '--worker', worker.url)
  expect(other.stderr).toContain('is in use by newest (connector.class=WaveSource)')
  expect(await versions()).toEqual(['1.0.0', '2.0.0'])

  for (const name of ['first', 'pinned']) await rest(worker.url, 'DELETE', `/connectors/${name}`)
  const removed = await inDirectory('remove', '@acme/wave@1.0.0', '--worker', worker.url)
  expect([removed.exitCode, removed.stderr]).toEqual([0, ''])
  expect(await versions()).toEqual(['2.0.0'])
  const late = await create('late', { 'connector.plugin.version': '1.0.0' })
  expect(late.body.message).toContain('available versions: [2.0.0]')

  // Nobody answers any more: the config topic knows.
  const properties = join(folder, 'worker.properties')
  const settings = {
    'bootstrap.servers': broker.bootstrapServers,
    'config.storage.topic': 'worker-plugins-configs',
    listeners: worker.url,
    'plugin.path': directory,
    'header.converter': 'WaveSource',
  }
  await writeFile(
    properties,
    Object.entries(settings)
      .map((pair) => `${pair.join('=')}\n`)
      .join(''),
  )
  await worker.kill()
  const silent = await inDirectory('remove', '@acme/wave', '--worker', worker.url)
  expect(silent.stderr).toContain('cannot say whether the plugin is in use')
  const asleep = await cli.run('remove', '@acme/wave', '--worker-config', properties)
  expect([asleep.exitCode, asleep.stderr]).toEqual([
    1,
    expect.stringContaining('is in use by the worker itself (header.converter=WaveSource), newest'),
  ])
  await worker.restart()
  await running('newest')
})
