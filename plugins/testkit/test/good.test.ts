import { writeFileSync } from 'node:fs'
import { describeSink, describeSource } from '@millrace/testkit'
import counterSource from './good/counter-source.ts'
import { linesFile } from './good/lines.ts'
import linesSink from './good/lines-sink.ts'
import linesSource from './good/lines-source.ts'

describeSource(counterSource, {
  module: new URL('./good/counter-source.ts', import.meta.url),
  open: () => ({ config: { topic: 'numbers' } }),
  invalid: [{ config: { topic: '' }, key: 'topic' }],
  guarantee: 'exactly-once',
  notApplicable: {
    manifest: 'the plugin is in no package',
    outage: 'there is no system beside the task',
    tombstones: 'numbers are not removed',
    'schema-evolution': 'numbers keep their shape',
  },
})

describeSource(linesSource, {
  module: new URL('./good/lines-source.ts', import.meta.url),
  open: () => {
    const file = linesFile()
    return {
      config: { file: file.path },
      produce: (events) => file.append(events.map(({ id, payload }) => `${id}${payload}`)),
      close: () => file.close(),
    }
  },
  guarantee: 'exactly-once',
  limits: { floodEvents: 400 },
  notApplicable: {
    manifest: 'the plugin is in no package',
    outage: 'a file is always there',
    tombstones: 'lines are not removed',
    'schema-evolution': 'lines have no shape',
  },
})

describeSink(linesSink, {
  module: new URL('./good/lines-sink.ts', import.meta.url),
  open: () => {
    const file = linesFile()
    return {
      config: { file: file.path },
      read: () => file.read(),
      outage: () => writeFileSync(`${file.path}.away`, 'away\n'),
      restore: () => writeFileSync(`${file.path}.away`, ''),
      close: () => file.close(),
    }
  },
  invalid: [{ config: { file: '' }, key: 'file' }],
  bad: ({ id }) => ({ value: id }),
  tombstones: 'write',
  guarantee: 'idempotent',
  limits: { floodEvents: 400 },
  notApplicable: { manifest: 'the plugin is in no package' },
})
