import { defineConfig } from '@millrace/sdk'

/** The options: types, validation, documentation and the table in the README all follow from this. */
export const config = defineConfig({
  files: {
    type: 'list',
    nonEmpty: true,
    unique: true,
    importance: 'high',
    doc: 'The files to follow. They are divided among at most `tasks.max` tasks.',
    example: '/var/log/a.log,/var/log/b.log',
  },
  topic: {
    type: 'string',
    nonEmpty: true,
    importance: 'high',
    doc: 'The topic to write to. The key of a record is the path of its file, so the lines of a file stay in order.',
    example: 'lines',
  },
  'batch.size': {
    type: 'int',
    default: 500,
    min: 1,
    importance: 'medium',
    doc: 'How many lines of a file are read at once, at most.',
  },
  'poll.interval.ms': {
    type: 'long',
    default: 1000,
    min: 1,
    importance: 'medium',
    doc: 'How long to wait when no file has a new line.',
  },
})
