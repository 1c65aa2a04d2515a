import { execFile, spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdtemp, rm } from 'node:fs/promises'
import { createConnection } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { promisify } from 'node:util'
import { describe, expect, test } from 'vitest'
import { parseConfigOrThrow, type SourceRecord } from '@millrace/sdk'
import source from '../../connectors/syslog/source.ts'
import { DEADLINE_MS } from '../services/deadline.ts'
import { endProcess } from '../services/end-process.ts'
import { freePort } from '../services/free-port.ts'
import { requireCommand } from '../services/require.ts'
import { rsyslogMissing, startRsyslog } from '../services/rsyslog.ts'

const run = promisify(execFile)
const noRsyslog = rsyslogMissing()
const noOpenssl = requireCommand('openssl', 'install openssl')

interface Message {
  readonly message: string
  readonly appName: string | null
  readonly level: number
  readonly version: number | null
  readonly structuredData: ReadonlyMap<string, ReadonlyMap<string, string>> | null
}

async function startSource(raw: Record<string, string>) {
  const port = String(await freePort())
  const full = { 'syslog.port': port, 'syslog.listen.address': '127.0.0.1', ...raw }
  const ignore = (): void => undefined
  const task = source.createTask(parseConfigOrThrow(source.config, full), {
    connectorName: 'syslog-test',
    taskId: 0,
    logger: { debug: ignore, info: ignore, warn: ignore, error: ignore },
    raw: full,
    offsets: { offset: async () => null, offsets: async (partitions) => partitions.map(() => null) },
  })
  await task.start?.()
  return {
    port: full['syslog.port'],
    async take(count: number): Promise<Message[]> {
      const found: SourceRecord[] = []
      for (const deadline = Date.now() + DEADLINE_MS; found.length < count; ) {
        if (Date.now() > deadline) throw new Error(`${found.length} of ${count} messages in time`)
        found.push(...((await task.poll(new AbortController().signal)) as SourceRecord[]))
      }
      return found.map(({ value }) => value as Message)
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
    const texts = Array.from({ length: 30 }, (_, n) => `message ${n} of many`)
    const logger = spawn('logger', ['--socket', rsyslog.socket, '--tag', 'many'], {
      stdio: ['pipe', 'ignore', 'ignore'],
    })
    logger.stdin.end(texts.join('\n'))
    await endProcess(logger, null, () => '')
    const found = await running.take(30)
    expect(found.map(({ message }) => message.trim())).toEqual(texts)
    expect(new Set(found.map(({ appName }) => appName))).toEqual(new Set(['many']))
    await Promise.all([running.stop(), rsyslog.stop()])
  })
})

test.skipIf(noOpenssl)('TLS', async () => {
  const folder = await mkdtemp(join(tmpdir(), 'millrace-syslog-'))
  const [key, cert] = [join(folder, 'key.pem'), join(folder, 'cert.pem')]
  const subject = ['-subj', '/CN=localhost', '-days', '2', '-nodes']
  await run('openssl', ['req', '-x509', '-newkey', 'rsa:2048', '-keyout', key, '-out', cert, ...subject])
  const running = await startSource({
    'syslog.listener': 'TCPSSL',
    'syslog.ssl.cert.chain.path': cert,
    'syslog.ssl.key.path': key,
  })
  const to = ['-connect', `127.0.0.1:${running.port}`, '-CAfile', cert, '-verify_return_error', '-quiet']
  const client = spawn('openssl', ['s_client', ...to], { stdio: ['pipe', 'ignore', 'ignore'] })
  client.stdin.write('<13>1 - - - - - - over TLS\n')
  expect((await running.take(1))[0]).toMatchObject({ message: 'over TLS', version: 1 })
  await endProcess(client, 'SIGKILL', () => '')
  await running.stop()
  await rm(folder, { recursive: true, force: true })
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
