import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { seededRandom, silentLogger } from '../../src/base/index.ts'
import { realClock, realNet, realRandom } from '../../src/base/real/index.ts'
import { type Client, createClient } from '../../src/client/index.ts'
import { isAlive } from '../services/alive.ts'
import { type SearchNode, searchServerMissing, startSearchServer } from '../services/elasticsearch.ts'
import { type MillraceBroker, startMillraceBroker } from '../services/millrace.ts'
import { startTestWorker, type TestWorker, until } from './worker-harness.ts'

/** In each of the two parts of the test. */
const RECORDS = 10_000
const KEYS = 500
const PARTITIONS = 3

const COMMIT_METRICS = ['offset-commit-completion-total', 'offset-commit-skip-total']

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

  async function createTopic(topic: string): Promise<void> {
    const admin = client.admin()
    await admin.topics.create([{ name: topic, numPartitions: PARTITIONS, replicationFactor: 1 }])
    await admin.close()
  }

  /** Writes random changes, and keeps what must be there in the end. */
  async function change(topic: string, seed: number, last: Map<string, { n: number }>): Promise<void> {
    const random = seededRandom(seed)
    const producer = client.producer()
    for (let n = 0; n < RECORDS; n++) {
      const number = Math.floor(random.next() * KEYS)
      const key = `k${number}`
      const isDelete = random.next() < 0.2
      // Documents that the mapping refuses go to the dead letter queue.
      const value = isDelete ? null : random.next() < 0.01 ? { n: 'bad' } : { n: seed + n }
      if (isDelete) last.delete(key)
      else if (typeof value?.n === 'number') last.set(key, { n: value.n })
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
  }

  test.skipIf(missing !== null)(
    'are equal after kill -9 of task hosts and of the server, at once and one after the other',
    async () => {
      await node.request('PUT', '/_index_template/changes', {
        index_patterns: ['changes'],
        template: { mappings: { properties: { n: { type: 'long' } } }, settings: { number_of_replicas: 0 } },
      })
      const last = new Map<string, { n: number }>()
      await createTopic('changes')
      await change('changes', 1, last)
      await worker.create(
        {
          name: 'changes-sink',
          'connector.class': 'io.confluent.connect.elasticsearch.ElasticsearchSinkConnector',
          topics: 'changes',
          'connection.url': node.url,
          'connection.timeout.ms': '60000',
          'read.timeout.ms': '60000',
          'behavior.on.null.values': 'delete',
          'batch.size': '20',
          // Tasks take all that there is, so that what they must not commit is as much as can be.
          'max.buffered.records': '100000',
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
      const killHosts = () => {
        for (const pid of worker.hosts.filter(isAlive)) process.kill(pid, 'SIGKILL')
      }
      const group = 'connect-changes-sink'
      const before = await lag(group)
      await until('offsets are committed', async () => (await lag(group)) < before)
      killHosts()
      await node.kill()
      await node.restart()
      await until('the first part is delivered', async () => (await lag(group)) === 0)
      // Changes come while the server is away. The tasks hold them and commit; then they are gone too.
      await node.kill()
      await change('changes', RECORDS + 1, last)
      const commits = commitsOf('changes-sink')
      await until('tasks came to commit without the server', () => commitsOf('changes-sink') >= commits + 4)
      killHosts()
      await node.restart()
      await until('everything is delivered and committed', async () => (await lag(group)) === 0)
      const found = await node.documents('changes')
      expect(new Map([...found].map(([key, { n }]) => [key, { n }]))).toEqual(last)
    },
  )

  /** Commits of both tasks, those that had nothing to commit too. */
  const commitsOf = (connector: string): number =>
    [0, 1].reduce(
      (sum, task) => sum + COMMIT_METRICS.reduce((all, name) => all + worker.metric(name, connector, task), 0),
      0,
    )

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
