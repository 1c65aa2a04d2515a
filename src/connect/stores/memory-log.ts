import type { Clock } from '../../base/index.ts'
import type { CompactedLog, LogRecord } from './compacted-log.ts'

/** A log for a standalone worker: nothing survives the process, and a write is read back before it resolves. */
export function createMemoryLog(clock: Clock): CompactedLog {
  let listener: (records: readonly LogRecord[]) => void = () => {}
  let nextOffset = 0
  return {
    start(onRecords) {
      listener = onRecords
      return Promise.resolve()
    },
    append(records) {
      listener(records.map((record) => ({ ...record, partition: 0, offset: nextOffset++, timestampMs: clock.now() })))
      return Promise.resolve()
    },
    readToEnd: () => Promise.resolve(),
    stop: () => Promise.resolve(),
  }
}
