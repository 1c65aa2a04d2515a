import { type ChildProcess, spawn } from 'node:child_process'
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { afterAll, afterEach, beforeAll, beforeEach, expect, test } from 'vitest'
import { endProcess } from '../../services/end-process.ts'
import { freePort } from '../../services/free-port.ts'
import { type MillraceBroker, startMillraceBroker } from '../../services/millrace.ts'
import { isHealthy, rest, until, untilRunning } from './connect-cluster.ts'

const root = fileURLToPath(new URL('../../..', import.meta.url))
let broker: MillraceBroker
let folder: string
const children: ChildProcess[] = []

beforeAll(async () => {
  broker = await startMillraceBroker()
})
afterAll(() => broker.stop())
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'millrace-standalone-'))
})
afterEach(async () => {
  for (const child of children.splice(0)) await endProcess(child, 'SIGKILL', () => '')
  await rm(folder, { recursive: true, force: true })
})

async function file(name: string, content: string): Promise<string> {
  await writeFile(join(folder, name), content)
  return join(folder, name)
}

async function workerFile(port: number, ...more: readonly string[]): Promise<string> {
  const lines = [
    ...more,
    `bootstrap.servers=${broker.bootstrapServers}`,
    'key.converter=org.apache.kafka.connect.storage.StringConverter',
    'value.converter=org.apache.kafka.connect.storage.StringConverter',
    `offset.storage.file.filename=${join(folder, 'offsets')}`,
    'offset.flush.interval.ms=100',
    `listeners=http://127.0.0.1:${port}`,
  ]
  return file('worker.properties', `${lines.join('\n')}\n`)
}

function start(...args: string[]): { child: ChildProcess; output: () => string } {
  const child = spawn(process.execPath, ['--conditions=source', 'src/cli/launch.js', 'connect-standalone', ...args], {
    cwd: root,
    stdio: ['ignore', 'pipe', 'pipe'],
  })
  children.push(child)
  let output = ''
  for (const stream of [child.stdout, child.stderr]) stream?.on('data', (chunk) => (output += String(chunk)))
  return { child, output: () => output }
}

const read = (path: string) => readFile(path, 'utf8').catch(() => '')

test('connectors come from files of all three forms and go on where they stopped', async () => {
  const port = await freePort()
  const worker = await workerFile(port)
  const input = await file('in.txt', 'one\ntwo\n')
  const output = join(folder, 'out.txt')
  const create = await file(
    'source.json',
    JSON.stringify({ name: 'source', config: { 'connector.class': 'FileStreamSource', file: input, topic: 'lines' } }),
  )
  const flat = await file(
    'paused.json',
    JSON.stringify({ name: 'flat', 'connector.class': 'FileStreamSource', file: input, topic: 'other' }),
  )
  const properties = await file(
    'sink.properties',
    `name=sink\nconnector.class=org.apache.kafka.connect.file.FileStreamSinkConnector\nfile=${output}\ntopics=lines\n`,
  )
  const url = `http://127.0.0.1:${port}`
  const first = start(worker, create, flat, properties)
  await until(
    'it is healthy',
    () => isHealthy(url),
    (healthy) => healthy,
  )
  await untilRunning(url, 3)
  expect((await rest(url, 'GET', '/connectors')).body.toSorted()).toEqual(['flat', 'sink', 'source'])
  await until(
    'both lines arrive',
    () => read(output),
    (text) => text === 'one\ntwo\n',
  )
  expect(await endProcess(first.child, 'SIGTERM', first.output), first.output()).toBe(0)
  await writeFile(input, 'three\n', { flag: 'a' })
  const second = start(worker, create, properties)
  await until(
    'only the new line arrives',
    () => read(output),
    (text) => text === 'one\ntwo\nthree\n',
  )
  expect(await endProcess(second.child, 'SIGTERM', second.output), second.output()).toBe(0)
})

test('a connector runs on a standalone worker that has its labels, and is refused where one is missing', async () => {
  const port = await freePort()
  const url = `http://127.0.0.1:${port}`
  const { child, output } = start(await workerFile(port, 'worker.labels=zone=a,role=edge'))
  await until(
    'it is healthy',
    () => isHealthy(url),
    (healthy) => healthy,
  )
  const create = async (name: string, labels: string) => {
    const config = { 'connector.class': 'FileStreamSource', file: await file(name, ''), topic: name }
    return rest(url, 'POST', '/connectors', { name, config: { ...config, 'required.worker.labels': labels } })
  }
  const refused = await create('elsewhere', 'zone=b')
  expect(refused.status).toBe(400)
  expect(refused.body.message).toContain(
    'Invalid value zone=b for configuration required.worker.labels: this standalone worker lacks zone=b',
  )
  expect((await create('here', 'role=edge')).status).toBe(201)
  await untilRunning(url, 1)
  expect(await endProcess(child, 'SIGTERM', output), output()).toBe(0)
})

test.each([
  ['a worker file that is missing', 1, 'cannot read', async () => ['/nowhere/worker.properties']],
  [
    'a worker file with mistakes',
    2,
    'offset.storage.file.filename',
    async () => [await file('w', 'key.converter=x\n')],
  ],
  [
    'a connector that is wrong',
    3,
    'Missing required configuration',
    async () => [
      await workerFile(await freePort()),
      await file('c.json', '{"name":"c","connector.class":"FileStreamSource"}'),
    ],
  ],
])('%s ends it with exit code %i', async (_name, code, message, args) => {
  const { child, output } = start(...(await args()))
  expect([await endProcess(child, null, output), output()]).toEqual([code, expect.stringContaining(message)])
})
