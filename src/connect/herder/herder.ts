import type { PluginKind, RawConfig } from '@millrace/sdk'
import type { ConfigInfos, ConfigKeyInfo } from '../config/config-infos.ts'
import type { Labels } from '../config/worker-labels.ts'
import type { MetricSample, RunState, TargetState } from '../worker/worker.ts'

export interface TaskIdInfo {
  readonly connector: string
  readonly task: number
}

export type ConnectorType = 'source' | 'sink' | 'unknown'

export interface ConnectorInfo {
  readonly name: string
  readonly config: RawConfig
  readonly tasks: readonly TaskIdInfo[]
  readonly type: ConnectorType
}

/** The state of a connector instance; fields after `trace` are additions of Millrace. */
export interface ConnectorState {
  readonly state: RunState
  readonly worker_id: string
  readonly version: string | null
  readonly trace?: string
  readonly restart_attempts?: number
  readonly next_restart_at?: number | null
}

export interface TaskState extends ConnectorState {
  readonly id: number
  readonly finished?: boolean
}

export interface ConnectorStateInfo {
  readonly name: string
  readonly connector: ConnectorState
  readonly tasks: readonly TaskState[]
  readonly type: ConnectorType
}

export interface TaskInfo {
  readonly id: TaskIdInfo
  readonly config: RawConfig
}

export interface PluginSummary {
  readonly class: string
  readonly type: string
  readonly version?: string
}

export interface CreatedConnector {
  readonly created: boolean
  readonly info: ConnectorInfo
}

export type HealthStatus = 'starting' | 'healthy' | 'unhealthy'

/** A request of another worker, with the headers that sign it (KIP-507). */
export interface InternalRequest {
  readonly body: Buffer
  readonly signature: string | undefined
  readonly algorithm: string | undefined
}

/** A level of one logger; null when it was never changed. */
export interface LoggerLevel {
  readonly level: string
  readonly last_modified: number | null
}

/**
 * Everything that REST can ask. Reads are answered from this worker's view of the config and status logs; a change that
 * belongs to another worker throws RequestTargetError. No method waits for plugin code beyond the worker's own bounds.
 */
export interface Herder {
  readonly workerId: string
  readonly labels: Labels
  readonly clusterId: string
  health(): HealthStatus
  connectors(): readonly string[]
  connectorInfo(name: string): Promise<ConnectorInfo>
  connectorStatus(name: string): ConnectorStateInfo
  taskStatus(name: string, task: number): TaskState
  taskInfos(name: string): Promise<readonly TaskInfo[]>
  createConnector(name: string, config: RawConfig, initialState: TargetState): Promise<ConnectorInfo>
  putConnectorConfig(name: string, config: RawConfig): Promise<CreatedConnector>
  patchConnectorConfig(name: string, patch: Readonly<Record<string, string | null>>): Promise<ConnectorInfo>
  deleteConnector(name: string): Promise<void>
  setTarget(name: string, target: TargetState): Promise<void>
  /** Restarts the Connector instance only. */
  restartConnector(name: string): Promise<void>
  restartConnectorAndTasks(name: string, includeTasks: boolean, onlyFailed: boolean): Promise<ConnectorStateInfo>
  restartTask(name: string, task: number): Promise<void>
  topics(name: string): readonly string[]
  resetTopics(name: string): Promise<void>
  plugins(connectorsOnly: boolean): readonly PluginSummary[]
  /** `version` is a range as `connector.plugin.version` has it; the newest when it is left out. */
  pluginConfig(className: string, version?: string): Promise<readonly ConfigKeyInfo[]>
  validate(className: string, config: RawConfig): Promise<ConfigInfos>
  /** Task configurations from the worker that owns the connector. */
  putTaskConfigs(name: string, request: InternalRequest): Promise<void>
  fence(name: string, request: InternalRequest): Promise<void>
  loggers(): Readonly<Record<string, LoggerLevel>>
  logger(name: string): LoggerLevel
  setLogger(name: string, level: string, scope: 'worker' | 'cluster'): Promise<readonly string[]>
  metrics(): readonly MetricSample[]
}

/** The kinds of plugins in the order in which the list of plugins shows them, with Kafka's words. */
export const pluginTypes: readonly (readonly [PluginKind, string])[] = [
  ['sink', 'sink'],
  ['source', 'source'],
  ['transformation', 'transformation'],
  ['predicate', 'predicate'],
  ['converter', 'converter'],
  ['header-converter', 'header_converter'],
]
