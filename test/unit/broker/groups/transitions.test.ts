import { describe, expect, test } from 'vitest'
import type { GroupPhase } from '../../../../src/broker/groups/classic/group-state.ts'
import { ErrorCode } from '../../../../src/protocol/index.ts'
import { GroupUnderTest } from './group-driver.ts'

type EventName =
  | 'join new'
  | 'join new with id required'
  | 'rejoin leader'
  | 'rejoin follower same'
  | 'rejoin follower changed'
  | 'rejoin unknown'
  | 'sync leader'
  | 'sync follower'
  | 'sync old generation'
  | 'sync unknown'
  | 'heartbeat'
  | 'heartbeat old generation'
  | 'heartbeat unknown'
  | 'commit'
  | 'commit simple'
  | 'commit old generation'
  | 'leave follower'
  | 'leave unknown'
  | 'delete'
  | 'session passes'

/** What an event does: the phase afterwards and the error answered; null where the answer has to wait. */
type Expected = readonly [phase: GroupPhase, answer: keyof typeof ErrorCode | null]

/** Every phase times every event; a missing cell does not compile. `m1` leads, `m2` follows. */
const TABLE: Record<GroupPhase, Record<EventName, Expected>> = {
  Empty: {
    'join new': ['PreparingRebalance', null],
    'join new with id required': ['Empty', 'MEMBER_ID_REQUIRED'],
    'rejoin leader': ['Empty', 'UNKNOWN_MEMBER_ID'],
    'rejoin follower same': ['Empty', 'UNKNOWN_MEMBER_ID'],
    'rejoin follower changed': ['Empty', 'UNKNOWN_MEMBER_ID'],
    'rejoin unknown': ['Empty', 'UNKNOWN_MEMBER_ID'],
    'sync leader': ['Empty', 'UNKNOWN_MEMBER_ID'],
    'sync follower': ['Empty', 'UNKNOWN_MEMBER_ID'],
    'sync old generation': ['Empty', 'UNKNOWN_MEMBER_ID'],
    'sync unknown': ['Empty', 'UNKNOWN_MEMBER_ID'],
    heartbeat: ['Empty', 'UNKNOWN_MEMBER_ID'],
    'heartbeat old generation': ['Empty', 'UNKNOWN_MEMBER_ID'],
    'heartbeat unknown': ['Empty', 'UNKNOWN_MEMBER_ID'],
    commit: ['Empty', 'UNKNOWN_MEMBER_ID'],
    'commit simple': ['Empty', 'NONE'],
    'commit old generation': ['Empty', 'UNKNOWN_MEMBER_ID'],
    'leave follower': ['Empty', 'UNKNOWN_MEMBER_ID'],
    'leave unknown': ['Empty', 'UNKNOWN_MEMBER_ID'],
    delete: ['Dead', 'NONE'],
    'session passes': ['Empty', null],
  },
  PreparingRebalance: {
    'join new': ['PreparingRebalance', null],
    'join new with id required': ['PreparingRebalance', 'MEMBER_ID_REQUIRED'],
    'rejoin leader': ['PreparingRebalance', null],
    'rejoin follower same': ['PreparingRebalance', null],
    'rejoin follower changed': ['PreparingRebalance', null],
    'rejoin unknown': ['PreparingRebalance', 'UNKNOWN_MEMBER_ID'],
    'sync leader': ['PreparingRebalance', 'REBALANCE_IN_PROGRESS'],
    'sync follower': ['PreparingRebalance', 'REBALANCE_IN_PROGRESS'],
    'sync old generation': ['PreparingRebalance', 'ILLEGAL_GENERATION'],
    'sync unknown': ['PreparingRebalance', 'UNKNOWN_MEMBER_ID'],
    heartbeat: ['PreparingRebalance', 'REBALANCE_IN_PROGRESS'],
    'heartbeat old generation': ['PreparingRebalance', 'ILLEGAL_GENERATION'],
    'heartbeat unknown': ['PreparingRebalance', 'UNKNOWN_MEMBER_ID'],
    commit: ['PreparingRebalance', 'NONE'],
    'commit simple': ['PreparingRebalance', 'UNKNOWN_MEMBER_ID'],
    'commit old generation': ['PreparingRebalance', 'ILLEGAL_GENERATION'],
    // The joiner that began this rebalance and the leader are awaited still.
    'leave follower': ['PreparingRebalance', 'NONE'],
    'leave unknown': ['PreparingRebalance', 'UNKNOWN_MEMBER_ID'],
    delete: ['PreparingRebalance', 'NON_EMPTY_GROUP'],
    // The two old members are gone, the one that joined has nobody to wait for.
    'session passes': ['CompletingRebalance', null],
  },
  CompletingRebalance: {
    'join new': ['PreparingRebalance', null],
    'join new with id required': ['CompletingRebalance', 'MEMBER_ID_REQUIRED'],
    'rejoin leader': ['CompletingRebalance', 'NONE'],
    'rejoin follower same': ['CompletingRebalance', 'NONE'],
    'rejoin follower changed': ['PreparingRebalance', null],
    'rejoin unknown': ['CompletingRebalance', 'UNKNOWN_MEMBER_ID'],
    'sync leader': ['Stable', 'NONE'],
    'sync follower': ['CompletingRebalance', null],
    'sync old generation': ['CompletingRebalance', 'ILLEGAL_GENERATION'],
    'sync unknown': ['CompletingRebalance', 'UNKNOWN_MEMBER_ID'],
    heartbeat: ['CompletingRebalance', 'NONE'],
    'heartbeat old generation': ['CompletingRebalance', 'ILLEGAL_GENERATION'],
    'heartbeat unknown': ['CompletingRebalance', 'UNKNOWN_MEMBER_ID'],
    commit: ['CompletingRebalance', 'REBALANCE_IN_PROGRESS'],
    'commit simple': ['CompletingRebalance', 'UNKNOWN_MEMBER_ID'],
    'commit old generation': ['CompletingRebalance', 'ILLEGAL_GENERATION'],
    'leave follower': ['PreparingRebalance', 'NONE'],
    'leave unknown': ['CompletingRebalance', 'UNKNOWN_MEMBER_ID'],
    delete: ['CompletingRebalance', 'NON_EMPTY_GROUP'],
    'session passes': ['Empty', null],
  },
  Stable: {
    'join new': ['PreparingRebalance', null],
    'join new with id required': ['Stable', 'MEMBER_ID_REQUIRED'],
    'rejoin leader': ['PreparingRebalance', null],
    'rejoin follower same': ['Stable', 'NONE'],
    'rejoin follower changed': ['PreparingRebalance', null],
    'rejoin unknown': ['Stable', 'UNKNOWN_MEMBER_ID'],
    'sync leader': ['Stable', 'NONE'],
    'sync follower': ['Stable', 'NONE'],
    'sync old generation': ['Stable', 'ILLEGAL_GENERATION'],
    'sync unknown': ['Stable', 'UNKNOWN_MEMBER_ID'],
    heartbeat: ['Stable', 'NONE'],
    'heartbeat old generation': ['Stable', 'ILLEGAL_GENERATION'],
    'heartbeat unknown': ['Stable', 'UNKNOWN_MEMBER_ID'],
    commit: ['Stable', 'NONE'],
    'commit simple': ['Stable', 'UNKNOWN_MEMBER_ID'],
    'commit old generation': ['Stable', 'ILLEGAL_GENERATION'],
    'leave follower': ['PreparingRebalance', 'NONE'],
    'leave unknown': ['Stable', 'UNKNOWN_MEMBER_ID'],
    delete: ['Stable', 'NON_EMPTY_GROUP'],
    'session passes': ['Empty', null],
  },
  Dead: {
    'join new': ['Dead', 'COORDINATOR_NOT_AVAILABLE'],
    'join new with id required': ['Dead', 'COORDINATOR_NOT_AVAILABLE'],
    'rejoin leader': ['Dead', 'COORDINATOR_NOT_AVAILABLE'],
    'rejoin follower same': ['Dead', 'COORDINATOR_NOT_AVAILABLE'],
    'rejoin follower changed': ['Dead', 'COORDINATOR_NOT_AVAILABLE'],
    'rejoin unknown': ['Dead', 'COORDINATOR_NOT_AVAILABLE'],
    'sync leader': ['Dead', 'COORDINATOR_NOT_AVAILABLE'],
    'sync follower': ['Dead', 'COORDINATOR_NOT_AVAILABLE'],
    'sync old generation': ['Dead', 'COORDINATOR_NOT_AVAILABLE'],
    'sync unknown': ['Dead', 'COORDINATOR_NOT_AVAILABLE'],
    heartbeat: ['Dead', 'COORDINATOR_NOT_AVAILABLE'],
    'heartbeat old generation': ['Dead', 'COORDINATOR_NOT_AVAILABLE'],
    'heartbeat unknown': ['Dead', 'COORDINATOR_NOT_AVAILABLE'],
    commit: ['Dead', 'COORDINATOR_NOT_AVAILABLE'],
    'commit simple': ['Dead', 'COORDINATOR_NOT_AVAILABLE'],
    'commit old generation': ['Dead', 'COORDINATOR_NOT_AVAILABLE'],
    'leave follower': ['Dead', 'COORDINATOR_NOT_AVAILABLE'],
    'leave unknown': ['Dead', 'COORDINATOR_NOT_AVAILABLE'],
    delete: ['Dead', 'GROUP_ID_NOT_FOUND'],
    'session passes': ['Dead', null],
  },
}

