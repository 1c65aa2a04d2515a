import type { RunState } from '../worker/worker.ts'
import type { RecordToWrite } from './config-records.ts'
import { type WorkKind, workKinds } from './work.ts'

/** The status of a connector or task as it is kept in the status topic. Fields after `version` are additions of Millrace. */
export interface Status {
  readonly state: RunState
  readonly trace: string | null
  readonly workerId: string
  readonly generation: number
  readonly version: string | null
  readonly finished?: boolean
  readonly restart?: { readonly attempts: number; readonly nextAttemptAtMs: number | null }
}

/** A topic that a connector has used (KIP-558). */
export interface ActiveTopic {
  readonly connector: string
  readonly topic: string
  readonly task: number
  readonly discoveredMs: number
}

const STATES: ReadonlySet<unknown> = new Set<RunState>([
  'UNASSIGNED',
  'RUNNING',
  'PAUSED',
  'FAILED',
  'RESTARTING',
  'STOPPED',
  'DESTROYED',
])

/** What came of a record: `outdated` is a late word of an earlier owner, `unknown` is none that Connect writes. */
export type ApplyResult = 'applied' | 'outdated' | 'unknown'

/** All that the status topic says, replayed record by record; it holds no I/O. */
export class StatusState {
  private readonly statuses = { connectors: new Map<string, Status>(), tasks: new Map<string, Status>() }
  private readonly topicsByConnector = new Map<string, Map<string, ActiveTopic>>()

  /** Applies a record. */
  apply(key: string, value: Buffer | null): ApplyResult {
    const target = statusTarget(key)
    if (target) return applyStatus(this.statuses[target.kind], target.key, value)
    if (key.startsWith('status-topic-')) return this.applyTopic(key.slice('status-topic-'.length), value)
    return 'unknown'
  }

  private applyTopic(rest: string, value: Buffer | null): ApplyResult {
    const separator = rest.indexOf(':connector-')
    if (separator < 0) return 'unknown'
    const topic = rest.slice(0, separator)
    const connector = rest.slice(separator + ':connector-'.length)
    if (value === null) {
      this.topicsByConnector.get(connector)?.delete(topic)
      return 'applied'
    }
    const json = parseObject(value)
    const body = json?.topic
    if (typeof body !== 'object' || body === null) return 'unknown'
    const { task, discoverTimestamp } = body as { task?: unknown; discoverTimestamp?: unknown }
    let topics = this.topicsByConnector.get(connector)
    if (!topics) {
      topics = new Map()
      this.topicsByConnector.set(connector, topics)
    }
    topics.set(topic, { connector, topic, task: Number(task), discoveredMs: Number(discoverTimestamp) })
    return 'applied'
  }

  get(kind: WorkKind, key: string): Status | undefined {
    return this.statuses[kind].get(key)
  }

  /** Whatever has a status. */
  keys(kind: WorkKind): readonly string[] {
    return [...this.statuses[kind].keys()]
  }

  topics(connector: string): readonly string[] {
    return [...(this.topicsByConnector.get(connector)?.keys() ?? [])]
  }

  connectorsWithTopics(): readonly string[] {
    return [...this.topicsByConnector].filter(([, topics]) => topics.size > 0).map(([name]) => name)
  }
}

const PREFIXES: Readonly<Record<WorkKind, string>> = { connectors: 'status-connector-', tasks: 'status-task-' }

/** What a key of the status topic tells of; null for topics in use. */
export function statusTarget(key: string): { readonly kind: WorkKind; readonly key: string } | null {
  const kind = workKinds.find((each) => key.startsWith(PREFIXES[each]))
  return kind === undefined ? null : { kind, key: key.slice(PREFIXES[kind].length) }
}

function applyStatus(statuses: Map<string, Status>, key: string, value: Buffer | null): ApplyResult {
  if (value === null) {
    statuses.delete(key)
    return 'applied'
  }
  const status = decodeStatus(value)
  if (!status) return 'unknown'
  const previous = statuses.get(key)
  // A worker that was frozen says goodbye with an old view of the log: the new owner has spoken before.
  if (status.state === 'UNASSIGNED' && !mayWriteSafely(previous, status)) return 'outdated'
  if (status.state === 'DESTROYED') statuses.delete(key)
  else statuses.set(key, status)
  return 'applied'
}

function parseObject(value: Buffer): Record<string, unknown> | null {
  try {
    const json: unknown = JSON.parse(value.toString('utf8'))
    return typeof json === 'object' && json !== null ? (json as Record<string, unknown>) : null
  } catch {
    return null
  }
}

function decodeStatus(value: Buffer): Status | null {
  const json = parseObject(value)
  if (!json || !STATES.has(json.state) || typeof json.worker_id !== 'string') return null
  return {
    state: json.state as RunState,
    trace: typeof json.trace === 'string' ? json.trace : null,
    workerId: json.worker_id,
    generation: Number(json.generation ?? 0),
    version: typeof json.version === 'string' ? json.version : null,
    ...(json.finished === true ? { finished: true } : {}),
    ...(isRestart(json.restart) ? { restart: json.restart } : {}),
  }
}

function isRestart(value: unknown): value is NonNullable<Status['restart']> {
  return typeof value === 'object' && value !== null && typeof (value as { attempts?: unknown }).attempts === 'number'
}

/**
 * Whether a worker may write UNASSIGNED for something that it has given up: only over its own word, or over that of an
 * older generation, so that a late goodbye never hides the new owner (Kafka's putSafe).
 */
export function mayWriteSafely(previous: Status | undefined, next: Status): boolean {
  return previous === undefined || previous.workerId === next.workerId || previous.generation <= next.generation
}

function encodeStatus(status: Status): Buffer {
  return Buffer.from(
    JSON.stringify({
      state: status.state,
      trace: status.trace,
      worker_id: status.workerId,
      generation: status.generation,
      version: status.version,
      ...(status.finished ? { finished: true } : {}),
      ...(status.restart ? { restart: status.restart } : {}),
    }),
  )
}

/** The record of a status; null deletes it. */
export function statusRecord(kind: WorkKind, key: string, status: Status | null): RecordToWrite {
  return { key: PREFIXES[kind] + key, value: status === null ? null : encodeStatus(status) }
}

/** The record that says that a connector uses a topic; null forgets it. */
export function topicRecord(connector: string, topic: string, use: ActiveTopic | null): RecordToWrite {
  const value =
    use === null
      ? null
      : Buffer.from(
          JSON.stringify({ topic: { name: topic, connector, task: use.task, discoverTimestamp: use.discoveredMs } }),
        )
  return { key: `status-topic-${topic}:connector-${connector}`, value }
}
