import fc from 'fast-check'
import { expect, test } from 'vitest'
import {
  BATCH_HEADER_SIZE,
  BatchBuilder,
  buildControlBatch,
  decodeBatch,
  decodeControlRecord,
  decodeRecords,
  isBatchCrcValid,
  iterateBatches,
  peekBatchHeader,
  RecordCursor,
  RecordError,
  recompressBatch,
  recordSizeUpperBound,
  setBatchOffset,
  setLogAppendTime,
  validateBatch,
} from '../../../src/record/index.ts'
import { buildBatch, codecArbitrary, recordsArbitrary } from './record-arbitrary.ts'
import '../property-settings.ts'

test('decoding gives back what was appended, in every codec', () => {
  fc.assert(
    fc.property(recordsArbitrary, codecArbitrary, (records, codec) => {
      const batch = buildBatch(records, { codec, baseOffset: 42, leaderEpoch: 7 })
      const decoded = decodeBatch(batch)
      expect(decoded.records).toEqual(records.map((record, index) => ({ ...record, offset: 42 + index })))
      expect(decoded.header).toMatchObject({ codec, partitionLeaderEpoch: 7, recordCount: records.length })
      expect(decoded.header.maxTimestamp).toBe(Math.max(...records.map(({ timestamp }) => timestamp)))
      expect(validateBatch(batch).error).toBeUndefined()
    }),
  )
})

test('the size that append returns is the size of the batch, and the upper bound holds', () => {
  fc.assert(
    fc.property(recordsArbitrary, (records) => {
      const builder = new BatchBuilder(16)
      let before = BATCH_HEADER_SIZE
      for (const { timestamp, key, value, headers } of records) {
        const size = builder.append(timestamp, key, value, headers)
        expect(size - before).toBeLessThanOrEqual(recordSizeUpperBound(key, value, headers))
        expect(size).toBe(builder.sizeInBytes)
        before = size
      }
      expect(builder.build()).toHaveLength(before)
    }),
  )
})

test('a builder is empty after build and its batches do not share memory', () => {
  const builder = new BatchBuilder()
  builder.append(1, null, Buffer.from('first'))
  const first = builder.build()
  expect(builder.count).toBe(0)
  builder.append(2, null, Buffer.from('SECOND'))
  const second = builder.build({ transfer: true })
  builder.append(3, null, Buffer.from('third!'))
  builder.build()
  expect(decodeBatch(first).records[0]!.value!.toString()).toBe('first')
  expect(decodeBatch(second).records[0]!.value!.toString()).toBe('SECOND')
})

test('a builder gives memory back that became too small, and takes other memory after a transfer', () => {
  const taken: number[] = []
  const given: number[] = []
  const memory = {
    take(bytes: number) {
      taken.push(bytes)
      return Buffer.allocUnsafeSlow(bytes)
    },
    give: (old: Buffer) => void given.push(old.length),
  }
  const builder = new BatchBuilder(256, memory)
  expect(taken).toEqual([])
  builder.append(1, null, Buffer.alloc(10))
  expect(taken).toEqual([256])
  builder.append(1, null, Buffer.alloc(600, 1))
  expect(given).toEqual([256])
  const batch = builder.build({ transfer: true })
  builder.append(1, null, Buffer.alloc(10))
  expect(taken).toHaveLength(3)
  // What was handed out belongs to whoever has it.
  expect(given).toEqual([256])
  expect(decodeBatch(batch).records.map(({ value }) => value!.length)).toEqual([10, 600])
})

test('identity and flags are in the header', () => {
  const records = [{ timestamp: 5, key: null, value: null, headers: [] }]
  const batch = buildBatch(records, {
    producerId: 9_000_000_001,
    producerEpoch: 3,
    baseSequence: 77,
    transactional: true,
  })
  const expected = {
    producerId: 9_000_000_001,
    producerEpoch: 3,
    baseSequence: 77,
    isTransactional: true,
    isControl: false,
  }
  expect(peekBatchHeader(batch)).toMatchObject(expected)
})

test('offset and leader epoch are set in place without touching the CRC', () => {
  const batch = buildBatch([{ timestamp: 5, key: null, value: Buffer.from('v'), headers: [] }])
  setBatchOffset(batch, 2 ** 40 + 5, 12)
  expect(isBatchCrcValid(batch, 0, batch.length)).toBe(true)
  expect(peekBatchHeader(batch)).toMatchObject({ baseOffset: 2 ** 40 + 5, partitionLeaderEpoch: 12 })
})

test('the time of the append replaces the times of all records', () => {
  const records = [1, 2].map((timestamp) => ({ timestamp, key: null, value: null, headers: [] }))
  const batch = buildBatch(records)
  setLogAppendTime(batch, 1_700_000_000_123)
  expect(decodeBatch(batch).records.map(({ timestamp }) => timestamp)).toEqual([1_700_000_000_123, 1_700_000_000_123])
})

