import { forbiddenWork, homelessWork, isAllowed, type Placement, requiredLabels } from './placement.ts'
import { labelsText } from '../config/worker-labels.ts'
import { Spread } from './spread.ts'
import { emptyWork, intersection, isEmptyWork, minus, union, type Work, type WorkKind, workKinds } from './work.ts'

/** What the leader remembers from one round to the next; a new leader starts with `initialAssignorState`. */
export interface AssignorState {
  /** What the last round left assigned in the whole group, with what was lost and not yet given out again. */
  readonly previous: Work
  readonly previousGeneration: number
  readonly previousMembers: ReadonlySet<string>
  readonly previousRevocation: Work
  readonly revokedInPrevious: boolean
  readonly successiveRevokingRebalances: number
  /** When the delay for lost work ends; 0 when none is pending. */
  readonly scheduledRebalanceMs: number
  readonly delayMs: number
  /** Workers that came back empty during the delay, in the order seen. */
  readonly candidates: ReadonlySet<string>
}

export const initialAssignorState: AssignorState = {
  previous: emptyWork,
  previousGeneration: -1,
  previousMembers: new Set(),
  previousRevocation: emptyWork,
  revokedInPrevious: false,
  successiveRevokingRebalances: 0,
  scheduledRebalanceMs: 0,
  delayMs: 0,
  candidates: new Set(),
}

/** What is known when a rebalance is decided. */
export interface AssignorInput {
  readonly nowMs: number
  readonly maxDelayMs: number
  /** The generation that this leader completed last, and the one that is being formed. */
  readonly lastCompletedGeneration: number
  readonly generation: number
  readonly configured: Work
  /** What each member says it runs. */
  readonly members: ReadonlyMap<string, Work>
  readonly placement: Placement
}

/** What goes to one member: only what is new, and what it must stop. */
export interface MemberIncrement {
  readonly assigned: Work
  readonly revoked: Work
}

export interface AssignorResult {
  readonly increments: ReadonlyMap<string, MemberIncrement>
  /** Everything each member has when the round has been carried out. */
  readonly complete: ReadonlyMap<string, Work>
  /** How long until the members shall rejoin; 0 when nothing is pending. */
  readonly delayMs: number
  /** What nobody runs, because no member has the labels. */
  readonly waiting: Work
}

interface Load {
  readonly member: string
  readonly connectors: Set<string>
  readonly tasks: Set<string>
}

/** The changeable copy of the state that one round works on. */
type Draft = { -readonly [K in keyof AssignorState]: AssignorState[K] }

/**
 * One round of incremental cooperative rebalancing (KIP-415 with Kafka's later fixes), pure: lost work is given out again
 * after the delay, new work goes to the least loaded, and only what a balanced load asks for is revoked.
 * Invariant 4: a revoked task is given to nobody in the same round; its new owner comes in the next one, after it has stopped.
 */
export function assignIncrementally(state: AssignorState, input: AssignorInput): [AssignorState, AssignorResult] {
  const draft: Draft = { ...state }
  if (draft.previousGeneration !== input.lastCompletedGeneration) draft.previous = emptyWork
  const active = union(...input.members.values())
  if (!isEmptyWork(intersection(draft.previousRevocation, active))) draft.previous = active

  const { placement, configured } = input
  const homeless = homelessWork(placement, input.members.keys(), configured)
  const deleted = minus(union(draft.previous, active), configured)
  // What nobody may run is neither lost nor new: whoever brings the labels gets it at once.
  const lost = minus(draft.previous, active, deleted, homeless)
  const created = minus(configured, draft.previous, active, homeless)
  const duplicated = duplicatedWork(input.members)
  const loads: Load[] = []
  const revoked = new Map<string, Work>()
  for (const [member, work] of input.members) {
    const toRevoke = union(intersection(work, union(deleted, duplicated)), forbiddenWork(placement, member, work))
    revoked.set(member, toRevoke)
    const kept = minus(work, toRevoke)
    loads.push({ member, connectors: new Set(kept.connectors), tasks: new Set(kept.tasks) })
  }

  const lostToReassign = handleLost(draft, input, lost, loads)
  const spreads = {
    connectors: spreadOf(input, loads, 'connectors', homeless),
    tasks: spreadOf(input, loads, 'tasks', homeless),
  }
  if (draft.delayMs === 0) balance(draft, input, loads, revoked, spreads)

  const toAssign = union(created, lostToReassign)
  deal(loads, 'connectors', toAssign.connectors, spreads.connectors)
  deal(loads, 'tasks', toAssign.tasks, spreads.tasks)
  return finish(draft, input, loads, revoked, lost, minus(homeless, active))
}

/** How the work that there is would be spread best over the members, from where it is now. */
function spreadOf(input: AssignorInput, loads: readonly Load[], kind: WorkKind, homeless: Work): Spread<string> {
  const { placement, configured } = input
  const labelsOf = (key: string) => requiredLabels(placement.required, kind, key)
  return new Spread<string>({
    loads: loads.map((load) => load[kind]),
    unplaced: minus(configured, homeless, ...loads)[kind],
    groupOf: (key) => labelsText(labelsOf(key)),
    isAllowed: (index, key) => isAllowed(placement, loads[index]?.member ?? '', labelsOf(key)),
  })
}

function duplicatedWork(members: ReadonlyMap<string, Work>): Work {
  const seen = { connectors: new Set<string>(), tasks: new Set<string>() }
  const twice = { connectors: new Set<string>(), tasks: new Set<string>() }
  for (const work of members.values()) {
    for (const kind of workKinds) {
      for (const key of work[kind]) (seen[kind].has(key) ? twice : seen)[kind].add(key)
    }
  }
  return twice
}

