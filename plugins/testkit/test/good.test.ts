import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { connect } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { describeSink, describeSource } from '@millrace/testkit'
import counterSource from './good/counter-source.ts'
import heardSource from './good/heard-source.ts'
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

describeSource(heardSource, {
  module: new URL('./good/heard-source.ts', import.meta.url),
  open: () => {
    const folder = mkdtempSync(join(tmpdir(), 'testkit-'))
    const socket = join(folder, 'heard')
    return {
      config: { socket },
      produce: (events) =>
        new Promise((resolve, reject) => {
          const lines = events.map(({ id, payload }) => `${id}${payload}\n`).join('')
          connect(socket)
            .once('error', reject)
            .end(lines, () => resolve())
        }),
      close: () => rmSync(folder, { recursive: true }),
    }
  },
  invalid: [{ config: { socket: '' }, key: 'socket' }],
  guarantee: 'at-most-once',
  limits: { starts: 30 },
  notApplicable: {
    manifest: 'the plugin is in no package',
    'back-pressure': 'it keeps what it heard, however much',
    outage: 'it is the server',
    tombstones: 'nothing is taken back',
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
