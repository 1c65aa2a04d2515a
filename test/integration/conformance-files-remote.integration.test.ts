// The acceptance suite for authors, over connectors of files on servers: buckets, SFTP and FTPS.
import { chmodSync, mkdirSync, readdirSync, readFileSync } from 'node:fs'
import { rename, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { describeSink, describeSource } from '@millrace/testkit'
import { afterAll, beforeAll, describe } from 'vitest'
import ftpsSink from '../../connectors/spooldir/confluent/ftps-sink.ts'
import ftpsSource from '../../connectors/spooldir/confluent/ftps-source.ts'
import sftpSink from '../../connectors/spooldir/confluent/sftp-sink.ts'
import {
  ftpsSinkManifest,
  ftpsSourceManifest,
  sftpSinkManifest,
  sinkManifest,
} from '../../connectors/spooldir/manifest.ts'
import sink from '../../connectors/spooldir/sink.ts'
import {
  type FileServer,
  fileServerMissing,
  type FtpServer,
  type SftpServer,
  startFtpServer,
  startSftpServer,
} from '../services/file-servers.ts'
import { type S3Server, s3Missing, startS3 } from '../services/s3.ts'
import { connector, type Gate, startGate, throughGate, urlThrough } from './support/conformance.ts'
import { connectionOf, jsonOf } from './support/s3-tasks.ts'

const limits = { events: 4, kills: 3, starts: 30, floodEvents: 300 }
const JSON_TAKES_ALL = 'every value can be written as JSON'

describe.skipIf(s3Missing() !== null)('files in a bucket', () => {
  let server: S3Server
  let gate: Gate
  let folders = 0

  beforeAll(async () => {
    server = await startS3()
    gate = await startGate(Number(new URL(server.endpoint).port))
  })
  afterAll(async () => {
    await gate?.shut()
    await server?.stop()
  })

  describeSink(sink, {
    manifest: sinkManifest,
    module: connector('spooldir/sink.ts'),
    limits,
    ordered: false,
    open() {
      const folder = `out-${++folders}`
      return {
        config: {
          ...connectionOf(server),
          'store.url': urlThrough(gate, server.endpoint),
          'file.system': 's3',
          'output.path': folder,
          'flush.size': '2',
          'rotate.interval.ms': '20',
        },
        read: async () => (await jsonOf(server, `${folder}/`)).map((each) => JSON.stringify(each)),
        ...throughGate(gate),
      }
    },
    notApplicable: { 'bad-records': JSON_TAKES_ALL },
  })
})

/** Folders on a server, one for each trial. */
function foldersOn(server: FileServer): (...within: string[]) => { readonly folder: string; readonly path: string } {
  let count = 0
  return (...within) => {
    const name = `t${++count}`
    for (const each of ['', ...within]) {
      const folder = join(server.folder, name, each)
      mkdirSync(folder, { recursive: true })
      chmodSync(folder, 0o777)
    }
    return { folder: join(server.folder, name), path: `${server.path}/${name}` }
  }
}

/** The lines of all complete files below a folder. */
function linesIn(folder: string): readonly string[] {
  const files = readdirSync(folder, { recursive: true, withFileTypes: true }).filter((entry) => entry.isFile())
  const paths = files.map((entry) => join(entry.parentPath, entry.name)).filter((path) => path.endsWith('.json'))
  return paths.toSorted().flatMap((path) => readFileSync(path, 'utf8').split('\n').slice(0, -1))
}

const SINK = {
  'format.class': 'JsonFormat',
  'flush.size': '1',
  'behavior.on.null.values': 'ignore',
  'retry.backoff.ms': '10',
  'file.buffer.size.bytes': '65536',
}

describe.skipIf(fileServerMissing('sftp') !== null)('files by SFTP', () => {
  let server: SftpServer
  let gate: Gate
  let folders: ReturnType<typeof foldersOn>

  beforeAll(async () => {
    server = await startSftpServer()
    gate = await startGate(server.port)
    folders = foldersOn(server)
  })
  afterAll(async () => {
    await gate?.shut()
    await server?.stop()
  })

  describeSink(sftpSink, {
    manifest: sftpSinkManifest,
    module: connector('spooldir/confluent/sftp-sink.ts'),
    limits,
    tombstones: 'ignore',
    open() {
      const { folder, path } = folders()
      return {
        config: {
          ...SINK,
          'sftp.host': '127.0.0.1',
          'sftp.port': String(gate.port),
          'sftp.username': server.username,
          'tls.pemfile': server.privateKey,
          'sftp.host.fingerprint': server.fingerprint,
          'sftp.working.dir': path,
        },
        read: () => linesIn(folder),
        ...throughGate(gate),
      }
    },
    notApplicable: { 'bad-records': JSON_TAKES_ALL },
  })
})

describe.skipIf(fileServerMissing('ftp') !== null)('files by FTPS', () => {
  let server: FtpServer
  let gate: Gate
  let folders: ReturnType<typeof foldersOn>

  beforeAll(async () => {
    server = await startFtpServer()
    gate = await startGate(server.port)
    folders = foldersOn(server)
  })
  afterAll(async () => {
    await gate?.shut()
    await server?.stop()
  })

  const connection = () => ({
    'ftps.host': 'localhost',
    'ftps.port': String(gate.port),
    'ftps.username': 'anonymous',
    'ftps.password': 'guest',
    'ftps.ssl.truststore.location': server.certificateFile,
  })

  describeSink(ftpsSink, {
    manifest: ftpsSinkManifest,
    module: connector('spooldir/confluent/ftps-sink.ts'),
    limits,
    tombstones: 'ignore',
    open() {
      const { folder, path } = folders()
      return {
        config: { ...SINK, ...connection(), 'ftps.working.dir': path },
        read: () => linesIn(folder),
        ...throughGate(gate),
      }
    },
    notApplicable: { 'bad-records': JSON_TAKES_ALL },
  })

  describeSource(ftpsSource, {
    manifest: ftpsSourceManifest,
    module: connector('spooldir/confluent/ftps-source.ts'),
    limits,
    open() {
      const { folder, path } = folders('in', 'done', 'bad')
      let files = 0
      return {
        config: {
          ...connection(),
          'kafka.topic': 'files',
          'ftps.input.path': `${path}/in`,
          'ftps.finished.path': `${path}/done`,
          'ftps.error.path': `${path}/bad`,
          'ftps.cleanup.policy': 'MOVE',
          'ftps.schemaless.json.parsing': 'true',
          'empty.poll.wait.ms': '5',
          'batch.size': '3',
          // Those who end in the middle leave their leases behind.
          'lease.timeout.ms': '1000',
        },
        async produce(events) {
          const lines = events.map(({ id, payload }) => `${JSON.stringify({ id, payload })}\n`).join('')
          await writeFile(join(folder, 'new'), lines)
          await rename(join(folder, 'new'), join(folder, 'in', `f${files++}.json`))
        },
        ...throughGate(gate),
      }
    },
    notApplicable: {
      tombstones: 'lines of a file are not removed',
      'schema-evolution': 'objects as text have no schema',
    },
  })
})
