import { mkdtemp, readdir, readFile, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { describeSink } from '@millrace/testkit'
import sink from '../src/sink.ts'

// What every sink has to stand: kills, batches that come again, partitions that move. The checks ask for a system to
// write to, and for a way to see what is in it.
describeSink(sink, {
  packageFile: new URL('../package.json', import.meta.url),
  // Tasks are killed in processes of their own.
  module: new URL('../src/sink.ts', import.meta.url),
  guarantee: 'idempotent',
  target: 'latest',
  tombstones: 'delete',
  async open() {
    const folder = await mkdtemp(join(tmpdir(), 'starling-'))
    return {
      config: { folder },
      async read() {
        const names = (await readdir(folder)).filter((name) => name.endsWith('.json'))
        return Promise.all(names.map((name) => readFile(join(folder, name), 'utf8')))
      },
      close: () => rm(folder, { recursive: true }),
    }
  },
  invalid: [{ config: { extension: '../x' }, key: 'extension' }],
  bad: ({ id }) => ({ key: 42, value: id }),
  notApplicable: { outage: 'the disk is there as long as the machine is' },
})
