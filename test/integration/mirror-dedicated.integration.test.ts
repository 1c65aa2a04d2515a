// `millrace mirror` with files of MirrorMaker 2: flows in both directions, processes that die, processes that share.
import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, describe, expect, test } from 'vitest'
import type { Client, ConsumerRecord } from '../../src/client/index.ts'
import { kafkaMissing, startKafka } from '../services/kafka.ts'
import { type MillraceMirror, startMillraceBroker, startMillraceMirror } from '../services/millrace.ts'
import { clientOf, type TestCluster } from './client/clusters.ts'
import { content, countOf, createTopic, produce, recordsOf, withAdmin } from './support/mirror-topics.ts'
import { until } from './worker-harness.ts'

type Cluster = Pick<TestCluster, 'bootstrapServers' | 'stop'>

const started: { stop(): Promise<void> }[] = []
afterEach(async () => {
  // The mirrors before their clusters.
  for (const one of started.splice(0).toReversed()) await one.stop()
})

async function start<T extends { stop(): Promise<void> }>(starting: Promise<T>): Promise<T> {
  const one = await starting
  started.push(one)
  return one
}

const file = (a: Cluster, b: Cluster, more: Record<string, string> = {}): Record<string, string> => ({
  clusters: 'A, B',
  'A.bootstrap.servers': a.bootstrapServers,
  'B.bootstrap.servers': b.bootstrapServers,
  'A->B.enabled': 'true',
  'refresh.topics.interval.seconds': '1',
  'refresh.groups.interval.seconds': '1',
  'emit.checkpoints.interval.seconds': '1',
  'tasks.max': '2',
  // Tasks that are made anew have stored how far they came, or they would copy some records twice.
  'task.shutdown.graceful.timeout.ms': '60000',
  'task.host.count': '1',
  ...more,
})

async function isCopied(from: Client, topic: string, to: Client, copy: string): Promise<boolean> {
  const count = countOf(await recordsOf(from, topic))
  return count > 0 && countOf(await recordsOf(to, copy)) === count
}

async function expectSame(from: Client, topic: string, to: Client, copy: string): Promise<void> {
  const [originals, copies] = [await recordsOf(from, topic), await recordsOf(to, copy)]
  expect(copies.map((list) => list.map(content))).toEqual(originals.map((list) => list.map(content)))
}

const kinds = [
  { other: 'Millrace', isMissing: false, startOther: (): Promise<Cluster> => startMillraceBroker() },
  { other: 'Apache Kafka 4.3.1', isMissing: kafkaMissing('4.3.1') !== null, startOther: () => startKafka() },
]

