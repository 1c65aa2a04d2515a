import { execFile, spawn } from 'node:child_process'
import { once } from 'node:events'
import { createConnection, type Socket } from 'node:net'
import { promisify } from 'node:util'
import { describe, expect, test } from 'vitest'
import type { SourceRecord } from '@millrace/sdk'
import source from '../../connectors/syslog/source.ts'
import { isAlive } from '../services/alive.ts'
import { createCertificates, opensslMissing } from '../services/certificates.ts'
import { endProcess } from '../services/end-process.ts'
import { freePort } from '../services/free-port.ts'
import { type Rsyslog, rsyslogMissing, rsyslogTlsMissing, startRsyslog } from '../services/rsyslog.ts'
import { openSourceTask, takeRecords } from './support/task-contract.ts'
import { readTopic, type TopicReader } from './support/topic-values.ts'
import { useWorker } from './support/worker-hooks.ts'
import { until } from './worker-harness.ts'

const run = promisify(execFile)
const noRsyslog = rsyslogMissing()
const noOpenssl = opensslMissing()
const noRsyslogTls = rsyslogTlsMissing()

interface Message {
  readonly message: string
  readonly appName: string | null
  readonly level: number
  readonly version: number | null
  readonly facility: number
  readonly structuredData: ReadonlyMap<string, ReadonlyMap<string, string>> | null
}

type Running = Awaited<ReturnType<typeof startSource>>

async function startSource(raw: Record<string, string>) {
  const port = String(await freePort())
  const full = { 'syslog.port': port, 'syslog.listen.address': '127.0.0.1', ...raw }
  const { task, lines } = await openSourceTask(source, full, { get: () => null }, { connectorName: 'syslog-test' })
  return {
    port: full['syslog.port'],
    async take(count: number): Promise<Message[]> {
      const poll = async () => ((await task.poll(new AbortController().signal)) ?? []) as readonly SourceRecord[]
      return (await takeRecords(count, poll, lines)).map(({ value }) => value as Message)
    },
    stop: async () => task.stop?.(),
  }
}

describe.skipIf(noRsyslog)('messages of logger and rsyslog', () => {
  test.each([
    ['UDP', '--udp', '--rfc3164'],
    ['UDP', '--udp', '--rfc5424'],
    ['TCP', '--tcp', '--rfc3164'],
    ['TCP', '--tcp', '--rfc5424'],
  ])('logger over %s with %s %s', async (listener, protocol, form) => {
    const running = await startSource({ 'syslog.listener': listener })
    const more = form === '--rfc5424' ? ['--sd-id', 'a@1', '--sd-param', 'b="c d"'] : []
    const to = ['--server', '127.0.0.1', '--port', running.port, protocol, form]
    await run('logger', [...to, ...more, '--tag', 'app', '--priority', 'local0.err', 'grüße at 1: two'])
    const [message] = await running.take(1)
    expect(message).toMatchObject({ message: 'grüße at 1: two', appName: 'app', level: 3, facility: 16 })
    if (more.length > 0) expect(message?.structuredData?.get('a@1')).toEqual(new Map([['b', 'c d']]))
    await running.stop()
  })

  test.each([
    ['UDP', 'protocol="udp" template="RSYSLOG_TraditionalForwardFormat"'],
    ['TCP', 'protocol="tcp" template="RSYSLOG_ForwardFormat"'],
    ['TCP', 'protocol="tcp" TCP_Framing="octet-counted" template="RSYSLOG_SyslogProtocol23Format"'],
  ])('rsyslog forwards over %s with %s', async (listener, forward) => {
    const running = await startSource({ 'syslog.listener': listener })
    const rsyslog = await startRsyslog(`target="127.0.0.1" port="${running.port}" ${forward}`)
    await expectMany(running, rsyslog)
    await Promise.all([running.stop(), rsyslog.stop()])
  })
})

/** What `logger` gives to rsyslog comes to the source, in its order. */
async function expectMany(running: Running, rsyslog: Rsyslog): Promise<void> {
  const texts = Array.from({ length: 30 }, (_, n) => `message ${n} of many`)
  const logger = spawn('logger', ['--socket', rsyslog.socket, '--tag', 'many'], { stdio: ['pipe', 'ignore', 'ignore'] })
  logger.stdin.end(texts.join('\n'))
  await endProcess(logger, null, () => '')
  const found = await running.take(texts.length)
  expect(found.map(({ message }) => message.trim())).toEqual(texts)
  expect(new Set(found.map(({ appName }) => appName))).toEqual(new Set(['many']))
}

test.skipIf(noRsyslog || noRsyslogTls || noOpenssl)(
  'rsyslog forwards over TLS and knows whom it talks to',
  async () => {
    const certificates = await createCertificates()
    const { certificate, key } = certificates.server
    const running = await startSource({
      'syslog.listener': 'TCPSSL',
      'syslog.ssl.cert.chain.path': certificate,
      'syslog.ssl.key.path': key,
    })
    const driver = 'streamDriver="gtls" streamDriverMode="1" streamDriverAuthMode="x509/name"'
    const rsyslog = await startRsyslog(
      `target="127.0.0.1" port="${running.port}" protocol="tcp" ${driver} streamDriverPermittedPeers="localhost"`,
      `defaultNetstreamDriverCAFile="${certificates.authority}"`,
    )
    await expectMany(running, rsyslog)
    await Promise.all([running.stop(), rsyslog.stop(), certificates.remove()])
  },
)

