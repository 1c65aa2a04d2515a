// stream-reactor's FTP source on real servers: a file that grows, while hosts and the server are killed.
import { appendFile } from 'node:fs/promises'
import { join } from 'node:path'
import { describe, expect, test } from 'vitest'
import { type FileServer, fileServerMissing, startFtpServer, startSftpServer } from '../services/file-servers.ts'
import { readTopic } from './support/topic-values.ts'
import { useWorker } from './support/worker-hooks.ts'
import { until } from './worker-harness.ts'

const STEP_BYTES = 200_000
const SLICE_BYTES = 1000

const runtime = useWorker({
  'key.converter': 'org.apache.kafka.connect.json.JsonConverter',
  'key.converter.schemas.enable': 'false',
  'value.converter': 'org.apache.kafka.connect.converters.ByteArrayConverter',
})

interface Place {
  readonly server: FileServer
  readonly options: Record<string, string>
}

const kinds: readonly { name: string; missing: string | null; start(): Promise<Place> }[] = [
  ...(['ftp', 'ftps'] as const).map((protocol) => ({
    name: protocol,
    missing: fileServerMissing('ftp'),
    async start() {
      const server = await startFtpServer()
      return { server, options: { 'connect.ftp.user': 'anonymous', 'ftp.tls.ca': server.certificate } }
    },
  })),
  {
    name: 'sftp',
    missing: fileServerMissing('sftp'),
    async start() {
      const server = await startSftpServer()
      const login = { 'connect.ftp.user': server.username, 'tls.pemfile': server.privateKey }
      return { server, options: { ...login, 'sftp.host.fingerprint': server.fingerprint } }
    },
  },
]

describe.each(kinds)('by $name', ({ name, missing, start }) => {
  test.skipIf(missing !== null)('every byte of a file that grows arrives, in order, through kills', async () => {
    const { server, options } = await start()
    const file = join(server.folder, 'grows.log')
    let content = ''
    const grow = async (): Promise<void> => {
      let step = ''
      for (let line = content.length; step.length < STEP_BYTES; line++) step += `line ${line} of this log\n`
      content += step
      await appendFile(file, step)
    }
    await grow()
    await runtime.worker.create({
      ...options,
      name: `grows-${name}`,
      'connector.class': 'com.datamountaineer.streamreactor.connect.ftp.source.FtpSourceConnector',
      'connect.ftp.address': `localhost:${server.port}`,
      'connect.ftp.protocol': name,
      'connect.ftp.password': name === 'sftp' ? '' : 'guest',
      'connect.ftp.refresh': 'PT0.05S',
      'connect.ftp.file.maxage': 'P1D',
      'connect.ftp.monitor.tail': `${server.path}/:grown-${name}`,
      'connect.ftp.monitor.slicesize': String(SLICE_BYTES),
      'connect.ftp.keystyle': 'struct',
      'connect.ftp.max.poll.records': '20',
      'restart.policy': 'always',
      'restart.backoff.ms': '10',
      'restart.max.attempts': '1000',
    })
    const reader = readTopic(runtime.broker, `grown-${name}`)
    let before = 0
    for (const kill of ['hosts', 'server', 'hosts'] as const) {
      await until('slices arrive', async () => (await reader.read()).length > before)
      if (kill === 'server') {
        await server.kill()
        await server.start()
      } else runtime.worker.killHosts()
      // Before the file grows: afterwards all of it could be there already, and nothing more to come.
      before = (await reader.read()).length
      await grow()
    }
    const found = Buffer.alloc(content.length)
    let [seen, end] = [0, 0]
    await until('the whole file is there', async () => {
      const records = await reader.read()
      for (const { key, value } of records.slice(seen)) {
        const { offset } = JSON.parse(String(key)) as { offset: number }
        const bytes = Buffer.from(value ?? [])
        // What comes again after a kill was there before; nothing new is ever ahead of what is missing.
        expect(offset).toBeLessThanOrEqual(end)
        bytes.copy(found, offset)
        end = Math.max(end, offset + bytes.length)
      }
      seen = records.length
      return end >= content.length
    })
    expect(found.toString()).toBe(content)
    await reader.close()
    await server.stop()
  })
})
