import type { Clock, Logger, Timer } from '../../base/index.ts'
import type { GroupOwner } from '../../client/index.ts'
import { type Labels, noLabels } from '../config/worker-labels.ts'
import {
  initialSyncState,
  stepSync,
  type SyncAction,
  type SyncEvent,
  type SyncSettings,
  type SyncState,
} from './config-sync.ts'
import { assignEagerly } from './eager-assignor.ts'
import {
  ASSIGNMENT_CONFIG_MISMATCH,
  ASSIGNMENT_OK,
  decodeAssignment,
  decodeMetadata,
  encodeAssignment,
  encodeMetadata,
  type GroupAssignment,
  type ProtocolName,
  protocolNames,
  protocolVersion,
  type WorkerMetadata,
} from './group-protocol.ts'
import { assignIncrementally, initialAssignorState, type MemberIncrement } from './incremental-assignor.ts'
import type { LeaderView, Membership, MembershipHooks } from './membership.ts'
import { homelessWork, type Placement } from './placement.ts'
import { within } from './within.ts'
import { emptyWork, type Work } from './work.ts'

/** What a membership needs of the client's group member. */
export interface ConnectGroupMember {
  start(): void
  requestRejoin(reason: string): void
  leave(): Promise<void>
}

export interface GroupMembershipOptions {
  readonly createMember: (owner: GroupOwner) => ConnectGroupMember
  /** Where this worker is reached; ends with a slash. */
  readonly url: string
  readonly labels?: Labels
  /** `connect.protocol`: the newest protocol this worker speaks. */
  readonly protocol: 'sessioned' | 'compatible' | 'eager'
  readonly maxDelayMs: number
  readonly sync: SyncSettings
  readonly clock: Clock
  readonly logger: Logger
  readonly onFatal: (error: Error) => void
}

type MemberId = string

interface LeaderRound {
  readonly generation: number
  readonly leaderId: MemberId
  readonly leaderUrl: string
  readonly view: LeaderView
  /** What every worker needs to have read before it acts on the assignment. */
  readonly configOffset: number
  readonly members: ReadonlyMap<MemberId, WorkerMetadata>
  readonly placement: Placement
}

/** What each member gets, and what each has when the round is carried out. */
interface Division {
  readonly increments: ReadonlyMap<MemberId, MemberIncrement>
  readonly complete: ReadonlyMap<MemberId, Work>
  readonly delayMs: number
  readonly waiting: Work
}

/** A worker's membership in the Connect group: Kafka's bytes outside, works and assignments inside. */
export function createGroupMembership(options: GroupMembershipOptions): Membership {
  return new GroupMembership(options)
}

class GroupMembership implements Membership {
  private readonly options: GroupMembershipOptions
  private readonly supported: readonly ProtocolName[]
  private hooks: MembershipHooks | null = null
  private member: ConnectGroupMember | null = null
  private assignor = initialAssignorState
  private sync: SyncState
  private syncTimer: Timer | null = null
  private last: GroupAssignment | null = null
  private protocol: ProtocolName | null = null
  private lastCompletedGeneration = -1
  private started: { resolve(): void; reject(error: Error): void } | null = null
  private rebalanceStartedMs: number | null = null
  private completedRebalances = 0
  private rebalanceMsMax = 0
  private rebalanceMsTotal = 0
  private lastRebalanceAtMs: number | null = null

  constructor(options: GroupMembershipOptions) {
    this.options = options
    this.sync = initialSyncState(options.sync)
    const newest = options.protocol === 'eager' ? 'default' : options.protocol
    this.supported = protocolNames.slice(protocolNames.indexOf(newest))
  }

  private get active(): MembershipHooks {
    if (!this.hooks) throw new Error('the membership has not been started')
    return this.hooks
  }

  /** Resolves with the first assignment. */
  start(hooks: MembershipHooks): Promise<void> {
    this.hooks = hooks
    const ready = new Promise<void>((resolve, reject) => {
      this.started = { resolve, reject }
    })
    this.join()
    return ready
  }

  private join(): void {
    const hooks = this.active
    this.member = this.options.createMember({
      metadata: () => this.metadata(),
      beforeJoin: () => {
        this.rebalanceStartedMs ??= this.options.clock.monotonicMs()
        return hooks.prepareJoin(this.protocol === 'default')
      },
      assign: (request) => this.assign(request),
      onAssigned: ({ generationId, memberId, leaderId, protocol, assignment }) =>
        this.onAssigned(generationId, memberId === leaderId, protocol, assignment),
      onLost: async (reason) => {
        this.step({ type: 'lost' })
        await hooks.onLost(reason)
        this.last = null
      },
      onFatal: (error) => {
        this.started?.reject(error)
        this.started = null
        this.options.onFatal(error)
      },
    })
    this.member.start()
  }

