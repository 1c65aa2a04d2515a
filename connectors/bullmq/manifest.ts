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

/** All of BullMQ. */
export const bullmqManifests = [bullmqSinkManifest]
