import { describe, expect, test } from 'vitest'
import {
  BatchBuilder,
  decodeBatch,
  decodeControlRecord,
  decodeRecords,
  iterateBatches,
  validateBatch,
} from '../../../src/record/index.ts'
import { GOLDEN_CODECS, GOLDEN_RECORDS, goldenFile, goldenRecord } from '../../compat/golden-partitions.ts'

const LOG = '00000000000000000000.log'

describe.each(GOLDEN_CODECS)('a segment that Apache Kafka wrote with %s', (codec) => {
  const segment = goldenFile(`golden-${codec}`, LOG)

  test('has the records that were produced', () => {
    const records = decodeRecords(segment).map(({ key, value, headers }) => ({
      key: key!.toString(),
      value: value === null ? null : value.toString(),
      headers: headers.map((header) => [header.key, Buffer.from(header.value!).toString()]),
    }))
    expect(records).toEqual(Array.from({ length: GOLDEN_RECORDS }, (_, i) => goldenRecord(codec, i)))
  })

  test('passes the checks of the produce path batch by batch', () => {
    const batches = [...iterateBatches(segment)]
    expect(batches.length).toBeGreaterThan(3)
    for (const { position, sizeInBytes } of batches) {
      expect(validateBatch(segment.subarray(position, position + sizeInBytes)).error).toBeUndefined()
    }
  })
})

test('our encoder gives the very bytes of Apache Kafka', () => {
  const segment = goldenFile('golden-none', LOG)
  const builder = new BatchBuilder()
  for (const header of iterateBatches(segment)) {
    const original = segment.subarray(header.position, header.position + header.sizeInBytes)
    for (const { timestamp, key, value, headers } of decodeBatch(original).records) {
      builder.append(timestamp, key, value, headers)
    }
    const { baseOffset, partitionLeaderEpoch, producerId, producerEpoch, baseSequence } = header
    const ours = builder.build({
      baseOffset,
      leaderEpoch: partitionLeaderEpoch,
      producerId,
      producerEpoch,
      baseSequence,
    })
    expect(ours.equals(original)).toBe(true)
  }
})

test('the transaction markers of Apache Kafka are read', () => {
  const segment = goldenFile('golden-txn', LOG)
  const markers = [...iterateBatches(segment)]
    .filter(({ isControl }) => isControl)
    .map(({ position }) => decodeBatch(segment, position).records[0]!)
    .map(({ key, value }) => decodeControlRecord(key, value)!.type)
  expect(markers.length).toBeGreaterThan(0)
  expect(new Set(markers)).toEqual(new Set(['commit']))
})
