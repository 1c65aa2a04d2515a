import type { JoinReply, LeaveReply, SyncReply } from '../../src/broker/groups/classic/group-state.ts'
import { ErrorCode } from '../../src/protocol/index.ts'

/** A request of a worker to the coordinator, as the network carries it. */
export type WorkerRequest =
  | { readonly type: 'join'; readonly memberId: string }
  | {
      readonly type: 'sync'
      readonly memberId: string
      readonly generationId: number
      readonly assignments: readonly { memberId: string; assignment: Buffer }[]
    }
  | { readonly type: 'heartbeat'; readonly memberId: string; readonly generationId: number }
  | { readonly type: 'leave'; readonly memberId: string }

export type WorkerReply = JoinReply | SyncReply | LeaveReply | { readonly kind: 'code'; readonly errorCode: number }

export interface WorkerSettings {
  readonly name: string
  readonly groupInstanceId: string | null
  readonly sessionTimeoutMs: number
  readonly rebalanceTimeoutMs: number
  readonly tasks: number
}

const HEARTBEATS_PER_SESSION = 3
const RETRY_MS = 100
const REQUEST_TIMEOUT_MS = 3000

/**
 * A member as a Kafka client is one: it gives everything up when it hears of a rebalance, and by itself when it has heard
 * nothing for its session time-out, counted from when the answered request was sent.
 */
export class SimWorker {
  readonly settings: WorkerSettings
  readonly #send: (requestId: number, request: WorkerRequest) => void
  readonly #nextRequestId: () => number
  memberId = ''
  generationId = -1
  /** The tasks it believes are its own. */
  owned: readonly number[] = []
  /** Until when it may believe so. */
  sessionEndsMs = 0
  alive = true
  #pending: { id: number; request: WorkerRequest; sentMs: number } | undefined
  #nextActionMs = 0
  #wish: 'join' | 'sync' | 'heartbeat' = 'join'
  #assignments: { memberId: string; assignment: Buffer }[] = []

  constructor(
    settings: WorkerSettings,
    send: (requestId: number, request: WorkerRequest) => void,
    nextRequestId: () => number,
  ) {
    this.settings = settings
    this.#send = send
    this.#nextRequestId = nextRequestId
  }

  /** Loses everything it knew. */
  crash(): void {
    this.alive = false
    this.owned = []
    this.#pending = undefined
  }

  restart(now: number): void {
    this.alive = true
    this.memberId = ''
    this.generationId = -1
    this.#again('join', now)
  }

  /** Its connection was reset: what it waits for will not come. */
  reset(now: number): void {
    if (this.#pending === undefined) return
    this.#pending = undefined
    this.#nextActionMs = now + RETRY_MS
  }

  leave(): void {
    if (this.memberId === '') return
    this.#send(this.#nextRequestId(), { type: 'leave', memberId: this.memberId })
    this.crash()
  }

  /** Time passes: the session may end, a request may be given up, the next one may be due. */
  tick(now: number): void {
    if (!this.alive) return
    if (this.owned.length > 0 && now >= this.sessionEndsMs) {
      this.owned = []
      this.#again('join', now)
    }
    const { rebalanceTimeoutMs } = this.settings
    if (this.#pending !== undefined) {
      // JoinGroup waits for the slowest member; everything else is answered at once or not at all.
      const patience = this.#pending.request.type === 'join' ? rebalanceTimeoutMs + 5000 : REQUEST_TIMEOUT_MS
      if (now - this.#pending.sentMs < patience) return
      this.#pending = undefined
    }
    if (now < this.#nextActionMs) return
    this.#act(now)
  }

  #act(now: number): void {
    const { memberId, generationId } = this
    const request: WorkerRequest =
      this.#wish === 'join'
        ? { type: 'join', memberId }
        : this.#wish === 'sync'
          ? { type: 'sync', memberId, generationId, assignments: this.#assignments }
          : { type: 'heartbeat', memberId, generationId }
    const id = this.#nextRequestId()
    this.#pending = { id, request, sentMs: now }
    this.#send(id, request)
  }

  #again(wish: 'join' | 'sync' | 'heartbeat', at: number): void {
    this.#wish = wish
    this.#pending = undefined
    this.#nextActionMs = at
  }

  receive(requestId: number, reply: WorkerReply, now: number): void {
    const pending = this.#pending
    if (!this.alive || pending?.id !== requestId) return
    this.#pending = undefined
    if (reply.kind === 'join') this.#joined(reply, now)
    else if (reply.kind === 'sync') this.#synced(reply, pending.sentMs, now)
    else if (reply.kind === 'code') this.#beaten(reply.errorCode, pending.sentMs, now)
  }

  #joined(reply: JoinReply, now: number): void {
    // From here on the old assignment is given up: whoever joins has stopped its tasks.
    this.owned = []
    switch (reply.errorCode) {
      case ErrorCode.NONE:
        this.memberId = reply.memberId
        this.generationId = reply.generationId
        this.#assignments = reply.leaderId === reply.memberId && !reply.skipAssignment ? this.#assign(reply) : []
        this.#again('sync', now)
        return
      case ErrorCode.MEMBER_ID_REQUIRED:
        this.memberId = reply.memberId
        this.#again('join', now)
        return
      default:
        this.#failed(reply.errorCode, now)
    }
  }

  #assign(reply: JoinReply): { memberId: string; assignment: Buffer }[] {
    const tasks = reply.members.map((): number[] => [])
    for (let task = 0; task < this.settings.tasks; task++) tasks[task % tasks.length]!.push(task)
    return reply.members.map(({ memberId }, i) => ({ memberId, assignment: Buffer.from(JSON.stringify(tasks[i])) }))
  }

  #synced(reply: SyncReply, sentMs: number, now: number): void {
    if (reply.errorCode !== ErrorCode.NONE) {
      this.#failed(reply.errorCode, now)
      return
    }
    this.sessionEndsMs = sentMs + this.settings.sessionTimeoutMs
    if (now >= this.sessionEndsMs) {
      this.#again('join', now)
      return
    }
    this.owned = reply.assignment.length === 0 ? [] : (JSON.parse(reply.assignment.toString()) as number[])
    this.#again('heartbeat', now + this.settings.sessionTimeoutMs / HEARTBEATS_PER_SESSION)
  }

  #beaten(errorCode: number, sentMs: number, now: number): void {
    if (errorCode !== ErrorCode.NONE) {
      this.#failed(errorCode, now)
      return
    }
    this.sessionEndsMs = sentMs + this.settings.sessionTimeoutMs
    this.#again('heartbeat', now + this.settings.sessionTimeoutMs / HEARTBEATS_PER_SESSION)
  }

  #failed(errorCode: number, now: number): void {
    switch (errorCode) {
      case ErrorCode.UNKNOWN_MEMBER_ID:
      case ErrorCode.FENCED_INSTANCE_ID:
        this.memberId = ''
        break
      case ErrorCode.COORDINATOR_NOT_AVAILABLE:
      case ErrorCode.NOT_COORDINATOR:
        // Nothing is known to have changed: ask the same again.
        this.#nextActionMs = now + RETRY_MS
        return
    }
    this.owned = []
    this.#again('join', errorCode === ErrorCode.REBALANCE_IN_PROGRESS ? now : now + RETRY_MS)
  }
}
