import { GetObjectTaggingCommand } from '@aws-sdk/client-s3'
import { parseConfigOrThrow, schemas, struct } from '@millrace/sdk'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { readAvro, readParquet } from '../../connectors/_shared/formats/index.ts'
import sink from '../../connectors/s3/sink.ts'
import { type S3Server, s3Missing, startS3 } from '../services/s3.ts'
import { bytesOf, connectionOf, jsonOf, keysOf, sinkRecord, startSink } from './support/s3-tasks.ts'
import { until } from './worker-harness.ts'

const missing = s3Missing()

describe.skipIf(missing !== null)('the S3 sink on a real server', () => {
  let server: S3Server

  beforeAll(async () => {
    server = await startS3()
  })
  afterAll(() => server?.stop())

  test('writes a file every flush.size records, and commits no further than what is stored', async () => {
    const { task, committable } = await startSink({ ...connectionOf(server), 'topics.dir': 'plain' })
    const records = Array.from({ length: 7 }, (_, offset) => sinkRecord(offset, { id: offset, text: `é ${offset}` }))
    await task.put(records)
    expect(await committable(7)).toBe(6)
    expect(await keysOf(server, 'plain/')).toEqual([
      'plain/orders/partition=0/orders+0+0000000000.json',
      'plain/orders/partition=0/orders+0+0000000003.json',
    ])
    expect(await jsonOf(server, 'plain/')).toEqual(records.slice(0, 6).map((record) => record.value))
    await task.stop?.()
  })

  test('a task that takes over from the committed offset writes the same objects again', async () => {
    const raw = { ...connectionOf(server), 'topics.dir': 'again' }
    const records = Array.from({ length: 9 }, (_, offset) => sinkRecord(offset, { id: offset }))
    const first = await startSink(raw)
    await first.task.put(records.slice(0, 8))
    await first.task.preCommit?.([])
    await first.task.stop?.()
    // Killed before the offset of the second file was committed.
    const second = await startSink(raw)
    await second.task.put(records.slice(3))
    expect(await second.committable(9)).toBe(9)
    await second.task.stop?.()
    expect(await jsonOf(server, 'again/')).toEqual(records.map((record) => record.value))
  })

  test('compressed objects and spilled ones hold the same records', async () => {
    const schema = struct({ id: schemas.int32, text: schemas.string })
    for (const compression of ['none', 'gzip', 'zstd']) {
      const dir = `spill-${compression}`
      const { task, committable } = await startSink({
        ...connectionOf(server),
        'topics.dir': dir,
        'flush.size': '6000',
        's3.compression.type': compression,
        's3.buffer.bytes': '1048576',
        's3.part.size': '5242880',
      })
      const text = 'x'.repeat(1000)
      for (let start = 0; start < 6000; start += 500) {
        await task.put(
          Array.from({ length: 500 }, (_, index) => sinkRecord(start + index, { id: start + index, text }, { schema })),
        )
      }
      expect(await committable(6000)).toBe(6000)
      await task.stop?.()
      const ids = (await jsonOf(server, `${dir}/`)).map((each) => each.id)
      expect({ compression, count: ids.length }).toEqual({ compression, count: 6000 })
      expect(ids.every((id, index) => id === index)).toBe(true)
    }
  })

  test('ByteArrayFormat writes the bytes as they are', async () => {
    const { task, committable } = await startSink({
      ...connectionOf(server),
      'topics.dir': 'bytes',
      'format.class': 'io.confluent.connect.s3.format.bytearray.ByteArrayFormat',
      'format.bytearray.separator': '|',
    })
    await task.put(['a', 'b', 'c'].map((text, offset) => sinkRecord(offset, Buffer.from(text))))
    expect(await committable(3)).toBe(3)
    expect((await bytesOf(server, 'bytes/orders/partition=0/orders+0+0000000000.bin')).toString()).toBe('a|b|c|')
    await task.stop?.()
  })

  test('with conditional writes nothing is stored twice, though files ended elsewhere before a restart', async () => {
    const raw = {
      ...connectionOf(server),
      'topics.dir': 'conditional',
      'partitioner.class': 'FieldPartitioner',
      'partition.field.name': 'color',
      'rotate.schedule.interval.ms': '2000000000',
      timezone: 'UTC',
    }
    const records = Array.from({ length: 12 }, (_, id) => sinkRecord(id, { id, color: id % 3 === 0 ? 'red' : 'blue' }))
    const first = await startSink({ ...raw, 'flush.size': '5' })
    await first.task.put(records.slice(0, 5))
    expect(await first.committable(5)).toBe(5)
    // Killed before that offset was committed.
    await first.task.stop?.()
    const second = await startSink({ ...raw, 'flush.size': '3' })
    await second.task.put(records)
    expect(second.sought).toEqual([{ topic: 'orders', partition: 0, offset: 0 }])
    expect(await second.committable(12)).toBeUndefined()
    // The worker reads from there again.
    await second.task.put(records)
    expect(await second.committable(12)).toBe(11)
    await second.task.stop?.()
    const stored = await jsonOf(server, 'conditional/')
    expect(stored.map((each) => each.id).toSorted((a, b) => a - b)).toEqual([0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10])
  })

  test('Avro and Parquet objects have the types of the records, keys and headers lie beside them', async () => {
    const schema = struct({ id: schemas.int64, text: schemas.optional.string })
    const rows = [
      { id: 1n, text: 'a' },
      { id: 2n, text: null },
      { id: 9_007_199_254_740_993n, text: 'ü' },
    ]
    for (const [format, ending, read] of [
      ['AvroFormat', '.avro', readAvro],
      ['ParquetFormat', '.snappy.parquet', readParquet],
    ] as const) {
      const dir = `types-${format}`
      const { task, committable } = await startSink({
        ...connectionOf(server),
        'topics.dir': dir,
        'format.class': format,
        'store.kafka.keys': 'true',
        'keys.format.class': 'JsonFormat',
        'store.kafka.headers': 'true',
      })
      const headers = [{ key: 'h', value: 7, schema: schemas.int32 }]
      await task.put(
        rows.map((row, offset) =>
          sinkRecord(offset, row, { schema, key: `k${offset}`, keySchema: schemas.string, headers }),
        ),
      )
      expect(await committable(3)).toBe(3)
      await task.stop?.()
      const base = `${dir}/orders/partition=0/orders+0+0000000000`
      expect(await keysOf(server, dir)).toEqual(
        [`${base}${ending}`, `${base}.headers.avro`, `${base}.keys.json`].toSorted(),
      )
      const bytes = await bytesOf(server, `${base}${ending}`)
      const found: unknown[] = []
      const source = { size: bytes.length, read: async (start: number, end: number) => bytes.subarray(start, end) }
      for await (const batch of read(source)) found.push(...batch.map((each) => each.value))
      expect(found).toEqual(rows)
      expect((await bytesOf(server, `${base}.keys.json`)).toString()).toBe('"k0"\n"k1"\n"k2"\n')
    }
  })

  test('another schema ends the file, and a record without a place goes to the dead letter queue', async () => {
    const one = struct({ id: schemas.int32 })
    const two = struct({ id: schemas.int32, more: schemas.optional.string })
    const { task, committable, reported } = await startSink(
      {
        ...connectionOf(server),
        'topics.dir': 'schemas',
        'flush.size': '4',
        'partitioner.class': 'FieldPartitioner',
        'partition.field.name': 'id',
        'behavior.on.null.values': 'ignore',
      },
      true,
    )
    await task.put([
      sinkRecord(0, { id: 1 }, { schema: one }),
      sinkRecord(1, { id: 1, more: 'x' }, { schema: two }),
      sinkRecord(2, { other: 1 }, { schema: struct({ other: schemas.int32 }) }),
      sinkRecord(3, null),
      sinkRecord(4, { id: 1, more: null }, { schema: two }),
    ])
    expect(await committable(5)).toBe(1)
    expect(reported.map((each) => each.record.offset)).toEqual([2, 3])
    expect(await keysOf(server, 'schemas/')).toEqual(['schemas/orders/id=1/orders+0+0000000000.json'])
    await task.stop?.()
  })

  test('topics that a transformation makes one do not overwrite each other', async () => {
    const { task, committable } = await startSink({
      ...connectionOf(server),
      'topics.dir': 'merged',
      'flush.size': '1',
    })
    const routed = (origin: string) => ({ ...sinkRecord(0, { origin }), topic: 'all', originalTopic: origin })
    await task.put([routed('a'), routed('b')])
    expect(await committable(1, 'a')).toBe(1)
    expect((await jsonOf(server, 'merged/all/')).map((each) => each.origin)).toEqual(['a', 'b'])
    await task.stop?.()
  })

  test('tags tell which records an object has', async () => {
    const { task, committable } = await startSink({
      ...connectionOf(server),
      'topics.dir': 'tags',
      's3.object.tagging': 'true',
      's3.object.tagging.key.value.pairs': 'team:data',
    })
    await task.put([0, 1, 2].map((offset) => sinkRecord(offset, { offset })))
    expect(await committable(3)).toBe(3)
    await task.stop?.()
    const Key = 'tags/orders/partition=0/orders+0+0000000000.json'
    const { TagSet } = await server.client.send(new GetObjectTaggingCommand({ Bucket: server.bucket, Key }))
    expect(Object.fromEntries((TagSet ?? []).map((tag) => [tag.Key, tag.Value]))).toEqual({
      startOffset: '0',
      endOffset: '2',
      recordCount: '3',
      team: 'data',
    })
  })

  test('a server that is away is waited for: nothing is lost and nothing is committed meanwhile', async () => {
    const away = await startS3()
    try {
      const { task, committable } = await startSink({
        ...connectionOf(away),
        'retry.backoff.ms': '50',
        's3.part.retries': '1',
      })
      await away.kill()
      const records = [0, 1, 2].map((offset) => sinkRecord(offset, { offset }))
      await task.put(records)
      expect(await committable(3)).toBeUndefined()
      await expect((async () => task.put([]))()).rejects.toMatchObject({ retriable: true })
      await away.restart()
      await until('the file is stored', async () => {
        await Promise.resolve(task.put([])).catch((error: { retriable?: boolean }) => {
          if (error.retriable !== true) throw error
        })
        return (await committable(3)) === 3
      })
      await task.stop?.()
    } finally {
      await away.stop()
    }
  })

  test('what is wrong with bucket and keys is told before the start', async () => {
    const issues = async (raw: Record<string, string>) => {
      const full = { ...connectionOf(server), 'format.class': 'JsonFormat', 'flush.size': '1', ...raw }
      return sink.validate?.(parseConfigOrThrow(sink.config, full), full)
    }
    expect(await issues({})).toEqual([])
    expect(await issues({ 's3.bucket.name': 'no-such-bucket' })).toMatchObject([{ key: 's3.bucket.name' }])
    // moto takes any secret.
    if (server.keepsObjects) {
      expect(await issues({ 'aws.secret.access.key': 'wrong' })).toMatchObject([{ key: 'aws.access.key.id' }])
    }
    expect(await issues({ 's3.proxy.url': 'http://proxy:8080' })).toMatchObject([{ key: 's3.proxy.url' }])
    expect(await issues({ 'partitioner.class': 'DailyPartitioner' })).toMatchObject([{ key: 'locale' }])
  })
})