test.skipIf(noOpenssl)('messages come over TLS, with a certificate that senders can verify', async () => {
  const certificates = await createCertificates()
  const running = await startSource({
    'syslog.listener': 'TCPSSL',
    'syslog.ssl.cert.chain.path': certificates.server.certificate,
    'syslog.ssl.key.path': certificates.server.key,
  })
  const to = [
    '-connect',
    `127.0.0.1:${running.port}`,
    '-CAfile',
    certificates.authority,
    '-verify_return_error',
    '-quiet',
  ]
  const client = spawn('openssl', ['s_client', ...to], { stdio: ['pipe', 'ignore', 'ignore'] })
  client.stdin.write('<13>1 - - - - - - over TLS\n')
  expect((await running.take(1))[0]).toMatchObject({ message: 'over TLS', version: 1 })
  await endProcess(client, 'SIGKILL', () => '')
  await running.stop()
  await certificates.remove()
})

test('a port that is taken fails the task and says so', async () => {
  for (const listener of ['UDP', 'TCP']) {
    const running = await startSource({ 'syslog.listener': listener })
    await expect(startSource({ 'syslog.listener': listener, 'syslog.port': running.port })).rejects.toThrow(
      `cannot listen on 127.0.0.1, ${listener} port ${running.port}: something else does`,
    )
    await running.stop()
  }
})

test('a sender that is faster than the log has to wait, and loses nothing', async () => {
  const running = await startSource({ 'syslog.listener': 'TCP', 'syslog.queue.max.size': '10' })
  const socket = createConnection(Number(running.port), '127.0.0.1')
  await once(socket, 'connect')
  const texts = Array.from({ length: 20_000 }, (_, n) => `<13>message ${n} ${'x'.repeat(500)}`)
  socket.end(texts.join('\n'))
  const found = await running.take(texts.length)
  expect(found.map(({ message }) => Number(message.split(' ')[1]))).toEqual(texts.map((_, n) => n))
  await running.stop()
})

describe('on a real worker', () => {
  const ROUNDS = 3
  const MESSAGES = 500
  const FLOOD = 20_000
  const runtime = useWorker()

  test('kills of the host lose what it held and nothing else, and repeat nothing', async () => {
    const port = await freePort()
    await runtime.worker.create(
      {
        name: 'logs-source',
        'connector.class': 'io.confluent.connect.syslog.SyslogSourceConnector',
        'syslog.port': String(port),
        'syslog.listener': 'TCP',
        'syslog.listen.address': '127.0.0.1',
        topic: 'logs',
        'value.converter': 'org.apache.kafka.connect.json.JsonConverter',
        'value.converter.schemas.enable': 'false',
        'restart.policy': 'always',
        'restart.backoff.ms': '10',
        'restart.max.attempts': '1000',
      },
      1,
    )
    const connected = async (): Promise<Socket> => {
      let socket: Socket | undefined
      await until('the port is there', async () => {
        const attempt = createConnection(port, '127.0.0.1').on('error', () => undefined)
        socket = await once(attempt, 'connect').then(
          () => attempt,
          () => undefined,
        )
        return socket !== undefined
      })
      return socket!
    }
    const taken = (): number => runtime.worker.metric('source-record-write-total', 'logs-source')
    let reader: TopicReader | undefined
    const written = async (): Promise<string[]> => {
      reader ??= readTopic(runtime.broker, 'logs')
      return (await reader.read()).map(({ value }) => String((JSON.parse(String(value)) as Message).message))
    }
    for (let round = 1; round <= ROUNDS; round++) {
      const sender = await connected()
      sender.end(Array.from({ length: MESSAGES }, (_, n) => `<13>calm ${round} ${n}\n`).join(''))
      const isCalm = (text: string): boolean => text.startsWith(`calm ${round} `)
      await until('the topic is there', () => taken() > 0)
      await until('the log has what was sent in peace', async () => {
        return (await written()).filter(isCalm).length === MESSAGES
      })
      if (round === ROUNDS) break
      const before = taken()
      const flood = await connected()
      let sent = 0
      const more = (): void => {
        while (sent < FLOOD && flood.write(`<13>flood ${round} ${sent++} ${'x'.repeat(200)}\n`));
      }
      flood.on('drain', more)
      more()
      await until('some of the flood is in the log', () => taken() !== before)
      const hosts = runtime.worker.hosts.filter(isAlive)
      for (const pid of hosts) process.kill(pid, 'SIGKILL')
      // A process that is being killed may still be connected to, and what it is sent is lost.
      await until('the hosts are gone', () => !hosts.some(isAlive))
      flood.destroy()
    }
    const seen = new Map<string, number>()
    for (const text of await written()) {
      const [kind, round, n] = text.split(' ')
      const key = `${kind} ${round}`
      // In order, from the first on, each once: of a connection that was cut off the end may be missing.
      expect(`${key} ${n}`).toBe(`${key} ${seen.get(key) ?? 0}`)
      seen.set(key, Number(n) + 1)
    }
    for (let round = 1; round <= ROUNDS; round++) expect(seen.get(`calm ${round}`)).toBe(MESSAGES)
    await reader?.close()
  })
})
