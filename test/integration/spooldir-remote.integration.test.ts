// Files that travel: an SFTP folder to a topic to another SFTP folder, while hosts and the server are killed.
import { mkdir, readdir, readFile, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { fileServerMissing, type SftpServer, startSftpServer } from '../services/file-servers.ts'
import { type MillraceBroker, startMillraceBroker } from '../services/millrace.ts'
import { startTestWorker, type TestWorker, until } from './worker-harness.ts'

const missing = fileServerMissing('sftp')
const ROWS = 4000
const FILES = 4

let broker: MillraceBroker
let worker: TestWorker
let server: SftpServer

beforeAll(async () => {
  if (missing !== null) return
  ;[broker, server] = await Promise.all([startMillraceBroker(), startSftpServer()])
  worker = await startTestWorker(broker.bootstrapServers, {
    'offset.flush.interval.ms': '200',
    'value.converter': 'org.apache.kafka.connect.json.JsonConverter',
    'value.converter.schemas.enable': 'false',
  })
})
afterAll(async () => {
  await worker?.stop()
  await broker?.stop()
  await server?.stop()
})

test.skipIf(missing !== null)(
  'each record of the topic is in one file of the sink, and each row is in the topic',
  async () => {
    const place = {
      'file.system': 'sftp',
      'sftp.host': '127.0.0.1',
      'sftp.port': String(server.port),
      'sftp.username': server.username,
      'tls.pemfile': server.privateKey,
      'sftp.host.fingerprint': server.fingerprint,
      'restart.policy': 'always',
      'restart.backoff.ms': '10',
    }
    const paths = { in: '', finished: '', error: '', out: '' }
    for (const name of Object.keys(paths) as (keyof typeof paths)[]) {
      paths[name] = join(server.folder, name)
      await mkdir(paths[name])
    }
    for (let file = 0; file < FILES; file++) {
      const rows = Array.from({ length: ROWS }, (_, row) => `${file},${row}\n`)
      await writeFile(join(paths.in, `${file}.csv`), `file,row\n${rows.join('')}`)
    }
    await writeFile(join(paths.in, 'bad.csv'), 'file,row\nwithout-a-row\n')
    await worker.create({
      ...place,
      name: 'remote-sink',
      'connector.class': 'SpoolDirSink',
      topics: 'remote',
      'output.path': paths.out,
      'flush.size': '700',
      'rotate.interval.ms': '500',
      'file.buffer.size.bytes': '4096',
      'consumer.override.max.poll.records': '300',
      'consumer.override.auto.offset.reset': 'earliest',
      'consumer.override.session.timeout.ms': '6000',
      'consumer.override.heartbeat.interval.ms': '500',
      'consumer.override.metadata.max.age.ms': '500',
    })
    const { 'file.system': _fixed, ...confluentPlace } = place
    await worker.create({
      ...confluentPlace,
      name: 'remote-source',
      'connector.class': 'io.confluent.connect.sftp.SftpCsvSourceConnector',
      'kafka.topic': 'remote',
      'input.path': paths.in,
      'finished.path': paths.finished,
      'error.path': paths.error,
      'input.file.pattern': '.*\\.csv',
      'csv.first.row.as.header': 'true',
      'schema.generation.enabled': 'true',
      'batch.size': '50',
      'empty.poll.wait.ms': '20',
      'behavior.on.error': 'IGNORE',
    })
    const outputs = async () => (await readdir(paths.out)).filter((name) => !name.startsWith('.')).toSorted(byName)
    const lines = async () => {
      const texts = await Promise.all((await outputs()).map((name) => readFile(join(paths.out, name), 'utf8')))
      return texts.join('').trim().split('\n')
    }
    for (const kill of ['server', 'hosts', 'server'] as const) {
      const before = (await outputs()).length
      await until('the sink writes files', async () => {
        const now = await outputs()
        return now.length > before || (await lines()).length >= FILES * ROWS
      })
      if (kill === 'server') {
        await server.kill()
        await server.start()
      } else worker.killHosts()
    }
    await until('all files are put away', async () => (await readdir(paths.finished)).length === FILES)
    const distinct = async () => new Set(await lines())
    await until('all rows are in files', async () => (await distinct()).size === FILES * ROWS)
    await until('the bad file is put away', async () => (await readdir(paths.error)).includes('bad.csv'))
    // The lease of a file goes after the file.
    await until('leases are gone', async () => (await readdir(paths.in)).length === 0)
    // Rows may be repeated in the topic after a kill; the files have each record of the topic once and in order.
    let next = 0
    for (const name of await outputs()) {
      const [, , first, last] = name.replace('.json', '').split('+').map(Number)
      expect(first).toBe(next)
      const content = await readFile(join(paths.out, name), 'utf8')
      expect(content.trim().split('\n')).toHaveLength((last as number) - (first as number) + 1)
      next = (last as number) + 1
    }
    const seen = new Map<string, number>()
    for (const line of await lines()) {
      const { file, row } = JSON.parse(line) as { file: string; row: string }
      // What comes again was there before; nothing new is ever ahead of what is missing.
      expect(Number(row)).toBeLessThanOrEqual(seen.get(file) ?? 0)
      seen.set(file, Math.max(seen.get(file) ?? 0, Number(row) + 1))
    }
  },
)

function byName(a: string, b: string): number {
  return a < b ? -1 : 1
}
