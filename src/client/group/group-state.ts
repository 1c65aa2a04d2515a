import { ErrorCode, errorByCode } from '../../protocol/index.ts'

/** A member of the group as its leader sees it. */
export interface GroupMemberInfo {
  readonly memberId: string
  readonly groupInstanceId: string | null
  readonly metadata: Buffer
}

/** What a JoinGroup answer says. */
export interface JoinAnswer {
  readonly errorCode: number
  readonly memberId: string
  readonly generationId: number
  readonly protocolName: string | null
  readonly leader: string
  readonly skipAssignment: boolean
  readonly members: readonly GroupMemberInfo[]
}

export type GroupTimer = 'heartbeat' | 'session' | 'retry'

/** Where a member stands. `preparing`: the owner gives things up before the join. */
export type GroupPhase = 'idle' | 'preparing' | 'joining' | 'assigning' | 'syncing' | 'stable' | 'closed'

export interface GroupState {
  readonly phase: GroupPhase
  readonly coordinator: 'unknown' | 'finding' | 'known'
  readonly memberId: string
  readonly generationId: number
  readonly protocol: string
  readonly leader: string
  /** Whether the owner was given an assignment that was neither revoked by a new one nor lost. */
  readonly holds: boolean
  /** Counts joins, so that answers to an abandoned one are recognised. */
  readonly attempt: number
  readonly heartbeatInFlight: boolean
  /** A wish to rejoin that came while a join was under way. */
  readonly rejoin: boolean
  /** Failures in a row, for the back-off. */
  readonly failures: number
  readonly settings: GroupTimings
}

export interface GroupTimings {
  readonly sessionTimeoutMs: number
  readonly heartbeatIntervalMs: number
}

export type GroupEvent =
  | { readonly type: 'start' }
  | { readonly type: 'rejoin' }
  | { readonly type: 'leave' }
  | { readonly type: 'coordinatorFound' }
  | { readonly type: 'coordinatorFailed'; readonly errorCode: number | undefined }
  | { readonly type: 'coordinatorLost' }
  | { readonly type: 'prepared'; readonly attempt: number }
  | { readonly type: 'joined'; readonly attempt: number; readonly answer: JoinAnswer }
  | { readonly type: 'assigned'; readonly attempt: number; readonly assignments: ReadonlyMap<string, Uint8Array> }
  | {
      readonly type: 'synced'
      readonly attempt: number
      readonly errorCode: number
      readonly assignment: Buffer
    }
  | { readonly type: 'heartbeatAnswered'; readonly generationId: number; readonly errorCode: number }
  | { readonly type: 'timer'; readonly timer: GroupTimer }

export type GroupAction =
  | { readonly type: 'findCoordinator' }
  | { readonly type: 'forgetCoordinator' }
  | { readonly type: 'prepare'; readonly attempt: number }
  | { readonly type: 'join'; readonly attempt: number }
  | { readonly type: 'assign'; readonly attempt: number; readonly answer: JoinAnswer }
  | { readonly type: 'sync'; readonly attempt: number; readonly assignments: ReadonlyMap<string, Uint8Array> }
  | { readonly type: 'deliver'; readonly assignment: Buffer }
  | { readonly type: 'lost'; readonly reason: string }
  | { readonly type: 'heartbeat' }
  | { readonly type: 'leave' }
  | { readonly type: 'setTimer'; readonly timer: GroupTimer; readonly delayMs: number }
  | { readonly type: 'backoff'; readonly failures: number }
  | { readonly type: 'cancelTimer'; readonly timer: GroupTimer }
  | { readonly type: 'fail'; readonly errorCode: number; readonly what: string }

type Step = [GroupState, GroupAction[]]

const NO_GENERATION = -1

export function initialGroupState(settings: GroupTimings): GroupState {
  return {
    phase: 'idle',
    coordinator: 'unknown',
    memberId: '',
    generationId: NO_GENERATION,
    protocol: '',
    leader: '',
    holds: false,
    attempt: 0,
    heartbeatInFlight: false,
    rejoin: false,
    failures: 0,
    settings,
  }
}

