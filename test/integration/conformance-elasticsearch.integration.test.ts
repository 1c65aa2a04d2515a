// The acceptance suite for authors, over the Elasticsearch sink on real servers.
import { describeSink } from '@millrace/testkit'
import { afterAll, beforeAll, describe, test } from 'vitest'
import { manifest } from '../../connectors/elasticsearch/manifest.ts'
import sink from '../../connectors/elasticsearch/sink.ts'
import { type SearchNode, searchServerMissing, startSearchServer } from '../services/elasticsearch.ts'
import { connector, type Gate, startGate, throughGate, urlThrough } from './support/conformance.ts'

const servers = [
  { name: 'elasticsearch-9', limits: { events: 4, kills: 3, starts: 20 } },
  { name: 'opensearch', limits: { events: 3, kills: 1, starts: 4 } },
] as const

describe.each(servers)('the Elasticsearch sink on $name', ({ name, limits }) => {
  if (searchServerMissing(name) !== null) {
    test.skip('the server is missing', () => undefined)
    return
  }
  let node: SearchNode
  let gate: Gate
  let indices = 0

  beforeAll(async () => {
    node = await startSearchServer(name)
    gate = await startGate(node.port)
  })
  afterAll(async () => {
    await gate?.shut()
    await node?.stop()
  })

  describeSink(sink, {
    manifest,
    module: connector('elasticsearch/sink.ts'),
    limits,
    guarantee: 'idempotent',
    target: 'latest',
    tombstones: 'delete',
    bad: ({ id }) => ({ key: { no: 'id' }, value: { id } }),
    async open(topic) {
      const index = `conformance-${++indices}`
      await node.request('PUT', `/${index}`)
      return {
        config: {
          'connection.url': urlThrough(gate, node.url),
          'read.timeout.ms': '60000',
          'connection.timeout.ms': '60000',
          'max.retries': '1000',
          'retry.backoff.ms': '10',
          'linger.ms': '1',
          'behavior.on.null.values': 'delete',
          'external.resource.usage': 'index',
          'topic.to.external.resource.mapping': `${topic}:${index}`,
        },
        read: async () => [...(await node.documents(index)).values()],
        ...throughGate(gate),
      }
    },
    notApplicable: {
      'back-pressure': 'its records wait in the same batcher as those of the Redis sink, where this is looked at',
    },
  })
})
