import { Client } from '@elastic/elasticsearch'
import { clientOf } from '../../integration/client/clusters.ts'
import { type NewRecord, produce } from '../../integration/support/topics.ts'
import { type SearchNode, startSearchServer } from '../../services/elasticsearch.ts'
import { cpuSeconds } from '../measure.ts'
import type { BenchCase, Figures } from '../report.ts'
import { createConnector, deleteConnector, waitFor } from '../rest-client.ts'
import { millraceBroker, millraceWorker } from '../systems.ts'

const DOCUMENTS = 500_000
const TOPIC = 'bench-documents'
const FLUSH_BYTES = [1_000_000, 5_000_000, 10_000_000]
const CONCURRENCY = 5

function documentAt(n: number) {
  return {
    id: n,
    name: `customer ${n % 10_000}`,
    city: `City_${n % 97}`,
    amount: (n % 1000) / 8,
    created: 1_700_000_000_000 + n,
    note: 'a few words that are the same each time',
  }
}

function* records(): Generator<NewRecord> {
  for (let n = 0; n < DOCUMENTS; n++) {
    yield { partition: 0, key: Buffer.from(`k${n}`), value: Buffer.from(JSON.stringify(documentAt(n))) }
  }
}

/** Operations that the server itself has counted: searches would have to wait for a refresh. */
async function indexed(node: SearchNode, index: string): Promise<number> {
  const { status, body } = await node.request('GET', `/${index}/_stats/indexing`)
  return status === 200 ? body._all.primaries.indexing.index_total : 0
}

/** Makes the index, times the writing, checks the count at the destination and removes the index. */
async function timed(node: SearchNode, index: string, write: () => Promise<() => Promise<void>>): Promise<Figures> {
  await node.request('PUT', `/${index}`, { settings: { number_of_replicas: 0 } })
  const serverBefore = cpuSeconds(node.pid())
  const started = performance.now()
  const end = await write()
  await waitFor(`${index} at the destination`, async () => (await indexed(node, index)) >= DOCUMENTS)
  const seconds = (performance.now() - started) / 1000
  const serverCpu = cpuSeconds(node.pid()) - serverBefore
  await end()
  await node.request('POST', `/${index}/_refresh`)
  const { body } = await node.request('GET', `/${index}/_count`)
  if (body.count !== DOCUMENTS) throw new Error(`${index} has ${body.count} documents instead of ${DOCUMENTS}`)
  await node.request('DELETE', `/${index}`)
  return { records: DOCUMENTS / seconds, serverCpu }
}

/** The client's own bulk helper, with nothing around it. */
async function helper(node: SearchNode, index: string, flushBytes: number): Promise<Figures> {
  const documents = Array.from({ length: DOCUMENTS }, (_, n) => documentAt(n))
  const client = new Client({ node: node.url, requestTimeout: 60_000 })
  const before = process.cpuUsage()
  const figures = await timed(node, index, async () => {
    await client.helpers.bulk({
      datasource: documents,
      flushBytes,
      concurrency: CONCURRENCY,
      onDocument: (document) => ({ index: { _index: index, _id: `k${(document as { id: number }).id}` } }),
    })
    return () => client.close()
  })
  const { user, system } = process.cpuUsage(before)
  return { ...figures, cpu: (user + system) / 1e6 }
}

export const elasticsearchCases: readonly BenchCase[] = [
  {
    name: 'elasticsearch-sink',
    title: 'topic -> Elasticsearch, 500 k documents; the peer is the bulk helper of the client at its best batch size',
    targets: [{ figure: 'records', unit: '1/s', better: 'more', ratio: 0.9 }],
    async sides() {
      // With less its circuit breaker opens now and then, for either side.
      const node = await startSearchServer('elasticsearch-9', 1024)
      const broker = await millraceBroker()
      const worker = await millraceWorker(broker.bootstrapServers, 'bench-elasticsearch')
      await produce(clientOf(broker), TOPIC, records())
      let best = FLUSH_BYTES[1]!
      let bestRate = 0
      return [
        {
          name: 'millrace',
          async run(round) {
            const name = `es-${round + 9}`
            const pids = [worker.pid(), broker.pid()]
            const cpu = () => pids.reduce((sum, pid) => sum + cpuSeconds(pid), 0)
            const before = cpu()
            const figures = await timed(node, name, async () => {
              await createConnector(worker.url, name, {
                'connector.class': 'io.confluent.connect.elasticsearch.ElasticsearchSinkConnector',
                'tasks.max': '1',
                topics: TOPIC,
                'connection.url': node.url,
                'read.timeout.ms': '60000',
                // Best for one server, as the peer's batch size is: large requests, few of them, little waiting in memory.
                'batch.size': '5000',
                'max.in.flight.requests': '3',
                'max.buffered.records': '25000',
                'linger.ms': '50',
                'external.resource.usage': 'index',
                'topic.to.external.resource.mapping': `${TOPIC}:${name}`,
                'key.converter': 'org.apache.kafka.connect.storage.StringConverter',
                'value.converter': 'org.apache.kafka.connect.json.JsonConverter',
                'value.converter.schemas.enable': 'false',
              })
              return () => deleteConnector(worker.url, name)
            })
            return { ...figures, cpu: cpu() - before }
          },
          async stop() {
            await worker.stop()
            await broker.stop()
            await node.stop()
          },
        },
        {
          name: 'bulk helper',
          async run(round) {
            // The warm-up finds the batch size that is best for the peer.
            if (round < 0) {
              for (const size of FLUSH_BYTES) {
                const { records = 0 } = await helper(node, `helper-${size}`, size)
                if (records > bestRate) [best, bestRate] = [size, records]
              }
            }
            return helper(node, `helper-${round + 9}`, best)
          },
          async stop() {},
        },
      ]
    },
  },
]
