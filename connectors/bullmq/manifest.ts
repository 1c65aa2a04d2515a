import { defineManifest } from '@millrace/sdk'

const version = '0.1.0'

/** Topics into queues. */
export const bullmqSinkManifest = defineManifest({
  kind: 'sink',
  name: 'BullMQSink',
  aliases: ['BullMQSinkConnector'],
  version,
  title: 'BullMQ sink',
  summary:
    'Adds a BullMQ job for each record, with an id that follows from the record, so that a repetition adds none; names, ' +
    'data and options of jobs from the record.',
  stability: 'stable',
  delivery: 'at-least-once',
  load: () => import('./sink.ts'),
})

/** Queues into topics. */
export const bullmqSourceManifest = defineManifest({
  kind: 'source',
  name: 'BullMQSource',
  aliases: ['BullMQSourceConnector'],
  version,
  title: 'BullMQ source',
  summary:
    'Reads BullMQ queues: takes jobs and completes them when their records are in the log, or watches their events ' +
    'without taking any, or copies what a queue holds.',
  stability: 'stable',
  delivery: 'at-least-once',
  load: () => import('./source.ts'),
})

/** All of BullMQ. */
export const bullmqManifests = [bullmqSinkManifest, bullmqSourceManifest]
