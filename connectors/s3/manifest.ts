import { defineManifest } from '@millrace/sdk'

/** Writes topics into objects. */
export const sinkManifest = defineManifest({
  kind: 'sink',
  name: 'S3Sink',
  aliases: ['S3SinkConnector', 'io.confluent.connect.s3.S3SinkConnector'],
  version: '0.1.0',
  title: 'S3 sink',
  summary:
    'Writes topics into objects of S3 and of what speaks its protocol: JSON, Avro, Parquet, CSV or bytes, by partition, ' +
    'field or time. Takes the JSON of the Confluent connector; exactly once where its names are.',
  stability: 'preview',
  delivery: 'exactly-once',
  load: () => import('./sink.ts'),
})

/** Reads objects into topics. */
export const sourceManifest = defineManifest({
  kind: 'source',
  name: 'S3Source',
  aliases: ['S3SourceConnector', 'io.confluent.connect.s3.source.S3SourceConnector'],
  version: '0.1.0',
  title: 'S3 source',
  summary:
    'Reads objects into topics: those that the S3 sink wrote, into the topics and partitions that they came from, or any ' +
    'others, by their names.',
  stability: 'preview',
  delivery: 'at-least-once',
  load: () => import('./source.ts'),
})

/** Writes topics into objects whose names have variables, as the Aiven connector does. */
export const aivenSinkManifest = defineManifest({
  kind: 'sink',
  name: 'S3TemplateSink',
  aliases: [
    'S3TemplateSinkConnector',
    'AivenKafkaConnectS3SinkConnector',
    'io.aiven.kafka.connect.s3.AivenKafkaConnectS3SinkConnector',
  ],
  version: '0.1.0',
  title: 'S3 sink with name templates',
  summary:
    'Writes topics into objects whose names are made of topic, partition, offset, time and key: all records in CSV, JSON, ' +
    'Parquet or Avro, or the latest of each key. Takes the JSON of the Aiven connector.',
  stability: 'preview',
  delivery: 'at-least-once',
  load: () => import('./aiven/sink.ts'),
})
