import { describe, expect, test } from 'vitest'
import { type ConsumerRecord, PartitionReader } from '../../../src/client/consumer/partition-reader.ts'
import { BatchBuilder, buildControlBatch, setBatchOffset, setLogAppendTime } from '../../../src/record/index.ts'

interface Batch {
  readonly at: number
  readonly values: readonly string[]
  readonly producerId?: number
}

function batch({ at, values, producerId }: Batch): Buffer {
  const builder = new BatchBuilder()
  for (const value of values) builder.append(1000, null, Buffer.from(value))
  const transactional = producerId !== undefined
  return builder.build({
    baseOffset: at,
    producerId: producerId ?? -1,
    producerEpoch: transactional ? 0 : -1,
    transactional,
  })
}

function marker(at: number, type: 'abort' | 'commit', producerId: number): Buffer {
  const bytes = buildControlBatch({ type, coordinatorEpoch: 0 }, producerId, 0, 1000)
  setBatchOffset(bytes, at, 0)
  return bytes
}

function reader(): PartitionReader {
  const made = new PartitionReader('t', 0, true)
  made.reset(0)
  return made
}

function take(from: PartitionReader, limit = 100): string[] {
  const out: ConsumerRecord[] = []
  from.take(out, limit)
  return out.map(({ offset, value }) => `${offset}:${value!.toString()}`)
}

describe('PartitionReader', () => {
  test('gives records in order and knows what comes next', () => {
    const one = reader()
    const bytes = Buffer.concat([batch({ at: 0, values: ['a', 'b'] }), batch({ at: 2, values: ['c'] })])
    expect(one.add(bytes, 0, [])).toBe(3)
    expect(take(one, 2)).toEqual(['0:a', '1:b'])
    expect(one.position).toBe(2)
    expect(take(one)).toEqual(['2:c'])
    expect(one.position).toBe(3)
    expect(one.bufferedBytes).toBe(0)
  })

  test('a record tells who set its timestamp', () => {
    const one = reader()
    const stamped = batch({ at: 1, values: ['b'] })
    setLogAppendTime(stamped, 5000)
    one.add(Buffer.concat([batch({ at: 0, values: ['a'] }), stamped, batch({ at: 2, values: ['c'] })]), 0, [])
    const out: ConsumerRecord[] = []
    one.take(out, 100)
    expect(out.map(({ timestamp, timestampType }) => `${timestampType} ${timestamp}`)).toEqual([
      'CreateTime 1000',
      'LogAppendTime 5000',
      'CreateTime 1000',
    ])
  })

  test('starts inside a batch when the position is inside it', () => {
    const one = reader()
    one.reset(2)
    one.add(batch({ at: 0, values: ['a', 'b', 'c'] }), 2, [])
    expect(take(one)).toEqual(['2:c'])
  })

  test('leaves out a last batch that was cut', () => {
    const one = reader()
    const whole = batch({ at: 0, values: ['a'] })
    const bytes = Buffer.concat([whole, batch({ at: 1, values: ['b'] }).subarray(0, 65)])
    expect(one.add(bytes, 0, [])).toBe(1)
    expect(take(one)).toEqual(['0:a'])
    expect(one.add(bytes.subarray(0, 40), 1, [])).toBe(1)
  })

  test('holes of compaction move the position', () => {
    const one = reader()
    one.add(Buffer.concat([batch({ at: 0, values: ['a'] }), batch({ at: 7, values: ['h'] })]), 0, [])
    expect(take(one)).toEqual(['0:a', '7:h'])
    expect(one.position).toBe(8)
  })

  test('what aborted transactions wrote is left out, and what their producers write afterwards is not', () => {
    const one = reader()
    const bytes = Buffer.concat([
      batch({ at: 0, values: ['open-1'], producerId: 1 }),
      batch({ at: 1, values: ['plain'] }),
      batch({ at: 2, values: ['two'], producerId: 2 }),
      marker(3, 'abort', 1),
      batch({ at: 4, values: ['again'], producerId: 1 }),
      marker(5, 'commit', 1),
      marker(6, 'commit', 2),
    ])
    one.add(bytes, 0, [{ producerId: 1, firstOffset: 0 }])
    expect(take(one)).toEqual(['1:plain', '2:two', '4:again'])
    expect(one.position).toBe(7)
  })

  test('for read_uncommitted only the markers are left out', () => {
    const one = reader()
    one.add(Buffer.concat([batch({ at: 0, values: ['a'], producerId: 1 }), marker(1, 'abort', 1)]), 0, [])
    expect(take(one)).toEqual(['0:a'])
    expect(one.position).toBe(2)
  })

  test('records before damaged bytes are given out, then every call fails until a seek', () => {
    const one = reader()
    const bad = batch({ at: 1, values: ['b'] })
    bad[bad.length - 1]! ^= 0xff
    one.add(Buffer.concat([batch({ at: 0, values: ['a'] }), bad]), 0, [])
    expect(take(one)).toEqual(['0:a'])
    for (let i = 0; i < 2; i++) {
      expect(() => take(one)).toThrow(
        expect.objectContaining({ code: 'CORRUPT_MESSAGE', message: expect.stringContaining('t-0 at offset 1') }),
      )
    }
    one.reset(5)
    expect(take(one)).toEqual([])
  })
})
