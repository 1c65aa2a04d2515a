import type { Timer } from '../../base/index.ts'
import { apis, ErrorCode, type ErrorName } from '../../protocol/index.ts'
import { backoffMs } from '../backoff.ts'
import type { BrokerConnection } from '../broker-connection.ts'
import { Cluster } from '../cluster.ts'
import { type ClientConfig, configError } from '../client-config.ts'
import { brokerError, KafkaError } from '../errors.ts'
import { connectCoordinator } from './coordinator.ts'
import {
  type GroupAction,
  type GroupEvent,
  type GroupMemberInfo,
  type GroupPhase,
  type GroupState,
  type GroupTimer,
  initialGroupState,
  type JoinAnswer,
  stepGroup,
} from './group-state.ts'

export interface GroupProtocol {
  readonly name: string
  readonly metadata: Uint8Array
}

/** What the leader of a generation gets to divide up. */
export interface LeaderRequest {
  readonly generationId: number
  readonly protocol: string
  /** The member id of the leader: this member. */
  readonly leaderId: string
  readonly members: readonly GroupMemberInfo[]
}

/** What a member got in a generation. */
export interface GroupAssignment {
  readonly generationId: number
  readonly memberId: string
  readonly leaderId: string
  readonly protocol: string
  readonly assignment: Buffer
}

/**
 * The one that takes part in the group through a member. Callbacks never overlap: the next one is called when the
 * promise of the one before has settled. One that throws ends the membership with that error.
 */
export interface GroupOwner {
  /** Asked right before each join: the protocols this member speaks, most wanted first, with their metadata. */
  metadata(): readonly GroupProtocol[]
  /** Called before each join, while heartbeats go on: the place to give up what must not be held during it. */
  beforeJoin?(): void | Promise<void>
  /** Called on the leader: bytes for each member id; a member left out gets none. */
  assign(request: LeaderRequest): ReadonlyMap<string, Uint8Array> | Promise<ReadonlyMap<string, Uint8Array>>
  onAssigned(assignment: GroupAssignment): void | Promise<void>
  /** What was assigned may belong to another member already: drop it without committing anything. */
  onLost(reason: string): void | Promise<void>
  /** The membership has ended by an error that no retry heals. */
  onFatal(error: KafkaError): void
}

export interface GroupMemberOptions {
  readonly groupId: string
  /** `consumer`, `connect`, or any other. */
  readonly protocolType: string
  /** Static membership (KIP-345): no LeaveGroup on close, the same assignment after a restart. */
  readonly groupInstanceId?: string | null
  readonly sessionTimeoutMs?: number
  readonly rebalanceTimeoutMs?: number
  readonly heartbeatIntervalMs?: number
}

const JOIN_GRACE_MS = 5000

/** A member of a Kafka group with any protocol type: the driver of `stepGroup`. */
export class GroupMember {
  readonly #cluster: Cluster
  readonly #ownsCluster: boolean
  readonly #options: Required<GroupMemberOptions>
  readonly #owner: GroupOwner
  #state: GroupState
  #connection: BrokerConnection | undefined
  readonly #timers = new Map<GroupTimer, Timer>()
  #callbacks: Promise<void> = Promise.resolve()
  #leaving: Promise<void> | undefined
  #rejoinReason = ''

