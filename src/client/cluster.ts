import { setMaxListeners } from 'node:events'
import { sleep, type Timer } from '../base/index.ts'
import { type Api, apis, type Encodable } from '../protocol/index.ts'
import { backoffMs } from './backoff.ts'
import { BrokerConnection, type RequestOptions } from './broker-connection.ts'
import type { Address, ClientConfig } from './client-config.ts'
import { closedError, isRetriable, KafkaError } from './errors.ts'
import { Metadata } from './metadata.ts'

/**
 * What a connection is for. A broker answers one request of a connection at a time, so a fetch that waits for data
 * must not stand before a heartbeat.
 */
export type Purpose = 'main' | 'fetch' | 'coordinator'

/** Which broker a request goes to. */
export type Target = number | 'any' | 'controller'

interface Slot {
  open: BrokerConnection | undefined
  opening: Promise<BrokerConnection> | undefined
  failures: number
  retryAtMs: number
}

/** Retriable failures are usual; one that goes on for this many attempts is told once. */
const TRIES_IN_SILENCE = 3

/** Connections to the brokers of a cluster, and its metadata. */
export class Cluster {
  readonly config: ClientConfig
  readonly metadata = new Metadata()
  readonly #slots = new Map<string, Slot>()
  readonly #wanted = new Set<string>()
  readonly #abort = new AbortController()
  #wantAll = false
  #refreshing: Promise<void> | undefined
  #idleTimer: Timer | undefined

  constructor(config: ClientConfig) {
    this.config = config
    // Every pause listens to it, and there may be many at a time.
    setMaxListeners(0, this.#abort.signal)
  }

  get isClosed(): boolean {
    return this.#abort.signal.aborted
  }

  /** Aborts when the client closes. */
  get signal(): AbortSignal {
    return this.#abort.signal
  }

  /** The open connection to a node for a purpose, or undefined: for callers that must not wait. */
  openConnection(nodeId: number, purpose: Purpose): BrokerConnection | undefined {
    const connection = this.#slots.get(`${nodeId} ${purpose}`)?.open
    return connection?.isOpen ? connection : undefined
  }

  /** A connection to a node of the metadata; waits out the reconnect back-off. */
  async connection(nodeId: number, purpose: Purpose = 'main'): Promise<BrokerConnection> {
    const broker = this.metadata.brokers.get(nodeId)
    if (!broker) {
      throw new KafkaError('CLIENT_NO_METADATA', `Broker ${nodeId} is not known`, { retriable: true })
    }
    return this.#connect(`${nodeId} ${purpose}`, broker)
  }

  async #connect(key: string, address: Address): Promise<BrokerConnection> {
    if (this.isClosed) throw closedError('The client')
    let slot = this.#slots.get(key)
    const moved = slot?.open && (slot.open.address.host !== address.host || slot.open.address.port !== address.port)
    if (moved) slot!.open!.close('the broker has moved')
    if (slot?.open?.isOpen) return slot.open
    if (!slot) {
      slot = { open: undefined, opening: undefined, failures: 0, retryAtMs: 0 }
      this.#slots.set(key, slot)
    }
    slot.opening ??= this.#open(slot, address)
    return slot.opening
  }