describe.each(kinds)('between Millrace and $other', ({ isMissing, startOther }) => {
  test.skipIf(isMissing)('two flows copy topics, groups and heartbeats in both directions', async () => {
    const [a, b] = await Promise.all([start(startMillraceBroker()), start(startOther())])
    const [inA, inB] = [clientOf(a), clientOf(b)]
    await createTopic(inA, 'orders', 2)
    await createTopic(inB, 'events', 1)
    await produce(inA, 'orders', 2, 0, 300)
    await produce(inB, 'events', 1, 0, 100)
    await withAdmin(inA, (admin) =>
      admin.groups.alterOffsets('readers', [{ topic: 'orders', partition: 0, offset: 50 }]),
    )
    const mirror = await start(
      startMillraceMirror(
        file(a, b, {
          'B->A.enabled': 'true',
          'A->B.topics': 'orders',
          'B->A.topics': 'events',
          'dedicated.mode.enable.internal.rest': 'true',
        }),
      ),
    )
    await until('orders are copied', () => isCopied(inA, 'orders', inB, 'A.orders'))
    await until('events are copied', () => isCopied(inB, 'events', inA, 'B.events'))
    await expectSame(inA, 'orders', inB, 'A.orders')
    await expectSame(inB, 'events', inA, 'B.events')
    const hasSome = async (client: Client, topic: string) => countOf(await recordsOf(client, topic)) > 0
    await until('the group is translated', () => hasSome(inB, 'A.checkpoints.internal'))
    await until('heartbeats go from A to B', () => hasSome(inB, 'A.heartbeats'))
    await until('heartbeats go from B to A', () => hasSome(inA, 'B.heartbeats'))
    const internal = (topics: readonly { name: string }[], store: string) =>
      topics.map(({ name }) => name).filter((name) => name.startsWith(`mm2-${store}.`))
    expect(internal(await withAdmin(inA, (admin) => admin.topics.list()), 'configs')).toEqual([
      'mm2-configs.B.internal',
    ])
    expect(internal(await withAdmin(inB, (admin) => admin.topics.list()), 'configs')).toEqual([
      'mm2-configs.A.internal',
    ])
    const answer = await fetch(`${mirror.url}/B/A/connectors/MirrorSourceConnector/status`)
    expect(await answer.json()).toMatchObject({
      connector: { state: 'RUNNING', worker_id: expect.stringMatching(/\/B->A$/) },
    })
  })

  test.skipIf(isMissing)('kill -9 loses nothing, and what is repeated comes in order', async () => {
    const [a, b] = await Promise.all([start(startMillraceBroker()), start(startOther())])
    const [inA, inB] = [clientOf(a), clientOf(b)]
    await createTopic(inA, 'killed', 3)
    await createTopic(inB, 'A.killed', 3)
    const mirror = await start(
      startMillraceMirror(
        file(a, b, {
          'A->B.topics': 'killed',
          'B.offset.flush.interval.ms': '500',
          'A.consumer.max.poll.records': '50',
          'B->A.emit.heartbeats.enabled': 'false',
        }),
      ),
    )
    await produce(inA, 'killed', 3, 0, 6000)
    await until('the copy has begun', async () => countOf(await recordsOf(inB, 'A.killed')) > 0)
    await mirror.kill()
    await produce(inA, 'killed', 3, 6000, 9000)
    await mirror.restart()
    const times = (records: readonly ConsumerRecord[]) => records.map(({ timestamp }) => timestamp)
    const firstSights = async () => (await recordsOf(inB, 'A.killed')).map((list) => [...new Set(times(list))])
    await until('everything is copied', async () => countOf(await firstSights()) === 9000)
    expect(await firstSights()).toEqual((await recordsOf(inA, 'killed')).map(times))
  })
})

describe.each([{ rest: 'true' }, { rest: 'false' }])('processes that share, with REST $rest', ({ rest }) => {
  test('each connector on another one; what it finds later runs, and one that dies is replaced', async () => {
    const [a, b] = await Promise.all([start(startMillraceBroker()), start(startMillraceBroker())])
    const [inA, inB] = [clientOf(a), clientOf(b)]
    await createTopic(inA, 'first', 2)
    await produce(inA, 'first', 2, 0, 100)
    const settings = file(a, b, {
      'A->B.topics': 'first, second, third',
      'B->A.emit.heartbeats.enabled': 'false',
      'dedicated.mode.enable.internal.rest': rest,
    })
    const mirrors: MillraceMirror[] = []
    for (let n = 0; n < 3; n++) mirrors.push(await start(startMillraceMirror(settings)))
    /** Where each connector runs, as the group has it. */
    const owners = async () => {
      const newest = new Map<string, { state: string; worker_id: string }>()
      for (const { key, value } of (await recordsOf(inB, 'mm2-status.A.internal')).flat()) {
        if (key && value && String(key).startsWith('status-connector-'))
          newest.set(String(key), JSON.parse(String(value)))
      }
      const running = [...newest.values()].filter(({ state }) => state === 'RUNNING')
      return new Set(running.map(({ worker_id }) => worker_id))
    }
    await until('each has a connector', async () => (await owners()).size === 3)
    // Two of the three do not lead, so one at least of what follows comes from one that does not.
    await createTopic(inA, 'second', 2)
    await produce(inA, 'second', 2, 0, 100)
    await withAdmin(inA, (admin) => admin.groups.alterOffsets('late', [{ topic: 'second', partition: 0, offset: 50 }]))
    await until('the topic is copied', () => isCopied(inA, 'second', inB, 'A.second'))
    const groups = async () => (await recordsOf(inB, 'A.checkpoints.internal')).flat().map(({ key }) => String(key))
    await until('the group is translated', async () => (await groups()).some((key) => key.includes('late')))
    await mirrors[0]!.kill()
    await createTopic(inA, 'third', 2)
    await produce(inA, 'third', 2, 0, 100)
    await until('who is left copies all', () => isCopied(inA, 'third', inB, 'A.third'))
    await expectSame(inA, 'third', inB, 'A.third')
    for (const mirror of mirrors.slice(1)) expect(await mirror.end()).toBe(0)
  })
})

