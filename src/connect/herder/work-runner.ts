import type { RawConfig } from '@millrace/sdk'
import type { Clock, Logger, Timer } from '../../base/index.ts'
import type { RunState, StateDetail, TargetState, TaskId, Worker } from '../worker/worker.ts'
import type { StatusStore } from '../stores/status-store.ts'
import { type ConfigChange, type ConfigState, sameConfig } from './config-state.ts'
import type { Assignment, Membership } from './membership.ts'
import { Slot } from './slot.ts'
import type { Status } from './status-state.ts'
import { type Labels, lackingLabels } from '../config/worker-labels.ts'
import { connectorOf, forbiddenText } from './placement.ts'
import { parseTaskKey, type Work, type WorkKind, workKinds } from './work.ts'

interface ConnectorWish {
  readonly config: RawConfig
  readonly target: TargetState
  readonly restarts: number
}

interface TaskWish extends ConnectorWish {
  readonly connectorConfig: RawConfig
}

export interface WorkRunnerOptions {
  readonly workerId: string
  readonly labels: Labels
  readonly worker: Worker
  readonly membership: Membership
  readonly config: ConfigState
  readonly statuses: StatusStore
  readonly clock: Clock
  readonly logger: Logger
  /** Awaited before anything of a connector starts; takes little time. */
  prepareStart(connector: string): Promise<void>
  /** A connector instance runs with target STARTED: its task configurations may have changed. */
  onConnectorStarted(connector: string): void
}

/**
 * Runs what the group gave to this worker. It compares what shall run (owned, configured, not held back) with what does
 * and lets each connector and task follow on its own.
 * Invariant 4: something stays owned, and is said to be owned in every join, until it has stopped here; only then can
 * another worker get it.
 */
export class WorkRunner {
  private readonly options: WorkRunnerOptions
  private readonly owned: { connectors: Set<string>; tasks: Set<string> } = { connectors: new Set(), tasks: new Set() }
  /** Owned, but to be given up: it leaves `owned` when it has stopped. */
  private readonly revoking: { connectors: Set<string>; tasks: Set<string> } = {
    connectors: new Set(),
    tasks: new Set(),
  }
  /** Tasks with new configurations wait for a rebalance, so that all old tasks of a connector stop before a new one starts. */
  private readonly held = new Set<string>()
  private heldAtJoin: readonly string[] = []
  private readonly connectorSlots = new Map<string, Slot<ConnectorWish>>()
  private readonly taskSlots = new Map<string, Slot<TaskWish>>()
  private readonly restarts = new Map<string, number>()
  private requiredOffset = -1
  private rejoinTimer: Timer | null = null
  private stopping = false
  generation = -1

  constructor(options: WorkRunnerOptions) {
    this.options = options
  }

  ownsConnector(name: string): boolean {
    return this.owned.connectors.has(name) && !this.revoking.connectors.has(name)
  }

  ownsTask(key: string): boolean {
    return this.owned.tasks.has(key) && !this.revoking.tasks.has(key)
  }

  /** What a join that goes out now says is owned. */
  joining(): Work {
    this.heldAtJoin = [...this.held].filter((key) => this.taskSlots.get(key)?.isEmpty() ?? true)
    return { connectors: new Set(this.owned.connectors), tasks: new Set(this.owned.tasks) }
  }

  /** Waits until nothing runs that must not run through the next rebalance. */
  async prepareJoin(eager: boolean): Promise<void> {
    if (eager) {
      await this.giveUpAll()
      return
    }
    await Promise.all([...this.held].map((key) => this.taskSlots.get(key)?.settled() ?? Promise.resolve()))
  }

  /** Stops everything and owns nothing any more. */
  async giveUpAll(): Promise<void> {
    for (const kind of workKinds) {
      for (const key of this.owned[kind]) this.revoking[kind].add(key)
    }
    this.held.clear()
    // Nothing is left that could need configuration, so a lack of it must not keep anything from stopping (invariant 4).
    this.requiredOffset = -1
    this.reconcile()
    await Promise.all([...this.connectorSlots.values(), ...this.taskSlots.values()].map((slot) => slot.settled()))
  }

  /** Stops everything for good. */
  async shutDown(): Promise<void> {
    this.stopping = true
    this.rejoinTimer?.cancel()
    await this.giveUpAll()
  }

