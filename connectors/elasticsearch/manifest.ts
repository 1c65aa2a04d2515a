import { defineManifest } from '@millrace/sdk'

export const manifest = defineManifest({
  kind: 'sink',
  name: 'ElasticsearchSink',
  aliases: ['ElasticsearchSinkConnector', 'io.confluent.connect.elasticsearch.ElasticsearchSinkConnector'],
  version: '0.1.0',
  title: 'Elasticsearch and OpenSearch sink',
  summary:
    'Writes records into indices and data streams of Elasticsearch 8 and 9 and of OpenSearch: ids from keys, versions ' +
    'from offsets, upserts, deletes, mappings from schemas. Takes the JSON of the Confluent connector.',
  stability: 'stable',
  delivery: 'at-least-once',
  load: () => import('./sink.ts'),
})
