// The acceptance suite for authors, over the sink of files with a bucket as the place of its files.
import { describeSink } from '@millrace/testkit'
import { afterAll, beforeAll, describe } from 'vitest'
import { sinkManifest } from '../../connectors/spooldir/manifest.ts'
import sink from '../../connectors/spooldir/sink.ts'
import { type S3Server, s3Missing, startS3 } from '../services/s3.ts'
import { connectionOf, jsonOf } from './support/s3-tasks.ts'

describe.skipIf(s3Missing() !== null)('files in a bucket', () => {
  let server: S3Server
  let folders = 0

  beforeAll(async () => {
    server = await startS3()
  })
  afterAll(() => server?.stop())

  describeSink(sink, {
    manifest: sinkManifest,
    module: new URL('../../connectors/spooldir/sink.ts', import.meta.url),
    limits: { events: 4, kills: 3, starts: 30, floodEvents: 400 },
    ordered: false,
    open() {
      const folder = `out-${++folders}`
      const config = {
        ...connectionOf(server),
        'file.system': 's3',
        'output.path': folder,
        'flush.size': '2',
        'rotate.interval.ms': '20',
      }
      return { config, read: async () => (await jsonOf(server, `${folder}/`)).map((each) => JSON.stringify(each)) }
    },
    notApplicable: {
      outage: 'servers that go are in spooldir-sinks-kill, which kills one',
      'bad-records': 'every value can be written as JSON',
    },
  })
})
