import { type Random, seededRandom } from '../../src/base/index.ts'
import {
  emptyGroup,
  type GroupAction,
  type GroupConfig,
  type GroupEvent,
  type GroupState,
  nextDeadline,
} from '../../src/broker/groups/classic/group-state.ts'
import { step } from '../../src/broker/groups/classic/step.ts'
import { groupRecord, readOffsetsRecord, restoredGroup } from '../../src/broker/groups/group-records.ts'
import { ErrorCode } from '../../src/protocol/index.ts'
import { SimWorker, type WorkerReply, type WorkerRequest } from './group-worker.ts'
import { check, InvariantBroken, type SimResult, type Simulation, streamStart } from './simulation.ts'

const GROUP = 'simulated'
const CHAOS_MS = 10 * 60_000
const HEAL_MS = 3 * 60_000
const TICK_MS = 20
const TRACE_LINES = 60

interface Options {
  readonly workers: number
  readonly tasks: number
  readonly protocolType: 'consumer' | 'connect'
  readonly staticMembers: boolean
  readonly requireKnownMemberId: boolean
  readonly initialRebalanceDelayMs: number
  readonly sessionTimeoutMs: number
  readonly rebalanceTimeoutMs: number
  readonly delayMaxMs: number
  readonly dropRate: number
  readonly duplicateRate: number
  /** Events of each kind for each second of the chaos phase. */
  readonly workerCrashRate: number
  readonly partitionRate: number
  readonly coordinatorCrashRate: number
  readonly leaveRate: number
}

/** The seed draws how the world is, too: some have no faults of a kind at all. */
function drawOptions(random: Random): Options {
  const maybe = (most: number) => (random.next() < 0.4 ? 0 : random.next() * most)
  const sessionTimeoutMs = 6000 + Math.floor(random.next() * 6000)
  return {
    workers: 1 + Math.floor(random.next() * 6),
    tasks: 1 + Math.floor(random.next() * 12),
    protocolType: random.next() < 0.5 ? 'consumer' : 'connect',
    staticMembers: random.next() < 0.3,
    requireKnownMemberId: random.next() < 0.7,
    initialRebalanceDelayMs: random.next() < 0.5 ? 0 : 3000,
    sessionTimeoutMs,
    rebalanceTimeoutMs: sessionTimeoutMs + Math.floor(random.next() * 20_000),
    delayMaxMs: 1 + random.next() * 200,
    dropRate: maybe(0.2),
    duplicateRate: maybe(0.2),
    workerCrashRate: maybe(0.1),
    partitionRate: maybe(0.05),
    coordinatorCrashRate: maybe(0.03),
    leaveRate: maybe(0.05),
  }
}

interface Happening {
  readonly at: number
  readonly order: number
  readonly run: () => void
}

class GroupWorld {
  readonly options: Options
  readonly stats = { requests: 0, rebalances: 0, crashes: 0, partitions: 0, coordinatorCrashes: 0 }
  readonly trace: string[] = []
  readonly #random: Random
  readonly #config: GroupConfig
  readonly #workers: SimWorker[] = []
  #queue: Happening[] = []
  #order = 0
  #now = 0
  #chaos = true
  #state: GroupState
  /** What is durable about the group. */
  #stored: { key: Buffer; value: Buffer | null } | undefined
  /** Counts the lives of the coordinator: what an older one began is void. */
  #life = 0
  #nextRequestId = 1
  #nextToken = 1
  #waiting = new Map<number, { worker: number; requestId: number }>()
  readonly #cutUntil: number[] = []
  readonly #connections: number[] = []
  #nextConnection = 1
  /** What members of a generation were told, to see that nobody is ever told something else. */
  readonly #told = new Map<number, Map<string, string>>()

  readonly #coordinate: typeof step

  constructor(seed: number, coordinate: typeof step) {
    this.#coordinate = coordinate
    this.#random = seededRandom(streamStart(seed))
    this.options = drawOptions(this.#random)
    this.#config = {
      minSessionTimeoutMs: 1000,
      maxSessionTimeoutMs: 60_000,
      initialRebalanceDelayMs: this.options.initialRebalanceDelayMs,
      maxSize: 100,
      connectionLossGraceMs: 1000,
    }
    this.#state = emptyGroup(GROUP, 0)
    for (let i = 0; i < this.options.workers; i++) this.#addWorker(i)
  }

