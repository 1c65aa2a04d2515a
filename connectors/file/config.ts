import { defineConfig } from '@millrace/sdk'

/** The options of FileStreamSource. */
export const fileSourceConfig = defineConfig({
  file: {
    type: 'string',
    default: null,
    importance: 'high',
    doc: 'Source filename. If not specified, the standard input will be used',
    example: '/var/log/app.log',
  },
  topic: {
    type: 'string',
    nonEmpty: true,
    importance: 'high',
    doc: 'The topic to publish data to',
    example: 'app-log',
  },
  'batch.size': {
    type: 'int',
    default: 2000,
    min: 1,
    importance: 'low',
    doc: 'The maximum number of records the source task can read from the file each time it is polled',
  },
})

/** The options of FileStreamSink. */
export const fileSinkConfig = defineConfig({
  file: {
    type: 'string',
    default: null,
    importance: 'high',
    doc: 'Destination filename. If not specified, the standard output will be used',
    example: '/tmp/out.txt',
  },
})
