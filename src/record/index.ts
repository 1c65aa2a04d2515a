export {
  BatchBuilder,
  type BatchMemory,
  type BatchOptions,
  type RecordHeader,
  recordSizeUpperBound,
} from './batch-builder.ts'
export {
  BATCH_ATTRIBUTE,
  BATCH_FIELD,
  BATCH_HEADER_SIZE,
  BATCH_OVERHEAD,
  type BatchHeader,
  batchBaseOffset,
  batchLastOffset,
  completeBatchSize,
  isBatchCrcValid,
  iterateBatches,
  MAGIC_V2,
  peekBatchHeader,
  setBatchOffset,
  setLogAppendTime,
} from './batch-header.ts'
export {
  CODECS,
  type Codec,
  type CompressionLevels,
  compress,
  decompress,
  MAX_DECOMPRESSED_BYTES,
} from './compression.ts'
export { buildControlBatch, type ControlRecord, decodeControlRecord } from './control-record.ts'
export { type Crc32c, crc32c, loadNativeCrc32c, wasmCrc32c } from './crc32c.ts'
export { type DecodedBatch, type DecodedRecord, decodeBatch, decodeRecords } from './decode.ts'
export { RecordError, type RecordErrorCode } from './errors.ts'
export { type DecodeOptions, RecordCursor } from './record-cursor.ts'
export { recompressBatch } from './recompress.ts'
export { type BatchErrorCode, type BatchValidation, type ValidateOptions, validateBatch } from './validate.ts'
