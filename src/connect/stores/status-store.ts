import type { Clock, Logger } from '../../base/index.ts'
import {
  connectorStatusRecord,
  mayWriteSafely,
  type Status,
  StatusState,
  taskStatusRecord,
  topicRecord,
} from '../herder/status-state.ts'
import type { CompactedLog, LogRecord, LogWrite } from './compacted-log.ts'

/** The statuses of all connectors and tasks: what the log says, and writes that never make the caller wait. */
export interface StatusStore {
  readonly state: StatusState
  start(): Promise<void>
  putConnector(name: string, status: Status): void
  putTask(key: string, status: Status): void
  /** Writes unless a newer owner has spoken since. */
  putConnectorSafely(name: string, status: Status): void
  putTaskSafely(key: string, status: Status): void
  deleteConnector(name: string): void
  deleteTask(key: string): void
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
  isConfigured: (kind: 'connector' | 'task', key: string) => boolean
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
  const put = (record: LogWrite) => {
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
    const target = targetOf(key)
    if (!target || !isConfigured(target.kind, target.key)) return
    put(target.kind === 'connector' ? connectorStatusRecord(target.key, status) : taskStatusRecord(target.key, status))
  }
  const replay = ({ key, value }: LogRecord) => {
    const target = targetOf(key)
    const before = target && (target.kind === 'connector' ? state.connector(target.key) : state.task(target.key))
    const result = state.apply(key, value)
    if (result === 'unknown') logger.warn({ key }, 'skipped a record of the status topic')
    // A deletion may come late, when the connector has been created again under the same name.
    const deletedElsewhere = value === null && !deleting.delete(key)
    if (result === 'outdated' || deletedElsewhere) sayAgain(key, before ?? undefined)
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
    putConnector: (name, status) => put(connectorStatusRecord(name, status)),
    putTask: (key, status) => put(taskStatusRecord(key, status)),
    putConnectorSafely(name, status) {
      if (mayWriteSafely(state.connector(name), status)) put(connectorStatusRecord(name, status))
    },
    putTaskSafely(key, status) {
      if (mayWriteSafely(state.task(key), status)) put(taskStatusRecord(key, status))
    },
    deleteConnector: (name) => put(connectorStatusRecord(name, null)),
    deleteTask: (key) => put(taskStatusRecord(key, null)),
    putTopic: (connector, task, topic) =>
      put(topicRecord(connector, topic, { connector, topic, task, discoveredMs: clock.now() })),
    deleteTopics(connector) {
      for (const topic of state.topics(connector)) put(topicRecord(connector, topic, null))
    },
    flush,
    async stop() {
      await flush()
      await log.stop()
    },
  }
}

/** What a key of the status topic tells of; null for topics in use. */
function targetOf(key: string): { readonly kind: 'connector' | 'task'; readonly key: string } | null {
  for (const kind of ['connector', 'task'] as const) {
    const prefix = `status-${kind}-`
    if (key.startsWith(prefix)) return { kind, key: key.slice(prefix.length) }
  }
  return null
}
