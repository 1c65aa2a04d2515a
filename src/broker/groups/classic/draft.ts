import { ErrorCode } from '../../../protocol/index.ts'
import {
  type GroupAction,
  type GroupConfig,
  type GroupPhase,
  type GroupReply,
  type GroupSnapshot,
  type GroupState,
  type JoinReply,
  type Member,
  metadataFor,
  NO_ASSIGNMENT,
  type PendingPersist,
} from './group-state.ts'

type Mutable<T> = { -readonly [K in keyof T]: T[K] }

/** The next state while one event is applied to it. Members are replaced, never changed in place, so the old state stays intact. */
export interface GroupDraft
  extends Mutable<Omit<GroupState, 'members' | 'staticMembers' | 'pendingJoins' | 'pendingSyncs' | 'pendingPersists'>> {
  members: Map<string, Member>
  staticMembers: Map<string, string>
  pendingJoins: Map<string, number>
  pendingSyncs: Set<string>
  pendingPersists: Map<number, PendingPersist>
}

/** What the parts of `step` work on. */
export interface Step {
  readonly group: GroupDraft
  readonly actions: GroupAction[]
  readonly config: GroupConfig
  readonly now: number
}

/** Copies a state so that one event can be applied to it. */
export function draftOf(state: GroupState): GroupDraft {
  return {
    ...state,
    members: new Map(state.members),
    staticMembers: new Map(state.staticMembers),
    pendingJoins: new Map(state.pendingJoins),
    pendingSyncs: new Set(state.pendingSyncs),
    pendingPersists: new Map(state.pendingPersists),
  }
}

/** Answers a waiting request; a null token means that nobody waits. */
export function reply(step: Step, token: number | null, answer: GroupReply): void {
  if (token !== null) step.actions.push({ type: 'reply', token, reply: answer })
}

export function replyCode(step: Step, token: number, errorCode: number): void {
  reply(step, token, { kind: 'code', errorCode })
}

export function updateMember(step: Step, memberId: string, change: Partial<Member>): Member {
  const member = { ...step.group.members.get(memberId)!, ...change }
  step.group.members.set(memberId, member)
  return member
}

/** Any request of a member proves that it lives, and on which connection. */
export function heardFrom(step: Step, memberId: string, connectionId: number): void {
  const member = step.group.members.get(memberId)!
  updateMember(step, memberId, {
    sessionDeadlineMs: step.now + member.sessionTimeoutMs,
    connectionId,
    graceDeadlineMs: null,
  })
}

export function moveTo(step: Step, phase: GroupPhase): void {
  step.group.phase = phase
  step.group.phaseSinceMs = step.now
}

export function joinError(memberId: string, errorCode: number): JoinReply {
  return {
    kind: 'join',
    errorCode,
    memberId,
    generationId: -1,
    protocolType: null,
    protocolName: null,
    leaderId: '',
    skipAssignment: false,
    members: [],
  }
}

export function syncError(errorCode: number): GroupReply {
  return { kind: 'sync', errorCode, protocolType: null, protocolName: null, assignment: NO_ASSIGNMENT }
}

/** Checks who asks: 25 for a member that is not in the group, 82 for one whose instance id belongs to another by now. */
export function memberError(group: GroupDraft, memberId: string, groupInstanceId: string | null): number {
  if (groupInstanceId !== null) {
    const current = group.staticMembers.get(groupInstanceId)
    if (current === undefined) return ErrorCode.UNKNOWN_MEMBER_ID
    if (current !== memberId) return ErrorCode.FENCED_INSTANCE_ID
  }
  return group.members.has(memberId) ? ErrorCode.NONE : ErrorCode.UNKNOWN_MEMBER_ID
}

/** The answer to a JoinGroup of the current generation; only the leader is told the members. */
export function currentJoinReply(group: GroupDraft, memberId: string): JoinReply {
  const isLeader = memberId === group.leaderId
  return {
    kind: 'join',
    errorCode: ErrorCode.NONE,
    memberId,
    generationId: group.generationId,
    protocolType: group.protocolType,
    protocolName: group.protocolName,
    leaderId: group.leaderId ?? '',
    skipAssignment: false,
    members: isLeader ? joinReplyMembers(group) : [],
  }
}

export function joinReplyMembers(group: GroupDraft): JoinReply['members'] {
  return [...group.members.values()].map((m) => ({
    memberId: m.memberId,
    groupInstanceId: m.groupInstanceId,
    metadata: metadataFor(m, group.protocolName),
  }))
}

/** The group as its record in `__consumer_offsets` shows it. */
export function snapshotOf(group: GroupState, assignments?: ReadonlyMap<string, Buffer>): GroupSnapshot {
  return {
    generationId: group.generationId,
    protocolType: group.protocolType,
    protocolName: group.protocolName,
    leaderId: group.leaderId,
    phaseSinceMs: group.phaseSinceMs,
    members: [...group.members.values()].map((member) => ({
      ...member,
      assignment: assignments === undefined ? member.assignment : (assignments.get(member.memberId) ?? NO_ASSIGNMENT),
      metadata: metadataFor(member, group.protocolName),
    })),
  }
}

/** Asks the driver to make the group durable; `then` is what happens afterwards. */
export function persist(step: Step, then: PendingPersist): void {
  const persistId = step.group.nextPersistId++
  step.group.pendingPersists.set(persistId, then)
  const assignments = then.kind === 'assignment' ? then.assignments : undefined
  step.actions.push({ type: 'persist', persistId, snapshot: snapshotOf(step.group, assignments) })
}
