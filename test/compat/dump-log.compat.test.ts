import { existsSync, cpSync, mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, test, vi } from 'vitest'
import { silentLogger } from '../../src/base/index.ts'
import { realClock, realDisk, realRandom } from '../../src/base/real/index.ts'
import { DEFAULT_LOG_CONFIG, type Log, type LogConfig, LogManager } from '../../src/log/index.ts'
import { BatchBuilder, CODECS } from '../../src/record/index.ts'
import { DEADLINE_MS } from '../services/deadline.ts'
import { kafkaMissing, kafkaTool, startKafka } from '../services/kafka.ts'

const TOPIC_ID = 'MillraceTopicIdForTest'
const CONFIG: LogConfig = { ...DEFAULT_LOG_CONFIG, segmentBytes: 7_000, indexIntervalBytes: 300 }
const BATCHES = 120
const RECORDS = 5

function openManager(directory: string, topic: string): { manager: LogManager; log: Log } {
  const manager = LogManager.open({
    directory,
    nodeId: 1,
    disk: realDisk,
    clock: realClock,
    random: realRandom,
    logger: silentLogger,
    configFor: () => CONFIG,
  })
  return { manager, log: manager.get(topic, 0) ?? manager.create({ topic, partition: 0, topicId: TOPIC_ID }) }
}

function fill(log: Log): void {
  const builder = new BatchBuilder()
  const now = Date.now()
  const sequences = [0, 0]
  for (let i = 0; i < BATCHES; i++) {
    for (let r = 0; r < RECORDS; r++) {
      const headers = r % 2 ? [{ key: 'source', value: Buffer.from(`h${r}`) }] : []
      // Times go back now and then, as those of real producers do.
      const timestamp = now - 100_000 + i * 10 - (i % 5) * 25 + r
      builder.append(timestamp, Buffer.from(`key-${i}`), r === 3 ? null : Buffer.from(`value-${i}-${r}`), headers)
    }
    const producer = i % 3
    const identity =
      producer < 2 ? { producerId: 500 + producer, producerEpoch: 2, baseSequence: sequences[producer]! } : {}
    if (producer < 2) sequences[producer]! += RECORDS
    const result = log.append(builder.build({ codec: CODECS[i % CODECS.length]!, ...identity }), {
      leaderEpoch: Math.floor(i / 50),
    })
    if (result.error) throw new Error(result.message)
  }
}

async function dump(files: readonly string[], ...flags: string[]): Promise<string> {
  const args = [...flags, '--files', files.join(',')]
  const { code, stdout, stderr } = await kafkaTool('org.apache.kafka.tools.DumpLogSegments', args)
  expect(code, stderr).toBe(0)
  // A segment that does not start at 0 makes the tool say that -1 is followed by its base offset, Kafka's own do too.
  const complaints = stderr
    .split('\n')
    .filter(
      (line) => line !== '' && !line.startsWith('Non-consecutive offsets in') && !/^\s+-1 is followed by /.test(line),
    )
  expect(complaints).toEqual([])
  expect(stdout).not.toMatch(/mismatch|out of order|found \d+ invalid|isvalid: false/i)
  return stdout
}

