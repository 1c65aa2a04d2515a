import { type Connection, sleep, type Timer } from '../base/index.ts'
import { type Api, apis, type Encodable, ErrorCode, FrameSplitter, Reader, responseHeader } from '../protocol/index.ts'
import type { Address, ClientConfig } from './client-config.ts'
import { KafkaError, throwOnError } from './errors.ts'

const SOFTWARE_NAME = 'millrace'
const SOFTWARE_VERSION = '0.1.0'

/**
 * All connections are read into this one buffer, whose content is copied into the answer it belongs to. Chunks of their own
 * would be twice as much memory for V8 to collect.
 */
let receiveBuffer: Buffer | undefined
const RECEIVE_BUFFER_BYTES = 256 << 10

/** What choosing a version needs to know of an API. */
export type ApiRange = Pick<Api<never, never>, 'key' | 'name' | 'validVersions'>

interface InFlight {
  readonly correlationId: number
  readonly name: string
  readonly deadlineMs: number
  resolve(frame: Buffer): void
  reject(error: Error): void
}

export interface RequestOptions {
  readonly timeoutMs?: number
  /** Use at most this version, when the message needs it. */
  readonly maxVersion?: number
}

/**
 * One connection to one broker. Requests are pipelined; a broker answers in order. A request that times out closes the
 * connection, because nothing behind it can be answered any more.
 */
export class BrokerConnection {
  readonly address: Address
  readonly #config: ClientConfig
  readonly #connection: Connection
  readonly #inFlight: InFlight[] = []
  readonly #ranges = new Map<number, readonly [min: number, max: number]>()
  #correlationId = 0
  #timer: Timer | undefined
  #timerAtMs = Number.POSITIVE_INFINITY
  #closed: KafkaError | undefined
  #lastUsedMs: number
  /** Called once when the connection is gone. */
  onClose: (() => void) | undefined

  private constructor(config: ClientConfig, address: Address, connection: Connection) {
    this.#config = config
    this.address = address
    this.#connection = connection
    this.#lastUsedMs = config.clock.monotonicMs()
    const splitter = new FrameSplitter({
      maxFrameBytes: config.maxResponseBytes,
      copies: true,
      onFrame: (frame) => this.#onFrame(frame),
    })
    connection.onClose((error) => this.close(error?.message ?? 'the broker closed the connection'))
    connection.onData((chunk) => {
      try {
        splitter.push(chunk)
      } catch (error) {
        // Invariant 8: after a frame that cannot be trusted, nothing on this connection can.
        this.close(`bad answer: ${(error as Error).message}`)
      }
    })
  }

  /** Connects and learns which versions the broker speaks. */
  static async open(config: ClientConfig, address: Address): Promise<BrokerConnection> {
    const where = `${address.host}:${address.port}`
    let connection: Connection
    try {
      receiveBuffer ??= Buffer.allocUnsafeSlow(RECEIVE_BUFFER_BYTES)
      connection = await config.net.connect({ ...address, timeoutMs: config.connectTimeoutMs, receiveBuffer })
    } catch (error) {
      const message = `Connection to ${where} could not be established: ${(error as Error).message}`
      throw new KafkaError('CLIENT_DISCONNECTED', message, { retriable: true, cause: error })
    }
    const broker = new BrokerConnection(config, address, connection)
    try {
      await broker.#negotiate()
    } catch (error) {
      broker.close('negotiation of versions failed')
      throw error
    }
    return broker
  }

  get isOpen(): boolean {
    return this.#closed === undefined
  }

  get inFlightCount(): number {
    return this.#inFlight.length
  }

  /** Milliseconds since the last request or answer; 0 while one is in flight. */
  idleMs(): number {
    return this.#inFlight.length > 0 ? 0 : this.#config.clock.monotonicMs() - this.#lastUsedMs
  }

  /** The highest version that both sides speak; throws CLIENT_UNSUPPORTED_VERSION when there is none. */
  versionOf(api: ApiRange, maxVersion: number = Number.POSITIVE_INFINITY): number {
    const range = this.#ranges.get(api.key)
    const [min, max] = api.validVersions
    const version = range ? Math.min(max, range[1], maxVersion) : -1
    if (!range || version < min || version < range[0]) {
      const theirs = range ? `${range[0]} to ${range[1]}` : 'none'
      throw new KafkaError(
        'CLIENT_UNSUPPORTED_VERSION',
        `The broker at ${this.address.host}:${this.address.port} speaks ${theirs} of ${api.name}, this client ${min} to ${max}`,
      )
    }
    return version
  }

  supports(api: ApiRange): boolean {
    const range = this.#ranges.get(api.key)
    return range !== undefined && range[1] >= api.validVersions[0] && range[0] <= api.validVersions[1]
  }

  /** Sends a request in the highest common version and resolves with its answer. */
  async request<Request, Response>(
    api: Api<Request, Response>,
    message: Encodable<Request>,
    options: RequestOptions = {},
  ): Promise<Response> {
    const version = this.versionOf(api, options.maxVersion)
    const frame = await this.#exchange(api, version, message, options.timeoutMs ?? this.#config.requestTimeoutMs)
    return this.#decode(api, version, frame)
  }