const M1 = { newMemberId: 'm1' }
const M2 = { newMemberId: 'm2', connectionId: 2 }

function groupIn(phase: GroupPhase): GroupUnderTest {
  const group = new GroupUnderTest()
  if (phase === 'Empty') return group
  if (phase === 'Dead') {
    group.send({ type: 'delete', token: group.token() })
    return group
  }
  if (phase === 'CompletingRebalance') {
    group.join(M1)
    group.join(M2)
    group.pass(3000)
    group.pass(3000)
  } else {
    group.stable(M1, M2)
  }
  if (phase === 'PreparingRebalance') group.join({ newMemberId: 'm3', connectionId: 3 })
  expect(group.state.phase).toBe(phase)
  expect(group.state.leaderId).toBe('m1')
  return group
}

const changed = [{ name: 'range', metadata: Buffer.from('other') }]
const assignments = [{ memberId: 'm1', assignment: Buffer.from('a') }]

const EVENTS: Record<EventName, (group: GroupUnderTest) => number> = {
  'join new': (group) => group.join(),
  'join new with id required': (group) => group.join({ requireKnownMemberId: true }),
  'rejoin leader': (group) => group.join({ memberId: 'm1' }),
  'rejoin follower same': (group) => group.join({ memberId: 'm2' }),
  'rejoin follower changed': (group) => group.join({ memberId: 'm2', protocols: changed }),
  'rejoin unknown': (group) => group.join({ memberId: 'nobody' }),
  'sync leader': (group) => group.sync('m1', { assignments }),
  'sync follower': (group) => group.sync('m2'),
  'sync old generation': (group) => group.sync('m2', { generationId: 0 }),
  'sync unknown': (group) => group.sync('nobody'),
  heartbeat: (group) => group.heartbeat('m2'),
  'heartbeat old generation': (group) => group.heartbeat('m2', { generationId: 0 }),
  'heartbeat unknown': (group) => group.heartbeat('nobody'),
  commit: (group) => group.commit('m2'),
  'commit simple': (group) => group.commit('', { generationId: -1 }),
  'commit old generation': (group) => group.commit('m2', { generationId: 0 }),
  'leave follower': (group) => group.leave({ memberId: 'm2', groupInstanceId: null }),
  'leave unknown': (group) => group.leave({ memberId: 'nobody', groupInstanceId: null }),
  delete: (group) => {
    const token = group.token()
    group.send({ type: 'delete', token })
    return token
  },
  'session passes': (group) => {
    group.pass(10_001)
    return -1
  },
}

/** LeaveGroup answers per member, inside an answer without an error of its own. */
function answered(group: GroupUnderTest, token: number): number | null {
  const reply = group.reply(token)
  if (reply === undefined) return null
  if (reply.kind === 'leave' && reply.members.length > 0) return reply.members[0]!.errorCode
  return reply.errorCode
}

describe.each(Object.keys(TABLE) as GroupPhase[])('in %s', (phase) => {
  test.each(Object.entries(TABLE[phase]))('%s', (name, [nextPhase, answer]) => {
    const group = groupIn(phase)
    const token = EVENTS[name as EventName](group)
    expect(group.state.phase).toBe(nextPhase)
    expect(answered(group, token)).toBe(answer === null ? null : ErrorCode[answer])
  })
})
