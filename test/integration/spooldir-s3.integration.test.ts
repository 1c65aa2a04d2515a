// Files in a bucket: what the file system promises, leases of two connectors, and rows under kills of hosts and the server.
import { randomBytes } from 'node:crypto'
import { GetObjectCommand, ListObjectsV2Command, PutObjectCommand } from '@aws-sdk/client-s3'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { type FileSystem, S3FileSystem } from '../../connectors/_shared/file-source/index.ts'
import { Leases } from '../../connectors/_shared/file-source/lease.ts'
import { storeSettings } from '../../connectors/_shared/s3/index.ts'
import { ObjectStore } from '../../connectors/_shared/s3/object-store.ts'
import parquetSource from '../../connectors/spooldir/parquet-source.ts'
import sink from '../../connectors/spooldir/sink.ts'
import { avroFormat, parquetFormat } from '../../connectors/_shared/formats/index.ts'
import { parseConfigOrThrow, schemas, struct } from '@millrace/sdk'
import { type S3Server, s3Missing, startS3 } from '../services/s3.ts'
import { connectionOf } from './support/s3-tasks.ts'
import { openSourceTask, takeRecords } from './support/task-contract.ts'
import { readTopic } from './support/topic-values.ts'
import { useWorker } from './support/worker-hooks.ts'
import { until } from './worker-harness.ts'

const missing = s3Missing()
const ROWS = 5000
const FILES_A_KILL = 2

