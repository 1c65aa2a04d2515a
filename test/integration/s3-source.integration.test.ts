import { PutObjectCommand } from '@aws-sdk/client-s3'
import { parseConfigOrThrow, schemas, type SourceOffset, type SourceRecord, struct } from '@millrace/sdk'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import source from '../../connectors/s3/source.ts'
import { DEADLINE_MS } from '../services/deadline.ts'
import { type S3Server, s3Missing, startS3 } from '../services/s3.ts'
import { memoryLogger, Offsets } from './support/task-contract.ts'
import { connectionOf, sinkRecord, startSink } from './support/s3-tasks.ts'

const missing = s3Missing()

describe.skipIf(missing !== null)('the S3 source on a real server', () => {
  let server: S3Server

  beforeAll(async () => {
    server = await startS3()
  })
  afterAll(() => server?.stop())

  function start(raw: Record<string, string>, offsets = new Offsets()) {
    const full = {
      ...connectionOf(server),
      'format.class': 'JsonFormat',
      's3.poll.interval.ms': '10',
      'record.batch.max.size': '2',
      ...raw,
    }
    const task = source.createTask(parseConfigOrThrow(source.config, full), {
      connectorName: 's3-source-test',
      taskId: 0,
      logger: memoryLogger(),
      raw: full,
      offsets: {
        offset: async (partition) => offsets.get(partition),
        offsets: async (partitions) => partitions.map((partition) => offsets.get(partition)),
      },
    })
    const signal = new AbortController().signal
    const poll = async (): Promise<readonly SourceRecord[]> =>
      ((await task.poll(signal)) ?? []) as readonly SourceRecord[]
    return {
      task,
      poll,
      async take(count: number): Promise<SourceRecord[]> {
        const records: SourceRecord[] = []
        for (const deadline = Date.now() + DEADLINE_MS; records.length < count; ) {
          if (Date.now() > deadline) throw new Error(`only ${records.length} of ${count} records in time`)
          records.push(...(await poll()))
        }
        return records
      },
    }
  }

  const put = async (Key: string, Body: string): Promise<void> => {
    await server.client.send(new PutObjectCommand({ Bucket: server.bucket, Key, Body }))
  }

  test.each([
    ['JsonFormat', { 's3.compression.type': 'none' }],
    ['JsonFormat', { 's3.compression.type': 'gzip' }],
    ['JsonFormat', { 's3.compression.type': 'zstd' }],
    ['AvroFormat', { 'avro.codec': 'deflate' }],
    ['ParquetFormat', {}],
  ])('%s that the sink wrote goes back to topic and partition %j', async (format, extra) => {
    const dir = `restore-${format}-${Object.values(extra).join('')}`
    const schema = struct({ id: schemas.int32, text: schemas.optional.string })
    const sink = await startSink({ ...connectionOf(server), 'topics.dir': dir, 'format.class': format, ...extra })
    const values = Array.from({ length: 6 }, (_, id) => ({ id, text: id % 2 === 0 ? null : `t${id}` }))
    for (const partition of [0, 3]) {
      await sink.task.put(values.map((value, offset) => sinkRecord(offset, value, { schema, partition })))
    }
    await sink.task.preCommit?.([])
    await sink.task.stop?.()
    const { task, take, poll } = start({ 'topics.dir': dir, 'format.class': format })
    const records = await take(12)
    for (const partition of [0, 3]) {
      const found = records.filter((record) => record.partition === partition)
      expect(found.map((record) => record.value)).toEqual(values)
      expect(new Set(found.map((record) => record.topic))).toEqual(new Set(['orders']))
    }
    expect(await poll()).toEqual([])
    await task.stop?.()
  })

  test('after every prefix of offsets the rest is read, and nothing twice', async () => {
    for (const key of ['a', 'b']) await put(`resume/${key}.json`, `{"n":"${key}1"}\n{"n":"${key}2"}\n\n{"n":"${key}3"}`)
    const raw = { mode: 'GENERIC', 'topics.dir': 'resume', 'topic.regex.list': 'in:resume/.*\\.json' }
    const first = start(raw)
    const all = await first.take(6)
    await first.task.stop?.()
    const names = all.map((record) => (record.value as { n: string }).n)
    expect(names).toEqual(['a1', 'a2', 'a3', 'b1', 'b2', 'b3'])
    for (let done = 0; done < all.length; done++) {
      const offsets = new Offsets()
      offsets.commit(all.slice(0, done))
      const { task, take } = start(raw, offsets)
      const rest = await take(all.length - done)
      expect(rest.map((record) => (record.value as { n: string }).n)).toEqual(names.slice(done))
      await task.stop?.()
    }
  })

  test('new objects are found in any order of names, and one that is written again is read on', async () => {
    const raw = {
      mode: 'GENERIC',
      'topics.dir': 'later',
      'topic.regex.list': 'in:later/.*',
      'format.class': 'StringFormat',
    }
    await put('later/m', 'one\r\ntwo\n')
    const { task, take } = start(raw)
    const values = async (count: number) => (await take(count)).map((record) => record.value)
    expect(await values(2)).toEqual(['one', 'two'])
    await put('later/a', 'three')
    expect(await values(1)).toEqual(['three'])
    await put('later/m', 'one\r\ntwo\nfour\n')
    expect(await values(1)).toEqual(['four'])
    await task.stop?.()
  })

  test('tasks share the folders', async () => {
    for (let folder = 0; folder < 8; folder++) await put(`shared/${folder}/x`, `${folder}`)
    const raw = {
      ...connectionOf(server),
      mode: 'GENERIC',
      'topics.dir': 'shared',
      'topic.regex.list': 'in:.*',
      'format.class': 'StringFormat',
    }
    const config = parseConfigOrThrow(source.config, raw)
    const configs = await source.taskConfigs(config, 2, raw, undefined as never)
    const found: unknown[] = []
    for (const one of configs) {
      const { task, poll } = start(one)
      // Two rounds over the listing see everything.
      for (let round = 0; round < 30; round++) found.push(...(await poll()).map((record) => record.value))
      await task.stop?.()
    }
    expect(found).toHaveLength(8)
    expect(new Set(found)).toEqual(new Set(['0', '1', '2', '3', '4', '5', '6', '7']))
  })

  test('an object that is not what the format says fails with its name', async () => {
    await put('bad/x.json', 'not json')
    const { task, poll } = start({ mode: 'GENERIC', 'topics.dir': 'bad', 'topic.regex.list': 'in:.*' })
    await expect(poll()).rejects.toThrow(
      'the object bad/x.json cannot be read: a line of the object is no JSON document',
    )
    await task.stop?.()
  })

  test('numbers beyond 2^53 stay what they are', async () => {
    await put('big/x.json', '{"id":9007199254740993,"text":"9007199254740993"}')
    const { task, take } = start({ mode: 'GENERIC', 'topics.dir': 'big', 'topic.regex.list': 'in:.*' })
    const [record] = await take(1)
    expect(record?.value).toEqual({ id: 9_007_199_254_740_993n, text: '9007199254740993' })
    const offset = record?.sourceOffset as SourceOffset
    expect(offset['records']).toBe(1)
    await task.stop?.()
  })
})
