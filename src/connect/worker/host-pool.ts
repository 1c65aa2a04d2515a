import type { Clock, Logger, Timer } from '../../base/index.ts'
import type { HostExit, HostProcess, SpawnHost } from '../host/host-process.ts'
import type { HostSetup, UnitKey, WorkerMethods } from '../host/host-protocol.ts'
import type { PackagePlugin } from '../plugins/package-scan.ts'
import type { Handlers } from '../host/rpc.ts'
import { formatTrace } from '../host/trace.ts'

/** Why a host was ended, in words for people and for deciding who is to blame. */
export interface EndReason {
  readonly kind: 'stall' | 'memory' | 'unresponsive' | 'condemned' | 'crash'
  readonly text: string
  /** The unit whose code it was, when that is known. */
  readonly culprit: string | null
}

/** Which units share hosts. */
export interface Lane {
  readonly name: string
  readonly maxHosts: number
}

/** What a host is wanted for: tasks move data, everything else hardly works. */
export type Purpose = 'task' | 'connector' | 'question'

/** One task host of the pool. */
export interface PooledHost {
  readonly lane: Lane
  readonly process: HostProcess
  readonly units: Map<UnitKey, Purpose>
  /** Resolves when it can run units, with the packages that there are. */
  ready: Promise<void>
  lastSignMs: number
  /** No new units: it is being ended, or code that was cut off may still run in it. */
  closed: boolean
  end: EndReason | null
  dismissed: boolean
  idleTimer: Timer | null
}

export interface HostPoolOptions {
  readonly clock: Clock
  readonly logger: Logger
  readonly spawn: SpawnHost
  readonly setup: HostSetup
  readonly stallTimeoutMs: number
  readonly memoryLimitMb: number
  readonly handlersFor: (host: () => PooledHost) => Handlers<WorkerMethods>
  /** A host has ended that was not dismissed; its units have to go elsewhere. */
  readonly onGone: (host: PooledHost, reason: EndReason) => void
}

const WATCH_MS = 500
/** Tasks that are started again, by a restart policy or a rebalance, find a host whose code is loaded and compiled. */
const IDLE_MS = 30_000
const PROBE_TIMEOUT_MS = 10_000
const MEGABYTE = 1024 * 1024

/** The task hosts of a worker: starts them as needed, watches that they live, ends them. */
export class HostPool {
  readonly #o: HostPoolOptions
  readonly #hosts = new Set<PooledHost>()
  #watch: Timer | null = null
  #watchedMs = 0
  #stopped = false
  #setup: HostSetup

  constructor(options: HostPoolOptions) {
    this.#o = options
    this.#setup = options.setup
  }

  start(): void {
    this.#watchedMs = this.#o.clock.monotonicMs()
    this.#scheduleWatch()
  }

  /** Tells all hosts, those to come too, which packages there are. What runs in them goes on as it is. */
  setPackages(packages: readonly PackagePlugin[]): void {
    this.#setup = { ...this.#setup, packages }
    for (const host of this.#hosts) {
      if (host.closed) continue
      host.ready = host.ready.then(() => host.process.rpc.call('plugins', { packages }))
      // Whoever waits for the host hears of it, and that it has ended comes by another way.
      host.ready.catch(() => {})
    }
  }

  /**
   * The host of the lane with the least to do; a new one while the lane may have more and none is free. Tasks are
   * counted by themselves: next to connectors, which do nothing most of the time, two tasks that both work would share
   * one core while another stands idle.
   */
  acquire(lane: Lane, purpose: Purpose): PooledHost {
    const hosts = [...this.#hosts].filter((host) => host.lane.name === lane.name && !host.closed)
    const loadOf = (host: PooledHost) => (purpose === 'task' ? tasksOf(host) : host.units.size)
    const least = hosts.toSorted((a, b) => loadOf(a) - loadOf(b) || a.units.size - b.units.size)[0]
    if (least && (loadOf(least) === 0 || hosts.length >= lane.maxHosts)) {
      least.idleTimer?.cancel()
      least.idleTimer = null
      return least
    }
    return this.#spawn(lane)
  }

  /** Something of a host ended; a host without units is not kept for long. */
  release(host: PooledHost): void {
    if (host.units.size > 0 || host.dismissed) return
    if (host.closed) {
      this.#dismiss(host)
      host.process.kill()
      return
    }
    host.idleTimer ??= this.#o.clock.setTimer(
      IDLE_MS,
      () => {
        host.idleTimer = null
        if (host.units.size === 0 && !host.closed) this.#dismiss(host)
      },
      { unref: true },
    )
  }

