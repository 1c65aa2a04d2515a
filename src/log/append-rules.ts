import {
  type BatchHeader,
  type Codec,
  type CompressionLevels,
  RecordCursor,
  RecordError,
  recompressBatch,
} from '../record/index.ts'
import type { LogConfig } from './config.ts'

/** Why the settings of a topic refuse a batch. */
export interface Refusal {
  readonly error:
    | 'INVALID_RECORD'
    | 'INVALID_TIMESTAMP'
    | 'CORRUPT_MESSAGE'
    | 'UNSUPPORTED_COMPRESSION_TYPE'
    | 'MESSAGE_TOO_LARGE'
  readonly message: string
  /** Index in the batch of the record that is to blame, where there is one. */
  readonly recordIndex?: number
}

function needsRecords(config: LogConfig): boolean {
  return (
    config.cleanupPolicy.includes('compact') ||
    (config.timestampType === 'CreateTime' && config.timestampBeforeMaxMs !== Number.POSITIVE_INFINITY)
  )
}

/**
 * The checks that depend on the topic. Records are decoded only where the settings ask about each of them: a compacted
 * topic needs keys, a lower bound of timestamps needs them all. The upper bound is held against the largest one, which
 * the header has.
 */
export function checkTopicRules(
  batch: Buffer,
  header: BatchHeader,
  config: LogConfig,
  nowMs: number,
  maxDecompressedBytes: number,
): Refusal | undefined {
  if (config.timestampType === 'CreateTime' && header.maxTimestamp > nowMs + config.timestampAfterMaxMs) {
    const message = `timestamp ${header.maxTimestamp} is more than message.timestamp.after.max.ms ahead of ${nowMs}`
    return { error: 'INVALID_TIMESTAMP', message }
  }
  if (!needsRecords(config) || header.isControl) return undefined
  const compacted = config.cleanupPolicy.includes('compact')
  const earliest =
    config.timestampType === 'CreateTime' ? nowMs - config.timestampBeforeMaxMs : Number.NEGATIVE_INFINITY
  try {
    const cursor = new RecordCursor()
    cursor.open(batch, 0, { checkCrc: false, maxDecompressedBytes })
    for (let index = 0; cursor.next(); index++) {
      if (compacted && cursor.keyLength < 0) {
        return { error: 'INVALID_RECORD', message: 'a compacted topic needs a key in every record', recordIndex: index }
      }
      if (cursor.timestamp !== -1 && cursor.timestamp < earliest) {
        const message = `timestamp ${cursor.timestamp} is more than message.timestamp.before.max.ms behind ${nowMs}`
        return { error: 'INVALID_TIMESTAMP', message, recordIndex: index }
      }
    }
  } catch (error) {
    if (error instanceof RecordError) return { error: error.code, message: error.message }
    throw error
  }
  return undefined
}

/** The batch in the codec that the topic asks for; the very same bytes when it has it, as nearly always. */
export function inTopicCodec(
  batch: Buffer,
  header: BatchHeader,
  config: LogConfig,
  maxDecompressedBytes: number,
): Buffer | Refusal {
  const wanted = config.compressionType
  if (wanted === 'producer' || wanted === header.codec || header.isControl) return batch
  try {
    return recompressBatch(batch, wanted satisfies Codec, levelsOf(config), maxDecompressedBytes)
  } catch (error) {
    if (error instanceof RecordError) return { error: error.code, message: error.message }
    throw error
  }
}

function levelsOf(config: LogConfig): CompressionLevels {
  return { gzip: config.gzipLevel, zstd: config.zstdLevel }
}
