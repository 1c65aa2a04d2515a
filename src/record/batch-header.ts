import { readInt64, writeInt64 } from '../base/index.ts'
import { CODECS, type Codec } from './compression.ts'
import { crc32c } from './crc32c.ts'

/*
 * Record batch, version 2:
 *   int64 baseOffset | int32 batchLength | int32 partitionLeaderEpoch | int8 magic | uint32 crc | int16 attributes |
 *   int32 lastOffsetDelta | int64 baseTimestamp | int64 maxTimestamp | int64 producerId | int16 producerEpoch |
 *   int32 baseSequence | int32 recordCount | records
 * The CRC covers the attributes and all that follows, so that a broker may set offset and epoch without touching it.
 */

/** Bytes before the first record. */
export const BATCH_HEADER_SIZE = 61
/** Bytes of baseOffset and batchLength, which batchLength does not count. */
export const BATCH_OVERHEAD = 12
export const MAGIC_V2 = 2

/** Positions of the fields inside a batch, for code that reads one field without a header object. */
export const BATCH_FIELD = {
  baseOffset: 0,
  batchLength: 8,
  partitionLeaderEpoch: 12,
  magic: 16,
  crc: 17,
  attributes: 21,
  lastOffsetDelta: 23,
  baseTimestamp: 27,
  maxTimestamp: 35,
  producerId: 43,
  producerEpoch: 51,
  baseSequence: 53,
  recordCount: 57,
} as const

/** Bits of the attributes. */
export const BATCH_ATTRIBUTE = {
  codecMask: 7,
  logAppendTime: 8,
  transactional: 16,
  control: 32,
  deleteHorizon: 64,
} as const

/** The header of one batch, read without looking at its records. Nothing in it is validated. */
export interface BatchHeader {
  /** Where the batch starts in the buffer that was read. */
  readonly position: number
  /** All bytes of the batch, header included. */
  readonly sizeInBytes: number
  readonly baseOffset: number
  readonly lastOffset: number
  readonly partitionLeaderEpoch: number
  readonly magic: number
  readonly crc: number
  readonly attributes: number
  /** Undefined for a number that is no codec. */
  readonly codec: Codec | undefined
  readonly isLogAppendTime: boolean
  readonly isTransactional: boolean
  readonly isControl: boolean
  readonly lastOffsetDelta: number
  readonly baseTimestamp: number
  readonly maxTimestamp: number
  readonly producerId: number
  readonly producerEpoch: number
  readonly baseSequence: number
  readonly recordCount: number
}

/** Reads the header at `position`, or undefined when fewer bytes than a header are there. */
export function peekBatchHeader(buffer: Buffer, position: number = 0): BatchHeader | undefined {
  if (position < 0 || buffer.length - position < BATCH_HEADER_SIZE) return undefined
  const baseOffset = readInt64(buffer, position)
  const attributes = buffer.readInt16BE(position + BATCH_FIELD.attributes)
  const lastOffsetDelta = buffer.readInt32BE(position + BATCH_FIELD.lastOffsetDelta)
  return {
    position,
    sizeInBytes: buffer.readInt32BE(position + BATCH_FIELD.batchLength) + BATCH_OVERHEAD,
    baseOffset,
    lastOffset: baseOffset + lastOffsetDelta,
    partitionLeaderEpoch: buffer.readInt32BE(position + BATCH_FIELD.partitionLeaderEpoch),
    magic: buffer.readInt8(position + BATCH_FIELD.magic),
    crc: buffer.readUInt32BE(position + BATCH_FIELD.crc),
    attributes,
    codec: CODECS[attributes & BATCH_ATTRIBUTE.codecMask],
    isLogAppendTime: (attributes & BATCH_ATTRIBUTE.logAppendTime) !== 0,
    isTransactional: (attributes & BATCH_ATTRIBUTE.transactional) !== 0,
    isControl: (attributes & BATCH_ATTRIBUTE.control) !== 0,
    lastOffsetDelta,
    baseTimestamp: readInt64(buffer, position + BATCH_FIELD.baseTimestamp),
    maxTimestamp: readInt64(buffer, position + BATCH_FIELD.maxTimestamp),
    producerId: readInt64(buffer, position + BATCH_FIELD.producerId),
    producerEpoch: buffer.readInt16BE(position + BATCH_FIELD.producerEpoch),
    baseSequence: buffer.readInt32BE(position + BATCH_FIELD.baseSequence),
    recordCount: buffer.readInt32BE(position + BATCH_FIELD.recordCount),
  }
}

/** Size of the batch at `position` when all of it is in `buffer[position, end)`; 0 when it is cut or its length is nonsense. */
export function completeBatchSize(buffer: Buffer, position: number, end: number = buffer.length): number {
  if (end - position < BATCH_HEADER_SIZE) return 0
  const size = buffer.readInt32BE(position + BATCH_FIELD.batchLength) + BATCH_OVERHEAD
  return size >= BATCH_HEADER_SIZE && size <= end - position ? size : 0
}

/** Offset of the first record of the batch at `position`. */
export function batchBaseOffset(buffer: Buffer, position: number): number {
  return readInt64(buffer, position)
}

/** Offset of the last record of the batch at `position`. */
export function batchLastOffset(buffer: Buffer, position: number): number {
  return readInt64(buffer, position) + buffer.readInt32BE(position + BATCH_FIELD.lastOffsetDelta)
}

/** Whether the stored CRC matches the `size` bytes at `position`. */
export function isBatchCrcValid(buffer: Buffer, position: number, size: number): boolean {
  const stored = buffer.readUInt32BE(position + BATCH_FIELD.crc)
  return crc32c(buffer, position + BATCH_FIELD.attributes, position + size) === stored
}

/** Sets what the broker decides: offset and leader epoch, both outside the CRC. */
export function setBatchOffset(batch: Buffer, baseOffset: number, leaderEpoch: number, position: number = 0): void {
  writeInt64(batch, baseOffset, position)
  batch.writeInt32BE(leaderEpoch, position + BATCH_FIELD.partitionLeaderEpoch)
}

/** Stamps all records with the time of the append (`message.timestamp.type=LogAppendTime`) without decoding them. */
export function setLogAppendTime(batch: Buffer, timestamp: number): void {
  const attributes = batch.readInt16BE(BATCH_FIELD.attributes) | BATCH_ATTRIBUTE.logAppendTime
  batch.writeInt16BE(attributes, BATCH_FIELD.attributes)
  writeInt64(batch, timestamp, BATCH_FIELD.maxTimestamp)
  batch.writeUInt32BE(crc32c(batch, BATCH_FIELD.attributes), BATCH_FIELD.crc)
}

/** Headers of the complete batches of a record set; stops before a cut last one, as a fetch answer may end with. */
export function* iterateBatches(
  buffer: Buffer,
  start: number = 0,
  end: number = buffer.length,
): Generator<BatchHeader> {
  for (let position = start; ; ) {
    const size = completeBatchSize(buffer, position, end)
    const header = size === 0 ? undefined : peekBatchHeader(buffer, position)
    if (!header) return
    yield header
    position += size
  }
}
