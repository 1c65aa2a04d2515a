import type { RawConfig } from '@millrace/sdk'
import type { TargetState } from '../worker/worker.ts'
import { type Labels, labelsText, noLabels, readLabels, REQUIRED_LABELS } from '../config/worker-labels.ts'
import type { Requirements } from './placement.ts'
import { parseTaskKey, taskKey, type Work, type WorkKind, workKinds } from './work.ts'

/** One record of the config topic; null is a tombstone. */
export interface ConfigRecord {
  readonly key: string
  readonly value: Buffer | null
  readonly offset: number
}

/** The key that leader and followers sign internal requests with (KIP-507). */
export interface SessionKey {
  /** Base64, as in the topic. */
  readonly key: string
  readonly algorithm: string
  readonly createdMs: number
}

export interface RestartRequest {
  readonly connector: string
  readonly includeTasks: boolean
  readonly onlyFailed: boolean
}

/** What replaying a record changed, for those that act on it. */
export type ConfigChange =
  | { readonly kind: 'connector'; readonly connector: string; readonly created: boolean }
  | { readonly kind: 'connector-removed'; readonly connector: string; readonly tasks: readonly string[] }
  | { readonly kind: 'target-state'; readonly connector: string }
  /** The task set of a connector took effect; `changed` are the tasks that are new, gone or differ. */
  | { readonly kind: 'tasks'; readonly connector: string; readonly changed: readonly string[]; readonly before: number }
  /** The connector that exists, or its tasks, may run on other workers than before. */
  | { readonly kind: 'required-labels'; readonly connector: string }
  | { readonly kind: 'session-key' }
  | { readonly kind: 'restart'; readonly request: RestartRequest }
  | { readonly kind: 'logger-level'; readonly namespace: string; readonly level: string }
  /** A record that cannot be understood; it is skipped, and said. */
  | { readonly kind: 'bad-record'; readonly key: string; readonly reason: string }

interface Connector {
  config: RawConfig | null
  target: TargetState
  taskCount: number
  tasks: Map<number, RawConfig>
  /** Task configurations whose commit record has not come yet. */
  deferred: Map<number, RawConfig>
  /** The connector's configuration that the present task configurations were made from. */
  applied: RawConfig | null
  inconsistent: boolean
  fencingTaskCount: number | null
  /** The labels that workers need. */
  required: Readonly<Record<WorkKind, Labels>>
}

type Json = Record<string, unknown>

const UNKNOWN_OFFSET = -1

/**
 * The configuration of the cluster, replayed from the config topic. It holds no I/O: `apply` takes one record and says
 * what changed. Invariant 7: task configurations take effect with their commit record, all of them or none.
 */
export class ConfigState {
  private readonly connectorsByName = new Map<string, Connector>()
  private key: SessionKey | null = null
  /** The offset after the last record applied; -1 when there was none. */
  offset = UNKNOWN_OFFSET

  apply(record: ConfigRecord): readonly ConfigChange[] {
    this.offset = record.offset + 1
    try {
      return this.dispatch(record.key, record.value)
    } catch (error) {
      if (!(error instanceof BadRecord)) throw error
      return [{ kind: 'bad-record', key: record.key, reason: error.message }]
    }
  }

  private dispatch(key: string, value: Buffer | null): readonly ConfigChange[] {
    if (key === 'session-key') return this.applySessionKey(value)
    if (key.startsWith('target-state-')) return this.applyTarget(key.slice('target-state-'.length), value)
    if (key.startsWith('tasks-fencing-')) return this.applyFencing(key.slice('tasks-fencing-'.length), value)
    if (key.startsWith('restart-connector-')) return applyRestart(key.slice('restart-connector-'.length), value)
    if (key.startsWith('logger-cluster-')) return applyLogger(key.slice('logger-cluster-'.length), value)
    if (key.startsWith('connector-')) return this.applyConnector(key.slice('connector-'.length), value)
    if (key.startsWith('commit-')) return this.applyCommit(key.slice('commit-'.length), value)
    if (key.startsWith('task-')) return this.applyTask(key.slice('task-'.length), value)
    throw new BadRecord('the key is none that Connect writes')
  }

  private entry(name: string): Connector {
    let connector = this.connectorsByName.get(name)
    if (!connector) {
      connector = {
        config: null,
        target: 'STARTED',
        taskCount: 0,
        tasks: new Map(),
        deferred: new Map(),
        applied: null,
        inconsistent: false,
        fencingTaskCount: null,
        required: { connectors: noLabels, tasks: noLabels },
      }
      this.connectorsByName.set(name, connector)
    }
    return connector
  }

