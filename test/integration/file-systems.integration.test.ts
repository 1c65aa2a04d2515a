// One set of rules for all places where files can be: the disk, and real SFTP and FTP servers.
import { randomBytes } from 'node:crypto'
import { mkdir, mkdtemp, readFile, rm, stat, utimes, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { parseConfigOrThrow } from '@millrace/sdk'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { type FileSystem, joinPath, LocalFileSystem } from '../../connectors/_shared/file-source/index.ts'
import { connectTo } from '../../connectors/spooldir/connect.ts'
import { linesConfig } from '../../connectors/spooldir/config.ts'
import { folderProblem } from '../../connectors/spooldir/folders.ts'
import { type FileServer, fileServerMissing, startFtpServer, startSftpServer } from '../services/file-servers.ts'

const warnings: string[] = []
const logger = { debug() {}, info() {}, warn: (_: object, message: string) => void warnings.push(message), error() {} }
const CHUNK = 70_000

const contentOf = (bytes: Buffer) => ({
  size: bytes.length,
  read: async (start: number, end: number) => bytes.subarray(start, end),
})

interface Place {
  readonly folder: string
  readonly path: string
  connect(changes?: Record<string, string>): Promise<FileSystem>
  readonly server?: FileServer
  stop(): Promise<void>
}

const remote = (server: FileServer, options: Record<string, string>): Place => ({
  folder: server.folder,
  path: server.path,
  server,
  connect: (changes = {}) => {
    const places = { topic: 't', 'input.path': '/', 'error.path': '/', 'input.file.pattern': '.*' }
    const raw = { ...places, 'file.buffer.size.bytes': String(CHUNK), ...options, ...changes }
    return connectTo(parseConfigOrThrow(linesConfig, raw), logger)
  },
  stop: () => server.stop(),
})

const kinds: readonly { name: string; missing: string | null; start(): Promise<Place> }[] = [
  {
    name: 'local',
    missing: null,
    async start() {
      const folder = await mkdtemp(join(tmpdir(), 'millrace-files-'))
      const connect = async () => new LocalFileSystem(CHUNK)
      return { folder, path: folder, connect, stop: () => rm(folder, { recursive: true }) }
    },
  },
  {
    name: 'sftp',
    missing: fileServerMissing('sftp'),
    async start() {
      const server = await startSftpServer()
      return remote(server, {
        'file.system': 'sftp',
        'sftp.host': '127.0.0.1',
        'sftp.port': String(server.port),
        'sftp.username': server.username,
        'tls.pemfile': server.privateKey,
        'sftp.host.fingerprint': server.fingerprint,
      })
    },
  },
  ...(['ftp', 'ftps'] as const).map((kind) => ({
    name: kind,
    missing: fileServerMissing('ftp'),
    async start() {
      const server = await startFtpServer()
      return remote(server, {
        'file.system': kind,
        'ftp.host': 'localhost',
        'ftp.port': String(server.port),
        'ftp.tls.ca': server.certificate,
      })
    },
  })),
]

describe.each(kinds)('$name', ({ missing, start }) => {
  let place: Place
  let system: FileSystem
  const at = (path: string): string => joinPath(place.path, path)
  const it = test.skipIf(missing !== null)

  beforeAll(async () => {
    if (missing !== null) return
    place = await start()
    system = await place.connect()
  })
  afterAll(async () => {
    await system?.close()
    await place?.stop()
  })

  async function bytesFrom(path: string, position: number): Promise<Buffer> {
    const stream = await system.open(at(path), position)
    const chunks: Buffer[] = []
    for (let chunk = await stream.next(); chunk !== null; chunk = await stream.next()) chunks.push(Buffer.from(chunk))
    await stream.close()
    return Buffer.concat(chunks)
  }

  it('lists files with length and time, those in folders when asked', async () => {
    await mkdir(join(place.folder, 'list/sub'), { recursive: true })
    await writeFile(join(place.folder, 'list/a b.txt'), 'four')
    await writeFile(join(place.folder, 'list/sub/ü.txt'), '')
    await utimes(join(place.folder, 'list/a b.txt'), 1_700_000_000, 1_700_000_000)
    const file = { path: 'a b.txt', length: 4, modifiedMs: 1_700_000_000_000 }
    expect(await system.list(at('list'), false)).toEqual([file])
    const all = await system.list(at('list'), true)
    expect(all.map(({ path }) => path).toSorted()).toEqual(['a b.txt', 'sub/ü.txt'])
    expect(await system.stat(at('list/a b.txt'))).toEqual({ ...file, path: at('list/a b.txt') })
    expect(await system.stat(at('list/none'))).toBeNull()
    expect(await system.stat(at('list/sub'))).toBeNull()
    await expect(system.list(at('nowhere'), false)).rejects.toThrow()
  })

  it('reads a file from a position on, and while it reads does other things', async () => {
    const content = randomBytes(300_000)
    await writeFile(join(place.folder, 'large.bin'), content)
    expect((await bytesFrom('large.bin', 0)).equals(content)).toBe(true)
    expect((await bytesFrom('large.bin', 123_456)).equals(content.subarray(123_456))).toBe(true)
    const stream = await system.open(at('large.bin'), 0)
    expect((await stream.next())?.length).toBeGreaterThan(0)
    expect(await system.read(at('none'))).toBeNull()
    expect((await system.read(at('large.bin')))?.length).toBe(content.length)
    await stream.close()
    await expect(system.open(at('none'), 0).then((opened) => opened.next())).rejects.toThrow()
  })

  it('writes new files, replaces and appends', async () => {
    expect(await system.write(at('w'), Buffer.from('1'), 'new')).toBe(true)
    expect(await system.write(at('w'), Buffer.from('2'), 'new')).toBe(false)
    expect(String(await system.read(at('w')))).toBe('1')
    await system.write(at('w'), Buffer.from('3'), 'replace')
    await system.write(at('w'), Buffer.from('4'), 'append')
    await system.write(at('v'), Buffer.from('5'), 'append')
    expect(String(await system.read(at('w')))).toBe('34')
    expect(String(await system.read(at('v')))).toBe('5')
  })

  it('stores a file whole, in place of what is there and of what a crash left of it', async () => {
    const content = randomBytes(400_000)
    await writeFile(join(place.folder, 's'), 'old')
    await system.write(at('.s.part'), randomBytes(500_000), 'new')
    for (const bytes of [content, content.subarray(0, 10)]) {
      await system.store(at('s'), contentOf(bytes))
      expect((await readFile(join(place.folder, 's'))).equals(bytes)).toBe(true)
    }
    expect(await system.stat(at('.s.part'))).toBeNull()
    await expect(system.store(at('none/s'), contentOf(content))).rejects.toThrow()
  })

  it('stores nothing of a file under its name when the server goes in the middle', async () => {
    const { server } = place
    if (server === undefined) return
    const other = await place.connect()
    const bytes = randomBytes(3_000_000)
    await writeFile(join(place.folder, 'kept'), 'old')
    const storing = other.store(at('kept'), {
      size: bytes.length,
      async read(start, end) {
        if (start > 1_000_000) await server.kill()
        return bytes.subarray(start, end)
      },
    })
    await expect(storing).rejects.toMatchObject({ retriable: true })
    await other.close()
    await server.start()
    system = await place.connect()
    expect(String(await system.read(at('kept')))).toBe('old')
    await system.store(at('kept'), contentOf(bytes))
    expect((await readFile(join(place.folder, 'kept'))).equals(bytes)).toBe(true)
  })

  it('makes the same folders at the same time as others', async () => {
    const others = await Promise.all([place.connect(), place.connect()])
    const folders = ['deep/in/the/same', 'deep/in/the/same', 'deep/in/another', 'deep/in/the/last']
    const makeAll = async (each: FileSystem): Promise<void> => {
      for (const folder of folders) await each.makeFolder(at(folder))
    }
    await Promise.all([system, ...others].map(makeAll))
    for (const folder of folders) expect((await stat(join(place.folder, folder))).isDirectory()).toBe(true)
    for (const other of others) await other.close()
  })

  it('moves into folders that it makes, removes files, and folders that are empty', async () => {
    await writeFile(join(place.folder, 'm'), 'x')
    await system.makeFolder(at('to/the'))
    await system.makeFolder(at('to/the'))
    await system.move(at('m'), at('to/the/m'))
    expect((await stat(join(place.folder, 'to/the/m'))).size).toBe(1)
    expect(await system.removeEmptyFolder(at('to/the'))).toBe(false)
    await system.remove(at('to/the/m'))
    await system.remove(at('to/the/m'))
    expect(await system.removeEmptyFolder(at('to/the'))).toBe(true)
    expect(await system.list(at('to'), true)).toEqual([])
  })

  it('says that it may be tried again when the server is away', async () => {
    const { server } = place
    if (server === undefined) return
    await writeFile(join(place.folder, 'long.bin'), randomBytes(20_000_000))
    const other = await place.connect()
    const stream = await other.open(at('long.bin'), 0)
    await stream.next()
    await server.kill()
    const readAll = async (): Promise<void> => {
      while ((await stream.next()) !== null);
    }
    await expect(readAll()).rejects.toMatchObject({ retriable: true })
    await expect(other.list(at('list'), false)).rejects.toMatchObject({ retriable: true })
    await expect(place.connect()).rejects.toMatchObject({ retriable: true })
    await stream.close()
    await other.close()
    await server.start()
    system = await place.connect()
    expect((await system.list(place.path, false)).length).toBeGreaterThan(0)
  })
})

test.skipIf(fileServerMissing('ftp') !== null)('a folder by FTP with TLS is tried with a file', async () => {
  const place = await (kinds.find(({ name }) => name === 'ftps') as (typeof kinds)[number]).start()
  // Each time anew: vsftpd would refuse three of four files without a byte.
  for (let time = 0; time < 8; time++) {
    const system = await place.connect()
    expect(await folderProblem(system, place.path, true)).toBeUndefined()
    await system.close()
  }
  await place.stop()
})

test.skipIf(fileServerMissing('sftp') !== null)('a login or a server that is wrong is an error for good', async () => {
  const place = await (kinds.find(({ name }) => name === 'sftp') as (typeof kinds)[number]).start()
  const wrongKey = `SHA256:${'A'.repeat(43)}`
  const attempts = [
    [{ 'sftp.username': 'nobody-of-that-name' }, /authentication/],
    [{ 'sftp.host.fingerprint': wrongKey }, new RegExp(`SHA256:.* and sftp.host.fingerprint is ${wrongKey}`)],
    [{ 'tls.pemfile': '/no/such/file' }, /neither PEM text nor a file/],
  ] as const
  for (const [changes, message] of attempts) {
    const failure = place.connect(changes)
    await expect(failure).rejects.toThrow(message)
    await expect(failure).rejects.toMatchObject({ retriable: false })
  }
  await (await place.connect({ 'sftp.host.fingerprint': '' })).close()
  expect(warnings.at(-1)).toContain('sftp.host.fingerprint')
  await place.stop()
})
