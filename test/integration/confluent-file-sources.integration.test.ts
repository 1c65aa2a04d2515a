// Confluent's sources of files with the JSON of the originals: by FTPS, files of three formats in one folder, under kills; by
// SFTP the one that reads all formats.
import { chmod, mkdir, readdir, readFile, rename, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { parseConfig, parseConfigOrThrow, type SourceConnector } from '@millrace/sdk'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import source from '../../connectors/spooldir/confluent/ftps-source.ts'
import { sftpGenericSource } from '../../connectors/spooldir/sftp-sources.ts'
import {
  fileServerMissing,
  type FtpServer,
  type SftpServer,
  startFtpServer,
  startSftpServer,
} from '../services/file-servers.ts'
import { openSourceTask, type Raw, takeRecords } from './support/task-contract.ts'
import { readTopic } from './support/topic-values.ts'
import { useWorker } from './support/worker-hooks.ts'
import { until } from './worker-harness.ts'

const ROWS = 2000

/** The values of so many records, read by a task. */
async function valuesOf(source: SourceConnector<any>, config: Raw, count: number): Promise<unknown[]> {
  const { task, lines } = await openSourceTask(source, config, { get: () => null }, { connectorName: 'ftps' })
  const poll = async () => {
    const polled = ((await task.poll(new AbortController().signal)) ?? []) as readonly { topic: string | null }[]
    // The ends of files come as positions without a record.
    return polled.filter(({ topic }) => topic !== null) as never[]
  }
  const records = await takeRecords(count, poll, lines)
  await task.stop?.()
  return records.map(({ value }) => value)
}

describe.skipIf(fileServerMissing('ftp') !== null)('FtpsSource', () => {
  let server: FtpServer
  let folders = 0

  beforeAll(async () => {
    server = await startFtpServer()
  })
  afterAll(() => server?.stop())

  /** The example with folders of its own on the server of the test. */
  async function example(changes: Raw = {}): Promise<{ readonly config: Raw; readonly folder: string }> {
    const url = new URL('../../connectors/spooldir/examples/confluent-ftps-source.json', import.meta.url)
    const { config } = JSON.parse(await readFile(url, 'utf8')) as { config: Raw }
    const name = `f${++folders}`
    const folder = join(server.folder, name)
    for (const each of ['', 'input', 'error', 'finished']) {
      await mkdir(join(folder, each), { recursive: true })
      await chmod(join(folder, each), 0o777)
    }
    const path = (part: string): string => `${server.path}/${name}/${part}`
    return {
      folder,
      config: {
        ...config,
        'ftps.host': 'localhost',
        'ftps.port': String(server.port),
        'ftps.username': 'anonymous',
        'ftps.password': 'guest',
        'ftps.ssl.truststore.location': server.certificateFile,
        'ftps.input.path': path('input'),
        'ftps.error.path': path('error'),
        'ftps.finished.path': path('finished'),
        'empty.poll.wait.ms': '20',
        ...changes,
      },
    }
  }

  /** Writes a file under a name that no pattern has, and then gives it its own. */
  async function put(folder: string, name: string, text: string): Promise<void> {
    await writeFile(join(folder, 'new'), text)
    await rename(join(folder, 'new'), join(folder, 'input', name))
  }

  test('runs the JSON of the original, by the endings of files', async () => {
    const { config, folder } = await example()
    expect(parseConfig(source.config, config).issues).toEqual([])
    expect(await source.validate?.(parseConfigOrThrow(source.config, config), config)).toEqual([])
    await put(folder, 'a.csv', 'id,first_name\n1,Ann\n')
    await put(folder, 'b.json', '{"id":2,"first_name":"Ben"}')
    await put(folder, 'c.txt', 'a line\n')
    expect(await valuesOf(source, config, 3)).toEqual([
      { id: 1n, first_name: 'Ann' },
      { id: 2n, first_name: 'Ben' },
      'a line',
    ])
  })

  test('infers schemas, gives JSON as text, and reads all files by one parser when asked', async () => {
    const inferred = await example({ 'schema.generation.enabled': 'true' })
    await put(inferred.folder, 'a.csv', 'id,first_name\n1,Ann\n')
    expect(await valuesOf(source, inferred.config, 1)).toEqual([{ id: '1', first_name: 'Ann' }])
    const asText = await example({ 'ftps.schemaless.json.parsing': 'true' })
    await put(asText.folder, 'a.json', '{"id":1}{"id":2}')
    expect(await valuesOf(source, asText.config, 2)).toEqual(['{"id":1}', '{"id":2}'])
    const byOne = await example({ 'ftps.ignore.file.extension': 'true', 'ftps.parser.type': 'txt' })
    await put(byOne.folder, 'a.csv', 'id,first_name\n')
    expect(await valuesOf(source, byOne.config, 1)).toEqual(['id,first_name'])
  })

  test('tells by name what is missing, and folders that are not there', async () => {
    const issues = async (changes: Raw): Promise<string[]> => {
      const { config } = await example(changes)
      const found = await source.validate?.(parseConfigOrThrow(source.config, config), config)
      return (found ?? []).map(({ key }) => key)
    }
    expect(await issues({ 'ftps.error.path': '' })).toEqual(['ftps.error.path'])
    expect(await issues({ 'ftps.error.path': '', 'ftps.behavior.on.error': 'FAIL' })).toEqual([])
    expect(await issues({ 'ftps.input.path': '/files/none' })).toEqual(['ftps.input.path'])
    expect(await issues({ 'value.schema': '' })).toEqual(['value.schema'])
    expect(await issues({ 'ftps.timestamp.mode': 'FIELD', 'ftps.timestamp.field': 'id' })).toEqual([
      'ftps.timestamp.field',
    ])
    expect(await issues({ 'ftps.ssl.cipher.suites': 'TLS_RSA_WITH_NULL_MD5' })).toEqual(['ftps.ssl.cipher.suites'])
    expect(await issues({ 'ftps.port': '1' })).toEqual(['ftps.host'])
  })

  describe('on a real worker', () => {
    const runtime = useWorker()

    test('every record of files in three formats arrives, in order, through kills of hosts and of the server', async () => {
      const { config, folder } = await example({ 'ftps.input.file.pattern': '.+\\..+', 'batch.size': '50' })
      await runtime.worker.create(
        {
          ...config,
          name: 'ftps-files',
          'restart.policy': 'always',
          'restart.backoff.ms': '10',
          'restart.max.attempts': '1000',
          'value.converter': 'org.apache.kafka.connect.json.JsonConverter',
          'value.converter.schemas.enable': 'false',
          'key.converter': 'org.apache.kafka.connect.json.JsonConverter',
        },
        2,
      )
      const reader = readTopic(runtime.broker, 'users')
      const file = (number: number): { name: string; text: string } => {
        const ids = Array.from({ length: ROWS }, (_, row) => number * ROWS + row)
        const csv = `id,first_name\n${ids.map((id) => `${id},n\n`).join('')}`
        const json = ids.map((id) => `${JSON.stringify({ id, first_name: 'n' })}\n`).join('')
        const texts = { csv, json, txt: ids.map((id) => `${id}\n`).join('') }
        const ending = (['csv', 'json', 'txt'] as const)[number % 3] ?? 'txt'
        return { name: `${number}.${ending}`, text: texts[ending] }
      }
      await put(folder, 'unknown.xml', '<a/>')
      await put(folder, 'bad.csv', 'id,first_name\nnot-a-number,n\n')
      let files = 0
      for (const kill of ['hosts', 'server', 'hosts'] as const) {
        const before = (await reader.read()).length
        for (let added = 0; added < 2; added++, files++) {
          const { name, text } = file(files)
          await put(folder, name, text)
        }
        await until('records arrive', async () => (await reader.read()).length > before)
        if (kill === 'server') {
          await server.kill()
          await server.start()
        } else runtime.worker.killHosts()
      }
      await until('all files are put away', async () => (await readdir(join(folder, 'finished'))).length === files)
      await until('what cannot be read is put away', async () => {
        const found = (await readdir(join(folder, 'error'))).toSorted()
        return found.join() === 'bad.csv,unknown.xml'
      })
      const next = new Map<number, number>()
      for (const { value } of await reader.read()) {
        const read = JSON.parse(String(value)) as { id: number } | string
        const id = typeof read === 'string' ? Number(read) : read.id
        const of = Math.floor(id / ROWS)
        // What comes again after a kill was there before; nothing new is ever ahead of what is missing.
        expect(id % ROWS).toBeLessThanOrEqual(next.get(of) ?? 0)
        next.set(of, Math.max(next.get(of) ?? 0, (id % ROWS) + 1))
      }
      expect([...next].toSorted(([a], [b]) => a - b)).toEqual(Array.from({ length: files }, (_, at) => [at, ROWS]))
      await reader.close()
    })
  })
})

describe.skipIf(fileServerMissing('sftp') !== null)('SftpGenericSource', () => {
  let server: SftpServer

  beforeAll(async () => {
    server = await startSftpServer()
  })
  afterAll(() => server?.stop())

  test.each([
    ['CSV', 'id,name\n1,Ann\n', [{ id: '1', name: 'Ann' }]],
    ['json', '{"id":1}{"id":2}', [{ id: '1' }, { id: '2' }]],
    ['SCHEMALESS_JSON', '{"id":1}', ['{"id":1}']],
    ['BINARY', 'all of it\n', [Buffer.from('all of it\n')]],
  ])('runs the JSON of the original: %s', async (format, text, values) => {
    const url = new URL('../../connectors/spooldir/examples/confluent-sftp-generic.json', import.meta.url)
    const { config } = JSON.parse(await readFile(url, 'utf8')) as { config: Raw }
    const folders = Object.fromEntries(
      ['input', 'finished', 'error'].map((name) => [`${name}.path`, join(server.path, format, name)]),
    )
    for (const folder of Object.values(folders)) await mkdir(folder, { recursive: true })
    await writeFile(join(server.folder, format, 'input', 'a'), text)
    const raw: Raw = {
      ...config,
      ...folders,
      'input.file.parser.format': format,
      'sftp.host': '127.0.0.1',
      'sftp.port': String(server.port),
      'sftp.username': server.username,
      'tls.pemfile': server.privateKey,
      'empty.poll.wait.ms': '20',
    }
    expect(await sftpGenericSource.validate?.(parseConfigOrThrow(sftpGenericSource.config, raw), raw)).toEqual([])
    const found = await valuesOf(sftpGenericSource, raw, values.length)
    expect(found.map((value) => (value instanceof Uint8Array ? Buffer.from(value) : value))).toEqual(values)
  })
})
