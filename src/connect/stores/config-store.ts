import type { Logger } from '../../base/index.ts'
import { type ConfigChange, ConfigState } from '../herder/config-state.ts'
import type { RecordToWrite } from '../herder/config-records.ts'
import type { CompactedLog, LogRecord } from './compacted-log.ts'

/** The configuration of the cluster: the state replayed from its log, and the way to write to it. */
export interface ConfigStore {
  readonly state: ConfigState
  start(): Promise<void>
  /** Writes and waits until the records have been read back, so that the caller sees its own write. */
  write(records: readonly RecordToWrite[]): Promise<void>
  readToEnd(): Promise<void>
  stop(): Promise<void>
}

/**
 * Opens a config store; `onRead` hears of what is written from the end of `start` on, not of what was there before. It
 * hears also of records that change nothing, because the offset that has been read moves with them.
 */
export function createConfigStore(options: {
  log: CompactedLog
  logger: Logger
  onRead: (changes: readonly ConfigChange[]) => void
}): ConfigStore {
  const { log, logger, onRead } = options
  const state = new ConfigState()
  let started = false
  const onRecords = (records: readonly LogRecord[]) => {
    const changes = records.flatMap((record) => state.apply(record))
    for (const change of changes) {
      if (change.kind === 'bad-record') {
        logger.error({ key: change.key, reason: change.reason }, 'skipped a record of the config topic')
      }
    }
    // What is transient, such as a restart request, must not be carried out again at every start.
    if (started) onRead(changes)
  }
  return {
    state,
    async start() {
      await log.start(onRecords)
      started = true
    },
    write: (records) => log.append(records),
    readToEnd: () => log.readToEnd(),
    stop: () => log.stop(),
  }
}
