import { ErrorCode } from '../../../protocol/index.ts'
import {
  currentJoinReply,
  heardFrom,
  joinError,
  joinReplyMembers,
  memberError,
  persist,
  reply,
  type Step,
  syncError,
  updateMember,
} from './draft.ts'
import {
  type JoinEvent,
  type JoinReply,
  type Member,
  NEW_MEMBER_JOIN_TIMEOUT_MS,
  NO_ASSIGNMENT,
  sameProtocols,
  selectProtocol,
  supportsProtocols,
} from './group-state.ts'
import { maybePrepareRebalance, tryCompleteJoin } from './rebalance.ts'

/** JoinGroup. The order of the checks is Kafka's, because clients react to the first error. */
export function onJoin(step: Step, event: JoinEvent): void {
  const { group, config } = step
  const fail = (errorCode: number, memberId = event.memberId) => {
    reply(step, event.token, joinError(memberId, errorCode))
  }
  if (event.sessionTimeoutMs < config.minSessionTimeoutMs || event.sessionTimeoutMs > config.maxSessionTimeoutMs) {
    fail(ErrorCode.INVALID_SESSION_TIMEOUT)
  } else if (group.phase === 'Dead') {
    fail(ErrorCode.COORDINATOR_NOT_AVAILABLE)
  } else if (isFull(step, event.memberId)) {
    fail(ErrorCode.GROUP_MAX_SIZE_REACHED)
  } else if (!supportsProtocols(group, event.protocolType, event.protocols)) {
    fail(ErrorCode.INCONSISTENT_GROUP_PROTOCOL)
  } else if (event.memberId === '') {
    joinWithoutId(step, event)
  } else if (group.pendingJoins.has(event.memberId) && event.groupInstanceId === null) {
    addMember(step, event, event.memberId)
  } else {
    const errorCode = memberError(group, event.memberId, event.groupInstanceId)
    if (errorCode !== ErrorCode.NONE) fail(errorCode)
    else rejoin(step, event)
  }
}

/** Members that wait already keep their place; others are taken up to the limit. */
function isFull({ group, config }: Step, memberId: string): boolean {
  const known = group.members.get(memberId)
  if (group.phase === 'Empty' || group.phase === 'Dead') return false
  if (group.phase !== 'PreparingRebalance') return known === undefined && group.members.size >= config.maxSize
  if (known !== undefined && known.joinToken !== null) return false
  let waiting = 0
  for (const member of group.members.values()) if (member.joinToken !== null) waiting++
  return waiting >= config.maxSize
}

function joinWithoutId(step: Step, event: JoinEvent): void {
  const { group } = step
  if (event.groupInstanceId !== null) {
    const previousId = group.staticMembers.get(event.groupInstanceId)
    if (previousId === undefined) addMember(step, event, event.newMemberId)
    else replaceStaticMember(step, event, previousId)
    return
  }
  if (event.requireKnownMemberId) {
    group.pendingJoins.set(event.newMemberId, step.now + event.sessionTimeoutMs)
    reply(step, event.token, joinError(event.newMemberId, ErrorCode.MEMBER_ID_REQUIRED))
    return
  }
  addMember(step, event, event.newMemberId)
}

function addMember(step: Step, event: JoinEvent, memberId: string): void {
  const { group, now } = step
  if (group.members.size === 0) group.protocolType = event.protocolType
  group.members.set(memberId, {
    memberId,
    groupInstanceId: event.groupInstanceId,
    clientId: event.clientId,
    clientHost: event.clientHost,
    rebalanceTimeoutMs: event.rebalanceTimeoutMs,
    sessionTimeoutMs: event.sessionTimeoutMs,
    protocols: event.protocols,
    assignment: NO_ASSIGNMENT,
    joinToken: event.token,
    syncToken: null,
    isNew: true,
    sessionDeadlineMs: now + NEW_MEMBER_JOIN_TIMEOUT_MS,
    connectionId: event.connectionId,
    graceDeadlineMs: null,
  })
  group.leaderId ??= memberId
  group.pendingJoins.delete(memberId)
  if (event.groupInstanceId !== null) group.staticMembers.set(event.groupInstanceId, memberId)
  // Kafka extends the initial delay only for a group that never had a generation.
  if (group.phase === 'PreparingRebalance' && group.generationId === 0 && group.join !== null) {
    group.join = { ...group.join, newMemberAdded: true }
  }
  maybePrepareRebalance(step)
  tryCompleteJoin(step)
}