/**
 * The member's side of Kafka's classic group protocol: join, sync, heartbeat, leave. Pure; the driver performs the
 * actions and reports what came of them. Invariant 4: whenever another member may own what this one holds (unknown to
 * the coordinator, or out of its reach for a session), the owner is told `lost`.
 */
export function stepGroup(state: GroupState, event: GroupEvent): Step {
  if (state.phase === 'closed') return [state, []]
  switch (event.type) {
    case 'start':
      return state.phase === 'idle' ? prepare(state) : [state, []]
    case 'rejoin':
      return onRejoin(state)
    case 'leave':
      return onLeave(state)
    case 'coordinatorFound':
      return resume({ ...state, coordinator: 'known', failures: 0 })
    case 'coordinatorFailed':
      return onCoordinatorFailed(state, event.errorCode)
    case 'coordinatorLost':
      return onCoordinatorLost(state)
    case 'prepared':
      return state.phase === 'preparing' && event.attempt === state.attempt ? join(state) : [state, []]
    case 'joined':
      return state.phase === 'joining' && event.attempt === state.attempt ? onJoined(state, event.answer) : [state, []]
    case 'assigned':
      return state.phase === 'assigning' && event.attempt === state.attempt
        ? sync(state, event.assignments)
        : [state, []]
    case 'synced':
      return state.phase === 'syncing' && event.attempt === state.attempt
        ? onSynced(state, event.errorCode, event.assignment)
        : [state, []]
    case 'heartbeatAnswered':
      return onHeartbeat(state, event.generationId, event.errorCode)
    case 'timer':
      return onTimer(state, event.timer)
  }
}

function prepare(state: GroupState): Step {
  const attempt = state.attempt + 1
  const next: GroupState = { ...state, phase: 'preparing', attempt, rejoin: false }
  const actions: GroupAction[] = [{ type: 'prepare', attempt }]
  return state.coordinator === 'unknown' ? also(next, actions, find) : [next, actions]
}

function find(state: GroupState): Step {
  return [{ ...state, coordinator: 'finding' }, [{ type: 'findCoordinator' }]]
}

/** Runs another transition after the actions so far. */
function also(state: GroupState, actions: GroupAction[], next: (state: GroupState) => Step): Step {
  const [after, more] = next(state)
  return [after, [...actions, ...more]]
}

function join(state: GroupState): Step {
  const next: GroupState = { ...state, phase: 'joining', rejoin: false }
  if (state.coordinator === 'known') {
    // The coordinator holds the answer until everybody has joined: its open connection is the sign of life.
    const quiet: GroupAction[] = [
      { type: 'cancelTimer', timer: 'heartbeat' },
      { type: 'cancelTimer', timer: 'session' },
    ]
    return [next, [...quiet, { type: 'join', attempt: next.attempt }]]
  }
  return state.coordinator === 'unknown' ? find(next) : [next, []]
}

function onRejoin(state: GroupState): Step {
  switch (state.phase) {
    case 'stable':
      return prepare(state)
    // A join that is prepared carries the newest metadata anyway.
    case 'idle':
    case 'preparing':
      return [state, []]
    default:
      return [{ ...state, rejoin: true }, []]
  }
}

function onLeave(state: GroupState): Step {
  const actions: GroupAction[] = [
    { type: 'cancelTimer', timer: 'heartbeat' },
    { type: 'cancelTimer', timer: 'session' },
    { type: 'cancelTimer', timer: 'retry' },
  ]
  if (state.memberId !== '' && state.coordinator === 'known') actions.push({ type: 'leave' })
  return [{ ...state, phase: 'closed', holds: false }, actions]
}

/** Goes on where the loss of the coordinator stopped. */
function resume(state: GroupState): Step {
  switch (state.phase) {
    case 'joining':
      return join(state)
    case 'stable':
    case 'preparing':
      return state.generationId === NO_GENERATION ? [state, []] : heartbeat(state)
    // A sync cannot be repeated safely on another coordinator: the join starts over.
    case 'assigning':
    case 'syncing':
      return prepare(state)
    default:
      return [state, []]
  }
}