  onAssignment(assignment: Assignment): void {
    const { membership, clock, logger, config } = this.options
    if (this.stopping) return
    this.generation = assignment.generation
    this.rejoinTimer?.cancel()
    if (assignment.failed) {
      logger.warn({ generation: assignment.generation }, 'the leader could not read the configuration; joining again')
      this.rejoinTimer = clock.setTimer(FAILED_ASSIGNMENT_RETRY_MS, () => membership.requestRejoin('failed assignment'))
      return
    }
    if (assignment.eager && this.owned.connectors.size + this.owned.tasks.size > 0) {
      // The group fell back to the eager protocol while this worker kept its work: all must stop before anything starts.
      void this.giveUpAll().then(() => membership.requestRejoin('the group uses the eager protocol now'))
      return
    }
    this.requiredOffset = Math.max(this.requiredOffset, assignment.configOffset)
    let revokedElsewhere = false
    for (const kind of workKinds) {
      for (const key of assignment.assigned[kind]) {
        this.owned[kind].add(key)
        this.revoking[kind].delete(key)
      }
      for (const key of assignment.revoked[kind]) {
        if (this.owned[kind].has(key)) this.revoking[kind].add(key)
        else if (this.isConfigured(kind, key)) revokedElsewhere = true
      }
    }
    // What is taken away goes as soon as it has stopped; it need not wait for another rebalance.
    for (const key of this.revoking.tasks) this.held.delete(key)
    for (const key of this.heldAtJoin) this.held.delete(key)
    if (config.offset < this.requiredOffset) {
      logger.info({ have: config.offset, need: this.requiredOffset }, 'work waits until the configuration is read')
    }
    this.reconcile()
    if (assignment.delayMs > 0) {
      this.rejoinTimer = clock.setTimer(assignment.delayMs, () => membership.requestRejoin('the delay has run out'))
    }
    // A leader may deal lost work to a worker and revoke it in the same round: nothing stops here, but nobody has it
    // until the next round.
    if (revokedElsewhere) membership.requestRejoin('revoked work does not run here')
  }

  /** Acts on what was read from the config log. */
  onChanges(changes: readonly ConfigChange[]): void {
    let reason: string | null = null
    for (const change of changes) {
      if (change.kind === 'connector') {
        if (change.created) reason = `connector ${change.connector} was created`
        // One that was deleted and created again may still run from before: it starts anew even with the same config.
        this.bump(change.connector)
      } else if (change.kind === 'connector-removed') {
        reason = `connector ${change.connector} was deleted`
      } else if (change.kind === 'required-labels') {
        reason = `${change.connector} requires other labels of workers`
      } else if (change.kind === 'tasks') {
        if (this.holdChanged(change.connector, change.changed, change.before)) {
          reason = `the tasks of ${change.connector} changed`
        }
      }
    }
    this.reconcile()
    if (reason !== null && !this.stopping) this.options.membership.requestRejoin(reason)
  }

  /** Holds back what changed here; true when the group has to rebalance. */
  private holdChanged(connector: string, changed: readonly string[], before: number): boolean {
    const now = this.options.config.tasks(connector).length
    // A single task that stays a single task is simply restarted by its owner.
    if (before === now && now <= 1) return false
    // Tasks that go without others coming need no barrier: they leave when they have stopped.
    const holds = now > 0
    for (const key of changed) if (holds && this.owned.tasks.has(key) && this.taskSlots.has(key)) this.held.add(key)
    return changed.length > 0
  }

  private bump(key: string): void {
    this.restarts.set(key, (this.restarts.get(key) ?? 0) + 1)
  }

  /** Stops and starts what of these is owned here; says RESTARTING at once. */
  restart(connectors: readonly string[], tasks: readonly string[]): void {
    const { statuses } = this.options
    for (const name of connectors.filter((key) => this.ownsConnector(key))) {
      statuses.put('connectors', name, this.status('RESTARTING', {}))
      this.bump(name)
    }
    for (const key of tasks.filter((task) => this.ownsTask(task))) {
      statuses.put('tasks', key, this.status('RESTARTING', {}))
      this.bump(taskRestartKey(key))
    }
    this.reconcile()
  }

  status(state: RunState, detail: StateDetail): Status {
    return {
      state,
      trace: detail.trace ?? null,
      workerId: this.options.workerId,
      generation: this.generation,
      version: detail.version ?? null,
      ...(detail.finished ? { finished: true } : {}),
      ...(detail.restart ? { restart: detail.restart } : {}),
    }
  }

  private connectorWish(name: string): ConnectorWish | null {
    const { config } = this.options
    const found = config.config(name)
    const target = config.target(name)
    if (!found || !target || !this.ownsConnector(name) || this.waitsForLeader('connectors', name)) return null
    return { config: found, target, restarts: this.restarts.get(name) ?? 0 }
  }

  private taskWish(key: string): TaskWish | null {
    const { config } = this.options
    const id = parseTaskKey(key)
    const taskConfig = config.taskConfig(id.connector, id.task)
    const target = config.target(id.connector)
    const connectorConfig = config.appliedConfig(id.connector)
    if (!taskConfig || !target || !connectorConfig || this.held.has(key) || !this.ownsTask(key)) return null
    if (this.waitsForLeader('tasks', key)) return null
    return { config: taskConfig, connectorConfig, target, restarts: this.restarts.get(taskRestartKey(key)) ?? 0 }
  }

  private lacking(kind: WorkKind, key: string): readonly string[] {
    const { config, labels } = this.options
    return lackingLabels(config.requiredLabels(kind, connectorOf(kind, key)), labels)
  }

