import type { Connection, Logger } from '../../base/index.ts'
import { ProtocolError } from '../../protocol/index.ts'
import type { FramePool } from './frame-pool.ts'
import { type Frame, FrameReader } from './frame-reader.ts'
import type { MemoryUser, RequestMemory } from './request-memory.ts'

/** The bytes of an answer, or null where the protocol has none (produce with acks=0). */
export type Answer = readonly Uint8Array[] | null

/** An answer that comes later. While it is pending, the next request of the connection starts only if both are `pipelined`. */
export interface PendingAnswer {
  readonly pipelined: boolean
  readonly answer: Promise<Answer>
}

/** What is done with the requests of a connection. */
export interface RequestDispatcher {
  /** The frame is used again once it is answered: what is kept of it must be copied. Throws or rejects only for requests that cannot be answered: the connection is closed then. */
  dispatch(connection: ClientConnection, frame: Buffer): Answer | PendingAnswer
  /** Whether this request may start while earlier pipelined ones are pending. */
  isPipelined(frame: Buffer): boolean
}

/** Thrown to close a connection on purpose, with the reason for the log. */
export class CloseConnection extends Error {
  override name = 'CloseConnection'
}

interface Slot {
  readonly frame: Frame
  pipelined: boolean
  done: boolean
  answer: Answer
}

const QUEUED_REQUESTS_MAX = 64
const QUEUED_BYTES_MAX = 8 << 20
const PIPELINED_REQUESTS_MAX = 32
/** No further request starts while the client has not read this much of its answers. */
const UNREAD_BYTES_MAX = 1 << 20
const SIZE_FIELD_BYTES = 4

/** A listener as clients of it are told. */
export interface AdvertisedEndpoint {
  readonly host: string
  readonly port: number
}

interface ClientConnectionOptions {
  readonly id: number
  readonly advertised: AdvertisedEndpoint
  readonly connection: Connection
  readonly dispatcher: RequestDispatcher
  readonly memory: RequestMemory
  readonly pool: FramePool
  readonly maxFrameBytes: number
  readonly logger: Logger
  readonly now: () => number
  readonly onClosed: (connection: ClientConnection) => void
}

/**
 * One client. Requests are worked on one at a time and answered in their order, as Kafka does; produce requests may
 * overlap, so that several wait for one sync of the disk, but they too are appended and answered in order.
 */
export class ClientConnection implements MemoryUser {
  readonly id: number
  /** The host of the peer, as DescribeGroups shows it. */
  readonly host: string
  /** What metadata answers on this connection name as the broker's address. */
  readonly advertised: AdvertisedEndpoint
  clientSoftwareName = 'unknown'
  clientSoftwareVersion = 'unknown'
  lastActiveMs: number
  /** Set by the one request that waits for something, to be told when nobody waits for its answer any more. */
  onceClosed: (() => void) | undefined
  readonly #options: ClientConnectionOptions
  readonly #reader: FrameReader
  readonly #queue: Frame[] = []
  #queuedBytes = 0
  #lent: Buffer[] = []
  readonly #slots: Slot[] = []
  #closed = false
  #draining = false
  #paused = false
  #memoryPaused = false
  #onIdle: (() => void) | undefined

