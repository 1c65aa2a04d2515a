import { schemas, struct } from '@millrace/sdk'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { type S3Server, s3Missing, startS3 } from '../services/s3.ts'
import { bytesOf, connectionOf, jsonOf, keysOf, sinkRecord, startSink } from './support/s3-tasks.ts'

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
})