  async #open(slot: Slot, address: Address): Promise<BrokerConnection> {
    const { clock, random, reconnectBackoffMs, reconnectBackoffMaxMs } = this.config
    try {
      const waitMs = slot.retryAtMs - clock.monotonicMs()
      if (waitMs > 0) await sleep(clock, waitMs, this.signal)
      const connection = await BrokerConnection.open(this.config, address)
      if (this.isClosed) connection.close('the client is closed')
      slot.open = connection
      slot.failures = 0
      slot.retryAtMs = 0
      this.#watchIdle()
      return connection
    } catch (error) {
      slot.failures++
      const wait = backoffMs(random, reconnectBackoffMs, reconnectBackoffMaxMs, slot.failures)
      slot.retryAtMs = clock.monotonicMs() + wait
      throw this.isClosed ? closedError('The client') : error
    } finally {
      slot.opening = undefined
    }
  }

  #watchIdle(): void {
    if (this.#idleTimer || this.isClosed) return
    const limit = this.config.connectionsMaxIdleMs
    const check = () => {
      this.#idleTimer = undefined
      for (const [key, slot] of this.#slots) {
        if (!slot.open) continue
        if (slot.open.idleMs() >= limit) slot.open.close('idle')
        if (!slot.open.isOpen && !slot.opening && slot.failures === 0) this.#slots.delete(key)
      }
      if (this.#slots.size > 0) this.#watchIdle()
    }
    this.#idleTimer = this.config.clock.setTimer(limit, check, { unref: true })
  }

  /** A connection to whichever broker answers: known ones first, an open one if there is, then the bootstrap servers. */
  async anyConnection(): Promise<BrokerConnection> {
    const known = shuffled([...this.metadata.brokers.values()], this.config)
    for (const { id } of known) {
      const open = this.openConnection(id, 'main')
      if (open) return open
    }
    const bootstrap = shuffled([...this.config.bootstrapServers], this.config)
    const rebootstrap = known.length === 0 || this.config.metadataRecoveryStrategy === 'rebootstrap'
    const candidates: [string, Address][] = [
      ...known.map((broker): [string, Address] => [`${broker.id} main`, broker]),
      ...(rebootstrap ? bootstrap.map((a): [string, Address] => [`bootstrap ${a.host}:${a.port}`, a]) : []),
    ]
    let failure: unknown
    for (const [key, address] of candidates) {
      try {
        return await this.#connect(key, address)
      } catch (error) {
        if (this.isClosed) throw error
        failure = error
      }
    }
    throw failure
  }

  /** Sends one request; no retries. */
  async request<Request, Response>(
    target: Target,
    api: Api<Request, Response>,
    message: Encodable<Request>,
    options: RequestOptions & { purpose?: Purpose } = {},
  ): Promise<Response> {
    const connection = await this.#connectionFor(target, options.purpose ?? 'main')
    return connection.request(api, message, options)
  }

  async #connectionFor(target: Target, purpose: Purpose): Promise<BrokerConnection> {
    if (typeof target === 'number') return this.connection(target, purpose)
    if (target === 'any') return this.anyConnection()
    if (!this.metadata.brokers.has(this.metadata.controllerId)) await this.refresh()
    const { controllerId, brokers } = this.metadata
    return brokers.has(controllerId) ? this.connection(controllerId) : this.anyConnection()
  }

  /** Runs `attempt` until it succeeds, fails for good, or `timeoutMs` are over; back-off between attempts. */
  async retrying<T>(what: string, attempt: () => Promise<T>, options: RetryOptions = {}): Promise<T> {
    const { clock, random, retryBackoffMs, retryBackoffMaxMs, defaultApiTimeoutMs } = this.config
    const timeoutMs = options.timeoutMs ?? defaultApiTimeoutMs
    const deadline = clock.monotonicMs() + timeoutMs
    for (let tries = 1; ; tries++) {
      try {
        return await attempt()
      } catch (error) {
        if (this.isClosed) throw closedError('The client')
        options.signal?.throwIfAborted()
        if (!isRetriable(error)) throw error
        const wait = backoffMs(random, retryBackoffMs, retryBackoffMaxMs, tries)
        if (clock.monotonicMs() + wait > deadline) {
          const reason = (error as Error).message
          throw new KafkaError('CLIENT_TIMED_OUT', `${what} did not succeed in time; last: ${reason}`, {
            retriable: true,
            cause: error,
          })
        }
        if (tries === TRIES_IN_SILENCE) {
          const patience = `trying for up to ${Math.ceil(timeoutMs / 1000)} s`
          this.config.logger.warn({}, `${what} has not succeeded yet, ${patience}: ${(error as Error).message}`)
        }
        await this.pause(wait, options.signal)
      }
    }
  }

  /** Waits; rejects when the client closes or the signal aborts. */
  async pause(ms: number, signal?: AbortSignal): Promise<void> {
    const both = signal ? AbortSignal.any([signal, this.signal]) : this.signal
    await sleep(this.config.clock, ms, both).catch((error: unknown) => {
      throw signal?.aborted ? error : closedError('The client')
    })
  }

  /** Topics that every refresh asks for from now on. */
  want(topics: Iterable<string>): void {
    for (const topic of topics) this.#wanted.add(topic)
  }

  /** Topics to ask for, no others. */
  wantOnly(topics: Iterable<string>): void {
    this.#wanted.clear()
    this.#wantAll = false
    this.want(topics)
  }

  /** Every refresh asks for all topics: for subscriptions by pattern. */
  wantAllTopics(): void {
    this.#wantAll = true
  }

  /** Asks for metadata once. Calls during a refresh share the one that follows it only when topics were added. */
  async refresh(): Promise<void> {
    if (this.#refreshing) {
      const asked = this.#wanted.size
      await this.#refreshing
      if (this.#wanted.size === asked) return
      return this.refresh()
    }
    this.#refreshing = this.#refreshOnce()
    try {
      await this.#refreshing
    } finally {
      this.#refreshing = undefined
    }
  }

  async #refreshOnce(): Promise<void> {
    const connection = await this.anyConnection()
    const topics = this.#wantAll ? null : [...this.#wanted].map((name) => ({ name }))
    const allowAutoTopicCreation = this.config.allowAutoCreateTopics && !this.#wantAll
    // Version 0 and brokers before 0.11 are out of reach anyway; from version 4 on auto creation can be declined.
    const response = await connection.request(apis.metadata, { topics, allowAutoTopicCreation })
    this.metadata.update(response, this.config.clock.monotonicMs())
  }

  /** Whether the metadata is older than metadata.max.age.ms. */
  get isMetadataStale(): boolean {
    return this.config.clock.monotonicMs() - this.metadata.updatedMs > this.config.metadataMaxAgeMs
  }

  /** Closes every connection; what is in flight fails. */
  close(): void {
    if (this.isClosed) return
    this.#abort.abort(closedError('The client'))
    this.#idleTimer?.cancel()
    for (const slot of this.#slots.values()) slot.open?.close('the client is closed')
    this.#slots.clear()
  }
}

export interface RetryOptions {
  readonly timeoutMs?: number
  readonly signal?: AbortSignal
}

function shuffled<T>(items: T[], { random }: ClientConfig): T[] {
  for (let i = items.length - 1; i > 0; i--) {
    const j = Math.floor(random.next() * (i + 1))
    const swap = items[i]!
    items[i] = items[j]!
    items[j] = swap
  }
  return items
}
