import type { GroupOwner } from '../../src/client/index.ts'
import type { ConnectGroupMember } from '../../src/connect/herder/group-membership.ts'
import type { SimClock } from './sim-clock.ts'
import { check } from './simulation.ts'

export const SESSION_MS = 10_000
const HEARTBEAT_MS = 500
const REBALANCE_MS = 20_000
const CONNECTION_GRACE_MS = 1000

type Answer = 'ok' | 'rebalance' | 'unknown'

interface Joined {
  readonly memberId: string
  readonly generation: number
  readonly leaderId: string
  readonly members: readonly { memberId: string; groupInstanceId: null; metadata: Buffer }[]
}

interface Member {
  readonly id: string
  heardMs: number
  metadata: Buffer
  join: ((answer: Joined | null) => void) | null
  sync: ((answer: Uint8Array | null) => void) | null
}

/** A model of the group coordinator: joins are gathered, the leader decides, sessions expire. */
export class SimCoordinator {
  readonly members = new Map<string, Member>()
  generation = 0
  rebalances = 0
  private phase: 'stable' | 'joining' | 'syncing' = 'stable'
  private leaderId = ''
  private joinDeadlineMs = 0
  private nextMember = 0
  private readonly clock: SimClock

  constructor(clock: SimClock) {
    this.clock = clock
    this.watch()
  }

  private watch(): void {
    this.clock.setTimer(100, () => {
      const now = this.clock.monotonicMs()
      for (const member of this.members.values()) {
        if (member.join === null && now - member.heardMs > SESSION_MS) this.remove(member.id)
      }
      if (this.phase === 'joining' && now >= this.joinDeadlineMs) {
        for (const member of this.members.values()) if (member.join === null) this.remove(member.id)
        this.completeJoin()
      }
      this.watch()
    })
  }

  private startRebalance(): void {
    if (this.phase === 'joining') return
    for (const member of this.members.values()) {
      member.sync?.(null)
      member.sync = null
    }
    this.phase = 'joining'
    this.joinDeadlineMs = this.clock.monotonicMs() + REBALANCE_MS
    this.rebalances++
  }

  remove(id: string): void {
    const member = this.members.get(id)
    if (!member) return
    this.members.delete(id)
    member.join?.(null)
    member.sync?.(null)
    if (this.members.size > 0) this.startRebalance()
    this.completeJoin()
  }

  /** The connection of a member is gone; it has a short grace to come back. */
  connectionLost(id: string): void {
    const member = this.members.get(id)
    if (!member) return
    const { heardMs } = member
    this.clock.setTimer(CONNECTION_GRACE_MS, () => {
      if (this.members.get(id) === member && member.heardMs === heardMs) this.remove(id)
    })
  }

  join(id: string, metadata: Buffer): Promise<Joined | null> {
    let member = this.members.get(id)
    if (id !== '' && !member) return Promise.resolve(null)
    if (!member) {
      const fresh = `m${this.nextMember++}`
      member = { id: fresh, heardMs: 0, metadata, join: null, sync: null }
      this.members.set(fresh, member)
    }
    member.metadata = metadata
    member.heardMs = this.clock.monotonicMs()
    this.startRebalance()
    return new Promise((resolve) => {
      member.join?.(null)
      member.join = resolve
      this.completeJoin()
    })
  }

  private completeJoin(): void {
    const all = [...this.members.values()]
    if (this.phase !== 'joining' || all.length === 0 || all.some((member) => member.join === null)) return
    this.phase = 'syncing'
    this.generation++
    if (!this.members.has(this.leaderId)) this.leaderId = all[0]?.id ?? ''
    const list = all.map(({ id, metadata }) => ({ memberId: id, groupInstanceId: null, metadata }))
    for (const member of all) {
      member.heardMs = this.clock.monotonicMs()
      const isLeader = member.id === this.leaderId
      member.join?.({
        memberId: member.id,
        generation: this.generation,
        leaderId: this.leaderId,
        members: isLeader ? list : [],
      })
      member.join = null
    }
  }

  sync(
    id: string,
    generation: number,
    assignments: ReadonlyMap<string, Uint8Array> | null,
  ): Promise<Uint8Array | null> {
    const member = this.members.get(id)
    if (!member || generation !== this.generation || this.phase !== 'syncing') return Promise.resolve(null)
    member.heardMs = this.clock.monotonicMs()
    const answer = new Promise<Uint8Array | null>((resolve) => {
      member.sync = resolve
    })
    if (assignments) {
      this.phase = 'stable'
      this.given = assignments
    }
    // Late askers of a stable generation are told what the leader decided, too.
    if (this.phase === 'stable') this.tellAll()
    return answer
  }

  private given: ReadonlyMap<string, Uint8Array> = new Map()

  private tellAll(): void {
    for (const member of this.members.values()) {
      member.sync?.(this.given.get(member.id) ?? new Uint8Array())
      member.sync = null
    }
  }

