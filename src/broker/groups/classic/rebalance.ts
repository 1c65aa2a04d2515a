import { ErrorCode } from '../../../protocol/index.ts'
import { currentJoinReply, joinError, moveTo, persist, reply, type Step, syncError, updateMember } from './draft.ts'
import { groupRebalanceTimeoutMs, NO_ASSIGNMENT, selectProtocol } from './group-state.ts'

/** Starts a rebalance unless one collects joins already. */
export function maybePrepareRebalance(step: Step): void {
  const { phase } = step.group
  if (phase === 'Stable' || phase === 'CompletingRebalance' || phase === 'Empty') prepareRebalance(step)
}

function prepareRebalance(step: Step): void {
  const { group, config, now } = step
  if (group.phase === 'CompletingRebalance') cancelSync(step, ErrorCode.REBALANCE_IN_PROGRESS)
  group.pendingSyncs.clear()
  group.syncDeadlineMs = null
  const rebalanceTimeoutMs = groupRebalanceTimeoutMs(group.members)
  if (group.phase === 'Empty') {
    const delayMs = config.initialRebalanceDelayMs
    const remainingMs = Math.max(rebalanceTimeoutMs - delayMs, 0)
    group.join = { deadlineMs: now + delayMs, initial: true, remainingMs, newMemberAdded: false }
  } else {
    group.join = { deadlineMs: now + rebalanceTimeoutMs, initial: false, remainingMs: 0, newMemberAdded: false }
  }
  moveTo(step, 'PreparingRebalance')
  tryCompleteJoin(step)
}

/** Answers everyone who waits for an assignment with an error, and takes the assignments away. */
export function cancelSync(step: Step, errorCode: number): void {
  for (const member of step.group.members.values()) {
    reply(step, member.syncToken, syncError(errorCode))
    const sessionDeadlineMs = step.now + member.sessionTimeoutMs
    updateMember(step, member.memberId, {
      syncToken: null,
      assignment: NO_ASSIGNMENT,
      ...(member.syncToken === null ? {} : { sessionDeadlineMs }),
    })
  }
}

/** Completes the join phase as soon as everybody is there; an initial one waits for its delay whatever happens. */
export function tryCompleteJoin(step: Step): void {
  const { group } = step
  if (group.phase !== 'PreparingRebalance' || group.join === null || group.join.initial) return
  if (group.pendingJoins.size > 0) return
  for (const member of group.members.values()) if (member.joinToken === null) return
  completeJoin(step)
}

/** The join phase's time is up. */
export function joinDeadlineReached(step: Step): void {
  const { group, config, now } = step
  const join = group.join!
  if (join.initial && join.newMemberAdded && join.remainingMs > 0) {
    const delayMs = Math.min(config.initialRebalanceDelayMs, join.remainingMs)
    const remainingMs = Math.max(join.remainingMs - delayMs, 0)
    group.join = { deadlineMs: now + delayMs, initial: true, remainingMs, newMemberAdded: false }
    return
  }
  completeJoin(step)
}

function completeJoin(step: Step): void {
  const { group, now } = step
  for (const member of group.members.values()) {
    // A static member keeps its slot until its session ends; a dynamic one that did not come back is out.
    if (member.joinToken === null && member.groupInstanceId === null) dropMember(step, member.memberId)
  }
  if (group.members.size > 0 && !electJoinedLeader(step)) {
    const deadlineMs = now + groupRebalanceTimeoutMs(group.members)
    group.join = { deadlineMs, initial: false, remainingMs: 0, newMemberAdded: false }
    return
  }
  group.join = null
  group.generationId = group.generationId === 0x7fffffff ? 1 : group.generationId + 1
  group.pendingSyncs.clear()
  if (group.members.size === 0) {
    group.protocolName = null
    group.leaderId = null
    moveTo(step, 'Empty')
    persist(step, { kind: 'none' })
    return
  }
  group.protocolName = selectProtocol(group.members)
  moveTo(step, 'CompletingRebalance')
  group.syncDeadlineMs = now + groupRebalanceTimeoutMs(group.members)
  for (const member of group.members.values()) {
    group.pendingSyncs.add(member.memberId)
    reply(step, member.joinToken, currentJoinReply(group, member.memberId))
    updateMember(step, member.memberId, {
      joinToken: null,
      isNew: false,
      sessionDeadlineMs: now + member.sessionTimeoutMs,
    })
  }
}

/** Makes sure that the leader is somebody who is there; false when nobody is. */
function electJoinedLeader(step: Step): boolean {
  const { group } = step
  const leader = group.leaderId === null ? undefined : group.members.get(group.leaderId)
  if (leader !== undefined && leader.joinToken !== null) return true
  for (const member of group.members.values()) {
    if (member.joinToken !== null) {
      group.leaderId = member.memberId
      return true
    }
  }
  return false
}

/** Members that got the result of the join and never asked for their assignment are out (KAFKA-9752). */
export function syncDeadlineReached(step: Step): void {
  const { group } = step
  group.syncDeadlineMs = null
  if (group.pendingSyncs.size === 0) return
  for (const memberId of group.pendingSyncs) dropMember(step, memberId)
  maybePrepareRebalance(step)
}

/** Takes a member out without looking at what that means for the group. */
function dropMember(step: Step, memberId: string): void {
  const { group } = step
  const member = group.members.get(memberId)
  if (member === undefined) return
  reply(step, member.joinToken, joinError(memberId, ErrorCode.UNKNOWN_MEMBER_ID))
  reply(step, member.syncToken, syncError(ErrorCode.UNKNOWN_MEMBER_ID))
  group.members.delete(memberId)
  group.pendingSyncs.delete(memberId)
  if (member.groupInstanceId !== null && group.staticMembers.get(member.groupInstanceId) === memberId) {
    group.staticMembers.delete(member.groupInstanceId)
  }
  if (group.leaderId === memberId) {
    const [first] = group.members.keys()
    group.leaderId = first ?? null
  }
}

/** Takes a member out and rebalances those who stay. */
export function removeMember(step: Step, memberId: string): void {
  dropMember(step, memberId)
  if (step.group.phase === 'PreparingRebalance') tryCompleteJoin(step)
  else maybePrepareRebalanceOfMembers(step)
}

function maybePrepareRebalanceOfMembers(step: Step): void {
  if (step.group.phase === 'Stable' || step.group.phase === 'CompletingRebalance') maybePrepareRebalance(step)
}
