export { DEFAULT_LOG_CONFIG, type LogConfig } from './config.ts'
export { LogError, type LogErrorCode } from './errors.ts'
export { isValidTopicName } from './file-names.ts'
export type { EpochEnd } from './leader-epochs.ts'
export {
  type AppendAccepted,
  type AppendErrorCode,
  type AppendOptions,
  type AppendRefused,
  type AppendResult,
  type DeleteRecordsResult,
  Log,
  type LogContext,
  type LogOptions,
  type ReadOptions,
  type ReadResult,
} from './log.ts'
export type { RecoveryReport } from './log-loader.ts'
export { type CreateLogOptions, LogManager, type LogManagerOptions } from './log-manager.ts'
export type { FoundRecord } from './lookup-time.ts'
export { type MetaProperties, randomId } from './meta-properties.ts'
export type { ProducedBatch, ProducerEntry } from './producer-state.ts'
export { CommitSyncer } from './commit-syncer.ts'
export { CacheBudget } from './tail-cache.ts'