function onCoordinatorFailed(state: GroupState, errorCode: number | undefined): Step {
  if (errorCode !== undefined && !errorByCode(errorCode).retriable) return fail(state, errorCode, 'FindCoordinator')
  return backoff({ ...state, coordinator: 'unknown' })
}

function backoff(state: GroupState): Step {
  const failures = state.failures + 1
  return [{ ...state, failures }, [{ type: 'backoff', failures }]]
}

/** The connection to the coordinator is gone: find it again at once; the session clock runs while it is out of reach. */
function onCoordinatorLost(state: GroupState): Step {
  if (state.coordinator !== 'known') return [state, []]
  const next: GroupState = { ...state, coordinator: 'unknown', heartbeatInFlight: false }
  const actions: GroupAction[] = [{ type: 'forgetCoordinator' }, { type: 'cancelTimer', timer: 'heartbeat' }]
  if (state.phase === 'joining' && state.holds) {
    actions.push({ type: 'setTimer', timer: 'session', delayMs: state.settings.sessionTimeoutMs })
  }
  return state.phase === 'idle' ? [next, actions] : also(next, actions, find)
}

function onJoined(state: GroupState, answer: JoinAnswer): Step {
  const { errorCode } = answer
  if (errorCode === ErrorCode.MEMBER_ID_REQUIRED) return join({ ...state, memberId: answer.memberId })
  if (errorCode !== 0) return onGroupError(state, errorCode, 'JoinGroup')
  const next: GroupState = {
    ...state,
    failures: 0,
    memberId: answer.memberId,
    generationId: answer.generationId,
    protocol: answer.protocolName ?? '',
    leader: answer.leader,
  }
  const alive: GroupAction[] = [
    sessionTimer({ ...next, phase: 'syncing' }),
    { type: 'setTimer', timer: 'heartbeat', delayMs: state.settings.heartbeatIntervalMs },
  ]
  if (answer.leader !== answer.memberId || answer.skipAssignment) {
    return also(next, alive, (joined) => sync(joined, new Map()))
  }
  return [{ ...next, phase: 'assigning' }, [...alive, { type: 'assign', attempt: state.attempt, answer }]]
}

function sync(state: GroupState, assignments: ReadonlyMap<string, Uint8Array>): Step {
  return [{ ...state, phase: 'syncing' }, [{ type: 'sync', attempt: state.attempt, assignments }]]
}

function onSynced(state: GroupState, errorCode: number, assignment: Buffer): Step {
  if (errorCode !== 0) return onGroupError(state, errorCode, 'SyncGroup')
  const next: GroupState = { ...state, phase: 'stable', holds: true, failures: 0 }
  const actions: GroupAction[] = [sessionTimer(next), { type: 'deliver', assignment }]
  return state.rejoin ? also(next, actions, prepare) : [next, actions]
}

/** What every error of the group APIs means for the member. */
function onGroupError(state: GroupState, errorCode: number, what: string): Step {
  switch (errorCode) {
    case ErrorCode.REBALANCE_IN_PROGRESS:
      // During JoinGroup the coordinator asks for patience; otherwise it wants us to join.
      return state.phase === 'joining' ? backoff(state) : prepare(state)
    case ErrorCode.UNKNOWN_MEMBER_ID:
      return also({ ...state, memberId: '', generationId: NO_GENERATION }, [], (reset) => lost(reset, what, errorCode))
    case ErrorCode.ILLEGAL_GENERATION:
      return also({ ...state, generationId: NO_GENERATION }, [], (reset) => lost(reset, what, errorCode))
    case ErrorCode.NOT_COORDINATOR:
    case ErrorCode.COORDINATOR_NOT_AVAILABLE:
      return onCoordinatorLost(state)
    case ErrorCode.COORDINATOR_LOAD_IN_PROGRESS:
      return backoff(state)
    default:
      return errorByCode(errorCode).retriable ? backoff(state) : fail(state, errorCode, what)
  }
}

function lost(state: GroupState, what: string, errorCode: number): Step {
  const reason = `${what}: ${errorByCode(errorCode).name}`
  return also({ ...state, holds: false }, state.holds ? [{ type: 'lost', reason }] : [], prepare)
}

