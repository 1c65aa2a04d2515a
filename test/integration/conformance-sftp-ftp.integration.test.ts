// The acceptance suite for authors, over the sources of files on SFTP and FTP servers, and SpoolDirSink there.
import { chmod, mkdir, readdir, readFile, rename, rm, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import type { RawConfig, SourceConnector } from '@millrace/sdk'
import { describeSink, describeSource } from '@millrace/testkit'
import { afterAll, beforeAll, describe } from 'vitest'
import ftpSource from '../../connectors/spooldir/ftp-source.ts'
import {
  ftpManifest,
  sftpBinaryManifest,
  sftpCsvManifest,
  sftpGenericManifest,
  sftpJsonManifest,
  sftpSchemalessJsonManifest,
  sinkManifest,
} from '../../connectors/spooldir/manifest.ts'
import {
  sftpBinarySource,
  sftpCsvSource,
  sftpGenericSource,
  sftpJsonSource,
  sftpSchemalessJsonSource,
} from '../../connectors/spooldir/sftp-sources.ts'
import sink from '../../connectors/spooldir/sink.ts'
import {
  type FileServer,
  fileServerMissing,
  type FtpServer,
  type SftpServer,
  startFtpServer,
  startSftpServer,
} from '../services/file-servers.ts'
import { connector, type Gate, startGate, throughGate } from './support/conformance.ts'
import {
  binaryFile,
  csvFile,
  eventsIn,
  type FileReader,
  generated,
  jsonFile,
  READS,
  shapeless,
} from './support/event-files.ts'

const limits = { events: 3, kills: 2, starts: 10, floodEvents: 300 }
let folders = 0

/** New folders on a server, which everybody may write to: its own user is another one. */
async function foldersOn(
  { folder, path }: FileServer,
  names: readonly string[],
): Promise<{ readonly here: string; readonly there: string }> {
  const name = `check${++folders}`
  for (const each of ['', ...names]) {
    await mkdir(join(folder, name, each))
    await chmod(join(folder, name, each), 0o777)
  }
  return { here: join(folder, name), there: `${path}/${name}` }
}

/** What a session of a task that was ended in the middle still does, it does to files that go away. */
const removed = (folder: string): Promise<void> => rm(folder, { recursive: true, force: true, maxRetries: 10 })

const readers: readonly FileReader[] = [
  {
    source: sftpGenericSource,
    manifest: sftpGenericManifest,
    module: 'sftp-sources.ts#sftpGenericSource',
    write: csvFile,
    config: { ...generated, 'input.file.parser.format': 'CSV', 'csv.first.row.as.header': 'true' },
  },
  {
    source: sftpCsvSource,
    manifest: sftpCsvManifest,
    module: 'sftp-sources.ts#sftpCsvSource',
    write: csvFile,
    config: { ...generated, 'csv.first.row.as.header': 'true' },
  },
  {
    source: sftpJsonSource,
    manifest: sftpJsonManifest,
    module: 'sftp-sources.ts#sftpJsonSource',
    write: jsonFile,
    config: generated,
  },
  {
    source: sftpSchemalessJsonSource,
    manifest: sftpSchemalessJsonManifest,
    module: 'sftp-sources.ts#sftpSchemalessJsonSource',
    write: jsonFile,
    shapeless,
  },
  {
    source: sftpBinarySource,
    manifest: sftpBinaryManifest,
    module: 'sftp-sources.ts#sftpBinarySource',
    write: binaryFile,
    shapeless,
    isFileRecord: true,
  },
]

describe.skipIf(fileServerMissing('sftp') !== null)('files by SFTP', () => {
  let server: SftpServer
  let gate: Gate

  beforeAll(async () => {
    server = await startSftpServer()
    gate = await startGate(server.port)
  })
  afterAll(async () => {
    await gate?.shut()
    await server?.stop()
  })

  const place = (): RawConfig => ({
    'sftp.host': '127.0.0.1',
    'sftp.port': String(gate.port),
    'sftp.username': server.username,
    'tls.pemfile': server.privateKey,
    'sftp.host.fingerprint': server.fingerprint,
  })

  for (const reader of readers) {
    const { source, manifest, module, config, shapeless: why } = reader
    describeSource(source as SourceConnector, {
      manifest,
      module: connector(`spooldir/${module}`),
      // To agree on keys takes much of a processor, and what reads the files is looked at with those of the disk.
      limits: { ...limits, events: 2, kills: 1, starts: 6 },
      async open() {
        const { here, there } = await foldersOn(server, ['in', 'done', 'bad'])
        return {
          config: {
            ...place(),
            'kafka.topic': 'files',
            'input.path': `${there}/in`,
            'finished.path': `${there}/done`,
            'error.path': `${there}/bad`,
            ...READS,
            ...config,
          },
          ...eventsIn(here, reader),
          ...throughGate(gate),
          close: () => removed(here),
        }
      },
      notApplicable: {
        tombstones: 'lines of a file are not removed',
        ...(why === undefined ? {} : { 'schema-evolution': why }),
      },
    })
  }

  sinkOf(
    () => server,
    () => ({ 'file.system': 'sftp', ...place() }),
    () => gate,
  )
})

describe.skipIf(fileServerMissing('ftp') !== null)('files by FTP', () => {
  let server: FtpServer
  let gate: Gate

  beforeAll(async () => {
    server = await startFtpServer()
    gate = await startGate(server.port)
  })
  afterAll(async () => {
    await gate?.shut()
    await server?.stop()
  })

  describeSource(ftpSource, {
    manifest: ftpManifest,
    module: connector('spooldir/ftp-source.ts'),
    limits,
    async open() {
      const { here, there } = await foldersOn(server, [])
      let files = 0
      return {
        config: {
          'connect.ftp.address': `localhost:${gate.port}`,
          'connect.ftp.user': 'anonymous',
          'connect.ftp.password': 'guest',
          'connect.ftp.refresh': 'PT0.01S',
          'connect.ftp.max.backoff': 'PT0.05S',
          'connect.ftp.file.maxage': 'P1D',
          'connect.ftp.monitor.update': `${there}/:files`,
          'connect.ftp.max.poll.records': '2',
        },
        async produce(events) {
          for (const event of events) {
            const name = `${String(files++).padStart(5, '0')}.data`
            await writeFile(join(here, `.${name}`), binaryFile([event], false))
            await rename(join(here, `.${name}`), join(here, name))
          }
        },
        ...throughGate(gate),
        close: () => removed(here),
      }
    },
    notApplicable: {
      tombstones: 'files that are gone are forgotten',
      'schema-evolution': 'records are bytes',
    },
  })

  sinkOf(
    () => server,
    () => ({ 'file.system': 'ftp', 'ftp.host': '127.0.0.1', 'ftp.port': String(gate.port) }),
    () => gate,
  )
})

/** The sink of files on a server. */
function sinkOf(server: () => FileServer, place: () => RawConfig, gate: () => Gate): void {
  describeSink(sink, {
    manifest: sinkManifest,
    module: connector('spooldir/sink.ts'),
    limits,
    ordered: false,
    async open() {
      const { here, there } = await foldersOn(server(), ['out'])
      const lines = async (): Promise<string[]> => {
        const names = (await readdir(join(here, 'out'))).filter((name) => name.endsWith('.json')).toSorted()
        const texts = await Promise.all(names.map((name) => readFile(join(here, 'out', name), 'utf8')))
        return texts.flatMap((text) => text.split('\n').slice(0, -1))
      }
      return {
        config: {
          ...place(),
          'output.path': `${there}/out`,
          'output.format': 'json',
          'flush.size': '2',
          'rotate.interval.ms': '20',
        },
        read: lines,
        ...throughGate(gate()),
        close: () => removed(here),
      }
    },
    notApplicable: { 'bad-records': 'every value can be written as JSON' },
  })
}
