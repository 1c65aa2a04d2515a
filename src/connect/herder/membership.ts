import type { Labels } from '../config/worker-labels.ts'
import type { Requirements } from './placement.ts'
import type { Work } from './work.ts'

/** What a rebalance gave to this worker. */
export interface Assignment {
  readonly generation: number
  readonly isLeader: boolean
  readonly leaderUrl: string
  readonly configOffset: number
  /** The leader could not read the configuration it needed. */
  readonly failed: boolean
  /** With the eager protocol `assigned` is everything, otherwise only what is new. */
  readonly eager: boolean
  readonly assigned: Work
  readonly revoked: Work
  /** When to rejoin by oneself; 0 is never. */
  readonly delayMs: number
}

/** What the leader decides from: its own snapshot of the configuration. */
export interface LeaderView {
  readonly configured: Work
  readonly required: Requirements
  readonly configOffset: number
}

/** What the leader decided for the whole group. */
export interface LeaderDecision {
  readonly generation: number
  /** URL, labels and complete work of each member. */
  readonly members: readonly { readonly url: string; readonly labels: Labels; readonly work: Work }[]
  /** What nobody runs, because no member has the labels that it requires. */
  readonly waiting: Work
}

/** What a membership asks of its herder. */
export interface MembershipHooks {
  /** Called before each join; resolves (in bounded time) when what must not run through the rebalance has stopped. */
  prepareJoin(eager: boolean): Promise<void>
  /** What this worker says of itself when it joins now: everything that it runs, or is still stopping. */
  joining(): Work
  /** How far this worker has read the configuration. */
  configOffset(): number
  onAssignment(assignment: Assignment): void
  /** The worker is out of the group: all must stop, and has stopped when the promise resolves. */
  onLost(reason: string): Promise<void>
  /** Reads what there is of the configuration; may fail, and may take long. */
  readConfig(): Promise<void>
  /** Only on the leader: the configuration as far as it has been read. */
  leaderView(): LeaderView
  /** Only on the leader: before the others hear of the decision; takes little time. */
  onDecision(decision: LeaderDecision): Promise<void>
}

/** The bond between this worker and the others that share its work. */
export interface Membership {
  start(hooks: MembershipHooks): Promise<void>
  /** Asks for a rebalance; several requests in a row make one. */
  requestRejoin(reason: string): void
  /** Gives up everything; what ran here has stopped already. */
  leave(): Promise<void>
  metrics(): MembershipMetrics
}

export interface MembershipMetrics {
  readonly protocol: string
  readonly generation: number
  readonly completedRebalances: number
  readonly rebalancing: boolean
  readonly rebalanceMsMax: number
  readonly rebalanceMsAverage: number
  /** Null before the first rebalance. */
  readonly lastRebalanceAtMs: number | null
}
