// The acceptance suite for authors, over the Elasticsearch sink on a real server.
import { describeSink } from '@millrace/testkit'
import { afterAll, beforeAll, describe } from 'vitest'
import { manifest } from '../../connectors/elasticsearch/manifest.ts'
import sink from '../../connectors/elasticsearch/sink.ts'
import { type SearchNode, searchServerMissing, startSearchServer } from '../services/elasticsearch.ts'
import { connector } from './support/conformance.ts'

describe.skipIf(searchServerMissing('elasticsearch-9') !== null)('the Elasticsearch sink', () => {
  let node: SearchNode
  let indices = 0

  beforeAll(async () => {
    node = await startSearchServer('elasticsearch-9')
  })
  afterAll(() => node?.stop())

  describeSink(sink, {
    manifest,
    module: connector('elasticsearch/sink.ts'),
    limits: { events: 4, kills: 3, starts: 20, floodEvents: 400 },
    guarantee: 'idempotent',
    target: 'latest',
    tombstones: 'delete',
    bad: ({ id }) => ({ key: { no: 'id' }, value: { id } }),
    async open(topic) {
      const index = `conformance-${++indices}`
      await node.request('PUT', `/${index}`)
      return {
        config: {
          'connection.url': node.url,
          'read.timeout.ms': '60000',
          'connection.timeout.ms': '60000',
          'retry.backoff.ms': '10',
          'linger.ms': '1',
          'behavior.on.null.values': 'delete',
          'external.resource.usage': 'index',
          'topic.to.external.resource.mapping': `${topic}:${index}`,
        },
        read: async () => [...(await node.documents(index)).values()],
      }
    },
    notApplicable: {
      outage: 'servers that go are in the tests of the connector, which kill one',
      'back-pressure': 'its records wait in the same batcher as those of the Redis sink, where this is looked at',
    },
  })
})
