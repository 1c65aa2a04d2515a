import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import {
  type GroupAction,
  type GroupEvent,
  type GroupState,
  initialGroupState,
  type JoinAnswer,
  stepGroup,
} from '../../../src/client/group/group-state.ts'
import { ErrorCode } from '../../../src/protocol/index.ts'
import '../property-settings.ts'

const timings = { sessionTimeoutMs: 10_000, heartbeatIntervalMs: 3000 }

const joined = (answer: Partial<JoinAnswer>): JoinAnswer => ({
  errorCode: 0,
  memberId: 'm1',
  generationId: 1,
  protocolName: 'p',
  leader: 'm2',
  skipAssignment: false,
  members: [],
  ...answer,
})

/** Runs events and collects the actions of the last one. */
function run(events: readonly GroupEvent[], from = initialGroupState(timings)): [GroupState, string[], GroupAction[]] {
  let state = from
  let actions: GroupAction[] = []
  for (const event of events) [state, actions] = stepGroup(state, event)
  return [state, actions.map(({ type }) => type), actions]
}

const toJoining: GroupEvent[] = [{ type: 'start' }, { type: 'coordinatorFound' }, { type: 'prepared', attempt: 1 }]
const toStable: GroupEvent[] = [
  ...toJoining,
  { type: 'joined', attempt: 1, answer: joined({}) },
  { type: 'synced', attempt: 1, errorCode: 0, assignment: Buffer.from('work') },
]

describe('joining', () => {
  test('a member looks for the coordinator and prepares at the same time, then joins', () => {
    expect(run(toJoining.slice(0, 1))[1]).toEqual(['prepare', 'findCoordinator'])
    expect(run(toJoining.slice(0, 2))[1]).toEqual([])
    expect(run(toJoining)[1]).toEqual(['cancelTimer', 'cancelTimer', 'join'])
  })

  test('the coordinator may ask for the member id it has given', () => {
    const answer = joined({ errorCode: ErrorCode.MEMBER_ID_REQUIRED, memberId: 'given' })
    const [state, actions] = run([...toJoining, { type: 'joined', attempt: 1, answer }])
    expect(state).toMatchObject({ phase: 'joining', memberId: 'given', generationId: -1 })
    expect(actions).toContain('join')
  })

  test('a follower syncs without an assignment, the leader assigns first', () => {
    const [, follower] = run([...toJoining, { type: 'joined', attempt: 1, answer: joined({}) }])
    expect(follower).toEqual(['setTimer', 'setTimer', 'sync'])
    const [, leader] = run([...toJoining, { type: 'joined', attempt: 1, answer: joined({ leader: 'm1' }) }])
    expect(leader).toEqual(['setTimer', 'setTimer', 'assign'])
  })

  test('a static leader that came back is told to leave the assignment as it is', () => {
    const answer = joined({ leader: 'm1', skipAssignment: true })
    expect(run([...toJoining, { type: 'joined', attempt: 1, answer }])[1]).toContain('sync')
  })

  test('the assignment is delivered once', () => {
    const [state, actions] = run(toStable)
    expect(state).toMatchObject({ phase: 'stable', holds: true, generationId: 1 })
    expect(actions).toEqual(['setTimer', 'deliver'])
    expect(run([{ type: 'synced', attempt: 1, errorCode: 0, assignment: Buffer.alloc(0) }], state)[1]).toEqual([])
  })

  test('an answer to a join that was given up changes nothing', () => {
    const [state] = run([...toStable, { type: 'rejoin' }])
    expect(stepGroup(state, { type: 'joined', attempt: 1, answer: joined({}) })).toEqual([state, []])
  })

  test.each([
    ErrorCode.INCONSISTENT_GROUP_PROTOCOL,
    ErrorCode.INVALID_SESSION_TIMEOUT,
    ErrorCode.GROUP_AUTHORIZATION_FAILED,
    ErrorCode.GROUP_MAX_SIZE_REACHED,
    ErrorCode.FENCED_INSTANCE_ID,
  ])('error %i of JoinGroup ends the membership', (errorCode) => {
    const [state, actions] = run([...toJoining, { type: 'joined', attempt: 1, answer: joined({ errorCode }) }])
    expect(state.phase).toBe('closed')
    expect(actions).toContain('fail')
  })

  test('an unknown member joins again as a new one', () => {
    const answer = joined({ errorCode: ErrorCode.UNKNOWN_MEMBER_ID })
    const [state, actions] = run([...toJoining, { type: 'joined', attempt: 1, answer }])
    expect(state).toMatchObject({ phase: 'preparing', memberId: '', generationId: -1 })
    expect(actions).toEqual(['prepare'])
  })
})

