import { once } from 'node:events'
import { connect } from 'node:net'
import { freePort } from '../../services/free-port.ts'
import { portAnswers } from '../../services/millrace.ts'
import { cpuSeconds, scaled } from '../measure.ts'
import type { BenchCase, Side } from '../report.ts'
import { createConnector, deleteConnector, waitFor } from '../rest-client.ts'
import { millraceBroker, millraceWorker } from '../systems.ts'
import { createTopicReader } from '../topic-reader.ts'

const MESSAGES = scaled(500_000)
const PIECE = 5000

/** RFC 5424 with octet counting (RFC 6587). */
function frames(from: number): string {
  return Array.from({ length: PIECE }, (_, index) => {
    const message = `<165>1 2024-06-01T12:00:00.003Z host${index % 50} app 1234 ID47 [a@32473 n="${from + index}"] a few words that are the same each time`
    return `${message.length} ${message}`
  }).join('')
}

/** One sender that sends as fast as it is read. */
async function send(port: number): Promise<void> {
  const socket = connect(port, '127.0.0.1')
  await once(socket, 'connect')
  for (let sent = 0; sent < MESSAGES; sent += PIECE) {
    if (!socket.write(frames(sent))) await once(socket, 'drain')
  }
  socket.end()
}

async function sides(): Promise<readonly Side[]> {
  const broker = await millraceBroker()
  const worker = await millraceWorker(broker.bootstrapServers, 'bench-syslog')
  const reader = await createTopicReader(broker.bootstrapServers)
  return [
    {
      name: 'millrace',
      async run(round) {
        const name = `syslog-${round + 9}`
        const port = await freePort()
        await createConnector(worker.url, name, {
          'connector.class': 'io.confluent.connect.syslog.SyslogSourceConnector',
          'tasks.max': '1',
          'syslog.listener': 'TCP',
          'syslog.port': String(port),
          'syslog.listen.address': '127.0.0.1',
          topic: name,
        })
        await waitFor('the task listens', () => portAnswers(port))
        const cpu = (): number => cpuSeconds(worker.pid()) + cpuSeconds(broker.pid())
        const before = cpu()
        const started = performance.now()
        await send(port)
        await waitFor(`${name} is full`, async () => (await reader.end(name)) >= MESSAGES)
        const seconds = (performance.now() - started) / 1000
        const cpuMicros = ((cpu() - before) * 1e6) / MESSAGES
        await deleteConnector(worker.url, name)
        return { messages: MESSAGES / seconds, cpuMicros }
      },
      async stop() {
        await reader.close()
        await worker.stop()
        await broker.stop()
      },
    },
  ]
}

export const syslogCases: readonly BenchCase[] = [
  {
    name: 'syslog-source',
    title: `syslog over TCP -> topic, ${MESSAGES} messages of RFC 5424; there is no peer`,
    targets: [{ figure: 'messages', unit: '1/s', better: 'more' }],
    sides,
  },
]
