import type { Clock, Logger, Random } from '../../base/index.ts'
import type { PluginRegistry } from '../plugins/plugin-registry.ts'
import type { LogClients } from './log-clients.ts'
import type { OffsetAccess } from './offset-access.ts'
import type { PluginClients } from './plugin-clients.ts'
import type { MetricSample, RunState, StateDetail, TargetState } from './worker.ts'
import type { RawConfig } from '@millrace/sdk'

/** What a runner tells the worker; calls must not throw. */
export interface UnitEvents {
  onState(state: RunState, detail: StateDetail): void
  onTopicUsed(topic: string): void
}

/** What connectors and tasks run on. */
export interface UnitEnvironment {
  readonly clock: Clock
  readonly random: Random
  readonly logger: Logger
  readonly registry: PluginRegistry
  readonly clients: LogClients
  /** What the plugin itself may connect to; the runner closes it with the unit. */
  readonly pluginClients: PluginClients
  readonly workerConfig: RawConfig
  readonly offsets: OffsetAccess
  /** The topic that source tasks write their offsets to; null when the worker's process keeps them. */
  readonly offsetsTopic: string | null
  /** Lets timers and sockets have their turn. */
  readonly yieldLoop: () => Promise<void>
}

/** A connector instance or task inside a host. */
export interface UnitRunner {
  /** Runs until stopped, failed or finished; the outcome comes as a state. Never rejects. */
  run(): Promise<void>
  setTarget(target: TargetState): void
  /** Ends it gracefully, by force after `timeoutMs`; false when code was left behind that may still run. */
  stop(timeoutMs: number): Promise<boolean>
  /** Something went wrong outside of any call, such as an unhandled rejection. */
  fail(error: unknown): void
  samples(): readonly MetricSample[]
}

/** The unit was cut off because it did not stop in time. */
export class CutOffError extends Error {
  override name = 'CutOffError'
}

/** The unit was asked to stop; what was waiting gives up in good order. */
export class StoppedError extends Error {
  override name = 'StoppedError'
}