describe.skipIf(missing !== null)('a bucket', () => {
  let server: S3Server
  let system: FileSystem
  const place = () => ({ ...connectionOf(server), 'file.system': 's3' })
  const folders = (name: string) => ({
    'input.path': `${name}/in`,
    'finished.path': `${name}/finished`,
    'error.path': `${name}/error`,
    'input.file.pattern': '.*',
    'empty.poll.wait.ms': '20',
  })
  const settings = () =>
    storeSettings(
      parseConfigOrThrow(parquetSource.config, { topic: 't', ...folders('settings'), ...place() } as Record<
        string,
        string
      >),
    )

  async function put(key: string, bytes: Uint8Array | string): Promise<void> {
    await server.client.send(new PutObjectCommand({ Bucket: server.bucket, Key: key, Body: Buffer.from(bytes) }))
  }
  async function keys(prefix: string): Promise<string[]> {
    const { Contents = [] } = await server.client.send(
      new ListObjectsV2Command({ Bucket: server.bucket, Prefix: prefix }),
    )
    return Contents.map(({ Key = '' }) => Key)
  }

  beforeAll(async () => {
    server = await startS3()
    system = await S3FileSystem.connect(settings())
  })
  afterAll(async () => {
    await system?.close()
    await server?.stop()
  })

  test('lists what is in a folder, and what is below it when asked', async () => {
    await put('list/a b.txt', 'four')
    await put('list/sub/ü+.txt', '')
    expect((await system.list('list', false)).map(({ path, length }) => [path, length])).toEqual([['a b.txt', 4]])
    expect((await system.list('/list/', true)).map(({ path }) => path).toSorted()).toEqual(['a b.txt', 'sub/ü+.txt'])
    const [listed] = await system.list('list', false)
    expect(await system.stat('list/a b.txt')).toEqual({ ...listed, path: 'list/a b.txt' })
    expect(await system.stat('list/none')).toBeNull()
    expect(await system.list('nowhere', true)).toEqual([])
  })

  test('reads from a byte on, up to the end and behind it', async () => {
    const content = randomBytes(700_000)
    await put('large.bin', content)
    for (const position of [0, 123_456, content.length]) {
      const stream = await system.open('large.bin', position)
      const chunks: Buffer[] = []
      for (let chunk = await stream.next(); chunk !== null; chunk = await stream.next()) chunks.push(Buffer.from(chunk))
      await stream.close()
      expect(Buffer.concat(chunks).equals(content.subarray(position))).toBe(true)
    }
    expect(await system.read('none')).toBeNull()
    await expect(system.open('none', 0)).rejects.toThrow('there is no none')
  })

  test('writes only what is new, and replaces only what it knows', async () => {
    expect(await system.write('w', Buffer.from('1'), 'new')).toBe(true)
    expect(await system.write('w', Buffer.from('2'), 'new')).toBe(false)
    expect(await system.write('w', Buffer.from('3'), 'replace')).toBe(true)
    await put('w', 'of another')
    expect(await system.write('w', Buffer.from('4'), 'replace')).toBe(false)
    expect(String(await system.read('w'))).toBe('of another')
    expect(await system.write('w', Buffer.from('5'), 'replace')).toBe(true)
    await system.remove('w')
    await system.remove('w')
    expect(await system.stat('w')).toBeNull()
  })

  test('stores a file whole, in parts when it is large, in place of what is there', async () => {
    const content = randomBytes(6 * 1024 * 1024)
    for (const bytes of [content, content.subarray(0, 10), Buffer.alloc(0)]) {
      await system.store('/stored/ü', {
        size: bytes.length,
        read: async (start, end) => bytes.subarray(start, end),
      })
      expect((await system.read('stored/ü'))?.equals(bytes)).toBe(true)
    }
    expect(await keys('stored/')).toEqual(['stored/ü'])
  })

  test('of two that take over a lease that is over at the same time one gets it', async () => {
    let nowMs = 0
    const systems = await Promise.all([1, 2, 3].map(() => S3FileSystem.connect(settings())))
    const leases = ['first', 'second', 'dead'].map(
      (owner, index) =>
        new Leases({
          fileSystem: async () => systems[index] as FileSystem,
          folder: 'leases',
          extension: '.PROCESSING',
          owner,
          timeoutMs: 1000,
          nowMs: () => nowMs,
        }),
    )
    const [first, second, dead] = leases as [Leases, Leases, Leases]
    expect(await dead.take('a')).toBe(true)
    expect(await Promise.all([first.take('a'), second.take('a')])).toEqual([false, false])
    nowMs = 1001
    const taken = await Promise.all([first.take('a'), second.take('a')])
    expect(taken.filter(Boolean)).toHaveLength(1)
    // Whoever it was taken from ends it no more.
    await dead.renew()
    await dead.releaseAll()
    expect(await keys('leases/')).toEqual(['leases/a.PROCESSING'])
    await first.releaseAll()
    await second.releaseAll()
    expect(await keys('leases/')).toEqual([])
    for (const each of systems) await each.close()
  })

  test('moves by a copy and a deletion, in parts when the object is large', async () => {
    const content = randomBytes(6 * 1024 * 1024)
    await put('from/ä b.bin', content)
    await system.move('from/ä b.bin', 'to/ä b.bin')
    expect([await system.stat('from/ä b.bin'), (await system.stat('to/ä b.bin'))?.length]).toEqual([
      null,
      content.length,
    ])
    const store = new ObjectStore(settings())
    await store.copy('to/ä b.bin', 'to/parts', content.length, { once: 1, part: 5 * 1024 * 1024 })
    store.close()
    const { Body } = await server.client.send(new GetObjectCommand({ Bucket: server.bucket, Key: 'to/parts' }))
    expect(Buffer.from((await Body?.transformToByteArray()) ?? []).equals(content)).toBe(true)
  })

  test('a bucket that is not there, and keys that do not fit, are told by name', async () => {
    const issues = async (changes: Record<string, string>): Promise<string[]> => {
      const raw = { topic: 't', ...folders('checked'), ...place(), ...changes } as Record<string, string>
      const config = parseConfigOrThrow(parquetSource.config, raw)
      return ((await parquetSource.validate?.(config, raw)) ?? []).map(({ key }) => key)
    }
    expect(await issues({})).toEqual([])
    expect(await issues({ 's3.bucket.name': 'no-such-bucket' })).toEqual(['s3.bucket.name'])
    expect(await issues({ 'aws.secret.access.key': 'wrong' })).toEqual(['aws.access.key.id'])
    const raw = { ...place(), 'output.path': 'checked', 's3.bucket.name': 'no-such-bucket' } as Record<string, string>
    const ofSink = await sink.validate?.(parseConfigOrThrow(sink.config, raw), raw)
    expect(ofSink?.map(({ key }) => key)).toEqual(['s3.bucket.name'])
  })

  test('a Parquet file is read in its parts', async () => {
    const schema = struct({ n: schemas.int32 })
    const writer = parquetFormat('snappy').create(schema)
    for (let n = 0; n < 12_000; n++) writer.add(schema, { n })
    await put('parquet/in/a.parquet', writer.finish())
    const raw = { topic: 't', ...folders('parquet'), ...place() } as Record<string, string>
    const { task, lines } = await openSourceTask(parquetSource, raw, { get: () => null }, { connectorName: 'parquet' })
    const poll = async () => ((await task.poll(new AbortController().signal)) ?? []) as never[]
    const records = await takeRecords(12_000, poll, lines)
    expect(records.map(({ value }) => (value as { n: number }).n)).toEqual(records.map((_, n) => n))
    await task.stop?.()
  })

  describe('on a real worker', () => {
    const runtime = useWorker()

    test('every row of Avro files arrives, in order, through kills of hosts and of the server', async () => {
      const schema = struct({ file: schemas.int32, row: schemas.int32, text: schemas.string })
      const content = (file: number): Buffer => {
        const writer = avroFormat('deflate').create(schema)
        const parts: Uint8Array[] = []
        for (let row = 0; row < ROWS; row++) {
          writer.add(schema, { file, row, text: 'ü'.repeat(row % 40) })
          if (row % 500 === 499) parts.push(writer.take())
        }
        return Buffer.concat([...parts, writer.finish()])
      }
      await runtime.worker.create(
        {
          name: 'avro-files',
          'connector.class': 'com.github.jcustenborder.kafka.connect.spooldir.SpoolDirAvroSourceConnector',
          topic: 'avro-rows',
          ...folders('avro'),
          ...place(),
          'batch.size': '50',
          'restart.policy': 'always',
          'restart.backoff.ms': '10',
          'restart.max.attempts': '1000',
          'value.converter': 'org.apache.kafka.connect.json.JsonConverter',
          'value.converter.schemas.enable': 'false',
        },
        2,
      )
      const reader = readTopic(runtime.broker, 'avro-rows')
      const kills = ['hosts', 'server', 'hosts'] as const
      let files = 0
      for (const kill of kills) {
        const before = (await reader.read()).length
        // Files for each kill, so that there is something to read when it comes.
        for (let index = 0; index < FILES_A_KILL; index++) await put(`avro/in/${files}.avro`, content(files++))
        await until('rows arrive', async () => (await reader.read()).length > before)
        if (kill === 'server' && server.keepsObjects) {
          await server.kill()
          await server.restart()
        } else runtime.worker.killHosts()
      }
      await until('all files are put away', async () => (await keys('avro/in/')).length === 0)
      expect(await keys('avro/error/')).toEqual([])
      // A kill between a copy and the end of what was copied leaves a second copy.
      const away = new Set((await keys('avro/finished/')).map((key) => key.replace(/\.avro\.\d+$/, '.avro')))
      expect(away.size).toBe(files)
      const seen = new Map<number, Set<number>>()
      for (const { value } of await reader.read()) {
        const { file, row } = JSON.parse(String(value)) as { file: number; row: number }
        const rows = seen.get(file) ?? new Set()
        seen.set(file, rows)
        // What comes again after a kill was there before; nothing new is ever ahead of what is missing.
        if (!rows.has(row)) expect(row).toBe(rows.size)
        rows.add(row)
      }
      for (let file = 0; file < files; file++) expect(seen.get(file)?.size).toBe(ROWS)
      await reader.close()
    })
  })
})
