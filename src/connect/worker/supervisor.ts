import { type Clock, type Logger, sleep } from '../../base/index.ts'
import { RemoteError } from '../host/remote-error.ts'
import { formatTrace } from '../host/trace.ts'
import type { UnitStateEvent } from '../host/host-protocol.ts'
import type { EndReason, HostPool, Lane, PooledHost } from './host-pool.ts'
import { stepRestart } from './restart-policy.ts'
import type { Unit } from './unit.ts'
import type { RunState, StateDetail, TargetState } from './worker.ts'

export interface SupervisorOptions {
  readonly clock: Clock
  readonly logger: Logger
  readonly pool: HostPool
  readonly onState: (unit: Unit, state: RunState, detail: StateDetail) => void
  /** Gives a unit that starts again its configuration anew; throws when it cannot be read. */
  readonly renew: (unit: Unit) => void
}

/** How much longer than its own time-out a stop may take before the host counts as not answering. */
const STOP_GRACE_MS = 1000

/**
 * Keeps units running: places them in hosts, finds the one to blame when a host has to be killed, restarts by policy.
 * A unit stays where it is put until something happens to its host; nothing here waits for plugin code without a limit.
 */
export class Supervisor {
  readonly #o: SupervisorOptions
  readonly #units = new Map<string, Unit>()
  #suspectLanes = 0

  constructor(options: SupervisorOptions) {
    this.#o = options
  }

  get(key: string): Unit | undefined {
    return this.#units.get(key)
  }

  all(): readonly Unit[] {
    return [...this.#units.values()]
  }

  /** Starts a unit; resolves when a host has taken it, or it has failed. */
  async add(unit: Unit): Promise<void> {
    if (this.#units.has(unit.key)) throw new Error(`${unit.key} runs on this worker already`)
    this.#units.set(unit.key, unit)
    await this.#launch(unit)
  }

  /** A unit that cannot be started at all, for example because its configuration cannot be read. */
  refuse(unit: Unit, error: unknown): void {
    this.#units.set(unit.key, unit)
    this.#failed(unit, formatTrace(error))
  }

  /** A unit that is no use as it is, for example because it does not come to run. */
  fail(unit: Unit, error: unknown): void {
    if (unit.wanted && unit.state !== 'FAILED') this.#failed(unit, formatTrace(error))
  }

  async setTarget(unit: Unit, target: TargetState): Promise<void> {
    unit.target = target
    if (!unit.host) return
    try {
      await unit.host.process.rpc.call('setTarget', { unit: unit.key, target })
    } catch (error) {
      // The host is gone: the unit starts elsewhere with its new target.
      if (!isGone(error)) throw error
    }
  }

  /** Ends a unit within `timeoutMs` and a little more, whatever its code does. */
  async remove(unit: Unit, timeoutMs: number): Promise<void> {
    unit.wanted = false
    unit.restartTimer?.cancel()
    await this.#stopInHost(unit, timeoutMs)
    this.#units.delete(unit.key)
  }

  /** What a host says of a unit of its. */
  onUnitState(host: PooledHost, { unit: key, state, detail }: UnitStateEvent): void {
    const unit = this.#units.get(key)
    if (!unit || unit.host !== host || !unit.wanted) return
    if (detail.version !== undefined) unit.version = detail.version
    if (state === 'FAILED') this.#failed(unit, detail.trace ?? 'no reason was given')
    else if (state === 'STOPPED' && detail.finished) this.#finished(unit)
    else {
      const nowMs = this.#o.clock.monotonicMs()
      if (state === 'RUNNING') unit.history = stepRestart(unit.policy, unit.history, { type: 'running', nowMs })[0]
      this.#tell(unit, state, {})
    }
  }

  /** A host was killed or has crashed: its units go on elsewhere, but for the one to blame. */
  onHostGone(host: PooledHost, reason: EndReason): void {
    const units = [...host.units.keys()]
      .map((key) => this.#units.get(key))
      .filter((unit) => unit?.host === host) as Unit[]
    host.units.clear()
    for (const unit of units) unit.host = null
    const alive = units.filter((unit) => unit.wanted)
    const culprit = alive.find((unit) => unit.key === reason.culprit)
    if (culprit) {
      this.#blame(culprit, reason)
      for (const unit of alive) if (unit !== culprit) this.#relaunch(unit)
    } else if (alive.length === 1 && units.length === 1) this.#blame(alive[0]!, reason)
    else this.#split(alive, reason)
  }

  /** Nobody knows who it was: each half goes on in a host of its own, so that the next time fewer come into question. */
  #split(units: readonly Unit[], reason: EndReason): void {
    // What was known and is not running any more was the cause, as when a validation stood still.
    if (reason.culprit !== null) {
      for (const unit of units) this.#relaunch(unit)
      return
    }
    const half = Math.ceil(units.length / 2)
    for (const part of [units.slice(0, half), units.slice(half)]) {
      const lane: Lane = { name: `suspects:${++this.#suspectLanes}`, maxHosts: 1 }
      for (const unit of part) {
        unit.confined = lane
        this.#relaunch(unit)
      }
    }
  }

  /** The first stall of a unit may have been the machine's fault: it gets a second chance in a host of its own. */
  #blame(unit: Unit, reason: EndReason): void {
    unit.confined = { name: `alone:${unit.key}`, maxHosts: 1 }
    const stalledBefore = unit.stalls > 0
    if (reason.kind === 'stall') unit.stalls++
    if (reason.kind === 'stall' && !stalledBefore) {
      this.#tell(unit, 'RESTARTING', { trace: reason.text })
      this.#relaunch(unit)
    } else this.#failed(unit, `HostKilled: ${reason.text}`)
  }

  #relaunch(unit: Unit): void {
    this.#o.logger.info({ unit: unit.key, lane: unit.lane.name }, 'starts again in another task host')
    void this.#launch(unit)
  }

