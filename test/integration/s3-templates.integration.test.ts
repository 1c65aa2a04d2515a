// The S3 sink with name templates, its task alone on a real server.
import { readFileSync } from 'node:fs'
import { parseConfigOrThrow, type SinkRecord, schemas, struct } from '@millrace/sdk'
import { afterAll, afterEach, beforeAll, describe, expect, test } from 'vitest'
import sink from '../../connectors/s3/aiven/sink.ts'
import { readParquet } from '../../connectors/_shared/formats/index.ts'
import { type S3Server, s3Missing, startS3 } from '../services/s3.ts'
import { RunningTasks } from './support/hooks.ts'
import { aivenConnectionOf, bytesOf, jsonOf, keysOf, sinkRecord } from './support/s3-tasks.ts'
import { type StartedSink, startSinkTask } from './support/task-contract.ts'

const missing = s3Missing()

describe.skipIf(missing !== null)('objects by templates of names', () => {
  let server: S3Server
  const running = new RunningTasks()

  beforeAll(async () => {
    server = await startS3()
  })
  afterAll(() => server?.stop())
  afterEach(async () => {
    await running.stop()
  })

  const start = async (raw: Record<string, string>, hasQueue = false): Promise<StartedSink> => {
    const jsonl = { 'format.output.type': 'jsonl', 'format.output.envelope': 'false', 'kafka.retry.backoff.ms': '10' }
    const full = { ...aivenConnectionOf(server), ...jsonl, ...raw }
    return running.add(await startSinkTask(sink, full, { connectorName: 's3-test', hasQueue }))
  }
  /** The offset that may be committed of a partition of `orders`. */
  const commit = async ({ task }: StartedSink, offset: number, partition = 0): Promise<number | undefined> =>
    (await task.preCommit?.([{ topic: 'orders', partition, offset }]))?.[0]?.offset
  const numbers = (from: number, to: number): SinkRecord[] =>
    Array.from({ length: to - from }, (_, index) => sinkRecord(from + index, { n: from + index }))

  test('there is one object a partition and commit, and none before', async () => {
    const started = await start({ 'file.name.template': 'a/{{topic}}/{{partition}}-{{start_offset}}.gz' })
    await started.task.put([...numbers(0, 3), sinkRecord(7, { n: 70 }, { partition: 1 })])
    expect(await keysOf(server, 'a/')).toEqual([])
    expect(await commit(started, 3)).toBe(3)
    expect(await keysOf(server, 'a/')).toEqual(['a/orders/0-0.gz', 'a/orders/1-7.gz'])
    await started.task.put(numbers(3, 5))
    expect(await commit(started, 5)).toBe(5)
    expect(await jsonOf(server, 'a/orders/0-3')).toEqual([{ n: 3 }, { n: 4 }])
    // Nothing new, nothing written.
    expect(await commit(started, 5)).toBe(5)
    expect(await keysOf(server, 'a/')).toHaveLength(3)
  })

  test('the default name has the ending of the compression, and the older prefix still works', async () => {
    const started = await start({ 'file.compression.type': 'zstd' })
    await started.task.put([sinkRecord(5, 'x', { topic: 'defaults' })])
    await started.task.preCommit?.([])
    expect(await keysOf(server, 'defaults')).toEqual(['defaults-0-5.zst'])
    const older = await start({ aws_s3_prefix: 'old/{{utc_date}}/', output_compression: 'gzip' })
    await older.task.put(numbers(5, 6))
    await older.task.preCommit?.([])
    const [key] = await keysOf(server, 'old/')
    expect(key).toMatch(/^old\/\d{4}-\d\d-\d\d\/orders-0-00000000000000000005\.gz$/)
  })

  test('file.max.records ends objects; the next is named by its first record', async () => {
    const started = await start({
      'file.name.template': 'max/{{topic}}-{{partition}}-{{start_offset}}',
      'file.compression.type': 'none',
      'file.max.records': '2',
    })
    await started.task.put(numbers(0, 5))
    await commit(started, 5)
    expect(await keysOf(server, 'max/')).toEqual(['max/orders-0-0', 'max/orders-0-2', 'max/orders-0-4'])
    expect((await bytesOf(server, 'max/orders-0-2')).toString()).toBe('{"n":2}\n{"n":3}')
  })

  test('objects of keys hold the latest record, also over commits', async () => {
    const started = await start({ 'file.name.template': 'latest/{{key}}', 'file.compression.type': 'none' })
    const of = (offset: number, key: string, value: unknown) => sinkRecord(offset, value, { key })
    await started.task.put([of(0, 'a', 1), of(1, 'b', 2), of(2, 'a', 3)])
    await commit(started, 3)
    await started.task.put([of(3, 'b', null)])
    await commit(started, 4)
    expect(await keysOf(server, 'latest/')).toEqual(['latest/a', 'latest/b'])
    expect((await bytesOf(server, 'latest/a')).toString()).toBe('3')
    expect((await bytesOf(server, 'latest/b')).toString()).toBe('null')
  })

  test('records of a key are together in their order when the name has key and offset', async () => {
    const started = await start({ 'file.name.template': 'keyed/{{topic}}-{{partition}}-{{key}}-{{start_offset}}.gz' })
    const of = (offset: number, key: string) => sinkRecord(offset, { n: offset }, { key })
    await started.task.put([of(0, 'a'), of(1, 'b'), of(2, 'a')])
    await commit(started, 3)
    expect(await jsonOf(server, 'keyed/orders-0-a-0')).toEqual([{ n: 0 }, { n: 2 }])
    expect(await jsonOf(server, 'keyed/orders-0-b-1')).toEqual([{ n: 1 }])
  })

  test('Parquet has records as rows, and another schema begins another object', async () => {
    const started = await start({
      'file.name.template': 'parquet/{{topic}}-{{partition}}-{{start_offset}}',
      'format.output.type': 'parquet',
      'format.output.fields': 'value,offset',
      'format.output.envelope': 'true',
      'file.compression.type': 'snappy',
    })
    const schema = struct({ n: schemas.int32 })
    const other = struct({ n: schemas.int32, m: schemas.optional.string })
    await started.task.put([
      sinkRecord(0, { n: 0 }, { schema }),
      sinkRecord(1, { n: 1 }, { schema: struct({ n: schemas.int32 }) }),
      sinkRecord(2, { n: 2, m: 'x' }, { schema: other }),
    ])
    await commit(started, 3)
    expect(await keysOf(server, 'parquet/')).toEqual(['parquet/orders-0-0', 'parquet/orders-0-2'])
    const bytes = await bytesOf(server, 'parquet/orders-0-0')
    const rows: unknown[] = []
    const source = { size: bytes.length, read: async (from: number, to: number) => bytes.subarray(from, to) }
    for await (const block of readParquet(source)) rows.push(...block.map(({ value }) => value))
    expect(rows).toEqual([
      { value: { n: 0 }, offset: 0n },
      { value: { n: 1 }, offset: 1n },
    ])
  })

  test('a record without a place goes to the queue alone, or fails the task where there is none', async () => {
    const raw = { 'file.name.template': 'bad/{{topic}}-{{partition}}-{{start_offset}}.gz', 'format.output.type': 'csv' }
    const plain = { ...raw, 'format.output.envelope': 'true' }
    const started = await start(plain, true)
    await started.task.put([sinkRecord(0, 'x'), sinkRecord(1, { a: 1 }), sinkRecord(2, 'y')])
    expect(await commit(started, 3)).toBe(3)
    expect(started.reported.map(({ record }) => record.originalOffset)).toEqual([1])
    expect((await bytesOf(server, 'bad/orders-0-0.gz')).toString()).toBe('eA==\neQ==')
    const strict = await start(plain)
    await expect(strict.task.put([sinkRecord(0, { a: 1 })])).rejects.toThrow(
      /topic='orders',partition=0,offset=0.*neither bytes nor text/,
    )
  })

  test('while the server is away nothing is committed, and everything once it is back', async () => {
    const started = await start({
      'file.name.template': 'away/{{topic}}-{{partition}}-{{start_offset}}.gz',
      'aws.s3.backoff.max.retries': '1',
    })
    await started.task.put(numbers(0, 3))
    if (!server.keepsObjects) return
    await server.kill()
    expect(await commit(started, 3)).toBeUndefined()
    // The worker brings the same records again after a retriable error.
    let batch: readonly SinkRecord[] = numbers(3, 5)
    const put = async (): Promise<void> => {
      try {
        await started.task.put(batch)
        batch = []
      } catch (error) {
        expect(error).toMatchObject({ retriable: true })
      }
    }
    await put()
    await server.restart()
    while ((await commit(started, 5)) !== 5) await put()
    expect(batch).toEqual([])
    expect(await jsonOf(server, 'away/orders-0-0')).toEqual([{ n: 0 }, { n: 1 }, { n: 2 }])
    expect(await jsonOf(server, 'away/orders-0-3')).toEqual([{ n: 3 }, { n: 4 }])
  })

  test('many open files stay within their memory: all are written before it is time', async () => {
    const started = await start({
      'file.name.template': 'many/{{topic}}-{{partition}}-{{key}}-{{start_offset}}',
      'file.compression.type': 'none',
      's3.buffer.bytes': '1048576',
    })
    const value = 'x'.repeat(20_000)
    const records = Array.from({ length: 120 }, (_, offset) => sinkRecord(offset, value, { key: `k${offset}` }))
    await started.task.put(records)
    // Less than all of it waits in memory, so some of it is stored already.
    expect((await keysOf(server, 'many/')).length).toBeGreaterThan(50)
    expect(await commit(started, 120)).toBe(120)
    expect(await keysOf(server, 'many/')).toHaveLength(120)
  })

  test('the examples name what is missing of the bucket', async () => {
    const path = new URL('../../connectors/s3/examples/latest-by-key-sink.json', import.meta.url)
    const { config } = JSON.parse(readFileSync(path, 'utf8')) as { config: Record<string, string> }
    const raw = { ...config, ...aivenConnectionOf(server), 'aws.s3.bucket.name': 'no-such-bucket' }
    const issues = (await sink.validate?.(parseConfigOrThrow(sink.config, raw), raw)) ?? []
    expect(issues).toEqual([
      { key: 'aws.s3.bucket.name', message: 'the bucket no-such-bucket does not exist; create it' },
    ])
  })
})