  #addWorker(index: number): void {
    const { sessionTimeoutMs, rebalanceTimeoutMs, tasks, staticMembers } = this.options
    const groupInstanceId = staticMembers && index % 2 === 0 ? `instance-${index}` : null
    const settings = { name: `w${index}`, groupInstanceId, sessionTimeoutMs, rebalanceTimeoutMs, tasks }
    const send = (requestId: number, request: WorkerRequest) => this.#request(index, requestId, request)
    this.#workers.push(new SimWorker(settings, send, () => this.#nextRequestId++))
    this.#connections.push(this.#nextConnection++)
    this.#cutUntil.push(0)
  }

  run(): void {
    this.#at(0, () => this.#tick())
    this.#until(CHAOS_MS)
    this.#chaos = false
    this.#cutUntil.fill(0)
    for (const worker of this.#workers) if (!worker.alive) worker.restart(this.#now)
    this.#note('healed')
    this.#until(CHAOS_MS + HEAL_MS)
    this.#checkConverged()
  }

  #until(limitMs: number): void {
    for (;;) {
      let next: Happening | undefined
      for (const entry of this.#queue) {
        if (!next || entry.at < next.at || (entry.at === next.at && entry.order < next.order)) next = entry
      }
      if (next === undefined || next.at > limitMs) break
      this.#queue = this.#queue.filter((entry) => entry !== next)
      this.#now = Math.max(this.#now, next.at)
      next.run()
      this.#checkOwners()
    }
    this.#now = limitMs
  }

  #at(delayMs: number, run: () => void): void {
    this.#queue.push({ at: this.#now + Math.ceil(delayMs), order: this.#order++, run })
  }

  #note(line: string): void {
    this.trace.push(`${(this.#now / 1000).toFixed(3)} ${line}`)
    if (this.trace.length > TRACE_LINES) this.trace.shift()
  }

  #chance(perSecond: number): boolean {
    return this.#chaos && this.#random.next() < (perSecond * TICK_MS) / 1000
  }

  #tick(): void {
    const { options } = this
    for (const [index, worker] of this.#workers.entries()) {
      if (worker.alive && this.#chance(options.workerCrashRate)) this.#crash(index)
      if (worker.alive && this.#chance(options.leaveRate)) {
        this.#note(`${worker.settings.name} leaves`)
        worker.leave()
        this.#restartLater(worker)
      }
      if (this.#chance(options.partitionRate)) this.#cut(index)
      worker.tick(this.#now)
    }
    if (this.#chance(options.coordinatorCrashRate)) this.#crashCoordinator()
    if (this.#now >= nextDeadline(this.#state)) this.#step({ type: 'tick', now: this.#now })
    this.#at(TICK_MS, () => this.#tick())
  }

  #crash(index: number): void {
    const worker = this.#workers[index]!
    this.stats.crashes++
    this.#note(`${worker.settings.name} crashes`)
    worker.crash()
    this.#dropConnection(index)
    this.#restartLater(worker)
  }

  #restartLater(worker: SimWorker): void {
    this.#at(this.#random.next() * 20_000, () => {
      if (!worker.alive) worker.restart(this.#now)
    })
  }

  /** The coordinator's machine notices that the worker's connection is gone. */
  #dropConnection(index: number): void {
    const connectionId = this.#connections[index]!
    this.#connections[index] = this.#nextConnection++
    const life = this.#life
    this.#at(this.#random.next() * 5, () => {
      if (life === this.#life) this.#step({ type: 'connection-lost', now: this.#now, connectionId })
    })
  }

  #cut(index: number): void {
    this.stats.partitions++
    this.#cutUntil[index] = this.#now + this.#random.next() * 30_000
    this.#note(`w${index} is cut off`)
    // A network may break with or without the connections being reset.
    if (this.#random.next() < 0.5) {
      this.#workers[index]!.reset(this.#now)
      this.#dropConnection(index)
    }
  }

  #crashCoordinator(): void {
    this.stats.coordinatorCrashes++
    this.#note('coordinator crashes')
    this.#life++
    this.#waiting.clear()
    const record = this.#stored === undefined ? undefined : readOffsetsRecord(this.#stored.key, this.#stored.value)
    this.#state =
      record?.kind === 'group' && record.value !== null
        ? restoredGroup(GROUP, record.value, this.#now)
        : emptyGroup(GROUP, this.#now)
    for (const [index, worker] of this.#workers.entries()) {
      this.#connections[index] = this.#nextConnection++
      worker.reset(this.#now)
    }
  }

  /** Carries a message, or not, or twice. */
  #deliver(index: number, run: () => void): void {
    if (this.#now < this.#cutUntil[index]! && this.#chaos) return
    const { dropRate, duplicateRate, delayMaxMs } = this.options
    if (this.#chaos && this.#random.next() < dropRate) return
    this.#at(this.#random.next() * delayMaxMs, run)
    if (this.#chaos && this.#random.next() < duplicateRate) this.#at(this.#random.next() * delayMaxMs * 3, run)
  }

  #request(index: number, requestId: number, request: WorkerRequest): void {
    this.stats.requests++
    const life = this.#life
    const connectionId = this.#connections[index]!
    this.#deliver(index, () => {
      if (life !== this.#life) return
      const token = this.#nextToken++
      this.#waiting.set(token, { worker: index, requestId })
      this.#step(this.#eventOf(index, token, connectionId, request))
    })
  }

  #eventOf(index: number, token: number, connectionId: number, request: WorkerRequest): GroupEvent {
    const { groupInstanceId, sessionTimeoutMs, rebalanceTimeoutMs, name } = this.#workers[index]!.settings
    const base = { now: this.#now, token, connectionId, memberId: request.memberId, groupInstanceId }
    switch (request.type) {
      case 'join':
        return {
          ...base,
          type: 'join',
          newMemberId: `${name}-${token}`,
          clientId: name,
          clientHost: '/sim',
          sessionTimeoutMs,
          rebalanceTimeoutMs,
          protocolType: this.options.protocolType,
          protocols: [{ name: 'p', metadata: Buffer.from(name) }],
          requireKnownMemberId: this.options.requireKnownMemberId,
          supportsSkippingAssignment: true,
        }
      case 'sync':
        return { ...base, ...request, protocolType: this.options.protocolType, protocolName: 'p' }
      case 'heartbeat':
        return { ...base, ...request }
      case 'leave':
        return { ...base, type: 'leave', members: [{ memberId: request.memberId, groupInstanceId: null }] }
    }
  }

  #step(event: GroupEvent): void {
    const before = this.#state
    const [state, actions] = this.#coordinate(before, event, this.#config)
    this.#state = state
    if (state.phase !== before.phase) {
      this.#note(`${before.phase} -> ${state.phase} generation ${state.generationId}, ${state.members.size} members`)
      if (state.phase === 'PreparingRebalance') this.stats.rebalances++
    }
    this.#checkState(state)
    for (const action of actions) this.#perform(action)
  }

  #perform(action: GroupAction): void {
    if (action.type === 'persist') {
      const life = this.#life
      const record = groupRecord(GROUP, action.snapshot)
      this.#at(this.#random.next() * 10, () => {
        if (life !== this.#life) return
        this.#stored = record
        this.#step({ type: 'persisted', now: this.#now, persistId: action.persistId })
      })
    } else if (action.type === 'reply') {
      const waiting = this.#waiting.get(action.token)
      check(waiting !== undefined, `request ${action.token} was answered twice`)
      this.#waiting.delete(action.token)
      const reply = action.reply as WorkerReply
      this.#checkTold(reply, waiting.worker)
      const worker = this.#workers[waiting.worker]!
      this.#deliver(waiting.worker, () => worker.receive(waiting.requestId, reply, this.#now))
    }
  }

  /** What must hold in every state of the coordinator. */
  #checkState(state: GroupState): void {
    const { phase, members, leaderId, join } = state
    check((phase === 'PreparingRebalance') === (join !== null), `${phase} with join phase ${String(join !== null)}`)
    check(phase !== 'Empty' || members.size === 0, 'Empty with members')
    if (phase === 'Stable' || phase === 'CompletingRebalance') {
      check(leaderId !== null && members.has(leaderId), `${phase} without its leader`)
    }
    for (const [instanceId, memberId] of state.staticMembers) {
      check(members.has(memberId), `static member ${instanceId} points to ${memberId}, which is gone`)
    }
    for (const member of members.values()) {
      const waits = member.joinToken !== null
      check(!waits || phase === 'PreparingRebalance', `a JoinGroup waits in ${phase}`)
      check(member.syncToken === null || phase === 'CompletingRebalance', `a SyncGroup waits in ${phase}`)
    }
  }

  /** Within a generation everybody is told one thing, and no task is told to two members. */
  #checkTold(reply: WorkerReply, worker: number): void {
    if (reply.kind !== 'sync' || reply.errorCode !== ErrorCode.NONE) return
    const memberId = [...this.#state.members.values()].find((m) => m.clientId === `w${worker}`)?.memberId
    if (memberId === undefined) return
    const generation = this.#told.get(this.#state.generationId) ?? new Map<string, string>()
    this.#told.set(this.#state.generationId, generation)
    const assignment = reply.assignment.toString()
    const earlier = generation.get(memberId)
    check(
      earlier === undefined || earlier === assignment,
      `${memberId} was told ${earlier} and ${assignment} in generation ${this.#state.generationId}`,
    )
    generation.set(memberId, assignment)
  }

  /** Invariant 4: nobody runs a task that another one runs, but for a worker that was cut off, until its session ends. */
  #checkOwners(): void {
    const owners = new Map<number, SimWorker>()
    for (const worker of this.#workers) {
      // A session that ends between two ticks ends all the same: a real worker has a timer for it.
      if (!worker.alive || this.#now >= worker.sessionEndsMs) continue
      for (const task of worker.owned) {
        const other = owners.get(task)
        if (other === undefined) {
          owners.set(task, worker)
          continue
        }
        // A Connect worker may lose its membership by the grace for lost connections, before its own session ends.
        const sameGeneration = worker.generationId === other.generationId
        check(
          this.options.protocolType === 'connect' && !sameGeneration,
          `task ${task} runs on ${worker.settings.name} (generation ${worker.generationId}) and ${other.settings.name} (${other.generationId})`,
        )
      }
    }
  }

  /** After the faults end, everybody is in and every task runs once. */
  #checkConverged(): void {
    check(this.#state.phase === 'Stable', `still ${this.#state.phase} after ${HEAL_MS} ms without faults`)
    check(
      this.#state.members.size === this.#workers.length,
      `${this.#state.members.size} members for ${this.#workers.length} workers`,
    )
    const owned = this.#workers.flatMap((worker) => worker.owned).toSorted((a, b) => a - b)
    const tasks = Array.from({ length: this.options.tasks }, (_, task) => task)
    check(JSON.stringify(owned) === JSON.stringify(tasks), `tasks that run: ${JSON.stringify(owned)}`)
    for (const worker of this.#workers) {
      check(worker.generationId === this.#state.generationId, `${worker.settings.name} is in an older generation`)
    }
  }
}

/** Runs one seed against a coordinator, which a test may replace by a broken one. */
export function groupSimulationWith(seed: number, coordinate: typeof step): Promise<SimResult> {
  const world = new GroupWorld(seed, coordinate)
  const { options, stats, trace } = world
  try {
    world.run()
    return Promise.resolve({ ok: true, options, stats })
  } catch (error) {
    if (!(error instanceof InvariantBroken)) throw error
    return Promise.resolve({ ok: false, options, stats, failure: error.message, trace })
  }
}

/** Workers and the group coordinator over a network that delays, loses, repeats and cuts, with crashes on both sides. */
export const groupSimulation: Simulation = {
  name: 'group',
  run: (seed) => groupSimulationWith(seed, step),
}
