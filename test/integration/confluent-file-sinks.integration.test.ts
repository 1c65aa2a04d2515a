// Confluent's sinks of files on servers, with the JSON of their originals, on OpenSSH and vsftpd.
import { mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { gunzipSync } from 'node:zlib'
import {
  isRetriable,
  parseConfig,
  parseConfigOrThrow,
  type SinkConnector,
  type SinkRecord,
  schemas,
  struct,
} from '@millrace/sdk'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { readAvro, readParquet } from '../../connectors/_shared/formats/index.ts'
import ftpsSink from '../../connectors/spooldir/confluent/ftps-sink.ts'
import sftpSink from '../../connectors/spooldir/confluent/sftp-sink.ts'
import {
  fileServerMissing,
  type FtpServer,
  type SftpServer,
  startFtpServer,
  startSftpServer,
} from '../services/file-servers.ts'
import { type Raw, recordAt, startSinkTask } from './support/task-contract.ts'
import { until } from './worker-harness.ts'

interface Kind {
  readonly name: string
  readonly missing: string | null
  readonly sink: SinkConnector<any>
  start(): Promise<Place>
}

interface Place {
  readonly folder: string
  /** Where files are below the folder. */
  readonly topics: string
  readonly config: Raw
  kill(): Promise<void>
  start(): Promise<void>
  stop(): Promise<void>
}

/** The example of a connector, with a server of the test instead of the one that it names. */
async function example(name: string, server: Raw): Promise<Raw> {
  const url = new URL(`../../connectors/spooldir/examples/${name}.json`, import.meta.url)
  const { config } = JSON.parse(await readFile(url, 'utf8')) as { config: Raw }
  return { ...config, ...server }
}

const kinds: readonly Kind[] = [
  {
    name: 'SftpSink',
    missing: fileServerMissing('sftp'),
    sink: sftpSink,
    async start() {
      const server: SftpServer = await startSftpServer()
      const config = await example('confluent-sftp-sink', {
        'sftp.host': '127.0.0.1',
        'sftp.port': String(server.port),
        'sftp.username': server.username,
        'tls.pemfile': server.privateKey,
        'sftp.host.fingerprint': server.fingerprint,
        'sftp.working.dir': server.path,
      })
      const { folder, kill, start, stop } = server
      return { folder, topics: 'topics/', config, kill, start, stop }
    },
  },
  {
    name: 'FtpsSink',
    missing: fileServerMissing('ftp'),
    sink: ftpsSink,
    async start() {
      const server: FtpServer = await startFtpServer()
      const config = await example('confluent-ftps-sink', {
        'ftps.host': 'localhost',
        'ftps.port': String(server.port),
        'ftps.username': 'anonymous',
        'ftps.password': 'guest',
        'ftps.ssl.truststore.location': server.certificateFile,
        'ftps.working.dir': server.path,
      })
      const { folder, kill, start, stop } = server
      return { folder, topics: '', config, kill, start, stop }
    },
  },
]

const PARQUET = { 'format.class': 'ParquetFormat', 'flush.size': '2' }
const value = struct({ id: schemas.int32, name: schemas.optional.string })

describe.each(kinds)('$name', ({ missing, sink, start }) => {
  let place: Place
  const it = test.skipIf(missing !== null)

  beforeAll(async () => {
    if (missing === null) place = await start()
  })
  afterAll(() => place?.stop())

  const records = (topic: string, rows: readonly Partial<SinkRecord>[]) =>
    rows.map((row, offset) => recordAt(topic, offset, row))
  const rows = (count: number) =>
    Array.from({ length: count }, (_, id) => ({ value: { id, name: `n${id}` }, valueSchema: value }))

  /** All files of a topic, below its folder. */
  async function filesOf(topic: string): Promise<readonly string[]> {
    const folder = join(place.folder, place.topics, topic)
    const found = await readdir(folder, { recursive: true, withFileTypes: true }).catch(() => [])
    const files = found.filter((entry) => entry.isFile())
    return files.map((entry) => join(entry.parentPath, entry.name).slice(folder.length + 1)).toSorted()
  }
  const read = (topic: string, file: string): Promise<Buffer> => readFile(join(place.folder, place.topics, topic, file))

  /** Stores records with an own task. Gives the offset that may be committed. */
  async function store(topic: string, given: readonly SinkRecord[], options: Raw): Promise<number | undefined> {
    const { task } = await startSinkTask(sink, { ...place.config, ...options }, { connectorName: 'c', hasQueue: false })
    await task.put(given)
    const [committed] = (await task.preCommit?.([{ topic, partition: 0, offset: given.length }])) ?? []
    await task.close?.([{ topic, partition: 0 }])
    await task.stop?.()
    return committed?.offset
  }

  it('runs the JSON of the original', async () => {
    const raw = place.config
    expect(parseConfig(sink.config, raw).issues).toEqual([])
    expect(await sink.validate?.(parseConfigOrThrow(sink.config, raw), raw)).toEqual([])
    expect(await store('orders', records('orders', rows(7)), { 'format.class': 'JsonFormat', 'flush.size': '3' })).toBe(
      6,
    )
    expect(await filesOf('orders')).toEqual([
      'partition=0/orders+0+0000000000.json',
      'partition=0/orders+0+0000000003.json',
    ])
    expect(String(await read('orders', 'partition=0/orders+0+0000000003.json'))).toBe(
      '{"id":3,"name":"n3"}\n{"id":4,"name":"n4"}\n{"id":5,"name":"n5"}\n',
    )
  })

  it.each([
    ['CsvFormat', '.csv', 'id,name\n0,n0\n1,n1\n'],
    ['TsvFormat', '.tsv', 'id\tname\n0\tn0\n1\tn1\n'],
    ['JsonFormat', '.json', '{"id":0,"name":"n0"}\n{"id":1,"name":"n1"}\n'],
  ])('%s, plain and compressed', async (format, ending, text) => {
    const options = { 'format.class': `io.example.${format}`, 'flush.size': '2' }
    await store(`${format}-plain`, records(`${format}-plain`, rows(2)), options)
    expect(String(await read(`${format}-plain`, `partition=0/${format}-plain+0+0000000000${ending}`))).toBe(text)
    const prefix = 'sftp.host' in place.config ? 'sftp' : 'ftps'
    await store(`${format}-gzip`, records(`${format}-gzip`, rows(2)), {
      ...options,
      [`${prefix}.compression.type`]: 'GZIP',
    })
    const packed = await read(`${format}-gzip`, `partition=0/${format}-gzip+0+0000000000${ending}.gz`)
    expect(String(gunzipSync(packed))).toBe(text)
  })

  it('Avro and Parquet, which readers give back as they were', async () => {
    const sourceOf = (bytes: Buffer) => ({
      size: bytes.length,
      read: async (from: number, to: number) => bytes.subarray(from, to),
    })
    await store('avro', records('avro', rows(2)), {
      'format.class': 'AvroFormat',
      'avro.codec': 'deflate',
      'flush.size': '2',
    })
    await store('parquet', records('parquet', rows(2)), PARQUET)
    for (const [topic, reader] of [
      ['avro', readAvro],
      ['parquet', readParquet],
    ] as const) {
      const [file = ''] = await filesOf(topic)
      const found: unknown[] = []
      for await (const values of reader(sourceOf(await read(topic, file)))) {
        found.push(...values.map((each) => each.value))
      }
      expect(found).toEqual([
        { id: 0, name: 'n0' },
        { id: 1, name: 'n1' },
      ])
    }
  })

  it('puts records into folders by field and by time', async () => {
    const colored = ['red', 'blue', 'red', 'blue'].map((color) => ({ value: { color } }))
    await store('colors', records('colors', colored), {
      'partitioner.class': 'io.confluent.connect.storage.partitioner.FieldPartitioner',
      'partition.field.name': 'color',
      'flush.size': '4',
    })
    expect(await filesOf('colors')).toEqual([
      'color=blue/colors+0+0000000001.json',
      'color=red/colors+0+0000000000.json',
    ])
    const hour = 3_600_000
    const timed = [0, 1, 2].map((index) => ({ value: { index }, timestamp: 1_700_000_000_000 + index * hour }))
    await store('hours', records('hours', timed), {
      'partitioner.class': 'io.confluent.connect.storage.partitioner.TimeBasedPartitioner',
      'partition.duration.ms': String(hour),
      'path.format': "'day'=dd/'hour'=HH",
      locale: 'en-US',
      timezone: 'UTC',
      'timestamp.extractor': 'Record',
      'rotate.interval.ms': String(hour),
      'flush.size': '100',
    })
    expect(await filesOf('hours')).toEqual([
      'day=14/hour=22/hours+0+0000000000.json',
      'day=14/hour=23/hours+0+0000000001.json',
    ])
  })

  it.each(['../../../out', 'a/../../out', 'a\r\nDELE b', '..\\out', 'a//b'])(
    'a record that would lead out of its folder, by %j, is a bad record',
    async (color) => {
      const options = {
        'partitioner.class': 'io.confluent.connect.storage.partitioner.FieldPartitioner',
        'partition.field.name': 'color',
        'flush.size': '1',
      }
      const { task, reported } = await startSinkTask(
        sink,
        { ...place.config, ...options },
        { connectorName: 'c', hasQueue: true },
      )
      await task.put(records('bad', [{ value: { color: `${color}/x` } }, { value: { color: 'b/c' } }]))
      await task.preCommit?.([{ topic: 'bad', partition: 0, offset: 2 }])
      await task.stop?.()
      expect(reported.map(({ record }) => record.offset)).toEqual([0])
      const [file] = (await filesOf('bad')).filter((path) => path.startsWith('color=b/c/'))
      expect(file).toBe('color=b/c/bad+0+0000000001.json')
      expect(await readdir(place.folder)).not.toContain('out')
    },
  )

  it('ends files by the clock where records have no time of their own', async () => {
    const options = { ...place.config, 'rotate.interval.ms': '1', 'flush.size': '100' }
    const { task } = await startSinkTask(sink, options, { connectorName: 'c', hasQueue: false })
    // One record: with a millisecond between two of them each would have a file.
    await task.put(records('slow', rows(1)))
    await until('the file is there', async () => {
      await task.put([])
      await task.preCommit?.([{ topic: 'slow', partition: 0, offset: 1 }])
      return (await filesOf('slow')).length === 1
    })
    await task.stop?.()
  })

  it('writes the same files again after a crash, and nothing beside them', async () => {
    const given = records('again', rows(5))
    const options = { 'flush.size': '2', 'file.buffer.size.bytes': '1' }
    for (const count of [3, 5, 5]) await store('again', given.slice(0, count), options)
    expect(await filesOf('again')).toEqual([
      'partition=0/again+0+0000000000.json',
      'partition=0/again+0+0000000002.json',
    ])
    expect(String(await read('again', 'partition=0/again+0+0000000002.json'))).toContain('"id":3')
  })

  it('waits for a server that is away, and stores what waited', async () => {
    const options = { ...place.config, 'flush.size': '2', 'retry.backoff.ms': '100' }
    const { task } = await startSinkTask(sink, options, { connectorName: 'c', hasQueue: false })
    await task.put(records('away', rows(2)))
    await task.preCommit?.([{ topic: 'away', partition: 0, offset: 2 }])
    await place.kill()
    const all = records('away', rows(4)).slice(2)
    await task.put(all)
    expect(await task.preCommit?.([{ topic: 'away', partition: 0, offset: 4 }])).toMatchObject([{ offset: 2 }])
    // Between two attempts, or while one of them is made, put takes what comes.
    await until('put says that the server is away', async () => {
      const error: unknown = await Promise.resolve()
        .then(() => task.put([]))
        .catch((reason: unknown) => reason)
      await task.preCommit?.([{ topic: 'away', partition: 0, offset: 4 }])
      return isRetriable(error)
    })
    await place.start()
    await until('all is stored', async () => {
      await Promise.resolve()
        .then(() => task.put([]))
        .catch(() => undefined)
      const [committed] = (await task.preCommit?.([{ topic: 'away', partition: 0, offset: 4 }])) ?? []
      return committed?.offset === 4
    })
    expect(await filesOf('away')).toHaveLength(2)
    await task.stop?.()
  })

  it('a record without a value fails the task, or is left out', async () => {
    const given = records('nulls', [...rows(1), { value: null }, ...rows(1)])
    await expect(store('nulls', given, {})).rejects.toThrow(/behavior\.on\.null\.values/)
    expect(await store('nulls', given, { 'behavior.on.null.values': 'ignore', 'flush.size': '2' })).toBe(3)
    expect(await filesOf('nulls')).toEqual(['partition=0/nulls+0+0000000000.json'])
  })

  it('tells by name what is not possible, and what is wrong with the folder', async () => {
    const issues = async (changes: Raw) => {
      const raw = { ...place.config, ...changes }
      const found = [...((await sink.validate?.(parseConfigOrThrow(sink.config, raw), raw)) ?? [])]
      return found.map(({ key }) => key)
    }
    const folderKey = 'sftp.working.dir' in place.config ? 'sftp.working.dir' : 'ftps.working.dir'
    expect(await issues({ [folderKey]: `${place.config[folderKey]}/none` })).toEqual([folderKey])
    expect(await issues({ 'storage.class': 'com.example.Own' })).toEqual(['storage.class'])
    expect(await issues({ 'proxy.username': 'somebody' })).toEqual(['proxy.username'])
    const unknown = parseConfig(sink.config, { ...place.config, 'format.class': 'com.example.OwnFormat' })
    expect(unknown.issues.map(({ key }) => key)).toEqual(['format.class'])
  })
})

test.skipIf(fileServerMissing('ftp') !== null)(
  'stores of keys that are not in PEM form are refused with the reason',
  async () => {
    const folder = await mkdtemp(join(tmpdir(), 'millrace-stores-'))
    try {
      const key = 'ftps.ssl.truststore.location'
      const raw = {
        ...(await example('confluent-ftps-sink', { 'ftps.host': '127.0.0.1', 'ftps.port': '1' })),
        'ftps.ssl.provider': 'SunJSSE',
      }
      const issuesOf = async (path: string) => {
        const config = parseConfigOrThrow(ftpsSink.config, { ...raw, [key]: path })
        return (await ftpsSink.validate?.(config, raw)) ?? []
      }
      const files: readonly (readonly [string, Buffer, RegExp])[] = [
        ['java.jks', Buffer.from('feedfeed00000002', 'hex'), /Java key store/],
        ['java.p12', Buffer.from('308201', 'hex'), /openssl pkcs12/],
      ]
      for (const [name, bytes, message] of files) {
        const path = join(folder, name)
        await writeFile(path, bytes)
        const found = await issuesOf(path)
        expect(found.map((issue) => issue.key)).toEqual(['ftps.ssl.provider', key])
        expect(found[1]?.message).toMatch(message)
      }
      expect((await issuesOf(join(folder, 'none')))[1]?.message).toMatch(/cannot be read/)
    } finally {
      await rm(folder, { recursive: true })
    }
  },
)
