// A mirror that MirrorMaker 2 runs is taken over and handed back, and its own classes read what we write.
import { afterAll, beforeAll, expect, test, vi } from 'vitest'
import type { Client } from '../../src/client/index.ts'
import { createConnector } from '../bench/rest-client.ts'
import { clientOf } from '../integration/client/clusters.ts'
import { content, countOf, createTopic, produce, recordsOf } from '../integration/support/mirror-topics.ts'
import { until } from '../integration/worker-harness.ts'
import { kafkaMissing, kafkaTool } from '../services/kafka.ts'
import { type KafkaConnect, startKafkaConnect } from '../services/kafka-connect.ts'
import { mirrorMakerJars } from '../services/kafka-mirror.ts'
import {
  type MillraceBroker,
  type MillraceWorker,
  startMillraceBroker,
  startMillraceWorker,
} from '../services/millrace.ts'

// Workers of Kafka start and stop several times, which takes minutes on a machine that is busy.
vi.setConfig({ testTimeout: 900_000 })

const missing = kafkaMissing('4.3.1') !== null
const GROUP = 'handed-over'
let broker: MillraceBroker
let java: KafkaConnect | undefined
let ours: MillraceWorker | undefined
let client: Client

beforeAll(async () => {
  if (missing) return
  broker = await startMillraceBroker()
  client = clientOf(broker)
})
afterAll(async () => {
  await java?.stop()
  await ours?.stop()
  await broker?.stop()
})

/** A stop that is cut off repeats records, and a busy machine takes its time. Now and then a task of MirrorMaker hangs. */
const patient = { 'task.shutdown.graceful.timeout.ms': '30000' }

const startJava = async () =>
  startKafkaConnect({
    bootstrapServers: broker.bootstrapServers,
    group: GROUP,
    properties: { 'scheduled.rebalance.max.delay.ms': '0', ...patient },
    classes: await mirrorMakerJars(),
  })

/** One broker is both clusters, so the copy of `orders` is `here.orders` beside it. */
const config = (connector: string): Record<string, string> => {
  const converter = 'org.apache.kafka.connect.converters.ByteArrayConverter'
  return {
    'connector.class': `org.apache.kafka.connect.mirror.${connector}`,
    'tasks.max': '2',
    'source.cluster.alias': 'here',
    'target.cluster.alias': 'there',
    'source.cluster.bootstrap.servers': broker.bootstrapServers,
    'target.cluster.bootstrap.servers': broker.bootstrapServers,
    topics: 'orders',
    groups: 'readers',
    'heartbeats.replication.enabled': 'false',
    'replication.factor': '1',
    'offset-syncs.topic.replication.factor': '1',
    'checkpoints.topic.replication.factor': '1',
    'heartbeats.topic.replication.factor': '1',
    'refresh.groups.interval.seconds': '1',
    'emit.checkpoints.interval.seconds': '1',
    'key.converter': converter,
    'value.converter': converter,
    'header.converter': converter,
  }
}

const copied = (count: number) =>
  until(`${count} records are copied`, async () => countOf(await recordsOf(client, 'here.orders')) >= count)

/** Makes the group's next offset in partition 0 this one. */
async function commit(offset: number): Promise<void> {
  const admin = client.admin()
  await admin.groups.alterOffsets('readers', [{ topic: 'orders', partition: 0, offset }])
  await admin.close()
}

/** What a class of MirrorMaker makes of the records of a topic. */
async function formatted(topic: string, formatter: string): Promise<readonly string[]> {
  const count = countOf(await recordsOf(client, topic))
  const servers = ['--bootstrap-server', broker.bootstrapServers]
  const read = ['--topic', topic, '--from-beginning', '--max-messages', String(count)]
  const by = ['--formatter', `org.apache.kafka.connect.mirror.formatters.${formatter}`]
  const tool = 'org.apache.kafka.tools.consumer.ConsoleConsumer'
  const { stdout, stderr } = await kafkaTool(tool, [...servers, ...read, ...by], { classes: await mirrorMakerJars() })
  const lines = stdout.split('\n').filter((line) => line !== '')
  if (lines.length !== count) throw new Error(`${lines.length} of ${count} records: ${stdout}${stderr}`)
  return lines
}

const checkpointsOf = async (downstream: number) =>
  (await recordsOf(client, 'here.checkpoints.internal')).flat().filter(({ value }) => {
    return Number(value?.readBigInt64BE(10)) >= downstream
  })

test.skipIf(missing)('a mirror of MirrorMaker 2 goes on here, and there again, without a record twice', async () => {
  await createTopic(client, 'orders', 2)
  await produce(client, 'orders', 2, 0, 400)
  await commit(100)
  java = await startJava()
  for (const name of ['MirrorSourceConnector', 'MirrorCheckpointConnector', 'MirrorHeartbeatConnector']) {
    await createConnector(java.url, name, config(name))
  }
  await copied(400)
  await java.stop()

  ours = await startMillraceWorker(broker.bootstrapServers, GROUP, patient)
  const heartbeats = countOf(await recordsOf(client, 'heartbeats'))
  await produce(client, 'orders', 2, 400, 800)
  await copied(800)
  await commit(300)
  await until('there is a checkpoint of ours', async () => (await checkpointsOf(201)).length > 0)
  await until('there is a heartbeat of ours', async () => countOf(await recordsOf(client, 'heartbeats')) > heartbeats)
  await ours.end()
  const syncs = await formatted('mm2-offset-syncs.there.internal', 'OffsetSyncFormatter')
  // The copy has the same offsets, so a sync whose two differ would be wrong.
  for (const line of syncs) {
    expect(line).toMatch(/^OffsetSync\{topicPartition=orders-[01], upstreamOffset=(\d+), downstreamOffset=\1\}$/)
  }
  const checkpoints = await formatted('here.checkpoints.internal', 'CheckpointFormatter')
  expect(checkpoints.at(-1)).toMatch(
    /^Checkpoint\{consumerGroupId=readers, topicPartition=here.orders-0, upstreamOffset=300,/,
  )
  const beats = await formatted('heartbeats', 'HeartbeatFormatter')
  expect(beats.at(-1)).toMatch(/^Heartbeat\{sourceClusterAlias=here, targetClusterAlias=there, timestamp=\d+\}$/)

  java = await startJava()
  await produce(client, 'orders', 2, 800, 1200)
  await copied(1200)
  await commit(600)
  await until('MirrorMaker translates by our syncs and its own', async () => (await checkpointsOf(401)).length > 0)
  const [originals, copies] = [await recordsOf(client, 'orders'), await recordsOf(client, 'here.orders')]
  expect(copies.map((list) => list.map(content))).toEqual(originals.map((list) => list.map(content)))
})
