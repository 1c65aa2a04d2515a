import { defineManifest } from '@millrace/sdk'

const version = '0.1.0'

/** Reads tables and queries. */
export const sourceManifest = defineManifest({
  kind: 'source',
  name: 'JdbcSource',
  aliases: [
    'JdbcSourceConnector',
    'io.confluent.connect.jdbc.JdbcSourceConnector',
    'io.aiven.connect.jdbc.JdbcSourceConnector',
  ],
  version,
  title: 'JDBC source',
  summary:
    'Copies tables or the rows of a query into topics, by polling: whole tables, or only rows with a ' +
    'higher number or a newer time stamp. PostgreSQL, MySQL, MariaDB, SQLite; takes the JSON of the ' +
    'Confluent and Aiven connectors.',
  stability: 'stable',
  delivery: 'at-least-once',
  load: () => import('./source.ts'),
})

/** Writes topics into tables. */
export const sinkManifest = defineManifest({
  kind: 'sink',
  name: 'JdbcSink',
  aliases: [
    'JdbcSinkConnector',
    'io.confluent.connect.jdbc.JdbcSinkConnector',
    'io.aiven.connect.jdbc.JdbcSinkConnector',
  ],
  version,
  title: 'JDBC sink',
  summary:
    'Writes records into tables: insert, upsert, update and delete, creates and widens tables when ' +
    'asked, exactly once with offsets kept in the target. PostgreSQL, MySQL, MariaDB, SQLite; takes the ' +
    'JSON of the Confluent and Aiven connectors.',
  stability: 'stable',
  delivery: 'exactly-once',
  load: () => import('./sink.ts'),
})
