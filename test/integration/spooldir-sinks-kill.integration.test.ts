// Sinks of files and their topics: equal after kill -9 of task hosts and of the server that holds the files.
import { readdir, readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { parseOutputName } from '../../connectors/spooldir/output-name.ts'
import { type FileServer, fileServerMissing, startFtpServer, startSftpServer } from '../services/file-servers.ts'
import { s3Missing, startS3 } from '../services/s3.ts'
import { bytesOf, connectionOf, keysOf } from './support/s3-tasks.ts'
import { type Row, SinkKills } from './support/sink-kills.ts'

const byId = (a: Row, b: Row): number => a.id - b.id
const rowsOf = (text: string): Row[] => text.split('\n').flatMap((line) => (line === '' ? [] : [JSON.parse(line)]))

describe('a topic and its files', () => {
  let kills: SinkKills

  beforeAll(async () => {
    kills = await SinkKills.start()
  })
  afterAll(() => kills?.stop())

  test.skipIf(s3Missing() !== null)('SpoolDirSink in a bucket: each record once, and in order', async () => {
    const server = await startS3()
    try {
      const load = async () => {
        const files = (await keysOf(server, 'out/')).map((key) => ({ key, name: parseOutputName(key.slice(4)) }))
        const texts = await Promise.all(files.map(async ({ key }) => String(await bytesOf(server, key))))
        return files.map(({ name }, at) => ({ name, rows: rowsOf(texts[at] as string) }))
      }
      const rows = await kills.store({
        topic: 'in-a-bucket',
        config: {
          ...connectionOf(server),
          'connector.class': 'SpoolDirSink',
          'file.system': 's3',
          'output.path': '/out',
          'output.compression': 'gzip',
          'flush.size': '170',
          'rotate.interval.ms': '500',
          'file.buffer.size.bytes': '4096',
        },
        stored: async () => (await load()).reduce((sum, file) => sum + file.rows.length, 0),
        async killServer() {
          if (!server.keepsObjects) return
          await server.kill()
          await server.restart()
        },
      })
      const next = new Map<number, number>()
      for (const { name, rows: inFile } of await load()) {
        expect(name?.first).toBe(next.get(name?.partition as number) ?? 0)
        expect(inFile).toHaveLength((name?.last as number) - (name?.first as number) + 1)
        expect(inFile).toEqual(inFile.toSorted(byId))
        next.set(name?.partition as number, (name?.last as number) + 1)
      }
      expect((await load()).flatMap((file) => file.rows).toSorted(byId)).toEqual(rows)
    } finally {
      await server.stop()
    }
  })

  const FLUSH_SIZE = '50'
  const layouts: readonly (readonly [string, Readonly<Record<string, string>>])[] = [
    ['partition', {}],
    [
      'field',
      {
        'partitioner.class': 'io.confluent.connect.storage.partitioner.FieldPartitioner',
        'partition.field.name': 'color',
      },
    ],
  ]

  /** Stores a topic with a sink of Confluent's, and looks at what is on the server. */
  async function storesOnServer(
    server: FileServer,
    topic: string,
    folder: string,
    config: Readonly<Record<string, string>>,
  ): Promise<void> {
    const files = async (): Promise<string[]> => {
      const found = await readdir(folder, { recursive: true, withFileTypes: true }).catch(() => [])
      return found.filter((entry) => entry.isFile()).map((entry) => join(entry.parentPath, entry.name))
    }
    const load = async (): Promise<Row[]> => {
      const names = (await files()).filter((path) => path.endsWith('.json'))
      // One that is replaced at this moment is read the next time.
      const texts = await Promise.all(names.map((path) => readFile(path, 'utf8').catch(() => '')))
      return texts.flatMap(rowsOf)
    }
    const rows = await kills.store({
      topic,
      config: { 'format.class': 'JsonFormat', 'flush.size': FLUSH_SIZE, 'retry.backoff.ms': '100', ...config },
      stored: async () => (await load()).length,
      async killServer() {
        await server.kill()
        await server.start()
      },
    })
    expect((await load()).toSorted(byId)).toEqual(rows)
    // What a kill left half done was replaced.
    expect((await files()).filter((path) => !path.endsWith('.json'))).toEqual([])
  }

  test.skipIf(fileServerMissing('sftp') !== null).each(layouts)(
    'SftpSink by %s: each record once',
    async (layout, partitioner) => {
      const server = await startSftpServer()
      try {
        const topic = `by-sftp-${layout}`
        await storesOnServer(server, topic, join(server.folder, 'topics', topic), {
          'connector.class': 'io.confluent.connect.sftp.SftpSinkConnector',
          'sftp.host': '127.0.0.1',
          'sftp.port': String(server.port),
          'sftp.username': server.username,
          'tls.private.key': server.privateKey.replaceAll('\n', '\\r\\n'),
          'sftp.host.fingerprint': server.fingerprint,
          'sftp.working.dir': server.path,
          ...partitioner,
        })
      } finally {
        await server.stop()
      }
    },
  )

  test.skipIf(fileServerMissing('ftp') !== null)('FtpsSink: each record once', async () => {
    const server = await startFtpServer()
    try {
      await storesOnServer(server, 'by-ftps', join(server.folder, 'by-ftps'), {
        'connector.class': 'io.confluent.connect.ftps.FtpsSinkConnector',
        'ftps.host': 'localhost',
        'ftps.port': String(server.port),
        'ftps.username': 'anonymous',
        'ftps.password': 'guest',
        'ftps.ssl.truststore.location': server.certificateFile,
        'ftps.working.dir': server.path,
      })
    } finally {
      await server.stop()
    }
  })
})
