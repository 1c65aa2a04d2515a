import { defineManifest, type PluginManifest } from '@millrace/sdk'

export const fileManifests: readonly PluginManifest[] = [
  defineManifest({
    kind: 'source',
    name: 'FileStreamSource',
    aliases: ['org.apache.kafka.connect.file.FileStreamSourceConnector', 'FileStreamSourceConnector'],
    version: '4.3.1',
    title: 'File source',
    summary: 'Publishes the lines of a file and goes on with what is appended to it.',
    stability: 'stable',
    delivery: 'at-least-once',
    load: () => import('./source.ts'),
  }),
  defineManifest({
    kind: 'sink',
    name: 'FileStreamSink',
    aliases: ['org.apache.kafka.connect.file.FileStreamSinkConnector', 'FileStreamSinkConnector'],
    version: '4.3.1',
    title: 'File sink',
    summary: 'Appends each value to a file, one line a record.',
    stability: 'stable',
    delivery: 'at-least-once',
    load: () => import('./sink.ts'),
  }),
]