  constructor(client: ClientConfig | Cluster, options: GroupMemberOptions, owner: GroupOwner) {
    this.#ownsCluster = !(client instanceof Cluster)
    this.#cluster = client instanceof Cluster ? client : new Cluster(client)
    this.#options = {
      groupId: options.groupId,
      protocolType: options.protocolType,
      groupInstanceId: options.groupInstanceId ?? null,
      sessionTimeoutMs: options.sessionTimeoutMs ?? 45_000,
      rebalanceTimeoutMs: options.rebalanceTimeoutMs ?? 60_000,
      heartbeatIntervalMs: options.heartbeatIntervalMs ?? 3000,
    }
    const { groupId, heartbeatIntervalMs, sessionTimeoutMs } = this.#options
    if (groupId === '') throw configError('group.id', groupId, 'must not be empty')
    if (heartbeatIntervalMs >= sessionTimeoutMs) {
      throw configError('heartbeat.interval.ms', heartbeatIntervalMs, 'must be lower than the session timeout')
    }
    this.#owner = owner
    this.#state = initialGroupState(this.#options)
  }

  /** '' before the first join. */
  get memberId(): string {
    return this.#state.memberId
  }

  /** -1 while the member is in no generation. */
  get generationId(): number {
    return this.#state.generationId
  }

  get groupInstanceId(): string | null {
    return this.#options.groupInstanceId
  }

  get phase(): GroupPhase {
    return this.#state.phase
  }

  get isLeader(): boolean {
    return this.#state.memberId !== '' && this.#state.leader === this.#state.memberId
  }

  /** The connection to the coordinator while it is known, for offset commits. */
  get coordinator(): BrokerConnection | undefined {
    return this.#connection?.isOpen ? this.#connection : undefined
  }

  /** Begins to join. */
  start(): void {
    this.#step({ type: 'start' })
  }

  /** Joins again, because what `metadata` says has changed. */
  requestRejoin(reason: string): void {
    this.#rejoinReason = reason
    this.#step({ type: 'rejoin' })
  }

  /** Something else learned that the coordinator has moved. */
  coordinatorMoved(): void {
    this.#step({ type: 'coordinatorLost' })
  }

  /** Leaves the group (a static member only goes silent) and ends the membership. Idempotent. */
  leave(): Promise<void> {
    if (!this.#leaving) {
      this.#leaving = Promise.resolve()
      this.#step({ type: 'leave' })
      this.#leaving = this.#leaving.then(() => {
        if (this.#ownsCluster) this.#cluster.close()
        this.#connection = undefined
      })
    }
    return this.#leaving
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.leave()
  }

  #step(event: GroupEvent): void {
    const [state, actions] = stepGroup(this.#state, event)
    this.#state = state
    for (const action of actions) this.#perform(action)
  }

  #perform(action: GroupAction): void {
    switch (action.type) {
      case 'findCoordinator':
        void this.#findCoordinator()
        return
      case 'forgetCoordinator':
        this.#forgetCoordinator()
        return
      case 'prepare':
        this.#callback(async () => {
          await this.#owner.beforeJoin?.()
          this.#step({ type: 'prepared', attempt: action.attempt })
        })
        return
      case 'join':
        void this.#join(action.attempt)
        return
      case 'assign':
        this.#callback(() => this.#assign(action.attempt, action.answer))
        return
      case 'sync':
        void this.#sync(action.attempt, action.assignments)
        return
      case 'deliver':
        this.#deliver(action.assignment)
        return
      case 'lost':
        this.#callback(() => this.#owner.onLost(action.reason))
        return
      case 'heartbeat':
        void this.#heartbeat()
        return
      case 'leave':
        this.#leaving = this.#leave()
        return
      case 'setTimer':
        this.#setTimer(action.timer, action.delayMs)
        return
      case 'backoff':
        this.#setTimer('retry', this.#backoffMs(action.failures))
        return
      case 'cancelTimer':
        this.#timers.get(action.timer)?.cancel()
        return
      case 'fail': {
        const error = brokerError(action.errorCode, `${action.what} of group ${this.#options.groupId}`)
        this.#callback(() => this.#owner.onFatal(error))
      }
    }
  }

  #backoffMs(failures: number): number {
    const { random, retryBackoffMs, retryBackoffMaxMs } = this.#cluster.config
    return backoffMs(random, retryBackoffMs, retryBackoffMaxMs, failures)
  }

  #setTimer(timer: GroupTimer, delayMs: number): void {
    this.#timers.get(timer)?.cancel()
    const fire = () => this.#step({ type: 'timer', timer })
    this.#timers.set(timer, this.#cluster.config.clock.setTimer(delayMs, fire))
  }

  /** Calls the owner, one call at a time; a failing owner is out of the group. */
  #callback(call: () => void | Promise<void>): void {
    this.#callbacks = this.#callbacks.then(call).catch((error: unknown) => {
      void this.leave()
      const message = `The owner of the membership in ${this.#options.groupId} failed: ${String(error)}`
      this.#owner.onFatal(
        error instanceof KafkaError ? error : new KafkaError('UNKNOWN_SERVER_ERROR', message, { cause: error }),
      )
    })
  }

  async #findCoordinator(): Promise<void> {
    try {
      const connection = await connectCoordinator(this.#cluster, this.#options.groupId)
      this.#connection = connection
      connection.onClose = () => {
        if (this.#connection === connection) this.#step({ type: 'coordinatorLost' })
      }
      if (connection.isOpen) this.#step({ type: 'coordinatorFound' })
      else this.#step({ type: 'coordinatorFailed', errorCode: undefined })
    } catch (error) {
      const fatal = error instanceof KafkaError && !error.retriable && error.code !== 'CLIENT_BAD_RESPONSE'
      if (fatal && error.code.startsWith('CLIENT_')) this.#fatal(error)
      else this.#step({ type: 'coordinatorFailed', errorCode: fatal ? ErrorCode[error.code as ErrorName] : undefined })
    }
  }

  #fatal(error: KafkaError): void {
    if (this.#state.phase === 'closed') return
    this.#callback(() => {
      throw error
    })
  }

  #forgetCoordinator(): void {
    const connection = this.#connection
    this.#connection = undefined
    // An answer that is still awaited there belongs to the past.
    connection?.close('the coordinator is looked up again')
  }

  async #join(attempt: number): Promise<void> {
    const { groupId, protocolType, groupInstanceId, sessionTimeoutMs, rebalanceTimeoutMs } = this.#options
    const connection = this.#connection
    if (!connection) return
    const reason = this.#rejoinReason.slice(0, 255)
    try {
      const timeoutMs = Math.max(this.#cluster.config.requestTimeoutMs, rebalanceTimeoutMs + JOIN_GRACE_MS)
      const carriesReason = connection.versionOf(apis.joinGroup) >= 8
      const answer = await connection.request(
        apis.joinGroup,
        {
          groupId,
          sessionTimeoutMs,
          rebalanceTimeoutMs,
          memberId: this.#state.memberId,
          groupInstanceId,
          protocolType,
          protocols: this.#owner.metadata(),
          ...(carriesReason ? { reason } : {}),
        },
        { timeoutMs },
      )
      this.#step({ type: 'joined', attempt, answer })
    } catch (error) {
      this.#onRequestError(error)
    }
  }

  async #assign(attempt: number, answer: JoinAnswer): Promise<void> {
    const { generationId, protocolName, leader, members } = answer
    const request = { generationId, protocol: protocolName ?? '', leaderId: leader, members }
    const assignments = await this.#owner.assign(request)
    this.#step({ type: 'assigned', attempt, assignments })
  }

  async #sync(attempt: number, assignments: ReadonlyMap<string, Uint8Array>): Promise<void> {
    const { groupId, protocolType, groupInstanceId } = this.#options
    const { generationId, memberId, protocol } = this.#state
    try {
      const answer = await this.#connection?.request(apis.syncGroup, {
        groupId,
        generationId,
        memberId,
        groupInstanceId,
        protocolType,
        protocolName: protocol,
        assignments: [...assignments].map(([member, assignment]) => ({ memberId: member, assignment })),
      })
      if (answer) this.#step({ type: 'synced', attempt, errorCode: answer.errorCode, assignment: answer.assignment })
    } catch (error) {
      this.#onRequestError(error)
    }
  }

  #deliver(assignment: Buffer): void {
    const { generationId, memberId, leader, protocol } = this.#state
    this.#callback(() => this.#owner.onAssigned({ generationId, memberId, leaderId: leader, protocol, assignment }))
  }

  async #heartbeat(): Promise<void> {
    const { groupId, groupInstanceId } = this.#options
    const { generationId, memberId } = this.#state
    try {
      const request = { groupId, generationId, memberId, groupInstanceId }
      const answer = await this.#connection?.request(apis.heartbeat, request)
      if (answer) this.#step({ type: 'heartbeatAnswered', generationId, errorCode: answer.errorCode })
    } catch (error) {
      this.#onRequestError(error)
    }
  }

  /** A lost connection reports itself; what cannot be sent at all ends the membership. */
  #onRequestError(error: unknown): void {
    if (error instanceof KafkaError && (error.retriable || error.code === 'CLIENT_BAD_RESPONSE')) return
    if (this.#cluster.isClosed || this.#state.phase === 'closed') return
    this.#fatal(
      error instanceof KafkaError
        ? error
        : new KafkaError('UNKNOWN_SERVER_ERROR', `Group ${this.#options.groupId}: ${String(error)}`, { cause: error }),
    )
  }

  async #leave(): Promise<void> {
    const { groupId, groupInstanceId } = this.#options
    const connection = this.#connection
    if (!connection?.isOpen || groupInstanceId !== null) return
    const { memberId } = this.#state
    const listed = connection.versionOf(apis.leaveGroup) >= 3
    const request = listed ? { groupId, members: [{ memberId, groupInstanceId }] } : { groupId, memberId }
    // The session timeout does the same a little later.
    await connection.request(apis.leaveGroup, request, { timeoutMs: JOIN_GRACE_MS }).catch(() => undefined)
  }
}
