// The acceptance suite for authors, over the syslog source. It promises at-most-once: what is sent while it runs comes once.
import { connect } from 'node:net'
import { Readable } from 'node:stream'
import { describeSource, type TestEvent } from '@millrace/testkit'
import { manifest } from '../../connectors/syslog/manifest.ts'
import source from '../../connectors/syslog/source.ts'
import { freePort } from '../services/free-port.ts'
import { connector } from './support/conformance.ts'

function* messages(events: readonly TestEvent[]): Generator<string> {
  for (const { id, payload } of events) yield `<13>Jan  1 00:00:00 host app: ${id}${payload}\n`
}

describeSource(source, {
  manifest,
  module: connector('syslog/source.ts'),
  limits: { events: 4, kills: 4, starts: 30, floodEvents: 1000 },
  async open() {
    const port = await freePort()
    return {
      config: {
        'syslog.port': String(port),
        'syslog.listener': 'TCP',
        'syslog.listen.address': '127.0.0.1',
        'syslog.backoff.millis': '5',
        'syslog.queue.batch.size': '2',
        'syslog.queue.max.size': '100',
        topic: 'syslog',
      },
      produce: (events) =>
        new Promise((resolve, reject) => {
          const socket = connect(port, '127.0.0.1', resolve).on('error', reject)
          // Nobody waits until all is taken: the source takes what it has room for.
          Readable.from(messages(events)).pipe(socket)
        }),
    }
  },
  notApplicable: {
    outage: 'it is the server',
    tombstones: 'messages are never without a value',
    'schema-evolution': 'all forms of messages have one schema',
  },
})
