import type { Clock, Random } from '../../base/index.ts'
import { ErrorCode, type FetchRequest, ZERO_UUID } from '../../protocol/index.ts'

/** One partition of a fetch, and what a session last answered for it. */
export interface FetchPartition {
  readonly topic: string
  readonly topicId: string
  readonly partition: number
  fetchOffset: number
  maxBytes: number
  currentLeaderEpoch: number
  answeredHighWatermark: number
  answeredLogStartOffset: number
}

/** What a request asks for once its session is taken into account. */
export interface FetchContext {
  readonly sessionId: number
  /** An incremental answer leaves out partitions with nothing new. */
  readonly incremental: boolean
  readonly partitions: readonly FetchPartition[]
  /** Puts partitions that got records last, so that all get their turn. */
  answered(withRecords: readonly FetchPartition[]): void
}

interface Session {
  readonly id: number
  epoch: number
  readonly byId: boolean
  readonly partitions: Map<string, FetchPartition>
  lastUsedMs: number
}

const FINAL_EPOCH = -1
const INITIAL_EPOCH = 0
const EPOCH_MAX = 0x7fffffff
/** A session unused for so long may be given up for a new one. */
const EVICTION_MS = 120_000

/** Incremental fetch sessions (KIP-227): a client names its partitions once and afterwards only what changes. */
export class FetchSessions {
  readonly #clock: Clock
  readonly #random: Random
  readonly #slots: number
  /** In the order of last use. */
  readonly #sessions = new Map<number, Session>()

  constructor(options: { clock: Clock; random: Random; slots: number }) {
    this.#clock = options.clock
    this.#random = options.random
    this.#slots = options.slots
  }

  get size(): number {
    return this.#sessions.size
  }

  /** Finds or makes the session of a request; a number is the error to answer. */
  contextFor(request: FetchRequest, byId: boolean, sessionsKnown: boolean): FetchContext | number {
    const { sessionId, sessionEpoch } = request
    if (!sessionsKnown || sessionEpoch === FINAL_EPOCH) {
      if (sessionId !== 0) this.#sessions.delete(sessionId)
      return sessionless(request)
    }
    if (sessionEpoch === INITIAL_EPOCH) {
      if (sessionId !== 0) this.#sessions.delete(sessionId)
      const session = this.#create(request, byId)
      return session === undefined ? sessionless(request) : contextOf(session, false)
    }
    const session = this.#sessions.get(sessionId)
    if (session === undefined) return ErrorCode.FETCH_SESSION_ID_NOT_FOUND
    if (session.epoch !== sessionEpoch) return ErrorCode.INVALID_FETCH_SESSION_EPOCH
    if (session.byId !== byId) return ErrorCode.FETCH_SESSION_TOPIC_ID_ERROR
    update(session, request)
    session.epoch = session.epoch === EPOCH_MAX ? 1 : session.epoch + 1
    session.lastUsedMs = this.#clock.monotonicMs()
    this.#sessions.delete(session.id)
    this.#sessions.set(session.id, session)
    return contextOf(session, true)
  }

  #create(request: FetchRequest, byId: boolean): Session | undefined {
    const nowMs = this.#clock.monotonicMs()
    if (this.#sessions.size >= this.#slots) {
      const [oldest] = this.#sessions.values()
      if (oldest === undefined || nowMs - oldest.lastUsedMs < EVICTION_MS) return undefined
      this.#sessions.delete(oldest.id)
    }
    const session: Session = { id: this.#newId(), epoch: 1, byId, partitions: new Map(), lastUsedMs: nowMs }
    update(session, request)
    this.#sessions.set(session.id, session)
    return session
  }

  #newId(): number {
    for (;;) {
      const id = 1 + Math.floor(this.#random.next() * (EPOCH_MAX - 1))
      if (!this.#sessions.has(id)) return id
    }
  }
}

function keyOf(topic: string, topicId: string, partition: number): string {
  // Sessions are keyed by id where the client sends ids: a re-created topic is another one.
  return topicId === ZERO_UUID ? `${topic}/${partition}` : `${topicId}/${partition}`
}

function* askedPartitions(request: FetchRequest): Generator<FetchPartition> {
  for (const { topic, topicId, partitions } of request.topics) {
    for (const { partition, fetchOffset, partitionMaxBytes, currentLeaderEpoch } of partitions) {
      yield {
        topic,
        topicId,
        partition,
        fetchOffset,
        maxBytes: partitionMaxBytes,
        currentLeaderEpoch,
        answeredHighWatermark: -1,
        answeredLogStartOffset: -1,
      }
    }
  }
}

function update(session: Session, request: FetchRequest): void {
  for (const asked of askedPartitions(request)) {
    const key = keyOf(asked.topic, asked.topicId, asked.partition)
    const known = session.partitions.get(key)
    if (known === undefined) {
      session.partitions.set(key, asked)
    } else {
      known.fetchOffset = asked.fetchOffset
      known.maxBytes = asked.maxBytes
      known.currentLeaderEpoch = asked.currentLeaderEpoch
    }
  }
  for (const { topic, topicId, partitions } of request.forgottenTopicsData) {
    for (const partition of partitions) session.partitions.delete(keyOf(topic, topicId, partition))
  }
}

function contextOf(session: Session, incremental: boolean): FetchContext {
  return {
    sessionId: session.id,
    incremental,
    partitions: [...session.partitions.values()],
    answered(withRecords) {
      if (withRecords.length === 0 || withRecords.length === session.partitions.size) return
      for (const partition of withRecords) {
        const key = keyOf(partition.topic, partition.topicId, partition.partition)
        if (session.partitions.delete(key)) session.partitions.set(key, partition)
      }
    },
  }
}

function sessionless(request: FetchRequest): FetchContext {
  return { sessionId: 0, incremental: false, partitions: [...askedPartitions(request)], answered: () => {} }
}