  /** Ends a host by force; its units hear of it through `onGone`. */
  kill(host: PooledHost, reason: EndReason): void {
    if (host.end || host.dismissed) return
    host.end = reason
    host.closed = true
    this.#o.logger.warn({ pid: host.process.pid, reason: reason.kind, units: [...host.units.keys()] }, reason.text)
    host.process.kill()
  }

  /** Ends all hosts; those that do not go within `timeoutMs` are killed. */
  async stop(timeoutMs: number): Promise<void> {
    this.#stopped = true
    this.#watch?.cancel()
    const hosts = [...this.#hosts]
    const late = this.#o.clock.setTimer(timeoutMs, () => {
      for (const host of hosts) host.process.kill()
    })
    for (const host of hosts) this.#dismiss(host)
    await Promise.all(hosts.map((host) => host.process.exited))
    late.cancel()
  }

  #dismiss(host: PooledHost): void {
    host.dismissed = true
    host.closed = true
    host.idleTimer?.cancel()
    host.process.dismiss()
  }

  #spawn(lane: Lane): PooledHost {
    const { clock, logger, spawn, memoryLimitMb, handlersFor } = this.#o
    const handlers = handlersFor(() => host)
    const process = spawn({ handlers, maxHeapMb: memoryLimitMb, logger })
    const host: PooledHost = {
      lane,
      process,
      units: new Map(),
      ready: process.rpc.call('setup', this.#setup),
      lastSignMs: clock.monotonicMs(),
      closed: false,
      end: null,
      dismissed: false,
      idleTimer: null,
    }
    host.ready.catch((error: unknown) => {
      this.kill(host, { kind: 'crash', text: `a task host could not start: ${formatTrace(error)}`, culprit: null })
    })
    this.#hosts.add(host)
    logger.debug({ pid: process.pid, lane: lane.name }, 'a task host starts')
    void process.exited.then((exit) => this.#onExit(host, exit))
    return host
  }

  #onExit(host: PooledHost, exit: HostExit): void {
    this.#hosts.delete(host)
    host.closed = true
    host.idleTimer?.cancel()
    if (host.dismissed || this.#stopped) return
    this.#o.onGone(host, host.end ?? crashReason(exit, this.#o.memoryLimitMb))
  }

  #scheduleWatch(): void {
    this.#watch = this.#o.clock.setTimer(
      WATCH_MS,
      () => {
        this.#look()
        if (!this.#stopped) this.#scheduleWatch()
      },
      { unref: true },
    )
  }

  #look(): void {
    const { clock, stallTimeoutMs, memoryLimitMb } = this.#o
    const now = clock.monotonicMs()
    // When this process itself stood still, the signs of life wait in its queue: nobody is to be judged by them.
    const wasLate = now - this.#watchedMs > WATCH_MS * 3
    this.#watchedMs = now
    for (const host of this.#hosts) {
      if (host.closed) continue
      if (wasLate) host.lastSignMs = now
      else if (now - host.lastSignMs > stallTimeoutMs) void this.#onStall(host)
      const bytes = host.process.residentBytes()
      if (bytes === null || bytes <= memoryLimitMb * MEGABYTE) continue
      const used = Math.round(bytes / MEGABYTE)
      const text = `a task host used ${used} MB, more than task.host.memory.max.mb = ${memoryLimitMb}`
      this.kill(host, { kind: 'memory', text, culprit: null })
    }
  }

  async #onStall(host: PooledHost): Promise<void> {
    const { clock, stallTimeoutMs } = this.#o
    host.closed = true
    const stoodMs = Math.round(clock.monotonicMs() - host.lastSignMs)
    const { unit, stack } = await host.process.probe(PROBE_TIMEOUT_MS)
    const where = stack === null ? '' : ` Its code stands at\n${stack}`
    const text = `the main loop of a task host stood still for ${stoodMs} ms, longer than task.host.stall.timeout.ms = ${stallTimeoutMs}.${where}`
    this.kill(host, { kind: 'stall', text, culprit: unit })
  }
}

function tasksOf(host: PooledHost): number {
  let tasks = 0
  for (const purpose of host.units.values()) if (purpose === 'task') tasks++
  return tasks
}

function crashReason({ code, signal, stderr, outOfMemory }: HostExit, memoryLimitMb: number): EndReason {
  if (outOfMemory) {
    const text = `a task host ran out of heap: task.host.memory.max.mb = ${memoryLimitMb}`
    return { kind: 'memory', text, culprit: null }
  }
  const how = signal === null ? `exit code ${code}` : `signal ${signal}`
  const last = stderr.trim() === '' ? '' : ` Its last output:\n${stderr.trim()}`
  return { kind: 'crash', text: `a task host ended unexpectedly by ${how}.${last}`, culprit: null }
}
