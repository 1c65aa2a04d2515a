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