  requestRejoin(reason: string): void {
    this.member?.requestRejoin(reason)
  }

  async leave(): Promise<void> {
    this.step({ type: 'close' })
    await this.member?.leave()
  }

  private step(event: SyncEvent): void {
    const [state, actions] = stepSync(this.sync, event)
    this.sync = state
    for (const action of actions) this.perform(action)
  }

  private perform(action: SyncAction): void {
    const { clock } = this.options
    switch (action.type) {
      case 'setTimer':
        this.syncTimer = clock.setTimer(action.delayMs, () =>
          this.step({ type: 'timer', read: this.active.configOffset() }),
        )
        return
      case 'cancelTimer':
        this.syncTimer?.cancel()
        return
      case 'leave':
        this.leaveForNow().catch((error: unknown) => {
          this.options.onFatal(error instanceof Error ? error : new Error(String(error)))
        })
        return
      case 'readToEnd':
        this.active.readConfig().then(
          () => this.step({ type: 'readToEnd', ok: true }),
          () => this.step({ type: 'readToEnd', ok: false }),
        )
        return
      case 'join':
        this.options.logger.info({}, 'the configuration is read; joining the group again')
        this.join()
    }
  }

  /** Invariant 4: everything has stopped before the group gives it to others. */
  private async leaveForNow(): Promise<void> {
    const { logger, sync } = this.options
    const have = this.active.configOffset()
    logger.warn(
      { have, need: this.sync.required, backoffMs: sync.unsyncBackoffMs },
      `the configuration was not read within worker.sync.timeout.ms (${sync.syncTimeoutMs}); leaving the group for a while`,
    )
    const { member } = this
    await this.active.onLost('the configuration that the group works with could not be read in time')
    await member?.leave()
    if (this.member === member && this.sync.phase === 'away') this.member = null
    this.last = null
    this.rebalanceStartedMs = null
    this.step({ type: 'left' })
  }

  private require(required: number): void {
    this.step({ type: 'required', required, read: this.active.configOffset() })
  }

  private metadata(): { name: string; metadata: Buffer }[] {
    const configOffset = this.active.configOffset()
    const owned = this.active.joining()
    const { last } = this
    const assignment: GroupAssignment | null = last && {
      ...last,
      assigned: owned,
      revoked: emptyWork,
      delayMs: 0,
      error: ASSIGNMENT_OK,
    }
    const { url, labels = noLabels } = this.options
    const metadata: WorkerMetadata = { url, configOffset, assignment, labels }
    return this.supported.map((name) => ({ name, metadata: encodeMetadata(protocolVersion[name], metadata) }))
  }

  private async assign(request: {
    readonly generationId: number
    readonly protocol: string
    readonly leaderId: string
    readonly members: readonly { readonly memberId: string; readonly metadata: Buffer }[]
  }): Promise<ReadonlyMap<string, Uint8Array>> {
    const members = new Map(request.members.map((member) => [member.memberId, decodeMetadata(member.metadata)]))
    const offsetMax = Math.max(...[...members.values()].map((member) => member.configOffset))
    if (this.active.configOffset() < offsetMax) {
      this.require(offsetMax)
      await within(this.options.clock, this.options.sync.syncTimeoutMs, this.active.readConfig())
    }
    const view = this.active.leaderView()
    const protocol = protocolNames.find((name) => name === request.protocol) ?? 'default'
    const leaderUrl = members.get(request.leaderId)?.url ?? this.options.url
    const round: LeaderRound = {
      generation: request.generationId,
      leaderId: request.leaderId,
      leaderUrl,
      view,
      configOffset: Math.max(view.configOffset, offsetMax),
      members,
      placement: { required: view.required, labels: new Map([...members].map(([id, { labels }]) => [id, labels])) },
    }
    if (view.configOffset < offsetMax) {
      this.options.logger.warn({ have: view.configOffset, need: offsetMax }, 'the leader lacks configuration')
      const nothing: MemberIncrement = { assigned: emptyWork, revoked: emptyWork }
      return this.encode(round, protocol, ASSIGNMENT_CONFIG_MISMATCH, () => nothing, 0)
    }
    const { increments, complete, delayMs, waiting } =
      protocol === 'default' ? divideEagerly(round) : this.divide(round)
    await this.active.onDecision({
      generation: request.generationId,
      members: [...members].map(([id, { url, labels }]) => ({ url, labels, work: complete.get(id) ?? emptyWork })),
      waiting,
    })
    const incrementOf = (id: MemberId) => increments.get(id) ?? { assigned: emptyWork, revoked: emptyWork }
    return this.encode(round, protocol, ASSIGNMENT_OK, incrementOf, delayMs)
  }

