// What others do wrong, at a broker and a worker that run as processes: clear errors, and everybody else goes on.
import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { connect } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { type Random, seededRandom } from '../../../src/base/index.ts'
import type { Client } from '../../../src/client/index.ts'
import { apis } from '../../../src/protocol/index.ts'
import {
  type MillraceBroker,
  type MillraceWorker,
  startMillraceBroker,
  startMillraceWorker,
} from '../../services/millrace.ts'
import { clientOf } from '../client/clusters.ts'
import { examples } from '../worker-harness.ts'
import { rest, until } from './connect-cluster.ts'

/** Longer than any innocent host stands still on a busy machine. */
const STALL_MS = 8000
let folder: string
let broker: MillraceBroker
let worker: MillraceWorker
let client: Client

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'millrace-bad-input-'))
  broker = await startMillraceBroker()
  client = clientOf(broker)
  worker = await startMillraceWorker(broker.bootstrapServers, 'bad-input', {
    'plugin.path': examples,
    'task.host.count': '4',
    'task.host.stall.timeout.ms': String(STALL_MS),
    'task.host.memory.max.mb': '400',
    'task.shutdown.graceful.timeout.ms': '2000',
    'offset.flush.interval.ms': '200',
  })
  await create('steady', { 'connector.class': 'SteadySource', topic: 'steady' })
})

afterAll(async () => {
  await worker?.stop()
  await broker?.stop()
  await rm(folder, { recursive: true, force: true })
})

async function create(name: string, config: Record<string, string>): Promise<void> {
  const { status, body } = await rest(worker.url, 'POST', '/connectors', { name, config })
  expect([status, body]).toEqual([201, expect.anything()])
}

const taskOf = async (name: string) =>
  (await rest(worker.url, 'GET', `/connectors/${name}/status`)).body.tasks?.[0] ?? {}
const untilTask = (name: string, what: string, isRight: (task: any) => boolean) =>
  until(`${name} ${what}`, () => taskOf(name), isRight)

/** How many records of a source the log has acknowledged. */
async function written(name: string): Promise<number> {
  const { body } = await rest(worker.url, 'GET', '/metrics')
  const series = `kafka_connect_source_task_metrics_source_record_write_total{connector="${name}",task="0"} `
  const line = (body as string).split('\n').find((one) => one.startsWith(series))
  return Number(line?.slice(series.length) ?? 0)
}

async function goesOn(name: string): Promise<void> {
  const before = await written(name)
  await until(
    `${name} writes on`,
    () => written(name),
    (now) => now > before,
  )
}

/** Sends bytes and ends its side, or resets the connection; waits until the other side is done with it too. */
function throwAt(port: number, bytes: Uint8Array, reset: boolean): Promise<void> {
  return new Promise((resolve) => {
    const socket = connect(port, '127.0.0.1')
    socket.on('error', () => undefined).on('close', () => resolve())
    // What is answered is not read by anybody who sends this, but has to leave the socket.
    socket.resume()
    if (reset) socket.write(bytes, () => socket.resetAndDestroy())
    else socket.end(bytes)
  })
}

const integer = (random: Random, below: number): number => Math.floor(random.next() * below)

const noise = (random: Random, length: number): Buffer =>
  Buffer.from(Array.from({ length }, () => integer(random, 256)))

/** Requests as clients send them. */
function goodFrames(): Buffer[] {
  const header = { correlationId: 7, clientId: 'fuzz' }
  const topics = [{ name: 'fuzzed', partitions: [{ partitionIndex: 0 }] }]
  return [
    apis.apiVersions.requestFrame(3, header, { clientSoftwareName: 'fuzz', clientSoftwareVersion: '1' }),
    apis.metadata.requestFrame(9, header, { topics: [{ name: 'fuzzed' }], allowAutoTopicCreation: false }),
    apis.listOffsets.requestFrame(7, header, { replicaId: -1, topics }),
    apis.findCoordinator.requestFrame(2, header, { key: 'group' }),
    apis.joinGroup.requestFrame(5, header, { groupId: 'fuzz', sessionTimeoutMs: 6000, protocolType: 'consumer' }),
    apis.offsetFetch.requestFrame(5, header, { groupId: 'fuzz', topics: null }),
    apis.deleteGroups.requestFrame(2, header, { groupsNames: ['fuzz'] }),
  ].map((parts) => Buffer.concat(parts))
}