function resetDelay(draft: Draft): void {
  draft.candidates = new Set()
  draft.scheduledRebalanceMs = 0
  draft.delayMs = 0
}

/** Decides what of the lost work is given out in this round; may start, continue or end the delay. */
function handleLost(draft: Draft, input: AssignorInput, lost: Work, loads: readonly Load[]): Work {
  if (isEmptyWork(lost)) {
    if (draft.revokedInPrevious && input.nowMs < draft.scheduledRebalanceMs) {
      draft.delayMs = draft.scheduledRebalanceMs - input.nowMs
      return emptyWork
    }
    // The back-off between two revoking rounds is over, so this round may revoke again.
    if (draft.scheduledRebalanceMs > 0) draft.revokedInPrevious = false
    resetDelay(draft)
    return emptyWork
  }
  const nobodyLeft = [...draft.previousMembers].every((member) => input.members.has(member))
  // Workers that never saw the last assignment lost nothing: what they missed is dealt like new work.
  if (draft.scheduledRebalanceMs === 0 && nobodyLeft) return lost
  if (input.maxDelayMs === 0) return lost
  if (draft.scheduledRebalanceMs > 0 && input.nowMs >= draft.scheduledRebalanceMs) {
    const candidates = loads.filter((load) => draft.candidates.has(load.member))
    resetDelay(draft)
    draft.revokedInPrevious = false
    return {
      connectors: dealRoundRobin(input.placement, candidates, 'connectors', lost.connectors),
      tasks: dealRoundRobin(input.placement, candidates, 'tasks', lost.tasks),
    }
  }
  const empty = loads.filter((load) => load.connectors.size === 0 && load.tasks.size === 0)
  draft.candidates = new Set([...draft.candidates, ...empty.map((load) => load.member)])
  draft.delayMs = input.nowMs < draft.scheduledRebalanceMs ? draft.scheduledRebalanceMs - input.nowMs : input.maxDelayMs
  draft.scheduledRebalanceMs = input.nowMs + draft.delayMs
  return emptyWork
}

/** Takes from members that have more than their share; two rounds in a row that revoke are spaced by a back-off. */
function balance(
  draft: Draft,
  input: AssignorInput,
  loads: readonly Load[],
  revoked: Map<string, Work>,
  spreads: Readonly<Record<WorkKind, Spread<string>>>,
): void {
  const connectors = spreads.connectors.surplus()
  const tasks = spreads.tasks.surplus()
  if ([...connectors, ...tasks].every((keys) => keys.length === 0)) {
    draft.revokedInPrevious = false
    draft.successiveRevokingRebalances = 0
    return
  }
  if (draft.revokedInPrevious) {
    draft.successiveRevokingRebalances++
    const backoffMs = input.maxDelayMs === 0 ? 0 : Math.min(40 ** draft.successiveRevokingRebalances, input.maxDelayMs)
    if (backoffMs > 0) {
      draft.delayMs = backoffMs
      draft.scheduledRebalanceMs = input.nowMs + backoffMs
      return
    }
  }
  draft.revokedInPrevious = true
  loads.forEach((load, index) => {
    const taken: Work = { connectors: new Set(connectors[index]), tasks: new Set(tasks[index]) }
    for (const key of taken.connectors) load.connectors.delete(key)
    for (const key of taken.tasks) load.tasks.delete(key)
    revoked.set(load.member, union(revoked.get(load.member) ?? emptyWork, taken))
  })
}

function deal(loads: readonly Load[], kind: WorkKind, keys: ReadonlySet<string>, spread: Spread<string>): void {
  for (const key of keys) {
    const index = spread.place(key, (member) => loads[member]?.[kind].size ?? 0)
    if (index !== undefined) loads[index]?.[kind].add(key)
  }
}

/** Gives each in turn what it may run; returns what none of them may. */
function dealRoundRobin(
  placement: Placement,
  loads: readonly Load[],
  kind: WorkKind,
  keys: ReadonlySet<string>,
): ReadonlySet<string> {
  const rest = new Set<string>()
  let next = 0
  for (const key of keys) {
    const required = requiredLabels(placement.required, kind, key)
    const allowed = loads.filter((load) => isAllowed(placement, load.member, required))
    if (allowed.length === 0) rest.add(key)
    else allowed[next++ % allowed.length]?.[kind].add(key)
  }
  return rest
}

function finish(
  draft: Draft,
  input: AssignorInput,
  loads: readonly Load[],
  revoked: ReadonlyMap<string, Work>,
  lost: Work,
  waiting: Work,
): [AssignorState, AssignorResult] {
  const complete = new Map<string, Work>()
  const increments = new Map<string, MemberIncrement>()
  for (const load of loads) {
    const work: Work = { connectors: load.connectors, tasks: load.tasks }
    complete.set(load.member, work)
    increments.set(load.member, {
      assigned: minus(work, input.members.get(load.member) ?? emptyWork),
      revoked: revoked.get(load.member) ?? emptyWork,
    })
  }
  const allRevoked = union(...revoked.values())
  draft.previous = union(minus(union(...complete.values()), allRevoked), lost)
  draft.previousGeneration = input.generation
  draft.previousMembers = new Set(input.members.keys())
  draft.previousRevocation = allRevoked
  return [draft, { increments, complete, delayMs: draft.delayMs, waiting }]
}
