import { expect, test } from 'vitest'
import {
  BATCH_FIELD,
  BatchBuilder,
  type BatchOptions,
  buildControlBatch,
  crc32c,
  type ValidateOptions,
  validateBatch,
} from '../../../src/record/index.ts'

function batch(options: BatchOptions = {}, change: (bytes: Buffer) => void = () => {}): Buffer {
  const builder = new BatchBuilder()
  builder.append(1, null, Buffer.from('one'))
  builder.append(2, null, Buffer.from('two'))
  const bytes = builder.build(options)
  change(bytes)
  bytes.writeUInt32BE(crc32c(bytes, BATCH_FIELD.attributes), BATCH_FIELD.crc)
  return bytes
}

const cases: [string, Buffer, string | undefined, ValidateOptions?][] = [
  ['a good batch', batch(), undefined],
  ['a batch of exactly the allowed size', batch(), undefined, { maxBytes: batch().length }],
  ['a batch above the allowed size', batch(), 'MESSAGE_TOO_LARGE', { maxBytes: batch().length - 1 }],
  ['nothing', Buffer.alloc(0), 'INVALID_RECORD'],
  ['a few bytes', Buffer.alloc(5), 'CORRUPT_MESSAGE'],
  ['a header without its end', batch().subarray(0, 40), 'CORRUPT_MESSAGE'],
  ['a batch without its end', batch().subarray(0, -1), 'CORRUPT_MESSAGE'],
  ['two batches', Buffer.concat([batch(), batch()]), 'INVALID_RECORD'],
  ['a message of format 1', batch({}, (bytes) => bytes.writeInt8(1, BATCH_FIELD.magic)), 'INVALID_RECORD'],
  ['a wrong CRC', Buffer.from(batch().fill(1, 70, 71)), 'CORRUPT_MESSAGE'],
  ['a negative length', batch({}, (bytes) => bytes.writeInt32BE(-1, BATCH_FIELD.batchLength)), 'CORRUPT_MESSAGE'],
  ['no records', batch({}, (bytes) => bytes.writeInt32BE(0, BATCH_FIELD.recordCount)), 'INVALID_RECORD'],
  [
    'a last offset that does not match the count',
    batch({}, (bytes) => bytes.writeInt32BE(5, BATCH_FIELD.lastOffsetDelta)),
    'INVALID_RECORD',
  ],
  [
    'the bit of LogAppendTime',
    batch({}, (bytes) => bytes.writeInt16BE(8, BATCH_FIELD.attributes)),
    'INVALID_TIMESTAMP',
  ],
  [
    'an unknown codec',
    batch({}, (bytes) => bytes.writeInt16BE(6, BATCH_FIELD.attributes)),
    'UNSUPPORTED_COMPRESSION_TYPE',
  ],
  ['zstd from an old client', batch({ codec: 'zstd' }), 'UNSUPPORTED_COMPRESSION_TYPE', { allowZstd: false }],
  ['zstd', batch({ codec: 'zstd' }), undefined],
  ['a producer id without sequence', batch({ producerId: 1, producerEpoch: 0 }), 'INVALID_RECORD'],
  ['a producer id without epoch', batch({ producerId: 1, baseSequence: 0 }), 'INVALID_RECORD'],
  ['an idempotent batch', batch({ producerId: 1, producerEpoch: 0, baseSequence: 0 }), undefined],
  [
    'a control batch from a client',
    buildControlBatch({ type: 'abort', coordinatorEpoch: 0 }, 1, 0, 1),
    'INVALID_RECORD',
  ],
  [
    'a control batch of the coordinator',
    buildControlBatch({ type: 'abort', coordinatorEpoch: 0 }, 1, 0, 1),
    undefined,
    { allowControl: true },
  ],
]

test.each(cases)('%s', (_name, bytes, error, options) => {
  const result = validateBatch(bytes, options)
  expect(result.error, JSON.stringify(result)).toBe(error)
})