  private divide(round: LeaderRound): Division {
    const members = new Map([...round.members].map(([id, member]) => [id, member.assignment?.assigned ?? emptyWork]))
    const [state, result] = assignIncrementally(this.assignor, {
      nowMs: this.options.clock.now(),
      maxDelayMs: this.options.maxDelayMs,
      lastCompletedGeneration: this.lastCompletedGeneration,
      generation: round.generation,
      configured: round.view.configured,
      members,
      placement: round.placement,
    })
    this.assignor = state
    return result
  }

  private encode(
    round: LeaderRound,
    protocol: ProtocolName,
    error: number,
    incrementOf: (id: MemberId) => MemberIncrement,
    delayMs: number,
  ): Map<string, Uint8Array> {
    const version = protocolVersion[protocol]
    const { leaderId, leaderUrl, configOffset } = round
    const head = { error, leader: leaderId, leaderUrl, configOffset, delayMs }
    return new Map(
      [...round.members.keys()].map((id) => [id, encodeAssignment(version, { ...head, ...incrementOf(id) })]),
    )
  }

  private onAssigned(generation: number, isLeader: boolean, protocol: string, bytes: Buffer): void {
    // An assignment that crossed the decision to leave: what it gives would start after everything has stopped.
    if (this.sync.phase !== 'in-sync' && this.sync.phase !== 'behind') return
    const assignment = decodeAssignment(bytes)
    const eager = protocol === 'default'
    this.protocol = protocolNames.find((name) => name === protocol) ?? 'default'
    this.last = assignment
    this.lastCompletedGeneration = generation
    this.measure()
    this.options.logger.info(
      {
        generation,
        leader: assignment.leaderUrl,
        connectors: assignment.assigned.connectors.size,
        tasks: assignment.assigned.tasks.size,
        revoked: assignment.revoked.connectors.size + assignment.revoked.tasks.size,
        delayMs: assignment.delayMs,
      },
      'joined the group',
    )
    this.active.onAssignment({
      generation,
      isLeader,
      leaderUrl: assignment.leaderUrl,
      configOffset: assignment.configOffset,
      failed: assignment.error !== ASSIGNMENT_OK,
      eager,
      assigned: assignment.assigned,
      revoked: assignment.revoked,
      delayMs: assignment.delayMs,
    })
    this.require(assignment.configOffset)
    this.started?.resolve()
    this.started = null
  }

  private measure(): void {
    const { clock } = this.options
    if (this.rebalanceStartedMs !== null) {
      const elapsedMs = clock.monotonicMs() - this.rebalanceStartedMs
      this.rebalanceMsMax = Math.max(this.rebalanceMsMax, elapsedMs)
      this.rebalanceMsTotal += elapsedMs
    }
    this.rebalanceStartedMs = null
    this.completedRebalances++
    this.lastRebalanceAtMs = clock.now()
  }

  metrics() {
    return {
      protocol: this.protocol ?? this.options.protocol,
      generation: this.lastCompletedGeneration,
      completedRebalances: this.completedRebalances,
      rebalancing: this.rebalanceStartedMs !== null,
      rebalanceMsMax: this.rebalanceMsMax,
      rebalanceMsAverage: this.completedRebalances === 0 ? 0 : this.rebalanceMsTotal / this.completedRebalances,
      lastRebalanceAtMs: this.lastRebalanceAtMs,
    }
  }
}

function divideEagerly({ members, view, placement }: LeaderRound): Division {
  const ids = [...members.keys()]
  const complete = assignEagerly(ids, view.configured, placement)
  const increments = new Map([...complete].map(([id, work]) => [id, { assigned: work, revoked: emptyWork }]))
  return { increments, complete, delayMs: 0, waiting: homelessWork(placement, ids, view.configured) }
}