/** One of them broken, or noise with and without a length in front. */
function brokenFrame(random: Random, frames: readonly Buffer[]): Buffer {
  const kind = integer(random, 5)
  if (kind === 0) return noise(random, 1 + integer(random, 400))
  const bytes = Buffer.from(frames[integer(random, frames.length)] as Buffer)
  if (kind === 1) return bytes.subarray(0, integer(random, bytes.length))
  if (kind === 2) {
    const body = noise(random, integer(random, 400))
    const size = Buffer.alloc(4)
    size.writeInt32BE(body.length)
    return Buffer.concat([size, body])
  }
  // In kind 3 behind the length of the frame, in kind 4 anywhere.
  const from = kind === 3 ? 4 : 0
  for (let flips = 1 + integer(random, 6); flips > 0; flips--) {
    const at = from + integer(random, bytes.length - from)
    bytes.writeUInt8(bytes.readUInt8(at) ^ (1 << integer(random, 8)), at)
  }
  return Buffer.concat([bytes, bytes])
}

describe('the port of the broker', () => {
  test('300 broken requests: nothing that others write or read is late, lost or repeated', async () => {
    const pid = broker.pid()
    await using admin = client.admin()
    await admin.topics.create([{ name: 'meanwhile', numPartitions: 1, replicationFactor: 1 }])
    const producer = client.producer({})
    const consumer = client.consumer({})
    consumer.assign([{ topic: 'meanwhile', partition: 0 }])
    consumer.seekToBeginning()
    const read: string[] = []
    const frames = goodFrames()
    for (let seed = 1; seed <= 300; seed++) {
      const random = seededRandom(seed)
      const attack = throwAt(broker.port, brokenFrame(random, frames), random.next() < 0.3)
      await producer.send({ topic: 'meanwhile', key: null, value: Buffer.from(String(seed)), headers: [] })
      for (const { value } of await consumer.poll(0)) read.push(String(value))
      await attack
    }
    await until(
      'everything is read',
      async () => {
        for (const { value } of await consumer.poll(50)) read.push(String(value))
        return read.length
      },
      (count) => count >= 300,
    )
    expect(read).toEqual(Array.from({ length: 300 }, (_, index) => String(index + 1)))
    expect(broker.pid()).toBe(pid)
    await producer.close()
    await consumer.close()
  })
})

/** A body that is never a good one: what it asks for lacks its topic. */
const BODY = JSON.stringify({
  name: 'fuzz',
  config: { 'connector.class': 'FileStreamSource', 'tasks.max': '1', file: '/x' },
})
const ODD_VALUES = ['null', '[]', '{}', '-1e999', '"\\ud800"', '"\\u0000"', 'true', '""', '[[[[1]]]]', '"x"']

