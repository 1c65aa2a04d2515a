import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { seededRandom } from '../../src/base/index.ts'
import type { Client } from '../../src/client/index.ts'
import { type SearchNode, searchServerMissing, startSearchServer } from '../services/elasticsearch.ts'
import { type MillraceBroker, startMillraceBroker } from '../services/millrace.ts'
import { clientOf } from './client/clusters.ts'
import { impatientConsumer, patient, startJsonWorker } from './support/kills.ts'
import { createTopic, lagOf, type NewRecord, produce } from './support/topics.ts'
import { type TestWorker, until } from './worker-harness.ts'

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
    client = clientOf(broker)
    worker = await startJsonWorker(broker)
  })
  afterAll(async () => {
    await worker?.stop()
    await broker?.stop()
    await node?.stop()
  })

  /** Random changes; keeps what must be there in the end. */
  function* changes(seed: number, last: Map<string, { n: number }>): Generator<NewRecord> {
    const random = seededRandom(seed)
    for (let n = 0; n < RECORDS; n++) {
      const number = Math.floor(random.next() * KEYS)
      const key = `k${number}`
      const isDelete = random.next() < 0.2
      // Documents that the mapping refuses go to the dead letter queue.
      const value = isDelete ? null : random.next() < 0.01 ? { n: 'bad' } : { n: seed + n }
      if (isDelete) last.delete(key)
      else if (typeof value?.n === 'number') last.set(key, { n: value.n })
      const text = value && Buffer.from(JSON.stringify(value))
      yield { partition: number % PARTITIONS, key: Buffer.from(key), value: text }
    }
  }

  test.skipIf(missing !== null)(
    'are equal after kill -9 of task hosts and of the server, at once and one after the other',
    async () => {
      await node.request('PUT', '/_index_template/changes', {
        index_patterns: ['changes'],
        template: { mappings: { properties: { n: { type: 'long' } } }, settings: { number_of_replicas: 0 } },
      })
      const last = new Map<string, { n: number }>()
      await createTopic(client, 'changes', PARTITIONS)
      await produce(client, 'changes', changes(1, last))
      await worker.create(
        {
          name: 'changes-sink',
          'connector.class': 'io.confluent.connect.elasticsearch.ElasticsearchSinkConnector',
          topics: 'changes',
          'connection.url': node.url,
          'connection.timeout.ms': '60000',
          'read.timeout.ms': '60000',
          'behavior.on.null.values': 'delete',
          // Small requests; but tasks take all that there is, so that what they must not commit is as much as can be.
          'bulk.size.bytes': '2000',
          'batch.size': String(RECORDS),
          'max.retries': '1000',
          'retry.backoff.ms': '50',
          'consumer.override.max.poll.records': '250',
          ...impatientConsumer,
          ...patient,
          'errors.tolerance': 'all',
          'errors.deadletterqueue.topic.name': 'changes-errors',
          'errors.deadletterqueue.topic.replication.factor': '1',
        },
        2,
      )
      const lag = () => lagOf(client, 'changes-sink', 'changes', PARTITIONS)
      await until('offsets are committed', async () => (await lag()) < RECORDS)
      worker.killHosts()
      await node.kill()
      await node.restart()
      await until('the first part is delivered', async () => (await lag()) === 0)
      // Changes come while the server is away. The tasks hold them and commit; then they are gone too.
      await node.kill()
      await produce(client, 'changes', changes(RECORDS + 1, last))
      const commits = commitsOf('changes-sink')
      await until('tasks came to commit without the server', () => commitsOf('changes-sink') >= commits + 4)
      worker.killHosts()
      await node.restart()
      await until('everything is delivered and committed', async () => (await lag()) === 0)
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
})
