export type { Batch, BatchItem, ItemFailure, Write, WriteOutcome } from './batch.ts'
export { type BatchLimits, LIMITS_DEFAULT } from './limits.ts'
export { placeOf, reportOrFail } from './report.ts'
export { type BatcherClock, SinkBatcher, type SinkBatcherOptions } from './sink-batcher.ts'
