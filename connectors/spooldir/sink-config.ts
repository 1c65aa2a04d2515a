import { defineConfig } from '@millrace/sdk'
import { placeKeys } from './remote-config.ts'

/** The options of SpoolDirSink. */
export const sinkConfig = defineConfig({
  'output.path': {
    type: 'string',
    nonEmpty: true,
    importance: 'high',
    doc: 'The folder that files are written to. It must exist and be writable.',
    example: '/data/out',
    group: 'File System',
  },
  'output.format': {
    type: 'string',
    default: 'json',
    oneOf: ['json', 'csv'],
    importance: 'high',
    doc: 'The format of files: a line of JSON for each value, or CSV with a header.',
    group: 'File System',
  },
  'output.compression': {
    type: 'string',
    default: 'none',
    oneOf: ['none', 'gzip', 'zstd'],
    importance: 'medium',
    doc: 'How files are compressed.',
    group: 'File System',
  },
  'csv.separator.char': {
    type: 'int',
    default: 44,
    min: 1,
    max: 127,
    importance: 'low',
    doc: 'The character between the cells of CSV, as a number: 44 is a comma.',
    group: 'File System',
  },
  'csv.first.row.as.header': {
    type: 'boolean',
    default: true,
    importance: 'low',
    doc: 'Whether the first line of a CSV file names its columns.',
    group: 'File System',
  },
  'flush.size': {
    type: 'int',
    default: 10_000,
    min: 1,
    importance: 'high',
    doc: 'How many records make a file.',
    group: 'File System',
  },
  'rotate.interval.ms': {
    type: 'long',
    default: 60_000,
    min: 0,
    importance: 'medium',
    doc: 'How long a file with fewer records is kept open. It is looked at when offsets are committed.',
    group: 'File System',
  },
  'behavior.on.null.values': {
    type: 'string',
    default: 'fail',
    oneOf: ['fail', 'ignore'],
    importance: 'low',
    doc: 'What to do with a record without a value: fail (or report it, with `errors.tolerance`), or leave it out.',
    group: 'File System',
  },
  'file.buffer.size.bytes': {
    type: 'int',
    default: 1_048_576,
    min: 1,
    importance: 'low',
    doc: 'How many bytes all open files of a task hold in memory before they are written.',
    group: 'File System',
  },
  ...placeKeys,
})
