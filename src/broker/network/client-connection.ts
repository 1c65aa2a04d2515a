import type { Connection, Logger } from '../../base/index.ts'
import { FrameSplitter, ProtocolError } from '../../protocol/index.ts'
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
  /** Throws or rejects only for requests that cannot be answered: the connection is closed then. */
  dispatch(connection: ClientConnection, frame: Buffer): Answer | PendingAnswer
  /** Whether this request may start while earlier pipelined ones are pending. */
  isPipelined(frame: Buffer): boolean
}

/** Thrown to close a connection on purpose, with the reason for the log. */
export class CloseConnection extends Error {
  override name = 'CloseConnection'
}

interface Slot {
  frameBytes: number
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
  readonly #splitter: FrameSplitter
  readonly #queue: Buffer[] = []
  #queuedBytes = 0
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
    this.#splitter = new FrameSplitter({
      maxFrameBytes: options.maxFrameBytes,
      onFrame: (frame) => this.#onFrame(frame),
    })
    options.connection.onData((chunk) => this.#onData(chunk))
    options.connection.onDrain(() => this.#pump())
    options.connection.onClose(() => this.#onClose())
  }

  get partialBytes(): number {
    return this.#splitter.pendingBytes
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
    const pending = this.#splitter.pendingBytes
    try {
      this.#splitter.push(chunk)
    } catch (error) {
      if (!(error instanceof ProtocolError)) throw error
      this.#fail(error)
      return
    }
    const grown = this.#splitter.pendingBytes - pending
    if (grown !== 0 && !this.#closed) this.#options.memory.received(this, grown)
  }

  #onFrame(frame: Buffer): void {
    if (this.#closed) return
    this.#queue.push(frame)
    this.#queuedBytes += frame.length
    this.#options.memory.requestStarted(this)
    this.#options.memory.received(this, frame.length + SIZE_FIELD_BYTES)
    this.#pump()
    this.#updatePause()
  }

  #mayStart(frame: Buffer): boolean {
    if (this.#options.connection.bufferedBytes > UNREAD_BYTES_MAX) return false
    const last = this.#slots.at(-1)
    if (last === undefined) return true
    return last.pipelined && this.#slots.length < PIPELINED_REQUESTS_MAX && this.#options.dispatcher.isPipelined(frame)
  }

  #pump(): void {
    while (!this.#closed && !this.#draining) {
      const frame = this.#queue[0]
      if (frame === undefined || !this.#mayStart(frame)) break
      this.#queue.shift()
      this.#queuedBytes -= frame.length
      this.#start(frame)
    }
    if (this.#paused) this.#updatePause()
  }

  #start(frame: Buffer): void {
    const slot: Slot = { frameBytes: frame.length + SIZE_FIELD_BYTES, pipelined: false, done: false, answer: null }
    this.#slots.push(slot)
    let outcome: Answer | PendingAnswer
    try {
      outcome = this.#options.dispatcher.dispatch(this, frame)
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
      this.#options.memory.requestDone(first.frameBytes)
      if (first.answer !== null) this.#options.connection.write(first.answer)
    }
    if (this.#slots.length === 0) this.#onIdle?.()
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
    for (const frame of this.#queue) this.#options.memory.requestDone(frame.length + SIZE_FIELD_BYTES)
    this.#queue.length = 0
    this.#queuedBytes = 0
  }

  #onClose(): void {
    if (this.#closed) return
    this.#closed = true
    this.#dropQueue()
    for (const slot of this.#slots) this.#options.memory.requestDone(slot.frameBytes)
    this.#slots.length = 0
    this.#options.memory.userGone(this, this.#splitter.pendingBytes)
    this.onceClosed?.()
    this.#onIdle?.()
    this.#options.onClosed(this)
  }
}

function hostOf(address: string): string {
  const colon = address.lastIndexOf(':')
  const host = colon < 0 ? address : address.slice(0, colon)
  return host.startsWith('::ffff:') ? host.slice('::ffff:'.length) : host
}
