// The road of an outside author: a package made with the scaffold, changed, packed, installed by `millrace plugin add` into
// a worker that runs, used, and replaced by its next version.
import { appendFileSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { fileURLToPath } from 'node:url'
import { afterAll, beforeAll, expect, test, vi } from 'vitest'
import { AuthorTools } from '../../services/author-tools.ts'
import { DEADLINE_MS } from '../../services/deadline.ts'
import {
  type MillraceBroker,
  type MillraceWorker,
  startMillraceBroker,
  startMillraceWorker,
} from '../../services/millrace.ts'
import { runOrFail } from '../../services/packages.ts'

// Two packages are made, each with downloads and a conformance test, on a machine that may be busy.
vi.setConfig({ testTimeout: 900_000 })

const root = fileURLToPath(new URL('../../..', import.meta.url))
const folder = mkdtempSync(join(tmpdir(), 'millrace-road-'))
const plugins = join(folder, 'plugins')
let tools: AuthorTools
let broker: MillraceBroker
let worker: MillraceWorker

beforeAll(async () => {
  mkdirSync(plugins)
  tools = new AuthorTools(folder)
  broker = await startMillraceBroker()
  worker = await startMillraceWorker(broker.bootstrapServers, 'road', {
    'plugin.path': plugins,
    'offset.flush.interval.ms': '500',
  })
})

afterAll(async () => {
  await worker?.stop()
  await broker?.stop()
  rmSync(folder, { recursive: true, force: true })
})

const millrace = (...args: readonly string[]): string =>
  runOrFail(process.execPath, ['--conditions=source', 'src/cli/launch.js', ...args], root)

async function rest<T>(method: string, path: string, body?: object): Promise<T> {
  const response = await fetch(`${worker.url}${path}`, {
    method,
    headers: { 'content-type': 'application/json' },
    ...(body === undefined ? {} : { body: JSON.stringify(body) }),
  })
  const text = await response.text()
  if (!response.ok) throw new Error(`${method} ${path}: ${response.status} ${text}`)
  return (text === '' ? undefined : JSON.parse(text)) as T
}

async function until<T>(what: string, look: () => Promise<T> | T, fits: (found: T) => boolean): Promise<T> {
  for (const deadline = Date.now() + DEADLINE_MS; ; await sleep(100)) {
    const found = await look()
    if (fits(found)) return found
    if (Date.now() > deadline) {
      throw new Error(`not in time: ${what}; there is ${JSON.stringify(found)}; the worker said ${worker.output()}`)
    }
  }
}

interface PluginSummary {
  readonly class: string
  readonly version?: string
}

const classes = async () =>
  (await rest<PluginSummary[]>('GET', '/connector-plugins?connectorsOnly=false')).map(
    ({ class: name, version }) => `${name} ${version}`,
  )

/** Packs a project as its author would; the tarball. */
function pack(project: string): string {
  runOrFail('npm', ['pack', '--pack-destination', project], project)
  const [tarball] = readdirSync(project).filter((name) => name.endsWith('.tgz'))
  return join(project, tarball as string)
}

/** Raises the version where it stands: in package.json and in the definition, which the conformance test compares. */
function release(project: string, version: string, file: string): string {
  rmSync(pack(project))
  for (const path of ['package.json', file]) {
    const text = readFileSync(join(project, path), 'utf8')
    writeFileSync(join(project, path), text.replace(/(version['"]?: ['"])0\.1\.0/, `$1${version}`))
  }
  return pack(project)
}

/** What a topic has, one line a record. */
function consumed(topic: string, count: number): string[] {
  const from = ['--bootstrap-server', broker.bootstrapServers, '--topic', topic, '--from-beginning']
  return millrace('console-consumer', ...from, '--max-messages', String(count))
    .trim()
    .split('\n')
}

test('a source and a sink made with the scaffold run in a worker that ran before they were made', async () => {
  const source = tools.create(folder, 'connector-tail', ['--type', 'source'])
  const sink = tools.create(folder, '@acme/connector-drawer', ['--type', 'sink'])
  expect(await classes()).not.toContain('TailSource 0.1.0')
  for (const project of [source, sink]) millrace('plugin', 'add', pack(project), '--dir', plugins)
  expect(millrace('plugin', 'list', '--dir', plugins)).toContain('@acme/connector-drawer')
  await until('the worker knows both', classes, (all) =>
    ['TailSource 0.1.0', 'DrawerSink 0.1.0'].every((one) => all.includes(one)),
  )
  const input = join(folder, 'input.txt')
  const drawer = join(folder, 'drawer')
  writeFileSync(input, 'first\nsecond\n')
  const text = 'org.apache.kafka.connect.storage.StringConverter'
  const converters = { 'key.converter': text, 'value.converter': text }
  const wrong = await rest<{ error_count: number }>('PUT', '/connector-plugins/TailSource/config/validate', {
    'connector.class': 'TailSource',
    name: 'tail',
    files: input,
    'batch.size': '0',
  })
  expect(wrong.error_count).toBe(2)
  await rest('PUT', '/connectors/tail/config', {
    'connector.class': 'TailSource',
    files: input,
    topic: 'lines',
    'poll.interval.ms': '50',
    ...converters,
  })
  await rest('PUT', '/connectors/drawer/config', {
    'connector.class': 'DrawerSink',
    topics: 'lines',
    folder: drawer,
    ...converters,
  })
  const name = `${encodeURIComponent(input).replaceAll('.', '%2E')}.json`
  const kept = () => readdirSync(folder).includes('drawer') && readdirSync(drawer).includes(name)
  await until(
    'the sink has the last line',
    () => (kept() ? readFileSync(join(drawer, name), 'utf8') : ''),
    (last) => last === 'second',
  )
  expect(consumed('lines', 2)).toEqual(['first', 'second'])

  // Its next version beside it; the connector goes on where it was with the new code.
  const next = join(source, 'src/source.ts')
  writeFileSync(next, readFileSync(next, 'utf8').replace('value: text,', 'value: text.toUpperCase(),'))
  millrace('plugin', 'add', release(source, '0.2.0', 'src/source.ts'), '--dir', plugins)
  await until('the worker knows the new version', classes, (all) => all.includes('TailSource 0.2.0'))
  await rest('POST', '/connectors/tail/restart?includeTasks=true')
  // The task of the old version may still take a line while it stops.
  const status = () => rest<{ tasks: { state: string; version: string }[] }>('GET', '/connectors/tail/status')
  await until('the new version runs', status, ({ tasks }) =>
    tasks.some(({ state, version }) => state === 'RUNNING' && version === '0.2.0'),
  )
  appendFileSync(input, 'third\n')
  await until(
    'the sink has the new line',
    () => readFileSync(join(drawer, name), 'utf8'),
    (last) => last === 'THIRD',
  )
  expect(consumed('lines', 3)).toEqual(['first', 'second', 'THIRD'])
})
