import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { seededRandom, silentLogger } from '../../src/base/index.ts'
import { realClock, realNet, realRandom } from '../../src/base/real/index.ts'
import { type Client, createClient } from '../../src/client/index.ts'
import { isAlive } from '../services/alive.ts'
import { type SearchNode, searchServerMissing, startSearchServer } from '../services/elasticsearch.ts'
import { type MillraceBroker, startMillraceBroker } from '../services/millrace.ts'
import { startTestWorker, type TestWorker, until } from './worker-harness.ts'

const RECORDS = 20_000
const KEYS = 500
const PARTITIONS = 3

const missing = searchServerMissing('elasticsearch-9')

describe('a topic of changes and its index', () => {
  let broker: MillraceBroker
  let node: SearchNode
  let worker: TestWorker
  let client: Client

  beforeAll(async () => {
    if (missing !== null) return
    ;[broker, node] = await Promise.all([startMillraceBroker(), startSearchServer('elasticsearch-9')])
    const environment = { clock: realClock, net: realNet, random: realRandom, logger: silentLogger }
    client = createClient({ bootstrapServers: broker.bootstrapServers, ...environment })
    worker = await startTestWorker(broker.bootstrapServers, {
      'value.converter': 'org.apache.kafka.connect.json.JsonConverter',
      'value.converter.schemas.enable': 'false',
      'offset.flush.interval.ms': '300',
    })
  })
  afterAll(async () => {
    await worker?.stop()
    await broker?.stop()
    await node?.stop()
  })

  /** Writes random changes, and tells what must be there in the end. */
  async function change(topic: string, seed: number): Promise<Map<string, { n: number }>> {
    const random = seededRandom(seed)
    const last = new Map<string, { n: number }>()
    const admin = client.admin()
    await admin.topics.create([{ name: topic, numPartitions: PARTITIONS, replicationFactor: 1 }])
    await admin.close()
    const producer = client.producer()
    for (let n = 0; n < RECORDS; n++) {
      const number = Math.floor(random.next() * KEYS)
      const key = `k${number}`
      const isDelete = random.next() < 0.2
      // Documents that the mapping refuses go to the dead letter queue.
      const value = isDelete ? null : random.next() < 0.01 ? { n: 'bad' } : { n }
      if (isDelete) last.delete(key)
      else if (value?.n === n) last.set(key, { n })
      const room = producer.ready(topic)
      if (room) await room
      producer.append({
        topic,
        partition: number % PARTITIONS,
        key: Buffer.from(key),
        value: value && Buffer.from(JSON.stringify(value)),
        headers: [],
        timestamp: Date.now(),
      })
    }
    await producer.flush()
    await producer.close()
    return last
  }

  test.skipIf(missing !== null)('are equal after kill -9 of task hosts and of the server, twice', async () => {
    await node.request('PUT', '/_index_template/changes', {
      index_patterns: ['changes'],
      template: { mappings: { properties: { n: { type: 'long' } } }, settings: { number_of_replicas: 0 } },
    })
    const last = await change('changes', 20_261_121)
    await worker.create(
      {
        name: 'changes-sink',
        'connector.class': 'io.confluent.connect.elasticsearch.ElasticsearchSinkConnector',
        topics: 'changes',
        'connection.url': node.url,
        'connection.timeout.ms': '60000',
        'read.timeout.ms': '60000',
        'behavior.on.null.values': 'delete',
        // Small batches, one at a time, each of them synced: the copy cannot be complete before the kills.
        'batch.size': '10',
        'max.in.flight.requests': '1',
        'max.buffered.records': '100',
        'max.retries': '1000',
        'retry.backoff.ms': '50',
        'consumer.override.max.poll.records': '250',
        'consumer.override.session.timeout.ms': '6000',
        'consumer.override.heartbeat.interval.ms': '500',
        'restart.policy': 'always',
        'restart.backoff.ms': '10',
        'restart.max.attempts': '1000',
        'errors.tolerance': 'all',
        'errors.deadletterqueue.topic.name': 'changes-errors',
        'errors.deadletterqueue.topic.replication.factor': '1',
      },
      2,
    )
    for (let killed = 0; killed < 2; killed++) {
      const before = await lag('connect-changes-sink')
      await until('offsets are committed', async () => (await lag('connect-changes-sink')) < before)
      expect(await lag('connect-changes-sink')).toBeGreaterThan(0)
      for (const pid of worker.hosts.filter(isAlive)) process.kill(pid, 'SIGKILL')
      await node.kill()
      await node.restart()
    }
    await until('everything is delivered and committed', async () => (await lag('connect-changes-sink')) === 0)
    const found = await node.documents('changes')
    expect(new Map([...found].map(([key, { n }]) => [key, { n }]))).toEqual(last)
  })

  /** Records of the topic that the connector has not committed. */
  async function lag(group: string): Promise<number> {
    const partitions = Array.from({ length: PARTITIONS }, (_, partition) => ({ topic: 'changes', partition }))
    const consumer = client.consumer()
    const admin = client.admin()
    try {
      const ends = await consumer.endOffsets(partitions)
      const committed = await admin.groups.offsets(group)
      const offsetOf = (partition: number) =>
        committed.find((each) => each.topic === 'changes' && each.partition === partition)?.offset ?? 0
      return ends.reduce((sum, end, partition) => sum + end - offsetOf(partition), 0)
    } finally {
      await consumer.close()
      await admin.close()
    }
  }
})