  /**
   * Whether something is this worker's although it lacks labels for it: the leader has not read the newest configuration,
   * or knows no labels. It stays here, so that the group knows whose it is, and does not run.
   */
  private waitsForLeader(kind: WorkKind, key: string): boolean {
    return !this.revoking[kind].has(key) && this.isConfigured(kind, key) && this.lacking(kind, key).length > 0
  }

  private reconcile(): void {
    // Work assigned with a newer configuration than this worker has read must not be mistaken for deleted work.
    if (this.options.config.offset < this.requiredOffset && !this.stopping) return
    // A wish may take the key out of the set; iteration of a Set allows that.
    for (const name of this.owned.connectors) {
      this.wish('connectors', name, this.connectorWish(name), this.connectorSlots, () => this.connectorSlot(name))
    }
    for (const key of this.owned.tasks) {
      this.wish('tasks', key, this.taskWish(key), this.taskSlots, () => this.taskSlot(key))
    }
  }

  private wish<W>(
    kind: WorkKind,
    key: string,
    wanted: W | null,
    slots: Map<string, Slot<W>>,
    create: () => Slot<W>,
  ): void {
    let slot = slots.get(key)
    if (!slot) {
      if (wanted === null) {
        this.drop(kind, key)
        return
      }
      slot = create()
      slots.set(key, slot)
    }
    if (wanted === null && slot.isEmpty()) this.drop(kind, key)
    else slot.want(wanted)
  }

  private connectorSlot(name: string): Slot<ConnectorWish> {
    const { worker, prepareStart, onConnectorStarted } = this.options
    return new Slot<ConnectorWish>({
      start: async (wanted) => {
        await prepareStart(name)
        await worker.startConnector(name, wanted.config, wanted.target)
        if (wanted.target === 'STARTED') onConnectorStarted(name)
      },
      stop: async () => {
        try {
          await worker.stopConnector(name)
        } finally {
          if (this.connectorWish(name) === null) this.stopped('connectors', name)
        }
      },
      adjust: async (wanted) => {
        await worker.setConnectorTarget(name, wanted.target)
        if (wanted.target === 'STARTED') onConnectorStarted(name)
      },
      difference: (applied, wanted) => {
        if (applied.restarts !== wanted.restarts || !sameConfig(applied.config, wanted.config)) return 'restart'
        return applied.target === wanted.target ? 'none' : 'adjust'
      },
    })
  }

  private taskSlot(key: string): Slot<TaskWish> {
    const { worker, prepareStart } = this.options
    const id: TaskId = parseTaskKey(key)
    return new Slot<TaskWish>({
      start: async (wanted) => {
        await prepareStart(id.connector)
        await worker.startTask(id, wanted.connectorConfig, wanted.config, wanted.target)
      },
      stop: async () => {
        try {
          await worker.stopTasks([id])
        } finally {
          if (this.taskWish(key) === null) this.stopped('tasks', key)
        }
      },
      adjust: (wanted) => worker.setTaskTarget([id], wanted.target),
      difference: (applied, wanted) => {
        const same =
          sameConfig(applied.config, wanted.config) && sameConfig(applied.connectorConfig, wanted.connectorConfig)
        if (applied.restarts !== wanted.restarts || !same) return 'restart'
        return applied.target === wanted.target ? 'none' : 'adjust'
      },
    })
  }

  private isConfigured(kind: WorkKind, key: string): boolean {
    return this.options.config.isConfigured(kind, key)
  }

  private stopped(kind: WorkKind, key: string): void {
    if (this.isConfigured(kind, key) && !this.waitsForLeader(kind, key)) this.sayUnassigned(kind, key, {})
    this.drop(kind, key)
  }

  private sayUnassigned(kind: WorkKind, key: string, detail: StateDetail): void {
    this.options.statuses.putSafely(kind, key, this.status('UNASSIGNED', detail))
  }

  private sayItWaits(kind: WorkKind, key: string): void {
    const last = this.options.statuses.state.get(kind, key)
    const trace = forbiddenText(this.lacking(kind, key))
    if (last?.state !== 'UNASSIGNED' || last.trace !== trace) this.sayUnassigned(kind, key, { trace })
  }

  /** Lets go of something that has stopped; another worker may have it from the next rebalance on. */
  private drop(kind: WorkKind, key: string): void {
    if (kind === 'tasks' && this.held.has(key)) return
    if (this.waitsForLeader(kind, key)) {
      this.sayItWaits(kind, key)
      return
    }
    const wasRevoked = this.revoking[kind].delete(key)
    if (!this.owned[kind].delete(key)) return
    if (kind === 'connectors') this.connectorSlots.delete(key)
    else this.taskSlots.delete(key)
    if (wasRevoked && !this.stopping && this.isConfigured(kind, key)) {
      this.options.membership.requestRejoin('revoked work has stopped')
    }
  }
}

const FAILED_ASSIGNMENT_RETRY_MS = 100

/** Connectors and tasks share the map of restart counts; a connector may be called like a task. */
function taskRestartKey(key: string): string {
  return `task:${key}`
}