describe('heartbeats', () => {
  const [stable] = run(toStable)
  const beat = (errorCode: number): GroupEvent => ({ type: 'heartbeatAnswered', generationId: 1, errorCode })
  const [beating] = run([{ type: 'timer', timer: 'heartbeat' }], stable)

  test('go on and keep the session alive', () => {
    expect(beating.heartbeatInFlight).toBe(true)
    expect(run([{ type: 'timer', timer: 'heartbeat' }], beating)[1]).toEqual([])
    expect(run([beat(0)], beating)[2]).toEqual([
      { type: 'setTimer', timer: 'session', delayMs: 10_000 },
      { type: 'setTimer', timer: 'heartbeat', delayMs: 3000 },
    ])
  })

  test('a rebalance is prepared while they go on', () => {
    const [state, actions] = run([beat(ErrorCode.REBALANCE_IN_PROGRESS)], beating)
    expect(state).toMatchObject({ phase: 'preparing', holds: true, attempt: 2 })
    expect(actions).toEqual(['setTimer', 'setTimer', 'prepare'])
    const again = run([{ type: 'timer', timer: 'heartbeat' }, beat(ErrorCode.REBALANCE_IN_PROGRESS)], state)
    expect(again[1]).toEqual(['setTimer', 'setTimer'])
  })

  test.each([ErrorCode.UNKNOWN_MEMBER_ID, ErrorCode.ILLEGAL_GENERATION])(
    'error %i means that everything is lost (Invariant 4)',
    (errorCode) => {
      const [state, actions] = run([beat(errorCode)], beating)
      expect(state).toMatchObject({ phase: 'preparing', holds: false, generationId: -1 })
      expect(actions).toEqual(['lost', 'prepare'])
    },
  )

  test('a static member whose id was taken over loses everything and ends', () => {
    const [state, actions] = run([beat(ErrorCode.FENCED_INSTANCE_ID)], beating)
    expect(state.phase).toBe('closed')
    expect(actions).toEqual(['cancelTimer', 'cancelTimer', 'lost', 'fail'])
  })

  test('a coordinator that moved is looked up and gets a heartbeat at once', () => {
    const [moved, actions] = run([beat(ErrorCode.NOT_COORDINATOR)], beating)
    expect(moved).toMatchObject({ phase: 'stable', holds: true, coordinator: 'finding' })
    expect(actions).toEqual(['forgetCoordinator', 'cancelTimer', 'findCoordinator'])
    expect(run([{ type: 'coordinatorFound' }], moved)[1]).toEqual(['heartbeat'])
  })
})

describe('an unreachable coordinator', () => {
  const [stable] = run(toStable)
  const [cut] = run([{ type: 'coordinatorLost' }, { type: 'coordinatorFailed', errorCode: undefined }], stable)

  test('is looked for with growing pauses while the assignment is kept', () => {
    expect(cut).toMatchObject({ phase: 'stable', holds: true, coordinator: 'unknown', failures: 1 })
    const [, actions] = run([{ type: 'timer', timer: 'retry' }], cut)
    expect(actions).toEqual(['findCoordinator'])
  })

  test('costs the assignment after a session (Invariant 4), and the member joins again', () => {
    const [state, actions] = run([{ type: 'timer', timer: 'session' }], cut)
    expect(state).toMatchObject({ phase: 'preparing', holds: false, generationId: -1, memberId: 'm1' })
    expect(actions).toEqual(['cancelTimer', 'lost', 'prepare', 'findCoordinator'])
  })

  test('costs the assignment also while a join is under way', () => {
    const rejoining = run([{ type: 'rejoin' }, { type: 'prepared', attempt: 2 }], stable)[0]
    const [lostIt, actions] = run([{ type: 'coordinatorLost' }], rejoining)
    expect(actions).toContain('setTimer')
    const [state, then] = run([{ type: 'timer', timer: 'session' }], lostIt)
    expect(state.holds).toBe(false)
    expect(then).toContain('lost')
  })
})

