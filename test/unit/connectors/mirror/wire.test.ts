import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import {
  decodeCheckpoint,
  decodeHeartbeat,
  decodeOffsetSync,
  encodeCheckpoint,
  encodeHeartbeat,
  encodeOffsetSync,
  WireError,
} from '../../../../connectors/mirror/wire.ts'
import '../../property-settings.ts'

const hex = ({ key, value }: { key: Uint8Array; value: Uint8Array }): string[] =>
  [key, value].map((bytes) => Buffer.from(bytes).toString('hex'))

const heartbeat = { sourceClusterAlias: 'us-east', targetClusterAlias: 'eu', timestamp: 1_700_000_000_123 }
const checkpoint = {
  group: 'group-é',
  topic: 'us-east.orders',
  partition: 7,
  upstreamOffset: 123_456_789_012,
  downstreamOffset: 99,
  metadata: 'meta',
}
const sync = { topic: 'orders', partition: 3, upstreamOffset: 5_000_000_000, downstreamOffset: 4_999_999_990 }

// The bytes are those of org.apache.kafka.connect.mirror 4.3.1 for the same data.
const cases = [
  {
    name: 'a heartbeat',
    encoded: encodeHeartbeat(heartbeat),
    decode: decodeHeartbeat as (key: Uint8Array, value: Uint8Array) => unknown,
    data: heartbeat,
    bytes: ['000775732d6561737400026575', '00000000018bcfe5687b'],
  },
  {
    name: 'a checkpoint',
    encoded: encodeCheckpoint(checkpoint),
    decode: decodeCheckpoint,
    data: checkpoint,
    bytes: [
      '000867726f75702dc3a9000e75732d656173742e6f726465727300000007',
      '00000000001cbe991a14000000000000006300046d657461',
    ],
  },
  {
    name: 'an offset sync',
    encoded: encodeOffsetSync(sync),
    decode: decodeOffsetSync,
    data: sync,
    bytes: ['00066f726465727300000003', '000000012a05f200000000012a05f1f6'],
  },
]

describe.each(cases)('$name', ({ encoded, decode, data, bytes }) => {
  test('has the bytes that MirrorMaker writes', () => {
    expect(hex(encoded)).toEqual(bytes)
  })

  test('is read from them', () => {
    const [key = '', value = ''] = bytes
    expect(decode(Buffer.from(key, 'hex'), Buffer.from(value, 'hex'))).toEqual(data)
  })

  test('is refused when bytes are missing', () => {
    const { key, value } = encoded
    for (let length = 0; length < key.length; length++) {
      expect(() => decode(key.subarray(0, length), value)).toThrow(WireError)
    }
    for (let length = 0; length < value.length; length++) {
      expect(() => decode(key, value.subarray(0, length))).toThrow(WireError)
    }
  })

  test('of arbitrary bytes is data or refused', () => {
    fc.assert(
      fc.property(fc.uint8Array(), fc.uint8Array(), (key, value) => {
        try {
          decode(key, value)
        } catch (error) {
          expect(error).toBeInstanceOf(WireError)
        }
      }),
    )
  })
})

test('a version that is not known is refused', () => {
  const { key, value } = encodeHeartbeat(heartbeat)
  value[1] = 1
  expect(() => decodeHeartbeat(key, value)).toThrow('version 1 is not known')
})
