import { defineManifest } from '@millrace/sdk'

export const datagenManifest = defineManifest({
  kind: 'source',
  name: 'DatagenSource',
  aliases: ['io.confluent.kafka.connect.datagen.DatagenConnector', 'DatagenConnector', 'Datagen'],
  version: '0.1.0',
  title: 'Datagen source',
  summary: 'Generates sample data: users, orders, page views and more; the same seed gives the same data.',
  stability: 'stable',
  delivery: 'at-least-once',
  load: () => import('./source.ts'),
})
