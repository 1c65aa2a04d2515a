import type { Codec } from '../record/index.ts'

/**
 * Settings of one log: Kafka's topic configs as typed values. `Number.POSITIVE_INFINITY` stands for "no limit", which
 * Kafka writes as -1 or as the largest long.
 */
export interface LogConfig {
  /** segment.bytes */
  readonly segmentBytes: number
  /** segment.ms */
  readonly segmentMs: number
  /** segment.jitter.ms: at most this much is taken off segment.ms, so that not all logs roll together. */
  readonly segmentJitterMs: number
  /** segment.index.bytes */
  readonly segmentIndexBytes: number
  /** index.interval.bytes */
  readonly indexIntervalBytes: number
  /** retention.ms */
  readonly retentionMs: number
  /** retention.bytes */
  readonly retentionBytes: number
  /** file.delete.delay.ms */
  readonly fileDeleteDelayMs: number
  /** max.message.bytes: of a batch, as sent. */
  readonly maxMessageBytes: number
  /** message.timestamp.type */
  readonly timestampType: 'CreateTime' | 'LogAppendTime'
  /** message.timestamp.before.max.ms */
  readonly timestampBeforeMaxMs: number
  /** message.timestamp.after.max.ms */
  readonly timestampAfterMaxMs: number
  /** cleanup.policy. Compaction itself is not done yet; `compact` refuses records without a key. */
  readonly cleanupPolicy: readonly ('delete' | 'compact')[]
  /** compression.type: `producer` keeps what came. */
  readonly compressionType: Codec | 'producer'
  /** compression.gzip.level */
  readonly gzipLevel: number
  /** compression.zstd.level */
  readonly zstdLevel: number
  /** flush.messages */
  readonly flushMessages: number
  /** flush.ms */
  readonly flushMs: number
  /**
   * Our log.flush: with `commit` the high watermark, and so `acks=all`, waits for an fdatasync that all producers of the
   * moment share; with `os` the page cache is enough, as in Kafka.
   */
  readonly flush: 'commit' | 'os'
}

/** The defaults of Kafka 4.3, and our own for `flush`. */
export const DEFAULT_LOG_CONFIG: LogConfig = {
  segmentBytes: 1024 * 1024 * 1024,
  segmentMs: 7 * 24 * 3600 * 1000,
  segmentJitterMs: 0,
  segmentIndexBytes: 10 * 1024 * 1024,
  indexIntervalBytes: 4096,
  retentionMs: 7 * 24 * 3600 * 1000,
  retentionBytes: Number.POSITIVE_INFINITY,
  fileDeleteDelayMs: 60_000,
  maxMessageBytes: 1_048_588,
  timestampType: 'CreateTime',
  timestampBeforeMaxMs: Number.POSITIVE_INFINITY,
  timestampAfterMaxMs: 3_600_000,
  cleanupPolicy: ['delete'],
  compressionType: 'producer',
  gzipLevel: -1,
  zstdLevel: 3,
  flushMessages: Number.POSITIVE_INFINITY,
  flushMs: Number.POSITIVE_INFINITY,
  flush: 'commit',
}
