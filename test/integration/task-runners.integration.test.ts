import { spawn } from 'node:child_process'
import { existsSync } from 'node:fs'
import { readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import type { Client, ConsumerRecord } from '../../src/client/index.ts'
import { isAlive } from '../services/alive.ts'
import { DEADLINE_MS } from '../services/deadline.ts'
import { type MillraceBroker, startMillraceBroker } from '../services/millrace.ts'
import { clientOf } from './client/clusters.ts'
import { createTopic } from './support/topics.ts'
import { startTestWorker, type TestWorker, until } from './worker-harness.ts'

let broker: MillraceBroker
let client: Client

beforeAll(async () => {
  broker = await startMillraceBroker()
  client = clientOf(broker)
})

afterAll(async () => {
  await broker?.stop()
})

async function withWorker(properties: Record<string, string>, run: (test: TestWorker) => Promise<void>) {
  // A stop that is cut off repeats records, and a busy machine takes its time.
  const patient = { 'task.shutdown.graceful.timeout.ms': String(DEADLINE_MS) }
  const test = await startTestWorker(broker.bootstrapServers, { 'task.host.count': '1', ...patient, ...properties })
  try {
    await run(test)
  } finally {
    await test.stop()
  }
}

/** Everything in partition 0 of a topic. */
async function contentOf(topic: string): Promise<ConsumerRecord[]> {
  const consumer = client.consumer()
  try {
    consumer.assign([{ topic, partition: 0 }])
    consumer.seekToBeginning()
    const [end = 0] = await consumer.endOffsets([{ topic, partition: 0 }])
    const records: ConsumerRecord[] = []
    while ((records.at(-1)?.offset ?? -1) < end - 1) records.push(...(await consumer.poll(1000)))
    return records
  } finally {
    await consumer.close()
  }
}

async function produce(topic: string, values: readonly string[]): Promise<void> {
  const producer = client.producer()
  for (const value of values) {
    const headers = [{ key: 'origin', value: Buffer.from(value) }]
    await producer.send({ topic, partition: 0, key: Buffer.from(`k-${value}`), value: Buffer.from(value), headers })
  }
  await producer.close()
}

interface Entry {
  readonly hook: string
  readonly value?: string
  readonly topic?: string
  readonly originalTopic?: string
  readonly partition?: number
  readonly offset?: number
  readonly timestampType?: string
}

async function entries(file: string): Promise<Entry[]> {
  if (!existsSync(file)) return []
  // What is behind the last end of a line is still being written.
  const lines = (await readFile(file, 'utf8')).split('\n').slice(0, -1)
  return lines.map((line) => JSON.parse(line) as Entry)
}

const numbers = (count: number) => Array.from({ length: count }, (_, index) => String(index))
const values = (records: readonly ConsumerRecord[]) => records.map(({ value }) => value?.toString())

function steady(topic: string, more: Record<string, string> = {}) {
  return { name: topic, 'connector.class': 'org.example.SteadySourceConnector', topic, 'interval.ms': '0', ...more }
}

function collecting(topic: string, file: string, more: Record<string, string> = {}) {
  return { name: `sink-${topic}`, 'connector.class': 'CollectingSink', topics: topic, file, ...more }
}

describe('a source task without its topic, on a broker that creates none by itself', () => {
  let strict: MillraceBroker

  beforeAll(async () => {
    strict = await startMillraceBroker({ 'auto.create.topics.enable': 'false', 'num.partitions': '3' })
  })

  afterAll(async () => {
    await strict?.stop()
  })

  it("creates it with the broker's defaults", async () => {
    const test = await startTestWorker(strict.bootstrapServers, { 'task.host.count': '1' })
    const admin = clientOf(strict).admin()
    try {
      await test.create(steady('by-itself', { 'max.records': '10' }))
      await until('it is finished', () => test.news('by-itself').at(-1)?.detail.finished === true)
      const described = await admin.topics.describe(['by-itself'])
      expect(described.get('by-itself')?.value?.partitions).toHaveLength(3)
    } finally {
      await admin.close()
      await test.stop()
    }
  })

  it('fails and says what to do where it may not create topics', async () => {
    const test = await startTestWorker(strict.bootstrapServers, {
      'task.host.count': '1',
      'topic.creation.enable': 'false',
    })
    try {
      await test.create(steady('never-made', { 'producer.override.max.block.ms': '10000', 'restart.policy': 'never' }))
      await until('it has failed', () => test.news('never-made').at(-1)?.state === 'FAILED')
      expect(test.news('never-made').at(-1)?.detail.trace).toMatch(
        /the topic never-made does not exist.*Create it, or set topic\.creation\.enable=true/,
      )
    } finally {
      await test.stop()
    }
  })
})

describe('a source task', () => {
  it('ends finished, with everything written once and in order', async () => {
    await withWorker({}, async (test) => {
      await test.create(steady('finishing', { 'max.records': '5000' }))
      await until('it is finished', () => test.news('finishing').at(-1)?.detail.finished === true)
      expect(test.news('finishing').map(({ state }) => state)).toEqual(['RUNNING', 'STOPPED'])
      expect(values(await contentOf('finishing'))).toEqual(numbers(5000))
    })
  })

  it('goes on after a graceful stop with neither a gap nor a repetition', async () => {
    await withWorker({}, async (test) => {
      const config = steady('resuming', { 'batch.size': '7', 'interval.ms': '1' })
      await test.create(config)
      for (let round = 1; round <= 3; round++) {
        const before = test.metric('source-record-write-total', 'resuming')
        await until('it writes', () => test.metric('source-record-write-total', 'resuming') > before)
        await test.worker.stopTasks([{ connector: 'resuming', task: 0 }])
        const found = await contentOf('resuming')
        expect(values(found)).toEqual(numbers(found.length))
        await test.worker.startTask({ connector: 'resuming', task: 0 }, config, config, 'STARTED')
      }
    })
  })

  it('stands still while it is paused and goes on when it is resumed', async () => {
    await withWorker({}, async (test) => {
      const id = { connector: 'pausing', task: 0 }
      const state = () => test.news('pausing').at(-1)?.state
      await test.create(steady('pausing', { 'interval.ms': '1' }))
      await until('it writes', () => test.metric('source-record-write-total', 'pausing') > 0)
      await test.worker.setTaskTarget([id], 'PAUSED')
      await until('it is paused', () => state() === 'PAUSED')
      const before = (await contentOf('pausing')).length
      await test.worker.setTaskTarget([id], 'STARTED')
      await until('it runs', () => state() === 'RUNNING')
      await until('it writes on', async () => (await contentOf('pausing')).length > before)
      const found = await contentOf('pausing')
      expect(values(found)).toEqual(numbers(found.length))
    })
  })

  it('creates its topic by topic.creation and applies transformations with predicates', async () => {
    await withWorker({}, async (test) => {
      await test.create(
        steady('created', {
          'max.records': '10',
          'topic.creation.default.partitions': '3',
          'topic.creation.default.replication.factor': '1',
          transforms: 'drop,wrap',
          'transforms.drop.type': 'org.apache.kafka.connect.transforms.Filter',
          'transforms.drop.predicate': 'mine',
          'transforms.drop.negate': 'true',
          'transforms.wrap.type': 'org.apache.kafka.connect.transforms.HoistField$Value',
          'transforms.wrap.field': 'n',
          predicates: 'mine',
          'predicates.mine.type': 'org.apache.kafka.connect.transforms.predicates.TopicNameMatches',
          'predicates.mine.pattern': 'created',
          'value.converter': 'JsonConverter',
          'value.converter.schemas.enable': 'false',
        }),
      )
      await until('it is finished', () => test.news('created').at(-1)?.detail.finished === true)
      const admin = client.admin()
      const topic = (await admin.topics.describe(['created'])).get('created')
      await admin.close()
      expect(topic?.error ?? topic?.value.partitions.length).toBe(3)
      expect(test.metric('source-record-write-total', 'created')).toBe(10)
      expect(test.metric('source-record-poll-total', 'created')).toBe(10)
    })
  })

  it('fails with the reason when a record cannot be converted, and skips it with errors.tolerance=all', async () => {
    await withWorker({}, async (test) => {
      const bad = {
        transforms: 'pick',
        'transforms.pick.type': 'org.apache.kafka.connect.transforms.InsertField$Value',
        'transforms.pick.offset.field': 'o',
        'max.records': '10',
      }
      await test.create(steady('intolerant', { ...bad, 'restart.policy': 'never' }))
      await until('it fails', () => test.news('intolerant').at(-1)?.state === 'FAILED')
      expect(test.news('intolerant').at(-1)?.detail.trace).toMatch(
        /^ConnectError: Tolerance exceeded in error handler.*\nCaused by: DataError: /s,
      )
      await test.create(steady('tolerant', { ...bad, 'errors.tolerance': 'all' }))
      await until('it is finished', () => test.news('tolerant').at(-1)?.detail.finished === true)
      await until('it has counted', () => test.metric('total-records-skipped', 'tolerant') === 10)
    })
  })
})

describe('a sink task', () => {
  it('gets every record once and in order, and its hooks in the order of Kafka', async () => {
    // Only the commit at the end.
    await withWorker({ 'offset.flush.interval.ms': '600000' }, async (test) => {
      await produce('collected', numbers(200))
      const file = join(test.folder, 'collected.jsonl')
      await test.create(collecting('collected', file))
      const puts = async () => (await entries(file)).filter(({ hook }) => hook === 'put')
      await until('all records are there', async () => (await puts()).length >= 200)
      await test.worker.stopTasks([{ connector: 'sink-collected', task: 0 }])
      expect((await puts()).map(({ value }) => value)).toEqual(numbers(200))
      const hooks = (await entries(file)).map(({ hook }) => hook).filter((hook, i, all) => hook !== all[i - 1])
      expect(hooks).toEqual(['open', 'put', 'preCommit', 'close'])
      // The commit at the end: a new task gets only what is new.
      await produce('collected', ['new'])
      const config = collecting('collected', file)
      await test.worker.startTask({ connector: 'sink-collected', task: 0 }, config, config, 'STARTED')
      await until('the new record is there', async () => (await puts()).length > 200)
      expect((await puts()).slice(200).map(({ value }) => value)).toEqual(['new'])
    })
  })

  it('sees who set the timestamp of a record, also behind a transformation', async () => {
    await withWorker({}, async (test) => {
      const admin = client.admin()
      const configs = { 'message.timestamp.type': 'LogAppendTime' }
      await admin.topics.create([{ name: 'stamped', numPartitions: 1, configs }])
      await admin.close()
      await produce('stamped', ['a'])
      await produce('sent', ['a'])
      const file = join(test.folder, 'stamped.jsonl')
      const hoisted = { transforms: 'h', 'transforms.h.type': 'HoistField$Key', 'transforms.h.field': 'k' }
      await test.create(collecting('stamped,sent', file, { name: 'stamps', ...hoisted }))
      const puts = async () => (await entries(file)).filter(({ hook }) => hook === 'put')
      await until('both records are there', async () => (await puts()).length >= 2)
      const types = (await puts()).map(({ topic, timestampType }) => [topic, timestampType])
      expect(Object.fromEntries(types)).toEqual({ stamped: 'LogAppendTime', sent: 'CreateTime' })
    })
  })

  it('gets the same batch again after a RetriableError', async () => {
    await withWorker({}, async (test) => {
      await produce('retried', numbers(50))
      const file = join(test.folder, 'retried.jsonl')
      await test.create(collecting('retried', file, { 'retriable.failures': '3' }))
      const puts = async () => (await entries(file)).filter(({ hook }) => hook === 'put')
      await until('all records are there', async () => (await puts()).length >= 50)
      expect((await puts()).map(({ value }) => value)).toEqual(numbers(50))
      expect(test.news('sink-retried').map(({ state }) => state)).toEqual(['RUNNING'])
    })
  })

  it('sends what it cannot convert, and what the task reports, to the dead letter queue with its context', async () => {
    await withWorker({}, async (test) => {
      await produce('doubtful', ['"good"', '{', '"unwanted"', '"fine"'])
      const file = join(test.folder, 'doubtful.jsonl')
      await test.create(
        collecting('doubtful', file, {
          'value.converter': 'JsonConverter',
          'value.converter.schemas.enable': 'false',
          'errors.tolerance': 'all',
          'errors.deadletterqueue.topic.name': 'dlq',
          'errors.deadletterqueue.context.headers.enable': 'true',
          'errant.value': 'unwanted',
        }),
      )
      const puts = async () => (await entries(file)).filter(({ hook }) => hook === 'put')
      await until('the good records are there', async () => (await puts()).length >= 2)
      expect((await puts()).map(({ value }) => value)).toEqual(['good', 'fine'])
      await test.worker.stopTasks([{ connector: 'sink-doubtful', task: 0 }])
      const letters = await contentOf('dlq')
      expect(values(letters)).toEqual(['{', '"unwanted"'])
      expect(letters.map(({ key }) => key?.toString())).toEqual(['k-{', 'k-"unwanted"'])
      const headers = Object.fromEntries(letters[0]?.headers.map(({ key, value }) => [key, value?.toString()]) ?? [])
      expect(headers).toMatchObject({
        origin: '{',
        '__connect.errors.topic': 'doubtful',
        '__connect.errors.partition': '0',
        '__connect.errors.offset': '1',
        '__connect.errors.connector.name': 'sink-doubtful',
        '__connect.errors.task.id': '0',
        '__connect.errors.stage': 'VALUE_CONVERTER',
        '__connect.errors.class.name': 'JsonConverter',
        '__connect.errors.exception.class.name': 'org.apache.kafka.connect.errors.DataException',
      })
      expect(headers['__connect.errors.exception.message']).toContain('not JSON')
      expect(headers['__connect.errors.exception.stacktrace']).toContain('DataError')
      const stages = letters.map(({ headers: all }) => all.find(({ key }) => key.endsWith('.stage'))?.value?.toString())
      expect(stages).toEqual(['VALUE_CONVERTER', 'TASK_PUT'])
    })
  })

  it('shares its partitions with the other tasks of its connector', async () => {
    await withWorker({}, async (test) => {
      await createTopic(client, 'shared', 4)
      const file = join(test.folder, 'shared.jsonl')
      await test.create(collecting('shared', file), 2)
      await until('both tasks have partitions', () =>
        [0, 1].every((task) => test.metric('partition-count', 'sink-shared', task) === 2),
      )
      await test.worker.stopTasks([{ connector: 'sink-shared', task: 0 }])
      await until('the other has them all', () => test.metric('partition-count', 'sink-shared', 1) === 4)
    })
  })

  it('loses no record when its host is killed, and need not wait for the session of what was killed', async () => {
    // Longer than the test may take.
    const properties = { 'offset.flush.interval.ms': '50', 'consumer.session.timeout.ms': '300000' }
    await withWorker(properties, async (test) => {
      await produce('outlived', numbers(100))
      const file = join(test.folder, 'outlived.jsonl')
      await test.create(collecting('outlived', file, { 'restart.backoff.ms': '10' }))
      const found = async (hook: string) => (await entries(file)).filter((entry) => entry.hook === hook)
      await until('some is committed', async () => (await found('preCommit')).length > 0)
      test.killHosts()
      await produce('outlived', ['after'])
      const isComplete = async () => (await found('put')).some(({ value }) => value === 'after')
      await until('the records after the kill are there', isComplete)
      const offsets = (await found('put')).map(({ offset }) => offset ?? -1)
      expect([...new Set(offsets)]).toEqual(Array.from({ length: 101 }, (_, offset) => offset))
    })
  })

  it('takes its partitions out of polling while it is paused', async () => {
    await withWorker({}, async (test) => {
      await produce('quiet', numbers(10))
      const file = join(test.folder, 'quiet.jsonl')
      const id = { connector: 'sink-quiet', task: 0 }
      const puts = async () => (await entries(file)).filter(({ hook }) => hook === 'put').length
      await test.create(collecting('quiet', file))
      await until('it has them', async () => (await puts()) === 10)
      await test.worker.setTaskTarget([id], 'PAUSED')
      await until('it is paused', () => test.news('sink-quiet').at(-1)?.state === 'PAUSED')
      await produce('quiet', ['later'])
      await test.worker.setTaskTarget([id], 'STARTED')
      await until('it has the rest', async () => (await puts()) === 11)
    })
  })
})

describe('a task host without a worker', () => {
  it('ends by itself when the worker is killed', async () => {
    const script = fileURLToPath(new URL('./orphan-worker.ts', import.meta.url))
    const child = spawn(process.execPath, ['--conditions=source', script, broker.bootstrapServers], {
      stdio: ['ignore', 'pipe', 'inherit'],
    })
    let output = ''
    child.stdout.on('data', (chunk) => (output += String(chunk)))
    await until('its task runs', () => output.includes('\n'))
    const pids = JSON.parse(output.split('\n')[0] ?? '[]') as number[]
    expect(pids.length).toBeGreaterThan(0)
    expect(pids.every(isAlive)).toBe(true)
    child.kill('SIGKILL')
    await until('the hosts are gone', () => !pids.some(isAlive))
  })
})
