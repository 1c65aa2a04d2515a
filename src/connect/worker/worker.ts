import type { PluginKind, RawConfig } from '@millrace/sdk'
import type { ConfigInfos, ConfigKeyInfo } from '../config/config-infos.ts'

/** One task of a connector. */
export interface TaskId {
  readonly connector: string
  readonly task: number
}

/** What a user wants a connector to do. */
export type TargetState = 'STARTED' | 'PAUSED' | 'STOPPED'

/** What a connector or task does, in Kafka's words. */
export type RunState = 'UNASSIGNED' | 'RUNNING' | 'PAUSED' | 'FAILED' | 'RESTARTING' | 'STOPPED' | 'DESTROYED'

/** What comes with a state: all but `trace` and `version` are additions to Kafka's status. */
export interface StateDetail {
  /** The error with its stack, for FAILED. */
  readonly trace?: string
  /** The version of the plugin that runs. */
  readonly version?: string
  /** A source that has reached its end. */
  readonly finished?: boolean
  /** What the restart policy does about a failure. */
  readonly restart?: { readonly attempts: number; readonly nextAttemptAtMs: number | null }
}

/** What the worker tells its herder; all calls come on the main loop and must not throw. */
export interface WorkerListener {
  onConnectorState(connector: string, state: RunState, detail: StateDetail): void
  onTaskState(id: TaskId, state: RunState, detail: StateDetail): void
  /** A task used a topic for the first time (KIP-558). */
  onTopicUsed(id: TaskId, topic: string): void
  onTaskReconfigurationRequested(connector: string): void
}

/** A plugin that this worker can run. */
export interface PluginInfo {
  readonly class: string
  readonly type: PluginKind
  readonly version: string
  readonly aliases: readonly string[]
}

/** One number of one metric group of connect.md section 6, for example group `source-task-metrics`, name `source-record-poll-total`. */
export interface MetricSample {
  readonly group: string
  readonly name: string
  /** `connector` and `task`; `status` for states. */
  readonly labels: Readonly<Record<string, string>>
  readonly value: number
}

/**
 * Runs connectors and tasks in task hosts (child processes). It knows nothing of groups, REST or config topics; plugin
 * code never runs in the process of the caller. All promises settle in bounded time, whatever a plugin does.
 */
export interface Worker {
  /** All that there are at this moment, every version: packages come and go while the worker runs. */
  readonly plugins: readonly PluginInfo[]
  /**
   * Resolves a `connector.class` (or another plugin class) by Kafka's alias rules to its newest version, or the newest in a
   * range of `connector.plugin.version`; undefined when there is none.
   */
  findPlugin(className: string, kind?: PluginKind, range?: string): PluginInfo | undefined
  start(): Promise<void>
  /** Everything that PUT /connector-plugins/X/config/validate answers: the plugin's definition, its own checks, the framework's, transforms, predicates, converters. */
  validate(config: RawConfig): Promise<ConfigInfos>
  pluginConfig(className: string, version?: string): Promise<readonly ConfigKeyInfo[]>
  /** Starts the connector instance; the outcome comes by the listener as RUNNING, PAUSED, STOPPED or FAILED, and rejects for FAILED. */
  startConnector(connector: string, config: RawConfig, target: TargetState): Promise<void>
  stopConnector(connector: string): Promise<void>
  setConnectorTarget(connector: string, target: TargetState): Promise<void>
  /** Asks the running connector instance for its task configurations; each gets `task.class`. */
  taskConfigs(connector: string, maxTasks: number): Promise<readonly RawConfig[]>
  startTask(id: TaskId, connectorConfig: RawConfig, taskConfig: RawConfig, target: TargetState): Promise<void>
  /** Stops the tasks together: gracefully within task.shutdown.graceful.timeout.ms in total, then by force. */
  stopTasks(ids: readonly TaskId[]): Promise<void>
  setTaskTarget(ids: readonly TaskId[], target: TargetState): Promise<void>
  running(): { readonly connectors: readonly string[]; readonly tasks: readonly TaskId[] }
  metrics(): readonly MetricSample[]
  stop(): Promise<void>
}