test('a batch keeps its records and its identity in another codec', () => {
  fc.assert(
    fc.property(recordsArbitrary, codecArbitrary, codecArbitrary, (records, from, to) => {
      const batch = buildBatch(records, { codec: from, producerId: 4, producerEpoch: 0, baseSequence: 10 })
      const again = recompressBatch(batch, to)
      expect(decodeBatch(again).records).toEqual(decodeBatch(batch).records)
      expect(peekBatchHeader(again)).toMatchObject({ codec: to, producerId: 4, baseSequence: 10 })
    }),
    { numRuns: 40 },
  )
})

test('a record set is walked batch by batch and a cut last batch is left out', () => {
  const one = buildBatch([{ timestamp: 1, key: null, value: Buffer.from('a'), headers: [] }], { baseOffset: 0 })
  const two = buildBatch([{ timestamp: 1, key: null, value: Buffer.from('b'), headers: [] }], { baseOffset: 1 })
  const set = Buffer.concat([one, two])
  for (let cut = 0; cut <= set.length; cut++) {
    const whole = (cut >= one.length ? 1 : 0) + (cut === set.length ? 1 : 0)
    expect([...iterateBatches(set.subarray(0, cut))]).toHaveLength(whole)
  }
  expect(decodeRecords(set).map(({ value }) => value!.toString())).toEqual(['a', 'b'])
})

test('a transaction marker has the six bytes of value that Sarama wants', () => {
  const batch = buildControlBatch({ type: 'commit', coordinatorEpoch: 11 }, 5, 1, 99)
  const { header, records } = decodeBatch(batch)
  expect(header).toMatchObject({ isControl: true, isTransactional: true, producerId: 5, baseSequence: -1 })
  expect(records[0]!.key!.toString('hex')).toBe('00000001')
  expect(records[0]!.value!.toString('hex')).toBe('00000000000b')
  expect(decodeControlRecord(records[0]!.key, records[0]!.value)).toEqual({ type: 'commit', coordinatorEpoch: 11 })
  expect(decodeRecords(batch)).toEqual([])
})

test('control records of unknown kinds are skipped, damaged ones refused', () => {
  expect(decodeControlRecord(Buffer.from('00000005', 'hex'), Buffer.alloc(6))).toBeUndefined()
  expect(() => decodeControlRecord(Buffer.alloc(2), null)).toThrow(RecordError)
  expect(() => decodeControlRecord(Buffer.from('00000001', 'hex'), Buffer.alloc(3))).toThrow(RecordError)
})

/** Reads everything there is to read; only a RecordError may come out. */
function readAll(bytes: Buffer, checkCrc: boolean): void {
  const cursor = new RecordCursor()
  try {
    cursor.open(bytes, 0, { checkCrc, maxDecompressedBytes: 1_000_000 })
    while (cursor.next()) {
      cursor.key()
      cursor.value()
      cursor.headers()
    }
  } catch (error) {
    expect(error).toBeInstanceOf(RecordError)
  }
}

test('arbitrary bytes are never worse than a RecordError', () => {
  fc.assert(
    fc.property(fc.uint8Array({ maxLength: 300 }), (array) => {
      readAll(Buffer.from(array), false)
      validateBatch(Buffer.from(array))
    }),
  )
})

test('a damaged batch without its CRC is never worse than a RecordError', () => {
  fc.assert(
    fc.property(
      recordsArbitrary,
      codecArbitrary,
      fc.array(fc.tuple(fc.nat(), fc.nat(255)), { minLength: 1, maxLength: 5 }),
      (records, codec, changes) => {
        const batch = buildBatch(records, { codec })
        for (const [position, byte] of changes) batch[position % batch.length] = byte
        readAll(batch, false)
      },
    ),
    { numRuns: 400 },
  )
})

test('one turned bit behind the offset and epoch is always noticed', () => {
  fc.assert(
    fc.property(recordsArbitrary, fc.nat(), fc.nat(7), (records, position, bit) => {
      const batch = buildBatch(records)
      const at = 16 + (position % (batch.length - 16))
      batch[at] = batch[at]! ^ (1 << bit)
      expect(validateBatch(batch).error).toBeDefined()
      expect(() => decodeBatch(batch)).toThrow(RecordError)
    }),
  )
})

test('a record count that the bytes cannot hold is refused before records are made', () => {
  const batch = buildBatch([{ timestamp: 1, key: null, value: null, headers: [] }])
  batch.writeInt32BE(0x7fffffff, 57)
  expect(() => decodeBatch(batch, 0, { checkCrc: false })).toThrow(/claims 2147483647 records/)
})

test('records that share one array of headers read as records that each have their own', () => {
  const shared = [
    { key: 'a', value: Buffer.from('1') },
    { key: 'ü', value: null },
  ]
  const other = [{ key: 'b', value: Buffer.from('22') }]
  const order = [shared, shared, other, shared, shared, shared, [], other, other]
  const batchOf = (copy: boolean) =>
    buildBatch(
      order.map((headers) => ({ timestamp: 1, key: null, value: null, headers: copy ? [...headers] : headers })),
    )
  expect(batchOf(false)).toEqual(batchOf(true))
  expect(decodeBatch(batchOf(false)).records.map((record) => record.headers.length)).toEqual([
    2, 2, 1, 2, 2, 2, 0, 1, 1,
  ])
})
