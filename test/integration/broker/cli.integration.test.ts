import { spawn } from 'node:child_process'
import { readdirSync, statSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { BrokerUnderTest } from './broker-under-test.ts'

const root = fileURLToPath(new URL('../../..', import.meta.url))
let broker: BrokerUnderTest

beforeAll(async () => {
  broker = await BrokerUnderTest.start()
})
afterAll(() => broker[Symbol.asyncDispose]())

/** Runs `millrace` as a user does. */
function millrace(args: readonly string[], input = ''): Promise<{ code: number | null; out: string; err: string }> {
  return new Promise((resolve, reject) => {
    const child = spawn(process.execPath, ['--conditions=source', 'src/cli/launch.js', ...args], { cwd: root })
    let out = ''
    let err = ''
    child.stdout.on('data', (chunk) => (out += chunk))
    child.stderr.on('data', (chunk) => (err += chunk))
    child.on('error', reject)
    child.on('close', (code) => resolve({ code, out, err }))
    child.stdin.on('error', () => {})
    child.stdin.end(input)
  })
}

function tool(name: string, ...args: string[]) {
  return millrace([name, '--bootstrap-server', `127.0.0.1:${broker.port}`, ...args])
}

test('topics, producer, consumer, groups, offsets and configs, with the flags and columns of Kafka’s tools', async () => {
  expect(
    (await tool('topics', '--create', '--topic', 'cli', '--partitions', '2', '--config', 'retention.ms=900000')).out,
  ).toBe('Created topic cli.\n')
  const again = await tool('topics', '--create', '--topic', 'cli')
  expect([again.code, again.err]).toEqual([1, expect.stringContaining('already exists')])
  expect((await tool('topics', '--create', '--topic', 'cli', '--if-not-exists')).code).toBe(0)
  const described = (await tool('topics', '--describe', '--topic', 'cli')).out
  expect(described).toMatch(
    /^Topic: cli\tTopicId: \S{22}\tPartitionCount: 2\tReplicationFactor: 1\tConfigs: retention.ms=900000\n/,
  )
  expect(described).toContain('\tTopic: cli\tPartition: 1\tLeader: 1\tReplicas: 1\tIsr: 1')

  const bootstrap = ['--bootstrap-server', `127.0.0.1:${broker.port}`]
  const keyed = ['--property', 'parse.key=true', '--property', 'key.separator=:']
  await millrace(['console-producer', ...bootstrap, '--topic', 'cli', ...keyed], 'a:1\nb:2\nc:3\n')
  const consumed = await tool(
    'console-consumer',
    '--topic',
    'cli',
    '--from-beginning',
    '--max-messages',
    '3',
    '--group',
    'g',
    '--property',
    'print.key=true',
  )
  expect(consumed.out.trim().split('\n').toSorted()).toEqual(['a\t1', 'b\t2', 'c\t3'])
  expect(consumed.err).toBe('Processed a total of 3 messages\n')

  expect((await tool('consumer-groups', '--list')).out).toBe('g\n')
  const group = (await tool('consumer-groups', '--describe', '--group', 'g')).out
  expect(group).toMatch(/GROUP +TOPIC +PARTITION +CURRENT-OFFSET +LOG-END-OFFSET +LAG +CONSUMER-ID +HOST +CLIENT-ID/)
  expect(group).toMatch(/g +cli +0 +(\d) +\1 +0 +- +- +-/)
  const reset = ['consumer-groups', '--reset-offsets', '--group', 'g', '--topic', 'cli'] as const
  expect((await tool(...reset, '--to-earliest', '--execute')).out).toMatch(/g +cli +0 +0\n/)
  const lag = (await tool('consumer-groups', '--describe', '--group', 'g')).out.match(/cli +\d +0 +(\d) +(\d) /g)
  expect(lag).toHaveLength(2)
  // Never outside of what there is.
  expect((await tool(...reset, '--shift-by', '-5', '--dry-run')).out).toMatch(/g +cli +0 +0\n/)
  expect((await tool(...reset, '--to-datetime', '2020-01-01T00:00:00.000', '--export')).out).toContain('"g","cli",0,0')
  expect((await tool(...reset, '--to-earliest', '--to-latest')).err).toContain('exactly one of')

  const offsets = (await tool('get-offsets', '--topic', 'cli')).out.match(/cli:\d:(\d)/g) ?? []
  expect(offsets.map((line) => Number(line.at(-1))).reduce((a, b) => a + b)).toBe(3)

  const list = 'cleanup.policy=[compact,delete],retention.ms=5000'
  await tool('configs', '--alter', '--entity-type', 'topics', '--entity-name', 'cli', '--add-config', list)
  const configs = (await tool('configs', '--describe', '--topic', 'cli')).out
  expect(configs).toContain('  cleanup.policy=compact,delete sensitive=false synonyms={DYNAMIC_TOPIC_CONFIG:')
  expect(configs).toContain('  retention.ms=5000 ')

  const segments = readdirSync(broker.directory)
    .filter((name) => name.startsWith('cli-'))
    .map((name) => join(broker.directory, name, '00000000000000000000.log'))
    .filter((file) => statSync(file).size > 0)
  const dumped = (await millrace(['dump-log', '--files', segments.join(','), '--print-data-log'])).out
  expect(dumped.match(/isvalid: true/g)?.length).toBeGreaterThan(0)
  expect(dumped.match(/payload: [123]\n/g)).toHaveLength(3)

  expect((await tool('consumer-groups', '--delete', '--group', 'g')).out).toContain("('g') was successful")
  expect((await tool('topics', '--delete', '--topic', 'cli')).code).toBe(0)
  expect((await tool('topics', '--list', '--exclude-internal')).out).toBe('')
}, 120_000)

test('millrace broker names every key that is wrong, and a port that is taken', async () => {
  const bad = await millrace(['broker', '--override', 'num.partitions=x', '--override', 'log.dirs=/a,/b'])
  expect(bad.code).toBe(1)
  expect(bad.err).toContain('num.partitions')
  expect(bad.err).toContain('log.dirs')
  const taken = await millrace([
    'broker',
    '--override',
    `log.dirs=${join(broker.directory, 'other')}`,
    '--override',
    `listeners=PLAINTEXT://127.0.0.1:${broker.port}`,
  ])
  expect([taken.code, taken.err]).toEqual([1, expect.stringContaining(`127.0.0.1:${broker.port} is in use`)])
  const locked = await millrace([
    'broker',
    '--override',
    `log.dirs=${broker.directory}`,
    '--override',
    'listeners=PLAINTEXT://127.0.0.1:0',
  ])
  expect([locked.code, locked.err]).toEqual([1, expect.stringContaining('in use by process')])
}, 60_000)
