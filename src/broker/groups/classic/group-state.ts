/** The five states of a classic group, spelled as DescribeGroups and ListGroups show them. */
export type GroupPhase = 'Empty' | 'PreparingRebalance' | 'CompletingRebalance' | 'Stable' | 'Dead'

/** One protocol a member offers. The metadata is opaque: `consumer`, `connect`, `sr` and all others are treated alike. */
export interface GroupProtocol {
  readonly name: string
  readonly metadata: Buffer
}

export interface Member {
  readonly memberId: string
  readonly groupInstanceId: string | null
  readonly clientId: string
  readonly clientHost: string
  readonly rebalanceTimeoutMs: number
  readonly sessionTimeoutMs: number
  /** In the member's order of preference. */
  readonly protocols: readonly GroupProtocol[]
  readonly assignment: Buffer
  /** The JoinGroup request of this member that waits for its answer. */
  readonly joinToken: number | null
  /** The SyncGroup request of this member that waits for its answer. */
  readonly syncToken: number | null
  /** True until the member's first JoinGroup is answered: until then it cannot send heartbeats. */
  readonly isNew: boolean
  readonly sessionDeadlineMs: number
  /** The connection of the member's last request; null after a restart of the broker. */
  readonly connectionId: number | null
  /** Set while the member's connection is gone and the connection-loss grace runs. */
  readonly graceDeadlineMs: number | null
}

/** A rebalance that collects JoinGroup requests. */
export interface JoinPhase {
  readonly deadlineMs: number
  /** True for the first rebalance of an empty group, which always waits for its whole delay. */
  readonly initial: boolean
  /** How much longer an initial rebalance may be extended by further joins. */
  readonly remainingMs: number
  readonly newMemberAdded: boolean
}

/** A write of the group's metadata record that is not durable yet, and what is to happen when it is. */
export type PendingPersist =
  | { readonly kind: 'assignment'; readonly generationId: number; readonly assignments: ReadonlyMap<string, Buffer> }
  | { readonly kind: 'reply'; readonly token: number; readonly reply: JoinReply }
  | { readonly kind: 'none' }

export interface GroupState {
  readonly groupId: string
  readonly phase: GroupPhase
  readonly generationId: number
  readonly protocolType: string | null
  readonly protocolName: string | null
  readonly leaderId: string | null
  /** In the order of joining; the first one leads when the leader goes. */
  readonly members: ReadonlyMap<string, Member>
  /** group.instance.id -> member id. */
  readonly staticMembers: ReadonlyMap<string, string>
  /** Member ids handed out with MEMBER_ID_REQUIRED and not used yet -> when they lapse. */
  readonly pendingJoins: ReadonlyMap<string, number>
  /** Members of this generation that have not sent SyncGroup. */
  readonly pendingSyncs: ReadonlySet<string>
  readonly syncDeadlineMs: number | null
  readonly join: JoinPhase | null
  readonly pendingPersists: ReadonlyMap<number, PendingPersist>
  readonly nextPersistId: number
  /** When the group last changed its phase (wall clock): offsets of an Empty group expire counted from here. */
  readonly phaseSinceMs: number
}

export interface JoinReplyMember {
  readonly memberId: string
  readonly groupInstanceId: string | null
  readonly metadata: Buffer
}

export interface JoinReply {
  readonly kind: 'join'
  readonly errorCode: number
  readonly memberId: string
  readonly generationId: number
  readonly protocolType: string | null
  readonly protocolName: string | null
  readonly leaderId: string
  readonly skipAssignment: boolean
  readonly members: readonly JoinReplyMember[]
}

export interface SyncReply {
  readonly kind: 'sync'
  readonly errorCode: number
  readonly protocolType: string | null
  readonly protocolName: string | null
  readonly assignment: Buffer
}

export interface LeaveReply {
  readonly kind: 'leave'
  readonly errorCode: number
  readonly members: readonly { memberId: string; groupInstanceId: string | null; errorCode: number }[]
}

/** The answer to a heartbeat, a commit check or a deletion. */
export interface CodeReply {
  readonly kind: 'code'
  readonly errorCode: number
}

export type GroupReply = JoinReply | SyncReply | LeaveReply | CodeReply

interface At {
  readonly now: number
}

interface Request extends At {
  readonly token: number
  readonly connectionId: number
}

export interface JoinEvent extends Request {
  readonly type: 'join'
  readonly memberId: string
  /** The id to give to a member that comes without one; made by the driver, because it is random. */
  readonly newMemberId: string
  readonly groupInstanceId: string | null
  readonly clientId: string
  readonly clientHost: string
  readonly rebalanceTimeoutMs: number
  readonly sessionTimeoutMs: number
  readonly protocolType: string
  readonly protocols: readonly GroupProtocol[]
  /** JoinGroup v4 and later: an unknown dynamic member first gets an id (79) and comes back with it. */
  readonly requireKnownMemberId: boolean
  /** JoinGroup v9 and later (KIP-814). */
  readonly supportsSkippingAssignment: boolean
}

export interface SyncEvent extends Request {
  readonly type: 'sync'
  readonly memberId: string
  readonly groupInstanceId: string | null
  readonly generationId: number
  readonly protocolType: string | null
  readonly protocolName: string | null
  readonly assignments: readonly { memberId: string; assignment: Buffer }[]
}

export interface HeartbeatEvent extends Request {
  readonly type: 'heartbeat'
  readonly memberId: string
  readonly groupInstanceId: string | null
  readonly generationId: number
}

export interface LeaveEvent extends Request {
  readonly type: 'leave'
  readonly members: readonly { memberId: string; groupInstanceId: string | null }[]
}