describe('a sync that is not answered, because the leader has died', () => {
  const [stable] = run(toStable)
  const rejoin: GroupEvent[] = [{ type: 'rejoin' }, { type: 'prepared', attempt: 2 }]
  const [syncing, , then] = run(
    [...rejoin, { type: 'joined', attempt: 2, answer: joined({ generationId: 2 }) }],
    stable,
  )

  test('is asked for again over a new connection, and the assignment is kept', () => {
    expect(then).toContainEqual({ type: 'setTimer', timer: 'session', delayMs: 5000 })
    const [state, actions] = run([{ type: 'timer', timer: 'session' }], syncing)
    expect(state).toMatchObject({ holds: true, memberId: 'm1', coordinator: 'finding' })
    expect(actions).toEqual(['forgetCoordinator', 'cancelTimer', 'findCoordinator', 'setTimer'])
    const [joining] = run([{ type: 'coordinatorFound' }, { type: 'prepared', attempt: 3 }], state)
    expect(joining).toMatchObject({ phase: 'joining', holds: true })
  })

  test('costs the assignment when the coordinator cannot be reached within the session either (Invariant 4)', () => {
    const [state, actions] = run(
      [
        { type: 'timer', timer: 'session' },
        { type: 'timer', timer: 'session' },
      ],
      syncing,
    )
    expect(state.holds).toBe(false)
    expect(actions).toContain('lost')
  })
})

describe('rejoining and leaving', () => {
  const [stable] = run(toStable)

  test('a wish to rejoin during a join is kept until it is over', () => {
    const [joining] = run([{ type: 'rejoin' }, { type: 'prepared', attempt: 2 }, { type: 'rejoin' }], stable)
    const [syncing] = run([{ type: 'joined', attempt: 2, answer: joined({ generationId: 2 }) }], joining)
    const [state, actions] = run([{ type: 'synced', attempt: 2, errorCode: 0, assignment: Buffer.alloc(0) }], syncing)
    expect(actions).toEqual(['setTimer', 'deliver', 'prepare'])
    expect(state.attempt).toBe(3)
  })

  test('leaving tells the coordinator and ends everything', () => {
    const [state, actions] = run([{ type: 'leave' }], stable)
    expect(actions).toEqual(['cancelTimer', 'cancelTimer', 'cancelTimer', 'leave'])
    expect(stepGroup(state, { type: 'rejoin' })).toEqual([state, []])
  })
})

describe('any order of events', () => {
  const codes = [0, 14, 15, 16, 22, 25, 27, 79, 82, -1, 30]
  const attempt = fc.integer({ min: 1, max: 6 })
  const code = fc.constantFrom(...codes)
  const event: fc.Arbitrary<GroupEvent> = fc.oneof(
    fc.constantFrom<GroupEvent>(
      { type: 'start' },
      { type: 'rejoin' },
      { type: 'coordinatorFound' },
      { type: 'coordinatorLost' },
      { type: 'coordinatorFailed', errorCode: undefined },
      { type: 'timer', timer: 'heartbeat' },
      { type: 'timer', timer: 'session' },
      { type: 'timer', timer: 'retry' },
    ),
    attempt.map((n): GroupEvent => ({ type: 'prepared', attempt: n })),
    fc.tuple(attempt, code, fc.constantFrom('m1', 'm2')).map(
      ([n, errorCode, leader]): GroupEvent => ({
        type: 'joined',
        attempt: n,
        answer: joined({ errorCode, leader, generationId: n }),
      }),
    ),
    attempt.map((n): GroupEvent => ({ type: 'assigned', attempt: n, assignments: new Map() })),
    fc.tuple(attempt, code).map(
      ([n, errorCode]): GroupEvent => ({
        type: 'synced',
        attempt: n,
        errorCode,
        assignment: Buffer.alloc(0),
      }),
    ),
    fc.tuple(attempt, code).map(
      ([generationId, errorCode]): GroupEvent => ({
        type: 'heartbeatAnswered',
        generationId,
        errorCode,
      }),
    ),
  )

  test('the owner holds something exactly between a delivery and a loss, and a closed member does nothing', () => {
    fc.assert(
      fc.property(fc.array(event, { maxLength: 60 }), (events) => {
        let state = initialGroupState(timings)
        let holds = false
        for (const one of events) {
          const closed = state.phase === 'closed'
          const [next, actions] = stepGroup(state, one)
          if (closed) expect(actions).toEqual([])
          for (const { type } of actions) {
            if (type === 'deliver') holds = true
            if (type === 'lost') {
              expect(holds).toBe(true)
              holds = false
            }
          }
          expect(next.holds).toBe(holds)
          // Whoever is in a generation has been told so by the coordinator.
          if (next.phase === 'stable') expect(next.holds || next.generationId === -1).toBe(true)
          state = next
        }
      }),
      { numRuns: 2000 },
    )
  })
})
