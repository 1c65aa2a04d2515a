import { describe, expect, test } from 'vitest'
import { nextDeadline } from '../../../../src/broker/groups/classic/group-state.ts'
import { ErrorCode } from '../../../../src/protocol/index.ts'
import { GroupUnderTest } from './group-driver.ts'

const other = [{ name: 'range', metadata: Buffer.from('changed') }]

describe('the initial rebalance', () => {
  test('waits for more members, each of which extends the wait', () => {
    const group = new GroupUnderTest()
    const first = group.join({ newMemberId: 'a' })
    group.pass(2000)
    const second = group.join({ newMemberId: 'b' })
    group.pass(1000)
    expect(group.joined(first)).toBeUndefined()
    group.pass(3000)
    expect(group.joined(first)).toMatchObject({ errorCode: 0, generationId: 1, leaderId: 'a' })
    expect(group.joined(second)).toMatchObject({ errorCode: 0, generationId: 1, leaderId: 'a', members: [] })
    expect(group.joined(first).members.map((member) => member.memberId)).toEqual(['a', 'b'])
  })

  test('is extended to the rebalance time-out and no further', () => {
    const group = new GroupUnderTest()
    const first = group.join({ rebalanceTimeoutMs: 7000 })
    let passed = 0
    while (group.joined(first) === undefined) {
      group.join({ rebalanceTimeoutMs: 7000 })
      group.pass(1000)
      passed += 1000
      expect(passed).toBeLessThanOrEqual(9000)
    }
    expect(passed).toBeGreaterThanOrEqual(6000)
  })

  test('is over at once without a delay', () => {
    const group = new GroupUnderTest({ initialRebalanceDelayMs: 0 })
    const token = group.join()
    group.pass(0)
    expect(group.joined(token).generationId).toBe(1)
  })
})

describe('rebalances', () => {
  test('complete when the last member is back, and drop who does not come within the time-out', () => {
    const group = new GroupUnderTest()
    const [a = '', b = '', c = ''] = group.stable({}, {}, {})
    const first = group.join({ memberId: a })
    expect(group.state.phase).toBe('PreparingRebalance')
    const second = group.join({ memberId: b })
    for (let i = 0; i < 12; i++) {
      // The third one lives, but never joins.
      group.pass(5000)
      group.heartbeat(c)
    }
    expect(group.joined(first).generationId).toBe(2)
    expect(group.joined(first).members).toHaveLength(2)
    expect(group.joined(second).errorCode).toBe(ErrorCode.NONE)
    expect(group.state.members.has(c)).toBe(false)
  })

  test('a new leader is chosen among those who joined', () => {
    const group = new GroupUnderTest()
    const [a = '', b = ''] = group.stable({}, {})
    group.leave({ memberId: a, groupInstanceId: null })
    const token = group.join({ memberId: b })
    expect(group.joined(token).leaderId).toBe(b)
  })

  test('the protocol all members know and most prefer is chosen', () => {
    const group = new GroupUnderTest()
    const protocols = (...names: string[]) => names.map((name) => ({ name, metadata: Buffer.from(name) }))
    const tokens = [
      group.join({ protocols: protocols('sticky', 'range', 'only-here') }),
      group.join({ protocols: protocols('range', 'sticky') }),
      group.join({ protocols: protocols('range', 'sticky') }),
    ]
    group.pass(3000)
    group.pass(3000)
    expect(group.joined(tokens[0]!).protocolName).toBe('range')
    expect(group.joined(tokens[0]!).members[1]!.metadata.toString()).toBe('range')
    const stranger = group.join({ protocols: protocols('only-here') })
    expect(group.code(stranger)).toBe(ErrorCode.INCONSISTENT_GROUP_PROTOCOL)
  })

  test('members that never ask for their assignment are dropped', () => {
    const group = new GroupUnderTest({ initialRebalanceDelayMs: 0 })
    group.join({ newMemberId: 'a', rebalanceTimeoutMs: 20_000 })
    group.join({ newMemberId: 'b', rebalanceTimeoutMs: 20_000 })
    group.pass(0)
    group.pass(0)
    group.sync('a', { assignments: [] })
    expect(group.state.phase).toBe('Stable')
    for (let i = 0; i < 4; i++) {
      group.pass(5000)
      group.heartbeat('a')
      group.heartbeat('b')
    }
    expect(group.state.members.has('b')).toBe(false)
    expect(group.state.phase).toBe('PreparingRebalance')
  })

  test('a rebalance that begins while the assignment is written wins', () => {
    const group = new GroupUnderTest({ initialRebalanceDelayMs: 0 })
    group.join({ newMemberId: 'a' })
    group.pass(0)
    group.holdPersists = true
    const waiting = group.sync('a', { assignments: [{ memberId: 'a', assignment: Buffer.from('x') }] })
    const [persist] = group.actions.filter((action) => action.type === 'persist')
    group.join({ newMemberId: 'b' })
    expect(group.code(waiting)).toBe(ErrorCode.REBALANCE_IN_PROGRESS)
    group.send({ type: 'persisted', persistId: persist!.persistId })
    expect(group.state.phase).toBe('PreparingRebalance')
    expect(group.state.members.get('a')!.assignment).toHaveLength(0)
  })

  test('an assignment that cannot be written is taken back with the error', () => {
    const group = new GroupUnderTest({ initialRebalanceDelayMs: 0 })
    group.join({ newMemberId: 'a' })
    group.pass(0)
    group.holdPersists = true
    const waiting = group.sync('a', { assignments: [] })
    const [persist] = group.actions.filter((action) => action.type === 'persist')
    const errorCode = ErrorCode.COORDINATOR_NOT_AVAILABLE
    group.send({ type: 'persist-failed', persistId: persist!.persistId, errorCode })
    expect(group.code(waiting)).toBe(errorCode)
    expect(group.state.phase).toBe('PreparingRebalance')
  })

  test('assignments for strangers are ignored, members without one get none', () => {
    const group = new GroupUnderTest({ initialRebalanceDelayMs: 0 })
    group.join({ newMemberId: 'a' })
    group.pass(0)
    const token = group.sync('a', { assignments: [{ memberId: 'stranger', assignment: Buffer.from('x') }] })
    expect(group.synced(token).assignment).toHaveLength(0)
  })
})

