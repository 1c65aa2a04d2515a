import {
  BATCH_HEADER_SIZE,
  BATCH_OVERHEAD,
  type BatchHeader,
  isBatchCrcValid,
  MAGIC_V2,
  peekBatchHeader,
} from './batch-header.ts'

/** Names of Kafka's error table that a produced batch can be refused with before it meets a log. */
export type BatchErrorCode =
  | 'CORRUPT_MESSAGE'
  | 'INVALID_RECORD'
  | 'INVALID_TIMESTAMP'
  | 'MESSAGE_TOO_LARGE'
  | 'UNSUPPORTED_COMPRESSION_TYPE'

export type BatchValidation =
  | { readonly error: undefined; readonly header: BatchHeader }
  | { readonly error: BatchErrorCode; readonly message: string }

export interface ValidateOptions {
  /** `max.message.bytes` of the topic, against the size as sent. */
  readonly maxBytes?: number
  /** Control batches are the coordinator's to write; default false. */
  readonly allowControl?: boolean
  /** zstd may come from Produce version 7 on; default true. */
  readonly allowZstd?: boolean
}

function refuse(error: BatchErrorCode, message: string): BatchValidation {
  return { error, message }
}

function checkFrame(records: Buffer, header: BatchHeader, options: ValidateOptions): BatchValidation | undefined {
  if (header.magic !== MAGIC_V2) return refuse('INVALID_RECORD', `magic ${header.magic}; only version 2 is accepted`)
  if (header.sizeInBytes < BATCH_HEADER_SIZE || header.sizeInBytes > records.length) {
    return refuse('CORRUPT_MESSAGE', `batch of ${header.sizeInBytes} bytes in ${records.length} bytes of records`)
  }
  if (header.sizeInBytes < records.length) {
    return refuse('INVALID_RECORD', 'a produce request carries exactly one batch for each partition')
  }
  if (options.maxBytes !== undefined && header.sizeInBytes > options.maxBytes) {
    return refuse('MESSAGE_TOO_LARGE', `batch of ${header.sizeInBytes} bytes; max.message.bytes is ${options.maxBytes}`)
  }
  if (!isBatchCrcValid(records, 0, header.sizeInBytes)) return refuse('CORRUPT_MESSAGE', 'batch fails its CRC')
  return undefined
}

/**
 * Checks one produced batch by its header and CRC; the records are not decoded. It trusts that the inner offsets count up
 * from 0 once lastOffsetDelta equals the count less one. A client that dies in the middle of a request is caught by the CRC.
 */
export function validateBatch(records: Buffer, options: ValidateOptions = {}): BatchValidation {
  if (records.length < BATCH_OVERHEAD + 5) {
    return refuse(records.length === 0 ? 'INVALID_RECORD' : 'CORRUPT_MESSAGE', 'no complete batch in the request')
  }
  // Old message sets are shorter than a v2 header, and shall hear that their format is the problem.
  const magic = records.readInt8(16)
  if (magic !== MAGIC_V2) return refuse('INVALID_RECORD', `magic ${magic}; only version 2 is accepted`)
  const header = peekBatchHeader(records)
  if (!header) return refuse('CORRUPT_MESSAGE', 'batch is cut inside its header')
  // Invariant 8: nothing in the header is used before length and CRC hold.
  const frame = checkFrame(records, header, options)
  if (frame) return frame
  if (header.recordCount <= 0 || header.lastOffsetDelta !== header.recordCount - 1) {
    return refuse('INVALID_RECORD', `lastOffsetDelta ${header.lastOffsetDelta} with ${header.recordCount} records`)
  }
  if (header.isControl && !options.allowControl)
    return refuse('INVALID_RECORD', 'clients may not write control batches')
  if (header.isLogAppendTime) return refuse('INVALID_TIMESTAMP', 'clients may not set the LogAppendTime bit')
  if (!header.codec) return refuse('UNSUPPORTED_COMPRESSION_TYPE', 'unknown compression codec')
  if (header.codec === 'zstd' && options.allowZstd === false) {
    return refuse('UNSUPPORTED_COMPRESSION_TYPE', 'zstd needs Produce version 7')
  }
  if (header.producerId >= 0 && header.baseSequence < 0 && !header.isControl) {
    return refuse('INVALID_RECORD', `producer id ${header.producerId} without a sequence`)
  }
  if (header.producerId >= 0 && header.producerEpoch < 0) {
    return refuse('INVALID_RECORD', `producer id ${header.producerId} without an epoch`)
  }
  return { error: undefined, header }
}