/** Asks whether this member may commit offsets now; a yes also counts as a heartbeat. */
export interface CommitEvent extends Request {
  readonly type: 'commit'
  readonly memberId: string
  readonly groupInstanceId: string | null
  readonly generationId: number
}

export type GroupEvent =
  | JoinEvent
  | SyncEvent
  | HeartbeatEvent
  | LeaveEvent
  | CommitEvent
  | (At & { readonly type: 'persisted'; readonly persistId: number })
  | (At & { readonly type: 'persist-failed'; readonly persistId: number; readonly errorCode: number })
  | (At & { readonly type: 'connection-lost'; readonly connectionId: number })
  | (At & { readonly type: 'delete'; readonly token: number })
  | (At & { readonly type: 'tick' })

/** What is written to `__consumer_offsets` for a group. */
export interface GroupSnapshot {
  readonly generationId: number
  readonly protocolType: string | null
  readonly protocolName: string | null
  readonly leaderId: string | null
  readonly phaseSinceMs: number
  readonly members: readonly (Member & { readonly metadata: Buffer })[]
}

export type GroupAction =
  | { readonly type: 'reply'; readonly token: number; readonly reply: GroupReply }
  /** Make the snapshot durable, then step with `persisted` or `persist-failed`. */
  | { readonly type: 'persist'; readonly persistId: number; readonly snapshot: GroupSnapshot }
  /** The group is Dead: write tombstones and forget it. */
  | { readonly type: 'tombstone' }

export interface GroupConfig {
  readonly minSessionTimeoutMs: number
  readonly maxSessionTimeoutMs: number
  readonly initialRebalanceDelayMs: number
  readonly maxSize: number
  /** design.md section 4: how long a `connect` member may be without a connection; never used for other protocol types. */
  readonly connectionLossGraceMs: number
}

/** How long a new member may wait in JoinGroup, where it cannot send heartbeats yet; Kafka's value. */
export const NEW_MEMBER_JOIN_TIMEOUT_MS = 5 * 60_000

/** The protocol type whose members are removed soon after their connection drops. */
export const CONNECT_PROTOCOL_TYPE = 'connect'

export const NO_ASSIGNMENT = Buffer.alloc(0)

/** A group without members, as the first JoinGroup or OffsetCommit finds it. */
export function emptyGroup(groupId: string, now: number): GroupState {
  return {
    groupId,
    phase: 'Empty',
    generationId: 0,
    protocolType: null,
    protocolName: null,
    leaderId: null,
    members: new Map(),
    staticMembers: new Map(),
    pendingJoins: new Map(),
    pendingSyncs: new Set(),
    syncDeadlineMs: null,
    join: null,
    pendingPersists: new Map(),
    nextPersistId: 1,
    phaseSinceMs: now,
  }
}

/** When this member is removed unless it is heard of; null while one of its requests waits here. */
export function memberDeadline(member: Member): number {
  const waiting = !member.isNew && (member.joinToken !== null || member.syncToken !== null)
  const session = waiting ? Number.POSITIVE_INFINITY : member.sessionDeadlineMs
  return Math.min(session, member.graceDeadlineMs ?? Number.POSITIVE_INFINITY)
}

/** The next moment at which a `tick` changes something; Infinity when none does. */
export function nextDeadline(state: GroupState): number {
  let next = Math.min(
    state.join?.deadlineMs ?? Number.POSITIVE_INFINITY,
    state.syncDeadlineMs ?? Number.POSITIVE_INFINITY,
  )
  for (const member of state.members.values()) next = Math.min(next, memberDeadline(member))
  for (const deadline of state.pendingJoins.values()) next = Math.min(next, deadline)
  return next
}

/** The metadata a member gave for a protocol; empty when it does not offer it. */
export function metadataFor(member: Member, protocolName: string | null): Buffer {
  return member.protocols.find((p) => p.name === protocolName)?.metadata ?? NO_ASSIGNMENT
}

/** True when the offered protocols are the same, byte for byte and in the same order. */
export function sameProtocols(a: readonly GroupProtocol[], b: readonly GroupProtocol[]): boolean {
  return a.length === b.length && a.every((p, i) => p.name === b[i]!.name && p.metadata.equals(b[i]!.metadata))
}

/** True when a member with these protocols could share a generation with the members there are. */
export function supportsProtocols(
  state: GroupState,
  protocolType: string,
  protocols: readonly GroupProtocol[],
): boolean {
  if (protocolType === '' || protocols.length === 0) return false
  if (state.members.size === 0) return true
  if (state.protocolType !== protocolType) return false
  const members = [...state.members.values()]
  return protocols.some((p) => members.every((m) => offers(m, p.name)))
}

/** A member restored from the middle of a rebalance has no protocols yet: it stands in nobody's way. */
function offers(member: Member, name: string): boolean {
  return member.protocols.length === 0 || member.protocols.some((p) => p.name === name)
}

/** The protocol of the next generation: every member votes for the first of its protocols that all members know. */
export function selectProtocol(members: ReadonlyMap<string, Member>): string | null {
  const all = [...members.values()]
  const isCommon = (name: string) => all.every((m) => offers(m, name))
  const votes = new Map<string, number>()
  for (const member of all) {
    const vote = member.protocols.find((p) => isCommon(p.name))?.name
    if (vote !== undefined) votes.set(vote, (votes.get(vote) ?? 0) + 1)
  }
  let best: string | null = null
  for (const [name, count] of votes) if (best === null || count > votes.get(best)!) best = name
  return best
}

/** The longest rebalance timeout of the members: how long the others wait for the slowest. */
export function groupRebalanceTimeoutMs(members: ReadonlyMap<string, Member>): number {
  let max = 0
  for (const member of members.values()) max = Math.max(max, member.rebalanceTimeoutMs)
  return max
}