  private applyConnector(name: string, value: Buffer | null): readonly ConfigChange[] {
    if (value === null) {
      const connector = this.connectorsByName.get(name)
      if (!connector) return []
      const tasks = this.tasks(name)
      const existed = connector.config !== null
      this.connectorsByName.delete(name)
      return existed ? [{ kind: 'connector-removed', connector: name, tasks }] : []
    }
    const config = properties(parse(value))
    const connector = this.entry(name)
    const created = connector.config === null
    connector.config = config
    const moved = updateRequiredLabels(connector) && !created
    return [{ kind: 'connector', connector: name, created }, ...(moved ? [requiredLabelsChange(name)] : [])]
  }

  private applyTarget(name: string, value: Buffer | null): readonly ConfigChange[] {
    if (value === null) {
      const connector = this.connectorsByName.get(name)
      if (connector) connector.target = 'STARTED'
      return []
    }
    const json = parse(value)
    const text = json['state.v2'] ?? json.state
    if (text !== 'STARTED' && text !== 'PAUSED' && text !== 'STOPPED') {
      throw new BadRecord(`unknown target state ${JSON.stringify(text)}`)
    }
    const connector = this.entry(name)
    const changed = connector.target !== text
    connector.target = text
    // With an initial state the record comes before the connector itself, which then brings the news.
    return changed && connector.config !== null ? [{ kind: 'target-state', connector: name }] : []
  }

  private applyTask(key: string, value: Buffer | null): readonly ConfigChange[] {
    const match = /^(.+)-(\d+)$/.exec(key)
    if (!match?.[1] || !match[2]) throw new BadRecord('a task key ends in a dash and the number of the task')
    if (value === null) throw new BadRecord('task configurations are never deleted one by one')
    // Without its connector this is what compaction left of a deleted one (KAFKA-16838): it must not come back to life.
    if (!this.has(match[1])) return []
    this.entry(match[1]).deferred.set(Number(match[2]), properties(parse(value)))
    return []
  }

  private applyCommit(name: string, value: Buffer | null): readonly ConfigChange[] {
    if (value === null) throw new BadRecord('a commit record needs a value')
    const count = parse(value).tasks
    if (typeof count !== 'number' || !Number.isInteger(count) || count < 0) {
      throw new BadRecord('`tasks` must be a whole number')
    }
    if (!this.has(name)) return []
    const connector = this.entry(name)
    const wasInconsistent = connector.inconsistent
    const before = wasInconsistent ? 0 : connector.taskCount
    const { deferred } = connector
    // Whatever was deferred belongs to this commit only, also when it turns out incomplete.
    connector.deferred = new Map()
    connector.taskCount = count
    // Invariant 7: after compaction some task records of an old generation may be gone; then none of them is used.
    connector.inconsistent = !range(count).every((task) => deferred.has(task))
    if (connector.inconsistent) {
      const gone = range(before).map((task) => taskKey({ connector: name, task }))
      return [{ kind: 'tasks', connector: name, changed: gone, before }]
    }
    const sameConnector = connector.applied !== null && sameConfig(connector.applied, connector.config ?? {})
    const changed = range(Math.max(before, count)).filter((task) => {
      const old = connector.tasks.get(task)
      const fresh = task < count ? deferred.get(task) : undefined
      return !(sameConnector && old && fresh && task < before && sameConfig(old, fresh))
    })
    connector.tasks = new Map(range(count).map((task) => [task, deferred.get(task) ?? {}]))
    connector.applied = connector.config
    const moved = updateRequiredLabels(connector)
    return [
      { kind: 'tasks', connector: name, changed: changed.map((task) => taskKey({ connector: name, task })), before },
      ...(moved ? [requiredLabelsChange(name)] : []),
    ]
  }

  private applySessionKey(value: Buffer | null): readonly ConfigChange[] {
    if (value === null) throw new BadRecord('a session key needs a value')
    const json = parse(value)
    const { key, algorithm } = json
    const createdMs = json['creation-timestamp']
    if (typeof key !== 'string' || typeof algorithm !== 'string' || typeof createdMs !== 'number') {
      throw new BadRecord('a session key has the fields key, algorithm and creation-timestamp')
    }
    this.key = { key, algorithm, createdMs }
    return [{ kind: 'session-key' }]
  }

  private applyFencing(name: string, value: Buffer | null): readonly ConfigChange[] {
    const count = value === null ? null : parse(value)['task-count']
    if (count !== null && typeof count !== 'number') throw new BadRecord('`task-count` must be a number')
    this.entry(name).fencingTaskCount = count
    return []
  }

  /** Names of the connectors that exist, in the order they were created. */
  connectors(): readonly string[] {
    return [...this.connectorsByName].filter(([, connector]) => connector.config !== null).map(([name]) => name)
  }

  has(name: string): boolean {
    return this.config(name) !== null
  }

