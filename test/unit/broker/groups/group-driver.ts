import {
  emptyGroup,
  type GroupAction,
  type GroupConfig,
  type GroupEvent,
  type GroupReply,
  type GroupState,
  type JoinEvent,
  type JoinReply,
  type SyncReply,
} from '../../../../src/broker/groups/classic/group-state.ts'
import { step } from '../../../../src/broker/groups/classic/step.ts'

export const CONFIG: GroupConfig = {
  minSessionTimeoutMs: 6000,
  maxSessionTimeoutMs: 1_800_000,
  initialRebalanceDelayMs: 3000,
  maxSize: 100,
  connectionLossGraceMs: 1000,
}

type Timeless<T> = T extends { now: number } ? Omit<T, 'now'> : never

/** Drives one group by hand: virtual time, replies by token, writes that succeed at once unless held. */
export class GroupUnderTest {
  state: GroupState
  now = 1_000_000
  actions: GroupAction[] = []
  readonly replies = new Map<number, GroupReply>()
  holdPersists = false
  #tokens = 0
  readonly config: GroupConfig

  constructor(config: Partial<GroupConfig> = {}) {
    this.config = { ...CONFIG, ...config }
    this.state = emptyGroup('g', this.now)
  }

  send(event: Timeless<GroupEvent>): void {
    const [next, actions] = step(this.state, { ...event, now: this.now } as GroupEvent, this.config)
    this.state = next
    this.actions = actions
    for (const action of actions) {
      if (action.type === 'reply') this.replies.set(action.token, action.reply)
    }
    for (const action of actions) {
      if (action.type === 'persist' && !this.holdPersists) this.send({ type: 'persisted', persistId: action.persistId })
    }
  }

  token(): number {
    return ++this.#tokens
  }

  reply(token: number): GroupReply | undefined {
    return this.replies.get(token)
  }

  code(token: number): number | undefined {
    return this.replies.get(token)?.errorCode
  }

  joined(token: number): JoinReply {
    return this.replies.get(token) as JoinReply
  }

  synced(token: number): SyncReply {
    return this.replies.get(token) as SyncReply
  }

  join(change: Partial<JoinEvent> = {}): number {
    const token = this.token()
    this.send({
      type: 'join',
      token,
      connectionId: 1,
      memberId: '',
      newMemberId: `m${token}`,
      groupInstanceId: null,
      clientId: 'c',
      clientHost: '127.0.0.1',
      rebalanceTimeoutMs: 60_000,
      sessionTimeoutMs: 10_000,
      protocolType: 'consumer',
      protocols: [{ name: 'range', metadata: Buffer.from('meta') }],
      requireKnownMemberId: false,
      supportsSkippingAssignment: true,
      ...change,
    })
    return token
  }

  sync(memberId: string, change: Record<string, unknown> = {}): number {
    const token = this.token()
    this.send({
      type: 'sync',
      token,
      connectionId: 1,
      memberId,
      groupInstanceId: null,
      generationId: this.state.generationId,
      protocolType: null,
      protocolName: null,
      assignments: [],
      ...change,
    })
    return token
  }

  heartbeat(memberId: string, change: Record<string, unknown> = {}): number {
    const token = this.token()
    const generationId = this.state.generationId
    this.send({ type: 'heartbeat', token, connectionId: 1, memberId, groupInstanceId: null, generationId, ...change })
    return token
  }

  commit(memberId: string, change: Record<string, unknown> = {}): number {
    const token = this.token()
    const generationId = this.state.generationId
    this.send({ type: 'commit', token, connectionId: 1, memberId, groupInstanceId: null, generationId, ...change })
    return token
  }

  leave(...members: { memberId: string; groupInstanceId: string | null }[]): number {
    const token = this.token()
    this.send({ type: 'leave', token, connectionId: 1, members })
    return token
  }

  /** Lets time pass in one go and tells the group. */
  pass(ms: number): void {
    this.now += ms
    this.send({ type: 'tick' })
  }

  /** A group of these members, assigned and Stable; the first one leads. */
  stable(...members: Partial<JoinEvent>[]): string[] {
    const tokens = members.map((change) => this.join(change))
    while (this.state.phase === 'PreparingRebalance') this.pass(this.config.initialRebalanceDelayMs)
    const ids = tokens.map((token) => this.joined(token).memberId)
    const assignments = ids.map((memberId) => ({ memberId, assignment: Buffer.from(`for ${memberId}`) }))
    for (const memberId of ids) this.sync(memberId, memberId === this.state.leaderId ? { assignments } : {})
    return ids
  }
}