test('values of config providers reach clients, and not the log', async () => {
  const [a, b] = await Promise.all([start(startMillraceBroker()), start(startMillraceBroker())])
  const [inA, inB] = [clientOf(a), clientOf(b)]
  await createTopic(inA, 'orders', 1)
  await produce(inA, 'orders', 1, 0, 10)
  const folder = await mkdtemp(join(tmpdir(), 'millrace-mirror-secrets-'))
  try {
    const path = join(folder, 'brokers.properties')
    await writeFile(path, `a=${a.bootstrapServers}\nb=${b.bootstrapServers}\n`)
    const secret = (name: string) => ({ bootstrapServers: `\${file:${path}:${name}}`, stop: () => Promise.resolve() })
    const properties = file(secret('a'), secret('b'), {
      'config.providers': 'file',
      'config.providers.file.class': 'org.apache.kafka.common.config.provider.FileConfigProvider',
      'A->B.topics': 'orders',
      'B->A.emit.heartbeats.enabled': 'false',
    })
    const mirror = await start(startMillraceMirror(properties))
    await until('orders are copied', () => isCopied(inA, 'orders', inB, 'A.orders'))
    await mirror.end()
  } finally {
    await rm(folder, { recursive: true })
  }
  const configs = (await recordsOf(inB, 'mm2-configs.A.internal')).flat().map(({ value }) => String(value))
  expect(configs.filter((text) => text.includes(a.bootstrapServers))).toEqual([])
  expect(configs.filter((text) => text.includes('brokers.properties:a}')).length).toBeGreaterThan(0)
})

test('a file with a mistake ends the process with what to do', async () => {
  const unreachable = { bootstrapServers: '127.0.0.1:1', stop: () => Promise.resolve() }
  const starting = startMillraceMirror(file(unreachable, unreachable, { 'A->C.enabled': 'true' }))
  await expect(starting).rejects.toThrow('A->C.enabled: there is no cluster C; clusters names A, B')
})

test('a mistake in the settings of a worker is told with its flow', async () => {
  const unreachable = { bootstrapServers: '127.0.0.1:1', stop: () => Promise.resolve() }
  const starting = startMillraceMirror(file(unreachable, unreachable, { 'B.security.protocol': 'SSL' }))
  await expect(starting).rejects.toThrow('A->B: Invalid value SSL for configuration security.protocol')
})

test('a connector that refuses what the file gives it ends the process with its reason', async () => {
  const [a, b] = await Promise.all([start(startMillraceBroker()), start(startMillraceBroker())])
  const starting = startMillraceMirror(file(a, b, { 'A->B.topics': '((' })).then(async (mirror) => {
    started.push(mirror)
    await until('it says why', () => Promise.resolve(/A->B: .*topics/.test(mirror.output())))
  })
  // The leader may refuse before the process is healthy.
  await starting.catch((error: unknown) => expect(String(error)).toMatch(/A->B: .*topics/))
})
