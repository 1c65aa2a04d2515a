import { ErrorCode } from '../../../protocol/index.ts'
import {
  draftOf,
  heardFrom,
  memberError,
  moveTo,
  persist,
  reply,
  replyCode,
  type Step,
  syncError,
  updateMember,
} from './draft.ts'
import {
  type CommitEvent,
  CONNECT_PROTOCOL_TYPE,
  type GroupAction,
  type GroupConfig,
  type GroupEvent,
  type GroupState,
  type HeartbeatEvent,
  type LeaveEvent,
  memberDeadline,
  NO_ASSIGNMENT,
  type PendingPersist,
  type SyncEvent,
} from './group-state.ts'
import { onJoin } from './join.ts'
import {
  cancelSync,
  joinDeadlineReached,
  maybePrepareRebalance,
  removeMember,
  syncDeadlineReached,
  tryCompleteJoin,
} from './rebalance.ts'

/** The classic group coordinator: one group, one event, the next state and what is to be done. Pure; see spec/broker.md 3.2. */
export function step(state: GroupState, event: GroupEvent, config: GroupConfig): [GroupState, GroupAction[]] {
  const group = draftOf(state)
  const actions: GroupAction[] = []
  apply({ group, actions, config, now: event.now }, event)
  return [group, actions]
}

function apply(step: Step, event: GroupEvent): void {
  switch (event.type) {
    case 'join':
      return onJoin(step, event)
    case 'sync':
      return onSync(step, event)
    case 'heartbeat':
      return onHeartbeat(step, event)
    case 'leave':
      return onLeave(step, event)
    case 'commit':
      return onCommit(step, event)
    case 'persisted':
      return onPersisted(step, event.persistId)
    case 'persist-failed':
      return onPersistFailed(step, event.persistId, event.errorCode)
    case 'connection-lost':
      return onConnectionLost(step, event.connectionId)
    case 'delete':
      return onDelete(step, event.token)
    case 'tick':
      return onTick(step)
  }
}

function syncRequestError({ group }: Step, event: SyncEvent): number {
  if (group.phase === 'Dead') return ErrorCode.COORDINATOR_NOT_AVAILABLE
  const who = memberError(group, event.memberId, event.groupInstanceId)
  if (who !== ErrorCode.NONE) return who
  if (event.generationId !== group.generationId) return ErrorCode.ILLEGAL_GENERATION
  const typeDiffers = event.protocolType !== null && event.protocolType !== group.protocolType
  const nameDiffers =
    event.protocolName !== null && group.protocolName !== null && event.protocolName !== group.protocolName
  if (typeDiffers || nameDiffers) return ErrorCode.INCONSISTENT_GROUP_PROTOCOL
  if (group.phase === 'Empty') return ErrorCode.UNKNOWN_MEMBER_ID
  if (group.phase === 'PreparingRebalance') return ErrorCode.REBALANCE_IN_PROGRESS
  return ErrorCode.NONE
}

function onSync(step: Step, event: SyncEvent): void {
  const { group } = step
  const errorCode = syncRequestError(step, event)
  if (errorCode !== ErrorCode.NONE) {
    reply(step, event.token, syncError(errorCode))
    return
  }
  heardFrom(step, event.memberId, event.connectionId)
  group.pendingSyncs.delete(event.memberId)
  if (group.phase === 'Stable') {
    replyAssignment(step, event.token, event.memberId)
    return
  }
  const member = group.members.get(event.memberId)!
  // An older SyncGroup of the same member can only be a leftover of a broken connection.
  reply(step, member.syncToken, syncError(ErrorCode.REBALANCE_IN_PROGRESS))
  updateMember(step, event.memberId, { syncToken: event.token })
  if (event.memberId !== group.leaderId) return
  const assignments = new Map<string, Buffer>()
  for (const { memberId, assignment } of event.assignments) {
    if (group.members.has(memberId)) assignments.set(memberId, assignment)
  }
  // Invariant 4: the assignment is durable before any member is told of it, so a restarted broker knows who owns what.
  persist(step, { kind: 'assignment', generationId: group.generationId, assignments })
}

function replyAssignment(step: Step, token: number | null, memberId: string): void {
  const { group } = step
  reply(step, token, {
    kind: 'sync',
    errorCode: ErrorCode.NONE,
    protocolType: group.protocolType,
    protocolName: group.protocolName,
    assignment: group.members.get(memberId)!.assignment,
  })
}

function takePersist({ group }: Step, persistId: number): PendingPersist {
  const pending = group.pendingPersists.get(persistId) ?? { kind: 'none' }
  group.pendingPersists.delete(persistId)
  return pending
}

function onPersisted(step: Step, persistId: number): void {
  const { group, now } = step
  const pending = takePersist(step, persistId)
  if (pending.kind === 'reply') {
    reply(step, pending.token, pending.reply)
    return
  }
  // A new rebalance may have begun while the record was written; then those who waited have their answer already.
  if (pending.kind === 'none' || !isCompleting(step, pending.generationId)) return
  moveTo(step, 'Stable')
  for (const member of group.members.values()) {
    const assignment = pending.assignments.get(member.memberId) ?? NO_ASSIGNMENT
    const waited = member.syncToken !== null
    updateMember(step, member.memberId, {
      assignment,
      syncToken: null,
      ...(waited ? { sessionDeadlineMs: now + member.sessionTimeoutMs } : {}),
    })
    replyAssignment(step, member.syncToken, member.memberId)
  }
}