  /** Sends a request that the broker does not answer: Produce with acks=0. */
  send<Request, Response>(
    api: Api<Request, Response>,
    message: Encodable<Request>,
    options: RequestOptions = {},
  ): void {
    if (this.#closed) throw this.#closed
    const version = this.versionOf(api, options.maxVersion)
    this.#write(api, version, message)
  }

  /** Bytes that the socket has not taken yet. */
  get bufferedBytes(): number {
    return this.#connection.bufferedBytes
  }

  /** Closes at once; what is in flight is rejected as retriable. */
  close(reason: string): void {
    if (this.#closed) return
    const where = `${this.address.host}:${this.address.port}`
    this.#closed = new KafkaError('CLIENT_DISCONNECTED', `Connection to ${where} is closed: ${reason}`, {
      retriable: true,
    })
    this.#timer?.cancel()
    this.#connection.destroy()
    const lost = this.#inFlight.splice(0)
    for (const request of lost) request.reject(this.#closed)
    this.onClose?.()
  }

  #decode<Request, Response>(api: Api<Request, Response>, version: number, frame: Buffer): Response {
    try {
      const reader = new Reader(frame)
      responseHeader.decode(reader, api.responseHeaderVersion(version))
      return api.decodeResponse(version, frame, reader.position)
    } catch (error) {
      this.close(`bad answer: ${(error as Error).message}`)
      const message = `The answer to ${api.name} v${version} cannot be read: ${(error as Error).message}`
      throw new KafkaError('CLIENT_BAD_RESPONSE', message, { cause: error })
    }
  }

  #write<Request, Response>(api: Api<Request, Response>, version: number, message: Encodable<Request>): number {
    const correlationId = this.#correlationId
    this.#correlationId = (correlationId + 1) & 0x7fffffff
    const parts = api.requestFrame(version, { correlationId, clientId: this.#config.clientId }, message)
    this.#lastUsedMs = this.#config.clock.monotonicMs()
    this.#connection.write(parts)
    return correlationId
  }

  #exchange<Request, Response>(
    api: Api<Request, Response>,
    version: number,
    message: Encodable<Request>,
    timeoutMs: number,
  ): Promise<Buffer> {
    return new Promise((resolve, reject) => {
      if (this.#closed) {
        reject(this.#closed)
        return
      }
      const correlationId = this.#write(api, version, message)
      const deadlineMs = this.#config.clock.monotonicMs() + timeoutMs
      this.#inFlight.push({ correlationId, name: api.name, deadlineMs, resolve, reject })
      this.#watch(deadlineMs)
    })
  }

  /** One timer serves all requests in flight: it fires at the earliest deadline. */
  #watch(deadlineMs: number): void {
    if (deadlineMs >= this.#timerAtMs) return
    const { clock } = this.#config
    this.#timer?.cancel()
    this.#timerAtMs = deadlineMs
    const check = () => {
      this.#timerAtMs = Number.POSITIVE_INFINITY
      const now = clock.monotonicMs()
      const late = this.#inFlight.find((request) => request.deadlineMs <= now)
      if (late) this.close(`no answer to ${late.name} in time`)
      else for (const request of this.#inFlight) this.#watch(request.deadlineMs)
    }
    this.#timer = clock.setTimer(Math.max(0, deadlineMs - clock.monotonicMs()), check, { unref: true })
  }

  #onFrame(frame: Buffer): void {
    const request = this.#inFlight.shift()
    const correlationId = frame.length >= 4 ? frame.readInt32BE(0) : -1
    if (!request || request.correlationId !== correlationId) {
      this.close(`answer ${correlationId} is not the one expected (${request?.correlationId ?? 'none'})`)
      request?.reject(this.#closed!)
      return
    }
    this.#lastUsedMs = this.#config.clock.monotonicMs()
    if (this.#inFlight.length === 0) {
      this.#timer?.cancel()
      this.#timerAtMs = Number.POSITIVE_INFINITY
    }
    request.resolve(frame)
  }

  /** ApiVersions in our newest version; a broker that does not know it answers 35 with the oldest format. */
  async #negotiate(): Promise<void> {
    const { apiVersions } = apis
    const hello = { clientSoftwareName: SOFTWARE_NAME, clientSoftwareVersion: SOFTWARE_VERSION }
    const timeoutMs = this.#config.requestTimeoutMs
    let version = apiVersions.validVersions[1]
    let frame = await this.#exchange(apiVersions, version, hello, timeoutMs)
    if (frame.length >= 6 && frame.readInt16BE(4) === ErrorCode.UNSUPPORTED_VERSION) {
      version = 0
      frame = await this.#exchange(apiVersions, version, {}, timeoutMs)
    }
    const answer = this.#decode(apiVersions, version, frame)
    throwOnError(answer.errorCode, 'ApiVersions')
    for (const { apiKey, minVersion, maxVersion } of answer.apiKeys) this.#ranges.set(apiKey, [minVersion, maxVersion])
  }

  /** Waits until the socket has taken what was written. */
  async flushed(): Promise<void> {
    while (this.#closed === undefined && this.#connection.bufferedBytes > 0) await sleep(this.#config.clock, 1)
  }
}