  constructor(options: ClientConnectionOptions) {
    this.#options = options
    this.id = options.id
    this.advertised = options.advertised
    this.host = hostOf(options.connection.remoteAddress)
    this.lastActiveMs = options.now()
    this.#reader = new FrameReader({
      pool: options.pool,
      maxFrameBytes: options.maxFrameBytes,
      onFrame: (frame) => this.#onFrame(frame),
    })
    options.connection.onData((chunk) => this.#onData(chunk))
    options.connection.onDrain(() => this.#pump())
    options.connection.onClose(() => this.#onClose())
  }

  /** Takes buffers of the pool that the next answer refers to; they go back once it is sent. */
  lend(buffers: readonly Buffer[]): void {
    this.#lent.push(...buffers)
  }

  get partialBytes(): number {
    return this.#reader.pendingBytes
  }

  /** Whether a request is queued or being worked on. */
  get isBusy(): boolean {
    return this.#slots.length > 0 || this.#queue.length > 0
  }

  /** Takes no more requests; resolves when those that were begun are answered. */
  async drain(): Promise<void> {
    this.#draining = true
    this.#dropQueue()
    this.#updatePause()
    if (this.#slots.length === 0 || this.#closed) return
    await new Promise<void>((resolve) => {
      this.#onIdle = resolve
    })
  }

  /** Closes after what is written has been sent. */
  end(): void {
    this.#options.connection.end()
  }

  destroy(): void {
    this.#options.connection.destroy()
  }

  setMemoryPaused(paused: boolean): void {
    this.#memoryPaused = paused
    this.#updatePause()
  }

  #onData(chunk: Buffer): void {
    if (this.#closed || this.#draining) return
    this.lastActiveMs = this.#options.now()
    const pending = this.#reader.pendingBytes
    try {
      this.#reader.push(chunk)
    } catch (error) {
      if (!(error instanceof ProtocolError)) throw error
      this.#fail(error)
      return
    }
    const grown = this.#reader.pendingBytes - pending
    if (grown !== 0 && !this.#closed) this.#options.memory.received(this, grown)
  }

  #onFrame(frame: Frame): void {
    if (this.#closed) return
    this.#queue.push(frame)
    this.#queuedBytes += frame.bytes.length
    this.#options.memory.requestStarted(this)
    this.#options.memory.received(this, heldBytes(frame))
    this.#pump()
    this.#updatePause()
  }

  #mayStart(frame: Frame): boolean {
    if (this.#options.connection.bufferedBytes > UNREAD_BYTES_MAX) return false
    const last = this.#slots.at(-1)
    if (last === undefined) return true
    return (
      last.pipelined && this.#slots.length < PIPELINED_REQUESTS_MAX && this.#options.dispatcher.isPipelined(frame.bytes)
    )
  }

  #pump(): void {
    while (!this.#closed && !this.#draining) {
      const frame = this.#queue[0]
      if (frame === undefined || !this.#mayStart(frame)) break
      this.#queue.shift()
      this.#queuedBytes -= frame.bytes.length
      this.#start(frame)
    }
    if (this.#paused) this.#updatePause()
  }

  #start(frame: Frame): void {
    const slot: Slot = { frame, pipelined: false, done: false, answer: null }
    this.#slots.push(slot)
    let outcome: Answer | PendingAnswer
    try {
      outcome = this.#options.dispatcher.dispatch(this, frame.bytes)
    } catch (error) {
      this.#fail(error)
      return
    }
    if (outcome === null || !('pipelined' in outcome)) {
      this.#complete(slot, outcome)
      return
    }
    slot.pipelined = outcome.pipelined
    outcome.answer.then(
      (answer) => {
        this.#complete(slot, answer)
        this.#pump()
      },
      (error: unknown) => this.#fail(error),
    )
  }

  #complete(slot: Slot, answer: Answer): void {
    if (this.#closed) return
    slot.done = true
    slot.answer = answer
    while (this.#slots[0]?.done === true) {
      const first = this.#slots.shift()!
      this.#options.memory.requestDone(heldBytes(first.frame))
      if (first.frame.pooled !== undefined) this.#options.pool.give(first.frame.pooled)
      if (first.answer !== null) this.#write(first.answer)
    }
    if (this.#slots.length === 0) this.#onIdle?.()
  }

  #write(answer: readonly Uint8Array[]): void {
    const { connection, pool } = this.#options
    if (this.#lent.length === 0) {
      connection.write(answer)
      return
    }
    const lent = this.#lent
    this.#lent = []
    connection.write(answer, () => {
      for (const buffer of lent) pool.give(buffer)
    })
  }

  #updatePause(): void {
    const full = this.#queue.length >= QUEUED_REQUESTS_MAX || this.#queuedBytes >= QUEUED_BYTES_MAX
    const paused = this.#memoryPaused || full || this.#draining
    if (paused === this.#paused || this.#closed) return
    this.#paused = paused
    if (paused) this.#options.connection.pause()
    else this.#options.connection.resume()
  }

  #fail(error: unknown): void {
    if (this.#closed) return
    const { logger, connection } = this.#options
    const fields = { client: connection.remoteAddress, reason: error instanceof Error ? error.message : String(error) }
    if (error instanceof ProtocolError) logger.warn(fields, 'closing a connection: its bytes are not a Kafka request')
    else if (error instanceof CloseConnection) logger.warn(fields, 'closing a connection')
    else logger.error({ ...fields, err: error }, 'closing a connection: its request failed unexpectedly')
    connection.destroy()
    this.#onClose()
  }

  #dropQueue(): void {
    for (const frame of this.#queue) this.#options.memory.requestDone(heldBytes(frame))
    this.#queue.length = 0
    this.#queuedBytes = 0
  }

  #onClose(): void {
    if (this.#closed) return
    this.#closed = true
    this.#dropQueue()
    // Their buffers are not given back: a handler may be at work on them still.
    for (const slot of this.#slots) this.#options.memory.requestDone(heldBytes(slot.frame))
    this.#slots.length = 0
    this.#options.memory.userGone(this, this.#reader.pendingBytes)
    this.onceClosed?.()
    this.#onIdle?.()
    this.#options.onClosed(this)
  }
}

function heldBytes(frame: Frame): number {
  return frame.bytes.length + SIZE_FIELD_BYTES
}

function hostOf(address: string): string {
  const colon = address.lastIndexOf(':')
  const host = colon < 0 ? address : address.slice(0, colon)
  return host.startsWith('::ffff:') ? host.slice('::ffff:'.length) : host
}
