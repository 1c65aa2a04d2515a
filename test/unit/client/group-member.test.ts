import { describe, expect, test } from 'vitest'
import { seededRandom } from '../../../src/base/index.ts'
import type { KafkaError } from '../../../src/client/index.ts'
import { GroupMember, type GroupOwner } from '../../../src/client/group/group-member.ts'
import { ErrorCode } from '../../../src/protocol/index.ts'
import { SimClock } from '../../simulation/sim-clock.ts'
import { FakeBroker } from './fake-broker.ts'

/** A coordinator with one member, whose answers a test may replace. */
function setUp(owner: Partial<GroupOwner> = {}) {
  const clock = new SimClock()
  const broker = new FakeBroker(clock, seededRandom(3))
  const events: string[] = []
  const at = () => Math.round(clock.monotonicMs())
  let generationId = 0
  const replies: Record<string, (request: any) => object> = {
    FindCoordinator: () => ({ coordinators: [{ key: 'g', nodeId: 1, host: 'fake', port: 9092, errorCode: 0 }] }),
    JoinGroup: ({ memberId }) =>
      memberId === ''
        ? { errorCode: ErrorCode.MEMBER_ID_REQUIRED, memberId: 'm-1' }
        : { errorCode: 0, memberId, leader: 'm-0', generationId: ++generationId, protocolName: 'p' },
    SyncGroup: () => ({ errorCode: 0, assignment: Buffer.from(`work ${generationId}`) }),
    Heartbeat: () => ({ errorCode: 0 }),
    LeaveGroup: () => ({ errorCode: 0 }),
  }
  broker.answer = (api, request) => replies[api]?.(request)
  const member = new GroupMember(
    broker.config,
    { groupId: 'g', protocolType: 'connect', sessionTimeoutMs: 10_000, heartbeatIntervalMs: 3000 },
    {
      metadata: () => [{ name: 'p', metadata: Buffer.from('x') }],
      beforeJoin: () => void events.push('before join'),
      assign: () => new Map(),
      onAssigned: ({ assignment }) => void events.push(`assigned ${assignment.toString()}`),
      onLost: (reason) => void events.push(`lost at ${at()}: ${reason}`),
      onFatal: (error: KafkaError) => void events.push(`fatal ${error.code}`),
      ...owner,
    },
  )
  const count = (name: string) => broker.requests.filter((one) => one === name).length
  return { clock, broker, member, events, replies, count }
}

describe('GroupMember', () => {
  test('joins with the id it is given and keeps its session alive', async () => {
    const { clock, member, events, count } = setUp()
    member.start()
    await clock.advance(100)
    expect(events).toEqual(['before join', 'assigned work 1'])
    expect(member).toMatchObject({ phase: 'stable', memberId: 'm-1', generationId: 1, isLeader: false })
    await clock.advance(60_000)
    expect(count('Heartbeat')).toBeGreaterThanOrEqual(19)
    expect(count('JoinGroup')).toBe(2)
    await clock.settle(member.leave())
    expect(count('LeaveGroup')).toBe(1)
  })

  test('a dropped connection is made again at once and the assignment is kept', async () => {
    const { clock, broker, member, events, count } = setUp()
    member.start()
    await clock.advance(100)
    const beats = count('Heartbeat')
    for (const connection of broker.connections) connection.drop()
    await clock.advance(100)
    expect(count('Heartbeat')).toBe(beats + 1)
    expect(events).toEqual(['before join', 'assigned work 1'])
    expect(member.generationId).toBe(1)
    await clock.settle(member.leave())
  })

  test('out of reach for a session, it tells its owner that all is lost, and joins again later (Invariant 4)', async () => {
    const { clock, broker, member, events } = setUp()
    member.start()
    await clock.advance(100)
    broker.refuseConnections = true
    for (const connection of broker.connections) connection.drop()
    await clock.advance(9000)
    expect(events).toHaveLength(2)
    await clock.advance(2000)
    expect(events[2]).toMatch(/^lost at 1\d{4}: the session timed out/)
    broker.refuseConnections = false
    await clock.advance(3000)
    expect(events.slice(3)).toEqual(['before join', 'assigned work 2'])
    await clock.settle(member.leave())
  })

  test('a coordinator that is connected but silent costs the assignment just so', async () => {
    const { clock, member, events, replies } = setUp()
    member.start()
    await clock.advance(100)
    replies['Heartbeat'] = () => 'silence' as never
    await clock.advance(10_500)
    expect(events[2]).toMatch(/^lost at 1\d{4}/)
    await clock.settle(member.leave())
  })

  test('a rebalance that the coordinator starts gives a new assignment', async () => {
    const { clock, member, events, replies } = setUp()
    member.start()
    await clock.advance(100)
    replies['Heartbeat'] = () => {
      replies['Heartbeat'] = () => ({ errorCode: 0 })
      return { errorCode: ErrorCode.REBALANCE_IN_PROGRESS }
    }
    await clock.advance(4000)
    expect(events).toEqual(['before join', 'assigned work 1', 'before join', 'assigned work 2'])
    await clock.settle(member.leave())
  })

  test('heartbeats go on while the owner takes its time before the join', async () => {
    const slow = Promise.withResolvers<void>()
    let joins = 0
    const { clock, member, replies, count } = setUp({ beforeJoin: () => (joins++ === 0 ? undefined : slow.promise) })
    member.start()
    await clock.advance(100)
    replies['Heartbeat'] = () => ({ errorCode: ErrorCode.REBALANCE_IN_PROGRESS })
    await clock.advance(30_000)
    expect(count('Heartbeat')).toBeGreaterThanOrEqual(9)
    expect(count('JoinGroup')).toBe(2)
    slow.resolve()
    await clock.advance(100)
    expect(count('JoinGroup')).toBe(3)
    await clock.settle(member.leave())
  })

  test('an error that no retry heals ends the membership', async () => {
    const { clock, member, events, replies, count } = setUp()
    replies['JoinGroup'] = () => ({ errorCode: ErrorCode.INCONSISTENT_GROUP_PROTOCOL })
    member.start()
    await clock.advance(60_000)
    expect(events).toEqual(['before join', 'fatal INCONSISTENT_GROUP_PROTOCOL'])
    expect(count('JoinGroup')).toBe(1)
    expect(member.phase).toBe('closed')
  })

  test('an owner that throws is out of the group', async () => {
    const { clock, member, events } = setUp({
      onAssigned: () => {
        throw new Error('no room')
      },
    })
    member.start()
    await clock.advance(100)
    expect(events).toEqual(['before join', 'fatal UNKNOWN_SERVER_ERROR'])
    expect(member.phase).toBe('closed')
  })

  test('a coordinator that is not there yet is asked for again with pauses', async () => {
    const { clock, member, replies, count, events } = setUp()
    const found = replies['FindCoordinator']!
    replies['FindCoordinator'] = () => ({
      coordinators: [{ key: 'g', nodeId: -1, errorCode: ErrorCode.COORDINATOR_NOT_AVAILABLE }],
    })
    member.start()
    await clock.advance(10_000)
    expect(count('FindCoordinator')).toBeGreaterThan(8)
    expect(count('FindCoordinator')).toBeLessThan(20)
    replies['FindCoordinator'] = found
    await clock.advance(2000)
    expect(events).toEqual(['before join', 'assigned work 1'])
    await clock.settle(member.leave())
  })
})
