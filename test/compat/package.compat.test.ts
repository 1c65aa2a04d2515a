import { type ChildProcess, spawn, spawnSync } from 'node:child_process'
import { mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { fileURLToPath } from 'node:url'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { DEADLINE_MS } from '../services/deadline.ts'
import { endProcess } from '../services/end-process.ts'
import { freePort } from '../services/free-port.ts'
import { portAnswers } from '../services/millrace.ts'

const root = fileURLToPath(new URL('../..', import.meta.url))
const folder = mkdtempSync(join(tmpdir(), 'millrace-package-'))
const app = join(folder, 'app')
const running: ChildProcess[] = []
/** What all of them wrote. */
const said: string[] = []

function npm(args: readonly string[], cwd: string): void {
  for (let attempt = 1; ; attempt++) {
    const result = spawnSync('npm', args, { cwd, encoding: 'utf8', timeout: DEADLINE_MS })
    if (result.status === 0) return
    // A registry that does not answer for a moment is no fault of the package.
    if (attempt === 3)
      throw new Error(`npm ${args.join(' ')}: ${result.error?.message ?? ''}${result.stdout}${result.stderr}`)
  }
}

/** Runs the installed command without the condition that makes a checkout read its sources. */
function millrace(args: readonly string[]): ChildProcess {
  const { NODE_OPTIONS: _, ...env } = process.env
  const child = spawn(process.execPath, [join(app, 'node_modules', '.bin', 'millrace'), ...args], { cwd: app, env })
  running.push(child)
  for (const stream of [child.stdout, child.stderr]) stream.on('data', (chunk) => said.push(String(chunk)))
  return child
}

async function until(what: string, condition: () => boolean | Promise<boolean>): Promise<void> {
  for (const deadline = Date.now() + DEADLINE_MS; !(await condition()); await sleep(50)) {
    if (Date.now() > deadline) throw new Error(`not in time: ${what}; they said: ${said.join('')}`)
  }
}

beforeAll(() => {
  npm(['pack', '--pack-destination', folder], root)
  npm(['pack', '-w', 'plugins/sdk', '--pack-destination', folder], root)
  const packages = readdirSync(folder).filter((name) => name.endsWith('.tgz'))
  expect(packages).toHaveLength(2)
  mkdirSync(app)
  writeFileSync(join(app, 'package.json'), '{"name":"app","private":true}')
  const install = ['install', '--ignore-scripts', '--no-audit', '--no-fund', '--prefer-offline']
  npm([...install, ...packages.map((name) => join(folder, name))], app)
})

afterAll(async () => {
  // Those that were started last first: a worker needs its broker to the end.
  for (const child of running.toReversed()) await endProcess(child, 'SIGTERM', () => said.join(''))
  rmSync(folder, { recursive: true, force: true })
})

test('the packed product, installed into an empty folder, runs a broker, a worker and a plugin that it adds', async () => {
  const port = await freePort()
  const restPort = await freePort()
  const listener = `listeners=PLAINTEXT://127.0.0.1:${port}`
  millrace(['broker', '--override', listener, '--override', `log.dirs=${join(folder, 'data')}`])
  await until('the broker listens', () => portAnswers(port))
  // The plugin's folder has no SDK: it gets that of the product.
  const adding = millrace(['plugin', 'add', join(root, 'plugins/examples/steady'), '--dir', join(folder, 'plugins')])
  expect([await endProcess(adding, null, () => said.join('')), said.join('')]).toEqual([0, expect.anything()])
  const worker = {
    'plugin.path': join(folder, 'plugins'),
    'bootstrap.servers': `127.0.0.1:${port}`,
    'key.converter': 'org.apache.kafka.connect.storage.StringConverter',
    'value.converter': 'org.apache.kafka.connect.storage.StringConverter',
    'offset.storage.file.filename': join(folder, 'offsets'),
    listeners: `http://127.0.0.1:${restPort}`,
  }
  const lines = Object.entries(worker).map(([key, value]) => `${key}=${value}\n`)
  writeFileSync(join(folder, 'worker.properties'), lines.join(''))
  writeFileSync(join(folder, 'input.txt'), 'one\ntwo\nthree\n')
  const creation = { 'topic.creation.default.partitions': '1', 'topic.creation.default.replication.factor': '-1' }
  const source = { name: 'in', 'connector.class': 'FileStreamSource', file: join(folder, 'input.txt'), topic: 'lines' }
  const sink = { name: 'out', 'connector.class': 'FileStreamSink', file: join(folder, 'output.txt'), topics: 'lines' }
  writeFileSync(join(folder, 'source.json'), JSON.stringify({ ...source, ...creation }))
  writeFileSync(join(folder, 'sink.json'), JSON.stringify(sink))
  const counter = { name: 'counter', 'connector.class': 'SteadySource', topic: 'numbers', 'max.records': '3' }
  const numbers = {
    name: 'numbers',
    'connector.class': 'FileStreamSink',
    file: join(folder, 'numbers.txt'),
    topics: 'numbers',
  }
  writeFileSync(join(folder, 'counter.json'), JSON.stringify({ ...counter, ...creation }))
  writeFileSync(join(folder, 'numbers.json'), JSON.stringify(numbers))
  millrace([
    'connect-standalone',
    ...['worker', 'source', 'sink', 'counter', 'numbers'].map((name) =>
      join(folder, `${name}.${name === 'worker' ? 'properties' : 'json'}`),
    ),
  ])
  const written = (file: string): string => {
    try {
      return readFileSync(join(folder, file), 'utf8')
    } catch {
      return ''
    }
  }
  await until('the lines have arrived', () => written('output.txt') === 'one\ntwo\nthree\n')
  await until('the numbers of the plugin have arrived', () => written('numbers.txt') === '0\n1\n2\n')
})
