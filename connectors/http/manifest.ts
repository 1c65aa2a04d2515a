import { defineManifest } from '@millrace/sdk'

export const sourceManifest = defineManifest({
  kind: 'source',
  name: 'HttpSource',
  aliases: ['com.github.castorm.kafka.connect.http.HttpSourceConnector'],
  version: '0.1.0',
  title: 'HTTP source',
  summary:
    'Asks a JSON API again and again and publishes what is new: templates on offsets, JSON pointers, pagination by link, ' +
    'cursor, page or offset, OAuth2, rate limits and Retry-After. Takes the JSON of the castorm connector.',
  stability: 'stable',
  delivery: 'at-least-once',
  load: () => import('./source.ts'),
})

export const sinkManifest = defineManifest({
  kind: 'sink',
  name: 'HttpSink',
  aliases: ['io.confluent.connect.http.HttpSinkConnector', 'io.aiven.kafka.connect.http.HttpSinkConnector'],
  version: '0.1.0',
  title: 'HTTP sink',
  summary:
    'Sends records to a URL, one by one or in batches: idempotency keys, OAuth2, Retry-After, topics for answers, a dead ' +
    'letter queue for what the server refuses. Takes the JSON of the Confluent and Aiven connectors.',
  stability: 'stable',
  delivery: 'at-least-once',
  load: () => import('./sink.ts'),
})
