// A dedicated MirrorMaker 2 and `millrace mirror` with the same file: side by side, and one after the other.
import { afterAll, beforeAll, expect, test, vi } from 'vitest'
import type { Client } from '../../src/client/index.ts'
import { clientOf } from '../integration/client/clusters.ts'
import { content, countOf, createTopic, produce, recordsOf } from '../integration/support/mirror-topics.ts'
import { until } from '../integration/worker-harness.ts'
import { freePort } from '../services/free-port.ts'
import { kafkaMissing } from '../services/kafka.ts'
import { type MirrorMaker, startMirrorMaker } from '../services/kafka-mirror.ts'
import {
  type MillraceBroker,
  type MillraceMirror,
  startMillraceBroker,
  startMillraceMirror,
} from '../services/millrace.ts'

// Workers of Kafka start and stop several times, which takes minutes on a machine that is busy.
vi.setConfig({ testTimeout: 900_000 })

const missing = kafkaMissing('4.3.1') !== null
let [a, b]: MillraceBroker[] = []
let java: MirrorMaker | undefined
let ours: MillraceMirror | undefined
let inA: Client
let inB: Client

beforeAll(async () => {
  if (missing) return
  ;[a, b] = await Promise.all([startMillraceBroker(), startMillraceBroker()])
  inA = clientOf(a!)
  inB = clientOf(b!)
})
afterAll(async () => {
  await java?.stop()
  await ours?.stop()
  await Promise.all([a?.stop(), b?.stop()])
})

/** Workers that MirrorMaker does not take for lost only after minutes. */
const file = (port: number): Record<string, string> => ({
  clusters: 'A, B',
  'A.bootstrap.servers': a!.bootstrapServers,
  'B.bootstrap.servers': b!.bootstrapServers,
  'A->B.enabled': 'true',
  'A->B.topics': 'one, two, three',
  'emit.heartbeats.enabled': 'false',
  'refresh.topics.interval.seconds': '1',
  'tasks.max': '2',
  'replication.factor': '1',
  'offset-syncs.topic.replication.factor': '1',
  'checkpoints.topic.replication.factor': '1',
  'heartbeats.topic.replication.factor': '1',
  'offset.storage.replication.factor': '1',
  'config.storage.replication.factor': '1',
  'status.storage.replication.factor': '1',
  'B.scheduled.rebalance.max.delay.ms': '0',
  // A stop that is cut off repeats records, and a busy machine takes its time. Now and then a task of MirrorMaker hangs.
  'B.task.shutdown.graceful.timeout.ms': '30000',
  'dedicated.mode.enable.internal.rest': 'true',
  listeners: `http://127.0.0.1:${port}`,
})

const isCopied = async (topic: string, count: number) => countOf(await recordsOf(inB, `A.${topic}`)) >= count

/** The workers that run connectors, as the group has it. */
const workers = async (): Promise<number> => {
  const newest = new Map<string, { state: string; worker_id: string }>()
  for (const { key, value } of (await recordsOf(inB, 'mm2-status.A.internal')).flat()) {
    if (value && String(key).startsWith('status-connector-')) newest.set(String(key), JSON.parse(String(value)))
  }
  const running = [...newest.values()].filter(({ state }) => state === 'RUNNING')
  return new Set(running.map(({ worker_id }) => worker_id)).size
}

const bothWork = () => until('both have connectors', async () => (await workers()) === 2)

test.skipIf(missing)('a MirrorMaker 2 is joined, followed, joins and succeeds, without a record twice', async () => {
  await createTopic(inA, 'one', 2)
  await produce(inA, 'one', 2, 0, 200)
  java = await startMirrorMaker(file(await freePort()))
  await until('MirrorMaker copies', () => isCopied('one', 200))

  // It leads.
  ours = await startMillraceMirror(file(await freePort()))
  await bothWork()
  await createTopic(inA, 'two', 2)
  await produce(inA, 'two', 2, 0, 200)
  await until('the two of them copy a new topic', () => isCopied('two', 200))

  await java.stop()
  await produce(inA, 'one', 2, 200, 400)
  await until('we go on alone', () => isCopied('one', 400))
  // What MirrorMaker has configured is what we would have.
  expect(ours.output()).not.toContain('configured for')

  // We lead.
  java = await startMirrorMaker(file(await freePort()))
  await bothWork()
  await createTopic(inA, 'three', 2)
  await produce(inA, 'three', 2, 0, 200)
  await until('the two of them copy another topic', () => isCopied('three', 200))

  expect(await ours.end()).toBe(0)
  await produce(inA, 'one', 2, 400, 600)
  await until('MirrorMaker goes on alone', () => isCopied('one', 600))
  for (const topic of ['one', 'two', 'three']) {
    const [originals, copies] = [await recordsOf(inA, topic), await recordsOf(inB, `A.${topic}`)]
    expect(copies.map((list) => list.map(content))).toEqual(originals.map((list) => list.map(content)))
  }
})