function onPersistFailed(step: Step, persistId: number, errorCode: number): void {
  const pending = takePersist(step, persistId)
  if (pending.kind === 'reply') {
    reply(step, pending.token, { ...pending.reply, errorCode, generationId: -1, members: [], skipAssignment: false })
  } else if (pending.kind === 'assignment' && isCompleting(step, pending.generationId)) {
    cancelSync(step, errorCode)
    maybePrepareRebalance(step)
  }
}

function isCompleting({ group }: Step, generationId: number): boolean {
  return group.phase === 'CompletingRebalance' && group.generationId === generationId
}

function onHeartbeat(step: Step, event: HeartbeatEvent): void {
  const { group } = step
  let errorCode: number = ErrorCode.NONE
  if (group.phase === 'Dead') errorCode = ErrorCode.COORDINATOR_NOT_AVAILABLE
  else errorCode = memberError(group, event.memberId, event.groupInstanceId)
  if (errorCode === ErrorCode.NONE && event.generationId !== group.generationId) {
    errorCode = ErrorCode.ILLEGAL_GENERATION
  }
  if (errorCode === ErrorCode.NONE) {
    heardFrom(step, event.memberId, event.connectionId)
    if (group.phase === 'PreparingRebalance') errorCode = ErrorCode.REBALANCE_IN_PROGRESS
  }
  replyCode(step, event.token, errorCode)
}

function onCommit(step: Step, event: CommitEvent): void {
  const { group } = step
  const named = event.memberId !== '' || event.groupInstanceId !== null
  const answer = (errorCode: number) => replyCode(step, event.token, errorCode)
  if (group.phase === 'Dead') return answer(ErrorCode.COORDINATOR_NOT_AVAILABLE)
  // A consumer that assigns its partitions by hand commits without a generation, to a group without members.
  if (event.generationId < 0 && group.phase === 'Empty') return answer(ErrorCode.NONE)
  if (event.generationId < 0 && !named) return answer(ErrorCode.UNKNOWN_MEMBER_ID)
  const who = memberError(group, event.memberId, event.groupInstanceId)
  if (who !== ErrorCode.NONE) return answer(who)
  if (event.generationId !== group.generationId) return answer(ErrorCode.ILLEGAL_GENERATION)
  // Members of the last generation may commit until the new one is handed out.
  if (group.phase === 'CompletingRebalance') return answer(ErrorCode.REBALANCE_IN_PROGRESS)
  heardFrom(step, event.memberId, event.connectionId)
  answer(ErrorCode.NONE)
}

function onLeave(step: Step, event: LeaveEvent): void {
  const { group } = step
  if (group.phase === 'Dead') {
    reply(step, event.token, { kind: 'leave', errorCode: ErrorCode.COORDINATOR_NOT_AVAILABLE, members: [] })
    return
  }
  const members = event.members.map((leaving) => ({ ...leaving, errorCode: leaveOne(step, leaving) }))
  reply(step, event.token, { kind: 'leave', errorCode: ErrorCode.NONE, members })
}

function leaveOne(step: Step, leaving: LeaveEvent['members'][number]): number {
  const { group } = step
  const { groupInstanceId } = leaving
  if (groupInstanceId === null && group.pendingJoins.delete(leaving.memberId)) {
    tryCompleteJoin(step)
    return ErrorCode.NONE
  }
  // An operator removes a static member by its instance id alone (KIP-345).
  const byInstance = leaving.memberId === '' && groupInstanceId !== null
  const memberId = byInstance ? (group.staticMembers.get(groupInstanceId) ?? '') : leaving.memberId
  const errorCode = memberError(group, memberId, groupInstanceId)
  if (errorCode === ErrorCode.NONE) removeMember(step, memberId)
  return errorCode
}

function onConnectionLost(step: Step, connectionId: number): void {
  const { group, config, now } = step
  if (group.protocolType !== CONNECT_PROTOCOL_TYPE) return
  for (const member of group.members.values()) {
    if (member.connectionId !== connectionId || member.groupInstanceId !== null) continue
    updateMember(step, member.memberId, { connectionId: null, graceDeadlineMs: now + config.connectionLossGraceMs })
  }
}

function onDelete(step: Step, token: number): void {
  const { group } = step
  if (group.phase === 'Dead') return replyCode(step, token, ErrorCode.GROUP_ID_NOT_FOUND)
  if (group.phase !== 'Empty') return replyCode(step, token, ErrorCode.NON_EMPTY_GROUP)
  moveTo(step, 'Dead')
  step.actions.push({ type: 'tombstone' })
  replyCode(step, token, ErrorCode.NONE)
}

function onTick(step: Step): void {
  const { group, now } = step
  for (const [memberId, deadlineMs] of group.pendingJoins) {
    if (now >= deadlineMs && group.pendingJoins.delete(memberId)) tryCompleteJoin(step)
  }
  for (const { memberId } of group.members.values()) {
    // Looked up again: removing one member may have answered, and so renewed, another.
    const member = group.members.get(memberId)
    if (member !== undefined && now >= memberDeadline(member)) removeMember(step, memberId)
  }
  if (group.join !== null && now >= group.join.deadlineMs) joinDeadlineReached(step)
  if (group.syncDeadlineMs !== null && now >= group.syncDeadlineMs) syncDeadlineReached(step)
}
