import { spawn } from 'node:child_process'
import { readdirSync, statSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { DEADLINE_MS } from '../../services/deadline.ts'
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
  expect(described).toContain('\tTopic: cli\tPartition: 1\tLeader: 1\tReplicas: 1\tIsr: 1\tElr: \tLastKnownElr: \n')
  expect((await tool('topics', '--describe', '--under-replicated-partitions')).out).toBe('')

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
  expect((await tool(...reset, '--to-datetime', '2020-01-01T00:00:00.000', '--export')).out).toContain('cli,0,0\n')
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
})

test('what is missing is named with its fix, and nothing waits in silence', async () => {
  const produced = await millrace(
    [
      'console-producer',
      '--bootstrap-server',
      `127.0.0.1:${broker.port}`,
      '--topic',
      'nowhere',
      '--max-block-ms',
      '3000',
    ],
    'lost\n',
  )
  expect([produced.code, produced.err]).toEqual([
    1,
    expect.stringContaining('topic nowhere does not exist; create it with: topics --create --topic nowhere'),
  ])
  const consumed = await tool('console-consumer', '--topic', 'nowhere', '--from-beginning')
  expect([consumed.code, consumed.err]).toEqual([1, expect.stringContaining('topic nowhere does not exist')])
  expect((await tool('topics', '--describe', '--topic', 'nowhere')).err).toContain("'nowhere' does not exist")
  expect((await tool('get-offsets', '--topic-partitions', 'nowhere:0')).code).toBe(1)
  expect((await tool('consumer-groups', '--describe', '--group', 'nobody')).code).toBe(1)
  const unknown = await tool('topics', '--list', '--no-such-flag')
  expect([unknown.code, unknown.err]).toEqual([1, expect.stringContaining("unknown option '--no-such-flag'")])
  // Nobody listens on port 1.
  const dead = await millrace(['consumer-groups', '--bootstrap-server', '127.0.0.1:1', '--list', '--timeout', '2000'])
  expect(dead.code).toBe(1)
  expect(dead.err).toMatch(/WARN .* has not succeeded yet, trying for up to 2 s: .*127\.0\.0\.1:1/)
})

test('headers, patterns, deserializers, ranges of partitions and files of offsets', async () => {
  expect((await tool('topics', '--create', '--topic', 'many-a', '--replica-assignment', '1,1,1')).code).toBe(0)
  const reader = ['--reader-property', 'parse.key=true', '--reader-property', 'parse.headers=true']
  const sent = ['console-producer', '--bootstrap-server', `127.0.0.1:${broker.port}`, '--topic', 'many-a', ...reader]
  const options = ['--request-required-acks', '1', '--compression-codec', 'lz4', '--producer-property', 'linger.ms=0']
  expect((await millrace([...sent, ...options, '--sync'], 'h:1\tk\tv\n')).code).toBe(0)
  const shown = ['--formatter-property', 'print.headers=true', '--property', 'print.key=true']
  const read = [
    'console-consumer',
    '--include',
    'many-.*',
    '--from-beginning',
    '--max-messages',
    '1',
    ...shown,
  ] as const
  expect((await tool(...read)).out).toBe('h:1\tk\tv\n')
  expect((await tool(...read, '--consumer-property', 'group.id=many')).out).toBe('h:1\tk\tv\n')
  const wrong = await tool(...read, '--value-deserializer', 'LongDeserializer')
  expect([wrong.code, wrong.err]).toEqual([1, expect.stringContaining('a value of 1 bytes')])

  const some = (await tool('get-offsets', '--topic-partitions', 'many-a:1-3', '--time', 'earliest')).out
  expect(some).toBe('many-a:1:0\nmany-a:2:0\n')
  const reset = ['consumer-groups', '--reset-offsets', '--group', 'many'] as const
  const plan = join(broker.directory, 'plan.csv')
  writeFileSync(plan, (await tool(...reset, '--all-topics', '--to-earliest', '--export')).out)
  expect((await tool(...reset, '--from-file', plan, '--execute')).out).toMatch(/many +many-a +\d +0\n/)
  const listed = (await tool('consumer-groups', '--list', '--state', 'empty', '--type')).out
  expect(listed).toMatch(/GROUP +TYPE +STATE\n(.*\n)*many +Classic +Empty/)

  await tool('configs', '--alter', '--broker-defaults', '--add-config', 'log.retention.ms=700000')
  const defaults = (await tool('configs', '--describe', '--entity-type', 'brokers', '--entity-default')).out
  expect(defaults).toMatch(/^Default configs for brokers in the cluster are:\n {2}log.retention.ms=700000 /)
  await tool('configs', '--alter', '--broker-defaults', '--delete-config', 'log.retention.ms')
})

