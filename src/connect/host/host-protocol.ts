import type { RawConfig } from '@millrace/sdk'
import type { ConfigInfos, ConfigKeyInfo } from '../config/config-infos.ts'
import type { PackagePlugin } from '../plugins/package-scan.ts'
import type { MetricSample, RunState, StateDetail, TargetState, TaskId } from '../worker/worker.ts'
import type { ErrorDescription } from './remote-error.ts'

/** A connector instance or a task: what a host runs. `connector:<name>` or `task:<name>-<n>`. */
export type UnitKey = string

/** What a host is told before anything else. */
export interface HostSetup {
  readonly workerId: string
  /** The worker's properties as text: clients, converters, time-outs. */
  readonly workerConfig: RawConfig
  /** The URL of the module with the manifests of everything built in. */
  readonly catalogue: string
  readonly packages: readonly PackagePlugin[]
  /** Values of the worker's properties that came from config providers, not to be seen in any log. */
  readonly secrets: readonly string[]
  /** The topic that tasks write offsets to; null when the worker's process keeps them. */
  readonly offsetsTopic: string | null
  /** How long units may run without a sign of the worker; null where nobody else would take them over. */
  readonly leaseMs: number | null
}

export interface ConnectorStart {
  readonly unit: UnitKey
  readonly connector: string
  readonly config: RawConfig
  readonly target: TargetState
  /** Values of the configuration that came from config providers. */
  readonly secrets: readonly string[]
}

export interface TaskStart {
  readonly unit: UnitKey
  readonly id: TaskId
  readonly connectorConfig: RawConfig
  readonly taskConfig: RawConfig
  readonly target: TargetState
  readonly secrets: readonly string[]
}

export interface UnitStop {
  readonly unit: UnitKey
  /** How long the unit may take before it is cut off. */
  readonly timeoutMs: number
}

/** How a stop went: a unit that was cut off left code behind that may still run. */
export interface UnitStopped {
  readonly clean: boolean
}

/** What a worker asks of a host. */
export type HostMethods = {
  setup: { params: HostSetup; result: void }
  /** The packages have changed: what starts from now on comes from these. */
  plugins: { params: { packages: readonly PackagePlugin[] }; result: void }
  validate: { params: { config: RawConfig; secrets: readonly string[] }; result: ConfigInfos }
  pluginConfig: { params: { className: string; version: string }; result: readonly ConfigKeyInfo[] }
  startConnector: { params: ConnectorStart; result: void }
  taskConfigs: { params: { unit: UnitKey; maxTasks: number }; result: readonly RawConfig[] }
  startTask: { params: TaskStart; result: void }
  setTarget: { params: { unit: UnitKey; target: TargetState }; result: void }
  stopUnit: { params: UnitStop; result: UnitStopped }
}

export interface UnitStateEvent {
  readonly unit: UnitKey
  readonly state: RunState
  readonly detail: StateDetail
}

export interface HostLogLine {
  readonly level: 'debug' | 'info' | 'warn' | 'error'
  readonly fields: Readonly<Record<string, unknown>>
  readonly message: string
}

/** What a host asks and tells its worker. */
export type WorkerMethods = {
  ready: { params: null; result: void }
  /** The sign of life of the main loop; now and then with the numbers of every unit. */
  beat: { params: { readonly metrics: readonly (readonly [UnitKey, readonly MetricSample[]])[] | null }; result: void }
  log: { params: HostLogLine; result: void }
  unitState: { params: UnitStateEvent; result: void }
  topicUsed: { params: { readonly unit: UnitKey; readonly topic: string }; result: void }
  reconfigure: { params: { readonly connector: string }; result: void }
  /** Code of a plugin, and nobody knows whose, left the host in a state that cannot be trusted: replace it. */
  condemned: { params: ErrorDescription; result: void }
  offsetsGet: { params: { readonly keys: readonly Uint8Array[] }; result: readonly (Uint8Array | null)[] }
  offsetsSet: {
    params: { readonly entries: readonly { readonly key: Uint8Array; readonly value: Uint8Array | null }[] }
    result: void
  }
}