describe('sessions', () => {
  test('end without heartbeats, and every request renews them', () => {
    const group = new GroupUnderTest()
    const [a = '', b = ''] = group.stable({}, {})
    for (let i = 0; i < 3; i++) {
      group.pass(6000)
      group.heartbeat(a)
    }
    expect(group.state.members.has(b)).toBe(false)
    expect(group.state.members.has(a)).toBe(true)
  })

  test('do not end while the member waits in JoinGroup or SyncGroup', () => {
    const group = new GroupUnderTest({ initialRebalanceDelayMs: 0 })
    const [a = ''] = group.stable({ rebalanceTimeoutMs: 60_000 })
    group.join({ newMemberId: 'b', rebalanceTimeoutMs: 60_000 })
    const waiting = group.join({ newMemberId: 'c', rebalanceTimeoutMs: 60_000 })
    for (let i = 0; i < 5; i++) {
      group.pass(9000)
      group.heartbeat(a)
    }
    expect(group.code(waiting)).toBeUndefined()
    group.join({ memberId: a })
    expect(group.joined(waiting).members).toEqual([])
    expect(group.state.members.size).toBe(3)
  })

  test('an id that is never used lapses, and no longer holds up a rebalance', () => {
    const group = new GroupUnderTest()
    const [a = ''] = group.stable({})
    group.join({ requireKnownMemberId: true, newMemberId: 'promised' })
    const token = group.join({ memberId: a, protocols: other })
    expect(group.code(token)).toBeUndefined()
    group.pass(10_000)
    expect(group.joined(token).generationId).toBe(2)
    const late = group.join({ memberId: 'promised', requireKnownMemberId: true })
    expect(group.code(late)).toBe(ErrorCode.UNKNOWN_MEMBER_ID)
  })

  test('the next deadline is known, so that one timer suffices', () => {
    const group = new GroupUnderTest()
    expect(nextDeadline(group.state)).toBe(Number.POSITIVE_INFINITY)
    group.stable({ sessionTimeoutMs: 8000, rebalanceTimeoutMs: 60_000 })
    expect(nextDeadline(group.state)).toBe(group.now + 8000)
  })
})

