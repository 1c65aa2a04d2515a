import type { RawConfig } from '@millrace/sdk'
import type { Timer } from '../../base/index.ts'
import type { UnitKey } from '../host/host-protocol.ts'
import type { Lane, PooledHost } from './host-pool.ts'
import { NO_RESTARTS, type RestartHistory, type RestartPolicy } from './restart-policy.ts'
import type { MetricSample, RunState, TargetState, TaskId } from './worker.ts'

/** A connector instance or task that this worker shall run, as its supervisor sees it. */
export class Unit {
  readonly key: UnitKey
  readonly connector: string
  /** Null for the connector instance. */
  readonly task: number | null
  connectorConfig: RawConfig
  /** The configuration of the task; for a connector instance its own. */
  config: RawConfig
  /** Values in them that came from config providers. */
  secrets: readonly string[] = []
  policy: RestartPolicy
  /** The hosts it runs in when all is well. */
  readonly home: Lane
  target: TargetState
  /** Where it has to run instead: alone, or with others that came out of a host that was killed. */
  confined: Lane | null = null
  /** How often the host stood still in its code. */
  stalls = 0
  host: PooledHost | null = null
  state: RunState = 'UNASSIGNED'
  /** False once it shall end: what still comes from its host is not news any more. */
  wanted = true
  /** Counts starts, so that what belongs to an earlier one is recognised. */
  epoch = 0
  history: RestartHistory = NO_RESTARTS
  restartTimer: Timer | null = null
  version: string | undefined
  /** Of the last failure. */
  trace = ''
  metrics: readonly MetricSample[] = []

  constructor(init: {
    readonly id: TaskId | { readonly connector: string; readonly task: null }
    readonly connectorConfig: RawConfig
    readonly config: RawConfig
    readonly target: TargetState
    readonly policy: RestartPolicy
    readonly home: Lane
  }) {
    this.connector = init.id.connector
    this.task = init.id.task
    this.key = init.id.task === null ? connectorKey(this.connector) : taskKey({ ...init.id, task: init.id.task })
    this.connectorConfig = init.connectorConfig
    this.config = init.config
    this.target = init.target
    this.policy = init.policy
    this.home = init.home
  }

  get id(): TaskId {
    return { connector: this.connector, task: this.task ?? -1 }
  }

  get lane(): Lane {
    return this.confined ?? this.home
  }
}

export function connectorKey(connector: string): UnitKey {
  return `connector:${connector}`
}

export function taskKey({ connector, task }: TaskId): UnitKey {
  return `task:${connector}-${task}`
}
