// What many topics cost is counted in syncs of the disk, each of which takes milliseconds on a busy machine.
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, expect, test } from 'vitest'
import { type Disk, silentLogger } from '../../../src/base/index.ts'
import { realClock, realDisk, realNet, realRandom } from '../../../src/base/real/index.ts'
import { type Broker, createBroker } from '../../../src/broker/index.ts'
import { apis, ErrorCode } from '../../../src/protocol/index.ts'
import { batchOf, RawClient } from './raw-client.ts'

const TOPICS = 60
/** What does not depend on the number of topics: checkpoints, the mark, the files of a new data directory. */
const FIXED = 25

let directory: string
let broker: Broker
let client: RawClient
/** Syncs that the event loop waits for, and those of the thread pool. */
let blocking = 0
let background = 0

const countingDisk: Disk = {
  ...realDisk,
  open(path, mode) {
    const file = realDisk.open(path, mode)
    const { sync, syncNow } = file
    return Object.assign(file, {
      sync: () => (background++, sync.call(file)),
      syncNow: () => (blocking++, syncNow.call(file)),
    })
  },
  replaceFile: (path, content) => ((blocking += 2), realDisk.replaceFile(path, content)),
  syncDirectory: (path) => (blocking++, realDisk.syncDirectory(path)),
  syncDirectoryLater: (path) => (background++, realDisk.syncDirectoryLater(path)),
}

async function start(): Promise<void> {
  broker = createBroker({
    config: { listeners: 'PLAINTEXT://127.0.0.1:0', 'log.dirs': directory },
    clock: realClock,
    random: realRandom,
    disk: countingDisk,
    net: realNet,
    logger: silentLogger,
  })
  await broker.start()
  client = await RawClient.open(broker.port)
}

async function stop(): Promise<void> {
  client.close()
  await broker.close()
}

/** Syncs during `action`: blocking ones and those in the background. */
async function syncsOf(action: () => Promise<void>): Promise<[number, number]> {
  ;[blocking, background] = [0, 0]
  await action()
  return [blocking, background]
}

beforeEach(async () => {
  directory = mkdtempSync(join(tmpdir(), 'millrace-topics-'))
  await start()
})
afterEach(async () => {
  await stop()
  rmSync(directory, { recursive: true, force: true })
})

const names = Array.from({ length: TOPICS }, (_, i) => `topic-${i}`)

async function createAll(): Promise<void> {
  const topics = names.map((name) => ({ name, numPartitions: 1, replicationFactor: -1 }))
  const answer = await client.call(apis.createTopics, 7, { topics, timeoutMs: 30_000 })
  expect(answer.topics.every(({ errorCode }) => errorCode === ErrorCode.NONE)).toBe(true)
}

async function writeAll(): Promise<void> {
  const topicData = names.map((name) => ({ name, partitionData: [{ index: 0, records: batchOf(['x']) }] }))
  const answer = await client.call(apis.produce, 9, { acks: -1, timeoutMs: 30_000, topicData })
  expect(answer.responses.every(({ partitionResponses }) => partitionResponses[0]!.baseOffset === 0)).toBe(true)
}

test('creating, stopping and starting do not sync once a topic while nothing is in them', async () => {
  const [created] = await syncsOf(createAll)
  expect(created).toBeLessThan(FIXED)
  expect((await syncsOf(stop)).reduce((a, b) => a + b)).toBeLessThan(FIXED)
  expect((await syncsOf(start)).reduce((a, b) => a + b)).toBeLessThan(FIXED)
  expect(broker.metrics().topics).toBe(TOPICS)
})

test('one by one each topic costs one short write', async () => {
  const [oneByOne] = await syncsOf(async () => {
    for (const name of names) {
      const topics = [{ name, numPartitions: 1, replicationFactor: -1 }]
      await client.call(apis.createTopics, 7, { topics, timeoutMs: 30_000 })
    }
  })
  expect(oneByOne).toBeLessThan(TOPICS + FIXED)
})

test('what was written is synced in the background at a stop, what was not touched since is left alone', async () => {
  await createAll()
  await writeAll()
  const [stopped] = await syncsOf(stop)
  expect(stopped).toBeLessThan(FIXED)
  await start()
  expect((await syncsOf(stop)).reduce((a, b) => a + b)).toBeLessThan(FIXED)
  await start()
  // The old records are there, and new ones follow them.
  const topicData = [{ name: 'topic-7', partitionData: [{ index: 0, records: batchOf(['y']) }] }]
  const answer = await client.call(apis.produce, 9, { acks: -1, timeoutMs: 30_000, topicData })
  expect(answer.responses[0]!.partitionResponses[0]!.baseOffset).toBe(1)
})

test('a crash does not sync again what was synced before', async () => {
  await createAll()
  await writeAll()
  await stop()
  rmSync(join(directory, '.kafka_cleanshutdown'))
  const [recovered, inBackground] = await syncsOf(start)
  expect(recovered + inBackground).toBeLessThan(FIXED)
})

test('all topics of a request are deleted with one write', async () => {
  await createAll()
  const [deleted, inBackground] = await syncsOf(async () => {
    const answer = await client.call(apis.deleteTopics, 5, { topicNames: [...names, 'topic-0'], timeoutMs: 30_000 })
    const codes = answer.responses.map(({ errorCode }) => errorCode)
    expect(codes).toEqual([...names.map(() => ErrorCode.NONE), ErrorCode.UNKNOWN_TOPIC_OR_PARTITION])
  })
  expect(deleted + inBackground).toBeLessThan(FIXED)
  expect(broker.metrics().topics).toBe(0)
})
