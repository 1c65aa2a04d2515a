import type { Clock, Logger } from '../../base/index.ts'
import {
  mayWriteSafely,
  type Status,
  statusRecord,
  StatusState,
  statusTarget,
  topicRecord,
} from '../herder/status-state.ts'
import type { WorkKind } from '../herder/work.ts'
import type { CompactedLog, LogRecord, LogWrite } from './compacted-log.ts'

/** The statuses of all connectors and tasks: what the log says, and writes that never make the caller wait. */
export interface StatusStore {
  readonly state: StatusState
  start(): Promise<void>
  put(kind: WorkKind, key: string, status: Status): void
  /** Writes unless a newer owner has spoken since. */
  putSafely(kind: WorkKind, key: string, status: Status): void
  delete(kind: WorkKind, key: string): void
  putTopic(connector: string, task: number, topic: string): void
  deleteTopics(connector: string): void
  /** Resolves when all that was put so far is durable, or has failed and was logged. */
  flush(): Promise<void>
  stop(): Promise<void>
}

const MAX_PENDING_RECORDS = 100_000

/** Opens a status store over a log. Writes of one turn of the event loop go out together. */
export function createStatusStore(options: {
  log: CompactedLog
  logger: Logger
  clock: Clock
  workerId: string
  /** Whether a connector or task that this worker has a status of is configured; one that is not may be forgotten. */
  isConfigured: (kind: WorkKind, key: string) => boolean
}): StatusStore {
  const { log, logger, clock, workerId, isConfigured } = options
  const state = new StatusState()
  let pending: LogWrite[] = []
  let writing: Promise<void> = Promise.resolve()
  let scheduled = false
  let started = false
  /** Deletions of this worker that have not been read back. */
  const deleting = new Set<string>()

  const writePending = async () => {
    scheduled = false
    const batch = pending
    pending = []
    try {
      await log.append(batch)
    } catch (error) {
      logger.error({ err: error, records: batch.length }, 'statuses could not be written; they stay as they were')
    }
  }
  const write = (record: LogWrite) => {
    if (pending.length >= MAX_PENDING_RECORDS) {
      logger.error({ key: record.key }, 'too many statuses wait to be written; one was dropped')
      return
    }
    pending.push(record)
    if (record.value === null) deleting.add(record.key)
    // This worker knows it now, also while the log is away; the log's order has the last word.
    state.apply(record.key, record.value)
    if (scheduled) return
    scheduled = true
    writing = writing.then(writePending)
  }
  /** Others that read the topic later see only its last record: the owner says again how it is. */
  const sayAgain = (key: string, status: Status | undefined) => {
    if (!started || status?.workerId !== workerId) return
    const target = statusTarget(key)
    if (target && isConfigured(target.kind, target.key)) write(statusRecord(target.kind, target.key, status))
  }
  const replay = ({ key, value }: LogRecord) => {
    const target = statusTarget(key)
    const before = target ? state.get(target.kind, target.key) : undefined
    const result = state.apply(key, value)
    if (result === 'unknown') logger.warn({ key }, 'skipped a record of the status topic')
    // A deletion may come late, when the connector has been created again under the same name.
    const deletedElsewhere = value === null && !deleting.delete(key)
    if (result === 'outdated' || deletedElsewhere) sayAgain(key, before)
  }
  const flush = async () => {
    // More may be put while the wait lasts.
    for (let seen: Promise<void> | null = null; seen !== writing; await seen) seen = writing
  }
  return {
    state,
    async start() {
      await log.start((records) => {
        for (const record of records) replay(record)
      })
      started = true
    },
    put: (kind, key, status) => write(statusRecord(kind, key, status)),
    putSafely(kind, key, status) {
      if (mayWriteSafely(state.get(kind, key), status)) write(statusRecord(kind, key, status))
    },
    delete: (kind, key) => write(statusRecord(kind, key, null)),
    putTopic: (connector, task, topic) =>
      write(topicRecord(connector, topic, { connector, topic, task, discoveredMs: clock.now() })),
    deleteTopics(connector) {
      for (const topic of state.topics(connector)) write(topicRecord(connector, topic, null))
    },
    flush,
    async stop() {
      await flush()
      await log.stop()
    },
  }
}
