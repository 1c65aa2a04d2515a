import { createRequire } from 'node:module'
import { createRecordsBatch, readRecordsBatch, Reader } from '@platformatic/kafka'
import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { type Codec, CODECS, decodeBatch } from '../../../src/record/index.ts'
import { buildBatch, recordsArbitrary } from './record-arbitrary.ts'
import '../property-settings.ts'

const require = createRequire(import.meta.url)
const KafkaJsDecoder = require('kafkajs/src/protocol/decoder')
const decodeWithKafkaJs = require('kafkajs/src/protocol/recordBatch/v0/decoder')
const { RecordBatch: encodeWithKafkaJs } = require('kafkajs/src/protocol/recordBatch/v0')
const KafkaJsRecord = require('kafkajs/src/protocol/recordBatch/record/v0')

const asBuffer = (value: Uint8Array | null): Buffer | null => (value === null ? null : Buffer.from(value))

describe.each(CODECS)('@platformatic/kafka, %s', (codec) => {
  test('reads what we write', () => {
    fc.assert(
      fc.property(recordsArbitrary, (records) => {
        const batch = readRecordsBatch(Reader.from(buildBatch(records, { codec, baseOffset: 3 })))
        const base = records[0]!.timestamp
        expect(Number(batch.firstOffset)).toBe(3)
        expect(
          batch.records.map(({ key, value, timestampDelta, offsetDelta, headers }) => ({
            key: asBuffer(key),
            value: asBuffer(value),
            timestamp: base + Number(timestampDelta),
            offsetDelta,
            headers: headers.map(([name, content]) => ({ key: name!.toString(), value: asBuffer(content) })),
          })),
        ).toEqual(records.map((record, offsetDelta) => ({ ...record, offsetDelta })))
      }),
      { numRuns: 40 },
    )
  })

  test('writes what we read', () => {
    const messages = Array.from({ length: 50 }, (_, i) => ({
      topic: 't',
      key: Buffer.from(`k${i}`),
      value: Buffer.from(`value ${i} `.repeat(i)),
      timestamp: BigInt(1_700_000_000_000 + i),
      headers: new Map([[Buffer.from('h'), Buffer.from(`${i}`)]]),
    }))
    const bytes = createRecordsBatch(messages, { compression: codec as Codec }).buffer
    expect(decodeBatch(Buffer.from(bytes)).records).toEqual(
      messages.map(({ key, value }, i) => ({
        offset: i,
        timestamp: 1_700_000_000_000 + i,
        key,
        value,
        headers: [{ key: 'h', value: Buffer.from(`${i}`) }],
      })),
    )
  })
})

describe('kafkajs', () => {
  test('reads what we write', async () => {
    const records = Array.from({ length: 40 }, (_, i) => ({
      timestamp: 1_700_000_000_000 + i * 3,
      key: i % 3 ? Buffer.from(`key ${i}`) : null,
      value: i % 5 ? Buffer.from(`value ${i}`) : null,
      headers: i % 2 ? [{ key: 'name', value: Buffer.from('content') }] : [],
    }))
    const batch = buildBatch(records, {
      codec: 'gzip',
      baseOffset: 9,
      producerId: 12,
      producerEpoch: 1,
      baseSequence: 4,
    })
    // Its caller has read magic and length of the surrounding set by then; it starts at the base offset.
    const decoded = await decodeWithKafkaJs(new KafkaJsDecoder(batch))
    expect(decoded).toMatchObject({ firstOffset: '9', producerId: '12', producerEpoch: 1, firstSequence: 4 })
    expect(
      decoded.records.map(({ key, value, timestamp, offset }: any) => ({ key, value, timestamp, offset })),
    ).toEqual(
      records.map(({ key, value, timestamp }, i) => ({ key, value, timestamp: `${timestamp}`, offset: `${9 + i}` })),
    )
  })

  test('writes what we read', async () => {
    const records = [0, 1, 2].map((i) =>
      KafkaJsRecord({
        offsetDelta: i,
        timestampDelta: i * 10,
        key: Buffer.from(`k${i}`),
        value: Buffer.from(`v${i}`),
        headers: { h: 'x' },
      }),
    )
    const batch = await encodeWithKafkaJs({
      compression: 1,
      firstTimestamp: 1000,
      maxTimestamp: 1020,
      records,
      lastOffsetDelta: 2,
    })
    const { records: decoded } = decodeBatch(batch.buffer)
    expect(decoded.map(({ key, value, timestamp }) => [String(key), String(value), timestamp])).toEqual([
      ['k0', 'v0', 1000],
      ['k1', 'v1', 1010],
      ['k2', 'v2', 1020],
    ])
  })
})