function fail(state: GroupState, errorCode: number, what: string): Step {
  const actions: GroupAction[] = [
    { type: 'cancelTimer', timer: 'heartbeat' },
    { type: 'cancelTimer', timer: 'session' },
  ]
  if (state.holds) actions.push({ type: 'lost', reason: `${what}: ${errorByCode(errorCode).name}` })
  actions.push({ type: 'fail', errorCode, what })
  return [{ ...state, phase: 'closed', holds: false }, actions]
}

function heartbeat(state: GroupState): Step {
  if (state.heartbeatInFlight || state.coordinator !== 'known') return [state, []]
  return [{ ...state, heartbeatInFlight: true }, [{ type: 'heartbeat' }]]
}

function onHeartbeat(state: GroupState, generationId: number, errorCode: number): Step {
  if (!state.heartbeatInFlight) return [state, []]
  const next: GroupState = { ...state, heartbeatInFlight: false }
  const beating = state.phase === 'stable' || state.phase === 'preparing' || isCompleting(state)
  if (generationId !== state.generationId || !beating) return [next, []]
  const alive: GroupAction[] = [
    sessionTimer(state),
    { type: 'setTimer', timer: 'heartbeat', delayMs: state.settings.heartbeatIntervalMs },
  ]
  switch (errorCode) {
    case 0:
      return [next, alive]
    case ErrorCode.REBALANCE_IN_PROGRESS:
      // The coordinator waits for our join until the rebalance timeout; meanwhile the session is kept alive.
      return state.phase === 'stable' ? also(next, alive, prepare) : [next, alive]
    case ErrorCode.COORDINATOR_LOAD_IN_PROGRESS:
      return [next, [{ type: 'setTimer', timer: 'heartbeat', delayMs: state.settings.heartbeatIntervalMs }]]
    default:
      // While a join is completing its own answer decides.
      return isCompleting(state) ? [next, []] : onGroupError(next, errorCode, 'Heartbeat')
  }
}

/** How long the coordinator may be silent. While a join completes half of the session is left for asking it anew. */
function sessionTimer(state: GroupState): GroupAction {
  const { sessionTimeoutMs } = state.settings
  return { type: 'setTimer', timer: 'session', delayMs: isCompleting(state) ? sessionTimeoutMs / 2 : sessionTimeoutMs }
}

function isCompleting(state: GroupState): boolean {
  return state.phase === 'assigning' || state.phase === 'syncing'
}

function onTimer(state: GroupState, timer: GroupTimer): Step {
  switch (timer) {
    case 'heartbeat':
      return heartbeat(state)
    case 'retry':
      if (state.coordinator === 'unknown') return state.phase === 'idle' ? [state, []] : find(state)
      if (state.phase === 'joining') return join(state)
      return isCompleting(state) ? prepare(state) : heartbeat(state)
    case 'session':
      return onSessionExpired(state)
  }
}

/** Nothing was heard from the coordinator for a whole session: it has given what we hold to others. */
function onSessionExpired(state: GroupState): Step {
  if (isCompleting(state) && state.coordinator === 'known') {
    // It may only be waiting for a leader that has died: answers come in the order of requests, so those to heartbeats
    // wait behind the one to the sync. Over a new connection it can tell, within the rest of the session.
    const [next, actions] = onCoordinatorLost(state)
    return [next, [...actions, sessionTimer(state)]]
  }
  const reset: GroupState = { ...state, generationId: NO_GENERATION, heartbeatInFlight: false, holds: false }
  const actions: GroupAction[] = [{ type: 'cancelTimer', timer: 'heartbeat' }]
  if (state.holds) actions.push({ type: 'lost', reason: 'the session timed out without an answer of the coordinator' })
  // A join under way goes on by itself; the coordinator decides whether it still knows the member id.
  if (state.phase === 'joining') return [reset, actions]
  if (state.coordinator !== 'known') return also(reset, actions, prepare)
  // A coordinator that does not answer within a session is as good as gone, whatever its connection says.
  return also(reset, actions, (after) =>
    also({ ...after, coordinator: 'unknown' }, [{ type: 'forgetCoordinator' }], prepare),
  )
}