describe('static members', () => {
  const instance = { groupInstanceId: 'i', newMemberId: 'first' }

  test('a follower that restarts gets its assignment; the leader is told nothing', () => {
    const group = new GroupUnderTest()
    const [leader = ''] = group.stable({}, instance)
    const token = group.join({ ...instance, newMemberId: 'second' })
    expect(group.joined(token)).toMatchObject({ errorCode: 0, memberId: 'second', leaderId: leader, generationId: 1 })
    expect(group.joined(token).skipAssignment).toBe(false)
    expect(group.synced(group.sync('second', { groupInstanceId: 'i' })).assignment.toString()).toBe('for first')
    expect(group.code(group.heartbeat('first', { groupInstanceId: 'i' }))).toBe(ErrorCode.FENCED_INSTANCE_ID)
    expect(group.state.phase).toBe('Stable')
  })

  test('a leader that restarts skips the assignment; older clients are not named leader', () => {
    const group = new GroupUnderTest()
    group.stable(instance, {})
    const modern = group.joined(group.join({ ...instance, newMemberId: 'second' }))
    expect(modern).toMatchObject({ leaderId: 'second', skipAssignment: true })
    expect(modern.members).toHaveLength(2)
    const old = group.joined(group.join({ ...instance, newMemberId: 'third', supportsSkippingAssignment: false }))
    expect(old).toMatchObject({ leaderId: 'second', skipAssignment: false, memberId: 'third', members: [] })
  })

  test('its place is kept until the session ends', () => {
    const group = new GroupUnderTest()
    const [a = ''] = group.stable({}, instance)
    const token = group.join({ memberId: a, protocols: other })
    for (let i = 0; i < 2; i++) group.pass(4000)
    expect(group.code(token)).toBeUndefined()
    group.pass(2001)
    expect(group.joined(token).members).toHaveLength(1)
  })

  test('another process with the same instance id fences the one that waits', () => {
    const group = new GroupUnderTest()
    const first = group.join(instance)
    const second = group.join({ ...instance, newMemberId: 'second' })
    expect(group.code(first)).toBe(ErrorCode.FENCED_INSTANCE_ID)
    group.pass(3000)
    group.pass(3000)
    expect(group.joined(second).errorCode).toBe(ErrorCode.NONE)
    expect([...group.state.staticMembers]).toEqual([['i', 'second']])
  })
})

describe('lost connections of Connect workers', () => {
  const connect = { protocolType: 'connect' }

  test('the member is out after the grace', () => {
    const group = new GroupUnderTest()
    const [a = '', b = ''] = group.stable({ ...connect, connectionId: 1 }, { ...connect, connectionId: 2 })
    group.heartbeat(a, { connectionId: 1 })
    group.heartbeat(b, { connectionId: 2 })
    group.send({ type: 'connection-lost', connectionId: 2 })
    group.pass(999)
    expect(group.state.phase).toBe('Stable')
    group.pass(1)
    expect(group.state.members.has(b)).toBe(false)
    expect(group.state.phase).toBe('PreparingRebalance')
  })

  test('it stays when it is heard of again on another connection', () => {
    const group = new GroupUnderTest()
    const [a = ''] = group.stable({ ...connect, connectionId: 1 })
    group.send({ type: 'connection-lost', connectionId: 1 })
    group.pass(500)
    group.heartbeat(a, { connectionId: 9 })
    group.send({ type: 'connection-lost', connectionId: 1 })
    group.pass(2000)
    expect(group.state.members.has(a)).toBe(true)
  })

  test('consumers and static members keep their session', () => {
    const consumers = new GroupUnderTest()
    const [a = ''] = consumers.stable({ connectionId: 1 })
    consumers.send({ type: 'connection-lost', connectionId: 1 })
    consumers.pass(5000)
    expect(consumers.state.members.has(a)).toBe(true)
    const statics = new GroupUnderTest()
    const [b = ''] = statics.stable({ ...connect, connectionId: 1, groupInstanceId: 'i' })
    statics.send({ type: 'connection-lost', connectionId: 1 })
    statics.pass(5000)
    expect(statics.state.members.has(b)).toBe(true)
  })
})

describe('limits', () => {
  test('a full group takes nobody else, its members may rejoin', () => {
    const group = new GroupUnderTest({ maxSize: 2 })
    const [a = '', b = ''] = group.stable({}, {})
    expect(group.code(group.join())).toBe(ErrorCode.GROUP_MAX_SIZE_REACHED)
    group.join({ memberId: a, protocols: other })
    const token = group.join({ memberId: b })
    expect(group.joined(token).errorCode).toBe(ErrorCode.NONE)
  })

  test.each([5999, 1_800_001])('a session time-out of %i ms is refused', (sessionTimeoutMs) => {
    const group = new GroupUnderTest()
    expect(group.code(group.join({ sessionTimeoutMs }))).toBe(ErrorCode.INVALID_SESSION_TIMEOUT)
  })

  test('an event leaves the state before it as it was', () => {
    const group = new GroupUnderTest()
    const [a = ''] = group.stable({})
    const before = group.state
    const copy = structuredClone({ ...before, members: [...before.members], phase: before.phase })
    group.join({ newMemberId: 'b' })
    group.leave({ memberId: a, groupInstanceId: null })
    expect(structuredClone({ ...before, members: [...before.members], phase: before.phase })).toEqual(copy)
  })
})