  /** Followers may ask before or after the leader has decided. */
  lateSync(id: string, generation: number): Uint8Array | null {
    const isKnown = this.members.has(id) && generation === this.generation && this.phase === 'stable'
    return isKnown ? (this.given.get(id) ?? new Uint8Array()) : null
  }

  heartbeat(id: string, generation: number): Answer {
    const member = this.members.get(id)
    if (!member || generation > this.generation) return 'unknown'
    member.heardMs = this.clock.monotonicMs()
    return this.phase === 'stable' && generation === this.generation ? 'ok' : 'rebalance'
  }

  isMember(id: string): boolean {
    return this.members.has(id)
  }
}

/** How a member reaches the coordinator: null when the message or its answer is lost. */
export type Carry = <T>(request: () => Promise<T> | T) => Promise<T | null>

/** The client's group member by its contract: callbacks one at a time, `onLost` whenever others may own what it holds. */
export class SimGroupMember implements ConnectGroupMember {
  memberId = ''
  generation = -1
  private readonly coordinator: SimCoordinator
  private readonly clock: SimClock
  private readonly carry: Carry
  private readonly owner: GroupOwner
  private wantsJoin = true
  private closed = false
  private holds = false
  private heardMs = 0
  private wake: () => void = () => {}

  constructor(coordinator: SimCoordinator, clock: SimClock, carry: Carry, owner: GroupOwner) {
    this.coordinator = coordinator
    this.clock = clock
    this.carry = carry
    this.owner = owner
  }

  start(): void {
    this.heardMs = this.clock.monotonicMs()
    void this.run()
    this.beat()
  }

  requestRejoin(): void {
    this.wantsJoin = true
    this.wake()
  }

  async leave(): Promise<void> {
    this.closed = true
    this.wake()
    await this.carry(() => this.coordinator.remove(this.memberId))
  }

  /** The process is gone. */
  crash(): void {
    this.closed = true
    this.coordinator.connectionLost(this.memberId)
  }

  private pause(ms: number): Promise<void> {
    return new Promise((resolve) => {
      const timer = this.clock.setTimer(ms, resolve)
      this.wake = () => {
        timer.cancel()
        resolve()
      }
    })
  }

  /** Heartbeats go on whatever the owner does. */
  private beat(): void {
    this.clock.setTimer(HEARTBEAT_MS, () => {
      if (this.closed) return
      this.beat()
      if (this.memberId === '' || this.generation < 0) return
      const { memberId, generation } = this
      void this.carry(() => this.coordinator.heartbeat(memberId, generation)).then((answer) => {
        if (this.memberId !== memberId || answer === null) return
        this.heardMs = this.clock.monotonicMs()
        // An answer to an older generation, or during a join, says nothing: the join itself will tell.
        if (generation !== this.generation || !this.stable || answer === 'ok') return
        if (answer === 'unknown') this.expired = true
        this.requestRejoin()
      })
    })
  }

  private expired = false
  private stable = false

  private isLost(): boolean {
    return this.expired || (this.generation >= 0 && this.clock.monotonicMs() - this.heardMs >= SESSION_MS)
  }

  private async run(): Promise<void> {
    while (!this.closed) {
      if (this.isLost()) await this.lose()
      else if (this.wantsJoin) await this.joinOnce()
      else await this.pause(100)
    }
  }

  private async lose(): Promise<void> {
    this.memberId = ''
    this.generation = -1
    this.expired = false
    this.wantsJoin = true
    if (this.holds) await this.owner.onLost('simulated')
    this.holds = false
  }

  private async joinOnce(): Promise<void> {
    this.wantsJoin = false
    this.stable = false
    await this.owner.beforeJoin?.()
    if (this.closed || this.isLost()) return
    const [protocol] = this.owner.metadata()
    check(protocol !== undefined, 'a worker joins without a protocol')
    const { memberId } = this
    const joined = await this.carry(() => this.coordinator.join(memberId, Buffer.from(protocol.metadata)))
    if (this.closed) return
    if (joined === null) {
      this.wantsJoin = true
      if (memberId !== '' && !this.coordinator.isMember(memberId)) this.expired = true
      await this.pause(100)
      return
    }
    this.memberId = joined.memberId
    this.generation = joined.generation
    this.heardMs = this.clock.monotonicMs()
    await this.syncOnce(joined, protocol.name)
  }

  private async syncOnce(joined: Joined, protocol: string): Promise<void> {
    const { memberId, generation, leaderId, members } = joined
    const request = { generationId: generation, protocol, leaderId, members }
    const assignments = leaderId === memberId ? await this.owner.assign(request) : null
    const answer = await this.carry(
      () => this.coordinator.lateSync(memberId, generation) ?? this.coordinator.sync(memberId, generation, assignments),
    )
    if (answer === null) this.wantsJoin = true
    if (answer === null || this.closed || this.memberId !== memberId) return
    this.holds = true
    this.stable = true
    this.heardMs = this.clock.monotonicMs()
    await this.owner.onAssigned({
      generationId: generation,
      memberId,
      leaderId,
      protocol,
      assignment: Buffer.from(answer),
    })
  }
}
