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
