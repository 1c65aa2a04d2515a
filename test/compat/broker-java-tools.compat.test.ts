// Kafka's own command-line tools, of this and of the last major version, against our broker.
import { readdirSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { BrokerUnderTest } from '../integration/broker/broker-under-test.ts'
import { DEADLINE_MS } from '../services/deadline.ts'
import { kafkaMissing, kafkaTool, type KafkaVersion } from '../services/kafka.ts'

const TOOLS = 'org.apache.kafka.tools'
const GROUPS = `${TOOLS}.consumer.group.ConsumerGroupCommand`

/** Each tool is a JVM that starts and ends, which takes minutes in sum on a machine that is busy. */
const PATIENT = { timeout: 900_000 }

/** These give up after a few seconds, and end with 0 then. */
function patience(className: string): string[] {
  if (className === GROUPS) return ['--timeout', String(DEADLINE_MS)]
  return className.endsWith('.ConsoleProducer') ? ['--request-timeout-ms', String(DEADLINE_MS)] : []
}

describe.each<KafkaVersion>(['4.3.1', '3.9.2'])('the tools of Kafka %s', (version) => {
  const missing = kafkaMissing(version)
  // Some tools were still written in Scala then, in another package.
  const scala = version === '3.9.2' ? 'kafka.tools' : TOOLS
  let broker: BrokerUnderTest

  beforeAll(async () => {
    broker = await BrokerUnderTest.start({ 'log.index.interval.bytes': '256' })
  })
  afterAll(() => broker[Symbol.asyncDispose]())

  async function tool(className: string, args: readonly string[], input = ''): Promise<string> {
    const bootstrap = className.endsWith('DumpLogSegments') ? [] : ['--bootstrap-server', `127.0.0.1:${broker.port}`]
    const options = [...bootstrap, ...patience(className), ...args]
    const { code, stdout, stderr } = await kafkaTool(className, options, { version, input })
    if (code !== 0) throw new Error(`${className} ${args.join(' ')} ended with ${code}: ${stdout}${stderr}`)
    return stdout
  }

  test.skipIf(missing !== null)(
    'topics, console tools, groups, offsets, configs, perf tests and dump-log',
    PATIENT,
    async () => {
      const topics = (...args: string[]) => tool(`${TOOLS}.TopicCommand`, args)
      await topics('--create', '--topic', 'java', '--partitions', '2', '--config', 'retention.ms=900000')
      expect(await topics('--list')).toContain('java\n')
      expect(await topics('--describe', '--topic', 'java')).toMatch(
        /Topic: java\s+TopicId: \S{22}\s+PartitionCount: 2\s+ReplicationFactor: 1\s+Configs: retention.ms=900000/,
      )
      await topics('--alter', '--topic', 'java', '--partitions', '3')

      const lines = Array.from({ length: 100 }, (_, i) => `line-${i}`)
      await tool(
        `${scala}.ConsoleProducer`,
        ['--topic', 'java', '--compression-codec', 'zstd'],
        `${lines.join('\n')}\n`,
      )
      const consumed = await tool(`${TOOLS}.consumer.ConsoleConsumer`, [
        '--topic',
        'java',
        '--from-beginning',
        '--max-messages',
        '100',
        '--group',
        'java-group',
      ])
      expect(consumed.trim().split('\n').toSorted()).toEqual(lines.toSorted())

      const described = await tool(GROUPS, ['--describe', '--group', 'java-group'])
      const lags = [...described.matchAll(/java-group +java +\d +(\d+) +(\d+) +(\d+)/g)]
      expect(lags.map((match) => match[3])).toEqual(['0', '0', '0'])
      expect(lags.reduce((sum, match) => sum + Number(match[1]), 0)).toBe(100)
      const reset = await tool(GROUPS, [
        '--reset-offsets',
        '--group',
        'java-group',
        '--topic',
        'java',
        '--to-earliest',
        '--execute',
      ])
      expect(reset).toMatch(/java-group +java +0 +0/)
      const offsets = await tool(`${TOOLS}.GetOffsetShell`, ['--topic', 'java', '--time', '-1'])
      expect([...offsets.matchAll(/java:\d:(\d+)/g)].reduce((sum, match) => sum + Number(match[1]), 0)).toBe(100)

      const configs = (...args: string[]) =>
        tool('kafka.admin.ConfigCommand', ['--entity-type', 'topics', '--entity-name', 'java', ...args])
      await configs('--alter', '--add-config', 'cleanup.policy=[compact,delete]')
      expect(await configs('--describe')).toContain('cleanup.policy=compact,delete')
      await configs('--alter', '--delete-config', 'cleanup.policy')

      expect(await tool(GROUPS, ['--delete', '--group', 'java-group'])).toContain('was successful')
      expect(await tool(GROUPS, ['--list'])).not.toContain('java-group')
      await perfTests()
      await dumpsCleanly()
      await topics('--delete', '--topic', 'java')
      expect(await topics('--list')).not.toContain('java\n')
    },
  )

  test.skipIf(missing !== null)(
    'records are deleted, sizes and latencies measured, offsets found by time, resets written and read',
    PATIENT,
    async () => {
      const topics = (...args: string[]) => tool(`${TOOLS}.TopicCommand`, args)
      await topics('--create', '--topic', 'more', '--partitions', '1')
      const lines = Array.from({ length: 20 }, (_, i) => `h:${i}\tkey-${i}\tvalue-${i}`)
      const reader = version === '3.9.2' ? '--property' : '--reader-property'
      const keyed = [reader, 'parse.key=true', reader, 'parse.headers=true']
      await tool(`${scala}.ConsoleProducer`, ['--topic', 'more', ...keyed], `${lines.join('\n')}\n`)
      const formatter = version === '3.9.2' ? '--property' : '--formatter-property'
      const all = ['print.headers=true', 'print.key=true'].flatMap((property) => [formatter, property])
      const group = ['--group', 'more-group']
      const read = ['--topic', 'more', '--from-beginning', '--max-messages', '20', ...all, ...group]
      expect((await tool(`${TOOLS}.consumer.ConsoleConsumer`, read)).trim().split('\n')).toEqual(lines)

      const offsets = (...args: string[]) => tool(`${TOOLS}.GetOffsetShell`, ['--topic', 'more', ...args])
      expect(await offsets('--time', '1')).toBe('more:0:0\n')
      expect(await offsets('--time', '-3')).toMatch(/^more:0:\d+\n$/)
      // A second before the year 2286: nothing is as new as that.
      expect((await offsets('--time', '9999999999000')).trim()).toBe('')
      await deletesRecords()
      expect(await offsets('--time', 'earliest')).toBe('more:0:5\n')
      await resets()
      const dirs = await tool(`${TOOLS}.LogDirsCommand`, ['--describe', '--topic-list', 'more'])
      expect(dirs).toMatch(/"partition":"more-0","size":[1-9]\d*,"offsetLag":0,"isFuture":false/)
      await endToEndLatency()
    },
  )

  async function deletesRecords(): Promise<void> {
    const plan = join(broker.directory, 'delete.json')
    writeFileSync(plan, JSON.stringify({ version: 1, partitions: [{ topic: 'more', partition: 0, offset: 5 }] }))
    const deleted = await tool(`${TOOLS}.DeleteRecordsCommand`, ['--offset-json-file', plan])
    expect(deleted).toMatch(/partition: more-0\s+low_watermark: 5/)
  }

  async function resets(): Promise<void> {
    const reset = (...args: string[]) => tool(GROUPS, ['--reset-offsets', '--group', 'more-group', ...args])
    const topic = ['--topic', 'more'] as const
    expect(await reset(...topic, '--to-offset', '12', '--execute')).toMatch(/more-group +more +0 +12/)
    expect(await reset(...topic, '--shift-by', '-3', '--execute')).toMatch(/more-group +more +0 +9/)
    expect(await reset(...topic, '--to-datetime', '2020-01-01T00:00:00.000', '--dry-run')).toMatch(/more +0 +5/)
    expect(await reset(...topic, '--to-latest', '--dry-run')).toMatch(/more +0 +20/)
    const plan = join(broker.directory, 'reset.csv')
    writeFileSync(plan, await reset('--all-topics', '--to-earliest', '--export', '--dry-run'))
    expect(await reset('--from-file', plan, '--execute')).toMatch(/more-group +more +0 +5/)
    await tool(GROUPS, ['--delete-offsets', '--group', 'more-group', ...topic])
    expect(await tool(GROUPS, ['--describe', '--group', 'more-group'])).not.toContain('more ')
  }

  async function endToEndLatency(): Promise<void> {
    const named = ['--topic', 'more', '--num-records', '100', '--record-size', '100', '--producer-acks', 'all']
    const address = `127.0.0.1:${broker.port}`
    const args =
      version === '3.9.2' ? [address, 'more', '100', 'all', '100'] : ['--bootstrap-server', address, ...named]
    const { code, stdout, stderr } = await kafkaTool(`${TOOLS}.EndToEndLatency`, args, { version })
    if (code !== 0) throw new Error(`EndToEndLatency ended with ${code}: ${stdout}${stderr}`)
    expect(stdout).toMatch(/Avg latency: \d/)
  }

  async function perfTests(): Promise<void> {
    const properties = ['--producer-props', `bootstrap.servers=127.0.0.1:${broker.port}`, 'acks=all']
    const load = ['--topic', 'java', '--num-records', '5000', '--record-size', '100', '--throughput', '-1']
    const produced = await kafkaTool(`${TOOLS}.ProducerPerformance`, [...load, ...properties], { version })
    expect(produced.stdout).toContain('5000 records sent')
    const count = version === '3.9.2' ? '--messages' : '--num-records'
    const perf = ['--topic', 'java', count, '5000', '--timeout', String(DEADLINE_MS), '--hide-header']
    expect(await tool(`${TOOLS}.ConsumerPerformance`, perf)).toMatch(/, 5\d{3}, /)
  }

  /** Kafka's own reader of the log directory finds every batch valid and the indexes in agreement. */
  async function dumpsCleanly(): Promise<void> {
    await broker.restart()
    const folders = readdirSync(broker.directory).filter((name) => name.startsWith('java-'))
    const files = folders.flatMap((folder) =>
      readdirSync(join(broker.directory, folder))
        .filter((name) => /\.(log|index|timeindex)$/.test(name))
        .map((name) => join(broker.directory, folder, name)),
    )
    const dumped = await tool(`${scala}.DumpLogSegments`, ['--files', files.join(','), '--deep-iteration'])
    expect(dumped).toContain('isvalid: true')
    expect(dumped).not.toContain('isvalid: false')
    expect(dumped).not.toMatch(/Mismatches|Non-consecutive|Misordered/)
    const groups = readdirSync(broker.directory).filter((name) => name.startsWith('__consumer_offsets-'))
    const logs = groups.map((folder) => join(broker.directory, folder, '00000000000000000000.log'))
    const offsets = await tool(`${scala}.DumpLogSegments`, ['--files', logs.join(','), '--offsets-decoder'])
    expect(offsets).toMatch(/java-group/)
  }
})
