import { appendFile, mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { describeSource } from '@millrace/testkit'
import source from '../src/source.ts'

// What every source has to stand: restarts at any point, kills, repeated starts. The checks ask for a system to read.
describeSource(source, {
  packageFile: new URL('../package.json', import.meta.url),
  // Tasks are killed in processes of their own.
  module: new URL('../src/source.ts', import.meta.url),
  guarantee: 'at-least-once',
  async open() {
    const folder = await mkdtemp(join(tmpdir(), 'starling-'))
    const file = join(folder, 'lines')
    return {
      config: { files: file, topic: 'lines', 'poll.interval.ms': '5' },
      produce: (events) => appendFile(file, events.map(({ id, payload }) => `${id}${payload}\n`).join('')),
      close: () => rm(folder, { recursive: true }),
    }
  },
  invalid: [{ config: { files: '' }, key: 'files' }],
  notApplicable: {
    outage: 'a file that is not there is waited for',
    tombstones: 'lines are not removed',
    'schema-evolution': 'a line is text, whatever is in it',
  },
})