function brokenBody(random: Random): Buffer {
  const kind = integer(random, 4)
  if (kind === 0) return noise(random, integer(random, 300))
  if (kind === 1) return Buffer.from(BODY.slice(0, integer(random, BODY.length)))
  if (kind === 2) {
    const odd = ODD_VALUES[integer(random, ODD_VALUES.length)] as string
    const values = [...BODY.matchAll(/(?<=:)("[^"]*"|\{.*\})/g)]
    const { 0: value, index } = values[integer(random, values.length)] as RegExpExecArray
    return Buffer.from(BODY.slice(0, index) + odd + BODY.slice(index + value.length))
  }
  const bytes = Buffer.from(BODY)
  bytes.writeUInt8(integer(random, 256), integer(random, bytes.length))
  return bytes
}

describe('REST', () => {
  const targets = [
    ['POST', '/connectors'],
    ['PUT', '/connectors/fuzz/config'],
    ['PATCH', '/connectors/nobody/config'],
    ['POST', '/connectors/nobody/restart?includeTasks=%00&onlyFailed='],
    ['PUT', '/admin/loggers/nobody'],
    ['PUT', '/connector-plugins/%F0%9F%A6%86/config/validate'],
  ] as const

  test('300 broken bodies: each is refused with its reason, and connectors go on', async () => {
    const pid = worker.pid()
    for (let seed = 1; seed <= 300; seed++) {
      const random = seededRandom(seed)
      const [method, path] = targets[seed % targets.length] as (typeof targets)[number]
      const body = brokenBody(random)
      const response = await fetch(worker.url + path, { method, body: new Uint8Array(body) })
      const answer = (await response.json()) as { error_code?: number; message?: string }
      const what = { seed, method, path, body: body.toString('latin1'), answer }
      expect([response.status >= 400 && response.status < 500, what]).toEqual([true, what])
      expect([answer.error_code, (answer.message ?? '').length > 10, what]).toEqual([response.status, true, what])
    }
    expect(worker.pid()).toBe(pid)
    await goesOn('steady')
    expect((await rest(worker.url, 'GET', '/connectors')).body).toEqual(['steady'])
  })

  test('bodies that are too large or too deep are refused', async () => {
    const large = await rest(worker.url, 'POST', '/connectors', `{"name":"${'x'.repeat(11_000_000)}"}`)
    expect([large.status, large.body]).toEqual([413, { error_code: 413, message: expect.stringContaining('large') }])
    const deep = await rest(worker.url, 'POST', '/connectors', '{"a":'.repeat(200_000))
    expect([deep.status, deep.body.error_code]).toEqual([400, 400])
    await goesOn('steady')
  })

  test('what is no HTTP at all closes its connection and nothing else', async () => {
    const { port } = new URL(worker.url)
    for (let seed = 1; seed <= 100; seed++) {
      const random = seededRandom(seed)
      const head = Buffer.from(
        `POST /connectors HTTP/1.1\r\nHost: x\r\nContent-Length: ${integer(random, 1e9)}\r\n\r\n`,
      )
      const bytes = seed % 2 === 0 ? noise(random, 500) : head.subarray(0, integer(random, head.length + 1))
      await throwAt(Number(port), bytes, random.next() < 0.3)
    }
    await goesOn('steady')
  })
})

describe('records that are too large', () => {
  const lines = ['small', 'x'.repeat(2_000_000), 'last']
  const fileSource = (topic: string) => ({
    'connector.class': 'FileStreamSource',
    topic,
    file: join(folder, 'large.txt'),
    'value.converter': 'StringConverter',
    'restart.policy': 'never',
  })
  const cases = [
    ['for the producer', {}, 'max.request.size'],
    [
      'for the topic',
      { 'producer.override.max.request.size': '10000000', 'topic.creation.default.max.message.bytes': '100000' },
      'max.message.bytes is 100000',
    ],
  ] as const
  const creation = { 'topic.creation.default.partitions': '1', 'topic.creation.default.replication.factor': '1' }

  test.each(cases)('%s fail their task with the reason, or are left out', async (which, more, reason) => {
    await writeFile(join(folder, 'large.txt'), `${lines.join('\n')}\n`)
    const name = `large-${which.replaceAll(' ', '-')}`
    await create(name, { ...fileSource(name), ...creation, ...more })
    const { trace } = await untilTask(name, 'has failed', ({ state }) => state === 'FAILED')
    expect(trace).toContain(reason)
    const tolerant = `${name}-tolerant`
    await create(tolerant, { ...fileSource(tolerant), ...creation, ...more, 'errors.tolerance': 'all' })
    await until(
      `${tolerant} goes on behind it`,
      () => written(tolerant),
      (count) => count === 2,
    )
    for (const one of [name, tolerant]) await rest(worker.url, 'DELETE', `/connectors/${one}`)
  })
})

describe('a finished task', () => {
  test('says so in its status, also after a restart that finds nothing left to do', async () => {
    const config = { 'connector.class': 'DatagenSource', 'kafka.topic': 'few', quickstart: 'users', iterations: '5' }
    await create('few', { ...config, 'max.interval': '1' })
    const finished = (task: any) => task.state === 'STOPPED' && task.finished === true
    const first = await untilTask('few', 'has finished', finished)
    expect(first).toEqual({
      id: 0,
      state: 'STOPPED',
      worker_id: worker.workerId,
      version: expect.any(String),
      finished: true,
    })
    expect((await rest(worker.url, 'GET', '/connectors/few/status')).body.connector.state).toBe('RUNNING')
    const failed = await rest(worker.url, 'POST', '/connectors/few/restart?includeTasks=true&onlyFailed=true')
    expect([failed.status, failed.body.tasks[0]]).toEqual([202, first])
    const restart = await rest(worker.url, 'POST', '/connectors/few/restart?includeTasks=true')
    expect([restart.status, restart.body.tasks[0].state]).toEqual([202, 'RESTARTING'])
    await untilTask('few', 'has finished again', finished)
    expect((await rest(worker.url, 'POST', '/connectors/few/tasks/0/restart')).status).toBe(204)
    await untilTask('few', 'has finished a third time', finished)
    const consumer = client.consumer({})
    const at = { topic: 'few', partition: 0 }
    consumer.assign([at])
    expect(await consumer.endOffsets([at])).toEqual([5])
    await consumer.close()
    expect((await rest(worker.url, 'DELETE', '/connectors/few')).status).toBe(204)
  })
})

/** The quickest of some requests, in milliseconds: a busy machine delays some, a worker that is held up delays all. */
async function quickest(samples: number): Promise<number> {
  const times: number[] = []
  for (let index = 0; index < samples; index++) {
    const started = performance.now()
    await rest(worker.url, 'GET', '/connectors?expand=status')
    times.push(performance.now() - started)
  }
  return Math.min(...times)
}

/** What a plugin does, and the reason that its status gives; null for one that goes on all the same. */
type Misbehaviour = readonly [config: Record<string, string>, reason: RegExp | null]

const source = (mode: string, hook: string, reason: RegExp | null): Misbehaviour => [
  { 'connector.class': 'MisbehavingSource', topic: 'misbehaving', mode, hook },
  reason,
]
const sink = (hook: string, reason: RegExp | null): Misbehaviour => [
  { 'connector.class': 'MisbehavingSink', topics: 'steady', hook },
  reason,
]

describe('plugins that misbehave, all at once', () => {
  const bad: Readonly<Record<string, Misbehaviour>> = {
    loop: source('loop', 'poll', /stood still.*spinForEver/s),
    leak: source('leak', 'poll', /task\.host\.memory\.max\.mb = 400/),
    exit: source('exit', 'poll', /called process\.exit\(7\)/),
    'throw-create': source('throw', 'createTask', /thrown on purpose in createTask/),
    'throw-start': source('throw', 'start', /thrown on purpose in start/),
    'throw-poll': source('throw', 'poll', /thrown on purpose in poll/),
    'throw-commit': source('throw', 'commit', null),
    'throw-stop': source('throw', 'stop', null),
    'hang-stop': source('hang-stop', 'stop', null),
    'sink-throw-create': sink('createTask', /thrown on purpose in createTask/),
    'sink-throw-start': sink('start', /thrown on purpose in start/),
    'sink-throw-open': sink('open', /thrown on purpose in open/),
    'sink-throw-put': sink('put', /thrown on purpose in put/),
    'sink-throw-commit': sink('preCommit', null),
    'sink-throw-close': sink('close', null),
    'sink-throw-stop': sink('stop', null),
  }
  const culprits = Object.entries(bad).flatMap(([name, [, reason]]) => (reason === null ? [] : [name]))
  const others = Object.keys(bad).filter((name) => !culprits.includes(name))

  test('the culprits fail with the reason, REST answers all the time, and neighbours never stop', async () => {
    await Promise.all(
      Object.entries(bad).map(([name, [config]]) => create(name, { 'restart.policy': 'never', ...config })),
    )
    const failed = new Set<string>()
    await until(
      'all culprits have failed',
      async () => {
        await goesOn('steady')
        expect(await quickest(12)).toBeLessThan(STALL_MS / 4)
        for (const name of culprits) if ((await taskOf(name)).state === 'FAILED') failed.add(name)
        return culprits.filter((name) => !failed.has(name))
      },
      (left) => left.length === 0,
    )
    for (const name of culprits) expect((await taskOf(name)).trace).toMatch(bad[name]?.[1] ?? /^$/)
    for (const name of others) await untilTask(name, 'runs', ({ state }) => state === 'RUNNING')
    for (const name of Object.keys(bad)) {
      expect((await rest(worker.url, 'DELETE', `/connectors/${name}`)).status).toBe(204)
    }
    await until(
      'only the neighbour is left',
      async () => [...((await rest(worker.url, 'GET', '/metrics')).body as string).matchAll(/connector="([^"]*)"/g)],
      (seen) => seen.every(([, name]) => name === 'steady'),
    )
    await goesOn('steady')
    expect((await taskOf('steady')).state).toBe('RUNNING')
  })
})