describe.skipIf(kafkaMissing() !== null)("Apache Kafka's dump tool", () => {
  let directory: string
  let partition: string
  const files = (suffix: string): string[] =>
    readdirSync(partition)
      .filter((name) => name.endsWith(suffix))
      .sort()
      .map((name) => join(partition, name))

  beforeAll(async () => {
    directory = mkdtempSync(join(tmpdir(), 'millrace-dump-'))
    const { manager, log } = openManager(directory, 'dump')
    partition = log.directory
    fill(log)
    await manager.close()
  })
  afterAll(() => rmSync(directory, { recursive: true, force: true }))

  test('reads every record of our segments', async () => {
    expect(files('.log').length).toBeGreaterThan(2)
    const output = await dump(files('.log'), '--deep-iteration', '--print-data-log')
    expect(output.match(/^baseOffset: /gm)).toHaveLength(BATCHES)
    expect(output.match(/isvalid: true/g)).toHaveLength(BATCHES)
    const offsets = [...output.matchAll(/^\| offset: (\d+) .* key: key-(\d+)/gm)].map(([, offset]) => Number(offset))
    expect(offsets.sort((a, b) => a - b)).toEqual(Array.from({ length: BATCHES * RECORDS }, (_, i) => i))
    for (const codec of CODECS) expect(output).toContain(`compresscodec: ${codec} `)
    expect(output).toContain('payload: value-119-4')
    expect(output).toContain('headerKeys: [source]')
  })

  test('finds our indexes sane and in agreement with the log', async () => {
    const indexes = [...files('.index'), ...files('.timeindex')]
    const sane = await dump(indexes, '--index-sanity-check')
    expect(sane.match(/passed sanity check/g)).toHaveLength(indexes.length)
    await dump(indexes, '--verify-index-only')
    expect((await dump(files('.index'))).match(/^offset: /gm)!.length).toBeGreaterThan(10)
    expect((await dump(files('.timeindex'))).match(/^timestamp: /gm)!.length).toBeGreaterThan(10)
  })

  test('reads our producer snapshots', async () => {
    const newest = files('.snapshot').at(-1)!
    const output = await dump([newest])
    const last = (BATCHES / 3) * RECORDS - 1
    expect(output).toMatch(new RegExp(`producerId: 500 producerEpoch: 2 .*lastSequence: ${last} `))
    expect(output).toMatch(new RegExp(`producerId: 501 producerEpoch: 2 .*lastSequence: ${last} `))
  })

  test('sees damage, so that its silence means something', async () => {
    const copy = mkdtempSync(join(tmpdir(), 'millrace-dump-'))
    try {
      const name = '00000000000000000000.log'
      const bytes = readFileSync(join(partition, name))
      bytes[100] = bytes[100]! ^ 1
      realDisk.replaceFile(join(copy, name), bytes)
      await expect(dump([join(copy, name)])).rejects.toThrow()
    } finally {
      rmSync(copy, { recursive: true, force: true })
    }
  })
})

describe.skipIf(kafkaMissing() !== null)('Apache Kafka', () => {
  test('serves a partition that Millrace wrote', async () => {
    const kafka = await startKafka()
    const directory = mkdtempSync(join(tmpdir(), 'millrace-serve-'))
    try {
      const bootstrap = ['--bootstrap-server', kafka.bootstrapServers]
      const create = await kafkaTool('org.apache.kafka.tools.TopicCommand', [
        ...bootstrap,
        '--create',
        '--topic',
        'moved',
      ])
      expect(create.code, create.stdout).toBe(0)
      const theirs = join(kafka.dataDirectory, 'moved-0')
      // The answer comes from the controller; the broker makes the folder a moment later.
      await vi.waitUntil(() => existsSync(join(theirs, 'leader-epoch-checkpoint')), { timeout: DEADLINE_MS })
      await vi.waitUntil(() => existsSync(join(theirs, 'partition.metadata')), { timeout: DEADLINE_MS })
      await kafka.kill()
      const metadata = readFileSync(join(theirs, 'partition.metadata'))
      const { manager, log } = openManager(directory, 'moved')
      fill(log)
      await manager.close()
      rmSync(theirs, { recursive: true })
      cpSync(log.directory, theirs, { recursive: true })
      realDisk.replaceFile(join(theirs, 'partition.metadata'), metadata)
      await kafka.restart()
      const args = [...bootstrap, '--topic', 'moved', '--from-beginning', '--max-messages', `${BATCHES * RECORDS}`]
      const print = ['--formatter-property', 'print.offset=true', '--timeout-ms', String(DEADLINE_MS)]
      const consumer = await kafkaTool('org.apache.kafka.tools.consumer.ConsoleConsumer', [...args, ...print])
      const lines = consumer.stdout.split('\n').filter((line) => line.startsWith('Offset:'))
      expect(lines, consumer.stderr).toEqual(
        Array.from({ length: BATCHES * RECORDS }, (_, i) => {
          const [batch, record] = [Math.floor(i / RECORDS), i % RECORDS]
          return `Offset:${i}\t${record === 3 ? 'null' : `value-${batch}-${record}`}`
        }),
      )
    } finally {
      rmSync(directory, { recursive: true, force: true })
      await kafka.stop()
    }
  })
})