  async #launch(unit: Unit): Promise<void> {
    const epoch = ++unit.epoch
    const purpose = unit.task === null ? 'connector' : 'task'
    const host = this.#o.pool.acquire(unit.lane, purpose)
    unit.host = host
    host.units.set(unit.key, purpose)
    try {
      await host.ready
      if (unit.epoch !== epoch || !unit.wanted) return
      await (unit.task === null
        ? host.process.rpc.call('startConnector', {
            unit: unit.key,
            connector: unit.connector,
            config: unit.config,
            target: unit.target,
            secrets: unit.secrets,
          })
        : host.process.rpc.call('startTask', {
            unit: unit.key,
            id: { connector: unit.connector, task: unit.task },
            connectorConfig: unit.connectorConfig,
            taskConfig: unit.config,
            target: unit.target,
            secrets: unit.secrets,
          }))
    } catch (error) {
      // When the host is gone, `onHostGone` decides what becomes of its units.
      if (isGone(error) || unit.epoch !== epoch || !unit.wanted) return
      this.#failed(unit, error instanceof RemoteError ? error.trace : formatTrace(error))
    }
  }

  #failed(unit: Unit, trace: string): void {
    const event = { type: 'failed' as const, nowMs: this.#o.clock.monotonicMs() }
    const [history, decision] = stepRestart(unit.policy, unit.history, event)
    unit.history = history
    unit.trace = trace
    this.#tell(unit, 'FAILED', { trace }, decision?.restartInMs ?? null)
    if (decision) this.#restartLater(unit, decision.restartInMs)
  }

  #finished(unit: Unit): void {
    const event = { type: 'finished' as const, nowMs: this.#o.clock.monotonicMs() }
    const [history, decision] = stepRestart(unit.policy, unit.history, event)
    unit.history = history
    this.#tell(unit, 'STOPPED', { finished: true }, decision?.restartInMs ?? null)
    if (decision) this.#restartLater(unit, decision.restartInMs)
  }

  #tell(unit: Unit, state: RunState, detail: StateDetail, restartInMs: number | null = null): void {
    unit.state = state
    const nextAttemptAtMs = restartInMs === null ? null : this.#o.clock.now() + restartInMs
    const { attempts } = unit.history
    const restart = attempts > 0 ? { restart: { attempts, nextAttemptAtMs } } : {}
    const version = unit.version === undefined ? {} : { version: unit.version }
    this.#o.onState(unit, state, { ...version, ...detail, ...restart })
  }

  #restartLater(unit: Unit, delayMs: number): void {
    unit.restartTimer?.cancel()
    unit.restartTimer = this.#o.clock.setTimer(delayMs, () => void this.#restart(unit), { unref: true })
  }

  async #restart(unit: Unit): Promise<void> {
    if (!unit.wanted) return
    this.#tell(unit, 'RESTARTING', {})
    await this.#stopInHost(unit, STOP_GRACE_MS)
    if (!unit.wanted) return
    try {
      this.#o.renew(unit)
    } catch (error) {
      this.#failed(unit, formatTrace(error))
      return
    }
    await this.#launch(unit)
  }

  /** Takes a unit out of its host; a host that does not answer, or keeps code of it running, does not live on. */
  async #stopInHost(unit: Unit, timeoutMs: number): Promise<void> {
    unit.epoch++
    const { host } = unit
    if (!host) return
    const { clock, pool } = this.#o
    const late = new AbortController()
    try {
      const stopping = host.ready.then(() => host.process.rpc.call('stopUnit', { unit: unit.key, timeoutMs }))
      const expired = sleep(clock, timeoutMs + STOP_GRACE_MS, late.signal).then(() => null)
      expired.catch(() => {})
      stopping.catch(() => {})
      const stopped = await Promise.race([stopping, expired])
      if (stopped === null) {
        const text = `a task host did not answer within ${timeoutMs + STOP_GRACE_MS} ms when ${unit.key} was to stop`
        host.units.delete(unit.key)
        pool.kill(host, { kind: 'unresponsive', text, culprit: unit.key })
      } else if (!stopped.clean) {
        this.#o.logger.warn({ unit: unit.key, timeoutMs }, 'did not stop in time and was cut off')
        host.closed = true
      }
    } catch (error) {
      if (!isGone(error)) this.#o.logger.error({ err: error, unit: unit.key }, 'could not be stopped in good order')
    } finally {
      late.abort()
      host.units.delete(unit.key)
      unit.host = null
      pool.release(host)
    }
  }
}

function isGone(error: unknown): boolean {
  return error instanceof RemoteError && (error.code === 'HOST_GONE' || error.code === 'GONE')
}