  config(name: string): RawConfig | null {
    return this.connectorsByName.get(name)?.config ?? null
  }

  target(name: string): TargetState | null {
    const connector = this.connectorsByName.get(name)
    return connector?.config ? connector.target : null
  }

  /** Keys of the tasks that may run: none while the last commit was incomplete. */
  tasks(name: string): readonly string[] {
    const connector = this.connectorsByName.get(name)
    if (!connector?.config || connector.inconsistent) return []
    return range(connector.taskCount).map((task) => taskKey({ connector: name, task }))
  }

  taskConfig(name: string, task: number): RawConfig | null {
    const connector = this.connectorsByName.get(name)
    return connector && !connector.inconsistent ? (connector.tasks.get(task) ?? null) : null
  }

  /** The connector's configuration that its task configurations were made from; null before the first commit. */
  appliedConfig(name: string): RawConfig | null {
    return this.connectorsByName.get(name)?.applied ?? null
  }

  /** Connectors whose last commit was incomplete; their tasks do not run until the leader writes them anew. */
  inconsistentConnectors(): readonly string[] {
    return this.connectors().filter((name) => this.connectorsByName.get(name)?.inconsistent)
  }

  fencingTaskCount(name: string): number | null {
    return this.connectorsByName.get(name)?.fencingTaskCount ?? null
  }

  sessionKey(): SessionKey | null {
    return this.key
  }

  isConfigured(kind: WorkKind, key: string): boolean {
    return kind === 'connectors' ? this.has(key) : this.tasks(parseTaskKey(key).connector).includes(key)
  }

  /** The labels that a worker needs to run a connector, or its tasks. */
  requiredLabels(kind: WorkKind, connector: string): Labels {
    return this.connectorsByName.get(connector)?.required[kind] ?? noLabels
  }

  /** What all connectors that require labels require, for the assignor. */
  requirements(): Requirements {
    const of = (kind: WorkKind) => {
      const labels = this.connectors().map((name) => [name, this.requiredLabels(kind, name)] as const)
      return new Map(labels.filter(([, required]) => required.size > 0))
    }
    return { connectors: of('connectors'), tasks: of('tasks') }
  }

  /** Everything that is configured to run, for the assignor. */
  configured(): Work {
    const connectors = this.connectors()
    return { connectors: new Set(connectors), tasks: new Set(connectors.flatMap((name) => this.tasks(name))) }
  }
}

/**
 * Reads the labels out of the configurations; says whether they differ from before. Tasks obey the configuration that they
 * were made from and the present one, so that none starts on a new worker with what was meant for the old one.
 */
function updateRequiredLabels(connector: Connector): boolean {
  const { config, applied, required: before } = connector
  const own = readLabels(config?.[REQUIRED_LABELS])
  connector.required = { connectors: own, tasks: new Set([...own, ...readLabels(applied?.[REQUIRED_LABELS])]) }
  return workKinds.some((kind) => labelsText(connector.required[kind]) !== labelsText(before[kind]))
}

function requiredLabelsChange(connector: string): ConfigChange {
  return { kind: 'required-labels', connector }
}

/** A record of the config topic that breaks its format. */
class BadRecord extends Error {}

function parse(value: Buffer): Json {
  let json: unknown
  try {
    json = JSON.parse(value.toString('utf8'))
  } catch {
    throw new BadRecord('the value is not JSON')
  }
  if (typeof json !== 'object' || json === null || Array.isArray(json))
    throw new BadRecord('the value is not an object')
  return json as Json
}

function properties(json: Json): RawConfig {
  const map = json.properties
  if (typeof map !== 'object' || map === null || Array.isArray(map)) {
    throw new BadRecord('the value has no object `properties`')
  }
  const config: Record<string, string> = {}
  for (const [key, value] of Object.entries(map)) if (typeof value === 'string') config[key] = value
  return config
}

function applyRestart(connector: string, value: Buffer | null): readonly ConfigChange[] {
  if (value === null) return []
  const json = parse(value)
  const request = {
    connector,
    includeTasks: json['include-tasks'] === true,
    onlyFailed: json['only-failed'] === true,
  }
  return [{ kind: 'restart', request }]
}

function applyLogger(namespace: string, value: Buffer | null): readonly ConfigChange[] {
  if (value === null) return []
  const { level } = parse(value)
  if (typeof level !== 'string') throw new BadRecord('`level` must be a string')
  return [{ kind: 'logger-level', namespace, level }]
}

function range(count: number): number[] {
  return Array.from({ length: count }, (_, i) => i)
}

/** Whether two configurations have the same keys with the same values. */
export function sameConfig(left: RawConfig, right: RawConfig): boolean {
  const keys = Object.keys(left)
  return keys.length === Object.keys(right).length && keys.every((key) => left[key] === right[key])
}
