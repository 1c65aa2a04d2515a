import { defineManifest, type PluginManifest } from '@millrace/sdk'
import { VERSION } from './version.ts'

export const manifest: PluginManifest = defineManifest({
  kind: 'source',
  name: 'PostgresCdcSource',
  aliases: ['io.debezium.connector.postgresql.PostgresConnector', 'PostgresConnector'],
  version: VERSION,
  title: 'Postgres change data capture',
  summary:
    'Every insert, update and delete of the tables of a Postgres database, in order, from its write-ahead log: ' +
    'first a snapshot of what is there, then each change as it is committed. Events, topics, offsets and ' +
    'settings are those of the Debezium connector.',
  stability: 'stable',
  delivery: 'at-least-once',
  load: () => import('./source.ts'),
})