test('formatters, readers and options of Kafka’s tools are taken or refused by their names', async () => {
  await tool('topics', '--create', '--topic', 'shown', '--partitions', '1')
  const reader = ['--line-reader', 'org.apache.kafka.tools.LineMessageReader', '--reader-property', 'parse.key=true']
  const producer = ['--retry-backoff-ms', '50', '--metadata-expiry-ms', '60000', '--max-partition-memory-bytes', '2000']
  const bootstrap = ['--bootstrap-server', `127.0.0.1:${broker.port}`]
  const sent = await millrace(['console-producer', ...bootstrap, '--topic', 'shown', ...reader, ...producer], 'k\tv\n')
  expect([sent.code, sent.err]).toEqual([0, ''])

  const read = ['console-consumer', '--topic', 'shown', '--from-beginning', '--max-messages', '1'] as const
  const property = (...pairs: string[]) => pairs.flatMap((pair) => ['--formatter-property', pair])
  const named = ['--formatter', 'org.apache.kafka.tools.consumer.DefaultMessageFormatter']
  const epoch = property('print.epoch=true', 'print.offset=True', 'print.key=true', 'key.separator=|')
  expect((await tool(...read, ...named, ...epoch)).out).toMatch(/^Offset:0\|Epoch:\d+\|k\|v\n$/)
  const silent = await tool(...read, '--formatter', 'kafka.tools.NoOpMessageFormatter')
  expect([silent.out, silent.err]).toEqual(['', 'Processed a total of 1 messages\n'])
  const skipped = await tool(...read, '--skip-message-on-error', '--value-deserializer', 'LongDeserializer')
  expect([skipped.code, skipped.out, skipped.err]).toEqual([
    0,
    '',
    expect.stringMatching(/^skipped shown-0 at 0: a value of 1 bytes/),
  ])

  for (const [args, reason] of [
    [[...read, '--formatter', 'com.example.Mine'], 'com.example.Mine: Java classes cannot be loaded here'],
    [[...read, '--enable-systest-events'], '--enable-systest-events is not supported: it is for the system tests'],
    [['console-producer', '--topic', 'shown', '--line-reader', 'com.example.Mine'], 'use one of LineMessageReader'],
    [['console-producer', '--topic', 'shown', '--message-send-max-retries', '3'], 'delivery.timeout.ms'],
    [['configs', '--describe', '--user', 'alice'], '--user is not supported: users and quotas'],
  ] as const) {
    const { code, err } = await tool(args[0], ...args.slice(1))
    expect([code, err]).toEqual([1, expect.stringContaining(reason)])
  }
})

test('a member and its partitions are shown while it reads', async () => {
  await tool('topics', '--create', '--topic', 'watched', '--partitions', '2')
  const args = ['--topic', 'watched', '--group', 'watchers']
  const reader = spawn(
    process.execPath,
    [
      '--conditions=source',
      'src/cli/launch.js',
      'console-consumer',
      '--bootstrap-server',
      `127.0.0.1:${broker.port}`,
      ...args,
    ],
    { cwd: root, stdio: 'ignore' },
  )
  try {
    const describe = ['consumer-groups', '--describe', '--group', 'watchers'] as const
    await expect
      .poll(async () => (await tool(...describe, '--state')).out, { timeout: DEADLINE_MS })
      .toMatch(/watchers +127\.0\.0\.1:\d+ {2}\(1\) +range +Stable +1/)
    const members = (await tool(...describe, '--members', '--verbose')).out
    expect(members).toMatch(/#PARTITIONS +CURRENT-EPOCH +CURRENT-ASSIGNMENT +TARGET-EPOCH +TARGET-ASSIGNMENT/)
    expect(members).toMatch(/millrace-cli +2 +- +watched:0,1 +- +-/)
    const reset = await tool(
      'consumer-groups',
      '--reset-offsets',
      '--group',
      'watchers',
      '--topic',
      'watched',
      '--to-latest',
    )
    expect([reset.code, reset.err]).toEqual([1, expect.stringContaining('the current state is Stable')])
  } finally {
    reader.kill()
  }
})

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
})
