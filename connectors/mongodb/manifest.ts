import { defineManifest } from '@millrace/sdk'

const version = '0.1.0'

/** Reads change streams. */
export const sourceManifest = defineManifest({
  kind: 'source',
  name: 'MongoSource',
  aliases: ['MongoSourceConnector', 'com.mongodb.kafka.connect.MongoSourceConnector'],
  version,
  title: 'MongoDB source',
  summary:
    'Reads the change streams of a collection, a database or a deployment, after a copy of what is there when asked: ' +
    'pipelines, full documents, JSON, BSON or structs, heartbeats. Takes the JSON of the MongoDB Kafka connector.',
  stability: 'stable',
  delivery: 'at-least-once',
  load: () => import('./source.ts'),
})

/** Writes topics into collections. */
export const sinkManifest = defineManifest({
  kind: 'sink',
  name: 'MongoSink',
  aliases: ['MongoSinkConnector', 'com.mongodb.kafka.connect.MongoSinkConnector'],
  version,
  title: 'MongoDB sink',
  summary:
    'Writes records into collections with bulk writes: id and write model strategies, post processors, change events of ' +
    'Debezium, Qlik and MongoDB, time series. Takes the JSON of the MongoDB Kafka connector.',
  stability: 'stable',
  delivery: 'at-least-once',
  load: () => import('./sink.ts'),
})
