// Records that cannot be handled: dead letters with every header, lines of the log, retries, and tasks that fail.
import { appendFile, readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { expect } from 'vitest'
import type { ConsumerRecord } from '../../../src/client/index.ts'
import { settledRest, until } from '../../integration/connect/connect-cluster.ts'
import { FILE_SINK, FILE_SOURCE, FLAKY, type Pair, same, sides, type Side, untilBoth } from './pair.ts'

const PREFIX = '__connect.errors.'
const JSON_CONVERTER = 'org.apache.kafka.connect.json.JsonConverter'
const STRING_CONVERTER = 'org.apache.kafka.connect.storage.StringConverter'
const TIMESTAMP = 1_700_000_000_123

type Poison = readonly [key: string | null, value: string | null, header?: string]

async function produce({ client }: Pair, topic: string, records: readonly Poison[]): Promise<void> {
  await using admin = client.admin()
  await admin.topics.create([{ name: topic, numPartitions: 1, replicationFactor: 1 }])
  const producer = client.producer({})
  const bytes = (text: string | null) => (text === null ? null : Buffer.from(text))
  for (const [key, value, header] of records) {
    const headers = header === undefined ? [] : [header, header, null].map((text) => ({ key: 'h', value: bytes(text) }))
    await producer.send({ topic, partition: 0, key: bytes(key), value: bytes(value), headers, timestamp: TIMESTAMP })
  }
  await producer.close()
}

/** The first records of a topic that a connector makes. */
async function firstRecords({ client }: Pair, topic: string, count: number): Promise<ConsumerRecord[]> {
  await using admin = client.admin()
  await until(
    `there is ${topic}`,
    () => admin.topics.list(),
    (topics) => topics.some(({ name }) => name === topic),
  )
  const consumer = client.consumer({})
  consumer.assign([{ topic, partition: 0 }])
  consumer.seekToBeginning()
  const records: ConsumerRecord[] = []
  const more = async () => {
    records.push(...(await consumer.poll(50)))
    return records.length
  }
  await until(`${count} records of ${topic}`, more, (seen) => seen >= count)
  await consumer.close()
  return records.slice(0, count)
}

const textOf = (bytes: Uint8Array | null | undefined): string | null => (bytes ? Buffer.from(bytes).toString() : null)

/** A dead letter without what two languages say differently: traces, the reason behind a message, other errors' names. */
function comparable({ key, value, timestamp, headers }: ConsumerRecord) {
  const texts = headers.map((header) => [header.key, textOf(header.value)] as const)
  const message = texts.find(([name]) => name === `${PREFIX}exception.message`)?.[1] ?? ''
  const comparableHeader = ([name, text]: readonly [string, string | null]) => {
    if (name === `${PREFIX}exception.stacktrace`) return [name, text?.includes(message) && /\n\s+at /.test(text)]
    if (name === `${PREFIX}exception.message`) return [name, text?.replace(/(serialization error: ).*/, '$1')]
    if (text === 'java.lang.IllegalStateException' || text === 'Error') return [name, 'an unknown error']
    return [name, text]
  }
  return { key: textOf(key), value: textOf(value), timestamp, headers: texts.map(comparableHeader) }
}

async function create({ url, name: side }: Side, name: string, config: Record<string, string>): Promise<void> {
  // Both sides have a connector of this name, and each its own group of consumers.
  const own = config['topics'] === undefined ? {} : { 'consumer.override.group.id': `${name}-${side}` }
  const patient = side === 'ours' ? { 'restart.policy': 'never' } : {}
  const all = { ...config, ...own, ...patient }
  const { status, body } = await settledRest(url, 'POST', '/connectors', { name, config: all })
  expect([status, body]).toEqual([201, expect.anything()])
}

const withLog = { 'errors.log.enable': 'true', 'errors.log.include.messages': 'true' }
const deadLetters = (topic: string, headers: boolean) => ({
  'errors.deadletterqueue.topic.name': topic,
  'errors.deadletterqueue.topic.replication.factor': '1',
  'errors.deadletterqueue.context.headers.enable': String(headers),
})

/** The messages of the log about failed records of a task. */
async function logged({ name, output }: Side, task: string, count: number): Promise<string[]> {
  const pattern = new RegExp(`Error encountered in task ${task}\\. .*?(?="\\}|\\. \\(org\\.|\\."\\})`, 'g')
  const look = async () => output().match(pattern) ?? []
  return until(`${name}: ${count} lines about ${task}`, look, (lines) => lines.length >= count)
}

const sinkOf = (topic: string, file: string) => ({
  'connector.class': FILE_SINK,
  topics: topic,
  file,
  'tasks.max': '1',
  'consumer.override.auto.offset.reset': 'earliest',
})

const maskedJson = {
  'header.converter': JSON_CONVERTER,
  'header.converter.schemas.enable': 'false',
  transforms: 'mask',
  'transforms.mask.type': 'org.apache.kafka.connect.transforms.MaskField$Value',
  'transforms.mask.fields': 'a',
}

/** Poison in every part of a record, with errors.tolerance=all. */
export async function tolerated(pair: Pair): Promise<void> {
  await produce(pair, 'poison', [
    ['"good"', '{"a":1}'],
    ['"bad value"', '{bad', '"x"'],
    ['{bad key', '{"a":2}'],
    ['"not for the transformation"', '5'],
    ['"bad header"', '{"a":4}', '{bad'],
    [null, null],
    ['"last"', '{"a":6}'],
  ])
  const letters: unknown[] = []
  const lines: string[][] = []
  const files: string[] = []
  for (const side of sides(pair)) {
    const file = join(pair.folder, `poison-${side.name}.txt`)
    const config = { ...sinkOf('poison', file), ...maskedJson, ...withLog, 'errors.tolerance': 'all' }
    await create(side, 'poison', { ...config, ...deadLetters(`poison-${side.name}`, true) })
    letters.push((await firstRecords(pair, `poison-${side.name}`, 5)).map(comparable))
    lines.push(await logged(side, 'poison-0', 5))
    const text = () => readFile(file, 'utf8').catch(() => '')
    files.push(await until(`${side.name} has written`, text, (seen) => seen.trim().split('\n').length >= 2))
  }
  expect(letters[1]).toEqual(letters[0])
  expect(lines[1]).toEqual(lines[0])
  expect(files[1]).toEqual(files[0])
  const running = ({ tasks }: any) => tasks[0]?.state === 'RUNNING'
  await untilBoth(pair, 'poison', 'still runs', running)
  await same(pair, [{ method: 'DELETE', path: '/connectors/poison' }])
}

/** The same records with errors.tolerance=none: the dead letter is written, without context here, and the task fails. */
export async function notTolerated(pair: Pair): Promise<void> {
  await produce(pair, 'strict', [
    ['"good"', '{"a":1}'],
    ['"bad value"', '{bad', '"x"'],
    ['"never reached"', '{"a":2}'],
  ])
  const letters: unknown[] = []
  for (const side of sides(pair)) {
    const config = { ...sinkOf('strict', join(pair.folder, `strict-${side.name}.txt`)), ...maskedJson }
    await create(side, 'strict', { ...config, ...deadLetters(`strict-${side.name}`, false) })
    letters.push((await firstRecords(pair, `strict-${side.name}`, 1)).map(comparable))
  }
  expect(letters[1]).toEqual(letters[0])
  const failed = ({ tasks }: any) => tasks[0]?.state === 'FAILED'
  for (const { connector, tasks } of await untilBoth(pair, 'strict', 'has failed', failed)) {
    expect(connector.state).toBe('RUNNING')
    expect(tasks[0].trace).toMatch(
      /^\S+: Tolerance exceeded in error handler.*\nCaused by: \S+: Converting byte\[\] to Kafka Connect data failed/s,
    )
  }
  await same(pair, [{ method: 'DELETE', path: '/connectors/strict' }])
}

/** Retriable errors until errors.retry.timeout, and what comes after it. */
export async function retried(pair: Pair): Promise<void> {
  await produce(pair, 'flaky', [
    [null, 'plain'],
    [null, 'retry 2'],
    [null, 'throw'],
    [null, 'retry'],
    [null, 'last'],
  ])
  const run = async (side: Side) => {
    const file = join(pair.folder, `flaky-${side.name}.txt`)
    await create(side, 'flaky', {
      ...sinkOf('flaky', file),
      'key.converter': STRING_CONVERTER,
      'value.converter': STRING_CONVERTER,
      transforms: 'flaky',
      'transforms.flaky.type': FLAKY,
      'errors.tolerance': 'all',
      // Two retries take 300 and 600 ms, and much more on a busy machine.
      'errors.retry.timeout': '20000',
      ...deadLetters(`flaky-${side.name}`, true),
    })
    const letters = (await firstRecords(pair, `flaky-${side.name}`, 2)).map(comparable)
    const text = () => readFile(file, 'utf8').catch(() => '')
    await until(`${side.name} goes on behind them`, text, (seen) => seen === 'plain\nretry 2\nlast\n')
    return letters
  }
  const letters = await Promise.all(sides(pair).map(run))
  expect(letters[1]).toEqual(letters[0])
  await same(pair, [{ method: 'DELETE', path: '/connectors/flaky' }])
}

/** A source skips what fails and logs the whole record. */
export async function sourceErrors(pair: Pair): Promise<void> {
  const file = join(pair.folder, 'source-errors.txt')
  await appendFile(file, 'one\nthrow\ntwo\n')
  const lines: string[][] = []
  const values: (string | null)[][] = []
  for (const side of sides(pair)) {
    const flaky = { transforms: 'flaky', 'transforms.flaky.type': FLAKY, 'errors.tolerance': 'all', ...withLog }
    const topic = `lines-${side.name}`
    await create(side, 'lines', {
      'connector.class': FILE_SOURCE,
      topic,
      file,
      'key.converter': STRING_CONVERTER,
      'value.converter': STRING_CONVERTER,
      ...flaky,
    })
    values.push((await firstRecords(pair, topic, 2)).map(({ value }) => textOf(value)))
    const seen = await logged(side, 'lines-0', 1)
    lines.push(seen.map((line) => line.replaceAll(topic, 'topic').replace(/timestamp=\d+/, 'timestamp=T')))
  }
  expect(values).toEqual([
    ['one', 'two'],
    ['one', 'two'],
  ])
  expect(lines[1]).toEqual(lines[0])
  await same(pair, [{ method: 'DELETE', path: '/connectors/lines' }])
}