function rejoin(step: Step, event: JoinEvent): void {
  const { group } = step
  const member = group.members.get(event.memberId)!
  heardFrom(step, event.memberId, event.connectionId)
  const unchanged = sameProtocols(member.protocols, event.protocols)
  switch (group.phase) {
    case 'PreparingRebalance':
      updateAndRebalance(step, event)
      return
    case 'CompletingRebalance':
      // The answer got lost: the member asks again for the generation it is in.
      if (unchanged) reply(step, event.token, currentJoinReply(group, event.memberId))
      else updateAndRebalance(step, event)
      return
    case 'Stable':
      // A leader that rejoins wants a new assignment; a follower that changed nothing is told where it is.
      if (event.memberId === group.leaderId || !unchanged) updateAndRebalance(step, event)
      else reply(step, event.token, { ...currentJoinReply(group, event.memberId), members: [] })
      return
    case 'Empty':
    case 'Dead':
      reply(step, event.token, joinError(event.memberId, ErrorCode.UNKNOWN_MEMBER_ID))
  }
}

function updateAndRebalance(step: Step, event: JoinEvent): void {
  const member = step.group.members.get(event.memberId)!
  // An older JoinGroup of the same member can only be a leftover of a broken connection.
  reply(step, member.joinToken, joinError(event.memberId, ErrorCode.REBALANCE_IN_PROGRESS))
  updateMember(step, event.memberId, {
    ...takenFrom(event),
    joinToken: event.token,
  })
  maybePrepareRebalance(step)
  tryCompleteJoin(step)
}

function takenFrom(event: JoinEvent): Partial<Member> {
  return {
    protocols: event.protocols,
    rebalanceTimeoutMs: event.rebalanceTimeoutMs,
    sessionTimeoutMs: event.sessionTimeoutMs,
    clientId: event.clientId,
    clientHost: event.clientHost,
  }
}

/** KIP-345: a restarted static member gets a new id and, if nothing else changed, its old assignment without a rebalance. */
function replaceStaticMember(step: Step, event: JoinEvent, previousId: string): void {
  const { group, now } = step
  const previous = group.members.get(previousId)!
  const newId = event.newMemberId
  reply(step, previous.joinToken, joinError(previousId, ErrorCode.FENCED_INSTANCE_ID))
  reply(step, previous.syncToken, syncError(ErrorCode.FENCED_INSTANCE_ID))
  renameMember(step, previousId, {
    ...previous,
    ...takenFrom(event),
    memberId: newId,
    joinToken: null,
    syncToken: null,
    sessionDeadlineMs: now + event.sessionTimeoutMs,
    connectionId: event.connectionId,
    graceDeadlineMs: null,
  })
  const wasLeader = group.leaderId === previousId
  if (wasLeader) group.leaderId = newId
  if (group.phase === 'Stable' && selectProtocol(group.members) === group.protocolName) {
    persist(step, { kind: 'reply', token: event.token, reply: staticJoinReply(step, event, previousId, wasLeader) })
    return
  }
  updateMember(step, newId, { joinToken: event.token })
  maybePrepareRebalance(step)
  tryCompleteJoin(step)
}

/** Before JoinGroup v9 nobody can be told to skip the assignment, so the old id is named as leader and the new member follows. */
function staticJoinReply({ group }: Step, event: JoinEvent, previousId: string, wasLeader: boolean): JoinReply {
  const skip = event.supportsSkippingAssignment
  const base = currentJoinReply(group, event.newMemberId)
  if (!wasLeader) return { ...base, members: [] }
  return {
    ...base,
    leaderId: skip ? event.newMemberId : previousId,
    skipAssignment: skip,
    members: skip ? joinReplyMembers(group) : [],
  }
}

/** Puts a member under a new id in the same place of the joining order. */
function renameMember({ group }: Step, previousId: string, member: Member): void {
  const entries = [...group.members].map(([id, m]): [string, Member] =>
    id === previousId ? [member.memberId, member] : [id, m],
  )
  group.members = new Map(entries)
  group.staticMembers.set(member.groupInstanceId!, member.memberId)
  if (group.pendingSyncs.delete(previousId)) group.pendingSyncs.add(member.memberId)
}
